"""Draw what `benchmarks/peers.py` has measured, for the README: twice, as GitHub gives a picture no colours."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.behind import CHUNKS, Lag
from benchmarks.runs import Line
from helpers.panels.markup import safe
from helpers.panels.theme import COLOURS

FOLDER: Final = Path(__file__).parents[1] / ".github"
INKS: Final = {"peers.svg": ("#1f2328", "#ffffff"), "peers-dark.svg": ("#f0f6fc", "#0d1117")}
WIDTH: Final = 820
LEFT: Final = 330
ROW: Final = 22
LONGEST: Final = WIDTH - LEFT - 70

Bars = Sequence[tuple[str, float]]


def save(lines: Sequence[Line], behind: Sequence[tuple[str, int, list[Lag]]]) -> None:
    """Write both pictures."""
    parts = [
        *(
            (f"{job}: time, the bare pool with workers alike is 1", _times(lines, job), "")
            for job in dict.fromkeys(line.job for line in lines)
        ),
        (f"How far the bar was behind, at most, in chunks of {CHUNKS[-1]}", _lags(behind), " s"),
    ]
    for name, (ink, paper) in INKS.items():
        (FOLDER / name).write_text(drawn(parts, ink, paper), encoding="utf-8")


def drawn(parts: Sequence[tuple[str, Bars, str]], ink: str, paper: str) -> str:
    """One picture: for each part its title, its bars and their unit."""
    body: list[str] = []
    y = 10
    for title, bars, unit in parts:
        body += _part(title, bars, unit, y)
        y += ROW * (len(bars) + 1) + 16
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" viewBox="0 0 {WIDTH} {y}" role="img" '
        f'aria-label="{safe("; ".join(title for title, _, _ in parts))}">'
        f"<style>text{{font:13px sans-serif;fill:{ink}}}.t{{font-weight:600}}.o{{font-weight:700}}</style>"
        f'<rect width="100%" height="100%" fill="{paper}"/>{"".join(body)}</svg>\n'
    )


def _part(title: str, bars: Bars, unit: str, y: int) -> Iterator[str]:
    yield f'<text class="t" x="10" y="{y + 15}">{safe(title)}</text>'
    most = max(value for _, value in bars) or 1
    for place, (name, value) in enumerate(bars, 1):
        top = y + place * ROW
        mine = name.startswith("ours")
        wide = LONGEST * value / most
        kind = ' class="o"' if mine else ""
        yield f'<text{kind} x="{LEFT - 8}" y="{top + 15}" text-anchor="end">{safe(name)}</text>'
        colour = COLOURS[0] if mine else COLOURS[4]
        yield f'<rect x="{LEFT}" y="{top + 3}" width="{wide:.1f}" height="{ROW - 7}" fill="{colour}"/>'
        yield f'<text{kind} x="{LEFT + wide + 6:.1f}" y="{top + 15}">{value:.2f}{unit}</text>'


def _times(lines: Sequence[Line], job: str) -> Bars:
    """Each run at its quicker size of chunks, quickest first, the bare pools left out."""
    best: dict[str, float] = {}
    for line in lines:
        if line.job == job and line.name != line.base:
            best[line.name] = min(best.get(line.name, float("inf")), median(line.ratios))
    return sorted(((_plain(name), value) for name, value in best.items()), key=lambda bar: bar[1])


def _lags(behind: Sequence[tuple[str, int, list[Lag]]]) -> Bars:
    its = [
        (_plain(name), median(lag.most_seconds for lag in lags)) for name, size, lags in behind if size == CHUNKS[-1]
    ]
    return sorted(its, key=lambda bar: bar[1])


def _plain(name: str) -> str:
    return name.replace("`", "").replace("**", "").replace(", workers count", "")
