"""A table of numbers to be seen at a glance: each cell has its number, a tint as strong and a bar as long."""

from collections.abc import Iterator, Mapping
from typing import Final

from helpers.panels.charts import checked, framed_chart, written
from helpers.panels.markup import cut, passage, plain, safe
from helpers.panels.theme import COLOURS

WIDTH: Final = 640  # pixels
HEAD: Final = 24
ROW: Final = 44
LETTER: Final = 6.6  # pixels that a letter takes, on the wide side
LONGEST: Final = 30  # letters of a row's name that are drawn; the words below have all of it
GAP: Final = 6
BAR: Final = 6
TINTS: Final = (0.05, 0.35)  # of the smallest number, 0, and of the largest: text stays readable on both


class HeatTable:
    """A table with a number in each cell; the larger the number, the stronger its tint and the longer its bar.

    Args:
        rows: each row's name and its numbers by the names of their columns, the same in every row.
        unit: written after each number.

    Raises:
        ValueError: there is no number, a row has other columns than the first, or a number is negative or not finite.

    Its text is the same in every run, so that strict nbval compares it; the picture is not compared.
    """

    def __init__(self, rows: Mapping[str, Mapping[str, float]], *, unit: str = "") -> None:
        self._rows = {name: dict(row) for name, row in rows.items()}
        self._columns = list(next(iter(self._rows.values()), ()))
        if not self._columns:
            raise ValueError("rows must hold at least one number, got none")
        for name, row in self._rows.items():
            if list(row) != self._columns:
                raise ValueError(f"each row must have the columns {self._columns}, got {list(row)} in {name!r}")
        self._most = max(checked("rows", (number for row in self._rows.values() for number in row.values())))
        self._unit = unit

    def __repr__(self) -> str:
        """The same in every run."""
        return "<HeatTable>"

    @property
    def text(self) -> str:
        """The same in words, a line a row."""
        return "\n".join(
            f"{plain(name)}: "
            + ", ".join(plain(f"{column} {written(number, self._unit)}") for column, number in row.items())
            for name, row in self._rows.items()
        )

    def _repr_html_(self) -> str:
        return framed_chart(
            "".join(self._drawn()),
            width=WIDTH,
            height=HEAD + ROW * len(self._rows),
            name=f"Table of {len(self._rows)} rows and {len(self._columns)} columns",
            words=self.text,
        )

    def _drawn(self) -> Iterator[str]:
        left = GAP + LETTER * max(len(cut(name, LONGEST)) for name in self._rows)
        wide = (WIDTH - left) / len(self._columns)
        for place, column in enumerate(self._columns):
            middle = left + (place + 0.5) * wide
            shown = safe(cut(column, int(wide / LETTER)))
            yield f'<text x="{middle:.1f}" y="{HEAD - 8}" text-anchor="middle">{shown}</text>'
        for number, (name, row) in enumerate(self._rows.items()):
            y = HEAD + number * ROW
            shown = safe(cut(name, LONGEST))
            yield f'<text x="{left - GAP:.1f}" y="{y + ROW / 2 + 2}" text-anchor="end">{shown}</text>'
            for place, (column, value) in enumerate(row.items()):
                yield from self._cell(value, f"{name}, {column}", left + place * wide, y, wide)

    def _cell(self, value: float, where: str, x: float, y: float, wide: float) -> Iterator[str]:
        share = value / self._most if self._most else 0.0
        tint = TINTS[0] + (TINTS[1] - TINTS[0]) * share
        words, inner, high = written(value, self._unit), wide - GAP, ROW - GAP
        yield f'<g fill="{COLOURS[0]}"><title>{passage(f"{where}: {words}")}</title>'
        yield f'<rect x="{x:.1f}" y="{y}" width="{inner:.1f}" height="{high}" fill-opacity="{tint:.2f}"/>'
        yield f'<rect x="{x:.1f}" y="{y + high - BAR}" width="{inner * share:.1f}" height="{BAR}"/>'
        shown = safe(cut(words, int(inner / LETTER)))
        yield f'<text x="{x + inner / 2:.1f}" y="{y + 21}" text-anchor="middle">{shown}</text></g>'
