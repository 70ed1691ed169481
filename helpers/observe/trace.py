"""Record what threads and processes do, so that it can be drawn, counted and put into words.

    with Trace() as trace:                          # in the kernel
        Process(target=work, args=(trace,)).start()
            # in the worker:
            with trace.span("computing"):
                trace.advance()
                trace.note("half way")
        trace.lanes()                               # in the kernel, at any time

A `Trace` may be handed to any thread or process, by any start method and through any executor: all that
travels is the path of its folder. Each thread that speaks gets a lane of its own, so nobody waits for anybody.
"""

import os
import threading
from time import perf_counter_ns, thread_time_ns
from types import TracebackType
from typing import TYPE_CHECKING, Self
from weakref import WeakValueDictionary, finalize

from helpers.observe.lane import LONGEST_TEXT, Cell, Kind, LaneWriter, thread_title
from helpers.observe.reading import Lane, Reader

if TYPE_CHECKING:
    from helpers.observe.waits import Waits

_DONE = int(Cell.DONE)
_traces: "WeakValueDictionary[str, Trace]" = WeakValueDictionary()
# A worker's tasks bring the same trace again and again; kept, so that each finds its thread's lane again.
_kept: "list[Trace]" = []


class OpenSpan:
    """A span that `with` opens and closes; made by `Trace.span`.

    An exception that leaves it is recorded and goes on its way.
    """

    __slots__ = ("_cpu", "_lane", "_name", "_place")

    def __init__(self, lane: LaneWriter, name: str) -> None:
        """Keep what `__enter__` needs."""
        self._lane = lane
        self._name = name

    def __enter__(self) -> None:
        """Record the start."""
        lane = self._lane
        self._place = lane.begin(lane.refs.get(self._name) or lane.ref(self._name))
        self._cpu = thread_time_ns()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Record the thread's time on a core, and the end."""
        cells = self._lane.cells
        place = self._place
        cells[place + 3] = thread_time_ns() - self._cpu + 1
        cells[place + 2] = perf_counter_ns()
        if error is not None:
            self._lane.mark(Kind.ERROR, f"{type(error).__name__}: {error}")


class Trace:
    """A record of what threads and processes did.

    Args:
        records: how many spans, notes and ticks each thread has room for; 32 bytes each. A thread that says
            more goes on working, and the picture says how many were dropped.
        text: how many bytes of names and notes each thread has room for.

    Raises:
        ValueError: `records` or `text` is too small to be of use.
        OSError: the folder for temporary files cannot be written.

    Use it in a `with` block: leaving it deletes the folder. What was recorded stays readable.
    """

    def __init__(self, *, records: int = 10_000, text: int = 65_536) -> None:
        """Make an empty record."""
        if records < 1:
            raise ValueError(f"records must be at least 1, got {records!r}")
        if text < LONGEST_TEXT:
            raise ValueError(f"text must be at least {LONGEST_TEXT} bytes, got {text!r}")
        from helpers.observe.own_folder import delete_folder, make_folder  # noqa: PLC0415 - only the owner needs it

        self._attach(make_folder(), records, text)
        self._finalize = finalize(self, delete_folder, self.folder)

    def _attach(self, folder: str, records: int, text: int) -> None:
        self.folder = folder
        self._room = (records, text)
        self._local = threading.local()
        self._reader = Reader(folder)
        self._reading = threading.Lock()
        self._last: list[Lane] | None = None
        self._last_waits: Waits | None = None
        _traces[folder] = self

    def __reduce__(self) -> "tuple[object, tuple[str, int, int]]":
        """Travel as a path: the same trace is shared, never copied."""
        return _attach, (self.folder, *self._room)

    def __repr__(self) -> str:
        """The same in every run."""
        return "<Trace>" if self._last is None else "<Trace, closed>"

    def __enter__(self) -> Self:
        """Give the trace itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the trace."""
        self.close()

    def span(self, name: str) -> OpenSpan:
        """Record how long a `with` block lasts, and how much of that its thread was on a core."""
        try:
            lane = self._local.lane
        except AttributeError:
            lane = self._new_lane()
        return OpenSpan(lane, name)

    def advance(self, count: int = 1) -> None:
        """Say that this thread has finished `count` more items.

        Raises:
            TypeError: `count` is not a whole number.
        """
        try:
            lane = self._local.lane
        except AttributeError:
            lane = self._new_lane()
        try:
            lane.cells[_DONE] = lane.done = lane.done + count
        except TypeError:
            raise TypeError(f"count must be a whole number, got {count!r}") from None

    def expect(self, total: int) -> None:
        """Say that this thread means to finish `total` items in all.

        Raises:
            ValueError: `total` is negative.
        """
        if total < 0:
            raise ValueError(f"total must be 0 or more, got {total!r}")
        self.own_lane().expect(total)

    def note(self, text: str) -> None:
        """Say `text` where a script would print it."""
        self.own_lane().mark(Kind.NOTE, text)

    def extra_lane(self, title: str) -> LaneWriter:
        """A further lane beside the current thread's own, to be written by one thread only."""
        return LaneWriter(self.folder, title, *self._room)

    def lanes(self) -> list[Lane]:
        """What everybody has said so far, oldest lane first. The lanes grow in place with every call."""
        with self._reading:
            return self._reader.poll() if self._last is None else self._last

    def trouble(self) -> str:
        """Why something is missing in what was read last, and what helps; empty if nothing is known to be missing."""
        from helpers.observe.no_room import lost_words  # noqa: PLC0415 - no worker asks

        return lost_words(self.folder, self._reader.lost)

    def close(self) -> None:
        """Read all there is, then delete the folder. Threads that still write go on, unread."""
        from helpers.observe.lock_states import standing  # noqa: PLC0415 - 2 ms that no worker needs to pay

        with self._reading:
            if self._last is None:
                self._last_waits = standing(self._reader).waits
                self._last = self._reader.poll()
                self._reader.close()
        self._local = threading.local()
        finalizer = getattr(self, "_finalize", None)
        if finalizer is not None:
            finalizer()

    def own_lane(self) -> LaneWriter:
        """The lane that the current thread writes; made at its first word."""
        lane: LaneWriter | None = getattr(self._local, "lane", None)
        return lane or self._new_lane()

    def _new_lane(self) -> LaneWriter:
        lane = self.extra_lane(thread_title())
        lane.cells[Cell.WORKER] = lane.me
        self._local.lane = lane
        return lane


def open_traces() -> int:
    """How many traces of this process are not closed yet."""
    return sum(trace._last is None for trace in list(_traces.values()))  # noqa: SLF001


def _attach(folder: str, records: int, text: int) -> Trace:
    """The one trace of this process for `folder`."""
    trace = _traces.get(folder)
    if trace is None:
        trace = Trace.__new__(Trace)
        trace._attach(folder, records, text)  # noqa: SLF001
        _kept.append(trace)
    return trace


def _after_fork_in_child() -> None:
    """A forked child must not write into the lane of the thread that forked it."""
    for trace in list(_traces.values()):
        trace._local = threading.local()  # noqa: SLF001
        trace._reading = threading.Lock()  # noqa: SLF001


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
