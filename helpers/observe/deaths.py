"""Learn at once which process has died, and which of several was the first.

When a worker of a pool dies, the pool ends its other workers within a millisecond, and soon all are dead. A thread
that waits for their sentinels is told of the first one first: Linux hands out what has become ready in the order in
which it did (the ready list of epoll(7)). The thread takes no time of any core while nothing happens.
"""

import os
import selectors
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import wait
from multiprocessing.forkserver import read_signed
from multiprocessing.process import BaseProcess
from time import perf_counter, sleep
from typing import Any, Final, NamedTuple

PATIENCE: Final = 1.0
"""Seconds in which it comes to be known how a process ended; it is far less than a millisecond."""


class Death(NamedTuple):
    """A process that has died."""

    process: BaseProcess
    code: int | None
    """Its exit code, negative for a signal; None if nobody knows."""
    at: float
    """When that was noticed, in seconds of `time.perf_counter`."""
    since: float
    """When it was first watched, likewise."""


class Deaths:
    """Tells of processes that die, until it is closed.

    Args:
        tell: called in a thread of its own with those that have died, the first one first.
    """

    def __init__(self, tell: Callable[[list[Death]], object]) -> None:
        self._tell = tell
        self._known: set[BaseProcess] = set()  # kept, so that no sentinel is closed while it is waited for
        self._alive: dict[int, tuple[BaseProcess, float]] = {}
        self._closed = False
        self._lock = threading.Lock()
        self._ears, self._mouth = Pipe(duplex=False)
        self._ready = _Ready()
        self._ready.add(self._ears.fileno())
        self._thread = threading.Thread(target=self._run, name="deaths", daemon=True)
        self._thread.start()

    def watch(self, processes: Iterable[BaseProcess]) -> None:
        """Watch these as well, from now on; those that are watched already, or were never started, do not matter."""
        with self._lock:
            fresh = [process for process in processes if process not in self._known and process.pid is not None]
            if self._closed:
                return
            for process in fresh:
                self._known.add(process)
                self._alive[process.sentinel] = process, perf_counter()
                self._ready.add(process.sentinel)
            if fresh and sys.platform == "win32":
                self._mouth.send_bytes(b"!")  # elsewhere who waits need not begin anew

    def close(self) -> None:
        """Stop watching; returns when the thread has ended. Once more does no harm."""
        with self._lock:
            closed, self._closed = self._closed, True
        if not closed:
            self._mouth.send_bytes(b"!")
            self._thread.join()
            self._ready.close()
            self._mouth.close()
            self._ears.close()

    def _run(self) -> None:
        while not self._closed:
            dead = []
            for sentinel in self._ready.wait():
                if sentinel == self._ears.fileno():
                    self._ears.recv_bytes()
                else:
                    with self._lock:
                        self._ready.drop(sentinel)
                        dead.append(self._alive.pop(sentinel))
            if dead:
                at = perf_counter()
                self._tell([Death(process, exit_code(process), at, since) for process, since in dead])


class _Ready:
    """Waits for sentinels, and gives those that are ready, as far as the system tells in their order."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._handles: set[int] = set()  # Windows has no selector for what is no socket

    def close(self) -> None:
        self._selector.close()

    def add(self, sentinel: int) -> None:
        if sys.platform == "win32":
            self._handles.add(sentinel)
        else:
            self._selector.register(sentinel, selectors.EVENT_READ)

    def drop(self, sentinel: int) -> None:
        if sys.platform == "win32":
            self._handles.remove(sentinel)
        else:
            self._selector.unregister(sentinel)

    def wait(self) -> list[int]:
        if sys.platform == "win32":
            return [ready for ready in wait(list(self._handles)) if isinstance(ready, int)]
        return [key.fd for key, _ in self._selector.select()]


def exists(pid: int) -> bool:
    """Whether there is a process with that pid; on Windows, where asking would end it, always true."""
    if sys.platform != "win32":
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True


def has_died(process: BaseProcess) -> bool:
    """Whether `process` has died; leaves its exit code to who waits for it, as `exit_code` explains."""
    try:
        return getattr(getattr(process, "_popen", None), "returncode", None) is not None or bool(
            wait([process.sentinel], 0)
        )
    except ValueError:  # it was closed
        return True


def exit_code(process: BaseProcess) -> int | None:
    """How a process ended that has died; negative: by that signal. None if nobody knows.

    The pool's own thread asks as well. Under forkserver the code comes through a pipe and can be read once: of two
    who ask at the same time, one would be told 255 by `exitcode`, and leave that to all who ask later.
    """
    ending: Any = getattr(process, "_popen", None)
    once = type(ending).__module__.endswith("popen_forkserver")
    if once and ending.returncode is None:
        with suppress(OSError, EOFError):  # the other one was first, and is about to tell
            ending.returncode = read_signed(process.sentinel)
    deadline = perf_counter() + PATIENCE
    with suppress(ValueError):  # it was closed
        # A process that has closed its files is not quite gone yet.
        while (ending.returncode if once else process.exitcode) is None and perf_counter() < deadline:
            sleep(0.0005)
        return process.exitcode
    return None
