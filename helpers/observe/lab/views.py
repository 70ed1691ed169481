"""What a run looks like between two steps, in words and plain values."""

import sys
from collections import deque
from collections.abc import Iterator
from traceback import walk_tb
from types import CodeType, SimpleNamespace
from typing import Any

from helpers.observe.lab.home import Home
from helpers.observe.lab.keys import Watched
from helpers.observe.lab.program import Work, function_name, own_function
from helpers.observe.lab.results import State, ThreadView
from helpers.observe.lab.turns import OUTSIDE, Turn
from helpers.observe.lab.twin import Twin
from helpers.observe.lab.words import error_words, infinitive, value_words
from helpers.observe.waits import Hold, Wait, Waits


def thread_view(turn: Turn, work: Work) -> ThreadView:
    """One thread, which does not run just now."""
    function = function_name(work)
    if turn.ended:
        error = error_words(turn.error) if turn.error else ""
        return ThreadView(turn.name, "failed" if error else "ended", "", function, line_of(turn, work), error)
    operation = turn.operation
    if operation is None:
        return ThreadView(turn.name, "failed", "", function, line_of(turn, work), "it has not come back from a step")
    state: State = "ready" if operation.ready else "waiting"
    return ThreadView(turn.name, state, infinitive(operation.words), function, line_of(turn, work), "")


def line_of(turn: Turn, work: Work) -> int | None:
    """The line of its own function at which a thread stands, or has failed; none if it has ended well."""
    function = own_function(work)
    if function is None:
        return None
    if turn.error is not None:
        lines = [line for frame, line in walk_tb(turn.error.__traceback__) if frame.f_code is function.__code__]
        return lines[-1] if lines else None
    return None if turn.ended else _standing(turn.thread.ident, function.__code__)


def waits_of(home: Home) -> Waits:
    """Who holds what and who waits for what."""
    turns = home.turns.all
    twins = [thing for thing in home.things if isinstance(thing, Twin)]
    holds = [
        Hold(turns[place].name, twin.lab_name)
        for twin in twins
        for place in sorted(set(twin.holders()))
        if place != OUTSIDE
    ]
    waits = [
        Wait(turn.name, turn.operation.awaits, gives_up=bool(turn.operation.late))
        for turn in turns
        if turn.operation is not None and turn.operation.awaits and not turn.operation.free()
    ]
    return Waits(
        holds=tuple(holds),
        waits=tuple(waits),
        ended=frozenset(turn.name for turn in turns if turn.ended),
        open=frozenset(twin.lab_name for twin in twins if twin.is_open()),
    )


def rows(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """What is shared, by name, with its value or state; locks inside containers each in a row of their own."""
    if isinstance(value, Twin):
        yield name, value.state()
        return
    bare = value.lab_bare() if isinstance(value, Watched) else value
    if isinstance(bare, SimpleNamespace):
        for key, part in vars(bare).items():
            yield from rows(part, f"{name}.{key}".removeprefix("."))
        return
    parts = _parts(bare)
    if any(isinstance(part, Twin) or isinstance(_bare(part), SimpleNamespace) for _, part in parts):
        for key, part in parts:
            yield from rows(part, f"{name}[{key!r}]")
    else:
        yield name, value_words(value)


def plain(value: object, memo: dict[int, object]) -> Any:  # noqa: ANN401 (of what a check makes, it knows)
    """A copy of what is shared, made of the standard library's own; `memo` keeps what is one object one."""
    if id(value) in memo:
        return memo[id(value)]
    if isinstance(value, Twin):
        memo[id(value)] = value.plain()
        return memo[id(value)]
    if isinstance(value, tuple):
        parts = [plain(part, memo) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    if not isinstance(value, Watched):
        return value
    copy: Any = value.lab_bare()
    memo[id(value)] = copy
    if isinstance(copy, SimpleNamespace):
        vars(copy).update({key: plain(part, memo) for key, part in vars(copy).items()})
    elif not isinstance(copy, set):  # whose elements never change
        for key, part in _parts(copy):
            copy[key] = plain(part, memo)
    return copy


def _bare(value: object) -> object:
    return value.lab_bare() if isinstance(value, Watched) else value


def _parts(bare: object) -> list[tuple[Any, object]]:
    if isinstance(bare, dict):
        return list(bare.items())
    return list(enumerate(bare)) if isinstance(bare, (list, tuple, deque)) else []


def _standing(ident: int | None, code: CodeType) -> int | None:
    frame = sys._current_frames().get(ident or 0)  # noqa: SLF001 (documented)
    while frame is not None:
        if frame.f_code is code:
            return frame.f_lineno
        frame = frame.f_back
    return None
