"""Lesson 13's exercise in its workers: note who was given which rows, and let the parts meet before they begin.

    target = Together(trace, 2, 10.0, double_rows)      # what the learner's function is given
    target(label, 0, 4)                                 # in a worker: waits for a second call, then doubles
    rows_of(span)                                       # in the kernel, for a span of the trace: range(0, 4)

The check itself is a panel, and panels belong to the kernel; a worker that is spawned imports this and little else.
"""

from collections.abc import Callable
from dataclasses import dataclass
from operator import index
from time import monotonic, sleep
from typing import Final

from helpers.observe.reading import Span
from helpers.observe.trace import Trace

_HOLD: Final = 0.2  # seconds: so long that whoever does not join has copied by then
_LOOK_EVERY: Final = 0.01


@dataclass(frozen=True, slots=True)
class Together:
    """Calls a target when so many calls have begun, wherever that is, and not at once.

    Attributes:
        trace: gets a span for each call, with its rows.
        workers: how many calls are waited for.
        patience: seconds after which a call goes on without the others.
        target: what is called.
    """

    trace: Trace
    workers: int
    patience: float
    target: Callable[..., object]

    def __call__(self, label: object, first: int, end: int) -> None:
        """Call `target(label, first, end)`.

        Raises:
            TypeError: `first` or `end` is no whole number.
        """
        with self.trace.span(f"{index(first)} {index(end)}"):
            deadline = monotonic() + self.patience
            while self._begun < self.workers and monotonic() < deadline:
                sleep(_LOOK_EVERY)
            sleep(_HOLD)
            self.target(label, first, end)

    @property
    def _begun(self) -> int:
        return sum(len(lane.spans) for lane in self.trace.lanes())


def rows_of(span: Span) -> range:
    """The rows that a call was given, by its span."""
    first, end = span.name.split()
    return range(int(first), int(end))
