"""Watch workers while they work: a bar each, their state in words, the growing timeline, and Stop.

    view = LiveView(trace, [thread, process], stop=event)
    await view          # shows it, and waits until all have ended; the interface stays alive meanwhile

One asyncio task on the kernel's event loop reads the trace and sends what has changed, so the view also works when
nobody awaits it, as long as no cell blocks the loop.
"""

import asyncio
import threading
from collections.abc import Generator, Sequence
from html import escape
from time import perf_counter, perf_counter_ns
from typing import Any, Final

from IPython.display import display
from ipywidgets import HTML, Button, HBox, IntProgress, Layout, VBox

from helpers.observe.reading import Lane
from helpers.observe.trace import Trace
from helpers.panels.outcome import ThreadErrors, Worker, ask_to_stop, is_over, lanes_of, state
from helpers.panels.timeline import Timeline, figure

REFRESH: Final = 0.1  # seconds between two looks at the trace: 10 a second
DRAWING_SHARE: Final = 0.004  # of a core, that drawing the timeline may take while workers run
FASTEST_DRAWING: Final = 0.3  # seconds


class _Row(HBox):
    """One worker's name, bar and state; sends only what has changed."""

    def __init__(self, name: str) -> None:
        self._name = HTML(f"<b>{escape(name)}</b>", layout=Layout(width="11em", min_width="6em"))
        self._bar = IntProgress(0, 0, 1, layout=Layout(width="14em", min_width="4em", flex="0 1 auto"))
        self._words = HTML(layout=Layout(min_width="10em", flex="1 1 0"))
        super().__init__([self._name, self._bar, self._words], layout=Layout(flex_flow="row wrap"))

    def show(self, done: int, expected: int, words: str) -> None:
        """Fill `done` of `expected` parts of the bar (0: unknown), and say `words`."""
        _update(self._bar, "max", max(1, expected))
        _update(self._bar, "value", min(done, expected))
        _update(self._words, "value", escape(words))


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
    picture. If the awaiting cell is interrupted, the workers are stopped.
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
        self._next_drawing = 0.0
        self._shown = False
        self._head = HTML(layout=Layout(flex="1 1 auto"))
        self._button = Button(description="Stop", tooltip="Stop all workers", icon="stop")
        self._button.on_click(lambda _: self.stop())
        self._rows = [_Row(worker.name) for worker in self._workers]
        self._total = [_Row("in all")] if len(workers) > 1 else []
        self._picture = HTML(layout=Layout(width="100%"))
        super().__init__([HBox([self._button, self._head]), *self._rows, *self._total, self._picture])
        self._task = loop.create_task(self._watch())

    def __repr__(self) -> str:
        """The same in every run."""
        return f"<LiveView: {', '.join(worker.name for worker in self._workers)}>"

    def __await__(self) -> Generator[Any, None, dict[str, str]]:
        """Show the view, if it is not shown yet, and wait until all workers have ended."""
        return self._wait().__await__()

    def stop(self) -> None:
        """What the Stop button does: ask threads, end processes. Takes at most 0.1 s."""
        self._asked.update(worker for worker in self._workers if not is_over(worker))
        self._button.disabled = True
        ask_to_stop(self._workers, self._request)
        self._refresh()

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
        return {worker.name: self._state(worker, self._trace.lanes()) for worker in self._workers}

    async def _watch(self) -> None:
        try:
            while not all(is_over(worker) for worker in self._workers):
                self._refresh()
                await asyncio.sleep(REFRESH)
        finally:
            self._errors.close()
            self._button.disabled = True
            self._next_drawing = 0.0
            self._refresh()

    def _refresh(self) -> None:
        lanes = self._trace.lanes()
        over = [is_over(worker) for worker in self._workers]
        shares = [self._show_worker(*each, lanes) for each in zip(self._workers, self._rows, over, strict=True)]
        percent = int(100 * sum(shares) / len(shares))
        for row in self._total:
            row.show(percent, 100, f"{percent} %: {sum(over)} of {len(over)} have ended")
        elapsed = perf_counter() - self._began
        _update(self._head, "value", f"{'ended after' if all(over) else 'running for'} {elapsed:.1f} s")
        if elapsed >= self._next_drawing:
            self._draw(lanes, elapsed)

    def _show_worker(self, worker: Worker, row: _Row, over: bool, lanes: Sequence[Lane]) -> float:  # noqa: FBT001
        """Show one worker's row; give the share of its work that is done, 0 to 1."""
        own = lanes_of(worker, lanes)
        for lane in own:
            if over and not lane.ended:
                lane.ended = perf_counter_ns()
        done, expected = sum(lane.done for lane in own), sum(lane.expected for lane in own)
        count = f"{done:,} of {expected:,}: " if expected else f"{done:,}: " if done else ""
        row.show(done, expected, count + state(worker, own, self._errors, asked=worker in self._asked))
        return min(1.0, done / expected) if expected else float(over)

    def _draw(self, lanes: Sequence[Lane], elapsed: float) -> None:
        """Draw the timeline, as often as its price allows."""
        began = perf_counter()
        _update(self._picture, "value", figure(lanes))
        price = perf_counter() - began
        self._next_drawing = elapsed + max(FASTEST_DRAWING, price / DRAWING_SHARE)

    def _state(self, worker: Worker, lanes: Sequence[Lane]) -> str:
        return state(worker, lanes_of(worker, lanes), self._errors, asked=worker in self._asked)


def _update(widget: Any, trait: str, value: object) -> None:  # noqa: ANN401 - any widget
    """Set a trait if that changes it: a message to the browser costs 80 µs, a comparison far less."""
    if getattr(widget, trait) != value:
        setattr(widget, trait, value)
