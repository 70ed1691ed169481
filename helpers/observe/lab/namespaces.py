"""The namespace that threads share: reading and writing its attributes are steps."""

# ruff: noqa: D102, D105 (what these methods do is said in the base classes)

import threading
from types import SimpleNamespace
from typing import Any

from helpers.observe.lab.home import Home
from helpers.observe.lab.keys import Watched
from helpers.observe.lab.operations import Operation
from helpers.observe.lab.words import value_words


class WatchedNamespace(SimpleNamespace, Watched):
    """A `types.SimpleNamespace`.

    To read a lock or a container through it is no step of its own, unless a thread of the program sets an attribute
    of that name: only then could it be another the next time.
    """

    lab_home: Home
    __slots__ = ("lab_birth", "lab_home", "lab_name")

    def lab_settle(self, home: Home, name: str, values: SimpleNamespace) -> None:
        """Fill it, and take its place in the run."""
        put = super().__setattr__
        put("lab_home", home)
        put("lab_name", name)
        put("lab_birth", home.birth())
        home.settle(self, values)
        # The locks of conditions are named after their own attributes, where they have some.
        ordered = sorted(vars(values).items(), key=lambda item: isinstance(item[1], threading.Condition))
        adopted = {key: home.adopt(value, _path(name, key)) for key, value in ordered}
        for key in vars(values):
            put(key, adopted[key])

    def lab_bare(self) -> SimpleNamespace:
        return SimpleNamespace(**super().__getattribute__("__dict__"))

    def __getattribute__(self, name: str) -> Any:  # noqa: ANN401 (an attribute may be anything)
        get = super().__getattribute__
        if name.startswith(("__", "lab_")) and name != "__dict__":
            return get(name)
        home: Home = get("lab_home")
        words = _path(get("lab_name"), name)
        if name == "__dict__":
            raise TypeError(f"the lab cannot watch vars({get('lab_name') or 'shared'}): use its attributes")
        values: dict[str, object] = get("__dict__")
        if name in values and not home.can_change(name, values[name]):
            return values[name]
        return home.perform(Operation("reads", words, shows=True), lambda: _find(values, name))

    def __setattr__(self, name: str, value: object) -> None:
        home = self.lab_home
        words = _path(self.lab_name, name)
        values: dict[str, object] = super().__getattribute__("__dict__")

        def put() -> None:
            if name in values and not home.can_change(name, values[name]):
                raise TypeError(
                    f"shared.{words} is replaced by setattr: write shared.{words} = … in a thread's function"
                )
            values[name] = home.adopt(value, words)

        home.perform(Operation("writes", f"{words} = {value_words(value)}"), put)

    def __delattr__(self, name: str) -> None:
        values: dict[str, object] = super().__getattribute__("__dict__")

        def drop() -> None:
            _find(values, name)
            del values[name]

        self.lab_home.perform(Operation("deletes", _path(self.lab_name, name)), drop)

    def __repr__(self) -> str:
        read = Operation("reads", f"repr({self.lab_name or 'shared'})")
        return self.lab_home.perform(read, lambda: value_words(self))

    def __eq__(self, other: object) -> bool:
        read = Operation("reads", f"{self.lab_name or 'shared'} == …", shows=True)
        return self.lab_home.perform(read, lambda: self is other)

    __hash__ = None  # type: ignore[assignment]  # as the standard library's


def _path(owner: str, name: str) -> str:
    return f"{owner}.{name}" if owner else name


def _find(values: dict[str, object], name: str) -> object:
    if name not in values:
        # AttributeError's own name= would make Python look for similar names, through steps of its own.
        raise AttributeError(f"'types.SimpleNamespace' object has no attribute '{name}'")
    return values[name]
