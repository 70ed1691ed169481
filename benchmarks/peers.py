"""Compare runs with a progress bar: ours beside those of others, as ratios to a bare pool's run without any.

    uv run --group peers python benchmarks/peers.py

All run inside a real kernel, two workers each, one after the other in every round and in another order each time; a
round's figures are divided by that round's bare pool. Starting the workers counts, but for joblib's and ipyparallel's,
which keep theirs (so joblib can be faster than the bare pool). The second table says how far a bar was behind what the
workers had done, sampled every 5 ms, with one task that is a hundred times as long as the others.
"""

import asyncio
import json
import multiprocessing
import os
import platform
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from subprocess import DEVNULL
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import ipyparallel
from joblib import Parallel, delayed
from jupyter_client.manager import start_new_kernel
from mpire import WorkerPool
from tqdm.contrib.concurrent import process_map
from tqdm.notebook import tqdm

from helpers.observe.trace import Trace
from helpers.panels.pool_view import PoolView

WORKERS: Final = 2
ROUNDS: Final = 9
LAG_ROUNDS: Final = 3
SAMPLE: Final = 0.005  # seconds
LAG_TASKS: Final = 300
CHUNKS: Final = (1, 10, 38)  # 38 is what Pool.map takes for 300 tasks and 2 workers
FORK: Final = multiprocessing.get_context("fork")  # what is cheapest, for all


class Job(NamedTuple):
    """So many tasks, each of so many turns of an empty loop."""

    name: str
    tasks: int
    turns: int

    @property
    def chunk(self) -> int:
        """What Pool.map would take: four chunks a worker."""
        return -(-self.tasks // (4 * WORKERS))


def work(turns: int) -> int:
    """One task."""
    for _ in range(turns):
        pass
    return turns


def work_and_count(trace: Trace, turns: int) -> int:
    """One task, which says that it is done."""
    done = work(turns)
    trace.advance()
    return done


def turns_in(seconds: float) -> int:
    """How many turns of the loop take so long on this machine."""
    turns, best = 200_000, float("inf")
    for _ in range(9):
        began = time.perf_counter()
        work(turns)
        best = min(best, time.perf_counter() - began)
    return max(1, round(turns * seconds / best))


# Runs: each gives how many results came back. `bar` is called with the thing that shows progress, for those who look.

Bar = Callable[[Callable[[], float]], None]
Run = Callable[[list[int], int, Bar], Awaitable[int]]


async def bare_pool(turns: list[int], chunk: int, _bar: Bar) -> int:
    """The standard pool, nothing shown."""
    with FORK.Pool(WORKERS) as pool:
        return len(pool.map(work, turns, chunk))


async def ours(turns: list[int], chunk: int, bar: Bar) -> int:
    """The same pool under our view: the workers count."""
    with Trace() as trace, FORK.Pool(WORKERS) as pool:
        view = PoolView(trace, pool, {"all": pool.map_async(partial(work_and_count, trace), turns, chunk)})
        bar(lambda: view.shown)
        ending = await view
        return len(ending.results["all"])


async def tqdm_imap(turns: list[int], chunk: int, bar: Bar) -> int:
    """A bar around the results of the standard pool."""
    with FORK.Pool(WORKERS) as pool, tqdm(total=len(turns)) as shown:
        bar(lambda: shown.n)
        return sum(1 for _ in map(lambda _: shown.update(), pool.imap(work, turns, chunk)))  # noqa: C417 - a count


async def tqdm_process_map(turns: list[int], chunk: int, bar: Bar) -> int:
    """tqdm's own runner."""
    shown: list[Any] = []

    class Kept(tqdm):  # type: ignore[misc] # tqdm is not annotated
        def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - as tqdm has them
            super().__init__(*args, **options)
            shown.append(self)

    bar(lambda: shown[-1].n if shown else 0)
    return len(process_map(work, turns, max_workers=WORKERS, chunksize=chunk, tqdm_class=Kept))


async def mpire_map(turns: list[int], chunk: int, _bar: Bar) -> int:
    """mpire, with its bar for notebooks."""
    with WorkerPool(n_jobs=WORKERS, start_method="fork") as pool:
        return len(pool.map(work, turns, chunk_size=chunk, progress_bar=True, progress_bar_style="notebook"))


async def joblib_tqdm(turns: list[int], chunk: int, bar: Bar) -> int:
    """joblib, its results through a bar; its workers are warm."""
    run = Parallel(n_jobs=WORKERS, batch_size=chunk, return_as="generator")
    with tqdm(total=len(turns)) as shown:
        bar(lambda: shown.n)
        count = 0
        for _ in run(delayed(work)(each) for each in turns):
            shown.update()
            count += 1
        return count


def engines_of(cluster: Any) -> Run:  # noqa: ANN401 - ipyparallel is not annotated
    """ipyparallel, with its own bar; its engines are warm."""

    async def run(turns: list[int], chunk: int, _bar: Bar) -> int:
        view = cluster.load_balanced_view()
        answers = view.map_async(work, turns, chunksize=chunk)
        answers.wait_interactive(widget=True, interval=0.1)
        return len(answers.get())

    return run


@contextmanager
def engines() -> Iterator[Run]:
    """ipyparallel's engines, started once."""
    cluster = ipyparallel.Cluster(n=WORKERS, log_level=50)
    client = cluster.start_and_connect_sync(activate=False)
    try:
        client[:].push({"work": work}, block=True)
        yield engines_of(client)
    finally:
        client.close()
        cluster.stop_cluster_sync()


def no_bar(_look: Callable[[], float]) -> None:
    """Nobody looks at the bar."""


async def ratios(jobs: list[Job]) -> list[list[Any]]:
    """For each job and run: its time against that of the bare pool in the same round, of every round."""
    with engines() as ipyparallel_map:
        runs: dict[str, Run] = {
            "bare Pool.map": bare_pool,
            "ours: Pool.map_async under PoolView": ours,
            "tqdm.notebook around Pool.imap": tqdm_imap,
            "tqdm process_map": tqdm_process_map,
            "mpire": mpire_map,
            "joblib, warm, and tqdm.notebook": joblib_tqdm,
            "ipyparallel, warm": ipyparallel_map,
        }
        rows = []
        for job in jobs:
            # Peers count results, so with chunks their bars jump: each as its users have it, chunk by chunk of 1.
            for chunk, said in ((job.chunk, "tuned"), (1, "1")):
                took: dict[str, list[float]] = {name: [] for name in runs}
                for turn in range(ROUNDS + 1):
                    names = list(runs)
                    for name in names[turn % len(names) :] + names[: turn % len(names)]:
                        began = time.perf_counter()
                        size = job.chunk if name.startswith("bare") else chunk
                        count = await runs[name]([job.turns] * job.tasks, size, no_bar)
                        if turn:  # the first round warms everything up
                            took[name].append(time.perf_counter() - began)
                        if count != job.tasks:
                            raise AssertionError(f"{name} gave {count} of {job.tasks} results")
                bare = took["bare Pool.map"]
                rows += [
                    [job.name, name, said, [mine / other for mine, other in zip(times, bare, strict=True)]]
                    for name, times in took.items()
                ]
        return rows


async def behind(run: Run, chunk: int, task: int) -> float:
    """How many tasks a bar was behind the workers, at most; the workers' own count is the truth."""
    looks: list[Callable[[], float]] = []
    worst, over = [0.0], threading.Event()
    with Trace() as trace:
        counted = partial(work_and_count, trace)

        def sample() -> None:
            while not over.wait(SAMPLE):
                done = sum(lane.done for lane in trace.lanes())
                if looks:
                    worst[0] = max(worst[0], done - looks[0]())

        sampler = threading.Thread(target=sample)
        sampler.start()
        turns = [task] * LAG_TASKS
        turns[LAG_TASKS // 10] = 100 * task
        try:
            with replaced_work(counted):
                await run(turns, chunk, looks.append)
        finally:
            over.set()
            sampler.join()
    return worst[0]


@contextmanager
def replaced_work(function: Callable[[int], int]) -> Iterator[None]:
    """Let the peers' tasks count too; forked workers see what is set here."""
    module = globals()
    kept, module["work"] = module["work"], function
    try:
        yield
    finally:
        module["work"] = kept


async def measured() -> dict[str, Any]:
    """All measurements; called in the kernel."""
    await asyncio.sleep(0)
    jobs = [Job("200 × 5 ms", 200, turns_in(0.005)), Job("2000 × 50 µs", 2000, turns_in(0.00005))]
    return {"ratios": await ratios(jobs)}


async def run_in_kernel(answer: str) -> None:
    """What the kernel does: measure, and leave the figures in the file `answer`."""
    text = json.dumps(await measured())
    await asyncio.to_thread(Path(answer).write_text, text)


def figures(folder: Path) -> dict[str, Any]:
    """Start a kernel, and have it measure."""
    answer = folder / "figures.json"
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(Path(__file__).parent), stderr=DEVNULL)
    try:
        reply = client.execute_interactive(
            f"import peers; await peers.run_in_kernel({str(answer)!r})", output_hook=lambda _: None, timeout=1800
        )
        if reply["content"]["status"] != "ok":
            raise RuntimeError("\n".join(reply["content"]["traceback"]))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return dict(json.loads(answer.read_text()))


def main() -> None:
    """Print the tables."""
    python = f"{platform.python_implementation()} {platform.python_version()}, {platform.system()}"
    print(f"{python}, {os.cpu_count()} cores, {WORKERS} workers, {ROUNDS} rounds\n")
    with TemporaryDirectory() as folder:
        got = figures(Path(folder))
    print("| tasks | run | chunks | median ratio to the bare pool | least and most |\n|---|---|---|---:|---|")
    for job, name, chunk, values in got["ratios"]:
        print(f"| {job} | {name} | {chunk} | {median(values):.2f} | {min(values):.2f} to {max(values):.2f} |")


if __name__ == "__main__":
    main()
