"""Pickle a cell's own functions and classes, and say in the learner's terms why something cannot be pickled.

Plain pickle sends a function by name, and the name of a cell's function means nothing in another process. cloudpickle
sends what the function is made of; to open that, a process needs cloudpickle and nothing of ours.
"""

import io
from collections import ChainMap
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import pairwise
from multiprocessing.reduction import ForkingPickler
from types import CodeType, FunctionType, MethodType
from typing import Any, ClassVar

import cloudpickle


class _Pickler(cloudpickle.Pickler):
    # Connections and shared values are pickled by reducers that only multiprocessing's own pickler knows. The very
    # dict of them, for some come later, with the module that needs them.
    dispatch_table: ClassVar = ChainMap(
        cloudpickle.Pickler.dispatch_table,
        ForkingPickler._extra_reducers,  # type: ignore[attr-defined] # noqa: SLF001 (the stubs do not know it)
    )


def by_value(content: object) -> bytes:
    """Pickle `content` for `pickle.loads`, a cell's functions and classes included.

    While a process is being started, locks, queues and connections of multiprocessing can be pickled too.

    Raises:
        TypeError: something in it cannot be pickled; says what, and what uses it.
    """
    try:
        return _pickled(content)
    except Exception as error:
        raise TypeError(
            f"{_culprit(content)} cannot be sent to another process: {str(error).rstrip('.')}. "
            "Make it inside the function instead."
        ) from error


def _pickled(content: object) -> bytes:
    file = io.BytesIO()
    _Pickler(file).dump(content)
    return file.getvalue()


def _culprit(content: object) -> str:
    """The innermost thing that cannot be pickled, and what led to it: "two_locks uses f1, f1 uses lock_x, which"."""
    path: list[str] = []
    seen: set[int] = set()
    at: object = content
    while id(at) not in seen:
        seen.add(id(at))
        for name, part in _parts(at):
            if id(part) not in seen and not _can_send(part):
                path.append(name)
                at = part
                break
    steps = [f"{user} uses {used}" for user, used in pairwise(path)]
    return f"{', '.join(steps)}, which" if steps else path[0] if path else _unnamed(content)


def _can_send(part: object) -> bool:
    try:
        _pickled(part)
    except Exception:  # noqa: BLE001 (a learner's class may raise anything)
        return False
    return True


def _parts(whole: object) -> Iterator[tuple[str, Any]]:
    """What is pickled with `whole`, by the names that its author gave."""
    if isinstance(whole, FunctionType):
        yield from _used_by(whole)
    elif isinstance(whole, MethodType):
        yield type(whole.__self__).__name__, whole.__self__
    elif isinstance(whole, partial):
        yield from _parts([whole.func, *whole.args])
        yield from whole.keywords.items()
    elif isinstance(whole, Mapping):
        yield from ((f"the value of {key!r}", value) for key, value in whole.items())
    elif isinstance(whole, list | tuple | set | frozenset):
        for part in whole:
            if isinstance(part, tuple):  # it has no name worth telling
                yield from _parts(part)
            else:
                yield getattr(part, "__name__", None) or _unnamed(part), part
    elif hasattr(whole, "__dict__"):
        yield from vars(whole).items()


def _unnamed(thing: object) -> str:
    return f"an object of type {type(thing).__name__}"


def _used_by(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """The global and the enclosing functions' variables that it uses, and its defaults."""
    names = set(_names_in(function.__code__))
    yield from ((name, value) for name, value in function.__globals__.items() if name in names)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not assigned yet
            continue
    yield from _parts(function.__defaults__ or ())


def _names_in(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_in(constant)
