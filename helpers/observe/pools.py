"""Who works in a pool, and an end that is certain for any pool, whatever state its tasks have left it in.

`shutdown` waits for a task that never ends, and `Pool.terminate` for a lock that a killed worker held or for a thread
that is no more. `kill_pool` waits for nobody: it kills the workers first and clears up behind them.

The standard library has no public way to a pool's workers, nor one to end them before Python 3.14 (`kill_workers`),
so private attributes are read here.
"""
# ruff: noqa: SLF001 (see there)

import os
import signal
from collections.abc import Iterable
from concurrent.futures import Executor
from contextlib import suppress
from inspect import signature
from multiprocessing.pool import RUN, Pool
from multiprocessing.process import BaseProcess
from threading import Thread
from time import perf_counter, sleep
from typing import Any, Final

from helpers.observe.deaths import has_died
from helpers.observe.pool_ending import end_pool

AnyPool = Executor | Pool

HALF_A_RESULT: Final = 0.5
"""Seconds after which an executor's thread is taken to wait for the rest of a result; it ends in milliseconds."""

PATIENCE: Final = 2.0
"""Seconds. A killed process is gone in a few milliseconds, but a busy machine may let it wait for its end."""


def pool_workers(pool: AnyPool) -> list[BaseProcess]:
    """The worker processes of `pool` now, oldest first; none if its workers are threads, or on other machines.

    Works for `ProcessPoolExecutor`, `multiprocessing.Pool` and loky's executor. An executor that was shut down no
    longer tells.
    """
    found: object = getattr(pool, "_processes", None) if isinstance(pool, Executor) else getattr(pool, "_pool", None)
    if isinstance(found, dict):
        found = list(found.values())
    workers = list(found) if isinstance(found, list) else []
    return [worker for worker in workers if isinstance(worker, BaseProcess)]


def pool_threads(pool: AnyPool) -> list[Thread]:
    """The worker threads of a `ThreadPoolExecutor` or a `multiprocessing.pool.ThreadPool` now."""
    if isinstance(pool, Executor):
        return list(getattr(pool, "_threads", ()))
    # ThreadPool's workers are threads that pretend to be processes.
    return [worker for worker in list(getattr(pool, "_pool", ())) if isinstance(worker, Thread)]


def pool_thread(pool: AnyPool) -> Thread | None:
    """The thread of `pool` without which no results come; None if it has none, or is shut down."""
    thread: object = getattr(pool, "_executor_manager_thread", None) or getattr(pool, "_result_handler", None)
    return thread if isinstance(thread, Thread) else None


def answers_wait(pool: AnyPool) -> bool:
    """Whether answers of workers wait to be taken in by the thread of `pool`."""
    queue: Any = getattr(pool, "_result_queue", None) or getattr(pool, "_outqueue", None)
    try:
        return bool(queue._reader.poll())
    except (AttributeError, OSError):  # none, or closed
        return False


def is_closed(pool: Pool) -> bool:
    """Whether `pool` takes no more tasks, so that its workers end when there is nothing to do."""
    return getattr(pool, "_state", RUN) != RUN


def kill_pool(pool: AnyPool) -> None:
    """End `pool` for certain: its processes are killed, what was queued is cancelled, and nothing is left.

    Results that the workers had already sent are kept; each task that was still to come fails, with
    `BrokenProcessPool`, `CancelledError` or, in a `multiprocessing.Pool`, `PoolEndedError`. Nobody can kill a
    thread: a pool of threads takes no more tasks, and its threads end after the ones they are at.
    """
    if isinstance(pool, Pool):
        end_pool(pool, lambda: kill_processes(pool_workers(pool)))
    else:
        _end_executor(pool)


def kill_processes(processes: Iterable[BaseProcess]) -> None:
    """Kill `processes` and wait until they are gone, but no longer than `PATIENCE` seconds in all."""
    alive = [process for process in processes if not has_died(process)]
    for process in alive:
        _kill(process)
    deadline = perf_counter() + PATIENCE
    while not all(map(has_died, alive)) and perf_counter() < deadline:
        sleep(0.0005)


def _end_executor(executor: Executor) -> None:
    # The workers first: an executor that is shut down while it replaces a worker loses its thread to an error
    # (`len(None)`, Python 3.11 to 3.13), and `kill_workers` of 3.14 shuts down first.
    manager = pool_thread(executor)
    results: Any = getattr(executor, "_result_queue", None)
    kill_processes(pool_workers(executor))
    if manager is not None:
        manager.join(HALF_A_RESULT)  # it ends when it sees that its workers are gone
        if manager.is_alive():
            # A worker killed while it sent a result has left half of it, and the thread waits for the rest. Once
            # nobody can write that, reading fails, and the thread goes on.
            with suppress(OSError, AttributeError):
                results._writer.close()
            manager.join(PATIENCE)
    can = signature(executor.shutdown).parameters
    wanted = {"wait": False, "cancel_futures": True, "kill_workers": True}  # the last is loky's
    executor.shutdown(**{name: value for name, value in wanted.items() if name in can})


def _kill(process: BaseProcess) -> None:
    with suppress(ValueError, OSError):  # closed, or gone
        try:
            process.kill()
        except AttributeError:  # loky's processes cannot
            os.kill(process.pid or 0, signal.SIGKILL) if hasattr(signal, "SIGKILL") else process.terminate()
