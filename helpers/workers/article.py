"""The article's worker: it says that it starts, takes its time, and says that it has ended.

The same function runs in a thread (lesson 02) and in a process (lesson 05); only who starts it changes.
"""

from math import ceil, inf
from time import perf_counter, sleep
from typing import Final

from helpers.observe.lifeline import StopRequest, end_with_parent
from helpers.observe.trace import Trace

STEP: Final = 0.1
"""Seconds, at most, between two moves of the progress bar."""


def worker(trace: Trace, seconds: float = 2.0, stop: StopRequest | None = None) -> None:
    """Wait for `seconds`, as a worker does whose work is done elsewhere: by a disk, a network, a database.

    Args:
        trace: where it says what it does. Progress is counted in steps of at most 0.1 s.
        seconds: how long the work takes. All steps end on time, so that no delay adds up.
        stop: ends the work early when set; without it nothing can.

    Raises:
        ValueError: `seconds` is not a positive number.
    """
    end_with_parent()
    if not 0 < seconds < inf:
        raise ValueError(f"seconds must be more than 0 and finite, got {seconds!r}")
    steps = ceil(seconds / STEP)
    trace.expect(steps)
    trace.note("started")
    with trace.span("working"):
        done = _steps_taken(trace, seconds, steps, stop)
    trace.note("finished" if done == steps else f"stopped after {done} of {steps} steps")


def _steps_taken(trace: Trace, seconds: float, steps: int, stop: StopRequest | None) -> int:
    started = perf_counter()
    for step in range(1, steps + 1):
        if _wait_until(started + seconds * step / steps, stop):
            return step - 1
        trace.advance()
    return steps


def _wait_until(moment: float, stop: StopRequest | None) -> bool:
    """Wait for the moment; true, and sooner, if asked to stop."""
    left = max(0.0, moment - perf_counter())
    if stop is not None:
        return stop.wait(left)
    sleep(left)
    return False
