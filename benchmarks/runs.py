"""What `benchmarks/peers.py` compares: many small tasks, the bare pool, and our view; the peers are in peer_runs.py.

Runs are compared round by round, each round in another order, and divided by the bare pool's time in the same round:
a busy moment of the machine hits few of them, and the median forgets it.
"""

import asyncio
import gc
import multiprocessing
import time
from collections.abc import Awaitable, Callable, Container, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from multiprocessing.pool import Pool
from typing import Any, Final, NamedTuple

from ipywidgets.widgets import widget as all_widgets

from helpers.observe.trace import Trace
from helpers.panels.pool_view import PoolView

WORKERS: Final = 2
# What is cheapest, for all that can be told how to start processes.
FORK: Final = multiprocessing.get_context("fork") if "fork" in multiprocessing.get_all_start_methods() else None


class Case(NamedTuple):
    """Tasks to do: `function` with each of `turns`, in chunks; who shows a bar tells `look` how to read it."""

    function: Callable[[int], Any]
    turns: list[int]
    chunk: int
    look: Callable[[Callable[[], float]], object]


Run = Callable[[Case], Awaitable[list[Any]]]
"""Does all tasks and gives what came back."""


class Job(NamedTuple):
    """So many tasks, each of so many turns of an empty loop."""

    name: str
    tasks: int
    turns: int

    @property
    def tuned(self) -> int:
        """The size of a chunk that Pool.map would take: four chunks a worker."""
        return -(-self.tasks // (4 * WORKERS))


class Entry(NamedTuple):
    """One line of the comparison: a run, whether its chunks are tuned or of one task, and what it is divided by."""

    name: str
    run: Run
    tuned: bool
    base: str


class Line(NamedTuple):
    """What was measured of an entry: its ratio to its base in each round."""

    job: str
    name: str
    tuned: bool
    base: str
    ratios: list[float]
    seconds: list[float]


def work(turns: int) -> int:
    """One task."""
    for _ in range(turns):
        pass
    return turns


def counted(trace: Trace, function: Callable[[int], Any], turns: int) -> Any:  # noqa: ANN401 - whatever `function` gives
    """One task, and say that it is done."""
    result = function(turns)
    trace.advance()
    return result


def turns_in(seconds: float) -> int:
    """How many turns of the loop take so long on this machine."""
    turns, best = 200_000, float("inf")
    for _ in range(9):
        began = time.perf_counter()
        work(turns)
        best = min(best, time.perf_counter() - began)
    return max(1, round(turns * seconds / best))


def tidy(known: Container[str]) -> None:
    """Let a run pay for nothing that others have left: close all widgets but the `known`, and collect what is dead.

    (mpire hangs for good if an old bar happens to be deleted while it moves its own.)
    """
    for name, widget in list(all_widgets._instances.items()):  # noqa: SLF001 - there is no other list of widgets
        if name not in known:
            widget.close()
    gc.collect()


def in_pool(pool: Pool | None) -> AbstractContextManager[Any]:
    """A new pool, ended afterwards, or the one that is there already."""
    if pool is not None:
        return nullcontext(pool)
    return (FORK or multiprocessing).Pool(WORKERS)


async def bare(case: Case, pool: Pool | None = None) -> list[Any]:
    """The standard pool, nothing shown."""
    await asyncio.sleep(0)
    with in_pool(pool) as own:
        return list(own.map(case.function, case.turns, case.chunk))


async def ours(case: Case, pool: Pool | None = None) -> list[Any]:
    """The same pool under our view: the workers count. Up to the timeline that is drawn when all is done."""
    with Trace() as trace, in_pool(pool) as own:
        trace.expect(len(case.turns))
        answer = own.map_async(partial(counted, trace, case.function), case.turns, case.chunk)
        view = PoolView(trace, own, {"all": answer})
        bar = view._total._bar  # noqa: SLF001 - what a reader sees
        case.look(lambda: len(case.turns) * bar.value / bar.max)
        return list((await view).results["all"])


async def compared(entries: Sequence[Entry], jobs: Iterable[Job], rounds: int) -> list[Line]:
    """Run all `entries` in each of `rounds`, after one that warms them up.

    Raises:
        AssertionError: results are missing.
    """
    lines = []
    known = set(all_widgets._instances)  # noqa: SLF001 - as above
    for job in jobs:
        took: dict[Entry, list[float]] = {entry: [] for entry in entries}
        for turn in range(rounds + 1):
            place = turn % len(entries)
            for entry in [*entries[place:], *entries[:place]]:
                tidy(known)
                began = time.perf_counter()
                case = Case(work, [job.turns] * job.tasks, job.tuned if entry.tuned else 1, lambda _: None)
                count = len(await entry.run(case))
                if count != job.tasks:
                    raise AssertionError(f"{entry.name} gave {count} of {job.tasks} results")
                if turn:
                    took[entry].append(time.perf_counter() - began)
        by_name = {entry.name: seconds for entry, seconds in took.items() if entry.tuned}
        for entry, seconds in took.items():
            ratios = [own / other for own, other in zip(seconds, by_name[entry.base], strict=True)]
            lines.append(Line(job.name, entry.name, entry.tuned, entry.base, ratios, seconds))
    return lines
