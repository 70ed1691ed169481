"""The pictures' text twins: what a lane shows, said in words."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from helpers.observe.reading import Lane

# The longest pause between two heartbeats that a person takes for an answer at once: Nielsen, "Usability
# Engineering" (1993), chapter 5, gives 0.1 s; a busy machine's own hiccups stay below this.
FREEZE: Final = 150_000_000
MOST_LINES: Final = 40
MOST_WORDS: Final = 12


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
    ended = [s for s in lane.spans if s.depth == 0 and s.end is not None and s.cpu is not None]
    total = sum(s.end - s.start for s in ended if s.end is not None)
    return min(1.0, sum(s.cpu or 0 for s in ended) / total) if total else None


def described(lanes: Sequence[Lane]) -> str:
    """All `lanes` in words, a paragraph each; times count from the first of them."""
    if not lanes:
        return "Nothing has been recorded yet."
    zero = min(lane.opened for lane in lanes)
    return "\n\n".join("\n".join(_lane_lines(lane, zero)) for lane in lanes)


def said(lanes: Sequence[Lane]) -> str:
    """All notes in the order they were said, a line each, or the first of them; empty if there is none."""
    notes = sorted((note.at, lane.title, note.text) for lane in lanes for note in lane.notes)
    zero = min((lane.opened for lane in lanes), default=0)
    lines = [f"{_at(at, zero)}  {title}: {text}" for at, title, text in notes[:MOST_WORDS]]
    more = len(notes) - len(lines)
    return "\n".join([*lines, f"… and {more} more"] if more else lines)


def _lane_lines(lane: Lane, zero: int) -> list[str]:
    lines = [f"{lane.title} (process {lane.pid})"]
    lines += _span_lines(lane, zero)
    lines += _hold_lines(lane, zero)
    if lane.ticks:
        pauses = freezes(lane.ticks)
        lines += [f"  frozen from {_at(a, zero)} for {seconds(b - a)}" for a, b in pauses]
        lines.append(f"  {len(lane.ticks)} heartbeats, {len(pauses)} noticeable pauses")
    if lane.done:
        lines.append(f"  {lane.done} items done" + (f" of {lane.expected}" if lane.expected else ""))
    notes = [f"  {_at(n.at, zero)} {'failed: ' if n.error else ''}{n.text}" for n in lane.notes]
    lines += _cut(notes)
    if lane.dropped:
        lines.append(f"  and {lane.dropped} records more than there was room for")
    return lines


def _span_lines(lane: Lane, zero: int) -> list[str]:
    if len(lane.spans) > MOST_LINES:
        return _counted_lines(lane, zero)
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


def _counted_lines(lane: Lane, zero: int) -> list[str]:
    """Many spans: how often each name came up, how long in all, and what is still open."""
    count: Counter[str] = Counter()
    length: Counter[str] = Counter()
    cpu: Counter[str] = Counter()
    for span in lane.spans:
        if span.end is not None:
            count[span.name] += 1
            length[span.name] += span.end - span.start
            cpu[span.name] += span.cpu or 0
    lines = []
    for name, times in count.most_common(MOST_LINES):
        share = f", running {min(1.0, cpu[name] / length[name]):.0%} of it" if length[name] else ""
        lines.append(f"  {name}: {times} times, {seconds(length[name])} in all{share}")
    if len(count) > MOST_LINES:
        lines.append(f"  … {len(count) - MOST_LINES} more names …")
    return lines + [f"  {s.name} from {_at(s.start, zero)}, still open" for s in lane.spans if s.end is None]


def _hold_lines(lane: Lane, zero: int) -> list[str]:
    """The named locks it held, one by one if they are few, else how often each; and those it holds now."""
    length: dict[str, list[int]] = {}
    lines = []
    for lock, start, end in sorted(lane.held, key=lambda hold: hold.start):
        if end is not None:
            length.setdefault(lock, []).append(end - start)
            lines.append(f"  holds {lock} from {_at(start, zero)} for {seconds(end - start)}")
    if len(lines) > MOST_LINES:
        lines = [f"  holds {lock} {len(own)} times, {seconds(sum(own))} in all" for lock, own in length.items()]
    return _cut(lines) + [f"  holds {hold.lock} from {_at(hold.start, zero)}, still" for hold in lane.holding]


def _at(moment: int, zero: int) -> str:
    return f"{max(0, moment - zero) / 1e9:.2f} s"


def _cut(lines: list[str]) -> list[str]:
    half = MOST_LINES // 2
    if len(lines) <= MOST_LINES:
        return lines
    return [*lines[:half], f"  … {len(lines) - 2 * half} more …", *lines[-half:]]
