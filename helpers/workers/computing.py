"""Workers that keep a core busy: one that ends, two that never do, and one that fails half way.

None of them waits for anything, so threads running them take turns on one core, and processes do not.
"""

from itertools import repeat
from math import isqrt
from time import sleep
from typing import Final, Never

from helpers.observe.lifeline import Answers, StopRequest, end_with_parent, stop_asked
from helpers.observe.trace import Trace

CHUNK: Final = 1000
"""Numbers tried between two reports: a few milliseconds' work, so that the bar moves evenly."""


def count_primes(
    trace: Trace, limit: int, answers: Answers[int] | None = None, stop: StopRequest | None = None
) -> int:
    """Count the primes below `limit`, by trial division in plain Python.

    Args:
        trace: where it says what it does. Progress counts the numbers tried.
        limit: the first number not tried; 300,000 takes about a second.
        answers: where the answer is put, for a caller that cannot see what a function returns.
        stop: ends the count early when set.

    Returns:
        The number of primes found, which is what it also puts into `answers`; of those tried, if it
        was stopped.

    Raises:
        ValueError: `limit` is less than 2.
    """
    end_with_parent()
    if limit < 2:
        raise ValueError(f"limit must be at least 2, got {limit!r}")
    trace.expect(limit - 2)
    found = 0
    with trace.span("computing"):
        for first in range(2, limit, CHUNK):
            if stop_asked(stop):
                trace.note(f"stopped at {first:,} of {limit:,}")
                break
            chunk = range(first, min(first + CHUNK, limit))
            found += sum(map(_is_prime, chunk))
            trace.advance(len(chunk))
    if answers is not None:
        answers.put(found)
    return found


def compute_without_end(trace: Trace) -> Never:
    """Compute for ever, in Python: other threads get their turn, and only the end of the process stops it."""
    end_with_parent()
    with trace.span("computing without end"):
        while True:
            sum(map(_is_prime, range(CHUNK)))
            trace.advance(CHUNK)


def call_without_end(trace: Trace) -> Never:
    """Make one call into C that never returns. For processes only!

    It never lets go of the interpreter: in a thread it would stop every other thread, the notebook's too, for
    good.
    """
    end_with_parent()
    with trace.span("one call without end"):
        sum(repeat(0))
    raise AssertionError("an endless sum has ended")


def fail_midway(trace: Trace, items: int = 10) -> Never:
    """Finish half of the `items`, 20 ms each, then fail.

    Raises:
        ValueError: always: half way, or at once if `items` is less than 1.
    """
    end_with_parent()
    if items < 1:
        raise ValueError(f"items must be at least 1, got {items!r}")
    trace.expect(items)
    with trace.span("working"):
        for _ in range(items // 2):
            sleep(0.02)
            trace.advance()
        raise ValueError(f"item {items // 2 + 1} of {items} cannot be used: it is broken on purpose")


def _is_prime(number: int) -> bool:
    return number > 1 and all(number % divisor for divisor in range(2, isqrt(number) + 1))
