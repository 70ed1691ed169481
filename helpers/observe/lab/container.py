"""What shared lists, dicts, sets and deques have in common: a stop before each use, and a record of their content."""

# ruff: noqa: ANN401, D102, D105 (their methods are those of the standard library, which take and give anything)

from collections import deque
from collections.abc import Callable, Hashable, Iterator
from typing import Any
from weakref import ref

from helpers.observe.lab.home import Home
from helpers.observe.lab.keys import Watched
from helpers.observe.lab.methods import TAKES_MANY, TAKES_ONE
from helpers.observe.lab.operations import Operation
from helpers.observe.lab.walks import Spot, Walk, caller_spot
from helpers.observe.lab.words import value_words


class Container(Watched):
    """What all four have in common; the standard library's type stands beside it among the bases.

    Attributes:
        home: the run it belongs to.
        base: the standard library's type.
        lab_is_fixed: whether it is taken for one that never changes.
    """

    home: Home
    base: type[Any]
    lab_is_fixed: bool
    _asked: Spot | None
    _walks: list[ref[Walk]]

    def lab_settle(self, home: Home, name: str, values: Any) -> None:
        """Fill it, and take its place in the run."""
        self.home, self.lab_name, self.lab_birth = home, name, home.birth()
        self._asked, self._walks = None, []
        home.settle(self, values)
        self.lab_is_fixed = False
        self.fill(values)
        self.lab_is_fixed = home.is_fixed(_elements(self))

    def fill(self, values: Any) -> None:
        """Take in elements, without a stop."""
        extend: Any = self.base.update if self.base is set else self.base.extend
        extend(self, [self.home.adopt(value, f"{self.lab_name}[{place}]") for place, value in enumerate(values)])

    def lab_bare(self) -> Any:
        return self.base(self.base.__iter__(self))

    def __iter__(self) -> Iterator[Any]:
        self._asked = spot = caller_spot()
        return Walk(self, self.lab_name, lambda: self.base.__iter__(self), spot)

    def __len__(self) -> int:
        if self._asked == caller_spot():  # list(…) asks how many to expect
            return int(self.base.__len__(self))
        return int(self.reads(f"len({self.lab_name})", lambda: self.base.__len__(self)))

    def __contains__(self, value: object) -> bool:
        return bool(
            self.reads(f"{value_words(value)} in {self.lab_name}", lambda: self.base.__contains__(self, value))
        )

    def __repr__(self) -> str:
        return str(self.reads(f"repr({self.lab_name})", lambda: repr(self.lab_bare())))

    def __reduce_ex__(self, protocol: Any) -> Any:
        bare = self.reads(f"a copy of {self.lab_name}", self.lab_bare)
        return bare.__reduce_ex__(protocol) if isinstance(bare, deque) else (self.base, (bare,))

    def adopted(self, method: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments of `method`, with all that comes to be shared watched."""
        if method in TAKES_MANY:
            return tuple([self._adopt(one) for one in series] for series in args)
        if method in TAKES_ONE and args:
            return (*args[:-1], self._adopt(args[-1]))
        return args

    def lab_content(self) -> Hashable:
        walks = [walk for walk in (reference() for reference in self._walks) if walk is not None]
        return (super().lab_content(), *sorted((walk.place, tuple(walk.changes)) for walk in walks))

    def walked(self, walk: Walk) -> None:
        """Let `walk` know of all changes from now on."""
        self._walks = [*(reference for reference in self._walks if reference() is not None), ref(walk)]

    def change(self, operation: Operation, effect: Callable[[], Any]) -> Any:
        """Do `effect` as a step.

        To ask a container of locks for one of them is no step, as it is not expected to change.

        Raises:
            TypeError: it is such a container.
        """
        if self.lab_is_fixed:
            raise TypeError(
                f"shared.{self.lab_name}, which holds locks, is changed: share each of them by its own name"
            )

        def told() -> object:
            for walk in filter(None, (reference() for reference in self._walks)):
                walk.changes.append(operation.what)
            return effect()

        return self.home.perform(operation, told)

    def reads(self, words: str, effect: Callable[[], Any]) -> Any:
        """Do `effect`, which changes nothing, as a step."""
        return self.home.perform(Operation("reads", words, shows=True), effect)

    def _adopt(self, value: object) -> object:
        return self.home.adopt(value, f"{self.lab_name}[…]")


class Indexed(Container):
    """What those have in common whose elements are asked for by a key or a place."""

    def __reversed__(self) -> Iterator[Any]:
        return Walk(self, f"reversed({self.lab_name})", lambda: self.base.__reversed__(self), caller_spot())

    def __getitem__(self, key: Any) -> Any:
        # dict(…) asks for the keys, and then for each value.
        if self.lab_is_fixed or self._asked == caller_spot():
            return self.base.__getitem__(self, key)
        return self.reads(f"{self.lab_name}[{_key_words(key)}]", lambda: self.base.__getitem__(self, key))

    def __setitem__(self, key: Any, value: Any) -> None:
        words = f"{self.lab_name}[{_key_words(key)}]"
        operation = Operation("writes", f"{words} = {value_words(value)}")
        values = list(value) if isinstance(key, slice) else None

        def taken() -> object:
            if values is None:
                return self.home.adopt(value, words)
            return [self._adopt(one) for one in values]

        self.change(operation, lambda: self.base.__setitem__(self, key, taken()))

    def __delitem__(self, key: Any) -> None:
        operation = Operation("deletes", f"{self.lab_name}[{_key_words(key)}]")
        self.change(operation, lambda: self.base.__delitem__(self, key))


def _elements(container: Container) -> list[object]:
    bare = container.lab_bare()
    return list(bare.values() if isinstance(bare, dict) else bare)


def _key_words(key: object) -> str:
    if isinstance(key, slice):
        parts = ["" if part is None else str(part) for part in (key.start, key.stop, key.step)]
        return ":".join(parts if key.step is not None else parts[:2])
    return value_words(key)
