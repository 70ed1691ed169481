"""What threads and processes do in the tests of named locks."""

import os
import signal
import threading
import time

from helpers.observe.locks import named
from helpers.observe.trace import Trace

PAUSE = 0.03


def opposite(first, second, ready) -> None:
    """Take two locks; with another that takes them the other way round, for ever."""
    with first:
        ready.wait(30)
        with second:
            pass


def hold_and_wait(held, wanted, ready, limit: float) -> None:
    """Hold one lock, and wait a limited time for another."""
    with held:
        ready.wait(30)
        wanted.acquire(timeout=limit)


def hold(lock, taken, end) -> None:
    with lock:
        taken.set()
        end.wait(30)


def take(lock) -> None:
    with lock:
        pass


def die_holding(lock) -> None:
    lock.acquire()
    time.sleep(PAUSE)
    os.kill(os.getpid(), signal.SIGKILL)


def add(lock, value, times: int) -> None:
    for _ in range(times):
        with lock:
            value.value += 1


def wait_for(condition, ready) -> None:
    with condition:
        ready.set()
        condition.wait(30)


def try_copy(lock) -> None:
    """In a forked child: the copy of a lock that a thread of the parent holds; exit 1 if it can be had."""
    os._exit(1 if lock.acquire(timeout=0.01) else 0)


def deadlock_of_threads(trace: Trace) -> None:
    """Two threads of this process, and locks of its own."""
    x, y = named("lock_x", threading.Lock(), trace), named("lock_y", threading.Lock(), trace)
    ready = threading.Barrier(2)
    for name, pair in (("f1", (x, y)), ("f2", (y, x))):
        threading.Thread(target=opposite, args=(*pair, ready), name=name, daemon=True).start()
    time.sleep(600)
