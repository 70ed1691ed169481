"""Lists, dicts, sets and deques of which every use is a step.

Each is the standard library's own type with a stop before each of its methods. A method is one step, as it is under
the GIL; `x += [1]` on a shared attribute, and `d[k] += 1`, are several, as they are there.
"""

# ruff: noqa: ANN401, D102 (their methods are those of the standard library, which take and give anything)

from collections import deque
from typing import Any

from helpers.observe.lab.container import Container, Indexed
from helpers.observe.lab.methods import TAKES_MANY, with_methods
from helpers.observe.lab.walks import View, caller_spot


@with_methods
class WatchedList(Indexed, list[Any]):
    """A `list`."""

    base = list


@with_methods
class WatchedDeque(Indexed, deque[Any]):
    """A `collections.deque`."""

    base = deque

    def lab_bare(self) -> Any:
        return deque(deque.__iter__(self), self.maxlen)


@with_methods
class WatchedSet(Container, set[Any]):
    """A `set`."""

    base = set


@with_methods
class WatchedDict(Indexed, dict[Any, Any]):
    """A `dict`."""

    base = dict

    def fill(self, values: Any) -> None:
        for key, value in values.items():
            dict.__setitem__(self, key, self.home.adopt(value, f"{self.lab_name}[{key!r}]"))

    def lab_bare(self) -> Any:
        return dict(dict.items(self))

    def adopted(self, method: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
        if method in TAKES_MANY:
            return tuple(
                {key: self.home.adopt(one, f"{self.lab_name}[{key!r}]") for key, one in many.items()} for many in args
            )
        if method == "setdefault" and len(args) > 1:
            return (args[0], self.home.adopt(args[1], f"{self.lab_name}[{args[0]!r}]"))
        return args

    def keys(self) -> Any:
        self._asked = caller_spot()
        return View(self, f"{self.lab_name}.keys()", dict.keys(self))

    def values(self) -> Any:
        return View(self, f"{self.lab_name}.values()", dict.values(self))

    def items(self) -> Any:
        return View(self, f"{self.lab_name}.items()", dict.items(self))
