"""Lesson 17: what it says beyond what its cells show; its explorer, taken from its cells, by each start method."""

import asyncio
import json
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import pytest
from jupyter_client.manager import start_new_kernel

from helpers.observe.trace import Trace
from helpers.panels.engines import engine
from helpers.panels.explorer import Explorer
from helpers.panels.explorer_canvas import Canvas
from helpers.panels.kernel_start import with_free_ports
from helpers.workers import fractal
from helpers.workers.fractal import HEIGHT, WIDTH, View, draw_tile, follow, tiles
from tests.observe.starting import LIMIT, METHODS, plain_main, until
from tests.panels.frames import read_png, shows, views_shown, whole

__all__ = ["plain_main"]

LESSON = Path(__file__).parents[2] / "notebooks" / "17_an_explorer_that_never_freezes.ipynb"
DEFINITIONS = ("newest =", "def paint_newest(", "def draw(", "def stop(", "def start(", "def note_fate(")
HURRY = View(-0.7436, 0.1318, 0.02, 100)
QUICK = View(iterations=40)
each_method = pytest.mark.parametrize("method", METHODS)


@pytest.fixture(autouse=True)
def nobody_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fractal, "_newest", None)


def play(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(scene(), LIMIT))


# The explorer that the learner builds


def cells_of_the_lesson() -> list[str]:
    """The sources of its code cells."""
    cells = json.loads(LESSON.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


class Built:
    """The lesson's own functions, run from its cells, with processes started by `method`."""

    def __init__(self, method: str) -> None:
        context = multiprocessing.get_context(method)
        self.names: dict[str, Any] = {
            "asyncio": asyncio,
            "multiprocessing": context,
            "ProcessPoolExecutor": partial(ProcessPoolExecutor, mp_context=context),
            "fractal": fractal,
            "tiles": tiles(),
        }
        for source in cells_of_the_lesson():
            if any(words in source for words in DEFINITIONS):
                exec(source, self.names)  # noqa: S102 - our own lesson's
        self.canvas = Canvas(WIDTH, HEIGHT)
        self.frames: list[bytes] = []
        self.canvas.observe(lambda change: self.frames.append(bytes(change.new)), "value")

    @asynccontextmanager
    async def explorer(self, view: View) -> AsyncIterator[Explorer]:
        """An explorer, stopped at the end whatever happens."""
        names = self.names
        explorer = Explorer(view, names["start"], names["draw"], names["stop"], self.canvas)
        try:
            yield explorer
        finally:
            await explorer.stop()

    @property
    def fates(self) -> Counter[str]:
        return Counter(self.names["fates"])


@each_method
def test_no_stale_tile_is_ever_shown_and_every_tile_is_accounted_for(method: str):
    views = [HURRY.moved(0.1 * step, 0) for step in range(4)] + [QUICK]
    built = Built(method)

    async def scene() -> None:
        async with built.explorer(views[0]) as explorer:
            while built.canvas.first_after is None:  # noqa: ASYNC110 - what is waited for is what a learner would see
                await asyncio.sleep(0.001)
            for view in views[1:]:
                explorer.go(view)
                await asyncio.sleep(0.02)
            await explorer.drawn()
            assert built.canvas.painted == len(tiles())
            await asyncio.sleep(0.1)  # the last picture is sent

    play(scene)
    assert multiprocessing.active_children() == []
    shown = views_shown([read_png(frame).rows for frame in built.frames], views)
    assert -1 not in shown
    assert shown[0] == 0
    assert shown[-1] == len(views) - 1
    assert read_png(built.frames[-1]).rows == whole(QUICK, 1)
    assert built.fates.total() == len(views) * len(tiles())
    assert built.fates["dropped"] > 0
    assert built.fates["failed"] == 0


def test_a_stale_tile_would_be_noticed():
    rows = list(whole(QUICK, 1))
    assert shows(rows, QUICK)
    assert not shows(rows, HURRY)
    rows[100] = rows[100][:90] + whole(HURRY, 1)[100][90:91] + rows[100][91:]
    assert not shows(rows, QUICK)


@each_method
def test_closing_ends_tiles_that_are_being_drawn(method: str):
    async def scene() -> None:
        built = Built(method)
        async with built.explorer(View(x=-0.15, width=0.2, iterations=4_000)):  # a row takes 5 ms or more
            while built.canvas.painted == 0:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.001)
        assert built.fates["stopped"] >= 1
        assert built.fates["drawn"] < 20
        assert built.fates.total() == len(tiles())

    play(scene)
    assert multiprocessing.active_children() == []


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
@pytest.mark.parametrize("_again", range(5))  # a worker that is left behind is left in some runs only
def test_when_a_worker_is_killed_the_others_end_and_the_next_view_is_drawn(
    caplog: pytest.LogCaptureFixture, _again: int
):
    async def scene() -> None:
        built = Built(METHODS[0])
        async with built.explorer(HURRY.tried(4_000)) as explorer:
            while built.canvas.painted == 0:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.001)
            os.kill(multiprocessing.active_children()[0].pid or 0, signal.SIGKILL)
            await explorer.drawn()
            assert "The drawing has failed: BrokenProcessPool" in explorer.children[-1].value
            explorer.go(QUICK)
            await explorer.drawn()
            assert built.canvas.painted == len(tiles())

    before = threading.active_count()
    play(scene)
    until(lambda: multiprocessing.active_children() == [], "the workers to be gone")
    until(lambda: threading.active_count() <= before, "the pool's threads to be gone")
    assert caplog.records == []


def test_a_tile_that_comes_late_is_not_painted_even_if_nobody_cancelled_it():
    class ByHand:
        def __init__(self) -> None:
            self.futures: list[Future[bytes | None]] = []

        def submit(self, *_: object) -> Future[bytes | None]:
            self.futures.append(Future())
            return self.futures[-1]

    async def scene() -> None:
        built, old, new = Built(METHODS[0]), ByHand(), ByHand()
        points = draw_tile(None, QUICK, tiles()[1])
        drawing = asyncio.create_task(built.names["draw"](old, QUICK, built.canvas))
        await asyncio.sleep(0.01)
        old.futures[0].set_exception(ValueError("this tile only"))
        with pytest.raises(ValueError, match="this tile only"):
            await drawing
        assert not old.futures[1].cancelled()
        following = asyncio.create_task(built.names["draw"](new, QUICK, built.canvas))
        await asyncio.sleep(0.01)
        old.futures[1].set_result(points)
        await asyncio.sleep(0.01)
        assert built.canvas.painted == 0
        new.futures[1].set_result(points)
        await asyncio.sleep(0.01)
        assert built.canvas.painted == 1
        following.cancel()
        await asyncio.wait([following])
        for future in old.futures:
            future.cancel()
        await asyncio.sleep(0.01)

    play(scene)


SLOW_EXPLORER = """
slow = fractal.View(x=-0.15, width=0.2, iterations=20_000)
explorer = Explorer(slow, start, draw, stop, Canvas(fractal.WIDTH, fractal.HEIGHT))
"""
WAITING = """
asyncio.get_running_loop().call_later(0.1, print, "waiting")
await explorer.drawn()
"""


@pytest.mark.skipif(os.name != "posix", reason="an interrupt is a signal here")
def test_an_interrupt_of_the_cell_that_waits_closes_the_explorer():
    manager, client = with_free_ports(
        lambda: start_new_kernel(kernel_name="python3", cwd=str(LESSON.parents[1]), stderr=subprocess.DEVNULL)
    )
    try:
        for source in [*cells_of_the_lesson(), SLOW_EXPLORER]:
            if any(words in source for words in ("import asyncio", "tiles = ", "slow = ", *DEFINITIONS)):
                reply = client.execute_interactive(source, output_hook=lambda _: None, timeout=LIMIT)
                assert reply["content"]["status"] == "ok"
        client.execute(WAITING, stop_on_error=False)  # or what comes next may be dropped with it
        while "waiting" not in client.get_iopub_msg(timeout=LIMIT)["content"].get("text", ""):
            pass
        os.kill(manager.provisioner.pid, signal.SIGINT)  # to the kernel alone: its workers are not interrupted
        assert client.get_shell_msg(timeout=LIMIT)["content"]["status"] == "error"
        said: list[str] = []
        client.execute_interactive(
            "print(nothing_left())",
            output_hook=lambda message: said.append(message["content"].get("text", "")),
            timeout=LIMIT,
        )
        assert "".join(said) == "Nothing is left: no process, no thread, no open trace.\n"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


PROGRAM = """
import multiprocessing, pickle, sys
from concurrent.futures import ProcessPoolExecutor, wait

if __name__ == "__main__":
    method, trace, draw_tile, follow, view, tiles = pickle.load(sys.stdin.buffer)
    context = multiprocessing.get_context(method)
    newest = context.RawValue("q", 1)
    pool = ProcessPoolExecutor(2, context, initializer=follow, initargs=(newest,))
    wait([pool.submit(draw_tile, trace, view, tile, 1) for tile in tiles])
"""


@each_method
def test_workers_notice_when_the_kernel_is_killed(method: str):
    slow = View(x=-0.15, width=0.2, iterations=1_000_000)
    with Trace() as trace:
        kernel = subprocess.Popen([sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE)
        try:
            assert kernel.stdin is not None
            pickle.dump((method, trace, draw_tile, follow, slow, tiles()), kernel.stdin)
            kernel.stdin.close()
            until(lambda: sum(len(lane.spans) for lane in trace.lanes()) >= 2, "two tiles to be begun")
            workers = [psutil.Process(lane.pid) for lane in trace.lanes()]
            kernel.kill()
            kernel.wait(LIMIT)
            until(lambda: not any(worker.is_running() for worker in workers), "the workers to be gone")
        finally:
            kernel.kill()
            kernel.wait(LIMIT)


# What the lesson says on the way


def test_cancelling_a_task_cancels_the_future_it_awaits_wrapped():
    async def scene() -> None:
        future: Future[int] = Future()

        async def wait_for_it() -> None:
            await asyncio.gather(_awaited(asyncio.wrap_future(future)))

        task = asyncio.create_task(wait_for_it())
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
        await asyncio.sleep(0)
        assert future.cancelled()

    play(scene)


async def _awaited(what: asyncio.Future[int]) -> int:
    return await what


def value_of(number: Any) -> int:
    return int(number.value)


@each_method
def test_a_raw_value_cannot_travel_with_a_task(method: str):
    context = multiprocessing.get_context(method)
    newest = context.RawValue("q", 1)
    with ProcessPoolExecutor(1, context) as pool, pytest.raises(RuntimeError, match="through inheritance"):
        pool.submit(value_of, newest).result(LIMIT)


@pytest.mark.parametrize("kind", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_a_pool_begins_its_tasks_in_the_order_of_their_coming(kind: Callable[[int], Executor]):
    chosen, done = tiles()[::-7], []
    with kind(1) as pool:
        for tile in chosen:
            future = pool.submit(draw_tile, None, QUICK, tile)
            future.add_done_callback(lambda _, tile=tile: done.append(tile))  # type: ignore[misc] # mypy has no type for it
    assert done == chosen


async def lateness(pool: Executor) -> list[float]:
    """How late each of 12 beats of the loop comes while the pool draws, in seconds."""
    patient = View(x=-0.15, width=0.2, iterations=300)
    futures = [pool.submit(draw_tile, None, patient, tile) for tile in tiles()]
    late = []
    for _ in range(12):
        began = time.perf_counter()
        await asyncio.sleep(0.005)
        late.append(time.perf_counter() - began - 0.005)
    assert not futures[-1].done()
    for future in futures:
        future.cancel()
    return late


@pytest.mark.skipif(not getattr(sys, "_is_gil_enabled", lambda: True)(), reason="without a GIL nobody stands in line")
def test_beside_threads_the_heart_beats_later_than_beside_processes():
    def typically(kind: Callable[[int], Executor]) -> float:
        with kind(2) as pool:
            pool.submit(int).result(LIMIT)
            return median(asyncio.run(lateness(pool)))

    before = sys.getswitchinterval()
    sys.setswitchinterval(0.05)  # ten times the usual: so the wait for the GIL stands out on a busy machine, too
    try:
        pairs = ((typically(ThreadPoolExecutor), typically(ProcessPoolExecutor)) for _ in range(12))
        assert any(threads > 0.04 and processes < 0.025 for threads, processes in pairs)
    finally:
        sys.setswitchinterval(before)


# Where to go from here


@pytest.mark.timeout(120)
def test_a_cluster_draws_the_lessons_picture_and_drops_what_waits_when_it_is_cancelled():
    built = Built(METHODS[0])
    slow = View(x=-0.15, width=0.2, iterations=4_000)
    with Trace() as trace, engine("dask", 1) as cluster:
        play(lambda: built.names["draw"](cluster, QUICK, built.canvas))
        assert built.canvas.painted == len(tiles())
        assert built.canvas.pixels == b"".join(whole(QUICK, 1))
        futures = [cluster.submit(draw_tile, trace, slow, tile) for tile in tiles()[:30]]
        until(lambda: any(lane.spans for lane in trace.lanes()), "the first tile to be begun")
        for future in futures:
            future.cancel()
        until(lambda: all(span.end for lane in trace.lanes() for span in lane.spans), "what runs to end")
        time.sleep(1)  # nothing else begins
        assert sum(len(lane.spans) for lane in trace.lanes()) < 10
