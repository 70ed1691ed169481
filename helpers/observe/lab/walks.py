"""Loops over shared containers: each turn is a step, unless all turns belong to one instruction of Python.

Others may act between two turns of a `for` loop, and Python notices a dict that has changed its size. `list(x)`,
`sum(x)` or `a, b = x` go through all elements within one instruction, which the GIL, or the container's own lock
where there is no GIL, makes one step.
"""

# ruff: noqa: D105 (they do what such methods do)

from collections.abc import Callable, Iterable, Iterator, Sized
from sys import _getframe
from types import FrameType
from typing import Any, NamedTuple, Protocol

from helpers.observe.lab.turns import here
from helpers.observe.lab.words import value_words


class Spot(NamedTuple):
    """An instruction of Python that is being executed."""

    frame: FrameType
    instruction: int


def caller_spot() -> Spot:
    """The instruction that has called the function that calls this."""
    frame = _getframe(2)
    return Spot(frame, frame.f_lasti)


class Walked(Protocol):
    """A container, as far as its walks are concerned."""

    def reads(self, words: str, effect: Callable[[], Any]) -> Any:  # noqa: ANN401 (what `effect` gives)
        """Do `effect`, which changes nothing, as a step."""

    def walked(self, walk: "Walk") -> None:
        """Let `walk` know of all changes from now on."""


class Walk(Iterator[Any]):
    """Goes through a container, step by step or all at once.

    Args:
        container: what it goes through.
        name: what words call that: "cache.items()".
        begin: gives Python's own iterator; called as part of the first step, so that a change before it does no harm.
        asked: where it was asked for.

    Attributes:
        place: of the thread that goes through it.
        changes: of the container since it has begun; what Python's own iterator makes of them, it alone knows.
    """

    def __init__(self, container: Walked, name: str, begin: Callable[[], Iterator[Any]], asked: Spot) -> None:
        self.place = here()
        self.changes: list[str] = []
        self._container = container
        self._name = name
        self._begin = begin
        self._asked: Spot | None = asked
        self._elements: Iterator[Any] | None = None
        self._is_one_step = False

    def __next__(self) -> object:
        if self._asked is not None:
            self._is_one_step = self._asked == caller_spot()
            self._asked = None
            if self._is_one_step:
                self._elements = iter(self._container.reads(f"all of {self._name}", lambda: list(self._begin())))
        if self._is_one_step and self._elements is not None:
            return next(self._elements)
        return self._container.reads(f"the next of {self._name}", self._turn)

    def _turn(self) -> object:
        if self._elements is None:
            self._elements = self._begin()
            self._container.walked(self)
        return next(self._elements)


class View(Sized, Iterable[Any]):
    """What `keys`, `values` or `items` of a shared dict gives.

    Args:
        container: the dict.
        name: what words call it: "cache.items()".
        real: Python's own view.
    """

    def __init__(self, container: Walked, name: str, real: Any) -> None:  # noqa: ANN401 (of keys, values or items)
        self._container = container
        self._name = name
        self._real = real
        self._asked: Spot | None = None

    def __iter__(self) -> Iterator[Any]:
        self._asked = spot = caller_spot()
        return Walk(self._container, self._name, lambda: iter(self._real), spot)

    def __len__(self) -> int:
        if self._asked == caller_spot():  # list(…) asks how many to expect
            return len(self._real)
        return int(self._container.reads(f"len({self._name})", lambda: len(self._real)))

    def __contains__(self, value: object) -> bool:
        return bool(self._container.reads(f"{value_words(value)} in {self._name}", lambda: value in self._real))
