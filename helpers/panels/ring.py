"""Stand boxes on an ellipse around (0, 0), evenly, and find the arcs between them.

Angles are radians, clockwise as they are seen, from the right: in a picture y grows downwards.
"""

from bisect import bisect_left
from itertools import accumulate, pairwise
from math import cos, hypot, pi, sin
from typing import Final, NamedTuple

STEPS: Final = 480  # points at which an ellipse is measured
FEW: Final = 6  # boxes that get much air
MUCH_AIR: Final = (60.0, 56.0)  # pixels between boxes that stand beside each other, and below each other
LITTLE_AIR: Final = (42.0, 36.0)
FLATTEST: Final = 0.6  # height to width
WIDEST: Final = 360.0  # half of the width, in pixels; a ring of many boxes grows in height


class Box(NamedTuple):
    """The place of a thing: its middle and its size, in pixels."""

    x: float
    y: float
    width: float
    height: float

    def is_near(self, x: float, y: float, air: float) -> bool:
        """Whether a point lies in the box, or closer to it than `air`."""
        beside, above = abs(x - self.x) - self.width / 2, abs(y - self.y) - self.height / 2
        return hypot(max(0.0, beside), max(0.0, above)) < air


class Ellipse(NamedTuple):
    """Half its width and half its height, in pixels."""

    across: float
    down: float

    def at(self, angle: float) -> tuple[float, float]:
        """The point at `angle`."""
        return self.across * cos(angle), self.down * sin(angle)


class Arc(NamedTuple):
    """A piece of an ellipse, from angle to angle, clockwise."""

    ellipse: Ellipse
    start: float
    end: float

    def between(self, first: Box, last: Box, air: float) -> "Arc":
        """The piece of it that keeps `air` pixels from both boxes, which stand at its ends."""
        turn = 2 * pi / STEPS / 4
        start, end = self.start, self.end
        while start < end and first.is_near(*self.ellipse.at(start), air):
            start += turn
        while start < end and last.is_near(*self.ellipse.at(end), air):
            end -= turn
        return self._replace(start=start, end=end)


def ring(count: int, width: float, height: float, room: float) -> tuple[Ellipse, list[float]]:
    """An ellipse for `count` boxes of one size, and the angle of each, with the same air between all.

    The first of four or fewer stands on the left, of more at the top. `room` is how wide the middle has to be.
    """
    start = pi if count <= 4 else -pi / 2
    air = MUCH_AIR if count <= FEW else LITTLE_AIR
    pitch = (width + air[0], height + air[1])
    across = max(150.0, (width + room) / 2 + 22)
    down = FLATTEST * across
    while (sums := _sums(Ellipse(across, down), start, pitch))[-1] < count:
        across, down = max(across, min(WIDEST, across + 8)), max(down + 4, FLATTEST * across)
    places = [bisect_left(sums, sums[-1] * n / count - 1e-9) for n in range(count)]
    return Ellipse(across, down), [start + 2 * pi * place / STEPS for place in places]


def _sums(ellipse: Ellipse, start: float, pitch: tuple[float, float]) -> list[float]:
    """How many boxes fit on the way from `start` to each of the points of an ellipse."""
    points = [ellipse.at(start + 2 * pi * step / STEPS) for step in range(STEPS + 1)]
    steps = (max(abs(b[0] - a[0]) / pitch[0], abs(b[1] - a[1]) / pitch[1]) for a, b in pairwise(points))
    return list(accumulate(steps, initial=0.0))
