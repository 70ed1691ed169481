"""Watch workers while they work: a bar each, their state in words, the growing timeline, and Stop.

    view = LiveView(trace, [thread, process], stop=event)
    await view          # shows it, and waits until all have ended; the interface stays alive meanwhile

One asyncio task on the kernel's event loop reads the trace and sends what has changed, so the view also works when
nobody awaits it, as long as no cell blocks the loop.
"""

import asyncio
import threading
from collections.abc import Generator, Sequence
from time import perf_counter, perf_counter_ns
from typing import Any

from IPython.display import display
from ipywidgets import VBox

from helpers.observe.reading import Lane
from helpers.observe.thread_errors import ThreadErrors
from helpers.observe.trace import Trace
from helpers.panels.clicks import on_click
from helpers.panels.outcome import Worker, ask_to_stop, is_over, lanes_of, state
from helpers.panels.rows import REFRESH, WORDS, Head, Picture, Row, count
from helpers.panels.timeline import Timeline
from helpers.panels.wait_graph import WaitGraph
from helpers.panels.wait_watch import WaitWatch


class LiveView(VBox):
    """A panel that shows `workers` at work, until the last one has ended.

    Args:
        trace: what the workers report to.
        workers: threads and processes, started or about to be.
        stop: what the Stop button sets, for workers that look at it. Processes are ended in any case.

    Raises:
        ValueError: there is no worker, or two have the same name.
        RuntimeError: no event loop is running, as in a script.

    Awaiting it gives how each worker ended, by its name: `{"worker": "finished"}`, and leaves the timeline as a
    picture, and the last deadlock of named locks that was seen, if one was. If the awaiting cell is interrupted, the
    workers are stopped.
    """

    def __init__(self, trace: Trace, workers: Sequence[Worker], *, stop: threading.Event | None = None) -> None:
        names = [worker.name for worker in workers]
        if not names:
            raise ValueError("workers must be at least one thread or process, got none")
        if len(set(names)) < len(names):
            raise ValueError(f"workers must have different names, got {names}: give each its own name=")
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise RuntimeError("LiveView needs a running event loop: use it in a notebook") from None
        self._trace, self._workers, self._request = trace, list(workers), stop
        self._asked: set[Worker] = set()
        self._errors = ThreadErrors()
        self._began = perf_counter()
        self._next_words = 0.0
        self._shown = False
        self._head = Head("Stop all workers")
        on_click(self._head.button, self.stop)
        self._rows = [Row(worker.name) for worker in self._workers]
        self._total = [Row("in all")] if len(workers) > 1 else []
        self._picture = Picture()
        self._waits = WaitWatch(trace)
        super().__init__([self._head, *self._rows, *self._total, self._picture, self._waits])
        self._task = loop.create_task(self._watch())

    def __repr__(self) -> str:
        """The same in every run."""
        return f"<LiveView: {', '.join(worker.name for worker in self._workers)}>"

    def __await__(self) -> Generator[Any, None, dict[str, str]]:
        """Show the view, if it is not shown yet, and wait until all workers have ended."""
        return self._wait().__await__()

    def stop(self) -> None:
        """What the Stop button does: ask threads, end processes; as `ask_to_stop` has it."""
        self._asked.update(worker for worker in self._workers if not is_over(worker))
        self._head.button.disabled = True
        self._waits.look(self._trace.lanes())  # a deadlock goes with its processes
        ask_to_stop(self._workers, self._request)
        self._refresh(everything=True)

    def _repr_mimebundle_(self, **options: Any) -> Any:  # noqa: ANN401 - as ipywidgets has it
        self._shown = True
        return super()._repr_mimebundle_(**options)

    async def _wait(self) -> dict[str, str]:
        if not self._shown:
            display(self)
        try:
            await asyncio.shield(self._task)
        except BaseException:  # an interrupt, or the cell's task cancelled: leave nothing running
            self.stop()
            raise
        self._picture.value = ""
        display(Timeline(self._trace))  # is saved with the notebook, as a widget is not
        if self._waits.deadlock is not None:
            display(WaitGraph(self._waits.deadlock))
        return {worker.name: self._state(worker, self._trace.lanes()) for worker in self._workers}

    async def _watch(self) -> None:
        try:
            while not all(is_over(worker) for worker in self._workers):
                self._refresh()
                await asyncio.sleep(REFRESH)
        finally:
            self._errors.close()
            self._head.button.disabled = True
            self._refresh(everything=True)

    def _refresh(self, *, everything: bool = False) -> None:
        """Show what is new: the bars each time, words and picture less often, as they need no more."""
        lanes = self._trace.lanes()
        elapsed = perf_counter() - self._began
        shares = [self._fill(worker, row, lanes) for worker, row in zip(self._workers, self._rows, strict=True)]
        for row in self._total:
            row.fill(int(1000 * sum(shares) / len(shares)), 1000)
        if everything or elapsed >= self._next_words:
            self._next_words = elapsed + WORDS
            self._waits.look(lanes)
            self._speak(lanes, elapsed, sum(shares) / len(shares))
        self._picture.draw(lanes, elapsed, now=everything)

    def _fill(self, worker: Worker, row: Row, lanes: Sequence[Lane]) -> float:
        """Fill one worker's bar; give the share of its work that is done, 0 to 1."""
        own = lanes_of(worker, lanes)
        over = is_over(worker)
        for lane in own:
            lane.ended = lane.ended or (perf_counter_ns() if over else 0)
        done, expected = count(own)
        row.fill(done, expected)
        return min(1.0, done / expected) if expected else float(over)

    def _speak(self, lanes: Sequence[Lane], elapsed: float, share: float) -> None:
        for worker, row in zip(self._workers, self._rows, strict=True):
            done, expected = count(lanes_of(worker, lanes))
            counted = f"{done:,} of {expected:,}: " if expected else f"{done:,}: " if done else ""
            row.say(counted + self._state(worker, lanes))
        ended = sum(map(is_over, self._workers))
        for row in self._total:
            row.say(f"{share:.0%}: {ended} of {len(self._workers)} have ended")
        self._head.say(elapsed, over=ended == len(self._workers))

    def _state(self, worker: Worker, lanes: Sequence[Lane]) -> str:
        own = lanes_of(worker, lanes)
        return state(worker, own, self._errors, self._waits.now, asked=worker in self._asked)
