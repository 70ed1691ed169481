"""Give each thing of a graph its place: a circle becomes a ring, and what is not in it stands beside it.

A part without a circle reads from left to right: a worker, the lock it waits for, that lock's holder.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import copysign
from statistics import fmean
from typing import Final

from helpers.panels.graph_parts import Part, Thing
from helpers.panels.ring import Box, Ellipse, ring

WIDEST: Final = 780.0  # pixels of a part before its columns move closer together
COLUMN: Final = 98.0  # pixels between columns: an arrow and its words
CLOSE: Final = 34.0  # an arrow alone
ROW: Final = 18.0  # between the things in a column
OUTWARDS: Final = 46.0  # that things beside a ring would like to stand further from its middle line
MIDDLE: Final = 160.0  # the width of the words in a ring's middle
LABELLED: Final = 6  # things in the longest ring whose arrows have words

Size = Callable[[Thing], tuple[float, float]]
"""How wide and how high a thing is drawn, in pixels."""


@dataclass
class Layout:
    """The places of one part's things, in pixels around a middle of its own.

    Attributes:
        part: what is laid out.
        boxes: each thing's place.
        ellipse: what the circle lies on; None if there is no circle.
        angles: where on it each thing of the circle stands, in radians, in the circle's order.
        labelled: whether there is room for words at the arrows.
    """

    part: Part
    boxes: dict[Thing, Box] = field(default_factory=dict)
    ellipse: Ellipse | None = None
    angles: dict[Thing, float] = field(default_factory=dict)
    labelled: bool = True

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of all boxes, and of the ring and its words."""
        boxes = list(self.boxes.values())
        if self.ellipse is not None:
            boxes.append(Box(0, 0, 2 * self.ellipse.across + 60, 2 * self.ellipse.down + 44))
        return (
            min(box.x - box.width / 2 for box in boxes),
            min(box.y - box.height / 2 for box in boxes),
            max(box.x + box.width / 2 for box in boxes),
            max(box.y + box.height / 2 for box in boxes),
        )


def laid_out(part: Part, size: Size) -> Layout:
    """Find places for all things of `part`; its columns move together if they are many."""
    layout = _laid_out(part, size, labelled=len(part.circle) <= LABELLED)
    left, _, right, _ = layout.extent
    return layout if right - left <= WIDEST else _laid_out(part, size, labelled=False)


def _laid_out(part: Part, size: Size, *, labelled: bool) -> Layout:
    layout = Layout(part, labelled=labelled)
    if part.circle:
        _place_ring(layout, size)
        sides = {thing: -1 if box.x < -1 else 1 for thing, box in layout.boxes.items()}
    else:
        _place_column(layout, dict.fromkeys(part.ends, 0.0), 0.0, size)
        sides = dict.fromkeys(part.ends, -1)
    _place_outwards(layout, sides, size, COLUMN if labelled else CLOSE)
    return layout


def _place_ring(layout: Layout, size: Size) -> None:
    circle = layout.part.circle
    sizes = [size(thing) for thing in circle]
    layout.ellipse, angles = ring(len(circle), max(w for w, _ in sizes), max(h for _, h in sizes), MIDDLE)
    for thing, angle in zip(circle, angles, strict=True):
        layout.angles[thing] = angle
        layout.boxes[thing] = Box(*layout.ellipse.at(angle), *size(thing))


def _place_outwards(layout: Layout, sides: dict[Thing, int], size: Size, gap: float) -> None:
    """Place the others in columns, each on its side's next, at the height of what it has an arrow to or from."""
    left, _, right, _ = layout.extent
    edges = {-1: left, 1: right}
    while len(layout.boxes) < len(layout.part.things):
        heights: dict[int, dict[Thing, list[float]]] = {-1: {}, 1: {}}
        for thing in layout.boxes:
            for other in layout.part.neighbours[thing]:
                if other not in layout.boxes and other not in heights[-sides[thing]]:
                    heights[sides[thing]].setdefault(other, []).append(_outwards(thing, layout))
        for side, column in heights.items():
            wanted = {thing: fmean(own) for thing, own in column.items()}
            width = max((size(thing)[0] for thing in wanted), default=-gap)
            _place_column(layout, wanted, edges[side] + side * (gap + width / 2), size)
            edges[side] += side * (gap + width)
            sides |= dict.fromkeys(wanted, side)


def _place_column(layout: Layout, wanted: Mapping[Thing, float], x: float, size: Size) -> None:
    """Place things below each other, as near as can be to the height that each would like to have."""
    heights: dict[Thing, float] = {}
    bottom = float("-inf")
    for thing in sorted(wanted, key=lambda thing: (wanted[thing], thing)):
        half = size(thing)[1] / 2
        heights[thing] = max(wanted[thing], bottom + ROW + half)
        bottom = heights[thing] + half
    up = sum(heights[thing] - wanted[thing] for thing in wanted) / max(1, len(wanted))
    for thing, y in heights.items():
        layout.boxes[thing] = Box(x, y - up, *size(thing))


def _outwards(thing: Thing, layout: Layout) -> float:
    """The height at which a thing beside `thing` would like to stand: clear of the arrows of a ring."""
    y = layout.boxes[thing].y
    return y + copysign(OUTWARDS, y) if thing in layout.angles and abs(y) > 1 else y
