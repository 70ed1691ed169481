"""Find what a lesson has left running: processes, threads, and traces that nobody closed.

Import it before the lesson starts anything: threads that are there by then are not the lesson's. A kernel has
eight to ten threads of its own, and starts some of them late; those are known by the package that their code
comes from.
"""

import multiprocessing
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import thread as futures
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Final
from weakref import WeakSet

from helpers.observe.trace import open_traces

PATIENCE: Final = 2.0
_MACHINERY: Final = frozenset(
    {
        "_pydevd_bundle",
        "asyncio",
        "comm",
        "debugpy",
        "ipykernel",
        "IPython",
        "jupyter_client",
        "pydevd",
        "tornado",
        "traitlets",
        "zmq",
    }
)
# What the standard library, joblib and the debugger keep until the program ends, by words of their command
# lines.
_KEPT_PROCESSES: Final = ("loky.backend.resource_tracker", "debugpy")
_IDLE_HELPERS: Final = ("asyncio_", "Dask-Offload")
_before = WeakSet(threading.enumerate())


def nothing_left() -> str:
    """Say that nothing is left, or name all that is: a lesson's last code cell.

    What is just ending is given up to 2 s.
    """
    left = leftovers()
    return "\n".join(left) if left else "Nothing is left: no process, no thread, no open trace."


def leftovers() -> list[str]:
    """What is left, a sentence each; after up to 2 s of patience with what is just ending."""
    deadline = monotonic() + PATIENCE
    while (left := [*_processes(), *_threads(), *_traces()]) and monotonic() < deadline:
        sleep(0.02)
    return left


def started_threads() -> list[threading.Thread]:
    """Live threads that are neither older than this module nor the kernel's machinery."""
    return [t for t in threading.enumerate() if t not in _before and t.is_alive() and not _is_machinery(t)]


def _processes() -> Iterator[str]:
    known = multiprocessing.active_children()
    for child in known:
        yield f"The process {child.name} (pid {child.pid}) still runs: join it, or terminate and join it."
    if sys.platform == "linux":
        ours = _kept_by_multiprocessing().union(child.pid for child in known)
        for pid, words in _other_children(ours):
            yield f"A process unknown to multiprocessing (pid {pid}: {words}) still runs: wait for it."


def _threads() -> Iterator[str]:
    for thread in started_threads():
        yield f"The thread {thread.name} still runs: let its work end, and join it."


def _traces() -> Iterator[str]:
    count = open_traces()
    if count:
        number = "One trace is" if count == 1 else f"{count} traces are"
        yield f"{number} not closed: use it in a with block, or call its close()."


def _is_machinery(thread: threading.Thread) -> bool:
    target = getattr(thread, "_target", None)
    target = getattr(target, "func", target)  # what a functools.partial calls
    homes = {type(thread).__module__, getattr(target, "__module__", None) or ""}
    if isinstance(thread, threading._DummyThread):  # noqa: SLF001 (the only name it has)
        return True  # started by C code, and listed for as long as the program runs
    return any(home.partition(".")[0] in _MACHINERY for home in homes) or _is_idle_helper(thread)


def _is_idle_helper(thread: threading.Thread) -> bool:
    """Whether it waits for work in a pool that nobody can end: that of `asyncio.to_thread`, or that of Dask.

    Dask unpacks large messages there, and keeps its one thread when the last client is closed.
    """
    frame = sys._current_frames().get(thread.ident or 0)  # noqa: SLF001 (documented)
    waiting = getattr(getattr(futures, "_worker", None), "__code__", None)
    return thread.name.startswith(_IDLE_HELPERS) and frame is not None and frame.f_code is waiting


def _kept_by_multiprocessing() -> set[int | None]:
    """The standard library's own helpers, which it keeps until the program ends."""
    tracker = sys.modules.get("multiprocessing.resource_tracker")
    server = sys.modules.get("multiprocessing.forkserver")
    return {
        getattr(getattr(tracker, "_resource_tracker", None), "_pid", None),
        getattr(getattr(server, "_forkserver", None), "_forkserver_pid", None),
    }


def _other_children(known: set[int | None]) -> Iterator[tuple[int, str]]:
    """Children that run and are not `known`, with their command lines, as Linux lists them."""
    for task in Path("/proc/self/task").iterdir():
        children = ""
        with suppress(OSError):  # the thread has just ended, or this Linux was built without the list
            children = (task / "children").read_text()
        for pid in map(int, children.split()):
            with suppress(OSError):  # it has just ended
                words = (
                    Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                )
                # An ended child that nobody has waited for has no command line left.
                if words and pid not in known and not any(kept in words for kept in _KEPT_PROCESSES):
                    yield pid, words[:80]
