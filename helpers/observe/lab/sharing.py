"""What `make` and the threads give to be shared, exchanged for what the lab watches."""

# ruff: noqa: ANN401 (what make gives may be anything)

import threading
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final

from helpers.observe.lab.containers import WatchedDeque, WatchedDict, WatchedList, WatchedSet
from helpers.observe.lab.home import Home
from helpers.observe.lab.keys import NoKeyError, Watched, key_of
from helpers.observe.lab.locks import LockTwin, RLockTwin
from helpers.observe.lab.namespaces import WatchedNamespace
from helpers.observe.lab.semaphores import SemaphoreTwin
from helpers.observe.lab.signals import ConditionTwin, EventTwin
from helpers.observe.lab.twin import Twin

_LOCK: Final = type(threading.Lock())
_RLOCK: Final = type(threading.RLock())
_CURES: Final = (
    "Share a SimpleNamespace, a list, dict, set or deque, a Lock, RLock, Semaphore, BoundedSemaphore, Condition or "
    "Event, or a value that never changes"
)


class Sharing:
    """The exchange for one run; what is given twice is exchanged for the same.

    Usage: pass it to `Home` as its `adopt`.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[object, Watched]] = {}

    def __call__(self, home: Home, value: object, name: str) -> object:
        """The watched form of `value`, to be called `name`.

        Raises:
            TypeError: nobody can watch such a thing.
        """
        if isinstance(value, Watched):
            return value
        known = self._known.get(id(value))
        if known is not None:
            return known[1]
        if type(value) in _TWINS or type(value) is threading.Condition:
            twin = self._twin(home, value, name)
            self._known[id(value)] = (value, twin)
            home.settle(twin, value)
            return twin
        maker = _CONTAINERS.get(type(value))
        if maker is not None:
            container = maker(value)
            self._known[id(value)] = (value, container)
            container.lab_settle(home, name, value)
            return container
        return self._plain(home, value, name)

    def _twin(self, home: Home, value: Any, name: str) -> Twin:
        if isinstance(value, threading.Condition):
            lock: Any = self(home, vars(value)["_lock"], name)  # there is no other way to it
            return ConditionTwin(home, name, lock)
        return _TWINS[type(value)](home, value, name)

    def _plain(self, home: Home, value: object, name: str) -> object:
        if isinstance(value, tuple):
            parts: list[Any] = [self(home, part, f"{name}[{place}]") for place, part in enumerate(value)]
            if all(part is old for part, old in zip(parts, value, strict=True)):
                return value
            return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
        try:
            key_of(value)
        except NoKeyError:
            kind = type(value).__name__
            raise TypeError(f"shared.{name} is of type {kind}, which the lab cannot watch. {_CURES}.") from None
        return value


def _lock(home: Home, value: Any, name: str) -> Twin:
    return LockTwin(home, name, locked=value.locked())


def _rlock(home: Home, value: Any, name: str) -> Twin:
    if value._is_owned():  # noqa: SLF001 (RLock has no `locked` before 3.14)
        raise TypeError(
            f"shared.{name} is an RLock that make() holds: nobody else could release it; release it there"
        )
    return RLockTwin(home, name)


def _semaphore(home: Home, value: Any, name: str) -> Twin:
    return SemaphoreTwin(home, name, value._value, None)  # noqa: SLF001 (no other way to it)


def _bounded(home: Home, value: Any, name: str) -> Twin:
    return SemaphoreTwin(home, name, value._value, value._initial_value)  # noqa: SLF001 (the same)


def _event(home: Home, value: Any, name: str) -> Twin:
    return EventTwin(home, name, is_set=value.is_set())


_TWINS: Final[dict[type, Callable[[Home, Any, str], Twin]]] = {
    _LOCK: _lock,
    _RLOCK: _rlock,
    threading.Semaphore: _semaphore,
    threading.BoundedSemaphore: _bounded,
    threading.Event: _event,
}
_CONTAINERS: Final[dict[type, Callable[[Any], Any]]] = {
    SimpleNamespace: lambda _: WatchedNamespace(),
    list: lambda _: WatchedList(),
    dict: lambda _: WatchedDict(),
    set: lambda _: WatchedSet(),
    deque: lambda values: WatchedDeque((), values.maxlen),
}
