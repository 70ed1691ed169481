"""Say where the time of a run under our view goes, 200 tasks of 5 ms on two workers, beside the bare pool.

    uv run --all-groups python -m benchmarks.spent

All in a real kernel. Each worker says when each of its tasks began and ended, so it can be told how late
the workers start, how unevenly the chunks fall on them, and what the kernel computes meanwhile on a core that they
could have. A second table prices the parts of a view that is up for no time at all.
"""

import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter
from statistics import median
from typing import Any, Final

from IPython.display import display
from ipywidgets import HTML
from ipywidgets.widgets import widget as all_widgets

from benchmarks.kernels import from_kernel
from benchmarks.report import Aim, aims_table, machine, number
from benchmarks.runs import WORKERS, Case, Run, bare, counted, in_pool, ours, tidy, turns_in, work
from helpers.observe.pool_watch import PoolWatch
from helpers.observe.trace import Trace
from helpers.panels.looks import layout, plain_html
from helpers.panels.rows import Head, Row
from helpers.panels.timeline import Timeline

ROUNDS: Final = 9
LIMIT: Final = 110.0  # seconds
TASKS: Final = 200
TASK: Final = 0.005  # seconds
CHUNKS: Final = (25, 5)  # what Pool.map takes for 200 tasks and two workers, and a fifth of it
TIMES: Final = 20  # as often is each part of a view done for one figure
FIGURES: Final = ("all, ms", "first task begins", "workers done apart", "kernel computes", "ended after last task")

Task = tuple[int, float, float]
"""The process that did it, when it began, when it ended."""
Part = tuple[str, float, float]
"""A part of a view, how many of it there are, and milliseconds for one."""


def timed(turns: int) -> Task:
    """One task, and who did it when."""
    began = time.perf_counter()
    work(turns)
    return os.getpid(), began, time.perf_counter()


def split(began: float, computed: float, ended: float, tasks: Sequence[Task]) -> list[float]:
    """The `FIGURES` of one run, in milliseconds.

    Args:
        began: when the run did.
        computed: seconds that the kernel computed meanwhile.
        ended: when it did.
        tasks: all of them.
    """
    last = [max(end for _, _, end in its) for _, its in groupby(sorted(tasks), key=itemgetter(0))]
    first = min(task[1] for task in tasks)
    parts = [ended - began, first - began, max(last) - min(last), computed, ended - max(last)]
    return [1000 * part for part in parts]


async def measured(rounds: int) -> dict[str, Any]:
    """All measurements; called in the kernel."""
    turns = turns_in(TASK)
    with in_pool(None) as pool:
        runs: dict[str, Run] = {
            "bare `Pool.map`": bare,
            "**ours**": ours,
            "bare `Pool.map`, workers kept": partial(bare, pool=pool),
            "**ours**, workers kept": partial(ours, pool=pool),
        }
        found: dict[tuple[str, int], list[list[float]]] = {(name, chunk): [] for name in runs for chunk in CHUNKS}
        known = set(all_widgets._instances)  # noqa: SLF001 - there is no other list of widgets
        for turn in range(rounds + 1):
            entries = list(found.items())
            place = turn % len(entries)
            for (name, chunk), its in [*entries[place:], *entries[:place]]:
                tidy(known)
                began, computed = time.perf_counter(), time.process_time()
                tasks = await runs[name](Case(timed, [turns] * TASKS, chunk, lambda _: None))
                ended, computed = time.perf_counter(), time.process_time() - computed
                if turn:
                    its.append(split(began, computed, ended, tasks))
        parts = await view_parts(pool)
    return {"runs": [[name, chunk, its] for (name, chunk), its in found.items()], "parts": parts}


async def view_parts(pool: Any) -> list[Part]:  # noqa: ANN401 - a pool
    """What a view of two empty tasks costs, and what it is made of."""
    known = set(all_widgets._instances)  # noqa: SLF001 - there is no other list of widgets
    whole = []
    for _ in range(TIMES):
        began = time.perf_counter()
        await ours(Case(work, [1, 1], 1, lambda _: None), pool)
        whole.append(1000 * (time.perf_counter() - began))
    made = len(set(all_widgets._instances) - known) / TIMES  # noqa: SLF001 - as above
    row = Row("a worker")
    rows, in_row, in_head = WORKERS + 1, len(row.children) + 1, 4
    with Trace() as trace:
        answer = pool.map_async(partial(counted, trace, work), [1, 1], 1)
        answer.wait()
        timeline = Timeline(trace)
        return [
            ("the whole view of two empty tasks", 1, median(whole)),
            ("a trace opened and closed", 1, price(lambda: Trace().__enter__().__exit__(None, None, None))),
            ("the pool watched", 1, price(lambda: PoolWatch(trace, pool, [answer], None, lambda: None).close())),
            (f"a row: {in_row} widgets", rows, price(lambda: Row("a worker"))),
            (f"the head: {in_head} widgets", 1, price(lambda: Head("End the pool"))),
            ("another widget", made - rows * in_row - in_head, price(_text)),
            ("a row's bar and words changed: two messages", rows, price(partial(change, row))),
            ("an output shown: the view, and the timeline that stays", 2, price(partial(display, row))),
            ("the timeline drawn", 1, price(timeline._repr_html_)),
        ]


def _text() -> HTML:
    """One with the layout and style that all have."""
    return HTML(layout=layout(), style=plain_html())


def change(row: Row) -> None:
    """Move a row's bar, and have it say something else."""
    done = row._bar.value + 1  # noqa: SLF001 - it is what a view counts for it
    row.fill(done, 2 * TIMES)
    row.say(f"{done} done")


def price(part: Callable[[], object]) -> float:
    """Milliseconds for one of many, until all that it has to say to the browser is sent."""
    began = time.perf_counter()
    for _ in range(TIMES):
        part()
    sys.stdout.flush()  # in a kernel: waits for the thread that sends
    return 1000 * (time.perf_counter() - began) / TIMES


def run_table(runs: Sequence[tuple[str, int, list[list[float]]]]) -> str:
    """The medians of each run."""
    rows = [f"| run | chunks of | {' | '.join(FIGURES)} |", f"|---|---:|{'---:|' * len(FIGURES)}"]
    for name, chunk, its in runs:
        middle = " | ".join(f"{median(figure):.0f}" for figure in zip(*its, strict=True))
        rows.append(f"| {name} | {chunk} | {middle} |")
    return "\n".join(rows)


def part_table(parts: Sequence[Part]) -> str:
    """The prices of a view's parts."""
    rows = ["| part of a view | how many | ms each | ms |", "|---|---:|---:|---:|"]
    for name, many, each in parts:
        rows.append(f"| {name} | {many:.0f} | {each:.2f} | {many * each:.1f} |")
    return "\n".join(rows)


def aims(runs: Sequence[tuple[str, int, list[list[float]]]], parts: Sequence[Part]) -> list[Aim]:
    """What the README quotes."""
    took = {(name, chunk): [its[0] for its in each] for name, chunk, each in runs}
    found = []
    for chunk in CHUNKS:
        for kind in ("", ", workers kept"):
            ratios = zip(took["**ours**" + kind, chunk], took["bare `Pool.map`" + kind, chunk], strict=True)
            figure = f"{TASKS} tasks of 5 ms, our view ÷ the bare pool, chunks of {chunk}{kind or ', new workers'}"
            found.append(Aim(figure, median(own / other for own, other in ratios), 1.05))
    whole, *others = parts
    of_it = number(sum(many * each for _, many, each in others))
    found.append(Aim(f"a view of two empty tasks; its parts alone come to {of_it} ms", whole[2], None, "ms"))
    return found


def main() -> None:
    """Print the tables."""
    print(f"{machine()}, {WORKERS} workers, {ROUNDS} rounds, medians\n")
    got = from_kernel("benchmarks.spent", f"measured({ROUNDS})", LIMIT)
    print(run_table(got["runs"]), part_table(got["parts"]), sep="\n\n", end="\n\n")
    print(aims_table(aims(got["runs"], got["parts"])))


if __name__ == "__main__":
    main()
