"""Tasks for a pool of processes, most of which go wrong, each in a way of its own; lesson 12 hands them out.

    work                does what it should
    fail                raises an exception that travels well
    fail_untold         raises one that cannot be put together again in the parent
    give_generator      gives back what cannot be pickled
    be_killed           is killed, as by a system that runs out of memory
    be_killed_once      is killed the first time, and does what it should from then on
    leave               ends its process, and says nothing
    never_end           does not come back
    wait_in_pool        no task: a program that waits for one, so that the program can fail

Each task takes a trace and its own name, and works for `TAKES` seconds in a span of that name before anything
happens.
Those that take others with them may wait until some have ended, so that every run shows the same.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from time import monotonic, sleep
from typing import Final, Never

from helpers.observe.lifeline import end_with_parent
from helpers.observe.own_folder import abandoned
from helpers.observe.trace import Trace

TAKES: Final = 0.2
"""Seconds that a task works."""

PATIENCE: Final = 5.0
"""Seconds that a task waits for others at most."""

LONGEST: Final = 60.0
"""Seconds after which `never_end` comes back all the same, in case nobody cleans up."""


class TornError(Exception):
    """A page is torn. What lesson 12 mends: it can be pickled, but not put together again.

    Args:
        page: which page.
        where: where it is torn.
    """

    def __init__(self, page: str, where: str) -> None:
        # Pickle keeps the arguments handed over here, one text, and calls TornError with just that.
        super().__init__(f"{page} is torn at the {where}")


def work(trace: Trace, name: str) -> str:
    """Work for a moment, and give back what was made."""
    end_with_parent()
    with trace.span(name):
        sleep(TAKES)
    return f"{name}: done"


def fail(trace: Trace, name: str) -> Never:
    """Work, then fail.

    Raises:
        ValueError: always.
    """
    end_with_parent()
    with trace.span(name):
        sleep(TAKES)
        raise ValueError(f"{name} is blank")


def fail_untold(trace: Trace, name: str, after: int = 0) -> Never:
    """Work, when so many other tasks have ended, then fail with an exception that does not survive the way back.

    Raises:
        TornError: always.
    """
    end_with_parent()
    _await_others(trace, after)
    with trace.span(name):
        sleep(TAKES)
        raise TornError(name, "edge")


def give_generator(trace: Trace, name: str) -> Iterator[str]:
    """Work, then give back a generator, which cannot be pickled."""
    end_with_parent()
    with trace.span(name):
        sleep(TAKES)
        return (f"{name}, line {number}" for number in range(1, 4))


def be_killed(trace: Trace, name: str, after: int = 0) -> Never:
    """Work, when so many other tasks have ended, then be killed without a word.

    Raises:
        RuntimeError: it runs in no worker process: it would kill your program.
    """
    end_with_parent()
    _only_in_a_worker("be_killed")
    _await_others(trace, after)
    with trace.span(name):
        sleep(TAKES)
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
        while True:  # a killed process may take one more step
            sleep(LONGEST)


def be_killed_once(trace: Trace, name: str) -> str:
    """Do what `be_killed` does the first time that the trace sees this name; else do what `work` does.

    Raises:
        RuntimeError: as `be_killed` does.
    """
    if any(span.name == name for lane in trace.lanes() for span in lane.spans):
        return work(trace, name)
    be_killed(trace, name)


def leave(trace: Trace, name: str, after: int = 0) -> Never:
    """Work, when so many other tasks have ended, then end the process with exit code 3, and tell nobody.

    Raises:
        RuntimeError: it runs in no worker process: it would end your program.
    """
    end_with_parent()
    _only_in_a_worker("leave")
    _await_others(trace, after)
    with trace.span(name):
        sleep(TAKES)
        os._exit(3)


def never_end(trace: Trace, name: str) -> str:
    """Do not come back; not for `LONGEST` seconds, that is."""
    end_with_parent()
    end = monotonic() + LONGEST
    with trace.span(name):
        while monotonic() < end:
            sleep(0.05)
    return f"{name}: done at last"


def wait_in_pool(
    trace: Trace, task: Callable[[Trace], object], initializer: Callable[[], object] | None = None
) -> None:
    """Wait for `task(trace)` in an executor with one worker; for a process that stands for a program."""
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415 (its import takes 30 ms, which no task needs)

    end_with_parent()
    # It is no worker otherwise: an interrupt is to be what it is in any program.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with ProcessPoolExecutor(1, initializer=initializer or partial(_end_with_owner, trace.folder)) as pool:
        pool.submit(task, trace).result()


def _end_with_owner(folder: str) -> None:
    """Tie this worker to the owner of the trace in that folder: not to its parent, which is killed to show something.

    Nobody else would end one that has no task yet.
    """

    def watch() -> None:
        while not abandoned(folder):
            sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, name="the owner's watch", daemon=True).start()


def _await_others(trace: Trace, count: int) -> None:
    end = monotonic() + PATIENCE
    while count and monotonic() < end:
        if sum(span.end is not None for lane in trace.lanes() for span in lane.spans) >= count:
            return
        sleep(0.02)


def _only_in_a_worker(function: str) -> None:
    module = sys.modules.get("multiprocessing.process")
    if module is None or module.parent_process() is None:
        raise RuntimeError(f"{function} would end your program: hand it to a pool of processes")
