"""Evidence on threads: the GIL, what can and cannot be done to a thread, and what `join` does.

Each function is run in a sandbox, which ends what it leaves. Each holds on Python 3.11 and later, on a busy machine
too.
"""

import ctypes
import hashlib
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

from helpers.panels.evidence.programs import LIMIT

_SLEEP: Final = 0.6  # seconds
_TRIES: Final = 20
_GIL: Final[bool] = getattr(sys, "_is_gil_enabled", lambda: True)()


def two_threads_use_one_core() -> bool:
    """Two threads that compute are given no more time on cores than passes, where there is a GIL."""
    cpu: list[float] = []
    start = time.perf_counter()
    threads = [threading.Thread(target=_compute, args=(cpu,)) for _ in range(2)]
    _run(threads)
    return not _GIL or sum(cpu) < 1.2 * (time.perf_counter() - start)


def threads_are_switched() -> bool:
    """Two threads that count take turns: each sees the other get on before it has ended itself."""
    counts, seen = [0, 0], [False, False]
    deadline = time.monotonic() + LIMIT

    def count(own: int, other: int) -> None:
        first = counts[other]
        while time.monotonic() < deadline and not (seen[own] and seen[other]):
            counts[own] += 1
            seen[own] = seen[own] or counts[other] > first

    _run([threading.Thread(target=count, args=pair) for pair in ((0, 1), (1, 0))])
    return all(seen)


def some_c_code_lets_others_run() -> bool:
    """While `hashlib` hashes, another thread runs; while `sum` adds up, none does, where there is a GIL."""
    # From now on a thread that does not give the GIL away by itself keeps it.
    sys.setswitchinterval(LIMIT)
    data, numbers = bytes(100_000_000), range(3_000_000)
    beside_hash = any(_runs_beside(lambda: hashlib.sha256(data)) for _ in range(_TRIES))
    beside_sum = any(_runs_beside(lambda: sum(numbers)) for _ in range(3))
    return beside_hash and not (beside_sum and _GIL)


def nothing_public_ends_a_thread() -> bool:
    """A thread has no `kill`, `terminate`, `stop`, `cancel` or `interrupt`; a process has `terminate` and `kill`."""
    from multiprocessing import Process  # noqa: PLC0415 (needed here only)

    words = ("kill", "terminate", "stop", "cancel", "interrupt")
    return not any(hasattr(threading.Thread, word) for word in words) and all(
        hasattr(Process, word) for word in words[:2]
    )


def an_exception_from_outside_waits() -> bool:
    """An exception put into a thread from outside ends a loop; a sleep sleeps on to its end."""
    lasted: list[float] = []

    def sleep() -> None:
        start = time.perf_counter()
        try:
            ready.set()
            time.sleep(_SLEEP)
            for _ in range(1_000_000):
                pass
        except InterruptedError:
            lasted.append(time.perf_counter() - start)

    def loop() -> None:
        ready.set()
        while True:
            pass

    ended = []
    threading.excepthook = lambda _: None
    for work in (sleep, loop):
        ready = threading.Event()
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        ready.wait(LIMIT)
        time.sleep(0.1)  # by then it sleeps, or loops
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident or 0), ctypes.py_object(InterruptedError)
        )
        thread.join(LIMIT)
        ended.append(not thread.is_alive())
    return all(ended) and min(lasted, default=_SLEEP) >= 0.99 * _SLEEP


def join_keeps_its_caller_waiting() -> bool:
    """`join(0.3)` on a thread that goes on returns after 0.3 s, and its caller does nothing else meanwhile."""
    end = threading.Event()
    thread = threading.Thread(target=end.wait, args=(LIMIT,))
    thread.start()
    start = time.perf_counter()
    thread.join(0.3)
    waited = time.perf_counter() - start
    still_there = thread.is_alive()
    end.set()
    thread.join()
    return waited >= 0.29 and still_there


def an_error_stays_in_its_thread() -> bool:
    """A thread fails, `join` returns as if nothing had happened, and no value comes back."""
    errors: list[str] = []
    threading.excepthook = lambda args: errors.append(args.exc_type.__name__)
    thread = threading.Thread(target=divmod, args=(7, 0))
    thread.start()
    returned: object = thread.join()  # type: ignore[func-returns-value] # that it returns nothing is the point
    return returned is None and errors == ["ZeroDivisionError"]


def _compute(cpu: list[float]) -> None:
    number = 0
    for each in range(3_000_000):
        number ^= each
    cpu.append(time.thread_time())


def _runs_beside(call: Callable[[], object]) -> bool:
    """Whether this thread runs before another thread's one call into C has ended."""
    begun, done = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        call()
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait(LIMIT)
    beside = not done.is_set()
    thread.join()
    return beside


def _run(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
