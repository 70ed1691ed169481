"""The methods of the standard library's containers, each with a stop before it."""

# ruff: noqa: ANN401 (methods of the standard library, which take and give anything)

from collections import deque
from collections.abc import Callable
from typing import Any, Final, TypeVar

from helpers.observe.lab.operations import Operation
from helpers.observe.lab.words import call_words, value_words

TAKES_MANY: Final = frozenset({"extend", "extendleft", "update", "__iadd__", "__ior__"})
TAKES_ONE: Final = frozenset({"append", "appendleft", "insert", "add"})

_SYMBOLS: Final = {
    "__eq__": "==", "__ne__": "!=", "__lt__": "<", "__le__": "<=", "__gt__": ">", "__ge__": ">=", "__add__": "+",
    "__mul__": "*", "__and__": "&", "__or__": "|", "__xor__": "^", "__sub__": "-", "__iadd__": "+=", "__imul__": "*=",
    "__ior__": "|=", "__iand__": "&=", "__isub__": "-=", "__ixor__": "^=",
}  # fmt: skip
_ORDER: Final = "__eq__ __ne__ __lt__ __le__ __gt__ __ge__"
_READS: Final[dict[type, str]] = {
    list: f"index count copy __add__ __mul__ {_ORDER}",
    dict: "get copy __eq__ __ne__ __or__",
    set: "copy isdisjoint issubset issuperset union intersection difference symmetric_difference "
    f"__and__ __or__ __xor__ __sub__ {_ORDER}",
    deque: f"index count copy __copy__ __add__ __mul__ {_ORDER}",
}
_WRITES: Final[dict[type, str]] = {
    list: "append extend insert pop remove clear sort reverse __iadd__ __imul__",
    dict: "pop popitem setdefault update clear __ior__",
    set: "add discard remove pop clear update intersection_update difference_update symmetric_difference_update "
    "__ior__ __iand__ __isub__ __ixor__",
    deque: "append appendleft extend extendleft insert pop popleft remove clear rotate reverse __iadd__ __imul__",
}
CHANGING: Final = frozenset(name for names in _WRITES.values() for name in names.split())

C = TypeVar("C", bound=type[Any])


def with_methods(kind: C) -> C:
    """Give a watched container, which names its `base`, the methods of that."""
    for name in _READS[kind.base].split():
        setattr(kind, name, _reading(kind.base, name))
    for name in _WRITES[kind.base].split():
        setattr(kind, name, _writing(kind.base, name))
    kind.__name__ = kind.__qualname__ = kind.base.__name__  # Python's errors speak of it by this name
    return kind


def _reading(base: type, name: str) -> Callable[..., Any]:
    real = getattr(base, name)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        words = _words(self.lab_name, name, args, kwargs)
        # On a copy: a subclass's own methods would give, and make, more of that subclass.
        return self.reads(words, lambda: real(self.lab_bare(), *args, **kwargs))

    method.__name__ = name
    return method


def _writing(base: type, name: str) -> Callable[..., Any]:
    real = getattr(base, name)
    many = dict if base is dict else list

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if name in TAKES_MANY:
            args = tuple(many(series, **kwargs) for series in args or ((),))
            kwargs = {}
        operation = Operation("writes", _words(self.lab_name, name, args, kwargs), shows=name not in _SYMBOLS)
        return self.change(operation, lambda: real(self, *self.adopted(name, args), **kwargs))

    method.__name__ = name
    return method


def _words(own: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    if name == "__copy__":
        return f"copy({own})"
    symbol = _SYMBOLS.get(name)
    return f"{own} {symbol} {value_words(args[0])}" if symbol else call_words(own, name, args, kwargs)
