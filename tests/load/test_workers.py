"""Five hundred workers over time through one view: each is accounted for, and the browser can follow."""

import asyncio
import multiprocessing
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from ipywidgets import Widget

from helpers.observe.trace import Trace
from helpers.panels.live_view import MOST_ROWS, LiveView
from helpers.panels.outcome import Worker
from helpers.panels.pool_rows import MOST_ROWS as MOST_POOL_ROWS
from helpers.panels.pool_view import PoolView
from helpers.panels.rows import Row
from helpers.panels.timeline import Timeline
from tests.load import doings
from tests.load.doings import ITEMS
from tests.observe.starting import METHODS, until

WORKERS = 500
BATCH = 20
A_ROW = 12
"""Widgets that a row is made of, with their styles and layouts, rounded up."""
AT_MOST = 20
"""Messages a second and widget."""
SIZE = 200_000

pytestmark = [pytest.mark.usefixtures("quiet_threads", "left_as_found", "plain_main"), pytest.mark.timeout(170)]


@pytest.fixture
def trace() -> Iterator[Trace]:
    """A trace with little room a lane: five hundred lanes of the usual size would take 200 MB of disk."""
    with Trace(records=50, text=4_000) as trace:
        yield trace
    assert not Path(trace.folder).exists()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Counter[Widget]:
    """How many messages each widget has sent."""
    counts: Counter[Widget] = Counter()
    monkeypatch.setattr(Widget, "_send", lambda widget, *_, **__: counts.update([widget]))
    return counts


def processes(trace: Trace) -> list[Worker]:
    context = multiprocessing.get_context(METHODS[0])
    return [context.Process(target=doings.work, args=(trace, n), name=f"worker {n}") for n in range(WORKERS)]


def threads(trace: Trace) -> list[Worker]:
    return [threading.Thread(target=doings.work, args=(trace, n), name=f"worker {n}") for n in range(WORKERS)]


def started_in_batches(workers: list[Worker]) -> None:
    """As one batch ends, the next begins."""
    for first in range(0, len(workers), BATCH):
        for worker in workers[first : first + BATCH]:
            worker.start()
        for worker in workers[first : first + BATCH]:
            worker.join(60)


def follows(sent: Counter[Widget], widgets: int, seconds: float) -> None:
    """The browser can follow: few widgets, none of which speaks too often."""
    assert len(sent) <= widgets
    assert max(sent.values()) <= AT_MOST * (seconds + 1)


def run(main: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(main, 160))


async def meanwhile(view: Awaitable[Any], work: Callable[[], object]) -> Any:
    """Await `view` while `work` is done in a thread; give what comes of the view."""
    # No pool's thread: a process that is forked in one fails at its end, for it waits there for its own thread.
    thread = threading.Thread(target=work)
    thread.start()
    try:
        return await view
    finally:
        thread.join(60)


@pytest.mark.parametrize("made", [processes, threads])
def test_five_hundred_workers_in_one_live_view(
    made: Callable[[Trace], list[Worker]], trace: Trace, sent: Counter[Widget]
):
    async def main() -> None:
        workers = made(trace)
        view = LiveView(trace, workers)
        rows: list[int] = []
        view.observe(lambda _: rows.append(sum(isinstance(each, Row) for each in view.children)), "children")
        began = time.monotonic()
        ending = await meanwhile(view, lambda: started_in_batches(workers))
        took = time.monotonic() - began
        assert ending == {f"worker {n}": "finished" for n in range(WORKERS)}
        assert max(rows, default=0) <= MOST_ROWS + 1
        follows(sent, (MOST_ROWS + 2) * A_ROW + 40, took)
        assert view._total[0].children[2].value == f"100%: {WORKERS} of {WORKERS} have ended"
        assert view._slots.more.value == f"… and {WORKERS - MOST_ROWS} more: {WORKERS - MOST_ROWS} ended"

    run(main())
    lanes = trace.lanes()
    assert (len(lanes), {lane.done for lane in lanes}, sum(lane.dropped for lane in lanes)) == (WORKERS, {ITEMS}, 0)
    assert {span.name for lane in lanes for span in lane.spans} == {f"task {n}" for n in range(WORKERS)}
    page = Timeline(trace)._repr_html_()
    assert len(page) < 4 * SIZE
    assert f"{WORKERS - 64} more lanes are not shown" in page


@pytest.fixture
def quiet_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads of these tests fail, and pytest need not hear of it."""
    monkeypatch.setattr(threading, "excepthook", lambda _: None)


def test_those_that_have_not_ended_well_have_a_row_among_five_hundred(trace: Trace):

    async def main() -> None:
        workers = threads(trace)
        bad = [threading.Thread(target=doings.fail, args=(trace,), name=f"bad {n}") for n in range(3)]
        workers[100:100], workers[400:400] = bad[:2], bad[2:]
        view = LiveView(trace, workers)
        ending = await meanwhile(view, lambda: started_in_batches(workers))
        failed = {name: words for name, words in ending.items() if words != "finished"}
        assert failed == {thread.name: "failed: ValueError: on purpose" for thread in bad}
        shown = {row.children[0].value: row.children[2].value for row in view.children if isinstance(row, Row)}
        assert [shown.get(f"<b>{thread.name}</b>") for thread in bad] == list(failed.values())
        timeline = Timeline(trace).text
        assert timeline.count("failed: ValueError: on purpose") == len(bad)

    run(main())


@pytest.mark.parametrize("one_each", [False, True], ids=["four workers", "a worker a task"])
def test_five_hundred_tasks_in_one_pool_view(one_each: object, trace: Trace, sent: Counter[Widget]):
    async def main() -> None:
        context = multiprocessing.get_context(METHODS[0])
        with context.Pool(4, maxtasksperchild=1 if one_each else None) as pool:
            trace.expect(WORKERS * ITEMS)
            tasks = {f"task {n}": pool.apply_async(doings.work, (trace, n)) for n in range(WORKERS)}
            began = time.monotonic()
            view = PoolView(trace, pool, tasks)
            ending = await view
            took = time.monotonic() - began
            assert ending.fault is None, ending.fault.words
            assert ending.results == {f"task {n}": n for n in range(WORKERS)}
            assert ending.errors == {}
            rows = view.children[1].children
            assert sum(isinstance(row, Row) for row in rows) <= MOST_POOL_ROWS
            follows(sent, (MOST_POOL_ROWS + 2) * A_ROW + 40, took)
            assert view._total.children[2].value.endswith(f"{WORKERS} of {WORKERS} tasks")

    run(main())
    assert sum(lane.done for lane in trace.lanes()) == WORKERS * ITEMS
    assert len([lane for lane in trace.lanes() if lane.done]) >= (WORKERS if one_each else 1)
    until(lambda: not multiprocessing.active_children(), "the workers to be gone")
