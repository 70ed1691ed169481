"""Evidence on locks, deadlocks and dictionaries, in threads and between processes.

Where something is to hang it hangs: the sandbox ends it. Barriers, not pauses, bring threads to where they hang.
"""

import multiprocessing
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from helpers.panels.evidence.programs import LIMIT

_LONG: Final = 0.5  # seconds: what could go on would have done so
_INSERTS: Final = 100_000


def two_orders_lock_each_other_out() -> bool:
    """Two threads hold a lock each and want the other's: neither goes on."""
    locks = threading.Lock(), threading.Lock()
    barrier = threading.Barrier(2)
    threads = [threading.Thread(target=_take_both, args=(*pair, barrier)) for pair in (locks, locks[::-1])]
    return _all_hang([_daemon(thread) for thread in threads])


def one_order_never_does() -> bool:
    """Both take the locks in one order, a thousand times each, and both finish, however they release."""
    locks = threading.Lock(), threading.Lock()
    rounds: list[int] = []

    def work(release_first: int) -> None:
        for number in range(1000):
            for lock in locks:
                lock.acquire()
            rounds.append(number)
            locks[release_first].release()
            locks[1 - release_first].release()

    threads = [threading.Thread(target=work, args=(place,), daemon=True) for place in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
    return len(rounds) == 2000


def two_processes_lock_each_other_out() -> bool:
    """Two processes hold a lock each and want the other's: neither goes on."""
    locks = multiprocessing.Lock(), multiprocessing.Lock()
    barrier = multiprocessing.Barrier(3)
    processes = [
        multiprocessing.Process(target=_take_both, args=(*pair, barrier), daemon=True)
        for pair in (locks, locks[::-1])
    ]
    for process in processes:
        process.start()
    barrier.wait(LIMIT)  # both hold their first lock
    for process in processes:
        process.join(_LONG)
    hang = all(process.is_alive() for process in processes)
    for process in processes:
        process.kill()
        process.join()
    return hang


def a_terminated_process_keeps_its_lock() -> bool:
    """A process is terminated while it holds a lock: the lock stays locked, and its `finally` has not run."""
    lock, holds, tidied = multiprocessing.Lock(), multiprocessing.Event(), multiprocessing.Event()
    process = multiprocessing.Process(target=_hold, args=(lock, holds, tidied))
    process.start()
    held = holds.wait(LIMIT)
    process.terminate()
    process.join()
    free = lock.acquire(timeout=_LONG)
    return held and not free and not tidied.is_set()


def a_dict_keeps_every_insert() -> bool:
    """Two threads put 100,000 entries each into one dict without a lock, and all 200,000 are there."""
    shared: dict[int, int] = {}

    def insert(start: int) -> None:
        for number in range(start, start + _INSERTS):
            shared[number] = number  # noqa: PERF403 (one insert at a time is what is tried)

    _run(lambda: insert(0), lambda: insert(_INSERTS))
    return len(shared) == 2 * _INSERTS


def two_steps_on_a_dict_lose_one() -> bool:
    """Two threads read a value, and then each writes one more: one of the two is lost."""
    shared, barrier = {"count": 0}, threading.Barrier(2)

    def add() -> None:
        value = shared["count"]
        barrier.wait(LIMIT)
        shared["count"] = value + 1

    _run(add, add)
    return shared["count"] == 1


def a_dict_that_grows_cannot_be_walked() -> bool:
    """One thread walks through a dict, another inserts: the walk fails."""
    shared = {1: "one"}
    try:
        for _ in shared:
            _run(lambda: shared.update({2: "two"}))
    except RuntimeError as error:
        return "changed size during iteration" in str(error)
    return False


def reentrant_means_taken_twice() -> bool:
    """A thread that holds an `RLock` can take it again; one that holds a `Lock` cannot."""
    plain, again = threading.Lock(), threading.RLock()
    with plain, again:
        return again.acquire(timeout=0.1) and not plain.acquire(timeout=0.1)


def _take_both(first: Any, second: Any, barrier: Any) -> None:  # noqa: ANN401 (of threading or of multiprocessing)
    with first:
        barrier.wait(LIMIT)
        with second:
            pass


def _hold(lock: Any, holds: Any, tidied: Any) -> None:  # noqa: ANN401 (of multiprocessing)
    try:
        lock.acquire()
        holds.set()
        time.sleep(LIMIT)
    finally:
        tidied.set()


def _daemon(thread: threading.Thread) -> threading.Thread:
    thread.daemon = True
    return thread


def _all_hang(threads: list[threading.Thread]) -> bool:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_LONG)
    return all(thread.is_alive() for thread in threads)


def _run(*works: Callable[[], object]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
