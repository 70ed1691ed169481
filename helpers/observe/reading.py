"""Read lanes back while their threads go on writing: no lock, no pause, nothing half written.

A `Reader` is polled; each poll takes only what is new, and a `Lane` grows in place.
"""

from collections.abc import Callable
from functools import partial
from time import perf_counter_ns
from typing import Final, NamedTuple

from helpers.observe.lane import HEADER, MAGIC, RECORD, SUFFIX, Cell, Kind, checksum
from helpers.observe.lock_file import SUFFIX as LOCK_SUFFIX
from helpers.observe.lock_file import Claim, LockState
from helpers.observe.mapped import Maps
from helpers.observe.no_room import SUFFIX as LOST_SUFFIX

SPAN, ERROR, TICK, HOLD = int(Kind.SPAN), int(Kind.ERROR), int(Kind.TICK), int(Kind.HOLD)  # these compare faster
AT_ONCE: Final = 8_192 * RECORD  # cells that are copied at once: a million records would take 160 MB
SHORTEST_HOLD: Final = 1_000_000
"""Nanoseconds; of a shorter hold of a named lock, or wait for one, no record is kept."""


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


class Held(NamedTuple):
    """A named lock, or a permit of a named semaphore, that a thread had for a while, in nanoseconds as a span's."""

    lock: str
    start: int
    end: int | None
    """None while it still has it."""


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
        held: named locks it has held for a millisecond or more, in the order it let go of them; shorter holds
            are not kept.
        holding: named locks it has held for a millisecond or more and holds now, in the order it took them.
        worker: who writes it, as named locks know it; 0 for a further lane of a thread.
        waiting: the named lock it waits for, if it does.
        permits: the permits of named semaphores it holds.
        handed_back: what it let go of for other workers, which held it: their numbers, and what they held.
    """

    def __init__(self) -> None:
        self.title = ""
        self.pid = self.thread = self.opened = self.done = self.expected = self.dropped = 0
        self.seen = self.ended = 0
        self.spans: list[Span] = []
        self.notes: list[Note] = []
        self.ticks: list[int] = []
        self.held: list[Held] = []
        self.holding: list[Held] = []
        self.worker = 0
        self.waiting: Claim | None = None
        self.permits: list[Claim] = []
        self.handed_back: list[tuple[int, Held]] = []
        self._next = HEADER
        self._open: list[tuple[int, int]] = []
        self._stack: list[int] = []
        self._texts: dict[int, str] = {}

    def update(self, view: memoryview) -> bool:
        """Take what is new in the file's bytes; false while the lane is still being made."""
        if not self.glance(view):
            return False
        _, cells, text = _parts(view)
        used = cells[Cell.USED]  # before looking for ends: a span taken now then finds those before it closed
        self._close_open(cells)
        self._take_new(cells, text, used)
        return True

    def glance(self, view: memoryview) -> bool:
        """Take what the header says, without the records; false while the lane is still being made."""
        whole, cells, text = _parts(view)
        if not whole:
            return False
        if not self.opened:
            title = self._text(text, cells[Cell.TITLE])
            if title is None:
                return False
            self.title, self.pid, self.thread = title, cells[Cell.PID], cells[Cell.THREAD]
            self.opened = cells[Cell.OPENED]
        self.done, self.expected, self.dropped = cells[Cell.DONE], cells[Cell.EXPECTED], cells[Cell.DROPPED]
        self.worker = worker = cells[Cell.WORKER]
        lock, since = cells[Cell.WAITING], cells[Cell.WAITING_SINCE]
        self.waiting = Claim(worker, lock, since, bool(cells[Cell.GIVES_UP])) if lock else None
        permits = cells[Cell.PERMITS : HEADER].tolist()
        self.permits = [
            Claim(worker, permits[at], permits[at + 1]) for at in range(0, len(permits), 2) if permits[at]
        ]
        self.seen = perf_counter_ns()
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
        for first in range(self._next, used, AT_ONCE):
            last = min(used, first + AT_ONCE)
            self._take(cells[first:last].tolist(), text)
            if self._next < last:
                return  # not all of it is visible yet: the next poll takes it

    def _take(self, fresh: list[int], text: memoryview) -> None:
        """Take records, up to the first that is not complete."""
        for at in range(0, len(fresh), RECORD):
            ref, start, end, cpu = fresh[at : at + RECORD]
            words = self._text(text, ref & 0xFFFF_FFFF) if ref and start else None
            if words is None:
                return
            kind = ref >> 32
            if kind == SPAN:
                self._take_span(words, start, end if end and cpu else None, cpu - 1)
            elif kind == TICK:
                self.ticks.append(start)
            elif kind == HOLD:
                if not (end and cpu):
                    return
                self._take_hold(Held(words, start, end), cpu)
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

    def _take_hold(self, held: Held, worker: int) -> None:
        if worker == self.worker:
            self.held.append(held)
        else:
            self.handed_back.append((worker, held))

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


def _parts(view: memoryview) -> tuple[bool, memoryview, memoryview]:
    """Whether all of a lane is there; if so, its header and records, and its text."""
    if len(view) < HEADER * 8:
        return False, view, view
    header = view[: HEADER * 8].cast("q")
    records = HEADER + header[Cell.RECORDS] * RECORD
    text = view[(records + RECORD) * 8 :]
    # It may have been mapped before the file had its full length.
    whole = header[Cell.MAGIC] == MAGIC and len(text) >= header[Cell.TEXT]
    return whole, view[: records * 8].cast("q") if whole else view, text


class Reader:
    """Reads all that stands in a folder, again and again.

    Args:
        folder: the trace's folder.

    Attributes:
        lost: how many lanes and locks found no room there.
    """

    def __init__(self, folder: str) -> None:
        """Read nothing yet."""
        self._lanes: dict[str, Lane] = {}
        self._locks: dict[int, LockState] = {}
        self._finished: set[str] = set()
        self.lost = 0
        self._maps = Maps(folder)

    def poll(self) -> list[Lane]:
        """Read what is new and give all lanes, oldest first. The same `Lane` objects come back each time."""
        names = self._maps.names()
        self.lost = sum(name.endswith(LOST_SUFFIX) for name in names)
        locks = self._read_locks(names)
        lanes = self._read_lanes(names, Lane.update)
        _share_holds(lanes, locks)
        return lanes

    def glance(self) -> tuple[list[Lane], list[LockState]]:
        """Read who waits and who holds, of all lanes and all named locks, if there are any such locks."""
        names = self._maps.names()
        locks = self._read_locks(names)
        return (self._read_lanes(names, Lane.glance), locks) if locks else ([], [])

    def close(self) -> None:
        """Let go of the files; what was read stays in the lanes."""
        self._maps.close()

    def _read_lanes(self, names: list[str], read: Callable[[Lane, memoryview], bool]) -> list[Lane]:
        ready = []
        for name in names:
            if name.endswith(SUFFIX):
                lane = self._lanes.get(name) or self._lanes.setdefault(name, Lane())
                if name in self._finished:
                    lane.seen = perf_counter_ns()
                else:
                    ended = lane.ended
                    self._maps.read(name, partial(read, lane))
                    if ended and read is Lane.update:  # all of it has been read, and nobody will write more
                        self._finished.add(name)
                        self._maps.forget(name)
                if lane.opened:
                    ready.append(lane)
        return sorted(ready, key=lambda lane: lane.opened)

    def _read_locks(self, names: list[str]) -> list[LockState]:
        numbers = sorted(int(name.removesuffix(LOCK_SUFFIX)) for name in names if name.endswith(LOCK_SUFFIX))
        for number in numbers:
            lock = self._locks.get(number) or self._locks.setdefault(number, LockState(number))
            self._maps.read(f"{number}{LOCK_SUFFIX}", lock.update)
        return [self._locks[number] for number in numbers]


def _share_holds(lanes: list[Lane], locks: list[LockState]) -> None:
    """Let each lane say what its worker holds now, and take in what others let go of for it."""
    known = {lock.number: lock for lock in locks}
    owners = {lane.worker: lane for lane in lanes if lane.worker}
    for lane in lanes:
        permits = [permit for permit in lane.permits if permit.lock in known and not known[permit.lock].unknown]
        holds = [lock.hold for lock in locks if lock.hold and lock.hold.worker == lane.worker]
        lane.holding = [
            Held(known[hold.lock].name, hold.since, None)
            for hold in sorted(permits + holds, key=lambda hold: hold.since)
            if lane.seen - hold.since >= SHORTEST_HOLD
        ]
        for worker, held in lane.handed_back:
            if worker in owners:
                owners[worker].held.append(held)
        lane.handed_back.clear()
