"""Lesson 05's exercise: run two processes at the same time, wait for both, give back their exit codes."""

import os
import sys
from collections.abc import Callable
from typing import Final, cast

from helpers.observe.child_errors import error_output
from helpers.observe.reading import Lane
from helpers.observe.trace import Trace
from helpers.panels.exercise import Exercise, Property
from helpers.panels.guard import Answer
from helpers.panels.verdict import Verdict

Worker = Callable[[Trace, float], object]

# The second try is for a machine so busy that one process had ended before the other was ready.
_TRIES: Final = (0.4, 2.0)
_FAILURE: Final = 3


def check_run_two(answer: Answer, worker: Worker) -> Verdict:
    """Check the learner's `run_two(target, args)`.

    Args:
        answer: the learner's function.
        worker: a function of a module, called as `worker(trace, seconds)`, that records one span of about so
            many seconds.
    """
    exercise = Exercise(
        Property(
            "both workers ran in processes of their own, and at the same time",
            lambda a: _side_by_side(a, worker),
        ),
        Property("the exit codes are those of the processes, also when they fail", _reports_failure),
        Property("no process was left running", lambda _: None),  # the guard has looked after each try
    )
    return exercise(answer)


def _side_by_side(answer: Answer, worker: Worker) -> str | None:
    for seconds in _TRIES:
        with Trace() as trace, error_output() as errors:
            codes = answer(worker, (trace, seconds))
        lanes = trace.lanes()
        hint = (
            _ran_here(lanes)
            or _not_waited_for(codes)
            or _wrong_number(lanes, errors.last_line)
            or _wrong_codes(codes, 0)
        )
        if hint:
            return hint
        (start, end), (other_start, other_end) = (_extent(lane) for lane in lanes if lane.spans)
        if start < other_end and other_start < end:
            return None
    return "The second process started only when the first had ended: start() both, and only then join() both."


def _ran_here(lanes: list[Lane]) -> str | None:
    if all(lane.pid != os.getpid() for lane in lanes):
        return None
    return (
        "A worker ran in this process: hand Process the function, target=target, args=args, and call start(). "
        "target(*args), run() and threads all stay here."
    )


def _wrong_number(lanes: list[Lane], error: str) -> str | None:
    count = sum(bool(lane.spans) for lane in lanes)
    if count == 2:
        return None
    if error:
        return f"A process failed before it could work, with {error}. Are target=target and args=args as given?"
    return f"Two processes should run the worker, and {count} did: start() each of two."


def _not_waited_for(codes: object) -> str | None:
    if codes is None:
        return "Your function gives back None: does it end with return?"
    if not isinstance(codes, list | tuple) or len(codes) != 2:
        return "Two numbers in a list are asked for: the exitcode of each process."
    if None in codes:
        return (
            "An exitcode is None as long as its process runs, and join() itself gives back None: "
            "join() both, then read."
        )
    return None


def _wrong_codes(codes: object, right: int) -> str | None:
    if wrong := _not_waited_for(codes):
        return wrong
    numbers = list(cast("list[object]", codes))
    if numbers == [right, right]:
        return None
    if any(isinstance(number, int) and number < 0 for number in numbers):
        return "A negative exit code tells of a signal, as terminate() sends: let the processes end by themselves."
    return f"Two workers that end with exit code {right} should give [{right}, {right}]: read each one's exitcode."


def _reports_failure(answer: Answer) -> str | None:
    return _wrong_codes(answer(sys.exit, (_FAILURE,)), _FAILURE)


def _extent(lane: Lane) -> tuple[int, int]:
    return lane.spans[0].start, max(span.end or 0 for span in lane.spans)
