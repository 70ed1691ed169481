"""What can go wrong in a pool, and what helps, in words.

The standard pools say little: "a process in the process pool was terminated abruptly", or nothing at all. Here each
fault has a kind, the task's name, and a cure. What happened is found out elsewhere, in `diagnosis`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from signal import Signals
from typing import Final

_ADDRESS: Final = re.compile(r" at 0x[0-9A-Fa-f]+")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that went wrong in a pool.

    Attributes:
        kind: what it was, in a few words that are the same every time: "task failed", "time is up", "stopped",
            "pool's thread failed"; more are in `worker_faults` and `answer_faults`.
        task: the name of the task it went wrong with, or of several with "and"; None if nobody can know.
        worker: the title of the worker's lane; None if it did not happen in one.
        cause: what happened, in a sentence.
        cure: what helps.
    """

    kind: str
    task: str | None
    worker: str | None = field(repr=False)  # numbered anew in every run
    cause: str = field(repr=False)
    cure: str = field(repr=False)

    @property
    def words(self) -> str:
        """What happened, and what helps; the same in every run."""
        return f"{self.cause} {self.cure}"


def plain(error: object) -> str:
    """An exception as the last line of its traceback has it, without addresses, which differ from run to run."""
    words = f"{type(error).__name__}: {error}" if isinstance(error, BaseException) else str(error)
    return _ADDRESS.sub("", words).rstrip(". :\n")


def task_failed(task: str, error: BaseException) -> Fault:
    """A task that raised something; the pool goes on."""
    more = " The worker's own traceback is the exception's __cause__." if error.__cause__ is not None else ""
    return Fault("task failed", task, None, f"{task!r} raised {plain(error)}.", f"The other tasks go on.{more}")


def time_is_up(limit: float, running: Sequence[str]) -> Fault:
    """Tasks that still ran after `limit` seconds."""
    names = " and ".join(map(repr, running))
    those = (
        f"{names} {'were' if len(running) > 1 else 'was'} still running" if running else "some tasks had not ended"
    )
    cause = f"Time is up: after {limit:g} s {those}."
    cure = "Give a task that may wait a time limit of its own, or all of them more time."
    return Fault("time is up", " and ".join(running) or None, None, cause, cure)


def stopped() -> Fault:
    """You ended the pool."""
    return Fault("stopped", None, None, "You stopped the pool.", "What had finished by then is kept.")


def thread_failed(why: str) -> Fault:
    """A thread of the pool itself has ended, so that no more results come."""
    cause = f"The pool's own thread that takes in results has failed: {plain(why)}."
    return Fault("pool's thread failed", None, None, cause, "Look at callbacks handed to the pool: they run there.")


def signal_name(number: int) -> str:
    """`SIGKILL`, from 9."""
    try:
        return Signals(number).name
    except ValueError:
        return f"signal {number}"
