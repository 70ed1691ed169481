"""Tasks in a pool, whatever its kind: which have ended, and with what."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError
from typing import Any, NamedTuple

Handles = Mapping[str, Any] | Sequence[Any]
"""Futures, or `AsyncResult`s of `multiprocessing`: in a sequence, or by name."""


class Ended(NamedTuple):
    """A task that has ended: it has returned `value`, or `error` says why not."""

    name: str
    value: object
    error: BaseException | None


class Tasks:
    """Tells, again and again, which tasks have ended since it was last asked.

    Args:
        handles: those of a sequence are called "task 0" and so on.
        tell: called in any thread when a task has failed, or the last one has ended.

    Attributes:
        names: of all tasks, in the order in which they were handed in.
        open: the tasks that have not ended, by their names.
        total: how many there are in all; of one `map_async`, its items.

    Raises:
        ValueError: there is none.
        TypeError: one is neither.
    """

    def __init__(self, handles: Handles, tell: Callable[[], object]) -> None:
        named = handles if isinstance(handles, Mapping) else {f"task {n}": one for n, one in enumerate(handles)}
        self.open: dict[str, Any] = {str(name): handle for name, handle in named.items()}
        if not self.open:
            raise ValueError("tasks must be at least one future or AsyncResult, got none")
        for name, handle in self.open.items():
            if not _is_async_result(handle) and not hasattr(handle, "add_done_callback"):
                wanted = "a future or an AsyncResult, as submit and apply_async give"
                raise TypeError(f"{name!r} must be {wanted}, got {handle!r}")
        self.names = list(self.open)
        self.total = sum(map(_size, self.open.values()))
        self._done = 0
        self._tell = tell
        self._told: deque[Ended] = deque()
        self._quiet = {name: handle for name, handle in self.open.items() if _is_async_result(handle)}
        self._maps = {name: handle for name, handle in self._quiet.items() if _size(handle) > 1}
        for name, handle in list(self.open.items()):
            self._listen(name, handle)

    @property
    def done(self) -> int:
        """How many of `total` have finished, with a result."""
        return self._done + sum(_size(handle) - _left(handle) for handle in self._maps.values())

    def ended(self) -> list[Ended]:
        """Those that have ended since the last time."""
        ended = []
        while self._told:
            ended.append(self._told.popleft())
        # An AsyncResult that was ready before we listened will not tell any more.
        ended += [Ended(name, *_outcome(handle)) for name, handle in self._quiet.items() if handle.ready()]
        fresh = [(task, handle) for task in ended if (handle := self._close(task.name)) is not None]
        self._done += sum(_size(handle) for task, handle in fresh if task.error is None)
        return [task for task, _ in fresh]

    def give_up(self) -> list[str]:
        """The names of those that have not ended; nobody waits for them any more."""
        names = list(self.open)
        for name in names:
            self._close(name)
        return names

    def _close(self, name: str) -> Any:  # noqa: ANN401 (any kind of future)
        """Do not wait for it any more; gives it, or None if it was not waited for."""
        self._quiet.pop(name, None)
        self._maps.pop(name, None)
        return self.open.pop(name, None)

    def _listen(self, name: str, handle: Any) -> None:  # noqa: ANN401 (any kind of future)
        if not _is_async_result(handle):
            handle.add_done_callback(lambda future: self._note(Ended(name, *_outcome(future))))
            return
        # As if they had been handed to apply_async, beside what was.
        ours = lambda value: self._note(Ended(name, value, None)), lambda error: self._note(Ended(name, None, error))
        theirs = handle._callback, handle._error_callback  # noqa: SLF001 (there is no public way)
        handle._callback, handle._error_callback = map(_both, ours, theirs)  # noqa: SLF001 (the same)

    def _note(self, task: Ended) -> None:
        """Called in any thread. Good news can wait for the next look."""
        self._told.append(task)
        if task.error is not None or len(self._told) >= len(self.open):
            self._tell()


def _both(first: Callable[[Any], object], second: Callable[[Any], object] | None) -> Callable[[Any], None]:
    def call(value: object) -> None:
        first(value)
        if second is not None:
            second(value)

    return call


def _is_async_result(handle: object) -> bool:
    return hasattr(handle, "ready") and hasattr(handle, "_callback")


def _size(handle: object) -> int:
    """How many items it stands for."""
    values = getattr(handle, "_value", None)  # of a map_async: room for all its results
    return len(values) if hasattr(handle, "_number_left") and values else 1


def _left(handle: object) -> int:
    """How many items of a map_async have not ended."""
    chunks: int = getattr(handle, "_number_left", 0)
    chunk: int = getattr(handle, "_chunksize", 1)
    return min(_size(handle), chunks * chunk)


def _outcome(handle: Any) -> tuple[object, BaseException | None]:  # noqa: ANN401 (any kind of future)
    """What an ended task returned, or what it raised."""
    try:
        if _is_async_result(handle):
            return handle.get(0), None
        if handle.cancelled():
            return None, CancelledError()
        error = handle.exception()
        return (None, error) if error is not None else (handle.result(), None)
    except BaseException as error:  # noqa: BLE001 (whatever the task raised)
        return None, error
