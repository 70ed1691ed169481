"""Kinds of work that ask for a core in different ways, each as a function to hand to a thread or a process.

    add_up        Python code                     passes the GIL on when another thread has asked for it
    take_steps    the same, each step recorded    shows when it ran, and when it waited
    compress      one call into C                 lets go of the GIL at its start, takes it back at its end
    sort          one call into C                 keeps the GIL all the time
    wait          a sleep                         lets go of the GIL, and needs no core
    on_one_core   any of these                    in a process that may use one core only

How long they take was measured on one core of a small machine; the proportions are what matters.
"""

import os
import sys
import zlib
from collections.abc import Callable
from math import inf
from time import sleep
from typing import Final

from helpers.observe.lifeline import end_with_parent
from helpers.observe.trace import Trace

STEP: Final = 5_000
"""Additions in one step: a quarter of a millisecond or so."""
MEGABYTE: Final = 1 << 20


def add_up(trace: Trace, steps: int) -> None:
    """Add up numbers in plain Python, in so many equal steps, 4,000 of which take about a second.

    Args:
        trace: gets one span, and counts the steps.
        steps: how many.

    Raises:
        ValueError: `steps` is less than 1.
    """
    _expect(trace, steps)
    with trace.span("adding up"):
        for _ in range(steps):
            _one_step()
            trace.advance()


def take_steps(trace: Trace, steps: int) -> None:
    """Do what `add_up` does, with a span for each step.

    Args:
        trace: gets the spans, and counts the steps.
        steps: how many.

    Raises:
        ValueError: `steps` is less than 1.
    """
    _expect(trace, steps)
    for _ in range(steps):
        with trace.span("step"):
            _one_step()
        trace.advance()


def compress(trace: Trace, megabytes: int) -> int:
    """Compress random bytes in one call, 24 megabytes of which take about 0.6 s; give the length of the result.

    Args:
        trace: gets a span for the call.
        megabytes: how many bytes, in units of 1,048,576.

    Raises:
        ValueError: `megabytes` is less than 1.
    """
    end_with_parent()
    if megabytes < 1:
        raise ValueError(f"megabytes must be at least 1, got {megabytes!r}")
    trace.expect(1)
    data = os.urandom(MEGABYTE) * megabytes  # zlib looks back 32 kB: it does not notice
    with trace.span("zlib.compress"):
        packed = zlib.compress(data)
    trace.advance()
    return len(packed)


def sort(trace: Trace, numbers: int) -> list[int]:
    """Sort random numbers in one call, a million of which take about 0.5 s; give the sorted list.

    Args:
        trace: gets a span for the call.
        numbers: how many.

    Raises:
        ValueError: `numbers` is less than 1.
    """
    end_with_parent()
    if numbers < 1:
        raise ValueError(f"numbers must be at least 1, got {numbers!r}")
    trace.expect(1)
    unsorted = memoryview(os.urandom(8 * numbers)).cast("q")
    with trace.span("sorted"):
        in_order = sorted(unsorted)
    trace.advance()
    return in_order


def wait(trace: Trace, seconds: float) -> None:
    """Wait, as one does for a server or a disk.

    Args:
        trace: gets a span for the wait.
        seconds: how long it takes.

    Raises:
        ValueError: `seconds` is negative or not finite.
    """
    end_with_parent()
    if not 0 <= seconds < inf:
        raise ValueError(f"seconds must be 0 or more and finite, got {seconds!r}")
    trace.expect(1)
    with trace.span("waiting"):
        sleep(seconds)
    trace.advance()


def on_one_core(work: Callable[[Trace, int], object], trace: Trace, amount: int) -> None:
    """Call `work(trace, amount)` in a process that may use one core only. For processes, as it holds to the end.

    Which core is always the same one. Outside Linux the process may use all of them still.
    """
    end_with_parent()
    if sys.platform == "linux":
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    work(trace, amount)


def _expect(trace: Trace, steps: int) -> None:
    end_with_parent()
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps!r}")
    trace.expect(steps)


def _one_step() -> None:
    total = 0
    for number in range(STEP):
        total += number
