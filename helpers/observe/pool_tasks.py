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
        tell: called in any thread when a future has ended; a Pool does not tell.

    Attributes:
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
            if not _is_silent(handle) and not hasattr(handle, "add_done_callback"):
                wanted = "a future or an AsyncResult, as submit and apply_async give"
                raise TypeError(f"{name!r} must be {wanted}, got {handle!r}")
        self.total = sum(map(_size, self.open.values()))
        self._told: deque[str] = deque()
        self._silent = [name for name, handle in self.open.items() if _is_silent(handle)]
        for name, handle in self.open.items():
            if not _is_silent(handle):
                handle.add_done_callback(self._noting(name, tell))

    @property
    def done(self) -> int:
        """How many of `total` have ended."""
        return self.total - sum(map(_left, self.open.values()))

    def ended(self) -> list[Ended]:
        """Those that have ended since the last time."""
        done = [name for name in self._silent if self.open[name].ready()]
        if done:
            gone = set(done)
            self._silent = [name for name in self._silent if name not in gone]
        while self._told:
            done.append(self._told.popleft())
        return [Ended(name, *_outcome(self.open.pop(name))) for name in done]

    def give_up(self) -> list[str]:
        """The names of those that have not ended; nobody waits for them any more."""
        names = list(self.open)
        self.open.clear()
        self._silent.clear()
        return names

    def _noting(self, name: str, tell: Callable[[], object]) -> Callable[[object], None]:
        def note(_: object) -> None:
            if name in self.open:
                self._told.append(name)
                tell()

        return note


def _is_silent(handle: object) -> bool:
    """Whether it is an AsyncResult, which calls nobody when it is ready."""
    return hasattr(handle, "ready")


def _size(handle: object) -> int:
    """How many items it stands for."""
    values = getattr(handle, "_value", None)  # of a map_async: room for all its results
    return len(values) if _is_silent(handle) and hasattr(handle, "_number_left") and values else 1


def _left(handle: object) -> int:
    """How many of them have not ended."""
    chunks: int = getattr(handle, "_number_left", 1)
    chunk: int = getattr(handle, "_chunksize", 1)
    return min(_size(handle), chunks * chunk)


def _outcome(handle: Any) -> tuple[object, BaseException | None]:  # noqa: ANN401 (any kind of future)
    """What an ended task returned, or what it raised."""
    try:
        if _is_silent(handle):
            return handle.get(0), None
        if handle.cancelled():
            return None, CancelledError()
        error = handle.exception()
        return (None, error) if error is not None else (handle.result(), None)
    except BaseException as error:  # noqa: BLE001 (whatever the task raised)
        return None, error
