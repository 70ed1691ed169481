"""Evidence on processes: what is copied, what it costs, and where `multiprocessing` differs from `threading`."""

import inspect
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from helpers.panels.evidence.programs import LIMIT

_TRIES: Final = 5
_counted = 0


def a_process_is_another_python() -> bool:
    """The worker has another process id, and what it sets in its memory is not set here."""
    answers: Any = multiprocessing.SimpleQueue()
    _end(_started(_count, answers))
    pid, counted = answers.get()
    return pid != os.getpid() and (counted, _counted) == (1, 0)


def arguments_are_copies() -> bool:
    """The worker changes the list it was given; the list here stays as it was."""
    numbers = [4, 6]
    answers: Any = multiprocessing.SimpleQueue()
    _end(_started(_append_sum, numbers, answers))
    return (answers.get(), numbers) == ([4, 6, 10], [4, 6])


def what_a_process_returns_is_lost() -> bool:
    """A process computes and ends well; all that is left of it is its exit code."""
    process = _started(divmod, 7, 2)
    returned: object = process.join()  # type: ignore[func-returns-value] # that it returns nothing is the point
    return (returned, process.exitcode) == (None, 0)


def a_process_takes_longer_to_start() -> bool:
    """To start a process that does nothing, and wait for it, takes longer than to start such a thread."""
    thread = min(_seconds_for(threading.Thread) for _ in range(_TRIES))
    return thread < min(_seconds_for(multiprocessing.Process) for _ in range(_TRIES))


def a_value_needs_its_lock() -> bool:
    """Two processes read a shared `Value`, then each writes one more: one is lost. Under its lock none is."""
    bare, locked = multiprocessing.Value("i", 0), multiprocessing.Value("i", 0)
    barrier = multiprocessing.Barrier(2)
    for process in [_started(_add, bare, barrier) for _ in range(2)]:
        _end(process)
    for process in [_started(_add_locked, locked) for _ in range(2)]:
        _end(process)
    return (bare.value, locked.value) == (1, 200)


def pipe_and_queue_are_no_classes() -> bool:
    """`Pipe` and `Queue` are called like classes; both are functions that make something."""
    functions = multiprocessing.Pipe, multiprocessing.Queue
    return all(inspect.isroutine(each) and not inspect.isclass(each) for each in functions)


def locks_differ_in_small_things() -> bool:
    """To release a free lock is a `ValueError` here and a `RuntimeError` there; `block` here is `blocking` there."""
    ours: Any = multiprocessing.Lock()
    theirs: Any = threading.Lock()
    return (
        _error(ours.release) == "ValueError"
        and _error(theirs.release) == "RuntimeError"
        and _error(lambda: ours.acquire(blocking=False)) == "TypeError"
        and _error(lambda: theirs.acquire(block=False)) == "TypeError"
    )


def processes_start_as_documented() -> bool:
    """The default start method is the one that the documentation names for this system and this Python."""
    if sys.platform in {"win32", "darwin"}:
        documented = "spawn"
    else:
        documented = "forkserver" if sys.version_info >= (3, 14) else "fork"
    # A process that was forked from a server takes that for its default, so a fresh Python is asked.
    ask = "import multiprocessing; print(multiprocessing.get_start_method())"
    told = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, timeout=LIMIT, check=False)  # noqa: S603 (ours)
    return told.stdout.strip() == documented


def _started(target: Any, *args: Any) -> multiprocessing.Process:  # noqa: ANN401 (any function)
    process = multiprocessing.Process(target=target, args=args)
    process.start()
    return process


def _end(process: multiprocessing.Process) -> None:
    process.join(LIMIT)
    process.kill()
    process.join()


def _count(answers: Any) -> None:  # noqa: ANN401 (a queue)
    global _counted  # noqa: PLW0603 (that this stays in the worker is the point)
    _counted += 1
    answers.put((os.getpid(), _counted))


def _append_sum(numbers: list[int], answers: Any) -> None:  # noqa: ANN401 (a queue)
    numbers.append(sum(numbers))
    answers.put(numbers)


def _add(value: Any, barrier: Any) -> None:  # noqa: ANN401 (of multiprocessing)
    read = value.value
    barrier.wait(LIMIT)
    value.value = read + 1


def _add_locked(value: Any) -> None:  # noqa: ANN401 (of multiprocessing)
    for _ in range(100):
        with value.get_lock():
            value.value += 1


def _seconds_for(kind: Callable[..., Any]) -> float:
    start = time.perf_counter()
    worker = kind(target=abs, args=(1,))
    worker.start()
    worker.join()
    return time.perf_counter() - start


def _error(call: Callable[[], object]) -> str:
    try:
        call()
    except Exception as error:  # noqa: BLE001 (its name is the answer)
        return type(error).__name__
    return ""
