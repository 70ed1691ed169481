"""Learn at once which process has died, and which of several was the first.

When a worker of a pool dies, the pool ends its other workers within a millisecond, and soon all are dead. A thread
that waits for their sentinels is told of the first one first: Linux hands out what has become ready in the order in
which it did (the ready list of epoll(7)). The thread takes no time of any core while nothing happens.
"""

import selectors
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable
from multiprocessing import Pipe
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from time import perf_counter, sleep
from typing import Any, Final, NamedTuple, Self

PATIENCE: Final = 1.0
"""Seconds in which a pool's own thread takes in how a worker ended; it needs a few milliseconds."""


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
        self._fresh: deque[tuple[BaseProcess, float]] = deque()
        self._closed = False
        self._ears, self._mouth = Pipe(duplex=False)
        self._thread = threading.Thread(target=self._run, name="deaths", daemon=True)
        self._thread.start()

    def watch(self, processes: Iterable[BaseProcess]) -> None:
        """Watch these as well; those that are watched already, or have never been started, do not matter."""
        fresh = [process for process in processes if process not in self._known and process.pid is not None]
        if fresh and not self._closed:
            self._known.update(fresh)
            now = perf_counter()
            self._fresh.extend((process, now) for process in fresh)
            self._mouth.send_bytes(b"!")

    def close(self) -> None:
        """Stop watching; returns when the thread has ended. Once more does no harm."""
        if not self._closed:
            self._closed = True
            self._mouth.send_bytes(b"!")
            self._thread.join()
            self._mouth.close()
            self._ears.close()

    def _run(self) -> None:
        alive: dict[int, tuple[BaseProcess, float]] = {}
        ears = self._ears.fileno()
        with _Ready() as ready:
            ready.add(ears)
            while not self._closed:
                dead = []
                for sentinel in ready.wait():
                    if sentinel == ears:
                        self._ears.recv_bytes()
                    else:
                        ready.drop(sentinel)
                        dead.append(alive.pop(sentinel))
                while self._fresh:
                    process, since = self._fresh.popleft()
                    alive[process.sentinel] = process, since
                    ready.add(process.sentinel)
                if dead:
                    at = perf_counter()
                    end = at + PATIENCE
                    self._tell(
                        [
                            Death(process, exit_code(process, end - perf_counter()), at, since)
                            for process, since in dead
                        ]
                    )


class _Ready:
    """Waits for sentinels, and gives those that are ready, as far as the system tells in their order."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._handles: set[int] = set()  # Windows has no selector for what is no socket

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
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
            return [ready for ready in wait(self._handles) if isinstance(ready, int)]
        return [key.fd for key, _ in self._selector.select()]


def has_died(process: BaseProcess) -> bool:
    """Whether `process` has died; leaves its exit code to who waits for it, as `exit_code` explains."""
    try:
        return getattr(getattr(process, "_popen", None), "returncode", None) is not None or bool(
            wait([process.sentinel], 0)
        )
    except ValueError:  # it was closed
        return True


def exit_code(process: BaseProcess, patience: float = PATIENCE) -> int | None:
    """How a dead worker of a pool ended; negative: by that signal. None if nobody knows.

    Under forkserver the code comes through a pipe and can be read once: if two threads ask at the same time, one of
    them may be told 255. A pool's own thread asks as soon as a worker dies, so it has `patience` seconds to go first.
    """
    ending: Any = getattr(process, "_popen", None)  # where that thread leaves what it has read
    deadline = perf_counter() + patience
    while getattr(ending, "returncode", 0) is None and perf_counter() < deadline:
        sleep(0.0005)
    return process.exitcode
