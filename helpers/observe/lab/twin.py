"""What the lab's twins of locks, conditions and events have in common."""

from abc import abstractmethod
from typing import Final

from helpers.observe.lab.home import Home
from helpers.observe.lab.keys import Watched
from helpers.observe.lab.turns import OUTSIDE, Turns

FOREVER: Final = -1


class Twin(Watched):
    """Something that threads wait for.

    Args:
        home: the run it belongs to.
        name: what words call it.
    """

    def __init__(self, home: Home, name: str) -> None:
        self.home = home
        self.lab_name = name
        self.lab_birth = home.birth()

    def __repr__(self) -> str:
        """Its name: it is the same in every run."""
        return self.lab_name

    def holders(self) -> list[int]:
        """The places of the threads that hold it, each as often as it does."""
        return []

    def is_open(self) -> bool:
        """Whether others than its holders may let a thread go on that waits for it."""
        return False

    @abstractmethod
    def state(self) -> str:
        """How it is, in words; who holds it is said beside it."""

    @abstractmethod
    def plain(self) -> object:
        """One of the standard library's, in the same state."""


def held_words(turns: Turns, holders: list[int]) -> str:
    """Who holds a lock: "held by f1, 2 times and f2"."""
    parts = []
    for place in sorted(set(holders)):
        times = holders.count(place)
        name = "make" if place == OUTSIDE else turns.all[place].name
        parts.append(name if times == 1 else f"{name}, {times} times")
    return f"held by {' and '.join(parts)}"
