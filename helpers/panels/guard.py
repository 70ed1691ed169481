"""Call a learner's function so that nothing it does can hurt, and put what it did into words."""

import linecache
import math
import multiprocessing
import signal
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from types import CodeType, FrameType
from typing import Any, Final

from helpers.observe.leftovers import started_threads
from helpers.observe.no_room import CURE, explained, is_no_room

TIME_LIMIT: Final = 10.0
_AGAIN: Final = 2.0  # the alarm rings on, in case the function caught the first one
_GRACE: Final = 1.0

Answer = Callable[..., Any]


class OutOfTimeError(BaseException):
    """The function took too long. It is no `Exception`, so `except Exception` does not catch it."""


def guarded(attempt: Callable[[Answer], str | None], answer: Answer, limit: float = TIME_LIMIT) -> str | None:
    """Make `attempt` with `answer`, and give its hint, or one about what went wrong on the way.

    Args:
        attempt: calls the function it is given, and gives a hint, or None if all was well.
        answer: the learner's function.
        limit: after so many seconds it is interrupted. That needs `signal.setitimer` and the main thread,
            where a
            notebook's cells run; on Windows, which has no such timer, nothing is interrupted.

    Returns:
        The hint. Processes that the function left running are stopped, and the hint says so.
    """
    threads, children = set(started_threads()), set(multiprocessing.active_children())
    try:
        with _time_limit(limit):
            hint = attempt(answer)
    except OutOfTimeError:
        hint = f"Your function was interrupted after {limit:g} seconds: what does it wait for?"
    except KeyboardInterrupt:
        hint = "You interrupted the check."
    except BaseException as error:  # noqa: BLE001 (whatever it is, the learner is told in words)
        hint = _in_words(error, getattr(answer, "__code__", None))
    said = [hint, _stop_processes(children), _name_threads(threads)]
    return " ".join(filter(None, said)) or None


@contextmanager
def _time_limit(limit: float) -> Iterator[None]:
    """Raise `OutOfTimeError` in the block after `limit` seconds, where that can be done."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    armed = True

    def ring(_signal: int, _frame: FrameType | None) -> None:
        if armed:
            raise OutOfTimeError

    before = signal.signal(signal.SIGALRM, ring)
    start = monotonic()
    others, interval = signal.setitimer(signal.ITIMER_REAL, limit, _AGAIN)
    try:
        yield
    finally:
        armed = False
        # Somebody else's alarm goes on as if ours had never been.
        rest = max(0.001, others - (monotonic() - start)) if others else 0.0
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, rest, interval)


def _in_words(error: BaseException, code: CodeType | None) -> str:
    if isinstance(error, SystemExit):
        return "Your function called sys.exit(), which would end the whole program: return instead."
    where = _line_of(error, code)
    if isinstance(error, OSError) and is_no_room(error) and not where:
        words = error if CURE in str(error) else explained(error, tempfile.tempdir or "TMPDIR")
        return f"There was no room for the files of this check: {words.strerror or words}"
    if isinstance(error, NotImplementedError) and where:
        return "Nothing to check yet: your function raises NotImplementedError. Write its body in the cell above."
    what = f"{type(error).__name__}: {error}".rstrip(": ")
    return f"Your function raised {what}" + (f" (in the line: {where})" if where else "") + "."


def _line_of(error: BaseException, code: CodeType | None) -> str:
    """The last line of the learner's own cell or file that the error passed through."""
    frames = traceback.walk_tb(error.__traceback__)
    ours = [(f.f_code.co_filename, line) for f, line in frames if code and f.f_code.co_filename == code.co_filename]
    return linecache.getline(*ours[-1]).strip() if ours else ""


def _stop_processes(before: set[Any]) -> str | None:
    left = [child for child in multiprocessing.active_children() if child not in before]
    for child in left:
        child.terminate()
        child.join(_GRACE)
        child.kill()
        child.join(_GRACE)
    if not left:
        return None
    count = "a process" if len(left) == 1 else f"{len(left)} processes"
    return f"It left {count} running, which the check has stopped: join() each before you return."


def _name_threads(before: set[threading.Thread]) -> str | None:
    deadline = monotonic() + _GRACE
    for thread in (new := [t for t in started_threads() if t not in before]):
        thread.join(max(0.0, deadline - monotonic()))
    left = sum(thread.is_alive() for thread in new)
    if not left:
        return None
    count = "a thread" if left == 1 else f"{left} threads"
    return f"It left {count} running, and nothing can stop a thread from outside: join() each before you return."


def is_number(value: object) -> bool:
    """Whether `value` is a finite number, and not a truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
