"""Lesson 15's exercise: call a function for many items with few tasks, on whatever engine."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import cache, partial
from pickle import PicklingError
from threading import Event
from typing import Any, Final

from helpers.observe.child_errors import error_output
from helpers.observe.lifeline import end_with_parent
from helpers.panels.engines import engine
from helpers.panels.exercise import Exercise, Property
from helpers.panels.guard import Answer
from helpers.panels.verdict import Verdict

Function = Callable[[int], int]

ITEMS: Final = range(10)
SIZE: Final = 4
TASKS: Final = 3
"""Bundles of four out of ten items: two full ones, and what is left."""
_PATIENCE: Final = 3.0  # seconds; no right answer waits, on however busy a machine


def check_in_bundles(answer: Answer, function: Function) -> Verdict:
    """Check the learner's `map_in_bundles(pool, function, items, size)`.

    Args:
        answer: the learner's function.
        function: one of a module, of a number, that ends at once, and gives different numbers for different ones.
    """
    trial = cache(partial(_tried, function))  # for three properties: a pool that nobody fills takes seconds
    exercise = Exercise(
        Property("every result comes back, in the order of the items", lambda a: _complete(trial(a), function)),
        Property("items may be any iterable, an empty one too", lambda a: _any_items(a, function)),
        Property(f"{len(ITEMS)} items in bundles of {SIZE} are {TASKS} tasks", lambda a: _few_tasks(trial(a))),
        Property("all are handed in before one is waited for", lambda a: _before_waiting(trial(a))),
        Property("it works in processes and with loky, and leaves the pool open", lambda a: _elsewhere(a, function)),
    )
    return exercise(answer)


class _Backwards(Executor):
    """Runs its tasks in threads, such that each ends after the one that was handed in next.

    None begins before as many were handed in as there should be. If that takes seconds, `lonely` is true, and from
    then on nobody waits.
    """

    def __init__(self) -> None:
        self.lonely = False
        self._enough = Event()
        self._ended: list[Event] = []
        self._pool = ThreadPoolExecutor(len(ITEMS))

    @property
    def tasks(self) -> int:
        """How many were handed in."""
        return len(self._ended)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401 (any task)
        ended = Event()
        self._ended.append(ended)
        if self.tasks == TASKS:
            self._enough.set()
        future = self._pool.submit(self._run, self.tasks, partial(fn, *args, **kwargs))
        # Not set by the task itself: as_completed is to see this future end before the earlier one goes on.
        future.add_done_callback(lambda _: ended.set())
        return future

    def shutdown(self, *_: object, **__: object) -> None:
        self._pool.shutdown()

    def _run(self, number: int, call: Callable[[], object]) -> object:
        if not self._enough.wait(_PATIENCE):
            self.lonely = True
            self._enough.set()
        try:
            return call()
        finally:
            if number < TASKS and not self.lonely:
                self._ended[number].wait(_PATIENCE)


def _tried(function: Function, answer: Answer) -> tuple[object, _Backwards]:
    with _Backwards() as pool:
        return answer(pool, function, list(ITEMS), SIZE), pool


def _complete(trial: tuple[object, _Backwards], function: Function) -> str | None:
    given, _ = trial
    return _wrong(given, [function(item) for item in ITEMS])


def _any_items(answer: Answer, function: Function) -> str | None:
    with engine("serial", 1) as pool:
        if hint := _wrong(answer(pool, function, [], SIZE), []):
            return f"For no items at all: {hint}"
    with engine("serial", 1) as pool:
        try:
            given = answer(pool, function, iter(ITEMS), SIZE)
        except TypeError:
            given = None
    if _wrong(given, [function(item) for item in ITEMS]):
        return "The items may come from a generator, which has no length and no slices: begin with list(items)."
    return None


def _wrong(given: object, right: list[int]) -> str | None:
    """What is wrong with the results."""
    if given is None:
        return "Your function gives back None: does it end with return?"
    if not isinstance(given, list):
        return f"A list is asked for, and this is of type {type(given).__name__}: list(…) makes one of it."
    return None if given == right else _wrong_list(given, right)


def _wrong_list(given: list[object], right: list[int]) -> str:
    if any(isinstance(each, Future) for each in given):
        return "A future is the promise of a result: ask each for its result()."
    if any(isinstance(each, list) for each in given):
        return "These are lists in a list, one a bundle: put the results of all bundles into one list."
    if sorted(map(repr, given)) == sorted(map(repr, right)):
        return "The right results in the wrong order: as_completed gives them as they come, map in order."
    if given == right[: len(given)]:
        return f"Only the first {len(given)} of {len(right)} results are there: the last bundle may be a smaller one."
    return f"The results should be {right!r:.80}; yours are {given!r:.80}."


def _few_tasks(trial: tuple[object, _Backwards]) -> str | None:
    _, pool = trial
    if pool.tasks == TASKS:
        return None
    if not pool.tasks:
        return "Nothing was handed to the pool: use its submit or its map."
    if pool.tasks == len(ITEMS):
        return (
            "Each item became a task of its own. Hand in call_each, with a whole bundle. (chunksize makes bundles in "
            "processes and loky only.)"
        )
    return f"{len(ITEMS)} items in bundles of {SIZE} are {TASKS} tasks; yours were {pool.tasks}."


def _before_waiting(trial: tuple[object, _Backwards]) -> str | None:
    _, pool = trial
    if pool.lonely:
        return "One bundle was waited for before the next was handed in: that is serial. Hand in all, then wait."
    return None


def _elsewhere(answer: Answer, function: Function) -> str | None:
    # Spawned processes are the strictest: they know nothing but what stands in modules.
    spawned = ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"), initializer=end_with_parent)
    if hint := _works(answer, function, spawned):
        return f"In processes: {hint}"
    hint = _works(answer, function, engine("loky", 2))
    return hint and f"With loky: {hint}"


def _works(answer: Answer, function: Function, pool: Executor) -> str | None:
    with error_output(), pool:  # what a broken worker says is told in the hint
        try:
            wrong = _wrong(answer(pool, function, list(ITEMS), SIZE), [function(item) for item in ITEMS])
        except (AttributeError, PicklingError, BrokenExecutor) as error:
            return f"{type(error).__name__}. What a process is to call must stand in a module, as call_each does."
        try:
            pool.submit(function, 0)
        except RuntimeError:
            return "Your function has shut the pool down. Whoever made it ends it: use it without with."
    return wrong
