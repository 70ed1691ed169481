"""Locks that one at a time can hold, with a name; `helpers.observe.locks` makes them.

`__enter__` and `__exit__` are the price of `with`, so they say twice what could be said once: a call costs 50 ns, and
a plain lock's `with` 150.
"""

from time import perf_counter
from types import TracebackType
from typing import Any, Final

from helpers.observe.lane import LaneWriter
from helpers.observe.lock_file import Mark
from helpers.observe.reading import SHORTEST_HOLD
from helpers.observe.waiting import NamedBase

_OWNER, _SINCE = int(Mark.OWNER), int(Mark.SINCE)  # plain numbers index faster
_SHORTEST: Final = SHORTEST_HOLD / 1e9


class NamedLock(NamedBase):
    """A `Lock` with a name; `named` makes it."""

    __slots__ = ()

    def __enter__(self) -> bool:
        """Take it, and wait as long as that takes."""
        try:
            lane = self._trace._local.lane  # noqa: SLF001 (its other half)
        except AttributeError:
            lane = self._trace.own_lane()
        attempt = self._try
        if not attempt(False):  # noqa: FBT003 (each kind has its own word for it)
            self._wait(lane, None)
        if lane is not self._lane or self._shared:
            self._lane = lane
            self._cells[_OWNER] = lane.me
        self._times[_SINCE] = self._since = perf_counter()
        return True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Let go of it."""
        since, holder = self._since, self._lane
        self._times[_SINCE] = 0.0
        if self._shared:
            self._since = 0.0  # the next to take it may be of another process
        release = self._release
        release()
        if perf_counter() - since >= _SHORTEST and since and holder:
            self._keep_hold(holder.me, int(since * 1e9))

    def release(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (the lock within refuses them)
        """Let go of it; any thread may, unless it is an RLock."""
        if args or kwargs:
            self._release(*args, **kwargs)
        else:
            self.__exit__(None, None, None)

    def _taken(self, lane: LaneWriter) -> None:
        self._lane = lane
        self._cells[_OWNER] = lane.me
        self._times[_SINCE] = self._since = perf_counter()

    def _for_ever(self) -> int | None:
        return None if self._shared else -1


class NamedRLock(NamedLock):
    """An `RLock` with a name; `named` makes it. Only the outermost of its holder's holds counts."""

    __slots__ = ("_count",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 (those of NamedBase)
        """Nobody holds it yet."""
        super().__init__(*args, **kwargs)
        self._count = 0

    def __enter__(self) -> bool:
        """Take it, and wait as long as that takes; who holds it need not wait."""
        try:
            lane = self._trace._local.lane  # noqa: SLF001 (as above)
        except AttributeError:
            lane = self._trace.own_lane()
        attempt = self._try
        if not attempt(False):  # noqa: FBT003 (as above)
            self._wait(lane, None)
        if self._count:
            self._count += 1
            return True
        self._count = 1
        if lane is not self._lane or self._shared:
            self._lane = lane
            self._cells[_OWNER] = lane.me
        self._times[_SINCE] = self._since = perf_counter()
        return True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Let go of it once."""
        if self._count > 1:
            self._release()
            self._count -= 1
            return
        since, count = self._since, self._count
        self._count = 0
        self._times[_SINCE] = 0.0
        release = self._release
        try:
            release()
        except BaseException:  # it is another's to release
            self._count, self._times[_SINCE] = count, since
            raise
        if perf_counter() - since >= _SHORTEST and since:
            self._keep_hold(self._trace.own_lane().me, int(since * 1e9))

    def _taken(self, lane: LaneWriter) -> None:
        self._count += 1
        if self._count == 1:
            super()._taken(lane)

    def _release_save(self) -> int:
        """Let go of it wholly, for a Condition; give how often it was held."""
        count = max(self._count, 1)
        for _ in range(count):
            self.release()
        return count

    def _acquire_restore(self, count: int) -> None:
        """Take it as often as it was held."""
        for _ in range(count):
            self.acquire()

    def _after_fork(self) -> None:
        super()._after_fork()
        if self._shared:
            self._count = 0
