"""Tasks for pools in the tests: a good one, and one for each way of going wrong."""

import faulthandler
import os
import signal
import struct
import sys
import threading
import time
from contextlib import suppress
from typing import Any, Never

from helpers.observe.lifeline import end_with_parent
from helpers.observe.trace import Trace


class TwoNeededError(Exception):
    """Pickles well, and cannot be made again: only one argument is kept."""

    def __init__(self, page: str, place: str) -> None:
        super().__init__(f"{page}, {place}")


class OtherError(Exception):
    """An ordinary one."""


class LockedError(Exception):
    """Cannot be pickled."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.lock = threading.Lock()


class Unreadable:
    """Pickles well, and fails to be made again."""

    def __reduce__(self) -> "tuple[Any, tuple[str]]":
        return int, ("not a number",)


def open_gate(trace: Trace) -> None:
    """Let the tasks go wrong: by now somebody is watching."""
    with open(_gate(trace), "wb"):  # noqa: PTH123 (a worker imports no pathlib)
        pass


def close_gate(trace: Trace) -> None:
    """Let those that come wait again, until somebody watches them."""
    os.unlink(_gate(trace))  # noqa: PTH108 (as above)


def _gate(trace: Trace) -> str:
    return f"{trace.folder}{os.sep}gate"


def _wait_for_gate(trace: Trace) -> None:
    end = time.monotonic() + 60
    while not os.path.exists(_gate(trace)) and time.monotonic() < end:  # noqa: PTH110 (as above)
        time.sleep(0.001)


def good(trace: Trace, name: str, items: int = 0, pause: float = 0.0) -> str:
    end_with_parent()
    with trace.span(name):
        for _ in range(items):
            time.sleep(pause)
            trace.advance()
        return f"{name} is done"


def good_after_gate(trace: Trace, name: str) -> str:
    end_with_parent()
    with trace.span(name):
        _wait_for_gate(trace)
        return f"{name} is done"


def long(trace: Trace, name: str) -> None:
    end_with_parent()
    with trace.span(name):
        time.sleep(60)


def deaf(trace: Trace, name: str) -> None:
    """Never ends, and ignores a polite request to."""
    end_with_parent()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with trace.span(name):
        while True:
            pass


def fail(trace: Trace, name: str) -> Never:
    end_with_parent()
    with trace.span(name):
        _wait_for_gate(trace)
        trace.note("now")
        raise OtherError(f"<b>{name}</b> on purpose")


def fail_inside(trace: Trace, name: str) -> Never:
    """An error that is caught, then one that is not and cannot be made again."""
    end_with_parent()
    with trace.span(name):
        with suppress(ZeroDivisionError), trace.span("a part"):
            1 / 0  # noqa: B018 (it raises)
        _wait_for_gate(trace)
        trace.note("now")
        raise TwoNeededError("page 1", "left")


def raise_locked(trace: Trace, name: str) -> Never:
    end_with_parent()
    with trace.span(name):
        _wait_for_gate(trace)
        trace.note("now")
        raise LockedError("no way out")


def give_lock(trace: Trace, name: str) -> Any:
    end_with_parent()
    with trace.span(name):
        _wait_for_gate(trace)
        trace.note("now")
        return threading.Lock()


def give_unreadable(trace: Trace, name: str) -> Unreadable:
    end_with_parent()
    with trace.span(name):
        _wait_for_gate(trace)
        trace.note("now")
        return Unreadable()


def give_much(trace: Trace, name: str, size: int) -> bytes:
    end_with_parent()
    with trace.span(name):
        return bytes(size)


def be_killed(trace: Trace, name: str, number: int) -> None:
    end_with_parent()
    faulthandler.disable()  # pytest's, which a forked worker has too
    with trace.span(name):
        _wait_for_gate(trace)
        trace.note("now")
        os.kill(os.getpid(), number)
        time.sleep(60)


def die_sending(trace: Trace, name: str) -> Never:
    """Be killed with half of the result sent, and the lock of the queue for results held."""
    end_with_parent()
    with trace.span(name):
        _wait_for_gate(trace)
        trace.note("now")
    worker: Any = sys._getframe(1).f_locals  # a Pool's worker, or an executor's
    queue = worker.get("outqueue") or worker["result_queue"]
    queue._wlock.acquire()
    os.write(queue._writer.fileno(), struct.pack("!i", 1000) + b"half of it")
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def leave(trace: Trace, name: str, code: int) -> Never:
    end_with_parent()
    with trace.span(name):
        _wait_for_gate(trace)
        trace.note("now")
        os._exit(code)


def leave_politely(trace: Trace, name: str, code: int) -> Never:
    end_with_parent()
    with trace.span(name):
        _wait_for_gate(trace)
        trace.note("now")
        sys.exit(code)


def leave_silently(trace: Trace, code: int) -> Never:
    """Without a word to the trace."""
    _wait_for_gate(trace)
    os._exit(code)


class NotThere:
    """What a worker cannot load, and finds that out when somebody is watching."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    def __reduce__(self) -> "tuple[Any, tuple[Trace]]":
        return _look_in_vain, (self.trace,)


class NoNumber(NotThere):
    """The same, by another exception."""

    def __reduce__(self) -> "tuple[Any, tuple[Trace]]":
        return _read_in_vain, (self.trace,)


def _look_in_vain(trace: Trace) -> Never:
    """As unpickling a function of a cell does, in a process that was started afresh."""
    _wait_for_gate(trace)
    raise AttributeError("module '__main__' has no attribute 'made_in_a_cell'")


def _read_in_vain(trace: Trace) -> int:
    _wait_for_gate(trace)
    return int("not a number")


def fail_to_start() -> Never:
    end_with_parent()
    # Where a traceback goes depends on the way in which a process was started; the tests want none.
    sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 (the process ends at once)
    raise OtherError("no start")


def be_quiet() -> None:
    """An initializer for workers that are going to die with a traceback."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
