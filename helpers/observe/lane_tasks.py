"""Which task a worker was at, as its lanes tell: a task's span is an outermost one.

What a worker has said outlives it, so this also answers for one that was killed.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from helpers.observe.reading import Lane, Span


class Failed(NamedTuple):
    """A task that an exception has left."""

    at: int
    """When, in nanoseconds of `time.perf_counter_ns`."""
    task: str
    words: str
    """The exception, as "Type: message"."""
    worker: str
    """The title of its lane."""


class Done(NamedTuple):
    """A task that has come to its end, well or not."""

    at: int
    task: str
    worker: str


def open_task(lanes: Iterable[Lane]) -> str | None:
    """The task that a worker with these lanes is at, or died with; the oldest of several."""
    found = [last for lane in lanes if (last := _last(lane)) is not None and last.end is None]
    return min(found, key=lambda span: span.start).name if found else None


def failed_tasks(lanes: Iterable[Lane]) -> list[Failed]:
    """Tasks that an exception has left, the first one first."""
    return sorted(failed for lane in lanes for failed in _failed(lane))


def ended_tasks(lanes: Iterable[Lane]) -> list[Done]:
    """Tasks that have come to their end, well or not, the first one first."""
    return sorted(
        Done(span.end, span.name, lane.title)
        for lane in lanes
        for span in lane.spans
        if span.depth == 0 and span.end is not None
    )


def left_politely(lanes: Iterable[Lane]) -> str | None:
    """The last task of a worker with these lanes, if sys.exit has left it: that ends a Pool's worker."""
    own = list(lanes)
    failed, ended = failed_tasks(own), ended_tasks(own)
    last = failed[-1] if failed and ended and failed[-1].task == ended[-1].task else None
    return last.task if last is not None and last.words.startswith("SystemExit") else None


def _last(lane: Lane) -> Span | None:
    return next((span for span in reversed(lane.spans) if span.depth == 0), None)


def _failed(lane: Lane) -> Iterable[Failed]:
    errors = [note for note in lane.notes if note.error]
    if not errors:
        return
    tasks: Sequence[Span] = [span for span in lane.spans if span.depth == 0]
    starts = [span.start for span in tasks]
    for note in errors:
        place = bisect_right(starts, note.at) - 1
        # An exception that was caught inside the task was noted while the task's span was still open.
        end = tasks[place].end if place >= 0 else None
        if end is not None and end <= note.at:
            yield Failed(note.at, tasks[place].name, note.text, lane.title)
