"""Lesson 12's exercise: run tasks in processes, keep what is finished, name what failed, and leave nothing.

Each try happens in a sandbox, so an answer that hangs, or that leaves a pool behind which starts its workers again
and again, hurts nobody.
"""

import multiprocessing
from collections.abc import Callable, Mapping
from functools import partial
from time import monotonic, sleep
from typing import Any, Final, NamedTuple

from helpers.observe.trace import Trace
from helpers.panels.exercise import Exercise, Property
from helpers.panels.guard import Answer
from helpers.panels.sandbox import Outcome, run_in_sandbox
from helpers.panels.verdict import Verdict

Task = Callable[..., object]
Faults = Mapping[str, Task]
"""Tasks by the words that say how they go wrong; each is called as `task(trace, name)`."""

# A right answer takes far less, so that a busy machine is no wrong answer; the guard of an exercise gives 10 s.
_LIMIT: Final = 4.0
_SHORT: Final = 2.5  # where tasks never end, so that the whole of it is waited for
_GRACE: Final = 1.6  # less than another limit, as it takes to wait for each of two tasks in turn
_SANDBOX: Final = 7.0
_PATIENCE: Final = 1.0  # seconds for workers that are just ending


class _Run(NamedTuple):
    """What the learner's function did, in words that can be sent."""

    said: str | None
    """What came back if it is no pair of dicts; else None."""
    results: dict[str, str]
    failures: tuple[str, ...]
    took: float
    limit: float
    """Seconds it was given."""
    left: int
    """Processes that still ran afterwards."""


def check_run_all(answer: Answer, good: Task, faults: Faults) -> Verdict:
    """Check the learner's `run_all(tasks, limit)`.

    Args:
        answer: the learner's function.
        good: a function of a module that gives back `f"{name}: done"`.
        faults: tasks that are "raising", "unpicklable", "killed" (called with `after`, too, the number of other
            tasks that it waits for) and "endless".
    """
    exercise = Exercise(
        Property("every result came back under its name", lambda a: _all_good(a, good)),
        Property("a task whose worker is killed was named, and the others kept", lambda a: _killed(a, good, faults)),
        Property(
            "so it was with one that raises, and a result that does not pickle", lambda a: _named(a, good, faults)
        ),
        Property("tasks that never end cost no more than the limit", lambda a: _in_time(a, good, faults)),
        Property("no process was left running", lambda _: None),  # each try has looked
    )
    return exercise(answer)


def _all_good(answer: Answer, good: Task) -> str | None:
    return _try(answer, dict.fromkeys("abcd", good), failing=())


def _killed(answer: Answer, good: Task, faults: Faults) -> str | None:
    # The last one may be lost with its pool, or done by another worker.
    tasks: dict[str, Task] = {"a": good, "b": good, "c": partial(faults["killed"], after=2), "d": good}
    return _try(answer, tasks, failing=("c",), either="d")


def _named(answer: Answer, good: Task, faults: Faults) -> str | None:
    tasks = {"a": good, "b": faults["raising"], "c": good, "d": faults["unpicklable"], "e": good}
    return _try(answer, tasks, failing=("b", "d"))


def _in_time(answer: Answer, good: Task, faults: Faults) -> str | None:
    tasks = {"a": good, "b": good, "c": faults["endless"], "d": faults["endless"]}
    return _try(answer, tasks, failing=("c", "d"), limit=_SHORT)


def _try(
    answer: Answer,
    tasks: Mapping[str, Task],
    *,
    failing: tuple[str, ...],
    either: str = "",
    limit: float = _LIMIT,
) -> str | None:
    with Trace() as trace:
        calls = {name: (task, trace, name) for name, task in tasks.items()}
        outcome = run_in_sandbox(_run, answer, calls, limit, limit=_SANDBOX)
    if outcome.kind != "finished":
        return _no_answer(outcome, limit)
    run: _Run = outcome.value
    good = tuple(name for name in tasks if name not in failing and name != either)
    return _wrong_form(run) or _wrong_names(run, tuple(tasks), good, failing) or _wrong_manners(run)


def _run(answer: Answer, calls: dict[str, tuple[Any, ...]], limit: float) -> _Run:
    """Call the learner's function, in the sandbox."""
    start = monotonic()
    said = answer(calls, limit)
    took = monotonic() - start
    while (left := len(multiprocessing.active_children())) and monotonic() < start + took + _PATIENCE:
        sleep(0.02)
    if isinstance(said, tuple | list) and len(said) == 2 and all(isinstance(part, dict) for part in said):
        results = {str(name): _short(result) for name, result in said[0].items()}
        return _Run(None, results, tuple(map(str, said[1])), took, limit, left)
    return _Run("None" if said is None else _short(said), {}, (), took, limit, left)


def _short(value: object) -> str:
    """A value in words: it may well be something that cannot be sent."""
    return value if isinstance(value, str) else f"{value!r:.80}"


def _no_answer(outcome: Outcome, limit: float) -> str:
    if outcome.kind == "died":
        return (
            "A task was called in the process of your function, and ended it: hand the tasks to a pool of processes."
        )
    if outcome.kind == "failed":
        return (
            f"Your function raised {outcome.error}. One task's failure should not end it: take each task's error "
            "from its own future."
        )
    return (
        f"It had not come back after {_SANDBOX:g} seconds, with a limit of {limit:g}. What does it wait for? "
        "Leaving a with block waits for every task: end the workers first."
    )


def _wrong_form(run: _Run) -> str | None:
    if run.said == "None":
        return "Your function gives back None: does it end with return?"
    if run.said is not None:
        return f"Two dicts are asked for, results and failures; this came back: {run.said}."
    return None


def _wrong_names(run: _Run, names: tuple[str, ...], good: tuple[str, ...], failing: tuple[str, ...]) -> str | None:
    missing = [name for name in names if name not in run.results and name not in run.failures]
    both = [name for name in names if name in run.results and name in run.failures]
    wrong = [name for name in run.results if name in good and run.results[name] != f"{name}: done"]
    lost = [name for name in good if name in run.failures]
    unnoticed = [name for name in failing if name in run.results]
    hints = {
        f"Nothing is said of {missing}: each task belongs into one of the two dicts.": missing,
        f"{both} stand in both dicts.": both,
        f"{lost} had finished, and count as failures: keep every result that is there.": lost,
        f"{unnoticed} failed, and stand among the results: put them into failures.": unnoticed,
        f"The result of {wrong} is not what the task gave back: take it from future.result().": wrong,
    }
    return next((hint for hint, names in hints.items() if names), None)


def _wrong_manners(run: _Run) -> str | None:
    if run.took > run.limit + _GRACE:
        return (
            f"It took {run.took:.1f} seconds, with a limit of {run.limit:g}: the limit is for all tasks together, so "
            "wait once, for all of them."
        )
    if run.left:
        return "A worker process still ran when your function returned: end the pool, workers and all."
    return None
