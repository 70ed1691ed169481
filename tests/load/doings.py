"""What very many workers do: little."""

import sys
from typing import Any

from helpers.observe.lifeline import end_with_parent
from helpers.observe.reading import Note
from helpers.observe.trace import Trace

ITEMS = 3
ADDITIONS = 200


def work(trace: Trace, number: int) -> int:
    """Finish three items, and give the worker's own number back."""
    end_with_parent()
    trace.expect(ITEMS)
    with trace.span(f"task {number}"):
        for _ in range(ITEMS):
            trace.advance()
    return number


def fail(trace: Trace) -> None:
    """Fail in a span."""
    with trace.span("working"):
        raise ValueError("on purpose")


def many_spans(trace: Trace, count: int) -> None:
    """Record so many spans, as fast as can be."""
    span, advance = trace.span, trace.advance
    for _ in range(count):
        with span("work"):
            advance()


def together(trace: Trace, all_there: Any) -> None:
    """Be at work until all others are, too."""
    end_with_parent()
    with trace.span("meeting"), trace.span("waiting"):
        trace.advance()
        all_there.wait(60)


def error_note() -> Note:
    """What an exception that left a span leaves in a lane."""
    return Note("ValueError: on purpose", 1, error=True)


def add(trace: Trace, locks: list[Any], total: Any) -> None:
    """Add one, many times, each time under all locks."""
    end_with_parent()
    for _ in range(ADDITIONS):
        with trace.span("adding"), locks[0], locks[1]:
            total.value += 1


def chatter() -> int:
    """Print more than a small disk can hold, and give a number."""
    for _ in range(100):
        sys.stdout.write("x" * 1_000 + "\n")
    return 42
