"""What a run has used and held up: how long it lasted, on how many cores at once, and who could go on meanwhile."""

from helpers.observe.reading import Span
from helpers.observe.trace import Trace


def lasted(trace: Trace) -> float:
    """Seconds from the first beginning of a span to the last end of one; 0 if no span has ended."""
    spans = _ended(trace)
    return (max(span.end or 0 for span in spans) - min(span.start for span in spans)) / 1e9 if spans else 0.0


def cores_used(trace: Trace) -> float:
    """How many cores were at work on the spans of all lanes, on average while it lasted; 0 if no span has ended.

    A thread that waits, for its turn too, uses none. So this tells how far threads or processes really ran side by
    side, however much or little of the machine others left to them.
    """
    total = lasted(trace)
    return sum(span.cpu or 0 for span in _ended(trace)) / 1e9 / total if total else 0.0


def beats_during(trace: Trace, name: str, lane: str = "") -> int:
    """How many heartbeats, of all lanes together, fell into spans of this name.

    Args:
        trace: has a heartbeat in it, as `Pulse` records one.
        name: the spans'. One that has not ended counts for nothing.
        lane: a part of the title of the lanes whose spans count; "" takes those of all lanes.
    """
    lanes = trace.lanes()
    spans = [span for one in lanes if lane in one.title for span in one.spans if span.name == name]
    ticks = [tick for one in lanes for tick in one.ticks]
    return sum(any(span.start < tick < (span.end or 0) for span in spans) for tick in ticks)


def _ended(trace: Trace) -> list[Span]:
    """The spans that have ended and lie in no other."""
    spans = [span for lane in trace.lanes() for span in lane.spans]
    return [span for span in spans if span.depth == 0 and span.end is not None]
