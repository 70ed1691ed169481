"""Lesson 02's exercise: wait for a thread, but not too long, and say whether it has finished."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic, thread_time
from typing import Final, NamedTuple

from helpers.panels.exercise import Exercise, Property
from helpers.panels.guard import Answer

_SOON: Final = 0.1
_SHORT: Final = 0.5
# All of these are far from what a right answer takes, so that a busy machine is not mistaken for a wrong one.
_LONG: Final = 3.0
_TOO_LONG: Final = 2.0
_BUSY_SHARE: Final = 0.1


class _Outcome(NamedTuple):
    said: object
    waited: float
    share: float
    """Of the time waited, how much the caller was on a core."""


@contextmanager
def _thread_of(seconds: float) -> Iterator[Thread]:
    """A thread that runs for so long, or to the end of the block."""
    end = Event()
    thread = Thread(target=end.wait, args=(seconds,), name="the thread to wait for", daemon=True)
    thread.start()
    try:
        yield thread
    finally:
        end.set()
        thread.join()


def _try(answer: Answer, thread: Thread, seconds: float) -> _Outcome:
    start, on_core = monotonic(), thread_time()
    said = answer(thread, seconds)
    waited = monotonic() - start
    return _Outcome(said, waited, (thread_time() - on_core) / max(waited, 1e-9))


def _not_a_truth(said: object) -> str | None:
    if said is None:
        return (
            "It gives back None. join() always does, whether the thread has finished or not: ask "
            "is_alive() afterwards."
        )
    return None if isinstance(said, bool) else f"It gives back {said!r}: True or False is asked for."


def _knows_a_finished_thread(answer: Answer) -> str | None:
    with _thread_of(0) as thread:
        thread.join()
        said = _try(answer, thread, _SHORT).said
    turned = "Of a finished thread it says False: is_alive() tells the opposite, so put not before it."
    return _not_a_truth(said) or (None if said else turned)


def _gives_up(answer: Answer) -> str | None:
    with _thread_of(_LONG) as thread:
        said, waited, share = _try(answer, thread, _SHORT)
    if waited > _TOO_LONG:
        return f"Asked to wait for {_SHORT} seconds, it waited far longer: give join() its timeout, and call it once."
    if wrong := _not_a_truth(said):
        return wrong
    if said:
        return (
            "It says True while the thread still runs: join(timeout) also returns when the time is over; "
            "ask is_alive()."
        )
    if waited < _SHORT / 2:
        return f"Asked to wait for {_SHORT} seconds, it came back at once: join(seconds) waits, is_alive() does not."
    if share > _BUSY_SHARE:
        return "It keeps a core busy while it waits, asking again and again: join(seconds) waits without using one."
    return None


def _comes_back_early(answer: Answer) -> str | None:
    with _thread_of(_SOON) as thread:
        said, waited, _ = _try(answer, thread, _LONG)
    if waited > _TOO_LONG:
        return (
            "The thread had long finished, and it still waited all the time: join(seconds) returns as soon as it can."
        )
    return None if said is True else "It does not wait for a thread that finishes in time: let join(seconds) wait."


def _takes_no_time(answer: Answer) -> str | None:
    with _thread_of(_LONG) as thread:
        said, waited, _ = _try(answer, thread, 0)
    if waited > _TOO_LONG:
        return (
            "Asked to wait for 0 seconds, it waits for the thread's end: 0 is a time too, only None means for ever."
        )
    return None if said is False else "Asked to wait for 0 seconds, it should say False of a thread that still runs."


check_wait_at_most: Final = Exercise(
    Property("of a finished thread it says True", _knows_a_finished_thread),
    Property("of a slow one it says False when the time is over, and keeps no core busy meanwhile", _gives_up),
    Property("of a quick one it says True as soon as that has finished", _comes_back_early),
    Property("it can wait for 0 seconds", _takes_no_time),
)
