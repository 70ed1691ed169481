"""Lesson 04's exercise: stop a process, kindly first and then for certain, and say how it ended."""

import multiprocessing
import signal
from collections.abc import Callable
from contextlib import contextmanager
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from helpers.observe.trace import Trace
from helpers.panels.exercise import Exercise, Property
from helpers.panels.guard import Answer
from helpers.panels.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.process import BaseProcess

Worker = Callable[..., object]

# What the function may take is far from what a right answer takes, so that a busy machine is no wrong answer.
_PLENTY: Final = 6.0
_SHORT: Final = 0.5
_TOO_LONG: Final = 5.0
_START_LIMIT: Final = 3.0
_TERMINATED: Final = -signal.SIGTERM
_KILLED: Final = -getattr(signal, "SIGKILL", signal.SIGTERM)
_WORDS: Final = {0: "asked", _KILLED: "killed", _TERMINATED: "terminated"}  # Windows knows only one signal


class _End(NamedTuple):
    code: int | None
    """The process's exit code as the function returned; None if it still ran."""
    asked: bool
    said: object
    waited: float


def check_stop_within(answer: Answer, looks: Worker, busy: Worker, deaf: Worker) -> Verdict:
    """Check the learner's `stop_within(process, stop, seconds)`.

    Args:
        answer: the learner's function.
        looks: a function of a module, called as `looks(trace, stop)`, that reports progress and returns soon after
            `stop` is set.
        busy: called as `busy(trace)`; reports progress and goes on until it is terminated.
        deaf: likewise, but it can only be killed.
    """
    exercise = Exercise(
        Property("a process that looks at the event is only asked, and ends well", lambda a: _asks(a, looks)),
        Property("one that does not look is terminated when its time is over", lambda a: _terminates(a, busy)),
        Property("one that ignores even that is killed", lambda a: _kills(a, deaf)),
        Property("no process was left running", lambda _: None),  # the guard has looked after each try
    )
    return exercise(answer)


def _asks(answer: Answer, looks: Worker) -> str | None:
    end = _end(answer, looks, _PLENTY, hand_over_stop=True)
    if not end.asked:
        return "Nobody has asked the process to stop: stop.set() comes first."
    if end.code is None:
        return "The process still runs when your function returns: after stop.set(), wait for it with join(seconds)."
    if end.code != 0:
        return (
            "It forced a process that was about to stop by itself: give it up to `seconds` with join(seconds), and "
            "force it only if is_alive() is still true."
        )
    if end.waited > _TOO_LONG:
        return "The process had long ended, and it still waited: join(seconds) returns as soon as it can."
    return _wrong_word(end)


def _terminates(answer: Answer, busy: Worker) -> str | None:
    end = _end(answer, busy, _SHORT)
    if end.code is None:
        return (
            "A process that does not look at the event still runs when your function returns: terminate() it, and "
            "join() again, because ending takes a moment."
        )
    if end.code == _KILLED != _TERMINATED:
        return "It killed a process that terminate() would have ended: terminate() leaves it a chance to tidy up."
    return _too_slow(end) or _wrong_word(end)


def _kills(answer: Answer, deaf: Worker) -> str | None:
    end = _end(answer, deaf, _SHORT)
    if end.code is None:
        return (
            "A process that ignores terminate() still runs when your function returns: if is_alive() is true after "
            "another join(seconds), kill() it and join() it."
        )
    return _too_slow(end) or _wrong_word(end)


def _too_slow(end: _End) -> str | None:
    if end.waited <= _TOO_LONG:
        return None
    return f"Asked to wait for {_SHORT} seconds, it waited far longer: give `seconds` to each join()."


def _wrong_word(end: _End) -> str | None:
    right = _WORDS.get(end.code or 0, "asked")
    if end.said == right:
        return None
    if end.said is None:
        return "It gives back None: does it end with return, on every way through?"
    return f"The process ended with exit code {end.code}, so {right!r} should come back; yours gave {end.said!r}."


def _end(answer: Answer, worker: Worker, seconds: float, *, hand_over_stop: bool = False) -> _End:
    """Let `answer` stop a process that runs `worker`."""
    stop = multiprocessing.Event()
    with Trace() as trace, _at_work(trace, worker, [stop] if hand_over_stop else []) as process:
        start = monotonic()
        said = answer(process, stop, seconds)
        waited = monotonic() - start
        return _End(process.exitcode, stop.is_set(), said, waited)


@contextmanager
def _at_work(trace: Trace, worker: Worker, more: "Sequence[Any]") -> "Iterator[BaseProcess]":
    """A process that has begun to work; ended with the block, if it has not ended before."""
    process = multiprocessing.Process(target=worker, args=(trace, *more), name="the process to stop")
    process.start()
    try:
        _await_progress(trace)
        yield process
    finally:
        process.kill()
        process.join()


def _await_progress(trace: Trace) -> None:
    """Wait until the worker has begun; on a machine so busy that it has not, the function is tried all the same."""
    deadline = monotonic() + _START_LIMIT
    while monotonic() < deadline and not any(lane.done for lane in trace.lanes()):
        sleep(0.01)
