"""Time how soon a pool view names what went wrong, and how soon all workers are gone, in every kind of pool.

    uv run python -m benchmarks.faults

A worker says "now" in the trace and goes wrong in the next moment; the fault is named when the view shows its words.
By then a pool that cannot go on has been ended: that is part of the time.
"""

import asyncio
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from functools import partial
from statistics import median
from typing import Any, Final, Never

from benchmarks.report import Aim, aims_table, machine
from helpers.observe.lifeline import end_with_parent
from helpers.observe.trace import Trace
from helpers.panels import pool_view
from helpers.panels.pool_view import PoolView

RUNS: Final = 8
KINDS: Final = ("ProcessPoolExecutor", "Pool")


class TwoNeededError(Exception):
    """Cannot be made again from what pickle keeps of it."""

    def __init__(self, page: str, place: str) -> None:
        """Keep one text of two."""
        super().__init__(f"{page}, {place}")


def killed() -> None:
    """Be killed."""
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def left() -> Never:
    """Leave without a word."""
    os._exit(3)


def raising() -> Never:
    """Raise what cannot be made again.

    Raises:
        TwoNeededError: always.
    """
    raise TwoNeededError("page 1", "left")


def failing() -> Never:
    """Raise what anybody can handle.

    Raises:
        ValueError: always.
    """
    raise ValueError("on purpose")


def locked() -> Any:  # noqa: ANN401 (what it is does not matter)
    """Return what cannot be pickled."""
    return threading.Lock()


FAULTS: Final[dict[str, Callable[[], object]]] = {
    "worker killed": killed,
    "worker left": left,
    "exception cannot be unpickled": raising,
    "task failed": failing,
    "result cannot be pickled": locked,
}


def bad(trace: Trace, fault: str) -> object:
    """Work for a moment, and go wrong."""
    end_with_parent()
    with trace.span("bad"):
        time.sleep(0.2)
        trace.note("now")
        return FAULTS[fault]()


def busy(trace: Trace, name: str) -> None:
    """Keep the other worker at work."""
    end_with_parent()
    with trace.span(name):
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            trace.advance()


async def named(kind: str, method: str, fault: str) -> float:
    """Milliseconds from the worker's last word to the view's."""
    context = multiprocessing.get_context(method)
    pool: Any = ProcessPoolExecutor(2, context) if kind == "ProcessPoolExecutor" else context.Pool(2)
    submit = pool.submit if isinstance(pool, Executor) else partial(_apply, pool)
    with Trace() as trace, pool:
        tasks = {"bad": submit(bad, trace, fault), "busy": submit(busy, trace, "busy")}
        view = PoolView(trace, pool, tasks)
        shown: list[int] = []
        view.children[3].observe(lambda _: shown.append(time.perf_counter_ns()), "value")
        await view
        if view.fault is None or (view.fault.kind, view.fault.task) != (fault, "bad"):
            raise AssertionError(f"{fault} was named as {view.fault}")
        said = next(note.at for lane in trace.lanes() for note in lane.notes if note.text == "now")
    return (shown[0] - said) / 1e6


def _apply(pool: Any, function: Callable[..., object], *args: object) -> Any:  # noqa: ANN401 (any pool)
    return pool.apply_async(function, args)


def main() -> None:
    """Print the table."""
    pool_view.display = lambda *_: None  # type: ignore[attr-defined] # nobody looks
    print(f"{machine()}, {RUNS} runs each; milliseconds, median (worst)\n")
    methods = [name for name in ("fork", "forkserver", "spawn") if name in multiprocessing.get_all_start_methods()]
    print(f"| fault | pool | {' | '.join(methods)} |\n|---|---|{'---:|' * len(methods)}")
    figures = []
    for fault in FAULTS:
        for kind in KINDS:
            took = [[asyncio.run(named(kind, method, fault)) for _ in range(RUNS)] for method in methods]
            cells = [f"{median(each):.0f} ({max(each):.0f})" for each in took]
            print(f"| {fault} | {kind} | {' | '.join(cells)} |", flush=True)
            figures.append(Aim(f"named: {fault}, {kind}, by any start method", max(map(median, took)), 100.0, "ms"))
    print("", aims_table(figures), sep="\n")


if __name__ == "__main__":
    main()
