"""Know which blocks of shared memory a function makes, whatever becomes of it, and delete those it leaves behind.

    with blocks_noted(trace):           # in a sandbox, which the function may crash
        value = function()
        lies_in_block(value)            # whether it must not be used when the block is gone
    sweep(trace)                        # in the kernel, afterwards: the names of the blocks that were left

The names are kept in a trace, which outlives a crash.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from mmap import mmap
from multiprocessing.shared_memory import SharedMemory
from typing import Any, Final
from unittest import mock

import numpy as np

from helpers.observe.trace import Trace

_MADE: Final = "made the block "


@contextmanager
def blocks_noted(trace: Trace) -> Iterator[None]:
    """Note the name of each block that this process makes, so that it is known whatever becomes of the process."""
    make = SharedMemory.__init__

    def noted(block: SharedMemory, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (whatever it takes)
        make(block, *args, **kwargs)
        trace.note(f"{_MADE}{block.name}")

    with mock.patch.object(SharedMemory, "__init__", noted):
        yield


def sweep(trace: Trace) -> list[str]:
    """The names of those blocks that were still there; now they are gone."""
    left = []
    notes = (note.text for lane in trace.lanes() for note in lane.notes)
    for name in {text.removeprefix(_MADE) for text in notes if text.startswith(_MADE)}:
        try:
            block = SharedMemory(name)
        except FileNotFoundError:
            continue
        block.unlink()
        block.close()
        left.append(name)
    return left


def lies_in_block(value: object) -> bool:
    """Whether it is an array in memory that the operating system has lent."""
    while isinstance(value, np.ndarray):
        value = value.base
    if not isinstance(value, memoryview):
        return isinstance(value, mmap)
    try:
        return isinstance(value.obj, mmap)
    except ValueError:  # the block is closed
        return True
