"""How a worker is doing, or how it ended, in words; and how to make it stop.

A worker here is a `threading.Thread` or a `multiprocessing` process of any start method.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from multiprocessing.process import BaseProcess
from time import perf_counter, sleep
from typing import Final

from helpers.observe.faults import signal_name
from helpers.observe.reading import Lane
from helpers.observe.thread_errors import ThreadErrors
from helpers.observe.waits import Waits
from helpers.panels.markup import LONG, cut

NOBODY: Final = Waits()
Worker = threading.Thread | BaseProcess

# How long processes may take to go when asked; most are gone in 1 ms, and the whole of Stop may last 100 ms.
PATIENCE: float = 0.05
LOOK_EVERY: float = 0.001
# A killed process goes for certain, but a machine that is busy with others may let it wait for its end.
_MOST_PATIENCE: float = 2.0


def is_over(worker: Worker) -> bool:
    """Whether `worker` was started and has ended."""
    if isinstance(worker, threading.Thread):
        return worker.ident is not None and not worker.is_alive()
    return worker.pid is not None and worker.exitcode is not None


def all_lanes_of(workers: Sequence[Worker], lanes: Sequence[Lane]) -> dict[Worker, list[Lane]]:
    """The lanes that each worker has written, oldest first; a process may have one for each of its threads.

    Both may be hundreds.
    """
    of_process: dict[int | None, list[Lane]] = {}
    of_thread: dict[int | None, list[Lane]] = {}
    here = os.getpid()
    for lane in lanes:
        of_process.setdefault(lane.pid, []).append(lane)
        if lane.pid == here:
            of_thread.setdefault(lane.thread, []).append(lane)
    return {
        worker: of_thread.get(worker.native_id, [])[-1:]
        if isinstance(worker, threading.Thread)
        else of_process.get(worker.pid, [])
        for worker in workers
    }


def has_failed(worker: Worker, errors: ThreadErrors) -> bool:
    """Whether `worker`, which has ended, was left by an exception, or has another exit code than 0."""
    if isinstance(worker, threading.Thread):
        return errors.of(worker) is not None
    return worker.exitcode != 0


def state(worker: Worker, lanes: Sequence[Lane], errors: ThreadErrors, waits: Waits = NOBODY, *, asked: bool) -> str:
    """How `worker` is doing, in words.

    Args:
        worker: a thread or process, started or not.
        lanes: those that it has written.
        errors: knows how threads failed.
        waits: who waits for whom now.
        asked: whether it was told to stop while it was still at work.
    """
    if isinstance(worker, threading.Thread):
        return _thread_state(worker, lanes, errors, waits, asked=asked)
    if worker.pid is None:
        return "not started"
    code = worker.exitcode
    if code is None:
        return _doing(lanes, waits)
    if code == 0:
        return "finished"
    if code < 0:
        name = signal_name(-code)
        return f"stopped (ended by {name})" if asked else f"killed by {name}"
    return f"failed: {cut(_last_error(lanes) or f'exit code {code}', LONG)}"


def _thread_state(
    thread: threading.Thread, lanes: Sequence[Lane], errors: ThreadErrors, waits: Waits, *, asked: bool
) -> str:
    if thread.ident is None:
        return "not started"
    if thread.is_alive():
        doing = _doing(lanes, waits)
        return f"asked to stop, still {doing if lanes else 'working'}" if asked else doing
    failed = errors.of(thread)
    if failed is not None:
        return f"failed: {cut(failed, LONG)}"
    if not asked:
        return "finished"
    complete = any(lane.expected and lane.done >= lane.expected for lane in lanes)
    return "finished (it did not stop when asked)" if complete else "stopped (as it was asked to)"


def _doing(lanes: Sequence[Lane], waits: Waits) -> str:
    """What a worker that is alive does: of several threads, what is worst."""
    wanted = {wait.worker: wait.lock for wait in waits.waits}
    waiting = {name: lane for lane in lanes for name in _names(lane) if name in wanted}
    stuck = [waiting[name] for name in waits.circle if name in waiting and waits.is_deadlock]
    if len(lanes) > 1 and stuck:
        return f"deadlocked: {', '.join(_short_title(lane) for lane in stuck)}"
    for name, lane in waiting.items():
        holders = waits.holders(wanted[name])
        hold = "holds" if len(holders) == 1 else "hold"
        words = f"waits for {wanted[name]}" + (f", which {' and '.join(holders)} {hold}" if holders else "")
        return f"deadlocked: {words}" if stuck else f"{_short_title(lane)} {words}" if len(lanes) > 1 else words
    return "working" if lanes else "starting"


def _names(lane: Lane) -> Iterator[str]:
    """What waits may call a lane's thread: its title, or more where two lanes have the same."""
    for name in (lane.title, f"{lane.title} (process {lane.pid})"):
        yield from (name, f"{name} (thread {lane.thread & 0xFFFF_FFFF})")


def _short_title(lane: Lane) -> str:
    """A thread's own name, without that of the process it runs in."""
    return lane.title.rpartition(" / ")[2]


def ask_to_stop(workers: Sequence[Worker], request: "threading.Event | None") -> None:
    """Ask threads, end processes; returns when every process is gone, within 0.1 s unless the machine is overloaded.

    Nobody can end a thread from outside: one that never looks at `request` goes on.
    """
    if request is not None:
        request.set()
    processes = [w for w in workers if isinstance(w, BaseProcess) and w.pid is not None and not is_over(w)]
    for process in processes:
        process.terminate()
    _join(processes, PATIENCE)
    for process in processes:
        if process.exitcode is None:
            process.kill()
    _join(processes, _MOST_PATIENCE)


def _join(processes: Sequence[BaseProcess], seconds: float) -> None:
    """Wait until all are gone, but no longer than that in all."""
    deadline = perf_counter() + seconds
    # No join(seconds): a worker's own forked child holds the pipe that tells of the end, and it would wait for both.
    while any(process.exitcode is None for process in processes) and perf_counter() < deadline:
        sleep(LOOK_EVERY)
    for process in processes:
        if process.exitcode is not None:
            process.join()


def _last_error(lanes: Sequence[Lane]) -> str | None:
    errors = [(note.at, note.text) for lane in lanes for note in lane.notes if note.error]
    return max(errors)[1] if errors else None
