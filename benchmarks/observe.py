"""Price what a worker pays to say what it does, beside the peers, in one run.

    uv run --all-groups python -m benchmarks.observe

All are measured in turn, round after round, so that a busy moment of the machine hits all alike. A row gives the
median of the rounds, the range in which the middle 80 % of them lie, and the median of its ratio to the first row's
price in the same round: the trace's own, or the named lock's. The peers do less or more than the trace: what each
does is said in its row. Locks, which never wait here, are priced by the thread's time on a core.
"""

import gc
import multiprocessing
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from statistics import median, quantiles
from time import perf_counter, thread_time, thread_time_ns
from typing import TYPE_CHECKING, Final, NamedTuple

from viztracer import VizTracer

from benchmarks.report import Aim, aims_table, machine
from helpers.observe.lab.exploring import explore
from helpers.observe.locks import named
from helpers.observe.trace import Trace
from tests.observe.lab import programs

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

ROUNDS: Final = 25
TIMES: Final = 5_000
QUEUED: Final = 2_000
SCHEDULES: Final = 5


class Row(NamedTuple):
    """One thing to price: `start` gives, as a context, a function that does it often and gives seconds for once."""

    name: str
    start: Callable[[], AbstractContextManager[Callable[[], float]]]


@contextmanager
def thread_times() -> Iterator[Callable[[], float]]:
    """Two readings of the thread's clock, which a span that tells running from waiting must pay."""

    def run() -> float:
        started = perf_counter()
        for _ in range(TIMES):
            thread_time_ns()
            thread_time_ns()
        return (perf_counter() - started) / TIMES

    yield run


@contextmanager
def empty_loop() -> Iterator[Callable[[], float]]:
    """The loop all others run in; it is part of their prices."""

    def run() -> float:
        started = perf_counter()
        for _ in range(TIMES):
            pass
        return (perf_counter() - started) / TIMES

    yield run


@contextmanager
def trace_advance() -> Iterator[Callable[[], float]]:
    """Say that one more item is finished."""
    with Trace() as trace:

        def run() -> float:
            started = perf_counter()
            for _ in range(TIMES):
                trace.advance()
            return (perf_counter() - started) / TIMES

        trace.advance()
        yield run


@contextmanager
def trace_span() -> Iterator[Callable[[], float]]:
    """Record an empty span: name, start, end and the thread's time on a core, to be read by any process."""
    with Trace(records=TIMES * (ROUNDS + 1)) as trace:

        def run() -> float:
            started = perf_counter()
            for _ in range(TIMES):
                with trace.span("work"):
                    pass
            return (perf_counter() - started) / TIMES

        yield run
        (lane,) = trace.lanes()
        if lane.dropped or len(lane.spans) != TIMES * (ROUNDS + 1):
            raise AssertionError(f"recorded {len(lane.spans)} spans and dropped {lane.dropped}")


@contextmanager
def locked_value() -> Iterator[Callable[[], float]]:
    """Count one item in shared memory, under a lock."""
    value: Synchronized[int] = multiprocessing.Value("q", 0)

    def run() -> float:
        started = perf_counter()
        for _ in range(TIMES):
            with value.get_lock():
                value.value += 1
        return (perf_counter() - started) / TIMES

    yield run


@contextmanager
def appended_file() -> Iterator[Callable[[], float]]:
    """Append one line to a file by a system call."""
    with tempfile.TemporaryDirectory() as folder:
        file = os.open(f"{folder}/log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:

            def run() -> float:
                started = perf_counter()
                for _ in range(TIMES):
                    os.write(file, b"work 1234567890123456789 1234567890123456789\n")
                return (perf_counter() - started) / TIMES

            yield run
        finally:
            os.close(file)


@contextmanager
def queue_end_to_end() -> Iterator[Callable[[], float]]:
    """Send one message through a multiprocessing.Queue and have it received by another process."""
    queue: multiprocessing.Queue[tuple[str, int] | None] = multiprocessing.Queue()
    received = multiprocessing.Semaphore(0)
    child = multiprocessing.Process(target=_receive, args=(queue, received), daemon=True)
    child.start()

    def run() -> float:
        started = perf_counter()
        for number in range(QUEUED):
            queue.put(("work", number))
        received.acquire()
        return (perf_counter() - started) / QUEUED

    try:
        yield run
    finally:
        queue.put(None)
        child.join(10)
        child.kill()
        child.join()


@contextmanager
def viztracer_event() -> Iterator[Callable[[], float]]:
    """Record an empty event with viztracer's `log_event`: name, start, end, file and line, kept in memory."""
    tracer = VizTracer(verbose=0, max_stack_depth=0, tracer_entries=2 * TIMES)
    tracer.start()

    def run() -> float:
        tracer.start()
        started = perf_counter()
        for _ in range(TIMES):
            with tracer.log_event("work"):
                pass
        taken = (perf_counter() - started) / TIMES
        tracer.stop()  # it traces the whole thread, which would be a burden on the others
        tracer.clear()
        return taken

    tracer.stop()
    yield run


@contextmanager
def plain_lock(make: Callable[[], AbstractContextManager[object]]) -> Iterator[Callable[[], float]]:
    """Take a free lock and let go of it."""
    yield _taking(make())


@contextmanager
def named_lock(make: Callable[[], AbstractContextManager[object]]) -> Iterator[Callable[[], float]]:
    """The same, and say who holds it since when, to be read by any process."""
    with Trace() as trace:
        yield _taking(named("lock", make(), trace))


def _taking(lock: AbstractContextManager[object]) -> Callable[[], float]:
    def run() -> float:
        started = thread_time()
        for _ in range(TIMES):
            with lock:
                pass
        return (thread_time() - started) / TIMES

    return run


def _receive(queue: "multiprocessing.Queue[object]", received: threading.Semaphore) -> None:
    while queue.get() is not None:
        for _ in range(QUEUED - 1):
            queue.get()
        received.release()


PROGRESS: Final = [
    Row("**`trace.advance()`**", trace_advance),
    Row("an empty loop", empty_loop),
    Row("`Value` with its lock, `+= 1`", locked_value),
    Row("`os.write` of 45 bytes, appending", appended_file),
    Row("`multiprocessing.Queue`, put to got", queue_end_to_end),
]
SPANS: Final = [
    Row("**`with trace.span(…)`**", trace_span),
    Row("twice `time.thread_time_ns()`, which it must pay", thread_times),
    Row("`os.write`, one line a span", appended_file),
    Row("viztracer `log_event` (no thread time)", viztracer_event),
    Row("`multiprocessing.Queue`, one message a span", queue_end_to_end),
]
LOCKS: Final[dict[str, Callable[[], AbstractContextManager[object]]]] = {
    "threading.Lock": threading.Lock,
    "threading.RLock": threading.RLock,
    "threading.Semaphore": threading.Semaphore,
    "multiprocessing.Lock": multiprocessing.Lock,
    "multiprocessing.RLock": multiprocessing.RLock,
    "multiprocessing.Semaphore": multiprocessing.Semaphore,
}


def measured(rows: list[Row]) -> list[list[float]]:
    """Seconds for once, a list for each row, a number for each round."""
    with ExitStack() as stack:
        runs = [stack.enter_context(row.start()) for row in rows]
        prices: list[list[float]] = [[] for _ in rows]
        gc.disable()
        stack.callback(gc.enable)
        for run in runs:
            run()
        for _ in range(ROUNDS):
            for run, price in zip(runs, prices, strict=True):
                price.append(run())
    return prices


def table(title: str, rows: list[Row]) -> tuple[str, float]:
    """A Markdown table of what the rows cost, the others beside the first; and the price of the first."""
    prices = measured(rows)
    lines = [f"| {title} | µs | middle 80 % | ratio |", "|---|---:|---:|---:|"]
    for row, price in zip(rows, prices, strict=True):
        tenths = quantiles(price, n=10)
        ratio = median(mine / ours for mine, ours in zip(price, prices[0], strict=True))
        spread = f"{tenths[0] * 1e6:.3f} to {tenths[-1] * 1e6:.3f}"
        lines.append(f"| {row.name} | {median(price) * 1e6:.3f} | {spread} | {ratio:.1f} |")
    return "\n".join(lines), median(prices[0]) * 1e6


def schedule_price() -> float:
    """Microseconds for one explored schedule of the lab: three philosophers in order, all of their schedules."""
    took = []
    for _ in range(SCHEDULES):
        began = perf_counter()
        exploration = explore(programs.ORDERLY_PHILOSOPHERS, most_seconds=15)
        took.append((perf_counter() - began) / exploration.runs * 1e6)
        if not exploration.complete:
            raise AssertionError("not all schedules were explored")
    return median(took)


def main() -> None:
    """Print the tables."""
    print(f"{machine()}, medians of {ROUNDS} rounds of {TIMES:,} ({QUEUED:,} for queues)\n")
    progress, update = table("one progress update", PROGRESS)
    spans, span = table("one span", SPANS)
    print(progress, spans, sep="\n\n")
    figures = [Aim("a progress update", update, None, "µs"), Aim("a span", span, None, "µs")]
    for name, make in LOCKS.items():
        rows = [Row("**named**", partial(named_lock, make)), Row(f"`{name}`", partial(plain_lock, make))]
        text, price = table("`with lock: pass`, nobody else there", rows)
        print("", text, sep="\n")
        figures.append(Aim(f"a named `{name}`, taken and let go", price, None, "µs"))
    schedule = schedule_price()
    print(f"\nOne run of a program along one schedule, in the lab: {schedule:.0f} µs.\n")
    print(aims_table([*figures, Aim("a schedule explored in the lab", schedule, None, "µs")]))


if __name__ == "__main__":
    main()
