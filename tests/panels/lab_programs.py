"""Programs for the tests of the lab's panel, as a learner would write them in a cell."""

import os
import threading
from queue import Queue
from types import SimpleNamespace
from typing import Any

from helpers.observe.lab.program import Program


def make() -> SimpleNamespace:
    return SimpleNamespace(lock_x=threading.Lock(), lock_y=threading.Lock(), x=4, y=6)


def f1(shared: Any) -> None:
    with shared.lock_x, shared.lock_y:
        shared.x = shared.x + shared.y


def f2(shared: Any) -> None:
    with shared.lock_y, shared.lock_x:
        pass


def in_order(shared: Any) -> None:
    with shared.lock_x, shared.lock_y:
        pass


def add(shared: Any) -> None:
    """Lose updates: read here, write there."""
    shared.x = shared.x + 1


def fail(shared: Any) -> None:
    raise KeyError("<b>" + str(shared.x))


def leave_the_process(shared: Any) -> None:
    os._exit(3 + 0 * shared.x)


def make_a_queue() -> SimpleNamespace:
    return SimpleNamespace(items=Queue())


def make_endlessly() -> SimpleNamespace:
    while True:
        pass


def in_a_cell(function: Any) -> Any:
    """`function` as if a cell had defined it: it can only be sent by value."""
    made = type(function)(function.__code__, {**function.__globals__}, function.__name__)
    made.__module__ = "__main__"
    made.__qualname__ = function.__name__
    return made


def is_ten(shared: Any) -> bool:
    return bool(shared.x == 10)


DEADLOCK = Program(make, [f1, f2])
FIXED = Program(make, [f1, in_order], check=is_ten)
LOST_UPDATE = Program(make, [add, add], check=lambda shared: shared.x == 6)
