"""Twins of the standard library's locks, for the lab: the same methods and errors, and a stop before each."""

# ruff: noqa: D102, D105 (what these methods do is said in the base classes)

import threading
from abc import abstractmethod
from collections.abc import Hashable
from types import TracebackType

from helpers.observe.lab.home import Home
from helpers.observe.lab.operations import Operation
from helpers.observe.lab.turns import OUTSIDE, here
from helpers.observe.lab.twin import FOREVER, Twin, held_words


class Lockable(Twin):
    """What is acquired and released."""

    def acquire(self, blocking: bool = True, timeout: float = FOREVER) -> bool:  # noqa: FBT001, FBT002 (as theirs)
        """As the standard library's; a time-out passes when the thread is stepped all the same."""
        threading.Lock().acquire(blocking, timeout)  # raises what is to be raised for such arguments
        return self.ask(blocking=blocking, gives_up=timeout != FOREVER)

    def release(self) -> None:
        """As the standard library's."""
        self.home.perform(Operation("releases", self.lab_name), self.drop)

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def ask(self, *, blocking: bool, gives_up: bool) -> bool:
        """Stop, and acquire it; say whether it was acquired."""
        place = here()
        if not blocking:
            operation = Operation("tries to acquire", self.lab_name, shows=True)
        else:
            late = f"gives up {self.lab_name}: the time-out has passed" if gives_up else ""
            operation = Operation("acquires", self.lab_name, lambda: self.is_free(place), self.lab_name, late)
        return self.home.perform(operation, lambda: self.is_free(place) and self.take())

    @abstractmethod
    def is_free(self, place: int) -> bool:
        """Whether the thread at `place` can acquire it now."""

    @abstractmethod
    def take(self) -> bool:
        """Acquire it, which is free."""

    @abstractmethod
    def drop(self) -> None:
        """Release it."""


class LockTwin(Lockable):
    """A `threading.Lock`; anybody may release it."""

    def __init__(self, home: Home, name: str, *, locked: bool = False) -> None:
        super().__init__(home, name)
        self.owner = OUTSIDE if locked else None

    def locked(self) -> bool:
        """As the standard library's."""
        return self.home.perform(
            Operation("reads", f"{self.lab_name}.locked()", shows=True), lambda: self.owner is not None
        )

    def is_free(self, place: int) -> bool:  # noqa: ARG002 (an RLock needs it)
        return self.owner is None

    def take(self) -> bool:
        self.owner = here()
        return True

    def drop(self) -> None:
        if self.owner is None:
            threading.Lock().release()  # raises
        self.owner = None

    def is_owned(self) -> bool:
        """Whether a condition takes it for acquired: by anybody, as the standard library does."""
        return self.owner is not None

    def drop_all(self) -> int:
        """Release it; give what `take_back` needs."""
        self.drop()
        return 1

    def take_back(self, times: int) -> None:  # noqa: ARG002 (an RLock needs it)
        """Acquire it as it was before `drop_all`."""
        self.take()

    def holders(self) -> list[int]:
        return [] if self.owner is None else [self.owner]

    def state(self) -> str:
        return "free" if self.owner is None else held_words(self.home.turns, [self.owner])

    def lab_content(self) -> Hashable:
        return self.owner

    def plain(self) -> object:
        lock = threading.Lock()
        if self.owner is not None:
            lock.acquire()
        return lock


class RLockTwin(Lockable):
    """A `threading.RLock`; its holder may acquire it again, and only it may release it."""

    def __init__(self, home: Home, name: str) -> None:
        super().__init__(home, name)
        self.owner: int | None = None
        self.times = 0

    def is_free(self, place: int) -> bool:
        return self.owner in {None, place}

    def take(self) -> bool:
        self.owner = here()
        self.times += 1
        return True

    def drop(self) -> None:
        if self.owner != here() or not self.times:
            threading.RLock().release()  # raises
        self.times -= 1
        if not self.times:
            self.owner = None

    def is_owned(self) -> bool:
        """Whether the running thread holds it."""
        return self.owner == here()

    def drop_all(self) -> int:
        """Release it altogether; give what `take_back` needs."""
        times, self.times, self.owner = self.times, 0, None
        return times

    def take_back(self, times: int) -> None:
        """Acquire it as it was before `drop_all`."""
        self.owner, self.times = here(), times

    def holders(self) -> list[int]:
        return [] if self.owner is None else [self.owner] * self.times

    def state(self) -> str:
        return held_words(self.home.turns, self.holders()) if self.times else "free"

    def lab_content(self) -> Hashable:
        return (self.owner, self.times)

    def plain(self) -> object:
        return threading.RLock()
