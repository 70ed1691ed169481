"""Workers on arrays of numpy: arrays in memory that processes share, arrays in a file, and what numpy brings along.

    your process    SharedMemory(create=True, …)       label = (block.name, array.shape, array.dtype.str)
                                                          │ some 50 bytes
    the worker      with opened(label) as array:  ◄───────┘ an array on the same memory, nothing copied

The only module of this room that imports more than the standard library. A worker that is to use an array needs
numpy, and pays for it: one that is spawned takes about 50 ms longer to start.
"""

import random
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from multiprocessing.shared_memory import SharedMemory
from typing import Any

import numpy as np

from helpers.observe.lifeline import end_with_parent
from helpers.observe.trace import Trace
from helpers.workers.taking_turns import Meeting

Array = np.ndarray[Any, np.dtype[Any]]
Label = tuple[str, tuple[int, ...], str]
"""What a process needs to find an array in shared memory: the block's name, the array's shape and its type."""


@contextmanager
def opened(label: Label) -> Iterator[Array]:
    """The array that lies in shared memory under `label`. It must not be used after the block: its memory is gone.

    Raises:
        FileNotFoundError: there is no memory of that name, or no more.
    """
    name, shape, kind = label
    block = SharedMemory(name)
    try:
        yield np.ndarray(shape, kind, buffer=block.buf)
    finally:
        block.close()


def total_of(label: Label) -> float:
    """The sum of the array in shared memory under `label`."""
    end_with_parent()
    with opened(label) as array:
        return float(array.sum())


def double_rows(label: Label, first: int, end: int, trace: Trace | None = None, start: Meeting | None = None) -> None:
    """Double some rows, in place, of an array in shared memory.

    Args:
        label: of the array.
        first: the first of the rows.
        end: the first row after them.
        trace: gets a span with the rows' numbers.
        start: where it waits until all are there.
    """
    end_with_parent()
    with opened(label) as array:
        if start is not None:
            start.wait()
        with _span(trace, first, end):
            array[first:end] *= 2


def double_rows_of_file(path: str, first: int, end: int, trace: Trace | None = None) -> None:
    """Double the rows from `first` to before `end`, in place, of the array in a file of numpy's."""
    end_with_parent()
    with _span(trace, first, end):
        array = np.load(path, mmap_mode="r+")
        array[first:end] *= 2
        array.flush()


def count_up(
    start: Meeting, label: Label, cell: int, times: int, lock: AbstractContextManager[object] | None = None
) -> None:
    """Add 1 to one cell of a shared array, so many times, each time under `lock` if there is one.

    Args:
        start: where it waits until all are there.
        label: of an array of whole numbers.
        cell: which of them.
        times: how often.
        lock: held for each read and write together.
    """
    end_with_parent()
    guard = lock or nullcontext()
    with opened(label) as counts:
        start.wait()
        for _ in range(times):
            with guard:
                counts[cell] += 1


def draw_inherited() -> tuple[float, float]:
    """Draw a number from the generator that numpy keeps by itself, and one from that of Python's `random`."""
    end_with_parent()
    return float(np.random.random()), random.random()  # noqa: NPY002, S311 (these very generators are asked)


def draw(seed: np.random.SeedSequence) -> float:
    """Draw a number from a generator made from `seed`."""
    end_with_parent()
    return float(np.random.default_rng(seed).random())


def blas_threads(limit: int | None = None) -> int | None:
    """How many threads a product of matrices would use here; None if numpy's library for them does not tell.

    Args:
        limit: how many it is allowed.
    """
    end_with_parent()
    from threadpoolctl import (  # type: ignore[import-untyped] # noqa: PLC0415 (not annotated; no other needs it)
        threadpool_info,
        threadpool_limits,
    )

    with threadpool_limits(limit, user_api="blas"):
        counts = [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]
    return max(counts, default=None)


def _span(trace: Trace | None, first: int, end: int) -> AbstractContextManager[object]:
    return trace.span(f"rows {first} to {end - 1}") if trace else nullcontext()
