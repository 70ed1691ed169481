"""Workers that are half way through something for a long time, so that they can be ended there.

Each shows what a worker that is ended leaves half done: a file, or a change of shared memory under a lock.
"""

import os
from collections.abc import MutableSequence
from contextlib import AbstractContextManager
from time import sleep
from typing import Final

from helpers.observe.lifeline import end_with_parent
from helpers.observe.trace import Trace

LINES: Final = 300
"""Lines of a report."""

LINE_TAKES: Final = 0.1
"""Seconds for each."""

HALF_WAY: Final = 30.0
"""Seconds between taking money from one account and giving it to the other."""

Lock = AbstractContextManager[object]


def write_report(trace: Trace, path: str) -> None:
    """Write a report of `LINES` lines into the file `path`; the last line says that it is complete."""
    end_with_parent()
    try:
        _write(trace, path)
    finally:
        trace.note("file closed")


def replace_report(trace: Trace, path: str) -> None:
    """Do the same beside `path`, and let the complete file take its place in one step."""
    end_with_parent()
    beside = f"{path}.part"
    _write(trace, beside)
    os.replace(beside, path)  # noqa: PTH105 (importing pathlib costs a worker 4 ms)


def move_money(trace: Trace, lock: Lock, accounts: MutableSequence[int], amount: int) -> None:
    """Move `amount` from the first account to the second, under `lock`, and be slow half way.

    Args:
        trace: where it says what it does. Progress counts the accounts that are changed.
        lock: what everybody takes who looks at the accounts.
        accounts: two balances, in memory that processes share.
        amount: what is moved.
    """
    end_with_parent()
    trace.expect(2)
    with lock, trace.span("holding the lock"):
        accounts[0] -= amount
        trace.advance()
        sleep(HALF_WAY)
        accounts[1] += amount
        trace.advance()


def _write(trace: Trace, path: str) -> None:
    trace.expect(LINES)
    with trace.span("writing"), open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 (as above)
        for line in range(1, LINES):
            file.write(f"line {line}\n")
            file.flush()
            trace.advance()
            sleep(LINE_TAKES)
        file.write("complete\n")
        trace.advance()
