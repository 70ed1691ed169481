"""Workers that weigh memory, and one that forgets some. None of them knows of numpy: a block is bytes to them.

    weigh_block      a block that all share: what each seems to use, and what it is when shared pages count once
    weigh_use        what a worker was given: how much of it becomes its own by reading, or by writing
    leave_behind     a block that nobody unlinks

They read and write one byte of each page, for the operating system hands out memory by the page.
"""

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, cast

from helpers.observe.lifeline import Answers, end_with_parent
from helpers.observe.memory import Memory, own_memory
from helpers.workers.taking_turns import Meeting

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterator
    from multiprocessing.shared_memory import SharedMemory

PAGE: Final = 4096
"""Bytes in the smallest pages that there are."""


def weigh_block(name: str, meeting: Meeting, answers: Answers[Memory | None]) -> None:
    """Read the whole block of that name, and put how much more memory this process uses for it into `answers`.

    Args:
        name: of a block of shared memory.
        meeting: keeps all who weigh it together, so that each has the block while any of them looks.
        answers: gets the difference; None where the system does not tell.
    """
    end_with_parent()
    with _attached(name) as block:
        meeting.wait()
        before = own_memory()
        meeting.wait()
        _read_pages(_bytes_of(block))
        meeting.wait()
        after = own_memory()
        meeting.wait()
    answers.put(after.since(before) if before and after else None)


def weigh_use(data: "array[float] | list[float]", answers: Answers[Memory | None], *, write: bool = False) -> None:
    """Read all of `data`, or write to all of it, and put what memory this process uses then into `answers`.

    Args:
        data: a list, or an array of any kind, which lies in memory in one piece.
        answers: gets the memory; None where the system does not tell.
        write: to an array only.
    """
    end_with_parent()
    if isinstance(data, list):
        sum(data)
    elif write:
        _write_pages(memoryview(data).cast("B"))
    else:
        _read_pages(memoryview(data).cast("B"))
    answers.put(own_memory())


def leave_behind(answers: Answers[str], content: bytes) -> None:
    """Put `content` into a new block of shared memory, tell its name, and end without unlinking it."""
    end_with_parent()
    from multiprocessing.shared_memory import SharedMemory  # noqa: PLC0415 (as below)

    block = SharedMemory(create=True, size=len(content))
    _bytes_of(block)[: len(content)] = content
    answers.put(block.name)
    block.close()


@contextmanager
def _attached(name: str) -> "Iterator[SharedMemory]":
    # Imported here, for the import brings half of multiprocessing along.
    from multiprocessing.shared_memory import SharedMemory  # noqa: PLC0415

    block = SharedMemory(name)
    try:
        yield block
    finally:
        block.close()


def _bytes_of(block: "SharedMemory") -> memoryview:
    return cast("memoryview", block.buf)  # it is None only once the block is closed


def _read_pages(data: memoryview) -> int:
    return sum(data[::PAGE])


def _write_pages(data: memoryview) -> None:
    for place in range(0, len(data), PAGE):
        data[place] = data[place]
