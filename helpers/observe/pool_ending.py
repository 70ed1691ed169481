"""End a `multiprocessing.Pool` whose own `terminate` might wait for ever.

A Pool has three threads. One replaces workers that are gone, one sends tasks, one receives results:

    worker handler ─ starts ─► workers
    task handler ─── inqueue ─► workers ── outqueue ─► result handler

`terminate` needs the lock of a queue, which a killed worker may have taken with it, and the result handler, which an
exception that cannot be unpickled has ended. Here the workers go first: with them gone, whatever they held can be set
free, and the threads find that there is nothing left to wait for.
"""
# ruff: noqa: SLF001 (the standard library offers nothing else)

from collections.abc import Callable
from contextlib import suppress
from multiprocessing import pool as pools
from multiprocessing.pool import Pool
from time import perf_counter, sleep
from typing import Any, Final

PATIENCE: Final = 2.0
"""Seconds for each of the three threads; they take milliseconds."""


MOMENT: Final = 0.2
"""Seconds; if a queue's lock is held for longer, its holder is dead."""


class PoolEndedError(RuntimeError):
    """The pool was ended before the task had an answer."""


def end_pool(pool: Pool, kill_workers: Callable[[], None]) -> None:
    """End `pool`, keep the results that were sent, and let each other task fail with `PoolEndedError`.

    Args:
        pool: of processes or of threads.
        kill_workers: kills the pool's workers, and returns when they are gone.
    """
    inner: Any = pool  # all that follows is private: the standard library offers nothing
    if not hasattr(inner._inqueue, "_writer"):  # threads: no lock of theirs is ever lost
        inner.terminate()
        _fail_unanswered(inner)
        return
    ended = not inner._terminate.still_active()
    inner._terminate.cancel()
    inner._state = inner._worker_handler._state = inner._task_handler._state = pools.TERMINATE
    if ended:
        return
    inner._change_notifier.put(None)
    inner._worker_handler.join(PATIENCE)  # no worker is started after this
    kill_workers()
    for worker in inner._pool:
        worker.join(PATIENCE)
    inner._inqueue._reader.close()  # the task handler may be sending to nobody: now that fails
    if not inner._result_handler.is_alive():
        _take_results(inner)  # makes room, too: the task handler's last act is to send something that way
    _free(inner._outqueue._wlock)
    inner._task_handler.join(PATIENCE)
    _finish_results(inner)
    _fail_unanswered(inner)


def _free(lock: Any) -> None:  # noqa: ANN401 (None on Windows, where one end needs no lock)
    """Open a lock that a dead worker may hold. The task handler, who alone may still use it, does so for moments."""
    if lock is not None:
        lock.acquire(timeout=MOMENT)
        lock.release()


def _finish_results(inner: Any) -> None:  # noqa: ANN401 (as above)
    """Take in all results that were sent, and end the result handler."""
    handler, queue = inner._result_handler, inner._outqueue
    deadline = perf_counter() + PATIENCE
    while handler.is_alive() and queue._reader.poll() and perf_counter() < deadline:
        sleep(0.001)
    if handler.is_alive():
        handler._state = pools.TERMINATE
        queue._writer.send(None)  # wakes it up
    # Behind half a result nothing wakes it up but the end of the pipe.
    queue._writer.close()
    handler.join(PATIENCE)
    _take_results(inner)


def _take_results(inner: Any) -> None:  # noqa: ANN401 (as above)
    """Do a dead result handler's work: what stands behind the result that ended it is not lost."""
    reader = inner._outqueue._reader
    while True:
        try:
            if not reader.poll():
                return
            sent = reader.recv()
        except (EOFError, OSError):
            return
        except Exception:  # noqa: BLE001, S112 (one more that cannot be unpickled may raise anything)
            continue
        if sent is not None:
            job, index, outcome = sent
            if job in inner._cache:
                inner._cache[job]._set(index, outcome)


def _fail_unanswered(inner: Any) -> None:  # noqa: ANN401 (as above)
    error = PoolEndedError("the pool was ended before this task had an answer")
    for result in list(inner._cache.values()):
        for index in range(getattr(result, "_number_left", 1)):
            with suppress(KeyError):
                result._set(index, (False, error))
    inner._cache.clear()
