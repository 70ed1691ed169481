"""Workers that change numbers in memory which processes share: with its lock, and without.

    count_up             counter.value += 1, many times
    move_to_and_fro      from one account to the other and back, many times
    make_parts ─► Buffer ─► use_parts      a few places, and a condition that tells of every change

A `Value` or an `Array` of multiprocessing locks each access, and nothing longer.
"""

from collections.abc import Callable, MutableSequence
from contextlib import AbstractContextManager, nullcontext
from time import sleep
from typing import Final, Protocol

from helpers.observe.lifeline import StopRequest, end_with_parent
from helpers.observe.trace import Trace
from helpers.workers.taking_turns import Meeting

NO_MORE: Final = 0
"""Comes through a buffer when there will be no more parts; parts are numbered from 1."""


class Number(Protocol):
    """A number that processes share; a Value of multiprocessing fits."""

    value: int

    def get_lock(self) -> AbstractContextManager[object]:
        """The lock that each access takes."""
        ...


class Accounts(Protocol):
    """Balances that processes share; an Array of multiprocessing fits."""

    def __getitem__(self, place: int, /) -> int:
        """One balance."""
        ...

    def __setitem__(self, place: int, balance: int, /) -> None:
        """Set one balance."""
        ...

    def get_lock(self) -> AbstractContextManager[object]:
        """The lock that each access takes."""
        ...


class Condition(AbstractContextManager[object], Protocol):
    """A lock, and a way to wait for a change; a Condition of multiprocessing fits."""

    def wait_for(self, predicate: Callable[[], bool]) -> bool:
        """Let go of the lock until `predicate` is true, looking again at each notice."""
        ...

    def notify_all(self) -> None:
        """Tell all who wait that something has changed."""
        ...


class Buffer:
    """A few places through which numbers go from process to process, in order.

    Args:
        changed: guards the places and counts, and tells of every change.
        places: shared memory for the numbers.
        counts: shared memory for two counts: numbers put, and numbers taken.
    """

    def __init__(self, changed: Condition, places: MutableSequence[int], counts: MutableSequence[int]) -> None:
        self.changed, self.places, self.counts = changed, places, counts

    def put(self, number: int) -> None:
        """Put a number in; wait while all places are taken."""
        with self.changed:
            self.changed.wait_for(lambda: self.counts[0] - self.counts[1] < len(self.places))
            self.places[self.counts[0] % len(self.places)] = number
            self.counts[0] += 1
            self.changed.notify_all()

    def take(self) -> int:
        """Take the oldest number out; wait while there is none."""
        with self.changed:
            self.changed.wait_for(lambda: self.counts[0] > self.counts[1])
            number = self.places[self.counts[1] % len(self.places)]
            self.counts[1] += 1
            self.changed.notify_all()
        return number


def count_up(start: Meeting, counter: Number, times: int) -> None:
    """Add 1 to the counter, so many times, as soon as all are at the `start`."""
    end_with_parent()
    start.wait()
    for _ in range(times):
        counter.value += 1


def count_up_locked(start: Meeting, counter: Number, times: int) -> None:
    """Do the same, holding the counter's lock for each read and write together."""
    end_with_parent()
    start.wait()
    for _ in range(times):
        with counter.get_lock():
            counter.value += 1


def move_to_and_fro(start: Meeting, stop: StopRequest, accounts: Accounts, *, locked: bool) -> None:
    """Move 1 from the first account to the second and back, until told to stop.

    Args:
        start: where it waits until all are there.
        stop: ends it when set; looked at when everything is back.
        accounts: two balances.
        locked: whether it holds their lock for each move.
    """
    end_with_parent()
    start.wait()
    while not stop.is_set():
        for source, target in ((0, 1), (1, 0)):
            with accounts.get_lock() if locked else nullcontext():
                accounts[source] -= 1
                accounts[target] += 1


def make_parts(trace: Trace, buffer: Buffer, parts: int, users: int) -> None:
    """Make parts and put them into the buffer, then tell each of its users that there are no more."""
    end_with_parent()
    trace.expect(parts)
    for number in range(1, parts + 1):
        with trace.span("putting a part in"):
            buffer.put(number)
        trace.advance()
    for _ in range(users):
        buffer.put(NO_MORE)


def use_parts(trace: Trace, buffer: Buffer, takes: float) -> None:
    """Take parts out of the buffer and use each, for so many seconds, until there are no more; then say which."""
    end_with_parent()
    used = []
    while (number := buffer.take()) != NO_MORE:
        with trace.span("using a part"):
            sleep(takes)
        used.append(number)
        trace.advance()
    trace.note(f"used parts {' '.join(map(str, used))}")
