"""One small file for each named lock, which says who holds it.

A lock that one at a time can hold has its holder in the cells OWNER and SINCE. Only the holder stores them: OWNER
first, then SINCE, which says that the lock is held; and it stores a zero in SINCE before it lets go. So what stands
there is never false, whenever one looks, and needs no history to be understood. Who holds the permits of a semaphore
stands in the lanes of the threads that took them.
"""

import os
import struct
from binascii import crc32
from enum import IntEnum
from typing import Final, NamedTuple

from helpers.observe.mapped import reserved_map, shared_map
from helpers.observe.no_room import note_lost

SUFFIX: Final = ".lock"
EXCLUSIVE: Final = -1
_MAGIC: Final = 0x6B636F6C_31
_CELLS: Final = 8
_LONGEST_NAME: Final = 200


class Mark(IntEnum):
    """The cells of a lock's file, by their place."""

    MAGIC = 0
    PERMITS = 1
    """How many permits a semaphore has in all; EXCLUSIVE for a lock."""
    UNKNOWN = 2
    """Not zero once permits of a semaphore went to or came from somebody who is not known."""
    OWNER = 3
    SINCE = 4
    """When the owner took it: seconds of `time.perf_counter`, a float; zero while nobody holds it."""
    NAME_LENGTH = 5
    NAME_SUM = 6


class Claim(NamedTuple):
    """A worker holds a lock or a permit of it, or waits for it, from a moment on (nanoseconds)."""

    worker: int
    lock: int
    since: int
    gives_up: bool = False


def make_lock_file(folder: str, name: str, permits: int) -> tuple[int, memoryview]:
    """Make the file of a new lock; give its number and its cells.

    If it cannot be made, because the folder is gone or the disk is full, the number is 0 and the cells are where no
    reader sees them: the lock works unharmed.
    """
    words = name.encode("utf-8", "backslashreplace")[:_LONGEST_NAME]
    size = _CELLS * 8 + _LONGEST_NAME
    try:
        number = 1 + sum(other.endswith(SUFFIX) for other in os.listdir(folder))  # noqa: PTH208 - pathlib costs 4 ms
        while True:
            try:
                view = memoryview(reserved_map(f"{folder}{os.sep}{number}{SUFFIX}", size))
                break
            except FileExistsError:
                number += 1
    except OSError:
        note_lost(folder)
        number, view = 0, memoryview(bytearray(size))
    cells = view[: _CELLS * 8].cast("q")
    view[_CELLS * 8 : _CELLS * 8 + len(words)] = words
    cells[Mark.PERMITS], cells[Mark.NAME_LENGTH], cells[Mark.NAME_SUM] = permits, len(words), crc32(words)
    cells[Mark.MAGIC] = _MAGIC
    return number, cells


def shared_lock_file(folder: str, number: int) -> memoryview:
    """The cells of a lock made elsewhere; if its file is gone, cells that nobody reads."""
    try:
        view = memoryview(shared_map(f"{folder}{os.sep}{number}{SUFFIX}"))
    except OSError:
        view = memoryview(bytearray(_CELLS * 8))
    return view[: _CELLS * 8].cast("q")


class LockState:
    """A lock as a reader sees it.

    Attributes:
        number: what lanes call it by.
        name: what people call it by.
        permits: how many there are in all, of a semaphore; EXCLUSIVE for a lock.
        unknown: whether some of its permits are with nobody knows whom.
        hold: who holds it, if one at a time can and one does.
    """

    def __init__(self, number: int) -> None:
        """Know nothing yet."""
        self.number = number
        self.name = ""
        self.permits = EXCLUSIVE
        self.unknown = False
        self.hold: Claim | None = None

    def update(self, view: memoryview) -> bool:
        """Read the file's bytes; false while the file is still being made."""
        if len(view) < _CELLS * 8 + _LONGEST_NAME:
            return False
        cells = view[: _CELLS * 8].cast("q")
        words = bytes(view[_CELLS * 8 : _CELLS * 8 + cells[Mark.NAME_LENGTH]])
        if cells[Mark.MAGIC] != _MAGIC or crc32(words) != cells[Mark.NAME_SUM]:
            return False
        self.name = words.decode("utf-8", "ignore")  # a long name may have been cut within a letter
        self.permits, self.unknown = cells[Mark.PERMITS], bool(cells[Mark.UNKNOWN])
        since = cells[Mark.SINCE]
        owner = cells[Mark.OWNER]
        # The moment is the same before and after only if the owner that was read is the one of that moment.
        held = since and since == cells[Mark.SINCE]
        seconds: float = struct.unpack("d", struct.pack("q", since))[0]
        self.hold = Claim(owner, self.number, int(seconds * 1e9)) if held else None
        return True
