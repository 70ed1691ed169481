"""The named locks that a lane held, as strips below its bars: a row a lock, rounded, with a padlock.

A hold that goes on is dashed. Narrow holds are merged as narrow spans are, and of many locks the last share a row.
"""

from collections.abc import Iterator, Sequence
from html import unescape
from typing import Final, NamedTuple

from helpers.observe.reading import Held, Lane, Span
from helpers.panels.bars import Bar, bars
from helpers.panels.markup import short
from helpers.panels.scale import Scale
from helpers.panels.theme import INK, PAPER
from helpers.panels.words import seconds

MOST_ROWS: Final = 4
STRIP: Final = 14  # pixels a row, the space above it among them
THICK: Final = 11
PADLOCK: Final = "M2 4.5V3a2.5 2.5 0 0 1 5 0v1.5h1V10H1V4.5zM3.2 4.5h2.6V3a1.3 1.3 0 0 0-2.6 0z"


class Strip(NamedTuple):
    """One row: when a lock was held, or any of several locks."""

    name: str
    bars: list[Bar]


def strips(lane: Lane, now: int, pixel: float, most: int = MOST_ROWS) -> list[Strip]:
    """The rows of `lane`, in the order its locks were first held.

    Args:
        lane: whose.
        now: where a hold that goes on ends for now, in nanoseconds.
        pixel: nanoseconds that one pixel stands for.
        most: rows; at least 1.
    """
    holds = sorted([*lane.held, *lane.holding], key=lambda hold: hold.start)
    locks = list(dict.fromkeys(hold.lock for hold in holds))
    rows = [[lock] for lock in locks]
    if len(locks) > most:
        rows = [*rows[: most - 1], locks[most - 1 :]]
    several = "more locks" if most > 1 else "locks"
    return [
        Strip(row[0] if len(row) == 1 else f"{len(row)} {several}", _merged(holds, set(row), now, pixel))
        for row in rows
    ]


def drawn_strips(rows: Sequence[Strip], scale: Scale, top: int, width: int) -> Iterator[str]:
    """The rows as SVG, from `top` pixels down, on a picture thought to be `width` pixels wide."""
    if rows:
        yield f'<g fill="{INK}" stroke="{INK}" stroke-width=".8">'
        for place, row in enumerate(rows):
            yield from _drawn(row, scale, top + place * STRIP, width)
        yield "</g>"


def _merged(holds: Sequence[Held], locks: set[str], now: int, pixel: float) -> list[Bar]:
    """Bars of the holds of `locks`; where holds overlap, of the time that any was held."""
    spans: list[Span] = []
    for lock, start, end in holds:
        if lock in locks:
            begin = max(start, spans[-1].end or now) if spans else start
            if end is None or end >= begin:
                spans.append(Span(lock, begin, end, None if end is None else 0, 0))
    return bars(spans, now, pixel, 1)


def _drawn(row: Strip, scale: Scale, y: int, width: int) -> Iterator[str]:
    words = f"holds {short(row.name)}"
    label = ""
    for bar in row.bars:
        x, wide = scale.x(bar.start), max(0.2, scale.x(bar.end) - scale.x(bar.start))
        dashes = ' stroke-dasharray="4 3"' if bar.cpu is None else ""
        yield f'<rect x="{x:.2f}%" y="{y}" width="{wide:.2f}%" height="{THICK}" rx="5" fill-opacity=".13"{dashes}>'
        yield f"<title>{_hover(bar, words)}</title></rect>"
        room = wide * width / 100
        if room > 18:
            yield f'<svg x="{x:.2f}%" y="{y}" stroke="none"><path d="{PADLOCK}" transform="translate(4)"/></svg>'
        if not label and room > _length(words) + 24:
            label = _label(words, x, y, 16, "start")
    yield label or _label_beside(words, scale.x(row.bars[0].start), scale.x(row.bars[-1].end), y)


def _hover(bar: Bar, words: str) -> str:
    times = f", {bar.count} times," if bar.count > 1 else ""
    so_far = " so far" if bar.cpu is None else ""
    return f"{words}{times} for {seconds(bar.covered)}{so_far}"


def _label_beside(words: str, start: float, end: float, y: int) -> str:
    """The label where there is room for it: after the last bar, before the first, or else upon it, on paper."""
    if end < 80:
        return _label(words, end, y, 6, "start")
    if start > 20:
        return _label(words, start, y, -6, "end")
    paper = f'<rect width="{_length(words) + 6}" height="{THICK}" fill="{PAPER}" fill-opacity=".8" stroke="none"/>'
    return f'<svg x="{start:.2f}%" y="{y}">{paper}</svg>{_label(words, start, y, 3, "start")}'


def _length(words: str) -> int:
    """Pixels that escaped words take, about: `&lt;` is one letter."""
    return 6 * len(unescape(words))


def _label(words: str, x: float, y: int, aside: int, anchor: str) -> str:
    place = f'x="{x:.2f}%" y="{y + 9}" dx="{aside}" text-anchor="{anchor}"'
    # In full ink: the faint one is too light upon a bar.
    return f'<text class="faint" style="fill: {INK}" {place} stroke="none">{words}</text>'
