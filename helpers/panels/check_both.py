"""Lesson 08's exercise: run two functions in two processes side by side, and give back both results."""

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from helpers.observe.child_errors import error_output
from helpers.observe.together import Together
from helpers.observe.trace import Trace
from helpers.panels.exercise import Exercise, Property
from helpers.panels.guard import Answer, OutOfTimeError
from helpers.panels.verdict import Verdict

Function = Callable[[int, int], int]

_FORGOTTEN: Final = (
    "A process of multiprocessing throws away what its function returns: use an executor's submit(), or a target "
    "that puts the result into a queue or a pipe."
)
_NOT_UNDER_SPAWN: Final = "It works here, but not where processes are spawned, as on Windows and macOS"


def check_both(answer: Answer, f1: Function, f2: Function) -> Verdict:
    """Check the learner's `both(first, second, x, y)`.

    Args:
        answer: the learner's function.
        f1: a function of a module, of two numbers, that ends at once.
        f2: another, with other results.
    """
    exercise = Exercise(
        Property("both results come back, the first function's first", lambda a: _right_results(a, f1, f2)),
        Property("two processes of their own worked, side by side", lambda a: _side_by_side(a, f1, f2)),
        Property("it works where processes are spawned, too", lambda a: _right_under_spawn(a, f1, f2)),
        Property("no process was left running", lambda _: None),  # the guard has looked after each try
    )
    return exercise(answer)


class _Call(NamedTuple):
    """A try of the learner's function, with what its processes complained of."""

    given: object
    error: str


def _call(answer: Answer, *args: object) -> _Call:
    with error_output() as errors:
        try:
            return _Call(answer(*args), errors.last_line)
        except OutOfTimeError:
            # Most often it waits for the result of a process that has died, whose last words tell why.
            if errors.last_line:
                return _Call(None, errors.last_line)
            raise


def _right_results(answer: Answer, f1: Function, f2: Function) -> str | None:
    # In the second try the functions are swapped, so that an order learnt by heart is found out.
    for first, second, x, y in ((f1, f2, 4, 6), (f2, f1, 10, 3)):
        given, error = _call(answer, first, second, x, y)
        if hint := _wrong(given, [first(x, y), second(x, y)]):
            return f"A process failed, and its last words were: {error}" if error else hint
    return None


def _wrong(given: object, right: list[int]) -> str | None:
    if given is None:
        return "Your function gives back None: does it end with return?"
    if not isinstance(given, list | tuple) or len(given) != 2:
        return "Two results in a list or a tuple are asked for: the first function's, then the second's."
    return None if list(given) == right else _wrong_pair(list(given), right)


def _wrong_pair(given: list[object], right: list[int]) -> str:
    if any(isinstance(each, Future) for each in given):
        return "A future is the promise of a result: ask each for its result()."
    if given == right[::-1]:
        return "The results are swapped: a queue gives them in the order in which they come. Sort out whose is whose."
    if given == [None, None]:
        return _FORGOTTEN
    if given == [0, 0]:
        return f"Are these exit codes? {_FORGOTTEN}"
    return f"With these functions the results should be {right}; yours are {given!r}."


def _side_by_side(answer: Answer, f1: Function, f2: Function) -> str | None:
    with Trace() as trace:
        _call(answer, Together(trace, f1), Together(trace, f2), 4, 6)
    lanes = [lane for lane in trace.lanes() if lane.spans]
    spans = [span for lane in lanes for span in lane.spans]
    if any(lane.pid == os.getpid() for lane in lanes):
        return "A function ran in this process: a plain call and a thread stay here. Hand it to a process, uncalled."
    if len(spans) != 2:
        return f"Each function should be called once, two calls in all; there were {len(spans)}."
    (start, end), (other_start, other_end) = ((span.start, span.end or 0) for span in spans)
    if start > other_end or other_start > end:
        return "One function began only when the other had ended: start both, and only then wait for a result."
    if len({lane.pid for lane in lanes}) != 2:
        return "One process ran both functions: give each a process of its own."
    return None


def _right_under_spawn(answer: Answer, f1: Function, f2: Function) -> str | None:
    try:
        with _start_method("spawn"):
            given, error = _call(answer, f1, f2, 4, 6)
    except Exception as problem:  # noqa: BLE001 (whatever it is, the learner is told in words)
        given, error = None, f"{type(problem).__name__}: {problem}".rstrip(".: ")
    hint = _wrong(given, [f1(4, 6), f2(4, 6)])
    if hint and error:
        return f"{_NOT_UNDER_SPAWN}: {error}. All that a process is given must be found in a module."
    return f"{_NOT_UNDER_SPAWN}. {hint}" if hint else None


@contextmanager
def _start_method(method: str) -> Iterator[None]:
    """Let `method` be the default in the block."""
    before = multiprocessing.get_start_method(allow_none=True)
    set_method: Callable[..., Any] = multiprocessing.set_start_method
    set_method(method, force=True)
    try:
        yield
    finally:
        set_method(before, force=True)  # None is fine: nothing was chosen yet
