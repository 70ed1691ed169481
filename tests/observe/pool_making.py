"""Pools of all kinds, and tasks in them, for the tests."""

import asyncio
import multiprocessing
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.pool import Pool
from typing import Any, Final

from helpers.observe.pools import AnyPool, kill_pool
from tests.observe.starting import LIMIT

KINDS = ("executor", "pool")


HANGS_IF_LEFT: Final = (3, 12) <= sys.version_info < (3, 12, 8) or (3, 13) <= sys.version_info < (3, 13, 1)
"""Whether an executor that is left while several of its tasks cannot be packed hangs now and then (gh-125451)."""


@contextmanager
def made_pool(kind: str, method: str, workers: int = 2, **options: Any) -> Iterator[AnyPool]:
    """A pool of processes; whatever a test does with it, nothing is left."""
    context = multiprocessing.get_context(method)
    pool: AnyPool = (
        ProcessPoolExecutor(workers, context, **options) if kind == "executor" else context.Pool(workers, **options)
    )
    try:
        yield pool
    finally:
        kill_pool(pool)


def submit(pool: AnyPool, function: Callable[..., object], *args: object) -> Any:
    return pool.submit(function, *args) if isinstance(pool, Executor) else pool.apply_async(function, args)


def over(task: Any) -> bool:
    return bool(task.ready() if hasattr(task, "ready") else task.done())


def value(task: Any) -> object:
    """What it returned, or raised."""
    try:
        return task.get(LIMIT) if hasattr(task, "ready") else task.result(LIMIT)
    except Exception as error:  # noqa: BLE001 (the test looks at it)
        return error


def is_pool(pool: AnyPool) -> bool:
    return isinstance(pool, Pool)


async def soon(condition: Callable[[], object], what: str) -> None:
    """Wait for the condition while the loop goes on; fail when it does not come."""
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline, f"waited {LIMIT:.0f} s for {what}"
        await asyncio.sleep(0.002)


async def within(awaitable: Awaitable[Any], seconds: float = LIMIT) -> Any:
    """What it gives; fail if that takes longer."""
    return await asyncio.wait_for(_coroutine(awaitable), seconds)


async def _coroutine(awaitable: Awaitable[Any]) -> Any:
    return await awaitable
