"""Read lanes back while their threads go on writing: no lock, no pause, nothing half written.

A `Reader` is polled; each poll takes only what is new, and a `Lane` grows in place.
"""

import os
from collections import OrderedDict
from mmap import ACCESS_READ, mmap
from time import perf_counter_ns
from typing import Final, NamedTuple

from helpers.observe.lane import HEADER, MAGIC, RECORD, Cell, Kind, checksum

SPAN, ERROR, TICK = int(Kind.SPAN), int(Kind.ERROR), int(Kind.TICK)  # plain numbers compare faster
# A map holds a file descriptor open, of which a process may often have no more than 256 (macOS) or 1024.
MOST_MAPS: Final = 100


class Span(NamedTuple):
    """Something that lasted; times are nanoseconds of `time.perf_counter_ns`."""

    name: str
    start: int
    end: int | None
    """None while the span is open."""
    cpu: int | None
    """Nanoseconds its thread spent on a core in the span; None while the span is open."""
    depth: int
    """How many spans of its thread it lies in."""


class Note(NamedTuple):
    """Words that a thread said at a moment; `error` is true for an exception that left a span."""

    text: str
    at: int
    error: bool


class Lane:
    """What one thread has said of itself so far.

    Attributes:
        title: the thread's name, or its process's for a main thread.
        pid: the process it runs in.
        thread: its native id, as `threading.get_native_id` gives it.
        opened: when the lane was made, in nanoseconds of `time.perf_counter_ns`.
        done: how many items it has finished.
        expected: how many it means to finish in all; 0 if it never said.
        dropped: how many records found the lane full.
        seen: when it was last looked at, in nanoseconds of `time.perf_counter_ns`.
        ended: when its worker was seen to have ended, likewise; 0 if nobody has said so. Set by who knows.
        spans: in the order they began.
        notes: in the order they were said.
        ticks: moments of a heartbeat.
    """

    def __init__(self) -> None:
        self.title = ""
        self.pid = self.thread = self.opened = self.done = self.expected = self.dropped = 0
        self.seen = self.ended = 0
        self.spans: list[Span] = []
        self.notes: list[Note] = []
        self.ticks: list[int] = []
        self._next = HEADER
        self._open: list[tuple[int, int]] = []
        self._stack: list[int] = []
        self._texts: dict[int, str] = {}

    def update(self, view: memoryview) -> bool:
        """Take what is new in the file's bytes; false while the lane is still being made."""
        if len(view) < HEADER * 8:
            return False
        header = view[: HEADER * 8].cast("q")
        if header[Cell.MAGIC] != MAGIC:
            return False
        cells = view[: (HEADER + header[Cell.RECORDS] * RECORD) * 8].cast("q")
        text = view[(HEADER + (header[Cell.RECORDS] + 1) * RECORD) * 8 :]
        if len(text) < header[Cell.TEXT]:
            return False  # mapped before the file had its full length
        if not self.opened:
            title = self._text(text, header[Cell.TITLE])
            if title is None:
                return False
            self.title, self.pid, self.thread = title, header[Cell.PID], header[Cell.THREAD]
            self.opened = header[Cell.OPENED]
        self.done, self.expected, self.dropped = (
            header[Cell.DONE],
            header[Cell.EXPECTED],
            header[Cell.DROPPED],
        )
        self.seen = perf_counter_ns()
        used = header[Cell.USED]  # before looking for ends: a span taken now then finds those before it closed
        self._close_open(cells)
        self._take_new(cells, text, used)
        return True

    def _close_open(self, cells: memoryview) -> None:
        still_open = []
        for index, place in self._open:
            end, cpu = cells[place + 2], cells[place + 3]
            if end and cpu:
                self.spans[index] = self.spans[index]._replace(end=end, cpu=cpu - 1)
            else:
                still_open.append((index, place))
        self._open = still_open

    def _take_new(self, cells: memoryview, text: memoryview, used: int) -> None:
        fresh = cells[self._next : used].tolist() if used > self._next else []
        for at in range(0, len(fresh), RECORD):
            ref, start, end, cpu = fresh[at : at + RECORD]
            words = self._text(text, ref & 0xFFFF_FFFF) if ref and start else None
            if words is None:
                return  # not all of it is visible yet: the next poll takes it
            kind = ref >> 32
            if kind == SPAN:
                self._take_span(words, start, end if end and cpu else None, cpu - 1)
            elif kind == TICK:
                self.ticks.append(start)
            else:
                self.notes.append(Note(words, start, kind == ERROR))
            self._next += RECORD

    def _take_span(self, name: str, start: int, end: int | None, cpu: int) -> None:
        spans, stack = self.spans, self._stack
        while stack and (spans[stack[-1]].end or start + 1) <= start:
            stack.pop()
        span = Span(name, start, end, None if end is None else cpu, len(stack))
        if end is None:
            self._open.append((len(spans), self._next))
        stack.append(len(spans))
        spans.append(span)

    def _text(self, text: memoryview, ref: int) -> str | None:
        """The text at `ref`, or None while it is not all there."""
        known = self._texts.get(ref)
        if known is not None or not ref:
            return known
        length = int.from_bytes(text[ref - 1 : ref + 3], "little")
        words = bytes(text[ref + 7 : ref + 7 + length])
        if checksum(words) != int.from_bytes(text[ref + 3 : ref + 7], "little"):
            return None
        self._texts[ref] = decoded = words.decode()
        return decoded


class Reader:
    """Reads all lanes in a folder, again and again.

    Args:
        folder: the trace's folder.
    """

    def __init__(self, folder: str) -> None:
        """Read nothing yet."""
        self._folder = folder
        self._lanes: dict[str, Lane] = {}
        self._maps: OrderedDict[str, mmap] = OrderedDict()

    def poll(self) -> list[Lane]:
        """Read what is new and give all lanes, oldest first. The same `Lane` objects come back each time."""
        ready = []
        try:
            names = os.listdir(self._folder)  # noqa: PTH208 - importing pathlib costs a worker 4 ms
        except FileNotFoundError:
            names = []
        for name in names:
            lane = self._lanes.get(name) or self._lanes.setdefault(name, Lane())
            mapped = self._map(name)
            if mapped is not None:
                with memoryview(mapped) as view:
                    whole = lane.update(view)
                if not whole:
                    self._maps.pop(name).close()
            if lane.opened:
                ready.append(lane)
        return sorted(ready, key=lambda lane: lane.opened)

    def close(self) -> None:
        """Let go of the files; what was read stays in the lanes."""
        while self._maps:
            self._maps.popitem()[1].close()

    def _map(self, name: str) -> mmap | None:
        mapped = self._maps.get(name)
        if mapped is None:
            try:
                with open(f"{self._folder}{os.sep}{name}", "rb") as file:  # noqa: PTH123 - as above
                    mapped = mmap(file.fileno(), 0, access=ACCESS_READ)
            except (OSError, ValueError):  # gone, or still empty
                return None
            self._maps[name] = mapped
            if len(self._maps) > MOST_MAPS:
                self._maps.popitem(last=False)[1].close()
        return mapped
