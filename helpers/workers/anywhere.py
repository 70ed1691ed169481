"""Small tasks that every engine can run: functions of one argument, found in a module, that depend on nothing else.

    compute       Python code                    needs the GIL all the time
    pause         waiting                        needs no core
    squeeze       one call into zlib             lets go of the GIL
    increment     next to nothing                what it takes is what the engine charges
    longest_in    the longest function of a source file, the real job of the lessons
    call_each     any of these for many items, as one task

`compute` and `squeeze` take some 30 to 50 ms on a small machine.
"""

import os
import zlib
from collections.abc import Callable, Iterable
from time import sleep
from typing import Final, TypeVar

from helpers.observe.lifeline import end_with_parent
from helpers.workers.sources import Function, functions_in

ADDITIONS: Final = 1_200_000
PAUSE: Final = 0.1
MEGABYTE: Final = 1 << 20

T = TypeVar("T")
R = TypeVar("R")


def compute(number: int) -> int:
    """Add `number` to itself again and again in plain Python; give the sum."""
    end_with_parent()
    total = 0
    for _ in range(ADDITIONS):
        total += number
    return total


def pause(number: int) -> int:
    """Wait for 100 ms, as for an answer from a network; give `number`."""
    end_with_parent()
    sleep(PAUSE)
    return number


def squeeze(number: int) -> int:
    """Compress a megabyte of random bytes in one call; give `number`."""
    end_with_parent()
    zlib.compress(os.urandom(MEGABYTE))
    return number


def increment(number: int) -> int:
    """Give `number + 1`."""
    end_with_parent()
    return number + 1


def longest_in(path: str) -> Function | None:
    """The longest function of a source file, the first of these; None if it has none, or does not parse.

    Raises:
        OSError: the file cannot be read.
    """
    end_with_parent()
    try:
        return max(functions_in(path), key=lambda function: function.lines, default=None)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # by version, see `functions_in`
        return None


def call_each(function: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Call `function` for each of the `items`, one after the other; give the results as a list."""
    end_with_parent()
    return [function(item) for item in items]
