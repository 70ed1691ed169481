"""Tie a worker to those who started it: it ends with its parent, stops when asked, and hands in its answer.

    parent ─ is gone ──────► worker: end_with_parent()     killed, wherever it is
    parent ─ stop.set() ───► worker: stop_asked(stop)      ends at a moment of its own choosing
    parent ◄─ one value ──── worker: answers.put(value)    where no pool carries what a function returns

A worker outlives a parent that is killed: nobody is left to stop it, and it goes on using a core. Python
leaves that to the worker. It can know, because `multiprocessing` gives every process a pipe,
`parent_process().sentinel`, of which the parent alone holds the other end: it reports an event when the
parent is gone, however it went.

On Linux the kernel itself acts on that event (`F_SETOWN`, `F_SETSIG` and `O_ASYNC` of fcntl(2), signal
SIGKILL), so it ends a worker that sits in one endless call into C. Measured on 3.11 to 3.13: all workers of a
killed parent were gone within 50 ms, under fork, forkserver and spawn. PR_SET_PDEATHSIG of prctl(2) does
less: it is tied to the parent's *thread* and fires when that one ends, and under forkserver the parent is the
server. Elsewhere a thread waits for the event, which it can only do while the worker lets other threads run.

Under fork a worker also holds the pipes of workers forked before it, so these end one after the other,
youngest first: a youngest that does not call `end_with_parent` keeps the older ones.
"""

import os
import signal
import sys
import threading
from time import sleep
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from helpers.observe.held_interrupts import hold_interrupts_during_fork

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.process import BaseProcess

if sys.platform == "linux":
    import fcntl
    import select

LOOK_EVERY: Final = 0.5
"""Seconds between two looks for a parent, where there is nothing to wait for."""

Answer_contra = TypeVar("Answer_contra", contravariant=True)

_tied_to: "BaseProcess | None" = None

# Whoever has a worker's function may fork it, and it is not tied before its first line.
hold_interrupts_during_fork()


class StopRequest(Protocol):
    """What a worker looks at to learn that it should stop, such as an `Event` of threading."""

    def is_set(self) -> bool:
        """Whether the worker should stop."""
        ...

    def wait(self, timeout: float | None = None, /) -> bool:
        """Wait up to `timeout` seconds for the request, and give `is_set()`."""
        ...


class Answers(Protocol[Answer_contra]):
    """Where a worker puts its answer; a queue of queue or multiprocessing fits."""

    def put(self, answer: Answer_contra, /) -> object:
        """Hand in one answer."""
        ...


def stop_asked(stop: StopRequest | None) -> bool:
    """Whether a worker was asked to stop; never, if nobody can ask."""
    return stop is not None and stop.is_set()


def end_with_parent() -> None:
    """Make sure that this worker process ends when its parent is gone. A worker's first line.

    In a process started by `multiprocessing` it does so once, and from then on an interrupt (Ctrl-C, or the
    notebook's stop button, which reaches every process of the group) ends the worker without a traceback,
    provided that the call came from its main thread. A worker of a `multiprocessing.Pool` ignores it: one that dies
    while it waits for a task keeps the lock that its pool's `terminate` waits for. Its starter, which is interrupted
    too, has to end it. Anywhere else, say in a thread of the notebook, it does nothing.

    A worker that leads a process group takes the group along, and with it the processes that it has started itself.
    """
    global _tied_to  # noqa: PLW0603 (a process has one parent)
    # A process that multiprocessing started has this module; in any other, its import would cost 14 ms.
    module = sys.modules.get("multiprocessing.process")
    parent: BaseProcess | None = module.parent_process() if module else None
    # A process made by os.fork finds the parent of its own parent here, whose tie it must not take over.
    if parent is None or parent is _tied_to:
        return
    _tied_to = parent
    if threading.current_thread() is threading.main_thread():
        of_pool = module is not None and "PoolWorker" in module.current_process().name
        signal.signal(signal.SIGINT, signal.SIG_IGN if of_pool else signal.SIG_DFL)
    sentinel: int | None = parent.sentinel
    if sentinel is None:  # a process of joblib's, which makes its own
        _start_watching(_wait_for_adoption, parent)
    elif not _killed_by_kernel(sentinel):
        _start_watching(_wait_for_sentinel, parent)


def _killed_by_kernel(sentinel: int) -> bool:
    """Ask the kernel for a SIGKILL on the sentinel's event; false if it cannot do that."""
    if sys.platform != "linux":
        return False
    try:
        # The owner is one process or group, not a number: neither a grandchild that inherits the pipe nor a stranger
        # given the same number later is ever sent the signal.
        fcntl.fcntl(sentinel, fcntl.F_SETOWN, -os.getpid() if _leads_a_group() else os.getpid())
        fcntl.fcntl(sentinel, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(sentinel, fcntl.F_SETFL, fcntl.fcntl(sentinel, fcntl.F_GETFL) | os.O_ASYNC)
    except OSError:  # some sandboxes know no F_SETSIG
        return False
    poll = select.poll()
    poll.register(sentinel, select.POLLIN)
    if poll.poll(0):  # the parent was gone before the kernel was asked
        os._exit(1)
    return True


def _leads_a_group() -> bool:
    return os.getpgrp() == os.getpid()


def _start_watching(wait: "Callable[[BaseProcess], None]", parent: "BaseProcess") -> None:
    def watch() -> None:
        wait(parent)
        if sys.platform != "win32" and _leads_a_group():
            os.killpg(os.getpid(), signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def _wait_for_sentinel(parent: "BaseProcess") -> None:
    from multiprocessing.connection import wait  # noqa: PLC0415 (its import takes milliseconds that few workers need)

    wait([parent.sentinel])


def _wait_for_adoption(parent: "BaseProcess") -> None:
    while os.getppid() == parent.pid:
        sleep(LOOK_EVERY)
