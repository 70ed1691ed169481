"""Twins of the standard library's semaphores, for the lab."""

# ruff: noqa: D102 (what these methods do is said in the base classes)

import threading
from collections.abc import Hashable

from helpers.observe.lab.home import Home
from helpers.observe.lab.locks import Lockable
from helpers.observe.lab.operations import Operation
from helpers.observe.lab.turns import here
from helpers.observe.lab.twin import held_words


class SemaphoreTwin(Lockable):
    """A `threading.Semaphore`, or a bounded one if it has a bound."""

    def __init__(self, home: Home, name: str, permits: int, bound: int | None) -> None:
        super().__init__(home, name)
        self._permits = permits
        self._bound = bound
        self._holders: list[int] = []
        self._signalled = False

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:  # noqa: FBT001, FBT002 (as theirs)
        """As the standard library's; a time-out passes when the thread is stepped all the same."""
        threading.Semaphore().acquire(blocking, timeout)  # raises what is to be raised for such arguments
        return self.ask(blocking=blocking, gives_up=timeout is not None)

    def release(self, n: int = 1) -> None:
        """As the standard library's."""
        threading.Semaphore().release(n)  # raises what is to be raised for such an argument
        words = self.lab_name if n == 1 else f"{self.lab_name}, {n} permits"
        self.home.perform(Operation("releases", words), lambda: self._drop(n))

    def is_free(self, place: int) -> bool:  # noqa: ARG002 (an RLock needs it)
        return self._permits > 0

    def take(self) -> bool:
        self._permits -= 1
        self._holders.append(here())
        return True

    def drop(self) -> None:
        self._drop(1)

    def holders(self) -> list[int]:
        return sorted(self._holders)

    def is_open(self) -> bool:
        return self._permits > 0 or self._signalled

    def state(self) -> str:
        words = f"{self._permits} free"
        return f"{words}, {held_words(self.home.turns, self._holders)}" if self._holders else words

    def lab_content(self) -> Hashable:
        return (self._permits, tuple(self.holders()), self._signalled)

    def plain(self) -> object:
        if self._bound is None:
            return threading.Semaphore(self._permits)
        semaphore = threading.BoundedSemaphore(self._bound)
        for _ in range(self._bound - self._permits):
            semaphore.acquire()
        return semaphore

    def _drop(self, count: int) -> None:
        if self._bound is not None and self._permits + count > self._bound:
            threading.BoundedSemaphore(0).release()  # raises
        place = here()
        self._permits += count
        for _ in range(count):
            if place in self._holders:
                self._holders.remove(place)
            else:  # given by a thread that had none: others may do so again
                self._signalled = True
