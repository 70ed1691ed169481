"""Write one lane: what one thread says of itself, in a memory-mapped file.

A lane file is a row of 8-byte cells, then text::

    | header: HEADER cells | records: 4 cells each, one spare | text: length, crc32, UTF-8, padding |

One thread writes a lane and any number of processes read it, without a lock. It works because a cell is
stored whole, and because every cell of a record is zero until it is written once: a reader that meets a zero
knows that this cell is still to come. A text carries its checksum, so a text half written is recognised too.
"""

import os
import sys
import threading
from binascii import crc32
from enum import IntEnum
from mmap import mmap
from time import perf_counter_ns
from typing import Final

from helpers.observe.mapped import reserved_map
from helpers.observe.no_room import note_lost

MAGIC: Final = 0x656E616C_31
HEADER: Final = 32
RECORD: Final = 4
LONGEST_TEXT: Final = 4000
SUFFIX: Final = ".lane"


class Cell(IntEnum):
    """The cells of a lane's header, by their place."""

    MAGIC = 0
    PID = 1
    THREAD = 2
    OPENED = 3
    DONE = 4
    EXPECTED = 5
    USED = 6
    TEXT_USED = 7
    DROPPED = 8
    RECORDS = 9
    TEXT = 10
    TITLE = 11
    WORKER = 12
    """Who writes the lane, as named locks know it; zero in a further lane of a thread."""
    WAITING = 13
    """The number of the named lock that the thread waits for."""
    WAITING_SINCE = 14
    GIVES_UP = 15
    PERMITS = 16
    """From here on: the permits of named semaphores that the thread holds, each a lock's number and since when."""


class Kind(IntEnum):
    """What a record is; stored above the 32 bits that say where its text stands."""

    SPAN = 0
    NOTE = 1
    ERROR = 2
    TICK = 3
    HOLD = 4
    """A named lock was held; the record's last cell says by whom."""


class LaneWriter:
    """The writing end of a lane, for one thread only.

    Args:
        folder: where the lane's file is made.
        title: the name the lane is shown under.
        records: how many spans, notes and ticks together it has room for.
        text: how many bytes of names and notes it has room for.

    A lane that cannot be made, because the folder is gone or the disk is full, is kept in memory instead,
    where no reader sees it: the work it would have described goes on unharmed. A full lane counts what it
    drops.
    """

    __slots__ = (
        "cells",
        "done",
        "dropped",
        "ident",
        "me",
        "refs",
        "scratch",
        "text",
        "text_used",
        "top",
        "used",
    )

    def __init__(self, folder: str, title: str, records: int, text: int) -> None:
        cells = HEADER + (records + 1) * RECORD
        size = cells * 8 + text
        try:
            view = memoryview(_reserved_map(folder, size))
        except OSError:
            note_lost(folder)
            view = memoryview(bytearray(size))
        self.cells = view[: cells * 8].cast("q")
        self.text = view[cells * 8 :]
        self.scratch = HEADER + records * RECORD
        self.used = HEADER
        self.done = self.dropped = self.text_used = 0
        self.refs: dict[str, int] = {}
        self.top = int(Cell.PERMITS)
        self.ident, thread = threading.get_ident(), threading.get_native_id()
        self.me = os.getpid() << 32 | thread & 0xFFFF_FFFF
        header = self.cells
        header[Cell.PID] = os.getpid()
        header[Cell.THREAD] = thread
        header[Cell.OPENED] = perf_counter_ns()
        header[Cell.RECORDS] = records
        header[Cell.TEXT] = text
        header[Cell.TITLE] = self.ref(title)
        header[Cell.MAGIC] = MAGIC

    def ref(self, text: str) -> int:
        """Where `text` stands in this lane, plus one; stores it if it is new.

        Raises:
            TypeError: `text` is not a string.
        """
        known = self.refs.get(text)
        if known is not None:
            return known
        if not isinstance(text, str):
            raise TypeError(f"a name or note must be a string, got {text!r}: write str({text!r})")
        clipped = text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "…"
        words = clipped.encode("utf-8", "backslashreplace")
        at = self.text_used
        end = at + 8 + len(words)
        if end > len(self.text):
            return 1  # the lane's title: better than no word at all
        self.text[at + 8 : end] = words
        self.text[at : at + 8] = len(words).to_bytes(4, "little") + checksum(words).to_bytes(4, "little")
        self.text_used = -(-end // 8) * 8
        self.refs[text] = at + 1
        return at + 1

    def begin(self, ref: int, start: int | None = None) -> int:
        """Start a record, now if not said otherwise; give the place of its first cell.

        A full lane gives the spare record.
        """
        place = self.used
        if place == self.scratch:
            self.dropped += 1
            self.cells[Cell.DROPPED] = self.dropped
            return place
        self.used = used = place + RECORD
        cells = self.cells
        cells[place] = ref
        cells[place + 1] = start or perf_counter_ns()
        cells[Cell.USED] = used
        return place

    def mark(self, kind: Kind, text: str) -> None:
        """Record one moment: a note, an error or a tick."""
        place = self.begin(kind << 32 | self.ref(text))
        self.cells[place + 3] = 1
        self.cells[place + 2] = self.cells[place + 1] or 1

    def expect(self, total: int) -> None:
        """Say how many items this lane's thread means to finish in all."""
        self.cells[Cell.EXPECTED] = total


def checksum(words: bytes) -> int:
    """The CRC-32 of `words`, seeded so that zeros, which are what is not written yet, do not pass for no words."""
    return crc32(words, 1)


def thread_title() -> str:
    """The current thread's name as a lane shows it: a process's main thread goes by the process's name."""
    thread = threading.current_thread()
    # Every process that multiprocessing started has this module; importing it costs 14 ms.
    module = sys.modules.get("multiprocessing.process")
    process = module.current_process().name if module else "MainProcess"
    if thread is threading.main_thread():
        return "main thread" if process == "MainProcess" else process
    return thread.name if process == "MainProcess" else f"{process} / {thread.name}"


def _reserved_map(folder: str, size: int) -> mmap:
    name = f"{perf_counter_ns()}-{os.getpid()}-{threading.get_native_id()}{SUFFIX}"
    return reserved_map(f"{folder}{os.sep}{name}", size)
