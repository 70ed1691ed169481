"""A chart of a few lines over the same axis: each has a colour, dashes and marks of its own, told in a legend."""

from collections.abc import Iterator, Mapping
from typing import Final

from helpers.panels.charts import checked, framed_chart, round_steps, written
from helpers.panels.markup import plain, short
from helpers.panels.theme import COLOURS, LINE

WIDTH: Final = 640  # pixels
HEIGHT: Final = 300
LEFT: Final = 44.0
RIGHT: Final = 620.0
BOTTOM: Final = 256.0
INSET: Final = 24.0  # from the ends of the axis to the first and the last point
LEGEND: Final = 20  # height of a line of it
LABEL: Final = 48.0  # room for a number on the axis
DASHES: Final = ("", "7 4", "2 4", "9 3 2 3", "12 5")
MARKS: Final = ("●", "■", "▲", "◆", "✚")


class LineChart:
    """Lines through points, over one axis.

    Args:
        lines: each line's name and its points, y by x, in any order; at most as many lines as there are colours.
        x: what the numbers from left to right are.
        y: what the numbers from below to above are.

    Raises:
        ValueError: there is no line or too many, a line has no point, or a number is negative or not finite.

    Its text is the same in every run, so that strict nbval compares it; the picture is not compared.
    """

    def __init__(self, lines: Mapping[str, Mapping[float, float]], *, x: str, y: str) -> None:
        if not 1 <= len(lines) <= len(COLOURS) or not all(lines.values()):
            raise ValueError(f"lines must be 1 to {len(COLOURS)}, each of at least one point, got {lines!r}")
        self._lines = {name: dict(sorted(points.items())) for name, points in lines.items()}
        numbers = [point for points in self._lines.values() for point in points.items()]
        self._places = sorted(set(checked("x", (place for place, _ in numbers))))
        self._most_y = max(checked("y", (value for _, value in numbers))) or 1.0
        self._x, self._y = x, y
        self._top = LEGEND * (len(lines) + 1.5)

    def __repr__(self) -> str:
        """The same in every run."""
        return "<LineChart>"

    @property
    def text(self) -> str:
        """The same in words, a line each."""
        return "\n".join(
            plain(f"{name}, {self._y} by {self._x}")
            + ": "
            + ", ".join(f"{written(x)}: {written(y)}" for x, y in points.items())
            for name, points in self._lines.items()
        )

    def _repr_html_(self) -> str:
        drawn = [*self._axes()]
        for place, (name, points) in enumerate(self._lines.items()):
            drawn += self._line(place, name, points)
        return framed_chart(
            "".join(drawn),
            width=WIDTH,
            height=HEIGHT,
            name=f"Line chart of {self._y} by {self._x}: {', '.join(self._lines)}",
            words=self.text,
        )

    def _at(self, x: float, y: float) -> tuple[float, float]:
        first, last = self._places[0], self._places[-1]
        across = LEFT + INSET + (RIGHT - LEFT - 2 * INSET) * ((x - first) / (last - first) if last > first else 0.5)
        return across, BOTTOM - (BOTTOM - self._top) * y / self._most_y

    def _axes(self) -> Iterator[str]:
        free = 0.0
        for x in self._places:
            place, _ = self._at(x, 0)
            if place >= free:
                free = place + LABEL
                at = f'x="{place:.1f}" y="{BOTTOM + 16}" text-anchor="middle"'
                yield f'<text class="faint" {at}>{written(x)}</text>'
        for y in round_steps(self._most_y, 6):
            _, place = self._at(self._places[0], y)
            yield f'<line x1="{LEFT}" x2="{RIGHT}" y1="{place:.1f}" y2="{place:.1f}" stroke="{LINE}"/>'
            yield f'<text class="faint" x="{LEFT - 8}" y="{place + 4:.1f}" text-anchor="end">{written(y)}</text>'
        yield f'<text x="{RIGHT}" y="{BOTTOM + 36}" text-anchor="end">{short(self._x)}</text>'
        yield f'<text x="0" y="{self._top - 12}">{short(self._y)}</text>'

    def _line(self, place: int, name: str, points: Mapping[float, float]) -> Iterator[str]:
        colour, mark = COLOURS[place], MARKS[place]
        corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in (self._at(*point) for point in points.items()))
        stroke = f'fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{DASHES[place]}"'
        y = LEGEND * (place + 0.8)
        yield f'<polyline points="{corners}" {stroke}/>'
        yield f'<line x1="{LEFT}" x2="{LEFT + 36}" y1="{y - 4}" y2="{y - 4}" {stroke}/>'
        yield f'<text x="{LEFT + 46}" y="{y}">{short(name)}</text>'
        yield _sign(mark, colour, LEFT + 18, y - 4, "")
        for number, value in points.items():
            yield _sign(mark, colour, *self._at(number, value), f"{short(name)}, {written(number)}: {written(value)}")


def _sign(mark: str, colour: str, x: float, y: float, hover: str) -> str:
    place = f'x="{x:.1f}" y="{y + 4:.1f}" text-anchor="middle"'
    title = f"<title>{hover}</title>" if hover else ""
    return f'<text {place} style="fill: {colour}" class="in">{mark}{title}</text>'
