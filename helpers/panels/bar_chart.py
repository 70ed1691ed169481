"""A chart of one number for each of a few things: horizontal bars, with their names and numbers written out."""

from collections.abc import Iterator, Mapping
from typing import Final

from helpers.panels.charts import checked, framed_chart, written
from helpers.panels.markup import cut, passage, plain, safe
from helpers.panels.theme import COLOURS, LINE

WIDTH: Final = 640  # pixels
ROW: Final = 26
BAR: Final = 16
LETTER: Final = 6.6  # pixels that a letter of the labels takes, on the wide side
LONGEST: Final = 38  # letters of a name, and of a number with its unit, that are drawn: so a bar has 100 pixels
GAP: Final = 8


class BarChart:
    """Horizontal bars, one a row, each with its name, its number and the unit.

    Args:
        values: the bars' lengths by their names, drawn in this order.
        most: what a bar over the whole width stands for, shown as a track behind each; without it the largest
            value does, and there is no track.
        unit: written after each number.

    Raises:
        ValueError: there is no value, one is negative or not finite, or `most` is smaller than one of them.

    Its text is the same in every run, so that strict nbval compares it; the picture is not compared.
    """

    def __init__(self, values: Mapping[str, float], *, most: float | None = None, unit: str = "") -> None:
        numbers = checked("values", values.values())
        if not numbers:
            raise ValueError("values must hold at least one bar, got none")
        if most is not None and max(numbers) > min(checked("most", [most])):
            raise ValueError(f"most must be at least the largest value, {max(numbers):g}, got {most!r}")
        self._values = dict(zip(values, numbers, strict=True))
        self._track = most is not None
        self._most = max(numbers) if most is None else most
        self._unit = unit

    def __repr__(self) -> str:
        """The same in every run."""
        return "<BarChart>"

    @property
    def text(self) -> str:
        """The same in words, a line a bar."""
        return "\n".join(plain(f"{name}: {written(value, self._unit)}") for name, value in self._values.items())

    def _repr_html_(self) -> str:
        return framed_chart(
            "".join(self._drawn()),
            width=WIDTH,
            height=ROW * len(self._values) + GAP,
            name="Bar chart: " + self.text.replace("\n", "; "),
            words=self.text,
        )

    def _drawn(self) -> Iterator[str]:
        said = [cut(written(value, self._unit), LONGEST) for value in self._values.values()]
        left = GAP + LETTER * max(len(cut(name, LONGEST)) for name in self._values)
        length = WIDTH - left - LETTER * max(map(len, said)) - 2 * GAP
        for row, ((name, value), words) in enumerate(zip(self._values.items(), said, strict=True)):
            y = GAP / 2 + row * ROW
            yield f"<g><title>{passage(f'{name}: {written(value, self._unit)}')}</title>"
            yield f'<text x="{left - GAP:.1f}" y="{y + 17}" text-anchor="end">{safe(cut(name, LONGEST))}</text>'
            yield from self._bar(value, words, left, y + (ROW - BAR) / 2, length)
            yield "</g>"
        bottom = GAP + ROW * len(self._values)
        yield f'<line x1="{left:.1f}" x2="{left:.1f}" y1="0" y2="{bottom}" stroke="{LINE}"/>'

    def _bar(self, value: float, words: str, left: float, y: float, length: float) -> Iterator[str]:
        wide = length * value / self._most if self._most else 0.0
        place = f'x="{left:.1f}" y="{y}" height="{BAR}"'
        if self._track:
            yield f'<rect {place} width="{length:.1f}" fill="{COLOURS[-1]}" fill-opacity=".18"/>'
        yield f'<rect {place} width="{wide:.1f}" fill="{COLOURS[0]}"/>'
        end = left + (length if self._track else wide)
        yield f'<text x="{end + GAP:.1f}" y="{y + 12}">{safe(words)}</text>'
