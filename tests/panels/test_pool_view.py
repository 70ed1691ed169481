"""The pool view counts right at any chunk size, names what went wrong at once, stops everything, leaves nothing."""

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from multiprocessing.pool import ThreadPool
from typing import Any, NamedTuple, TypeVar

import pytest
from ipywidgets import HTML, Button, IntProgress, Widget

from helpers.observe.reading import Reader
from helpers.observe.trace import Trace
from helpers.panels.pool_outcome import Ending
from helpers.panels.pool_rows import MOST_ROWS
from helpers.panels.pool_view import PoolView
from helpers.panels.timeline import Timeline
from tests.observe import pool_doings as doings
from tests.observe.pool_making import KINDS, made_pool, over, soon, submit, within
from tests.observe.starting import METHODS

pytestmark = pytest.mark.usefixtures("left_as_found")
T = TypeVar("T")
every_pool = pytest.mark.parametrize("kind", KINDS)
every_method = pytest.mark.parametrize("method", METHODS)
needs_signals = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signals here")


class Row(NamedTuple):
    """The parts of one row of a view."""

    name: HTML
    bar: IntProgress
    words: HTML


@pytest.fixture
def trace() -> Iterator[Trace]:
    with Trace() as made:
        yield made


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What is displayed."""
    objects: list[object] = []
    monkeypatch.setattr("helpers.panels.pool_view.display", objects.append)
    return objects


def head(view: PoolView) -> HTML:
    return view.children[0].children[0]


def button(view: PoolView) -> Button:
    return view.children[0].button


def rows(view: PoolView) -> dict[str, Row]:
    """The rows of the workers, by their names."""
    made = [Row(*row.children) for row in view.children[1].children if hasattr(row, "fill")]
    return {row.name.value: row for row in made}


def total(view: PoolView) -> Row:
    return Row(*view.children[2].children)


def said(view: PoolView) -> str:
    return view.children[3].value


def run(main: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(main)


async def ended(trace: Trace, pool: Any, tasks: Any, limit: float | None = None) -> tuple[PoolView, Ending]:
    view = PoolView(trace, pool, tasks, limit)
    doings.open_gate(trace)
    return view, await within(view)


@every_pool
@every_method
def test_in_the_end_bars_words_and_results_are_the_truth(kind: str, method: str, trace: Trace):
    async def main() -> None:
        with made_pool(kind, method) as pool:
            trace.expect(60)
            tasks = {f"task {n}": submit(pool, doings.good, trace, f"task {n}", 10, 0.002) for n in range(6)}
            view, ending = await ended(trace, pool, tasks)
            assert ending.results == {name: f"{name} is done" for name in tasks}
            assert (ending.errors, ending.fault) == ({}, None)
            assert repr(ending) == "<Ending: 6 of 6 tasks have finished>"
            assert (total(view).bar.value, total(view).bar.max) == (60, 60)
            assert total(view).words.value == "60 of 60 items, 6 of 6 tasks"
            lanes = {lane.title: lane for lane in trace.lanes() if lane.spans}
            for title, lane in lanes.items():
                row = rows(view)[f"<b>{title}</b>"]
                assert (row.bar.value, row.words.value) == (lane.done, f"{lane.done}: idle")
                assert row.bar.max == max(30, *(each.done for each in lanes.values())), "a fair share, or the most"
                assert ending.states[title] == "idle"
            assert button(view).disabled
            assert said(view) == ""

    run(main())


def count_one(trace: Trace, slow: int, item: int) -> int:
    with trace.span(f"item {item}"):
        time.sleep(0.6 if item == slow else 0.002)
        trace.advance()
    return item


@every_pool
@pytest.mark.parametrize("size", [1, 10, 38])
def test_the_count_is_never_more_than_a_refresh_behind_at_any_chunk_size(
    kind: str, size: int, trace: Trace, monkeypatch: pytest.MonkeyPatch
):
    """A count of results would stand still for a whole chunk, and a chunk with a slow task for long."""
    items, looks = 114, []
    reader, refresh = Reader(trace.folder), PoolView._refresh

    def done() -> int:
        return sum(lane.done for lane in reader.poll())

    def watched(view: PoolView, **options: bool) -> None:
        before = done()
        refresh(view, **options)
        looks.append((before, total(view).bar.value, done()))

    monkeypatch.setattr(PoolView, "_refresh", watched)

    async def main() -> None:
        with made_pool(kind, METHODS[0]) as pool:
            trace.expect(items)
            work = partial(count_one, trace, 50)
            if kind == "pool":
                tasks = [pool.map_async(work, range(items), chunksize=size)]
            else:
                parts = [range(start, min(items, start + size)) for start in range(0, items, size)]
                tasks = [pool.submit(work_all, work, part) for part in parts]
            view, ending = await ended(trace, pool, tasks)
            assert (total(view).bar.value, total(view).bar.max) == (items, items)
            assert sum(map(len, ending.results.values())) == items

    run(main())
    reader.close()
    assert all(before <= shown <= after for before, shown, after in looks), looks
    assert len({shown for _, shown, _ in looks}) >= 3, "the bar did not move"


def work_all(work: Callable[[int], int], part: range) -> list[int]:
    return [work(item) for item in part]


@every_pool
def test_workers_that_count_nothing_are_counted_by_their_tasks(kind: str, trace: Trace):
    async def main() -> None:
        with made_pool(kind, METHODS[0]) as pool:
            tasks = [submit(pool, time.sleep, 0.01 * n) for n in range(8)]
            view, _ = await ended(trace, pool, tasks)
            assert (total(view).bar.value, total(view).bar.max) == (8, 8)
            assert total(view).words.value == "8 of 8 tasks"
            assert len(rows(view)) == 2

    run(main())


def test_items_without_a_total_are_counted_in_words_and_the_bar_counts_tasks(trace: Trace):
    async def main() -> None:
        with made_pool("executor", METHODS[0]) as pool:
            tasks = [submit(pool, doings.good, trace, f"task {n}", 3) for n in range(4)]
            view, _ = await ended(trace, pool, tasks)
            assert (total(view).bar.value, total(view).bar.max) == (4, 4)
            assert total(view).words.value == "12 items, 4 of 4 tasks"

    run(main())


def test_one_map_async_is_counted_by_its_items(trace: Trace):
    async def main() -> None:
        with made_pool("pool", METHODS[0]) as pool:
            view, ending = await ended(trace, pool, {"all": pool.map_async(abs, range(-9, 0), chunksize=2)})
            assert (total(view).bar.value, total(view).bar.max) == (9, 9)
            assert ending.results == {"all": list(range(9, 0, -1))}

    run(main())


@pytest.mark.parametrize("kind", [ThreadPoolExecutor, ThreadPool])
def test_threads_have_their_rows(kind: Any, trace: Trace):
    async def main() -> None:
        with kind(2) as pool:
            tasks = [submit(pool, doings.good, trace, f"task {n}", 5, 0.01) for n in range(4)]
            view, ending = await ended(trace, pool, tasks)
            assert len(ending.results) == 4
            lanes = trace.lanes()
            assert {f"<b>{lane.title}</b>" for lane in lanes} == rows(view).keys()
            assert sum(int(row.words.value.removesuffix(": idle")) for row in rows(view).values()) == 20
            assert {row.bar.value for row in rows(view).values()} == {0}, "nobody knows how many there are to be"
            assert set(ending.states.values()) == {"idle"}

    run(main())


def test_loky_has_its_rows(trace: Trace):
    loky = pytest.importorskip("loky")

    async def main() -> None:
        executor = loky.ProcessPoolExecutor(2)
        try:
            tasks = [executor.submit(doings.good, trace, f"task {n}", 5, 0.01) for n in range(4)]
            view, ending = await ended(trace, executor, tasks)
            assert len(ending.results) == 4
            assert sum(int(row.words.value.removesuffix(": idle")) for row in rows(view).values()) == 20
        finally:
            executor.shutdown(wait=True, kill_workers=True)

    run(main())


class Elsewhere(Executor):
    """An executor that nothing is known of."""

    def __init__(self) -> None:
        self.futures: list[Future[Any]] = []

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> "Future[T]":
        future: Future[T] = Future()
        self.futures.append(future)
        threading.Timer(0.05, lambda: future.set_result(fn(*args, **kwargs))).start()
        return future

    def shutdown(self, wait: bool = True) -> None:  # type: ignore[override] # noqa: FBT001, FBT002 - as some have it
        del wait
        for future in self.futures:
            future.cancel()


def test_any_executor_with_futures_is_counted_and_can_be_stopped(trace: Trace):
    async def main() -> None:
        executor = Elsewhere()
        view, ending = await ended(trace, executor, [executor.submit(int, n) for n in range(5)])
        assert list(ending.results.values()) == list(range(5))
        assert total(view).words.value == "5 of 5 tasks"
        executor.futures.append(Future())
        view = PoolView(trace, executor, executor.futures[-1:])
        view.stop()
        ending = await within(view)
        assert ending.fault is not None
        assert ending.fault.kind == "stopped"
        assert ending.errors.keys() == {"task 0"}

    run(main())


@needs_signals
@every_pool
@every_method
def test_a_killed_worker_is_named_while_the_view_runs_and_results_are_kept(kind: str, method: str, trace: Trace):
    async def main() -> None:
        with made_pool(kind, method) as pool:
            tasks = {"good": submit(pool, doings.good, trace, "good")}
            await soon(lambda: over(tasks["good"]), "the good one")
            tasks["bad"] = submit(pool, doings.be_killed, trace, "bad", 9)
            tasks["long"] = submit(pool, doings.long, trace, "long")
            view = PoolView(trace, pool, tasks)
            assert view.fault is None
            doings.open_gate(trace)
            await soon(lambda: view.fault is not None, "the fault")
            assert said(view).startswith("<div")
            assert "<b>worker killed</b>: The worker that ran &#x27;bad&#x27; was killed by SIGKILL." in said(view)
            assert ("A Pool would not notice" in said(view)) is (kind == "pool")
            ending = await within(view)
            assert repr(ending) == "<Ending: worker killed: bad>"
            assert ending.results == {"good": "good is done"}
            assert ending.errors.keys() == {"bad", "long"}
            assert ending.fault is not None
            assert ending.states[ending.fault.worker or ""] == "killed by SIGKILL"
            others = [state for title, state in ending.states.items() if title != ending.fault.worker]
            assert all(state.startswith("ended with its pool") for state in others), ending.states
            assert total(view).words.value == "1 of 3 tasks, 2 without a result"
            assert (total(view).bar.value, total(view).bar.max) == (1, 3)

    run(main())


@every_pool
def test_words_of_learners_are_shown_and_never_taken_for_markup(kind: str, trace: Trace):
    async def main() -> None:
        with made_pool(kind, METHODS[0]) as pool:
            view, ending = await ended(trace, pool, {"<i>task</i>": submit(pool, doings.fail, trace, "<i>task</i>")})
            assert ending.fault is not None
            assert "'<i>task</i>' raised OtherError: <b><i>task</i></b> on purpose." in ending.fault.words
            assert "<i>" not in said(view)
            assert "&lt;i&gt;task&lt;/i&gt;" in said(view)
            assert "has been ended" not in said(view)

    run(main())


@every_pool
@every_method
def test_the_button_ends_a_pool_even_of_deaf_workers(kind: str, method: str, trace: Trace):
    async def main() -> None:
        with made_pool(kind, method) as pool:
            tasks = [submit(pool, doings.deaf, trace, f"deaf {n}") for n in range(5)]
            view = PoolView(trace, pool, tasks)
            await soon(lambda: "at deaf 1" in {row.words.value for row in rows(view).values()}, "both to be at work")
            button(view).click()
            assert button(view).disabled
            ending = await within(view)
            assert repr(ending) == "<Ending: stopped>"
            assert len(ending.errors) == 5
            assert all(state.startswith("ended with its pool") for state in ending.states.values()), ending.states
            button(view).click()
            view.stop()

    run(main())


@every_pool
def test_cancelling_the_cell_ends_the_pool(kind: str, trace: Trace):
    async def main() -> None:
        with made_pool(kind, METHODS[0]) as pool:
            view = PoolView(trace, pool, [submit(pool, doings.deaf, trace, "deaf")])
            cell = asyncio.create_task(within(view))
            await soon(lambda: any(row.words.value == "at deaf" for row in rows(view).values()), "it to be at work")
            cell.cancel()
            with pytest.raises(asyncio.CancelledError):
                await cell
            await soon(lambda: len(asyncio.all_tasks()) == 1, "the view's task to end")
            assert not any(worker.is_alive() for worker in view._watch.workers.values())

    run(main())


@every_pool
def test_when_time_is_up_the_view_says_so(kind: str, trace: Trace):
    async def main() -> None:
        with made_pool(kind, METHODS[0]) as pool:
            tasks = {name: submit(pool, getattr(doings, name), trace, name) for name in ("good", "deaf")}
            await soon(lambda: over(tasks["good"]), "the good one")
            await soon(lambda: any(lane.spans and not lane.spans[-1].end for lane in trace.lanes()), "the deaf one")
            view, ending = await ended(trace, pool, tasks, limit=0.2)
            assert repr(ending) == "<Ending: time is up: deaf>"
            assert ending.results == {"good": "good is done"}
            assert "A Pool would not notice" not in said(view)

    run(main())


@every_pool
def test_it_works_when_nobody_awaits_it(kind: str, trace: Trace):
    async def main() -> None:
        with made_pool(kind, METHODS[0]) as pool:
            view = PoolView(trace, pool, [submit(pool, doings.good, trace, "good", 5, 0.01)])
            await soon(lambda: total(view).words.value == "5 items, 1 of 1 tasks", "the end")
            await soon(lambda: len(asyncio.all_tasks()) == 1, "the view's task to end")
            assert button(view).disabled

    run(main())


@pytest.mark.parametrize("kind", [ThreadPoolExecutor, ThreadPool])
def test_it_ends_as_soon_as_the_last_task_does(kind: Any, trace: Trace, monkeypatch: pytest.MonkeyPatch):
    """It does not wait for its next look."""
    monkeypatch.setattr("helpers.panels.pool_view.REFRESH", 60.0)

    async def main() -> None:
        with kind(1) as pool:
            leave = threading.Event()
            view = PoolView(trace, pool, [submit(pool, leave.wait, 60)])
            await asyncio.sleep(0.1)
            leave.set()
            await asyncio.wait_for(view._task, 30)

    run(main())


def test_of_many_workers_those_that_have_ended_well_are_left_out(trace: Trace):
    async def main() -> None:
        with made_pool("pool", METHODS[0], maxtasksperchild=1) as pool:
            tasks = [submit(pool, doings.good, trace, f"{n}", 1) for n in range(MOST_ROWS + 8)]
            view, ending = await ended(trace, pool, tasks)
            assert ending.fault is None
            assert total(view).words.value == f"{len(tasks)} items, {len(tasks)} of {len(tasks)} tasks"
            assert len(rows(view)) == MOST_ROWS
            assert view.children[1].children[-1].value.endswith("more workers")

    run(main())


def test_awaiting_shows_the_view_once_and_then_its_picture(trace: Trace, shown: list[object]):
    async def main() -> None:
        with ThreadPoolExecutor(1) as pool:
            view = PoolView(trace, pool, [pool.submit(int)])
            await view
            assert [repr(each) for each in shown] == ["<PoolView: 1 tasks>", "<Timeline>"]
            shown.clear()
            view = PoolView(trace, pool, [pool.submit(int)])
            view._repr_mimebundle_()
            await view
            assert [repr(each) for each in shown] == ["<Timeline>"]
            assert view.children[4].value == ""

    run(main())


def test_little_is_sent_and_nothing_after_the_end(trace: Trace, monkeypatch: pytest.MonkeyPatch):
    sent: list[tuple[Widget, float]] = []
    monkeypatch.setattr(Widget, "_send", lambda widget, *_, **__: sent.append((widget, time.monotonic())))

    async def main() -> None:
        with made_pool("executor", METHODS[0]) as pool:
            trace.expect(10**6)
            view = PoolView(trace, pool, [submit(pool, doings.good, trace, f"{n}", 5000, 0.0005) for n in range(2)])
            await soon(lambda: total(view).bar.value > 0, "a count")
            sent.clear()
            began = time.monotonic()
            await asyncio.sleep(1)
            lasted = time.monotonic() - began
            most = max([widget for widget, _ in sent].count(widget) for widget in {widget for widget, _ in sent})
            assert most <= 20 * lasted
            assert sum(widget is total(view).bar for widget, _ in sent) >= 2
            view.stop()
            await view
            sent.clear()
            await asyncio.sleep(0.3)
            assert sent == []

    run(main())


def test_a_loop_is_needed(trace: Trace):
    with ThreadPoolExecutor(1) as pool, pytest.raises(RuntimeError, match="use it in a notebook"):
        PoolView(trace, pool, [pool.submit(int)])


def test_what_cannot_be_watched_is_refused_and_nothing_is_left(trace: Trace):
    async def main() -> None:
        with ThreadPoolExecutor(1) as pool:
            with pytest.raises(ValueError, match="tasks must be at least one"):
                PoolView(trace, pool, [])
            with pytest.raises(ValueError, match="limit must be more than 0 seconds, got -1"):
                PoolView(trace, pool, [pool.submit(int)], -1)
            with pytest.raises(TypeError, match="'task 0' must be a future"):
                PoolView(trace, pool, [3])

    run(main())


def test_a_thread_that_only_says_how_much_there_is_gets_no_lane_in_the_picture(trace: Trace):
    trace.expect(10)
    picture = Timeline(trace)
    assert "Nothing has been recorded yet" in picture._repr_html_()
    with trace.span("working"):
        pass
    assert "main thread" in picture._repr_html_()
    assert picture.text.startswith("main thread")
