"""The pictures' text twins: what a lane shows, said in words."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, TypeVar

from helpers.observe.reading import Lane
from helpers.panels.crowd import MANY, left_out, most_telling
from helpers.panels.markup import LONG, SHORT, cut

# The longest pause between two heartbeats that a person takes for an answer at once: Nielsen, "Usability
# Engineering" (1993), chapter 5, gives 0.1 s; a busy machine's own hiccups stay below this.
FREEZE: Final = 150_000_000
MOST_LINES: Final = 40  # of one kind, in a lane; of many lanes, a quarter of it
MOST_WORDS: Final = 12
MOST_TEXT: Final = 100_000  # characters in all; if there are more, every line gets its share of them
FEWEST: Final = 100  # characters of a line, even so

T = TypeVar("T")


def seconds(nanoseconds: float) -> str:
    """A duration for people: `2.0 s`, `35 ms`, `0.4 ms`."""
    if nanoseconds >= 1e9:
        return f"{nanoseconds / 1e9:.1f} s"
    return f"{nanoseconds / 1e6:.0f} ms" if nanoseconds >= 1e7 else f"{nanoseconds / 1e6:.1f} ms"


def freezes(ticks: Sequence[int]) -> list[tuple[int, int]]:
    """The pauses between `ticks` (nanoseconds, in order) that a person would notice, as (start, end)."""
    return [(a, b) for a, b in pairwise(ticks) if b - a > FREEZE]


def running_share(lane: Lane) -> float | None:
    """The share of its outermost spans' time that the lane's thread was on a core; None if none has ended."""
    total = used = 0
    for _, start, end, cpu, depth in lane.spans:
        if depth == 0 and end is not None:
            total += end - start
            used += cpu or 0
    return min(1.0, used / total) if total else None


def described(lanes: Sequence[Lane]) -> str:
    """All `lanes` in words, a paragraph each; times count from the first of them. Of very many, the most telling."""
    if not lanes:
        return "Nothing has been recorded yet."
    shown = most_telling(lanes)
    zero = min(lane.opened for lane in shown)
    most = MOST_LINES if len(shown) <= MANY else MOST_LINES // 4
    paragraphs = [list(_lane_lines(lane, zero, most)) for lane in shown]
    if len(shown) < len(lanes):
        paragraphs.append([left_out(lanes, shown)])
    return "\n\n".join("\n".join(lines) for lines in _within(MOST_TEXT, paragraphs))


def said(lanes: Sequence[Lane]) -> str:
    """All notes in the order they were said, a line each, or the first of them; empty if there is none."""
    notes = sorted((note.at, lane.title, note.text) for lane in lanes for note in lane.notes)
    zero = min((lane.opened for lane in lanes), default=0)
    lines = [f"{_at(at, zero)}  {cut(title, SHORT)}: {cut(text, LONG)}" for at, title, text in notes[:MOST_WORDS]]
    more = len(notes) - len(lines)
    return "\n".join([*lines, f"… and {more} more"] if more else lines)


def _within(most: int, paragraphs: list[list[str]]) -> list[list[str]]:
    """`paragraphs`, their longest lines cut if they have more than `most` characters in all."""
    count = sum(map(len, paragraphs))
    if sum(len(line) for lines in paragraphs for line in lines) <= most:
        return paragraphs
    return [[cut(line, max(FEWEST, most // count)) for line in lines] for lines in paragraphs]


def _lane_lines(lane: Lane, zero: int, most: int) -> Iterator[str]:
    yield f"{lane.title} (process {lane.pid})"
    yield from _span_lines(lane, zero, most)
    yield from _hold_lines(lane, zero, most)
    if lane.ticks:
        pauses = freezes(lane.ticks)
        yield from _cut([f"  frozen from {_at(a, zero)} for {seconds(b - a)}" for a, b in pauses], most)
        yield f"  {len(lane.ticks)} heartbeats, {len(pauses)} noticeable pauses"
    if lane.done:
        yield f"  {lane.done} items done" + (f" of {lane.expected}" if lane.expected else "")
    notes = _cut(lane.notes, most)
    yield from (
        n if isinstance(n, str) else f"  {_at(n.at, zero)} {'failed: ' if n.error else ''}{n.text}" for n in notes
    )
    if lane.dropped:
        yield f"  and {lane.dropped} records more than there was room for"


def _span_lines(lane: Lane, zero: int, most: int) -> list[str]:
    if len(lane.spans) > most:
        return _counted_lines(lane, zero, most)
    lines = []
    for span in lane.spans:
        indent = "  " * (span.depth + 1)
        if span.end is None:
            lines.append(f"{indent}{span.name} from {_at(span.start, zero)}, still open")
        else:
            length = span.end - span.start
            share = f", running {min(1.0, (span.cpu or 0) / length):.0%} of it" if length else ""
            lines.append(f"{indent}{span.name} from {_at(span.start, zero)} for {seconds(length)}{share}")
    return lines


def _counted_lines(lane: Lane, zero: int, most: int) -> list[str]:
    """Many spans: how often each name came up, how long in all, and what is still open."""
    sums: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    still_open = []
    for span in lane.spans:
        name, start, end, cpu, _ = span
        if end is None:
            still_open.append(f"  {name} from {_at(start, zero)}, still open")
        else:
            own = sums[name]
            own[0] += 1
            own[1] += end - start
            own[2] += cpu or 0
    lines = []
    for name, (times, length, used) in sorted(sums.items(), key=lambda named: -named[1][0])[:most]:
        share = f", running {min(1.0, used / length):.0%} of it" if length else ""
        lines.append(f"  {name}: {times} times, {seconds(length)} in all{share}")
    if len(sums) > most:
        lines.append(f"  … {len(sums) - most} more names …")
    return lines + _cut(still_open, most)


def _hold_lines(lane: Lane, zero: int, most: int) -> list[str]:
    """The named locks it held, one by one if they are few, else how often each; and those it holds now."""
    length: dict[str, list[int]] = {}
    lines = []
    for lock, start, end in sorted(lane.held, key=lambda hold: hold.start):
        if end is not None:
            length.setdefault(lock, []).append(end - start)
            lines.append(f"  holds {lock} from {_at(start, zero)} for {seconds(end - start)}")
    if len(lines) > most:
        lines = [f"  holds {lock} {len(own)} times, {seconds(sum(own))} in all" for lock, own in length.items()]
    held_still = [f"  holds {hold.lock} from {_at(hold.start, zero)}, still" for hold in lane.holding]
    return _cut(lines, most) + _cut(held_still, most)


def _at(moment: int, zero: int) -> str:
    return f"{max(0, moment - zero) / 1e9:.2f} s"


def _cut(lines: list[T], most: int) -> list[T | str]:
    """The first and the last of many."""
    half = most // 2
    if len(lines) <= most:
        return [*lines]
    return [*lines[:half], f"  … {len(lines) - 2 * half} more …", *lines[-half:]]
