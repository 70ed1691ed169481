"""Twins of the standard library's conditions and events, for the lab.

To wait takes two steps, as it does outside: one that looks, releases the lock and begins to wait, and, once there is
a notify, one that goes on. In between any other thread may act; a notify that comes before the wait is missed.
"""

# ruff: noqa: D102, D105 (what these methods do is said in the base classes)

import threading
from collections.abc import Callable, Hashable
from types import TracebackType
from typing import NamedTuple, TypeVar

from helpers.observe.lab.home import Home
from helpers.observe.lab.locks import LockTwin, RLockTwin
from helpers.observe.lab.operations import Operation, always
from helpers.observe.lab.turns import here
from helpers.observe.lab.twin import Twin

T = TypeVar("T")


class Waiter(NamedTuple):
    """A thread that waits, and what it will do when it has been told to go on."""

    place: int
    operation: Operation


class ConditionTwin(Twin):
    """A `threading.Condition` over the twin of its lock."""

    def __init__(self, home: Home, name: str, lock: LockTwin | RLockTwin) -> None:
        super().__init__(home, name)
        self.waiting: list[Waiter] = []
        self._lock = lock
        self.acquire = lock.acquire
        self.release = lock.release

    def __enter__(self) -> bool:
        return self._lock.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.__exit__(kind, error, trace)

    def wait(self, timeout: float | None = None) -> bool:
        """As the standard library's; a time-out passes when the thread is stepped all the same."""
        waiter = Waiter(here(), waiting_for(f"a notify of {self.lab_name}", gives_up=timeout is not None))
        times = self.home.perform(Operation("waits", f"for {self.lab_name}"), lambda: self._begin(waiter))
        if self.home.perform(waiter.operation, lambda: self._go_on(waiter, times)):
            return True
        again = self._again(waiter.place)
        self.home.perform(again, lambda: self._lock.take_back(times))
        return False

    def wait_for(self, predicate: Callable[[], T], timeout: float | None = None) -> T:
        """As the standard library's."""
        result = predicate()
        while not result:
            told = self.wait(timeout)
            result = predicate()
            if not told:
                break
        return result

    def notify(self, n: int = 1) -> None:
        """As the standard library's: who has waited longest goes on first."""
        words = self.lab_name if n == 1 else f"{n} that wait for {self.lab_name}"
        self.home.perform(Operation("notifies", words), lambda: self._tell(n))

    def notify_all(self) -> None:
        """As the standard library's."""
        operation = Operation("notifies", f"all that wait for {self.lab_name}")
        self.home.perform(operation, lambda: self._tell(len(self.waiting)))

    def state(self) -> str:
        words = waiting_words(self.home, self.waiting)
        return f"{self._lock.state()}; {words}" if self._lock.lab_name == self.lab_name else words

    def lab_content(self) -> Hashable:
        return tuple(waiter.place for waiter in self.waiting)

    def plain(self) -> object:
        return threading.Condition()

    def _begin(self, waiter: Waiter) -> int:
        if not self._lock.is_owned():
            threading.Condition().wait(0)  # raises
        self.waiting.append(waiter)
        return self._lock.drop_all()

    def _go_on(self, waiter: Waiter, times: int) -> bool:
        """Acquire the lock again if there was a notify; else stop waiting for one."""
        if waiter in self.waiting:
            self.waiting.remove(waiter)
            return False
        self._lock.take_back(times)
        return True

    def _tell(self, count: int) -> None:
        if not self._lock.is_owned():
            threading.Condition().notify()  # raises
        told, self.waiting = self.waiting[:count], self.waiting[count:]
        for waiter in told:
            again = self._again(waiter.place)
            waiter.operation.become(again)

    def _again(self, place: int) -> Operation:
        lock = self._lock
        return Operation("acquires", f"{lock.lab_name} again", lambda: lock.is_free(place), lock.lab_name)


class EventTwin(Twin):
    """A `threading.Event`."""

    def __init__(self, home: Home, name: str, *, is_set: bool) -> None:
        super().__init__(home, name)
        self.waiting: list[Waiter] = []
        self._is_set = is_set

    def is_set(self) -> bool:
        """As the standard library's."""
        return self.home.perform(Operation("reads", f"{self.lab_name}.is_set()", shows=True), lambda: self._is_set)

    def set(self) -> None:
        """As the standard library's."""
        self.home.perform(Operation("sets", self.lab_name), self._set)

    def clear(self) -> None:
        """As the standard library's."""
        self.home.perform(Operation("clears", self.lab_name), self._clear)

    def wait(self, timeout: float | None = None) -> bool:
        """As the standard library's; a time-out passes when the thread is stepped all the same."""
        waiter = Waiter(here(), waiting_for(f"{self.lab_name} to be set", gives_up=timeout is not None))
        look = Operation("waits", f"for {self.lab_name}", shows=True)
        if self.home.perform(look, lambda: self._begin(waiter)):
            return True
        return self.home.perform(waiter.operation, lambda: self._go_on(waiter))

    def state(self) -> str:
        words = waiting_words(self.home, self.waiting)
        return f"{'set' if self._is_set else 'not set'}; {words}"

    def lab_content(self) -> Hashable:
        return (self._is_set, tuple(waiter.place for waiter in self.waiting))

    def plain(self) -> object:
        event = threading.Event()
        if self._is_set:
            event.set()
        return event

    def _begin(self, waiter: Waiter) -> bool | None:
        if self._is_set:
            return True
        self.waiting.append(waiter)
        return None

    def _go_on(self, waiter: Waiter) -> bool:
        if waiter in self.waiting:
            self.waiting.remove(waiter)
            return False
        return True

    def _set(self) -> None:
        self._is_set = True
        for waiter in self.waiting:
            waiter.operation.become(Operation("goes on:", f"{self.lab_name} was set", always))
        self.waiting = []

    def _clear(self) -> None:
        self._is_set = False


def waiting_for(what: str, *, gives_up: bool) -> Operation:
    """What a thread does until it is told to go on."""
    late = f"gives up {what}: the time-out has passed" if gives_up else ""
    return Operation("waits", f"for {what}", never, what, late)


def never() -> bool:
    """A step that only others can make possible."""
    return False


def waiting_words(home: Home, waiting: list[Waiter]) -> str:
    """Who waits, in words."""
    names = [home.turns.all[waiter.place].name for waiter in waiting]
    return f"{', '.join(names)} {'wait' if len(names) > 1 else 'waits'}" if names else "nobody waits"
