"""Price the live view: its cost for the kernel while two processes work, how soon Stop is done, what a picture takes.

    uv run python -m benchmarks.live_view

The live view is measured inside a real kernel, as a notebook has it: this file starts one, and has it import this
file and run one measurement after the other. The kernel's heartbeat is how late a 5 ms sleep on its loop comes back:
a click would be as late; benchmarks/clicks.py measures clicks.
"""

import asyncio
import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from statistics import median
from typing import Any, Final, NamedTuple

from IPython.display import display
from ipywidgets import Widget

from benchmarks.kernels import from_kernel
from benchmarks.report import Aim, aims_table, machine, number
from helpers.observe.reading import Lane, Span
from helpers.observe.trace import Trace
from helpers.panels.drawing import drawing
from helpers.panels.live_view import LiveView
from helpers.panels.pool_view import PoolView
from helpers.workers.computing import call_without_end, compute_without_end, count_primes

RUNS: Final = 3
SECONDS: Final = 5.0
STOPS: Final = 10
SPANS: Final = 100_000
DRAWINGS: Final = 9
BEAT: Final = 0.005


class Row(NamedTuple):
    """One line of the table: numbers measured in the same way, and what they should be."""

    what: str
    unit: str
    numbers: list[float]
    aim: str = ""


@contextmanager
def counted_messages() -> Iterator[Counter[Widget]]:
    """Count what each widget sends to the browser."""
    counts: Counter[Widget] = Counter()
    send = Widget._send  # noqa: SLF001 - all messages pass here

    def counting(widget: Any, *args: object, **options: object) -> None:  # noqa: ANN401 - ipywidgets is not annotated
        counts[widget] += 1
        send(widget, *args, **options)

    Widget._send = counting  # noqa: SLF001 - as above
    try:
        yield counts
    finally:
        Widget._send = send  # noqa: SLF001 - as above


async def lags(seconds: float) -> list[float]:
    """How late the loop comes back, in milliseconds, again and again for `seconds`."""
    late = []
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        await asyncio.sleep(BEAT)
        late.append((time.perf_counter() - began - BEAT) * 1000)
    return late


async def quiet_kernel() -> list[Row]:
    """The kernel without a view, beside two busy processes: what the other figures are to be seen against."""
    with Trace() as trace:
        workers = busy_processes(trace)
        await asyncio.sleep(0.5)
        share = await main_thread_share(SECONDS)
        late = await lags(SECONDS)
        end(workers)
    return [Row("kernel's main thread, no view", "% of a core", [share]), *lag_rows("no view", late, aimed=False)]


async def main_thread_share(seconds: float) -> float:
    """How much of a core the kernel's main thread takes while its cell sleeps, in percent."""
    cpu, began = time.thread_time(), time.perf_counter()
    await asyncio.sleep(seconds)  # no heartbeat of ours here: it would be counted as well
    return 100 * (time.thread_time() - cpu) / (time.perf_counter() - began)


async def running_view() -> list[Row]:
    """The view of two busy processes: messages and the main thread's time, then how late the loop is."""
    with Trace() as trace, counted_messages() as counts:
        workers = busy_processes(trace)
        view = LiveView(trace, workers)
        display(view)
        await asyncio.sleep(0.5)
        counts.clear()
        share = await main_thread_share(SECONDS)
        each = [count / SECONDS for count in counts.values()]
        late = await lags(SECONDS)
        view.stop()
        await view
    return [
        Row("kernel's main thread, view of two busy processes", "% of a core", [share], "≤ 1"),
        Row("messages, all widgets together", "a second", [sum(each)]),
        Row("messages, the busiest widget", "a second", [max(each)], "≤ 20"),
        *lag_rows("view", late, aimed=True),
    ]


async def running_pool_view(kind: str) -> list[Row]:
    """The same for the view of a pool; benchmarks/faults.py times how soon it names what goes wrong."""
    pool: Any = ProcessPoolExecutor(2) if kind == "executor" else multiprocessing.Pool(2)
    submit = pool.submit if kind == "executor" else lambda function, *args: pool.apply_async(function, args)
    with Trace() as trace, counted_messages() as counts:
        view = PoolView(trace, pool, [submit(count_primes, trace, 10**9) for _ in range(2)])
        display(view)
        await asyncio.sleep(0.5)
        counts.clear()
        share = await main_thread_share(SECONDS)
        each = [count / SECONDS for count in counts.values()]
        view.stop()
        await view
    return [
        Row(f"kernel's main thread, view of a busy {kind} of two", "% of a core", [share], "≤ 1"),
        Row(f"messages, view of a busy {kind}: the busiest widget", "a second", [max(each)], "≤ 20"),
    ]


def lag_rows(when: str, late: Sequence[float], *, aimed: bool) -> list[Row]:
    """The median and the worst of many lags."""
    return [
        Row(f"heartbeat late, {when}: median", "ms", [median(late)], "≤ 1" if aimed else ""),
        Row(f"heartbeat late, {when}: worst", "ms", [max(late)], "≤ 10" if aimed else ""),
    ]


async def stopping(target: Callable[[Trace], object], what: str) -> list[Row]:
    """How long the Stop button takes until both processes are gone."""
    took = []
    for _ in range(STOPS):
        with Trace() as trace:
            workers = [multiprocessing.Process(target=target, args=(trace,), name=f"worker {n}") for n in range(2)]
            for worker in workers:
                worker.start()
            view = LiveView(trace, workers)
            while sum(len(lane.spans) for lane in trace.lanes()) < len(workers):  # noqa: ASYNC110 - processes set no Event
                await asyncio.sleep(0.01)
            began = time.perf_counter()
            view.stop()
            took.append((time.perf_counter() - began) * 1000)
            if any(worker.exitcode is None for worker in workers):
                raise AssertionError(f"still running: {workers}")
            await view
    return [Row(f"Stop, two processes in {what}: all gone", "ms", took, "≤ 100")]


def busy_processes(trace: Trace) -> list[multiprocessing.Process]:
    """Two that work for as long as the measurement lasts, and report a few hundred times a second."""
    workers = [
        multiprocessing.Process(target=count_primes, args=(trace, 10**9), name=f"worker {n}") for n in range(2)
    ]
    for worker in workers:
        worker.start()
    return workers


def end(workers: Sequence[multiprocessing.Process]) -> None:
    """End them and wait until they are gone."""
    for worker in workers:
        worker.kill()
        worker.join()


def drawn() -> list[Row]:
    """Draw many spans."""
    lane = Lane()
    lane.title, lane.opened = "worker", 0
    lane.spans = [Span("work", n * 10_000, n * 10_000 + 8_000, 4_000, 0) for n in range(SPANS)]
    took, picture = [], drawing([lane])
    for _ in range(DRAWINGS):
        began = time.perf_counter()
        drawing([lane])
        took.append((time.perf_counter() - began) * 1000)
    size = len((picture.svg + picture.legend).encode()) / 1000
    return [
        Row(f"drawing {SPANS:,} spans", "ms", took, "≤ 100"),
        Row(f"drawing {SPANS:,} spans: its size", "kB", [size], "≤ 200"),
    ]


async def measured() -> list[Row]:
    """All measurements of one run; called in the kernel."""
    return [
        *await quiet_kernel(),
        *await running_view(),
        *await running_pool_view("executor"),
        *await running_pool_view("pool"),
        *await stopping(compute_without_end, "an endless loop"),
        *await stopping(call_without_end, "one endless C call"),
        *drawn(),
    ]


def rows_of_a_run() -> list[Row]:
    """Start a kernel, and have it measure."""
    return [Row(*row) for row in from_kernel("benchmarks.live_view", "measured()", 300)]


def table(runs: Sequence[Sequence[Row]]) -> str:
    """A Markdown table of all runs together."""
    lines = ["| what | unit | median | least and most | aim |", "|---|---|---:|---:|---|"]
    for same in zip(*runs, strict=True):
        numbers = [value for row in same for value in row.numbers]
        spread = f"{number(min(numbers))} to {number(max(numbers))}"
        lines.append(f"| {same[0].what} | {same[0].unit} | {number(median(numbers))} | {spread} | {same[0].aim} |")
    return "\n".join(lines)


def aims(runs: Sequence[Sequence[Row]]) -> list[Aim]:
    """What the README quotes: all that has an aim; of what is a worst already the worst, of others the median."""
    found = []
    for same in zip(*runs, strict=True):
        numbers = [value for row in same for value in row.numbers]
        if same[0].aim:
            value = max(numbers) if same[0].what.endswith("worst") else median(numbers)
            found.append(Aim(same[0].what, value, float(same[0].aim.removeprefix("≤ ")), same[0].unit))
    return found


def main() -> None:
    """Print the table."""
    print(f"{machine()}, {RUNS} kernels; a view is watched for {SECONDS:.0f} s\n")
    runs = [rows_of_a_run() for _ in range(RUNS)]
    print(table(runs), aims_table(aims(runs)), sep="\n\n")


if __name__ == "__main__":
    main()
