"""Draw lanes as one SVG: one lane a thread, time from left to right.

A bar is tinted over its whole length and filled from below for the share of its time that its thread was on a core:
full is running, empty is waiting. Below its bars a lane has the named locks that it held. The interface's lane shows
its heartbeat, and a box wherever it froze.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from string import ascii_uppercase
from typing import Final, NamedTuple

from helpers.observe.reading import Lane
from helpers.panels.bars import SEVERAL, Bar, bars
from helpers.panels.markup import safe, short
from helpers.panels.scale import Scale
from helpers.panels.strips import STRIP, Strip, drawn_strips, strips
from helpers.panels.theme import COLOURS
from helpers.panels.words import freezes, running_share, seconds

WIDTH: Final = 800  # pixels that a picture is thought to be wide; it stretches to what it has
ROWS: Final = 3  # nested spans drawn below each other
HEIGHT: Final = 20
COLUMNS: Final = 500  # in all lanes together, as a first try
MOST_BARS: Final = 800  # in the whole picture; about 230 bytes each, and as much again in a stored image
FEWEST_COLUMNS: Final = 60
MOST_MARKS: Final = 200  # in the whole picture, but always a few in each lane
NEWEST: Final = 50  # spans of a lane among which an open one is looked for


class Drawing(NamedTuple):
    """A picture: an SVG that stretches to the width it is given, and its legend as HTML."""

    svg: str
    legend: str
    height: int
    """Of the SVG, in pixels."""


def drawing(lanes: Sequence[Lane]) -> Drawing:
    """Draw `lanes`, from the first moment of any to the last."""
    if not lanes:
        return Drawing("<svg></svg>", "<p>Nothing has been recorded yet.</p>", 0)
    zero, end = _extent(lanes)
    scale = Scale(zero, end)
    drawn = _merged(lanes, zero, end)
    names = list(dict.fromkeys(bar.name for bar in chain.from_iterable(lane_bars for lane_bars, _ in drawn)))
    styles = {name: _NameStyle(name, place) for place, name in enumerate(names)}
    parts: list[str] = []
    top = 0
    marks = max(4, MOST_MARKS // len(lanes))
    for lane, (lane_bars, held) in zip(lanes, drawn, strict=True):
        rows = 1 + max((bar.depth for bar in lane_bars), default=0)
        parts += _lane_parts(lane, lane_bars, styles, scale, top)
        parts += drawn_strips(held, scale, top + 20 + rows * (HEIGHT + 2) + 2, WIDTH)
        parts += _marks(lane, scale, top + 20, marks)
        top += 20 + rows * (HEIGHT + 2) + 6 + len(held) * STRIP
    parts += scale.axis(top)
    name = f"Timeline of {len(lanes)} lanes over {seconds(end - zero)}"
    height = top + 20
    svg = f'<svg role="img" aria-label="{name}" height="{height}">{"".join(parts)}</svg>'
    return Drawing(svg, _legend(styles, lanes), height)


def _extent(lanes: Sequence[Lane]) -> tuple[int, int]:
    """The first and the last moment of the picture, in nanoseconds; an open span lasts until it was last seen."""
    zero = min(lane.opened for lane in lanes)
    last = [lane.opened for lane in lanes]
    for lane in lanes:
        last += [span.end or lane.ended or lane.seen for span in lane.spans if span.depth == 0]
        last += [hold.end or lane.ended or lane.seen for hold in [*lane.held[-1:], *lane.holding]]
        last += [note.at for note in lane.notes[-1:]] + lane.ticks[-1:]
    return zero, max(*last, zero + 1_000_000)


def _merged(lanes: Sequence[Lane], zero: int, end: int) -> list[tuple[list[Bar], list[Strip]]]:
    """Each lane's bars, and its strips: as fine as they can be drawn, unless they are too many in all."""
    pixel = (end - zero) / max(FEWEST_COLUMNS, min(WIDTH, COLUMNS // len(lanes)))
    while True:
        drawn = [
            (bars(lane.spans, lane.ended or end, pixel, ROWS), strips(lane, lane.ended or end, pixel))
            for lane in lanes
        ]
        # A strip's bar may have a padlock: it takes twice the room.
        many = sum(len(own) + 2 * sum(len(strip.bars) for strip in held) for own, held in drawn)
        if many <= MOST_BARS or pixel > end - zero:
            return drawn
        pixel *= 2


class _NameStyle:
    """How the bars of one name look."""

    def __init__(self, name: str, place: int) -> None:
        self.name = name
        self.colour = COLOURS[-1] if name == SEVERAL else COLOURS[place % len(COLOURS)]
        self.letter = ascii_uppercase[place % len(ascii_uppercase)]


def _lane_parts(
    lane: Lane, lane_bars: Sequence[Bar], styles: dict[str, _NameStyle], scale: Scale, top: int
) -> Iterator[str]:
    share = running_share(lane)
    about = "" if share is None else f"running {share:.0%} of its time"
    if lane.dropped:
        about = f"full: {lane.dropped} records dropped. {about}"
    yield f'<text x="0" y="{top + 13}">{short(lane.title)}<title>process {lane.pid}</title></text>'
    yield f'<text class="faint" x="100%" y="{top + 13}" text-anchor="end">{about}</text>'
    for bar in lane_bars:
        yield from _bar(bar, styles[bar.name], scale, top + 20 + bar.depth * (HEIGHT + 2))
    yield from _heartbeat(lane, scale, top + 20)


def _bar(bar: Bar, style: _NameStyle, scale: Scale, y: int) -> Iterator[str]:
    x, width = scale.x(bar.start), max(0.1, scale.x(bar.end) - scale.x(bar.start))
    share = bar.running
    place = f'x="{x:.2f}%" width="{width:.2f}%"'
    yield f'<g fill="{style.colour}"><title>{_hover(bar)}</title>'
    dashes = ' stroke-dasharray="4 3"' if share is None else ""
    yield f'<rect {place} y="{y}" height="{HEIGHT}" fill-opacity=".2" stroke="{style.colour}"{dashes}/>'
    if share:
        filled = max(1.0, share * HEIGHT)
        yield f'<rect {place} y="{y + HEIGHT - filled:.1f}" height="{filled:.1f}"/>'
    room = width * WIDTH / 100
    label = style.name if room > 8 * len(style.name) + 8 else style.letter if room > 14 else ""
    if label:
        yield f'<text class="in" x="{x + width / 2:.2f}%" y="{y + 14}" text-anchor="middle">{safe(label)}</text>'
    yield "</g>"


def _hover(bar: Bar) -> str:
    times = f", {bar.count} times," if bar.count > 1 else ""
    if bar.running is None:
        return f"{short(bar.name)}: {seconds(bar.end - bar.start)} so far, still open"
    return f"{short(bar.name)}{times} {seconds(bar.covered)}, on a core for {bar.running:.0%} of it"


def _heartbeat(lane: Lane, scale: Scale, y: int) -> Iterator[str]:
    """The interface's ticks, one line a drawn pixel at most, and a box for each freeze."""
    last = -1.0
    for tick in lane.ticks:
        x = scale.x(tick)
        if x - last >= 0.4:
            last = x
            yield f'<rect x="{x:.1f}%" y="{y + 4}" width="1.5" height="{HEIGHT - 8}" fill="{COLOURS[2]}"/>'
    for start, end in freezes(lane.ticks):
        x, width = scale.x(start), scale.x(end) - scale.x(start)
        words = f"frozen for {seconds(end - start)}"
        yield f'<rect x="{x:.2f}%" width="{width:.2f}%" y="{y}" height="{HEIGHT}" fill="none" stroke="{COLOURS[1]}"'
        yield f' stroke-width="2" stroke-dasharray="6 3"><title>{words}</title></rect>'
        if width * WIDTH / 100 > 8 * len(words):
            yield f'<text class="in" x="{x + width / 2:.2f}%" y="{y + 14}" text-anchor="middle">{words}</text>'


def _marks(lane: Lane, scale: Scale, y: int, most: int) -> Iterator[str]:
    """A small sign where words were said: a triangle, or a cross for an error. Of many, the first and the last."""
    notes = lane.notes if len(lane.notes) <= most else lane.notes[: most // 2] + lane.notes[-(most // 2) :]
    for note in notes:
        sign = "✕" if note.error else "▾"
        yield f'<text class="in" x="{scale.x(note.at):.2f}%" y="{y + 2}" text-anchor="middle">{sign}'
        yield f"<title>{short(note.text)}</title></text>"


def _legend(styles: dict[str, _NameStyle], lanes: Sequence[Lane]) -> str:
    entries = [
        f'<span style="color:{style.colour}">■</span> {style.letter} {short(style.name)}'
        for style in list(styles.values())[:12]
    ]
    if styles:
        entries.append("the fuller a bar, the more of its time it was running; an empty bar was waiting")
    if any(span.end is None for lane in lanes for span in lane.spans[-NEWEST:]):
        entries.append("a dashed bar was never closed: how much of it ran is not known")
    if any(lane.ticks for lane in lanes):
        entries.append(
            f'<span style="color:{COLOURS[2]}">❘</span> a heartbeat of the interface; a dashed box: it froze'
        )
    if any(lane.held or lane.holding for lane in lanes):
        entries.append("a round bar with a padlock: a named lock while it was held, if for 1 ms or more")
    if any(lane.notes for lane in lanes):
        entries.append("▾ words, ✕ an error")
    items = "".join(f"<li>{entry}</li>" for entry in entries)
    return f"<ul>{items}</ul>"
