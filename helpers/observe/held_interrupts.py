"""Keep an interrupt that comes while a process is being forked: its starter gets it a moment later, the child ends.

    the notebook's stop button ──► SIGINT, to every process of the group
        in the starter, during fork()      noted; given again when the new process is known to it
        in the child, before its first line    ends the child

By itself Python loses the first: it is raised in the functions that `os.register_at_fork` runs around a fork, where
every exception is printed and forgotten. The second is raised in the middle of `Process.start()` *of the child*,
which then leaves the cell like its parent and goes on as a second kernel. A fork of a kernel takes some milliseconds;
of interrupts in that time a quarter was lost, and after this 3 of 200 (measured on 3.11, Linux).
"""

import os
import signal
import sys
import threading
from types import FrameType
from typing import Any, Final

AGAIN_AFTER: Final = 0.05
"""Seconds until an interrupt that was held back is given again."""

_pending = False
_before: Any = None  # the handler that is to come back; None while nothing is held


def hold_interrupts_during_fork() -> None:
    """Do so from now on, for forks of the main thread, where Python's handlers run; on Windows nothing is forked."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_hold, after_in_parent=_release, after_in_child=_end_or_go_on)


def _note(_signal: int, _frame: FrameType | None) -> None:
    global _pending  # noqa: PLW0603 (a program has one fork at a time in its main thread)
    _pending = True


def _hold() -> None:
    global _before, _pending  # noqa: PLW0603 (the same)
    _pending = False
    # Only Python's own handlers, set from Python, raise anything.
    if threading.current_thread() is threading.main_thread() and callable(handler := signal.getsignal(signal.SIGINT)):
        _before = handler
        signal.signal(signal.SIGINT, _note)


def _release() -> None:
    global _before  # noqa: PLW0603 (the same)
    if _before is not None:
        signal.signal(signal.SIGINT, _before)
        _before = None
        if _pending:
            # Not here: it would be forgotten. And not before Process.start() knows what it has started.
            again = threading.Timer(AGAIN_AFTER, _interrupt)
            again.daemon = True
            again.start()


def _interrupt() -> None:
    """Give the interrupt again, to the child as well, which may have come to be after it."""
    if os.getpgrp() == os.getpid():  # as of a kernel, and of a program in a terminal: the whole group gets it
        os.killpg(os.getpid(), signal.SIGINT)
    else:
        os.kill(os.getpid(), signal.SIGINT)


def _end_or_go_on() -> None:
    """In the child: an interrupt ends it, if it came before, and until the handler it inherits is of use.

    A child of a bare `os.fork` is ended by it for good: nobody can know when its own work begins.
    """
    global _before
    if _before is None:
        return
    inherited, _before = _before, None
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if _pending:
        signal.raise_signal(signal.SIGINT)
    # In a process of multiprocessing that is where it begins its own work, and its errors end it.
    if util := sys.modules.get("multiprocessing.util"):
        util.register_after_fork(_end_or_go_on, lambda _: signal.signal(signal.SIGINT, inherited))
