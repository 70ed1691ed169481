"""Words for values and for steps, short and the same in every run."""

import re
from collections import deque
from types import SimpleNamespace
from typing import Final

from helpers.observe.lab.keys import Watched

LONGEST: Final = 60
_IRREGULAR: Final = {"tries": "try", "notifies": "notify", "goes": "go"}
_ADDRESS: Final = re.compile(r" at 0x[0-9a-fA-F]+")


class _Words(str):
    """Words whose repr is they themselves, to stand in a container's repr."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def value_words(value: object) -> str:
    """`value` as code, cut to 60 characters."""
    try:
        words = repr(_shown(value))
    except Exception as error:  # noqa: BLE001 (the learner's own __repr__)
        words = f"<{type(value).__name__}, whose repr failed: {type(error).__name__}>"
    return clipped(_ADDRESS.sub("", words))


def clipped(words: str) -> str:
    """`words`, cut to 60 characters."""
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"


def infinitive(words: str) -> str:
    """Words in the third person as an infinitive: "acquire x" for "acquires x"."""
    verb, _, rest = words.partition(" ")
    return f"{_IRREGULAR.get(verb, verb.removesuffix('s'))} {rest}".rstrip()


def error_words(error: BaseException) -> str:
    """An exception as the last line of its traceback: "KeyError: 'a'"."""
    try:
        words = str(error)
    except Exception:  # noqa: BLE001 (the learner's own __str__)
        words = ""
    name = type(error).__name__
    return f"{name}: {words}" if words else name


def call_words(name: str, method: str, args: tuple[object, ...], kwargs: dict[str, object]) -> str:
    """A call as code: "items.append(5)"."""
    given = [value_words(value) for value in args]
    given += [f"{key}={value_words(value)}" for key, value in kwargs.items()]
    return f"{name}.{method}({', '.join(given)})"


def _shown(value: object) -> object:
    """`value` with names for locks, and without anything that stops when it is looked at."""
    if isinstance(value, Watched):
        bare = value.lab_bare()
        return _Words(value.lab_name) if bare is None else _shown(bare)
    if type(value) is list or type(value) is tuple or type(value) is set or type(value) is deque:
        return type(value)(map(_shown, value))
    if type(value) is dict:
        return {_shown(key): _shown(one) for key, one in value.items()}
    if type(value) is SimpleNamespace:
        return SimpleNamespace(**{key: _shown(one) for key, one in vars(value).items()})
    return value
