"""What all named locks have in common: how they wait, what they keep of a hold, and how they travel.

    taken at once ───────────────► the holder and the moment are stored
    not free ───► waits 5 ms ────► a span "waiting for lock_x" is begun in the thread's lane; who finds that its
                                   own wait has closed a circle says so by a note; then it waits on, as asked
    let go of after 1 ms or more ► a record of the hold, in the thread's lane

This is the base of `helpers.observe.locks`, for which `named` is the way in.
"""

import os
import threading
from time import perf_counter_ns
from typing import Any, Final, Protocol
from weakref import WeakSet

from helpers.observe.lane import Cell, Kind, LaneWriter
from helpers.observe.lock_file import Mark, make_lock_file, shared_lock_file
from helpers.observe.lock_states import closed_circle
from helpers.observe.reading import SHORTEST_HOLD
from helpers.observe.trace import Trace

FIRST_LOOK: Final = 0.005
"""Seconds after which a thread that waits says so, and looks whether it waits in a circle."""
NOT_AT_ALL: Final = 0.0

# What some kinds have besides. A __getattr__ would do, but it makes every other attribute ten times as dear.
_GIVEN_ON: Final = ("_at_fork_reinit", "_is_owned", "_semlock", "get_value", "locked")
_OWNER, _SINCE = int(Mark.OWNER), int(Mark.SINCE)  # plain numbers index faster
_all: "WeakSet[NamedBase]" = WeakSet()


class Inner(Protocol):
    """The lock within: of threading or multiprocessing."""

    def acquire(self, *args: Any, **kwargs: Any) -> bool:  # noqa: ANN401 (each kind has words of its own for them)
        """Take it."""
        ...

    def release(self, *args: Any, **kwargs: Any) -> object:  # noqa: ANN401 (the same)
        """Let go of it."""
        ...


class NamedBase:
    """A lock within, its name, and where it is written who holds it.

    Args:
        name: what people call it.
        inner: the lock that does the work.
        trace: the record that it says everything to.
        shared: whether it is one lock for several processes.
        place: the number and the cells of its file.
    """

    __slots__ = (
        *_GIVEN_ON,
        "__weakref__",
        "_cells",
        "_inner",
        "_lane",
        "_name",
        "_number",
        "_release",
        "_shared",
        "_since",
        "_times",
        "_trace",
        "_try",
    )

    def __init__(self, name: str, inner: Inner, trace: Trace, *, shared: bool, place: tuple[int, memoryview]) -> None:
        self._inner = inner
        self._try, self._release = inner.acquire, inner.release
        self._name, self._trace, self._shared = name, trace, shared
        self._lane: LaneWriter | None = None
        self._since = 0.0
        for attribute in _GIVEN_ON:
            if hasattr(inner, attribute):
                setattr(self, attribute, getattr(inner, attribute))
        self._move(place)
        _all.add(self)

    def __repr__(self) -> str:
        """The same in every run."""
        return f"<{type(self).__name__} {self._name}>"

    def __reduce__(self) -> tuple[object, ...]:
        """Travel where the inner lock does; where it does not, its own error says so."""
        self._inner.__reduce_ex__(2)
        return _arrived, (type(self), self._name, self._inner, self._trace, self._number)

    def __enter__(self) -> bool:
        """Take it, and wait as long as that takes."""
        raise NotImplementedError

    def acquire(self, *args: Any, **kwargs: Any) -> bool:  # noqa: ANN401 (the arguments of the lock within)
        """Take it, as the lock within does with these arguments; false if it could not be had."""
        if not args and not kwargs:
            return self.__enter__()
        lane = self._trace.own_lane()
        limit = self._limit(*args, **kwargs)
        if limit == NOT_AT_ALL or self._try(False):  # noqa: FBT003 (each kind has its own word for it)
            taken = limit != NOT_AT_ALL or self._try(*args, **kwargs)  # or it refuses them
        else:
            taken = self._wait(lane, limit)
        if taken:
            self._taken(lane)
        return taken

    def _taken(self, lane: LaneWriter) -> None:
        """Store who has it."""
        raise NotImplementedError

    def _limit(self, *args: Any, **kwargs: Any) -> float | None:  # noqa: ANN401 (as above)
        """For how many seconds a call with these arguments waits; None for ever; NOT_AT_ALL if they are wrong."""
        names = ("block" if self._shared else "blocking", "timeout")
        asked = {**dict(zip(names, args, strict=False)), **kwargs}
        if len(asked) < len(args) + len(kwargs) or not asked.keys() <= set(names) or not asked.get(names[0], True):
            return NOT_AT_ALL
        for_ever = self._for_ever()
        timeout = asked.get("timeout", for_ever)
        if timeout is None or timeout == for_ever:
            return None if timeout == for_ever else NOT_AT_ALL
        sound = isinstance(timeout, int | float) and 0 < timeout <= threading.TIMEOUT_MAX
        return float(timeout) if sound else NOT_AT_ALL

    def _for_ever(self) -> int | None:
        """The time-out that stands for none."""
        return None

    def _wait(self, lane: LaneWriter, limit: float | None) -> bool:
        """Wait for it, up to `limit` seconds, and let everybody see it; false if it could not be had."""
        began, place, header = perf_counter_ns(), 0, lane.cells
        header[Cell.GIVES_UP] = limit is not None
        header[Cell.WAITING_SINCE] = began
        header[Cell.WAITING] = self._number
        try:
            if self._try(True, FIRST_LOOK if limit is None else min(limit, FIRST_LOOK)):  # noqa: FBT003 (as above)
                return True
            place = lane.begin(self._waiting_ref(lane), began)
            if limit is not None:
                left = limit - (perf_counter_ns() - began) / 1e9
                return left > 0 and self._try(True, left)  # noqa: FBT003 (as above)
            if words := closed_circle(self._trace, lane.me):
                lane.mark(Kind.NOTE, words)
            return self._try()
        finally:
            header[Cell.WAITING] = 0
            now = perf_counter_ns()
            if place or now - began >= SHORTEST_HOLD:
                place = place or lane.begin(self._waiting_ref(lane), began)
                header[place + 3] = 1  # no time on a core
                header[place + 2] = now

    def _waiting_ref(self, lane: LaneWriter) -> int:
        return lane.ref(f"waiting for {self._name}")

    def _keep_hold(self, worker: int, since: int) -> None:
        """Record in the current thread's lane that `worker` held it since then (nanoseconds), until now."""
        lane = self._trace.own_lane()
        place = lane.begin(Kind.HOLD << 32 | lane.ref(self._name), since)
        lane.cells[place + 3] = worker
        lane.cells[place + 2] = perf_counter_ns()

    def _move(self, place: tuple[int, memoryview]) -> None:
        self._number, self._cells = place
        self._times = self._cells.cast("B").cast("d")

    def _after_fork(self) -> None:
        """In a forked child: it shares the locks of multiprocessing, and has copies of those of threading."""
        if self._shared:
            return
        permits, held = self._cells[Mark.PERMITS], self._times[_SINCE]
        self._move(make_lock_file(self._trace.folder, self._name, permits))
        holder = self._lane
        if held and holder:
            mine = holder.ident == threading.get_ident()
            self._lane = holder = self._trace.own_lane() if mine else holder
            # Another thread of the parent's is not here: as a worker of this process it has ended.
            self._cells[_OWNER] = holder.me if mine else os.getpid() << 32 | holder.me & 0xFFFF_FFFF
            self._times[_SINCE] = held
        else:
            self._lane = None


def _arrived(kind: type[NamedBase], name: str, inner: Inner, trace: Trace, number: int) -> NamedBase:
    return kind(name, inner, trace, shared=True, place=(number, shared_lock_file(trace.folder, number)))


def _after_fork_in_child() -> None:
    for lock in list(_all):
        lock._after_fork()  # noqa: SLF001 (its other half)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
