"""Accounts for lesson 09's exercise, which look like a `Value` of multiprocessing, and who withdraws from them.

    LabAccount      on what the lab's threads share: every read and write is a step of theirs
    SlowAccount     on a real Value: whoever reads is slow to go on, so that who does not lock is found out

`withdraw_all` runs the learner's function in a process.
"""

from collections.abc import Callable, MutableSequence
from time import sleep
from types import SimpleNamespace
from typing import Any, Final, Protocol

from helpers.observe.lifeline import end_with_parent

READING_TAKES: Final = 0.001
"""Seconds from reading a balance to having it."""
TOO_MUCH: Final = 60
"""What no account of the exercise has."""


class Start(Protocol):
    """Where several wait for each other; a Barrier of multiprocessing fits."""

    def wait(self) -> int:
        """Wait until all have come."""
        ...


class Sent(Protocol):
    """Something that was sent to this process, and is unpacked when asked."""

    def open(self) -> Any:  # noqa: ANN401 (whatever was sent)
        """What was sent."""
        ...


class _Locked:
    """The half of a `Value` that has to do with its lock."""

    def __init__(self, lock: Any) -> None:  # noqa: ANN401 (of threading or multiprocessing)
        self._lock = lock

    def get_lock(self) -> Any:  # noqa: ANN401 (the same)
        """The lock that goes with the balance."""
        return self._lock

    def acquire(self, *args: Any, **kwargs: Any) -> bool:  # noqa: ANN401 (those of the lock)
        """Take the lock."""
        return bool(self._lock.acquire(*args, **kwargs))

    def release(self) -> None:
        """Let go of the lock."""
        self._lock.release()

    def __enter__(self) -> bool:
        """Take the lock."""
        return bool(self._lock.__enter__())

    def __exit__(self, *args: object) -> None:
        """Let go of the lock."""
        self._lock.__exit__(*args)


class LabAccount(_Locked):
    """An account of the lab's.

    Args:
        shared: what its threads share; has a `value` and a `lock`.
    """

    def __init__(self, shared: SimpleNamespace) -> None:
        super().__init__(shared.lock)
        self._shared = shared

    @property
    def value(self) -> int:
        """The balance."""
        balance: int = self._shared.value
        return balance

    @value.setter
    def value(self, balance: int) -> None:
        self._shared.value = balance


class SlowAccount(_Locked):
    """An account that processes share.

    Args:
        balance: a Value of multiprocessing.
    """

    def __init__(self, balance: Any) -> None:  # noqa: ANN401 (its type has no public name)
        super().__init__(balance.get_lock())
        self._balance = balance

    @property
    def value(self) -> int:
        """The balance, as it was a moment ago."""
        balance: int = self._balance.value
        sleep(READING_TAKES)
        return balance

    @value.setter
    def value(self, balance: int) -> None:
        self._balance.value = balance


def withdraw_all(start: Start, sent: Sent, account: SlowAccount, taken: MutableSequence[int], place: int) -> None:
    """Withdraw 1 at a time until that is refused.

    Args:
        start: where it waits until all are there.
        sent: a function `withdraw(account, amount)`.
        account: where from. If it is never refused, it ends when it was given what no account here has.
        taken: where to say, at `place`, how much it was given.
        place: in `taken`.
    """
    end_with_parent()
    withdraw: Callable[[SlowAccount, int], object] = sent.open()
    start.wait()
    while taken[place] < TOO_MUCH and withdraw(account, 1):
        taken[place] += 1
