"""How much of the machine a run has used: for how long it lasted, and on how many cores at once."""

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


def _ended(trace: Trace) -> list[Span]:
    """The spans that have ended and lie in no other."""
    spans = [span for lane in trace.lanes() for span in lane.spans]
    return [span for span in spans if span.depth == 0 and span.end is not None]
