"""What charts share: they are seen everywhere, take only numbers that can be drawn, and write them for people."""

from collections.abc import Iterable
from math import floor, isfinite, log10

from helpers.panels.markup import passage, safe
from helpers.panels.timeline import framed, stored_image


def framed_chart(svg: str, *, width: int, height: int, name: str, words: str) -> str:
    """A chart as an HTML figure, which never grows wider than `width`: live, stored and in words.

    Args:
        svg: what is drawn, without the `<svg>` around it.
        width: of the drawing, in pixels.
        height: likewise.
        name: what a screen reader says of it.
        words: the same as the picture in plain text, for those who cannot see it.
    """
    drawn = (
        f'<svg role="img" aria-label="{passage(name)}" viewBox="0 0 {width} {height}" '
        f'style="max-width:{width}px">{svg}</svg>'
    )
    live = f'<div class="pc-live" style="display:none">{drawn}</div>'
    twin = f"<details><summary>The picture in words</summary><pre>{safe(words)}</pre></details>"
    return framed(f"{stored_image(drawn, width, height, passage(name))}{live}{twin}")


def checked(what: str, numbers: Iterable[float]) -> list[float]:
    """`numbers` as a list.

    Args:
        what: their name, for the error.
        numbers: none of them negative, infinite or nan.

    Raises:
        ValueError: one of them is: it has no place in a chart.
    """
    found = list(numbers)
    for number in found:
        if not (isfinite(number) and number >= 0):
            raise ValueError(f"{what} must be finite and 0 or more, got {number!r}: leave it out of the chart")
    return found


def written(number: float, unit: str = "") -> str:
    """A number for people, with its unit: `8 of 8`, `0.52 s`, `12,345`."""
    whole = number == round(number) or number >= 100
    return f"{number:,.0f} {unit}".strip() if whole else f"{number:.2g} {unit}".strip()


def round_steps(most: float, count: int) -> list[float]:
    """Round numbers, evenly apart, from 0 up to `most`, which is above 0; at most `count` of them after 0."""
    size = 10.0 ** (floor(log10(most)) - 1)
    step = next(n * size for n in (1, 2, 5, 10, 20, 50, 100) if most <= n * size * (count + 1e-9))
    return [n * step for n in range(int(most / step + 1e-9) + 1)]
