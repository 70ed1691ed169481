"""Run anything dangerous where it can hurt nobody: in a process of its own, with a time limit.

    outcome = await in_sandbox(two_locks, trace, 2.0, limit=3.0)        # in a cell: the interface stays alive
    outcome = run_in_sandbox(two_locks, trace, 2.0, limit=3.0)          # in a check, a script, a test
    outcome.kind                                                        # "out of time"
    outcome.threads                                                     # what each thread was doing then

The function may be a cell's own: it is sent with all that it uses, see `sending`. A thread waits for the process, so
the event loop and whoever interrupts the cell are free to act at any moment.
"""

import asyncio
import math
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Any, Final

from helpers.observe.confined import Parcel
from helpers.observe.reports import ThreadReport
from helpers.observe.sandbox import Kind, Stopped, run
from helpers.panels.sending import by_value
from helpers.panels.verdict import Verdict

MOST_LINES: Final = 20
"""Lines of what was printed that an outcome shows; `output` has more."""
_LONGEST_VALUE: Final = 500  # characters shown
_INTERRUPTIBLE: Final = 0.1  # seconds: Windows interrupts no wait, but between two


@dataclass(frozen=True, slots=True, repr=False)
class Outcome:
    """How a function in a sandbox ended. Shown in a cell, it says so in words, which are the same in every run.

    Attributes:
        kind: "finished", "failed" with an exception, "out of time", or "died", as by `sys.exit` or a crash.
        value: what the function returned.
        error: the exception in words, if it failed.
        threads: what each thread was doing when it was ended; of a function that failed, where it did. After a
            function that has finished or failed: those threads that would have kept a program from ending.
        exitcode: how the process died, in words: "exit code 3" or "killed by SIGSEGV".
        output: what it printed, on standard output and on standard error, the first 20,000 bytes.
    """

    kind: Kind
    value: Any = None
    error: str | None = None
    threads: tuple[ThreadReport, ...] = ()
    exitcode: str | None = None
    output: str = ""

    def __repr__(self) -> str:
        """The outcome as plain text, a fact a line."""
        return repr(self._verdict)

    def _repr_html_(self) -> str:
        """The outcome as a verdict looks."""
        return self._verdict._repr_html_()

    @property
    def _verdict(self) -> Verdict:
        return Verdict(good=self.kind == "finished", heading=self._heading, lines=tuple(self._lines()))

    @property
    def _heading(self) -> str:
        if self.kind == "finished":
            return "Finished." if self.value is None else f"Finished: {_clipped(repr(self.value))}"
        if self.kind == "failed":
            return f"Failed: {self.error}"
        return "Out of time: it was ended." if self.kind == "out of time" else f"Died: {self.exitcode}."

    def _lines(self) -> Iterator[str]:
        if self.kind == "finished" and self.threads:
            yield "Still running when it returned:"
        yield from (thread.words for thread in self.threads)
        if self.kind == "out of time" and not self.threads:
            yield "It could not be asked what it was doing."
        if self.output:
            yield "It printed:"
            lines = self.output.splitlines()
            yield from lines[:MOST_LINES]
            if len(lines) > MOST_LINES:
                yield f"… and {len(lines) - MOST_LINES} lines more"


async def in_sandbox(
    function: Callable[..., object], *args: object, limit: float = 3.0, method: str | None = None
) -> Outcome:
    """Run `function(*args)` in a process of its own, and await its end.

    Args:
        function: any, a cell's own too.
        *args: what it takes. Locks and queues of multiprocessing may be among them.
        limit: seconds after which it is ended, counted from the call.
        method: "fork", "forkserver" or "spawn"; if None, forkserver where there is one, else spawn.

    Raises:
        TypeError: `function` cannot be called, or something that it needs cannot be sent to a process.
        ValueError: `limit` is not a number above 0, or this system has no such `method`.
        OSError: there is no room for another process.

    When this returns the process is gone, with all processes and temporary files of its making; so it is when the
    awaiting task is cancelled, or the cell interrupted. On Windows, processes that it started stay.
    """
    future, stop = _begin(function, args, limit, method)
    ended = asyncio.wrap_future(future)
    try:
        return await asyncio.shield(ended)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait([ended])
        raise
    finally:
        stop.set()


def run_in_sandbox(
    function: Callable[..., object], *args: object, limit: float = 3.0, method: str | None = None
) -> Outcome:
    """Do what `in_sandbox` does, for those who cannot await: a check, a script, a test."""
    future, stop = _begin(function, args, limit, method)
    try:
        while not wait([future], _INTERRUPTIBLE).done:
            pass
        return future.result()
    finally:  # an interrupt too waits until the process is gone
        stop.set()
        wait([future])


def _begin(
    function: Callable[..., object], args: tuple[object, ...], limit: float, method: str | None
) -> tuple[Future[Outcome], threading.Event]:
    """Run it in a thread, which an event stops; then the future is cancelled."""
    if not callable(function):
        raise TypeError(f"function must be callable, got {function!r}: hand in its name, without brackets")
    if not 0 < limit < math.inf:
        raise ValueError(f"limit must be a number of seconds above 0, got {limit!r}")
    future: Future[Outcome] = Future()
    stop = threading.Event()
    name = getattr(function, "__name__", type(function).__name__)
    call = Parcel((function, args, limit), by_value)

    def work() -> None:
        try:
            outcome = Outcome(*run(call, limit, name, method, stop))
        except Stopped:
            future.cancel()
            future.set_running_or_notify_cancel()  # only now do those who wait notice
        except BaseException as error:  # noqa: BLE001 (whoever waits is to have it)
            future.set_exception(error)
        else:
            future.set_result(outcome)

    threading.Thread(target=work, name="sandbox", daemon=True).start()
    return future, stop


def _clipped(text: str) -> str:
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
