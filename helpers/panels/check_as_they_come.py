"""Lesson 11's exercise: results of a pool of two processes, in the order in which they come."""

import operator
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from multiprocessing import get_start_method, set_start_method
from typing import Any, Final

from helpers.observe.child_errors import error_output
from helpers.observe.last_to_end import LastToEnd
from helpers.observe.reading import Lane
from helpers.observe.trace import Trace
from helpers.panels.exercise import Exercise, Property
from helpers.panels.guard import Answer, OutOfTimeError

ITEMS: Final = 8
_FREE: Final = 3  # what had ended before the answer began to collect may come in any order; so may a pair at once
_SUBMIT_FIRST: Final = "Submit all items, and only then ask for results."
_NOT_UNDER_SPAWN: Final = "It works here, but not where processes are spawned, as on Windows and macOS"


def _right_pairs(answer: Answer) -> str | None:
    for items in ([3, 1, 2], [5, 5], []):
        if hint := _wrong_pairs(answer(operator.neg, list(items)), items):
            return hint
    return None


def _wrong_pairs(given: object, items: list[int]) -> str | None:
    if given is None:
        return "Your function gives back None: does it end with return?"
    if not isinstance(given, list):
        return f"A list of pairs is asked for; this is of type {type(given).__name__}."
    if given and not all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in given):
        return "Each entry should be a pair, (item, result): keep a dict from each future to its item."
    if any(isinstance(part, Future) for pair in given for part in pair):
        return "A future is the promise of a result: ask each for its result()."
    right = sorted((item, -item) for item in items)
    pairs = sorted(given, key=repr)
    if sorted(map(tuple, pairs), key=repr) == sorted(right, key=repr):
        return None
    return _other_pairs(given, right, items)


def _other_pairs(given: list[Any], right: list[tuple[int, int]], items: list[int]) -> str:
    if sorted((item, result) for result, item in given) == right:
        return "The pairs are the wrong way round: first the item, then its result."
    if len(given) < len(items) and len(set(items)) < len(items):
        return "Two equal items should give two pairs: keep a dict from each future to its item, not the other way."
    if len(given) != len(items):
        return f"{len(items)} items should give as many pairs; yours are {len(given)}."
    return f"For the items {items} and operator.neg, a pair is ({items[0]}, {-items[0]}); yours are {given!r:.80}."


def _as_they_came(answer: Answer) -> str | None:
    with Trace() as trace:
        given = answer(LastToEnd(trace, ITEMS), list(range(ITEMS)))
    lanes = [lane for lane in trace.lanes() if lane.spans]
    ended = [int(name) for _, name in sorted((span.end or 0, span.name) for lane in lanes for span in lane.spans)]
    if len(ended) != ITEMS:
        return f"Each item should be handed in once, {ITEMS} calls in all; there were {len(ended)}."
    return _wrong_workers(lanes) or _wrong_order([item for item, _ in given], ended)


def _wrong_workers(lanes: list[Lane]) -> str | None:
    if any(lane.pid == os.getpid() for lane in lanes):
        return (
            "A call was made in this process: plain calls and pools of threads stay here. Take a pool of processes."
        )
    count = len({lane.pid for lane in lanes})
    if count > 2:
        return f"{count} processes were at work: give the pool its number of workers, two."
    return None if count == 2 else f"Only one process was at work: give the pool two workers. {_SUBMIT_FIRST}"


def _wrong_order(items: list[int], ended: list[int]) -> str | None:
    if ended[-1] != 0:
        return f"The first item was at work, and the others were not handed in meanwhile. {_SUBMIT_FIRST}"
    late = enumerate(items[_FREE:], _FREE)
    if items[-1:] == [0] and all(abs(place - ended.index(item)) <= 1 for place, item in late):
        return None
    if items == sorted(items):
        return "The results are in the order of the items: as_completed() gives each future when it is done."
    return (
        "The results are not in the order in which they came: collect them with as_completed() while the pool is at "
        "work, inside the with block."
    )


def _right_under_spawn(answer: Answer) -> str | None:
    try:
        with _start_method("spawn"), error_output() as errors:
            given = answer(operator.neg, [1, 2])
    except (Exception, OutOfTimeError) as problem:  # noqa: BLE001 (whatever it is, the learner is told in words)
        said = errors.last_line or f"{type(problem).__name__}: {problem}".rstrip(".: ")
        return f"{_NOT_UNDER_SPAWN}: {said}. All that a process is given must be found in a module."
    return _wrong_pairs(given, [1, 2])


@contextmanager
def _start_method(method: str) -> Iterator[None]:
    """Let `method` be the default in the block."""
    before = get_start_method(allow_none=True)
    choose: Callable[..., Any] = set_start_method
    choose(method, force=True)
    try:
        yield
    finally:
        choose(before, force=True)  # None is fine: nothing was chosen yet


check_as_they_come: Final = Exercise(
    Property("every item comes with its result, equal items and no items at all too", _right_pairs),
    Property("two processes were at work, and what ended first came first", _as_they_came),
    Property("it works where processes are spawned, too", _right_under_spawn),
    Property("no process was left running", lambda _: None),  # the guard has looked after each try
)
