"""Keys by which values of different runs are compared: a program cannot tell values of equal keys apart."""

import datetime as dt
import enum
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePath
from types import BuiltinFunctionType, CellType, FunctionType, MethodType, ModuleType, SimpleNamespace
from typing import Any, Final

PLAIN: Final = (
    type(None),
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    range,
    type(...),
    type(NotImplemented),
    Decimal,
    Fraction,
    dt.date,
    dt.time,
    dt.timedelta,
    dt.tzinfo,
    enum.Enum,
    PurePath,
)


class NoKeyError(TypeError):
    """A value that no key can be made of: what it holds cannot be seen."""


class Watched:
    """What threads share, and the lab watches.

    Attributes:
        lab_birth: names it in all runs that have come to it the same way.
        lab_name: how words speak of it: "cache", "accounts[0].lock".
    """

    lab_birth: tuple[int, ...]
    lab_name: str
    __slots__ = ()

    def lab_bare(self) -> object:
        """A shallow copy of a container as the standard library has it; none of a lock."""

    def lab_content(self) -> Hashable:
        """A key for what it holds: equal if nothing in it differs."""
        return key_of(self.lab_bare())


def key_of(value: object) -> Hashable:
    """A key for `value`.

    Raises:
        NoKeyError: it is none of the values that the lab knows.
    """
    if isinstance(value, Watched):
        return ("watched", value.lab_birth)
    kind = type(value)
    maker = _MAKERS.get(kind)
    if maker is not None:
        return (kind, maker(value))
    if isinstance(value, PLAIN):
        return (kind, repr(value)) if isinstance(value, (float, complex)) else (kind, value)
    if isinstance(value, tuple):
        return (kind, *map(key_of, value))
    if isinstance(value, BaseException):
        return (kind, tuple(map(key_of, value.args)))
    if _is_made_once(value):
        return ("itself", id(value))
    raise NoKeyError(f"no key can be made of {kind.__name__}")


def _is_made_once(value: object) -> bool:
    """Whether it is the same object in all runs: of a module, not made by a function."""
    if isinstance(value, type):
        return "<locals>" not in value.__qualname__
    return isinstance(value, ModuleType) or (
        isinstance(value, BuiltinFunctionType) and isinstance(value.__self__, ModuleType)
    )


def _float(value: float) -> Hashable:
    return repr(value)  # nan is not equal to itself, and 0.0 is equal to -0.0


def _itself(value: Hashable) -> Hashable:
    return value


def _sequence(values: Iterable[object]) -> Hashable:
    return tuple(map(key_of, values))  # a set's too: its order decides what a loop over it does


def _mapping(values: Mapping[Any, object]) -> Hashable:
    return tuple((key_of(key), key_of(value)) for key, value in values.items())


def _namespace(value: SimpleNamespace) -> Hashable:
    return _mapping(vars(value))


def _deque(values: deque[object]) -> Hashable:
    return (values.maxlen, _sequence(values))


def _function(value: FunctionType) -> Hashable:
    cells = tuple(map(_cell, value.__closure__ or ()))
    return (value.__code__, cells, key_of(value.__defaults__), key_of(value.__kwdefaults__))


def _cell(cell: CellType) -> Hashable:
    try:
        content = cell.cell_contents
    except ValueError:  # empty as yet
        return ()
    if isinstance(content, FunctionType):  # it may be in its own closure
        return content.__code__
    return (key_of(content),)


def _method(value: MethodType) -> Hashable:
    return (key_of(value.__func__), key_of(value.__self__))


_MAKERS: Final[dict[type, Callable[[Any], Hashable]]] = {
    type(None): _itself,
    bool: _itself,
    int: _itself,
    str: _itself,
    bytes: _itself,
    float: _float,
    complex: _float,
    tuple: _sequence,
    list: _sequence,
    set: _sequence,
    frozenset: _sequence,
    dict: _mapping,
    deque: _deque,
    SimpleNamespace: _namespace,
    FunctionType: _function,
    MethodType: _method,
    CellType: _cell,
}
