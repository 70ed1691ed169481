"""Semaphores with a name; `helpers.observe.locks` makes them.

Who has a permit stands in the lane of the thread that took it, so that nobody else needs to store there.
"""

from time import perf_counter_ns
from types import TracebackType
from typing import Any

from helpers.observe.lane import HEADER, Cell, LaneWriter
from helpers.observe.lock_file import Mark
from helpers.observe.reading import SHORTEST_HOLD
from helpers.observe.waiting import NamedBase

_UNKNOWN, _PERMITS = int(Mark.UNKNOWN), int(Cell.PERMITS)  # plain numbers index faster


def permits_left(semaphore: Any) -> int | None:  # noqa: ANN401 (of threading or multiprocessing)
    """How many permits a semaphore has left; None where nobody can tell, which is on macOS between processes."""
    try:
        value: int = semaphore.get_value() if hasattr(semaphore, "get_value") else semaphore._value  # noqa: SLF001
    except NotImplementedError:
        return None
    return value


class NamedSemaphore(NamedBase):
    """A `Semaphore` or `BoundedSemaphore` with a name; `named` makes it.

    Who takes a permit holds it until the same thread gives one back. A permit that another thread gives back, or
    several given back at once, make it a signal rather than a lock: from then on nobody is said to hold it.
    """

    __slots__ = ()

    def __enter__(self) -> bool:
        """Take one permit, and wait as long as that takes."""
        try:
            lane = self._trace._local.lane  # noqa: SLF001 (its other half)
        except AttributeError:
            lane = self._trace.own_lane()
        attempt = self._try
        if not attempt(False):  # noqa: FBT003 (each kind has its own word for it)
            self._wait(lane, None)
        place = lane.top
        if place == HEADER or self._cells[_UNKNOWN]:
            self._cells[_UNKNOWN] = 1
            return True
        cells = lane.cells
        cells[place + 1] = perf_counter_ns()
        cells[place] = self._number
        lane.top = place + 2
        return True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Give one permit back."""
        try:
            lane = self._trace._local.lane  # noqa: SLF001 (its other half)
        except AttributeError:
            lane = self._trace.own_lane()
        place, cells = lane.top - 2, lane.cells
        if place >= _PERMITS and cells[place] == self._number:
            lane.top = place
        else:  # the last permit taken is not of this semaphore
            place = self._find(lane)
            if not place:
                self._signal()
                return
        since = cells[place + 1]
        cells[place] = 0
        release = self._release
        release()
        if perf_counter_ns() - since >= SHORTEST_HOLD:
            self._keep_hold(lane.me, since)

    def release(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (those of the semaphore within)
        """Give permits back: one, or as many as the semaphore within is told by these arguments."""
        if args or kwargs:
            self._signal(*args, **kwargs)
        else:
            self.__exit__(None, None, None)

    def _find(self, lane: LaneWriter) -> int:
        """Where the lane keeps the last permit it has of this semaphore; 0 if it has none."""
        while lane.top > _PERMITS and not lane.cells[lane.top - 2]:
            lane.top -= 2
        places = range(lane.top - 2, _PERMITS - 1, -2)
        return next((place for place in places if lane.cells[place] == self._number), 0)

    def _signal(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (its other half)
        """Give back what this thread did not take."""
        before, self._cells[_UNKNOWN] = self._cells[_UNKNOWN], 1
        try:
            self._release(*args, **kwargs)
        except BaseException:  # refused
            self._cells[_UNKNOWN] = before
            raise

    def _taken(self, lane: LaneWriter) -> None:
        place = lane.top
        if place == HEADER or self._cells[_UNKNOWN]:
            self._cells[_UNKNOWN] = 1
            return
        lane.cells[place + 1] = perf_counter_ns()
        lane.cells[place] = self._number
        lane.top = place + 2

    def _after_fork(self) -> None:
        permits = self._cells[Mark.PERMITS]
        super()._after_fork()
        if not self._shared and permits_left(self._inner) != permits:
            self._cells[_UNKNOWN] = 1
