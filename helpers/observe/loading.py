"""Lists that tell where they are made and unpacked, and a worker that dies once: what lesson 16's exercise tries.

    load = Load(folder, home=os.getpid(), deadly="f")
    load("a")         # in a worker: a long list; the folder then has a file that says who made it, and when
    load("f")         # the first time: the worker is killed. After that, a list
    Seen.of(folder)   # in the notebook: what has happened

Only files tell of a killed process what it did.
"""

import os
import signal
import sys
from time import perf_counter_ns, sleep
from typing import Final, NamedTuple, Self

from helpers.observe.lifeline import end_with_parent

LENGTH: Final = 2_000
"""How many numbers a list has."""

_TAKES: Final = 0.1  # seconds a list is in the making: long enough for a second worker to be at it too


class Numbers(list[int]):
    """A list that leaves a file when it is unpacked in the process `home`."""

    def __init__(self, numbers: list[int], folder: str, home: int) -> None:
        super().__init__(numbers)
        self._origin = (folder, home)

    def __reduce__(self) -> tuple[object, ...]:
        """Travel as a plain list, with what it needs to tell of its arrival."""
        return _unpacked, (list(self), *self._origin)


class Load:
    """A function that makes lists.

    Args:
        folder: where the files go that tell of it; on this machine.
        home: the id of the process that should get no list.
        deadly: the name whose first call kills the process that it is in, unless that is `home`.
    """

    def __init__(self, folder: str, home: int, deadly: str | None = None) -> None:
        self._folder = folder
        self._home = home
        self._deadly = deadly

    def __call__(self, name: str) -> Numbers:
        """Give the list of that name: always the same."""
        end_with_parent()
        began = perf_counter_ns()
        sleep(_TAKES)
        if name == self._deadly and os.getpid() != self._home and _first(f"{self._folder}{os.sep}killed"):
            os.kill(os.getpid(), signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
        _leave(self._folder, f"made {os.getpid()} {began} {perf_counter_ns()}")
        return Numbers(numbers_of(name), self._folder, self._home)


class Seen(NamedTuple):
    """What the files tell."""

    makers: frozenset[int]
    """The ids of the processes that made a list, and lived on."""
    most_at_once: int
    """How many lists were in the making at the same moment."""
    unpacked: int
    """How many lists were unpacked at home."""
    killed: bool

    @classmethod
    def of(cls, folder: str) -> Self:
        """Read them."""
        words = [name.split() for name in os.listdir(folder)]  # noqa: PTH208 (pathlib costs a worker 4 ms)
        made = [tuple(map(int, rest)) for kind, *rest in words if kind == "made"]
        at_once = (sum(began <= moment < ended for _, began, ended in made) for _, moment, _ in made)
        kinds = [kind for kind, *_ in words]
        return cls(
            frozenset(pid for pid, *_ in made), max(at_once, default=0), kinds.count("unpacked"), "killed" in kinds
        )


def numbers_of(name: str) -> list[int]:
    """What the list of that name holds."""
    return [ord(name[0]) * place % 1_000 for place in range(LENGTH)]


def _unpacked(numbers: list[int], folder: str, home: int) -> Numbers:
    if os.getpid() == home:
        _leave(folder, f"unpacked {perf_counter_ns()}")
    return Numbers(numbers, folder, home)


def _first(path: str) -> bool:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def _leave(folder: str, name: str) -> None:
    os.close(os.open(f"{folder}{os.sep}{name}", os.O_CREAT))
