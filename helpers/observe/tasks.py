"""Record tasks of asyncio: a lane for each, although one thread runs them all.

    await in_lane(trace, "page 7", fetch_async, url)

A span of the thread's own lane would be wrong for a task: while the task waits, its thread runs others. So its lane
has a span "its turn" for each time that the event loop lets it run, up to the next `await` that really waits, and a
span "waiting" in between.
"""

from collections.abc import Callable, Coroutine, Generator
from time import perf_counter_ns, thread_time_ns
from typing import Any, Final, Generic, TypeVar

from helpers.observe.lane import Kind, LaneWriter
from helpers.observe.trace import Trace

TURN: Final = "its turn"
WAITING: Final = "waiting"

T = TypeVar("T")


async def in_lane(trace: Trace, name: str, function: Callable[..., Coroutine[Any, Any, T]], *args: object) -> T:
    """Give `await function(*args)`, recorded in a lane of its own.

    Args:
        trace: gets the lane. One for hundreds of tasks should be made with few `records`, as each has room for all.
        name: the lane's title.
        function: a coroutine function.
        *args: what it takes.

    An exception that ends it, a cancellation too, is recorded and goes on its way.
    """
    return await _Turns(trace.extra_lane(name), function(*args))


class _Turns(Generic[T]):
    """Awaits a coroutine, and records each of its turns and waits."""

    def __init__(self, lane: LaneWriter, coroutine: Coroutine[Any, Any, T]) -> None:
        self._lane = lane
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, T]:
        """Hand on to the event loop what the coroutine waits for, and to the coroutine what comes of it."""
        error: BaseException | None = None
        while True:
            try:
                awaited = self._turn(error)
            except StopIteration as end:
                value: T = end.value
                return value
            error = None
            place = self._lane.begin(self._lane.ref(WAITING))
            try:
                yield awaited
            except BaseException as thrown:  # noqa: BLE001 (the coroutine gets it in its next turn)
                error = thrown
            self._close(place, 0)

    def _turn(self, error: BaseException | None) -> object:
        place, cpu = self._lane.begin(self._lane.ref(TURN)), thread_time_ns()
        try:
            return self._coroutine.send(None) if error is None else self._coroutine.throw(error)
        except StopIteration:
            raise
        except BaseException as raised:
            self._lane.mark(Kind.ERROR, f"{type(raised).__name__}: {raised}".removesuffix(": "))
            raise
        finally:
            self._close(place, thread_time_ns() - cpu)

    def _close(self, place: int, cpu: int) -> None:
        """End the span at `place`, of which the thread was on a core for `cpu` nanoseconds."""
        cells = self._lane.cells
        cells[place + 3] = cpu + 1  # readers take 0 for not written yet
        cells[place + 2] = perf_counter_ns()
