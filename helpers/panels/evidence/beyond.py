"""Evidence on what the article leaves out: results, errors, progress, waiting together, shared memory, limits."""

import asyncio
import multiprocessing
import pickle
import threading
import time
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from multiprocessing.shared_memory import SharedMemory
from typing import Any, Final

from helpers.panels.evidence.programs import LIMIT

_MUCH: Final = 1_000_000  # bytes: many times what a pipe holds
_WAITS: Final = 20


def a_future_brings_the_result() -> bool:
    """A future gives what the function in the other process returned."""
    with ProcessPoolExecutor(1) as pool:
        return pool.submit(divmod, 7, 2).result(LIMIT) == (3, 1)


def a_future_brings_the_error() -> bool:
    """A future raises here what the function in the other process raised."""
    with ProcessPoolExecutor(1) as pool:
        error = pool.submit(divmod, 7, 0).exception(LIMIT)
    return isinstance(error, ZeroDivisionError)


def a_future_says_when_it_is_done() -> bool:
    """Futures are handed over one by one as they end: so a progress bar can count them."""
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(abs, number) for number in range(100)]
        counts = [count for count, _ in enumerate(as_completed(futures, LIMIT), 1)]
    return counts == list(range(1, 101))


def what_runs_cannot_be_cancelled() -> bool:
    """`cancel` takes back a task that waits for its turn, and is refused by one that runs."""
    begun, end = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        end.wait(LIMIT)

    with ThreadPoolExecutor(1) as pool:
        runs: Future[None] = pool.submit(work)
        waits: Future[None] = pool.submit(work)
        begun.wait(LIMIT)
        answers = runs.cancel(), waits.cancel()
        end.set()
    return answers == (False, True)


def many_waits_need_one_thread() -> bool:
    """With `asyncio`, twenty waits of 0.2 s each are over long before 4 s have passed, in one thread."""
    threads = set()

    async def wait() -> None:
        await asyncio.sleep(0.2)
        threads.add(threading.get_ident())

    async def wait_for_all() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(_WAITS):
                group.create_task(wait())

    start = time.perf_counter()
    asyncio.run(wait_for_all())
    return time.perf_counter() - start < 0.2 * _WAITS * 0.75 and len(threads) == 1


def memory_can_be_shared() -> bool:
    """A process writes into a block of shared memory, and it can be read here without being sent."""
    block: Any = SharedMemory(create=True, size=4)
    try:
        process = multiprocessing.Process(target=_write, args=(block.name,))
        process.start()
        process.join(LIMIT)
        return bytes(block.buf[:4]) == b"done"
    finally:
        block.close()
        block.unlink()


def a_full_queue_keeps_its_process() -> bool:
    """A process that has put a million bytes into a queue does not end before they are taken out."""
    letters: Any = multiprocessing.Queue()
    process = multiprocessing.Process(target=letters.put, args=(bytes(_MUCH),))
    process.start()
    process.join(1.0)
    waited = process.is_alive()
    taken = len(letters.get(timeout=LIMIT))
    process.join(LIMIT)
    return waited and taken == _MUCH and process.exitcode == 0


def not_everything_can_be_sent() -> bool:
    """A lambda, a lock, an open file and a generator cannot be pickled, and so cannot be sent to a process."""
    with open(__file__, encoding="utf-8") as file:  # noqa: PTH123 (any open file)
        return not any(_can_send(each) for each in (lambda: 1, threading.Lock(), file, (n for n in "ab")))


def _can_send(thing: object) -> bool:
    try:
        pickle.dumps(thing)
    except (pickle.PicklingError, TypeError, AttributeError):
        return False
    return True


def _write(name: str) -> None:
    block: Any = SharedMemory(name)
    block.buf[:4] = b"done"
    block.close()
