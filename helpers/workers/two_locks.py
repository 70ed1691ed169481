"""The article's deadlock: two functions that take the same two locks, each in its own order.

    f1 ── acquires lock_x ─ pauses ─ wants lock_y ...
    f2 ── acquires lock_y ─ pauses ─ wants lock_x ...

They take what they share as one argument, so that the same functions run in real threads and in the lab.
"""

import threading
from collections.abc import Callable, Sequence
from time import perf_counter, sleep
from types import SimpleNamespace
from typing import Final

from helpers.observe.lifeline import end_with_parent
from helpers.observe.locks import named
from helpers.observe.trace import Trace

PAUSE: Final = 1.0
"""Seconds that each function pauses between its locks, unless told otherwise; the article's wait 2 s."""

PATIENCE: Final = 0.1
"""Seconds more than they need that two threads get before they count as deadlocked."""

Shared = SimpleNamespace
Make = Callable[[], Shared]
Function = Callable[..., object]


def two_locks() -> Shared:
    """What `f1` and `f2` share: two variables, and a lock for each."""
    return Shared(lock_x=threading.Lock(), lock_y=threading.Lock(), x=4, y=6)


def f1(shared: Shared, pause: float = PAUSE) -> None:
    """Take `lock_x`, then `lock_y`."""
    shared.lock_x.acquire()
    sleep(pause)
    shared.lock_y.acquire()
    sleep(pause)
    shared.lock_x.release()
    shared.lock_y.release()


def f2(shared: Shared, pause: float = PAUSE) -> None:
    """Take `lock_y`, then `lock_x`."""
    shared.lock_y.acquire()
    sleep(pause)
    shared.lock_x.acquire()
    sleep(pause)
    shared.lock_y.release()
    shared.lock_x.release()


def run_together(trace: Trace, make: Make, functions: Sequence[Function]) -> None:
    """Run `functions` in a thread each, on the same shared things, and wait for all of them.

    Args:
        trace: where the locks tell who holds them and who waits. Each goes by the name it has in the shared things.
        make: makes what they share.
        functions: called with it, each in a thread of its own name.
    """
    end_with_parent()
    shared = make()
    for name, value in vars(shared).items():
        if hasattr(value, "acquire"):
            setattr(shared, name, named(name, value, trace))
    for thread in _started(shared, functions):
        thread.join()


def count_deadlocks(pause: float, head_start: float, runs: int) -> int:
    """How many of `runs` runs of `f1` and `f2` end in a deadlock. Leaves their threads behind: for the sandbox only.

    Args:
        pause: seconds between the two locks of each function.
        head_start: seconds from the start of `f1` to that of `f2`.
        runs: how often to try; each has new locks.
    """
    end_with_parent()
    return sum(_deadlocks(pause, head_start) for _ in range(runs))


def _deadlocks(pause: float, head_start: float) -> bool:
    shared = two_locks()
    started = perf_counter()
    threads = _started(shared, [f1], pause)
    sleep(head_start)
    threads += _started(shared, [f2], pause)
    # Both would be through by then, one after the other, even on a machine that lets them wait a while.
    until = started + head_start + 4 * pause + PATIENCE
    for thread in threads:
        thread.join(max(0.0, until - perf_counter()))
    return any(thread.is_alive() for thread in threads)


def _started(shared: Shared, functions: Sequence[Function], *args: float) -> list[threading.Thread]:
    threads = [threading.Thread(target=f, args=(shared, *args), name=f.__name__, daemon=True) for f in functions]
    for thread in threads:
        thread.start()
    return threads
