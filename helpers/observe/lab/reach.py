"""What the functions of a program can reach, found in their code without running it.

The lab watches what `make` gives. A lock or a variable outside of that would be shared behind its back, so it is
refused, with words that say how to bring it in.
"""

import dis
import threading
from collections import deque
from collections.abc import Iterator
from types import CodeType, FunctionType, SimpleNamespace
from typing import Any, Final, NamedTuple

from helpers.observe.lab.methods import CHANGING
from helpers.observe.lab.positions import Interned
from helpers.observe.lab.program import Program, own_function

_LOCKS: Final = (
    type(threading.Lock()),
    type(threading.RLock()),
    threading.Semaphore,
    threading.Condition,
    threading.Event,
    threading.Barrier,
)
_CONTAINERS: Final = (list, dict, set, deque, bytearray, SimpleNamespace)


class Reach(NamedTuple):
    """What a program's threads can reach.

    Attributes:
        replaced: names of attributes that they set or delete.
        changes: whether they change any container.
        namespaces: the modules' variables that they use.
        outside: containers they know, by name, that are not shared by way of `make`.
    """

    replaced: frozenset[str]
    changes: bool
    namespaces: tuple[dict[str, Any], ...]
    outside: tuple[tuple[str, object], ...]


class Backstage(NamedTuple):
    """What stages of one program share.

    Attributes:
        reach: what its code touches.
        interned: numbers for what its threads have met with.
    """

    reach: Reach
    interned: Interned


def reach_of(program: Program) -> Reach:
    """Look through the functions of `program`, and all of their modules that they name.

    Raises:
        TypeError: they use a lock, or set a variable, that `make` does not give.
    """
    replaced: set[str] = set()
    changes = False
    outside: dict[str, object] = {}
    functions = list(_functions(program))
    for function in functions:
        for code in _codes(function.__code__):
            replaced |= _attributes_set(code)
            changes = changes or _changes_containers(code)
            _refuse_variables(function, code)
        for name, value in _variables(function):
            if isinstance(value, _LOCKS):
                raise TypeError(_advice(function, f"uses {name}, a lock that make() has not given", name))
            if type(value) in _CONTAINERS:
                outside[name] = value
    namespaces = {id(function.__globals__): function.__globals__ for function in functions}
    return Reach(frozenset(replaced), changes, tuple(namespaces.values()), tuple(outside.items()))


def _functions(program: Program) -> Iterator[FunctionType]:
    """The threads' functions, and those of the same modules that these name, directly or not."""
    waiting = [function for function in map(own_function, program.threads) if function is not None]
    homes = {id(function.__globals__) for function in waiting}
    seen: set[int] = set()
    while waiting:
        function = waiting.pop()
        if id(function) in seen:
            continue
        seen.add(id(function))
        yield function
        named = (own_function(value) for _, value in _variables(function))
        waiting += [one for one in named if one is not None and id(one.__globals__) in homes]


def _variables(function: FunctionType) -> Iterator[tuple[str, object]]:
    """What `function` knows from outside itself, by name."""
    for code in _codes(function.__code__):
        for instruction in dis.get_instructions(code):
            if instruction.opname == "LOAD_GLOBAL" and instruction.argval in function.__globals__:
                yield instruction.argval, function.__globals__[instruction.argval]
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not set as yet
            continue


def _codes(code: CodeType) -> Iterator[CodeType]:
    """`code`, and that of the functions inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _attributes_set(code: CodeType) -> set[str]:
    return {i.argval for i in dis.get_instructions(code) if i.opname in {"STORE_ATTR", "DELETE_ATTR"}}


def _changes_containers(code: CodeType) -> bool:
    names = {i.opname for i in dis.get_instructions(code)}
    return bool(names & {"STORE_SUBSCR", "DELETE_SUBSCR", "STORE_SLICE"} or CHANGING.intersection(code.co_names))


def _refuse_variables(function: FunctionType, code: CodeType) -> None:
    for instruction in dis.get_instructions(code):
        name = instruction.argval
        is_ours = instruction.opname == "STORE_DEREF" and name in function.__code__.co_freevars
        if is_ours or instruction.opname == "STORE_GLOBAL":
            raise TypeError(_advice(function, f"sets {name}, a variable outside it", name))


def _advice(function: FunctionType, fault: str, name: str) -> str:
    return f"{function.__name__} {fault}: let make() give it, and use shared.{name}"
