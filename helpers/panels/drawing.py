"""Draw lanes as one SVG: one lane a thread, time from left to right.

A bar is tinted over its whole length and filled from below for the share of its time that its thread was on a core:
full is running, empty is waiting. Below its bars a lane has the named locks that it held. The interface's lane shows
its heartbeat, and a box wherever it froze.
"""

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from string import ascii_uppercase
from typing import Final, NamedTuple

from helpers.observe.reading import Lane
from helpers.panels.bars import SEVERAL, Bar, bars
from helpers.panels.crowd import MANY, has_open_span, left_out, most_telling
from helpers.panels.heartbeat import heartbeat
from helpers.panels.markup import safe, short
from helpers.panels.scale import Scale
from helpers.panels.strips import MOST_ROWS, STRIP, Strip, drawn_strips, strips
from helpers.panels.theme import COLOURS, HEIGHT, WIDTH
from helpers.panels.words import running_share, seconds

ROWS: Final = 3  # nested spans drawn below each other
COLUMNS: Final = 500  # in all lanes together, as a first try
MOST_BARS: Final = 800  # in the whole picture; as much again in a stored image
BAR: Final = 230  # bytes, about, of a bar without its name
FEWEST_COLUMNS: Final = 60
MOST_MARKS: Final = 200  # in the whole picture, but always a few in each lane


class Drawing(NamedTuple):
    """A picture: an SVG that stretches to the width it is given, and its legend as HTML."""

    svg: str
    legend: str
    height: int
    """Of the SVG, in pixels."""


def drawing(lanes: Sequence[Lane]) -> Drawing:
    """Draw `lanes`, from the first moment of any to the last; of very many, the most telling."""
    if not lanes:
        return Drawing("<svg></svg>", "<p>Nothing has been recorded yet.</p>", 0)
    everybody, lanes = lanes, most_telling(lanes)
    zero, end = _extent(lanes)
    scale = Scale(zero, end)
    drawn = _merged(lanes, zero, end)
    names = list(dict.fromkeys(bar.name for bar in chain.from_iterable(lane_bars for lane_bars, _ in drawn)))
    styles = {name: _NameStyle(name, place) for place, name in enumerate(names)}
    parts: list[str] = []
    top = 0
    marks = max(4, MOST_MARKS // len(lanes))
    beating = max(1, sum(bool(lane.ticks) for lane in lanes))
    for lane, (lane_bars, held) in zip(lanes, drawn, strict=True):
        rows = 1 + max((bar.depth for bar in lane_bars), default=0)
        parts += _lane_parts(lane, lane_bars, styles, scale, top)
        parts += drawn_strips(held, scale, top + 20 + rows * (HEIGHT + 2) + 2, WIDTH)
        parts += heartbeat(lane, scale, top + 20, beating)
        parts += _marks(lane, scale, top + 20, marks)
        top += 20 + rows * (HEIGHT + 2) + 6 + len(held) * STRIP
    parts += scale.axis(top)
    of_all = f" of {len(everybody)}" if len(lanes) < len(everybody) else ""
    name = f"Timeline of {len(lanes)}{of_all} lanes over {seconds(end - zero)}"
    height = top + 20
    svg = f'<svg role="img" aria-label="{name}" height="{height}">{"".join(parts)}</svg>'
    return Drawing(svg, _legend(styles, lanes, left_out(everybody, lanes)), height)


def _extent(lanes: Sequence[Lane]) -> tuple[int, int]:
    """The first and the last moment of the picture, in nanoseconds; an open span lasts until it was last seen."""
    zero = min(lane.opened for lane in lanes)
    last = [lane.opened for lane in lanes]
    for lane in lanes:
        # Outermost spans of a thread come one after the other.
        outermost = (span for span in reversed(lane.spans) if span.depth == 0)
        last += [span.end or lane.ended or lane.seen for span in islice(outermost, 1)]
        last += [hold.end or lane.ended or lane.seen for hold in [*lane.held[-1:], *lane.holding]]
        last += [note.at for note in lane.notes[-1:]] + lane.ticks[-1:]
    return zero, max(*last, zero + 1_000_000)


def _merged(lanes: Sequence[Lane], zero: int, end: int) -> list[tuple[list[Bar], list[Strip]]]:
    """Each lane's bars, and its strips: as fine as they can be drawn, unless they are too many in all."""
    pixel = (end - zero) / max(FEWEST_COLUMNS, min(WIDTH, COLUMNS // len(lanes)))
    rows, locks = (ROWS, MOST_ROWS) if len(lanes) <= MANY else (1, 1)
    room = _Room()
    while True:
        drawn = [
            (bars(lane.spans, lane.ended or end, pixel, rows), strips(lane, lane.ended or end, pixel, locks))
            for lane in lanes
        ]
        # A strip's bar may have a padlock: it takes twice the room.
        many = sum(
            sum(room[bar.name] for bar in own) + 2 * sum(len(strip.bars) * room[strip.name] for strip in held)
            for own, held in drawn
        )
        if many <= MOST_BARS or pixel > end - zero:
            return drawn
        pixel *= 2


class _Room(dict[str, float]):
    """How many bars' room a bar of a name takes: the name may stand in it and above it."""

    def __missing__(self, name: str) -> float:
        room = self[name] = 1 + 2 * max(0, len(short(name)) - 12) / BAR
        return room


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


def _bar(bar: Bar, style: _NameStyle, scale: Scale, y: int) -> Iterator[str]:
    x, width = scale.x(bar.start), max(0.1, scale.x(bar.end) - scale.x(bar.start))
    share = bar.running
    place = f'x="{x:.2f}%" width="{width:.2f}%"'
    yield f'<g fill="{style.colour}"><title>{_hover(bar)}</title>'
    dashes = ' stroke-dasharray="4 3"' if share is None else ""
    yield f'<rect {place} y="{y}" height="{HEIGHT}" fill-opacity=".2" stroke="{style.colour}"{dashes}/>'
    if share:
        filled = max(1.0, share * HEIGHT)
        yield f'<rect {place} y="{_short(y + HEIGHT - filled)}" height="{_short(filled)}"/>'
    room = width * WIDTH / 100
    label = style.name if room > 8 * len(style.name) + 8 else style.letter if room > 14 else ""
    if label:
        yield f'<text class="in" x="{x + width / 2:.2f}%" y="{y + 14}" text-anchor="middle">{safe(label)}</text>'
    yield "</g>"


def _short(pixels: float) -> str:
    """To a tenth; a whole number without one, as a picture has hundreds of them, and is stored twice."""
    return f"{pixels:.1f}".removesuffix(".0")


def _hover(bar: Bar) -> str:
    times = f", {bar.count} times," if bar.count > 1 else ""
    if bar.running is None:
        return f"{short(bar.name)}: {seconds(bar.end - bar.start)} so far, still open"
    return f"{short(bar.name)}{times} {seconds(bar.covered)}, on a core for {bar.running:.0%} of it"


def _marks(lane: Lane, scale: Scale, y: int, most: int) -> Iterator[str]:
    """A small sign where words were said: a triangle, or a cross for an error. Of many, the first and the last."""
    notes = lane.notes if len(lane.notes) <= most else lane.notes[: most // 2] + lane.notes[-(most // 2) :]
    for note in notes:
        sign = "✕" if note.error else "▾"
        yield f'<text class="in" x="{scale.x(note.at):.2f}%" y="{y + 2}" text-anchor="middle">{sign}'
        yield f"<title>{short(note.text)}</title></text>"


def _legend(styles: dict[str, _NameStyle], lanes: Sequence[Lane], others: str) -> str:
    entries = [
        f'<span style="color:{style.colour}">■</span> {style.letter} {short(style.name)}'
        for style in list(styles.values())[:12]
    ]
    if styles:
        entries.append("the fuller a bar, the more of its time it was running; an empty bar was waiting")
    if any(map(has_open_span, lanes)):
        entries.append("a dashed bar was never closed: how much of it ran is not known")
    if any(lane.ticks for lane in lanes):
        entries.append(
            f'<span style="color:{COLOURS[2]}">❘</span> a heartbeat of the interface; a dashed box: it froze'
        )
    if any(lane.held or lane.holding for lane in lanes):
        entries.append("a round bar with a padlock: a named lock while it was held, if for 1 ms or more")
    if any(lane.notes for lane in lanes):
        entries.append("▾ words, ✕ an error")
    if len(lanes) > MANY:
        entries.append("of so many lanes, only the outermost spans are drawn")
    if others:
        entries.append(f"<strong>{others}</strong>")
    items = "".join(f"<li>{entry}</li>" for entry in entries)
    return f"<ul>{items}</ul>"
