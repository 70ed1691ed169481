"""Which of very many lanes are shown: a picture of hundreds could not be read, and would grow without bound.

First come heartbeats, then lanes with an error, then those with work that is still open, then those that began last.
All others are counted, and said to be left out.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Final

from helpers.observe.reading import Lane

MOST_LANES: Final = 64
MANY: Final = 24
"""More lanes than that are shown in less detail each: a row of spans, a row of locks, a few lines."""
NEWEST: Final = 50  # spans of a lane among which an open one is looked for


def most_telling(lanes: Sequence[Lane]) -> list[Lane]:
    """`lanes`, or the `MOST_LANES` of them that tell most, in their order."""
    if len(lanes) <= MOST_LANES:
        return list(lanes)
    places = sorted(range(len(lanes)), key=lambda place: (_rank(lanes[place]), -place))
    return [lanes[place] for place in sorted(places[:MOST_LANES])]


def left_out(lanes: Sequence[Lane], shown: Sequence[Lane]) -> str:
    """What those of `lanes` that are not among `shown` did, in a sentence; empty if there are none."""
    if len(shown) >= len(lanes):
        return ""
    seen = set(map(id, shown))
    others = [lane for lane in lanes if id(lane) not in seen]
    done, spans = sum(lane.done for lane in others), sum(len(lane.spans) for lane in others)
    failed = sum(note.error for lane in others for note in lane.notes)
    what = (
        [f"{done:,} items done"] * bool(done)
        + [f"{spans:,} spans"] * bool(spans)
        + [f"{failed:,} errors"] * bool(failed)
    )
    lanes_are = "lane is" if len(others) == 1 else "lanes are"
    return f"{len(others):,} more {lanes_are} not shown" + (f": {', '.join(what)}" if what else "")


def has_open_span(lane: Lane) -> bool:
    """Whether the work of `lane` is still open, as far as its newest spans tell."""
    return any(span.end is None for span in islice(reversed(lane.spans), NEWEST))


def _rank(lane: Lane) -> int:
    if lane.ticks:
        return 0
    if any(note.error for note in lane.notes):
        return 1
    return 2 if not lane.ended and (has_open_span(lane) or lane.waiting is not None) else 3
