"""Watch a pool while it works: a bar each worker, the total, what went wrong, the growing timeline, and Stop.

    futures = {file: executor.submit(index, trace, file) for file in files}
    ending = await PoolView(trace, executor, futures, limit=20)
    ending.results                      # all that has finished, whatever happened

One asyncio task on the kernel's event loop shows what a `PoolWatch` finds.
"""

import asyncio
import os
from collections.abc import Generator, Sequence
from contextlib import suppress
from time import perf_counter
from typing import Any, Final

from IPython.display import display
from ipywidgets import HTML, VBox

from helpers.observe.faults import Fault
from helpers.observe.pool_tasks import Handles
from helpers.observe.pool_watch import PoolWatch
from helpers.observe.pools import AnyPool
from helpers.observe.trace import Trace
from helpers.panels.clicks import on_click
from helpers.panels.looks import layout, plain_html
from helpers.panels.pool_outcome import Ending, ending, told
from helpers.panels.pool_rows import Member, PoolRows, members
from helpers.panels.rows import REFRESH, WORDS, Head, Picture, Row, update
from helpers.panels.timeline import Timeline

SOON: Final = 0.01  # seconds between two looks while it is not clear what has happened


class PoolView(VBox):
    """A panel that shows a pool at work on `tasks`, until the last one has ended.

    Args:
        trace: what the workers report to. A task is named by its outermost span.
        pool: a `ProcessPoolExecutor`, `ThreadPoolExecutor`, `multiprocessing.Pool`, `ThreadPool`, or any executor.
        tasks: futures or AsyncResults, in a sequence (they are called "task 0" and so on) or a mapping by name.
        limit: seconds after which the pool is ended; None: no limit.

    Raises:
        ValueError: there is no task, or the limit is not more than 0.
        TypeError: a task is neither a future nor an AsyncResult.
        RuntimeError: no event loop is running, as in a script.

    Awaiting it gives an `Ending`, and leaves the timeline as a picture. A pool that cannot go on is ended, and so is
    one whose time is up, or whose awaiting cell is interrupted; what has finished is kept. The bar in all counts
    items if this program has said by `trace.expect(total)` how many there are; else it counts tasks.
    """

    def __init__(self, trace: Trace, pool: AnyPool, tasks: Handles, limit: float | None = None) -> None:
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            raise RuntimeError("PoolView needs a running event loop: use it in a notebook") from None
        self._trace, self._pool = trace, pool
        self._awake = False
        self._watch = PoolWatch(trace, pool, tasks, limit, self._wake)
        self._began = perf_counter()
        self._next_words = 0.0
        self._shown = False
        self._nap: asyncio.Future[None] = self._loop.create_future()
        self._head = Head("End the pool")
        on_click(self._head.button, self.stop)
        self._rows = PoolRows()
        self._total = Row("in all")
        self._words = HTML(layout=layout(), style=plain_html())
        self._picture = Picture()
        super().__init__([self._head, self._rows, self._total, self._words, self._picture], layout=layout())
        self._task = self._loop.create_task(self._run())

    def __repr__(self) -> str:
        """The same in every run."""
        return f"<PoolView: {self._watch.tasks.total} tasks>"

    def __await__(self) -> Generator[Any, None, Ending]:
        """Show the view, if it is not shown yet, and wait until all tasks have ended."""
        return self._wait().__await__()

    @property
    def fault(self) -> Fault | None:
        """What has gone wrong so far; as `Ending.fault`."""
        return self._watch.fault

    def stop(self) -> None:
        """What the Stop button does: end the pool."""
        self._watch.stop()
        self._look()

    def _repr_mimebundle_(self, **options: Any) -> Any:  # noqa: ANN401 - as ipywidgets has it
        self._shown = True
        return super()._repr_mimebundle_(**options)

    async def _wait(self) -> Ending:
        if not self._shown:
            display(self)
        self._picture.replaced = True
        try:
            await asyncio.shield(self._task)
        except BaseException:  # an interrupt, or the cell's task cancelled: leave nothing running
            self._picture.replaced = False
            self.stop()
            raise
        self._picture.value = ""
        display(Timeline(self._trace))  # is saved with the notebook, as a widget is not
        workers = members(self._watch, self._pool, self._trace.lanes())
        return ending(self._watch, {member.title: member.state for member in workers})

    def _wake(self) -> None:
        """Look soon; called in any thread."""
        if not self._awake:
            self._awake = True
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._look)

    async def _run(self) -> None:
        try:
            self._look()
            while not self._watch.over:
                began = perf_counter()
                self._refresh()
                took = min(perf_counter() - began, REFRESH / 2)  # is part of the pause: so bars keep their pace
                await self._rest(SOON if self._watch.suspects else REFRESH - took)
                self._look()
        finally:
            self._watch.close()
            self._refresh(everything=True)

    async def _rest(self, seconds: float) -> None:
        """Let others go on for so long, or until all is over."""
        self._nap = self._loop.create_future()
        waking = self._loop.call_later(seconds, _end_nap, self._nap)
        await self._nap
        waking.cancel()

    def _look(self) -> None:
        """Look after the tasks, and say at once what went wrong."""
        self._awake = False
        self._watch.look()
        update(self._words, "value", told(self._watch, self._pool))
        self._head.button.disabled = self._watch.over
        if self._watch.over or self._watch.suspects:
            _end_nap(self._nap)

    def _refresh(self, *, everything: bool = False) -> None:
        """Show what is new: the bars each time, words and picture less often, as they need no more."""
        elapsed = perf_counter() - self._began
        lanes = self._trace.lanes()
        own = members(self._watch, self._pool, lanes)
        theirs = {id(lane) for member in own for lane in member.lanes}
        # A worker may have come and gone before this view was made.
        here = [lane for lane in lanes if lane.pid == os.getpid() and id(lane) not in theirs]
        expected = sum(lane.expected for lane in here)
        speak = everything or elapsed >= self._next_words
        self._rows.show(own, expected, speak=speak)
        self._count(own, expected, speak=speak)
        if speak:
            self._next_words = elapsed + WORDS
            self._head.say(elapsed, over=self._watch.over)
        self._picture.draw(lanes, self._trace.trouble(), elapsed, now=everything)

    def _count(self, own: Sequence[Member], expected: int, *, speak: bool) -> None:
        """Fill the bar in all: with items if it is known how many are expected, else with tasks."""
        items = sum(lane.done for member in own for lane in member.lanes)
        done, total = self._watch.tasks.done, self._watch.tasks.total
        self._total.fill(*((items, expected) if expected else (done, total)))
        if speak:
            counted = f"{items:,} of {expected:,} items, " if expected else f"{items:,} items, " if items else ""
            failed = f", {len(self._watch.errors):,} without a result" if self._watch.errors else ""
            self._total.say(f"{counted}{done:,} of {total:,} tasks{failed}")


def _end_nap(nap: "asyncio.Future[None]") -> None:
    if not nap.done():
        nap.set_result(None)
