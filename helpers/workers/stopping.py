"""Workers that differ in how they can be stopped; lesson 04 starts them and tries.

    work_in_steps     looks at an event between its steps      ends when asked
    work_until_told   a pool's task, looks at what keep kept   ends when asked, with an answer
    tidy_when_told    turns SIGTERM into SystemExit            ends when told, and tidies up first
    be_deaf           ignores SIGTERM                          ends when killed
    work_tied         ends with its parent                     ends when its parent does
    work_untied       does not                                 outlives its parent
    start_a_helper    has a worker of its own                  leaves that behind

All are for processes, `work_until_told` for those of a pool. Those that nobody stops end by themselves after
`LONGEST` seconds, or when whoever made the trace was killed.
"""

import signal
import sys
from time import monotonic, sleep
from types import FrameType
from typing import Final, Never

from helpers.observe.lifeline import StopRequest, end_with_parent, stop_asked
from helpers.observe.own_folder import abandoned
from helpers.observe.trace import Trace

LONGEST: Final = 60.0
"""Seconds after which a worker ends by itself, in case nobody cleans up."""

STEP: Final = 0.4
"""Seconds that a step of `work_in_steps` takes; it can be stopped only between two of them."""

BEAT: Final = 0.1
"""Seconds between two steps of the other workers."""

_kept: StopRequest | None = None


def work_in_steps(trace: Trace, stop: StopRequest) -> None:
    """Work, step by step, until asked to stop; then tidy up.

    Args:
        trace: where it says what it does.
        stop: looked at before each step; a step that has begun is finished.
    """
    end_with_parent()
    end = monotonic() + LONGEST
    try:
        while not stop.is_set() and monotonic() < end:
            with trace.span("one step"):
                trace.advance()
                sleep(STEP)
    finally:
        trace.note("tidied up")


def keep(stop: StopRequest) -> None:
    """Keep the event that this process's tasks look at: a pool's `initializer`."""
    global _kept  # noqa: PLW0603 (tasks of a pool have nowhere else to find it)
    end_with_parent()
    _kept = stop


def work_until_told(trace: Trace) -> int:
    """Take short steps until the event that `keep` was given is set; give how many they were.

    Raises:
        RuntimeError: this process was never given an event.
    """
    if _kept is None:
        raise RuntimeError("no event to look at: start the pool with initializer=keep, initargs=(event,)")
    end = monotonic() + LONGEST
    steps = 0
    while not stop_asked(_kept) and monotonic() < end:
        with trace.span("a step"):
            steps += 1
            trace.advance()
            sleep(BEAT)
    return steps


def tidy_when_told(trace: Trace) -> None:
    """Work until SIGTERM comes, which is all that `terminate` sends; then tidy up, and exit with code 0.

    On Windows, which has no such signal, it is ended like any other worker.
    """
    end_with_parent()
    signal.signal(signal.SIGTERM, _leave)
    try:
        _work(trace)
    finally:
        trace.note("tidied up")


def be_deaf(trace: Trace) -> None:
    """Ignore SIGTERM, which is all that `terminate` sends, and work. On Windows it can be ended all the same."""
    end_with_parent()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _work(trace)


def work_tied(trace: Trace) -> None:
    """Work, and end with the parent, however that ends."""
    end_with_parent()
    _work(trace)


def work_untied(trace: Trace) -> None:
    """Work, whether the parent is still there or not."""
    # What a worker should never leave out, end_with_parent(), is left out here to show what follows.
    _work(trace)


def start_a_helper(trace: Trace) -> None:
    """Start a worker of one's own, a grandchild of whoever called, and work beside it."""
    from multiprocessing import Process  # noqa: PLC0415 (its import takes milliseconds that the others need not pay)

    end_with_parent()
    Process(target=work_untied, args=(trace,), name="grandchild").start()
    _work(trace)


def _work(trace: Trace) -> None:
    """Take a step, many times a second, for `LONGEST` seconds at most, or as long as the trace has an owner."""
    end = monotonic() + LONGEST
    # If the notebook itself is killed, nobody is left to end those that are not tied to anybody.
    while monotonic() < end and not abandoned(trace.folder):
        # A moment only: a span in which a worker is ended stays open, and would be drawn to the picture's end.
        with trace.span("a step"):
            trace.advance()
        sleep(BEAT)


def _leave(_signal: int, _frame: FrameType | None) -> Never:
    # From now on a second SIGTERM must not interrupt the tidying.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(0)
