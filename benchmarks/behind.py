"""How far a bar is behind what the workers have done, sampled every few milliseconds.

The truth is a count that the workers keep in a trace of its own, which is read as often as the bar. What a bar shows
is what its widget says, so a bar that knows more than it shows gets no credit for it.
"""

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

from ipywidgets.widgets import widget as all_widgets

from benchmarks.runs import Case, Run, counted, tidy, turns_in, work
from helpers.observe.trace import Trace

TASKS: Final = 300
TASK: Final = 0.005  # seconds
SLOW: Final = 100  # times as long is one of the tasks
CHUNKS: Final = (1, 10, 38)  # 38 is what Pool.map takes for 300 tasks and two workers
SAMPLE: Final = 0.004  # seconds


class Look(NamedTuple):
    """At a moment: how many tasks were done, and how many the bar showed."""

    at: float
    done: int
    shown: float


class Lag(NamedTuple):
    """How far a bar was behind, in tasks and in seconds, and what it showed at the end."""

    most_tasks: float
    mean_tasks: float
    most_seconds: float
    at_end: float


async def lag(run: Run, chunk: int, turns: int, tasks: int = TASKS) -> Lag:
    """Watch the bar of one run."""
    bars: list[Callable[[], float]] = []
    looks: list[Look] = []
    over = threading.Event()
    todo = [turns] * tasks
    todo[tasks // 10] *= SLOW
    with Trace() as truth:

        def sample() -> None:
            while not over.wait(SAMPLE):
                if bars:
                    shown = bars[0]()  # first: what is done meanwhile counts against the bar
                    looks.append(Look(time.perf_counter(), sum(lane.done for lane in truth.lanes()), shown))

        sampler = threading.Thread(target=sample)
        sampler.start()
        try:
            await run(Case(partial(counted, truth, work), todo, chunk, bars.append))
        finally:
            over.set()
            sampler.join()
        return summary(looks, bars[0]())


def summary(looks: Sequence[Look], at_end: float) -> Lag:
    """What the looks come to."""
    behind = [max(0.0, look.done - look.shown) for look in looks]
    return Lag(max(behind, default=0.0), sum(behind) / max(1, len(behind)), max(late(looks), default=0.0), at_end)


def late(looks: Sequence[Look]) -> list[float]:
    """At each look, for how many seconds already the workers had done more than the bar showed."""
    found, first_more = [], 0
    for place, look in enumerate(looks):
        while first_more < place and looks[first_more].done <= look.shown:
            first_more += 1
        found.append(look.at - looks[first_more].at if look.done > look.shown else 0.0)
    return found


async def lags(runs: dict[str, Run], rounds: int) -> list[tuple[str, int, list[Lag]]]:
    """Every run at every size of chunks, in turn."""
    turns = turns_in(TASK)
    found: dict[tuple[str, int], list[Lag]] = {(name, chunk): [] for name in runs for chunk in CHUNKS}
    known = set(all_widgets._instances)  # noqa: SLF001 - there is no other list of widgets
    for _ in range(rounds):
        for (name, chunk), its in found.items():
            tidy(known)
            its.append(await lag(runs[name], chunk, turns))
    return [(name, chunk, its) for (name, chunk), its in found.items()]
