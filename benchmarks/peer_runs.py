"""The peers of our view: what people use to see how far a pool has come. Each as its documentation has it.

Those that keep their workers, joblib and ipyparallel, are compared with a pool that is kept too.
"""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.pool import Pool
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any, Final

import ipyparallel
from ipywidgets import FloatProgress, IntProgress
from ipywidgets.widgets import widget as all_widgets
from joblib import Parallel, delayed
from joblib.externals.loky import get_reusable_executor
from mpire.pool import WorkerPool
from tqdm.contrib.concurrent import process_map
from tqdm.notebook import tqdm
from viztracer import VizTracer
from viztracer.patch import patch_multiprocessing

from benchmarks.runs import FORK, WORKERS, Case, Entry, Run, bare, in_pool, ours

_queue: Any = None


def newest_bar(tasks: int) -> Callable[[], float]:
    """How many of `tasks` the bar shows that is made next, by whomever: what its widget says, as a reader sees it."""
    known = set(all_widgets._instances)  # noqa: SLF001 - there is no other list of widgets

    def shown() -> float:
        fresh = [each for name, each in list(all_widgets._instances.items()) if name not in known]  # noqa: SLF001
        bars = [each for each in fresh if isinstance(each, FloatProgress | IntProgress)]
        return max((tasks * float(bar.value) / (float(bar.max) or 1) for bar in bars), default=0.0)

    return shown


async def tqdm_imap(case: Case, pool: Pool | None = None) -> list[Any]:
    """A bar around the results of the standard pool."""
    await asyncio.sleep(0)
    case.look(newest_bar(len(case.turns)))
    with in_pool(pool) as own:
        return list(tqdm(own.imap(case.function, case.turns, case.chunk), total=len(case.turns)))


async def tqdm_process_map(case: Case) -> list[Any]:
    """Tqdm's own runner."""
    await asyncio.sleep(0)
    case.look(newest_bar(len(case.turns)))
    chunks = {"chunksize": case.chunk, "max_workers": WORKERS}
    return list(process_map(case.function, case.turns, tqdm_class=tqdm, mp_context=FORK, **chunks))


async def mpire_map(case: Case) -> list[Any]:
    """mpire, with its bar for notebooks."""
    await asyncio.sleep(0)
    case.look(newest_bar(len(case.turns)))
    with WorkerPool(n_jobs=WORKERS, start_method="fork") as pool:
        shown: dict[str, Any] = {"progress_bar": True, "progress_bar_style": "notebook"}
        return list(pool.map(case.function, case.turns, chunk_size=case.chunk, **shown))


def _share(queue: Any) -> None:  # noqa: ANN401 - a queue of any context
    global _queue  # noqa: PLW0603 - as all recipes have it: a queue can only be inherited
    _queue = queue


def _put_when_done(function: Callable[[int], int], turns: int) -> int:
    result = function(turns)
    _queue.put(1)
    return result


async def queue_bar(case: Case) -> list[Any]:
    """Workers put a word in a queue for each task, and a thread of the parent moves the bar."""
    await asyncio.sleep(0)
    case.look(newest_bar(len(case.turns)))
    if FORK is None:
        raise RuntimeError("this comparison needs fork")
    queue: Any = FORK.Queue()
    with tqdm(total=len(case.turns)) as bar, FORK.Pool(WORKERS, _share, (queue,)) as pool:

        def move() -> None:
            for _ in case.turns:
                bar.update(queue.get())

        mover = Thread(target=move)
        mover.start()
        results = pool.map(partial(_put_when_done, case.function), case.turns, case.chunk)
        mover.join()
    queue.close()
    return results


async def viztracer_around(case: Case) -> list[Any]:
    """No bar, but a record of parent and workers, as its command line takes it."""
    with TemporaryDirectory() as folder:
        tracer = VizTracer(output_file=os.fspath(Path(folder) / "result.json"), verbose=0)
        patch_multiprocessing(tracer, [])
        with tracer:
            return await bare(case)


async def joblib_tqdm(case: Case) -> list[Any]:
    """joblib, its results through a bar; its workers are kept."""
    await asyncio.sleep(0)
    case.look(newest_bar(len(case.turns)))
    run = Parallel(n_jobs=WORKERS, batch_size=case.chunk, return_as="generator")
    tasks = (delayed(case.function)(turns) for turns in case.turns)
    return list(tqdm(run(tasks), total=len(case.turns)))


async def _ipyparallel_map(view: Any, case: Case) -> list[Any]:  # noqa: ANN401 - it is not annotated
    await asyncio.sleep(0)
    case.look(newest_bar(len(case.turns)))
    answer = view.map_async(case.function, case.turns, chunksize=case.chunk)
    answer.wait_interactive(widget=True)
    return list(answer.get())


@contextmanager
def engines() -> Iterator[Run]:
    """Run ipyparallel with its own bar; its engines, and joblib's workers, are kept while this lasts."""
    cluster: Any = ipyparallel.Cluster(n=WORKERS, log_level=50)
    client = cluster.start_and_connect_sync(activate=False)
    try:
        yield partial(_ipyparallel_map, client.load_balanced_view())
    finally:
        client.close()
        cluster.stop_cluster_sync()
        get_reusable_executor().shutdown(wait=True)


BARE: Final = "bare `Pool.map`"
OURS: Final = "**ours**: `PoolView`, workers count"
WARM: Final = ", workers kept"
BARS: Final[dict[str, Run]] = {
    OURS: ours,
    "`tqdm.notebook` around `Pool.imap`": tqdm_imap,
    "tqdm `process_map`, notebook bar": tqdm_process_map,
    "mpire, notebook bar": mpire_map,
    "`multiprocessing.Queue` to `tqdm.notebook`": queue_bar,
}
KEEPING: Final = ("joblib and `tqdm.notebook`" + WARM, "ipyparallel and its bar" + WARM)
"""The bars that always keep their workers."""


def warm_bars(pool: Pool | None, ipyparallel_map: Run) -> dict[str, Run]:
    """Bars over workers that are there already."""
    return {
        OURS + WARM: partial(ours, pool=pool),
        "`tqdm.notebook` around `Pool.imap`" + WARM: partial(tqdm_imap, pool=pool),
        **dict(zip(KEEPING, (joblib_tqdm, ipyparallel_map), strict=True)),
    }


def entries(pool: Pool, ipyparallel_map: Run) -> list[Entry]:
    """All lines of the comparison."""
    cold: dict[str, Run] = {BARE: bare, **BARS}
    warm: dict[str, Run] = {BARE + WARM: partial(bare, pool=pool), **warm_bars(pool, ipyparallel_map)}
    return [
        *(Entry(name, run, tuned, BARE) for name, run in cold.items() for tuned in (True, False)),
        Entry("viztracer around `Pool.map` (no bar)", viztracer_around, True, BARE),  # noqa: FBT003 - named above
        *(Entry(name, run, tuned, BARE + WARM) for name, run in warm.items() for tuned in (True, False)),
    ]
