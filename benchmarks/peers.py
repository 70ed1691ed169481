"""Compare runs under a progress bar: ours beside those of others, all inside a real kernel, two workers each.

    uv run --all-groups python -m benchmarks.peers              # add --picture to draw .github/peers.svg anew

A row's ratio is its time to the bare pool's in the same round, with tuned chunks. All is counted: starting the
workers and ending them (but in the rows that say "workers kept"), making the bar, and ours up to the last picture of
the timeline. A second table says how far each bar was behind what the workers had done, with one task that takes a
hundred times as long as the others; a third what our view costs by itself, with no task to wait for.
"""

import argparse
import time
from functools import partial
from statistics import mean, median
from typing import Any, Final

from benchmarks.behind import CHUNKS, SAMPLE, TASKS, Lag, lags
from benchmarks.kernels import from_kernel
from benchmarks.peer_runs import BARE, BARS, KEEPING, OURS, WARM, engines, entries, warm_bars
from benchmarks.peers_picture import save
from benchmarks.report import Aim, aims_table, machine
from benchmarks.runs import WORKERS, Case, Job, Line, compared, in_pool, ours, turns_in, work
from helpers.panels.rows import REFRESH

ROUNDS: Final = 9
LAG_ROUNDS: Final = 3
LIMIT: Final = 1200.0  # seconds
LONG: Final = "200 × 5 ms"  # noqa: RUF001 - a multiplication
SHORT: Final = "2000 × 50 µs"  # noqa: RUF001 - the same


async def measured(rounds: int) -> dict[str, Any]:
    """All times; called in the kernel."""
    jobs = [Job(LONG, 200, turns_in(0.005)), Job(SHORT, 2000, turns_in(0.00005))]
    # The pool forks before ipyparallel's threads are there.
    with in_pool(None) as pool, engines() as ipyparallel_map:
        lines = await compared(entries(pool, ipyparallel_map), jobs, rounds)
        alone = [await fixed_price(partial(ours, pool=pool)) for _ in range(rounds)]
    return {"lines": lines, "alone": alone}


async def watched(name: str, rounds: int) -> list[tuple[str, int, list[Lag]]]:
    """How far one bar is behind; called in a kernel of its own, where no other bar has left anything."""
    if name in BARS:
        return await lags({name: BARS[name]}, rounds)
    with engines() as ipyparallel_map:
        return await lags({name: warm_bars(None, ipyparallel_map)[name]}, rounds)


async def fixed_price(run: Any) -> float:  # noqa: ANN401 - a run of ours
    """Milliseconds for a view of two tasks that take no time, over workers that are there."""
    began = time.perf_counter()
    await run(Case(work, [1, 1], 1, lambda _: None))
    return 1000 * (time.perf_counter() - began)


def ratio_table(lines: list[Line]) -> str:
    """Every run at every size of chunks."""
    rows = ["| tasks | run | chunks | median ratio | least to most | ms |", "|---|---|---|---:|---|---:|"]
    for line in lines:
        spread = f"{min(line.ratios):.2f} to {max(line.ratios):.2f}"
        chunk = "tuned" if line.tuned else "of 1"
        figures = f"{median(line.ratios):.2f} | {spread} | {1000 * median(line.seconds):.0f}"
        rows.append(f"| {line.job} | {line.name} | {chunk} | {figures} |")
    return "\n".join(rows)


def behind_table(behind: list[tuple[str, int, list[Lag]]]) -> str:
    """Every bar at every size of chunks."""
    rows = [
        "| bar | chunks of | most tasks behind | mean | longest behind | in refreshes of ours | at the end |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, chunk, its in behind:
        seconds = max(lag.most_seconds for lag in its)
        tasks = f"{max(lag.most_tasks for lag in its):.0f} | {mean(lag.mean_tasks for lag in its):.1f}"
        end = min(lag.at_end for lag in its)
        rows.append(f"| {name} | {chunk} | {tasks} | {seconds:.2f} s | {seconds / REFRESH:.1f} | {end:.0f} |")
    return "\n".join(rows)


def quickest_peer(lines: list[Line], job: str, base: str) -> Line:
    """The peer that is quickest at its best size of chunks, among those compared with `base`."""
    peers = [
        line for line in lines if (line.job, line.base) == (job, base) and line.name not in (base, OURS, OURS + WARM)
    ]
    return min(peers, key=lambda line: median(line.ratios))


def aims(lines: list[Line], behind: list[tuple[str, int, list[Lag]]]) -> list[Aim]:
    """What the README quotes."""
    found = []
    for job in (LONG, SHORT):
        for base, name, kind in ((BARE, OURS, "new workers"), (BARE + WARM, OURS + WARM, "workers kept")):
            own = next(line for line in lines if (line.job, line.name, line.tuned) == (job, name, True))
            most = 1.05 if job == LONG else None
            found.append(Aim(f"{job}, our view ÷ the bare tuned pool, {kind}", median(own.ratios), most))
            peer = quickest_peer(lines, job, base)
            share = median(a / b for a, b in zip(own.seconds, peer.seconds, strict=True))
            found.append(Aim(f"{job}, our view ÷ the quickest peer ({peer.name}), {kind}", share, 1.0))
    for chunk in CHUNKS:
        its = next(its for name, size, its in behind if (name, size) == (OURS, chunk))
        refreshes = max(lag.most_seconds for lag in its) / REFRESH
        # As a moment is only known to the next look, one refresh and one look are right.
        most = 1 + SAMPLE / REFRESH
        found.append(Aim(f"our bar behind the truth, chunks of {chunk}, at most", refreshes, most, "refreshes"))
        missing = max(abs(TASKS - lag.at_end) for lag in its)
        found.append(Aim(f"our bar at the end, chunks of {chunk}: tasks missing", missing, 0.0))
    return found


def main() -> None:
    """Print the tables, and draw the picture if asked to."""
    parser = argparse.ArgumentParser(description="Compare runs under a progress bar, ours beside those of others.")
    parser.add_argument("--picture", action="store_true", help="draw .github/peers.svg and peers-dark.svg anew")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"how many rounds ({ROUNDS})")
    chosen = parser.parse_args()
    print(f"{machine()}, {WORKERS} workers, {chosen.rounds} rounds\n")
    rounds = min(LAG_ROUNDS, chosen.rounds)
    got = from_kernel("benchmarks.peers", f"measured({chosen.rounds})", LIMIT)
    lines = [Line(*line) for line in got["lines"]]
    behind = [
        (name, chunk, [Lag(*each) for each in its])
        for bar in [*BARS, *KEEPING]
        for name, chunk, its in from_kernel("benchmarks.peers", f"watched({bar!r}, {rounds})", LIMIT)
    ]
    print(ratio_table(lines), behind_table(behind), sep="\n\n", end="\n\n")
    print(
        f"A view of two empty tasks, workers kept: {median(got['alone']):.0f} ms ({min(got['alone']):.0f} to ", end=""
    )
    print(f"{max(got['alone']):.0f}); it is in all rows of ours.\n")
    print(aims_table(aims(lines, behind)))
    if chosen.picture:
        save(lines, behind)


if __name__ == "__main__":
    main()
