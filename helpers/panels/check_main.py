"""Lesson 18's exercise: a program that runs a process and watches it, put right; tried in a sandbox."""

import multiprocessing
import os
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

from helpers.observe.reading import Lane
from helpers.observe.trace import Trace
from helpers.panels.exercise import Exercise, Property
from helpers.panels.guard import Answer
from helpers.panels.sandbox import Outcome, run_in_sandbox
from helpers.panels.verdict import Verdict

Worker = Callable[..., object]
Target = Callable[[Trace], object]

# The second try is for a machine so busy that nobody came to look in the first.
_TRIES: Final = (1.0, 3.0)
_LIMIT: Final = 8.0  # seconds; the guard's limit is 10
_ENOUGH: Final = 2
_CURES: Final = {
    "'processing'": "The module is imported as multiprocessing, so processing is a name that nobody has made.",
    "isAlive": "The method is called is_alive().",
    "returncode": "A process of multiprocessing has an exitcode; returncode belongs to subprocess.",
    "'job'": "The function that the process should run is the one you are given: target=target.",
    "'Trace' object is not iterable": "args is a tuple of what the target is given: args=(trace,), with its comma.",
}


class _Returned(NamedTuple):
    """What came of a call in the sandbox."""

    value: object
    pid: int
    """Of the process in which the function ran."""
    left: int
    """Processes that still ran when the function returned."""


def check_main(answer: Answer, worker: Worker) -> Verdict:
    """Check the learner's `main(trace, target)`.

    Args:
        answer: the learner's function.
        worker: a function of a module, called as `worker(trace, seconds=…)`, that records one span of about so many
            seconds.
    """
    exercise = Exercise(
        Property("it runs; the target works in a process of its own, which has ended", lambda a: _works(a, worker)),
        Property("it says that the target is still running, again and again", lambda a: _watches(a, worker)),
        Property("it gives back the exit code of a process that fails, too", _tells_failure),
        Property("it works where processes are spawned, too", lambda a: _works(a, worker, "spawn")),
    )
    return exercise(answer)


def _works(answer: Answer, worker: Worker, method: str | None = None) -> str | None:
    with Trace() as trace:
        outcome = _call(answer, trace, partial(worker, seconds=0.3), method)
    hint = _went_wrong(outcome) or _wrong_place(trace.lanes(), outcome.value.pid) or _wrong_code(outcome.value, 0)
    return f"Where processes are spawned, as on Windows and macOS: {hint}" if hint and method else hint


def _watches(answer: Answer, worker: Worker) -> str | None:
    for seconds in _TRIES:
        with Trace() as trace:
            outcome = _call(answer, trace, partial(worker, seconds=seconds))
        if hint := _went_wrong(outcome):
            return hint
        if _looks(trace.lanes()) >= _ENOUGH:
            return None
    return (
        "While the target was at work, nothing was said: in a loop, as long as the process is_alive(), "
        'trace.note("still running") and join(0.2).'
    )


def _tells_failure(answer: Answer) -> str | None:
    with Trace() as trace:
        outcome = _call(answer, trace, _fail)
    return _went_wrong(outcome) or _wrong_code(outcome.value, 3)


def _fail(_: Trace) -> None:
    raise SystemExit(3)


def _call(answer: Answer, trace: Trace, target: Target, method: str | None = None) -> Outcome:
    return run_in_sandbox(_called, answer, trace, target, method, limit=_LIMIT)


def _called(answer: Answer, trace: Trace, target: Target, method: str | None) -> _Returned:
    """Runs in the sandbox."""
    multiprocessing.set_start_method(method, force=True)
    value: object = answer(trace, target)
    return _Returned(value, os.getpid(), len(multiprocessing.active_children()))


def _went_wrong(outcome: Outcome) -> str | None:
    if outcome.kind == "out of time":
        return f"It had not ended after {_LIMIT:g} seconds: what does it wait for?"
    if outcome.kind == "died":
        return f"It ended the whole program ({outcome.exitcode}): return the exit code, do not exit."
    if outcome.kind == "failed":
        cure = next((cure for words, cure in _CURES.items() if words in (outcome.error or "")), "")
        return f"It failed with {outcome.error}. {cure}".strip()
    if outcome.value.left:
        return "It returned while its process was still running: join() it first."
    return None


def _wrong_place(lanes: list[Lane], home: int) -> str | None:
    at_work = [lane for lane in lanes if lane.spans]
    if len(at_work) != 1:
        return f"The target should run once, and it ran {len(at_work)} times: Process(target=target, args=(trace,))."
    if at_work[0].pid == home:
        return "The target ran in the program's own process: hand it to a Process, uncalled, and start() that."
    return None


def _looks(lanes: list[Lane]) -> int:
    """How often somebody else said something while the target was at work."""
    spans = [(lane, span) for lane in lanes for span in lane.spans]
    return sum(
        span.start < note.at < (span.end or 0)
        for worker, span in spans
        for lane in lanes
        if lane is not worker
        for note in lane.notes
    )


def _wrong_code(value: _Returned, right: int) -> str | None:
    given = value.value
    if given == right and isinstance(given, int):
        return None
    if given is None:
        return "It gives back None: return the exitcode of the process, after it has ended."
    return f"The process ended with exit code {right}, and this came back: {given!r:.80}."
