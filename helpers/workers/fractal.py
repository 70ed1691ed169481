"""Draw a fractal tile by tile: a worker computes one small square of a view, unless a newer view makes it useless.

    tiles()  ──► draw_tile(trace, view, tile, number) ──► points, a byte each, row by row
                          ▲ before each row: is this still the newest view?
    follow(newest) ───────┘ once a worker, when its pool starts it

The picture is Mandelbrot's set: a point c is in it if z*z + c, begun at z = 0, stays within a distance of 2 for ever.
Only sums and products of floats are used, each rounded as IEEE 754 has it, so every machine draws the same bytes.
"""

from contextlib import nullcontext
from math import floor, log10
from typing import Final, NamedTuple, Protocol, Self

from helpers.observe.lifeline import end_with_parent
from helpers.observe.trace import Trace

WIDTH: Final = 480
"""Of the picture, in pixels."""
HEIGHT: Final = 320
PASSES: Final = ((160, 8), (40, 1))
"""How the picture is cut up: each tile's side, and its distance from one computed pixel to the next; coarse first."""
INSIDE: Final = 1
"""The byte of a point that stays for ever, as far as was tried; 0 is left for what is not drawn yet."""
COLOURS: Final = 254
"""How many bytes there are for points that leave: 2 at once, 3 a step later, and around again."""
NARROWEST: Final = 1e-12
"""The width at which neighbouring pixels become the same float."""


class View(NamedTuple):
    """What part of the plane the picture shows, and how patiently each point is tried."""

    x: float = -0.65
    """The middle of the picture."""
    y: float = 0.0
    width: float = 3.6
    """From the picture's left edge to its right edge."""
    iterations: int = 200
    """Steps after which a point counts as staying for ever."""

    def moved(self, right: float, down: float) -> Self:
        """The view beside this one: `right` and `down` are shares of the picture's width and height."""
        height = self.width * HEIGHT / WIDTH
        return self._replace(x=self.x + right * self.width, y=self.y + down * height)

    def zoomed(self, factor: float) -> Self:
        """The same middle, shown `factor` times as wide; 0.5 doubles what is seen of it."""
        return self._replace(width=max(NARROWEST, self.width * factor))

    def tried(self, iterations: int) -> Self:
        """The same part, with other patience."""
        return self._replace(iterations=iterations)

    def in_words(self) -> str:
        """Where it is, to a hundredth of the picture: "x = -0.65, y = 0.00, 3.60 wide"."""
        digits = 2 - floor(log10(min(1, self.width)))
        return f"x = {self.x:.{digits}f}, y = {self.y:.{digits}f}, {self.width:.{digits}f} wide"


class Tile(NamedTuple):
    """A square of the picture, in pixels."""

    left: int
    top: int
    size: int
    step: int
    """From one computed pixel to the next: 1 is fine, 8 is coarse and 64 times as quick."""


class Number(Protocol):
    """A number that is shared, such as a `RawValue` of multiprocessing."""

    @property
    def value(self) -> int:
        """What it is now."""
        ...


_newest: Number | None = None


def tiles() -> list[Tile]:
    """All tiles of a picture: first few that are coarse, then many that are fine; each from the top left on."""
    return [
        Tile(left, top, size, step)
        for size, step in PASSES
        for top in range(0, HEIGHT, size)
        for left in range(0, WIDTH, size)
    ]


def follow(newest: Number) -> None:
    """Have this worker know the number of the newest view: the initializer of a pool.

    Args:
        newest: shared with the one who counts the views. Tiles of other views are then not worth drawing.
    """
    global _newest  # noqa: PLW0603 (a worker serves one pool)
    end_with_parent()
    _newest = newest


def draw_tile(trace: Trace | None, view: View, tile: Tile, number: int | None = None) -> bytes | None:
    """Compute the points of one tile.

    Args:
        trace: gets a span for it, named "coarse" or "fine"; None to record nothing.
        view: what the whole picture shows.
        tile: the square of it.
        number: the view's number; without one it is never out of date.

    Returns:
        A byte for each computed point, row by row; None if the view was out of date before the last row.

    Raises:
        ValueError: there are no iterations, or the tile's size is no multiple of its step.
    """
    end_with_parent()
    if view.iterations < 1:
        raise ValueError(f"iterations must be at least 1, got {view.iterations!r}")
    if tile.size % tile.step:
        raise ValueError(f"a tile's size must be a multiple of its step, got {tile.size} and {tile.step}")
    with trace.span("fine" if tile.step == 1 else "coarse") if trace else nullcontext():
        return _rows(view, tile, number)


def _rows(view: View, tile: Tile, number: int | None) -> bytes | None:
    pixel = view.width / WIDTH
    half = (tile.step - 1) / 2  # a coarse point stands for the pixels around it
    left = view.x + (tile.left + half - WIDTH / 2) * pixel
    rows = []
    for down in range(tile.top, tile.top + tile.size, tile.step):
        if number is not None and _newest is not None and _newest.value != number:
            return None
        y = view.y + (down + half - HEIGHT / 2) * pixel
        rows.append(_row(left, y, tile.step * pixel, tile.size // tile.step, view.iterations))
    return b"".join(rows)


def _row(left: float, cy: float, apart: float, count: int, iterations: int) -> bytes:
    """The bytes of `count` points in a row, `apart` from each other."""
    row = bytearray([INSIDE]) * count
    tries = range(iterations)
    for place in range(count):
        cx = left + place * apart
        x = y = xx = yy = 0.0
        for done in tries:
            y = (x + x) * y + cy
            x = xx - yy + cx
            xx, yy = x * x, y * y
            if xx + yy > 4.0:
                row[place] = 2 + done % COLOURS
                break
    return bytes(row)
