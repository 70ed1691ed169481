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
from typing import Any, Final

from IPython.display import display
from ipywidgets import HTML, Button, HBox, IntProgress, Layout, VBox

from helpers.observe.reading import Lane
from helpers.observe.trace import Trace
from helpers.panels.markup import safe, short
from helpers.panels.outcome import ThreadErrors, Worker, ask_to_stop, is_over, lanes_of, state
from helpers.panels.timeline import Timeline, figure
from helpers.panels.wait_graph import WaitGraph
from helpers.panels.wait_watch import WaitWatch

# Chosen so that a view of two busy workers takes less than 1 % of a core: benchmarks/live_view.py measures it.
REFRESH: Final = 0.1  # seconds between two looks at the trace
WORDS: Final = 0.4  # seconds between two changes of the words
DRAWING_SHARE: Final = 0.003  # of a core, that drawing the timeline may take while workers run
FASTEST_DRAWING: Final = 0.5  # seconds


class _Row(HBox):
    """One worker's name, bar and state; sends only what has changed."""

    def __init__(self, name: str) -> None:
        self._name = HTML(f"<b>{short(name)}</b>", layout=Layout(width="11em", min_width="6em"))
        self._bar = IntProgress(0, 0, 1, layout=Layout(width="14em", min_width="4em", flex="0 1 auto"))
        self._words = HTML(layout=Layout(min_width="10em", flex="1 1 0"))
        super().__init__([self._name, self._bar, self._words], layout=Layout(flex_flow="row wrap"))

    def fill(self, done: int, expected: int) -> None:
        """Fill `done` of `expected` parts of the bar; 0 expected: not known."""
        _update(self._bar, "max", max(1, expected))
        _update(self._bar, "value", min(done, expected))

    def say(self, words: str) -> None:
        """Say `words` beside the bar."""
        _update(self._words, "value", safe(words))


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
        self._next_words = self._next_drawing = 0.0
        self._shown = False
        self._head = HTML(layout=Layout(flex="1 1 auto"))
        self._button = Button(description="Stop", tooltip="Stop all workers")
        self._button.on_click(lambda _: self.stop())
        self._rows = [_Row(worker.name) for worker in self._workers]
        self._total = [_Row("in all")] if len(workers) > 1 else []
        self._picture = HTML(layout=Layout(width="100%"))
        self._waits = WaitWatch(trace)
        head = HBox([self._button, self._head])
        super().__init__([head, *self._rows, *self._total, self._picture, self._waits])
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
        self._button.disabled = True
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
            self._button.disabled = True
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
        if everything or elapsed >= self._next_drawing:
            self._draw(lanes, elapsed)

    def _fill(self, worker: Worker, row: _Row, lanes: Sequence[Lane]) -> float:
        """Fill one worker's bar; give the share of its work that is done, 0 to 1."""
        own = lanes_of(worker, lanes)
        over = is_over(worker)
        for lane in own:
            lane.ended = lane.ended or (perf_counter_ns() if over else 0)
        done, expected = _count(own)
        row.fill(done, expected)
        return min(1.0, done / expected) if expected else float(over)

    def _speak(self, lanes: Sequence[Lane], elapsed: float, share: float) -> None:
        for worker, row in zip(self._workers, self._rows, strict=True):
            done, expected = _count(lanes_of(worker, lanes))
            count = f"{done:,} of {expected:,}: " if expected else f"{done:,}: " if done else ""
            row.say(count + self._state(worker, lanes))
        ended = sum(map(is_over, self._workers))
        for row in self._total:
            row.say(f"{share:.0%}: {ended} of {len(self._workers)} have ended")
        over = ended == len(self._workers)
        _update(self._head, "value", f"{'ended after' if over else 'running for'} {elapsed:.1f} s")

    def _draw(self, lanes: Sequence[Lane], elapsed: float) -> None:
        """Draw the timeline, as often as its price allows."""
        began = perf_counter()
        _update(self._picture, "value", figure(lanes))
        price = perf_counter() - began
        self._next_drawing = elapsed + max(FASTEST_DRAWING, price / DRAWING_SHARE)

    def _state(self, worker: Worker, lanes: Sequence[Lane]) -> str:
        own = lanes_of(worker, lanes)
        return state(worker, own, self._errors, self._waits.now, asked=worker in self._asked)


def _count(lanes: Sequence[Lane]) -> tuple[int, int]:
    """Items done, and items expected."""
    return sum(lane.done for lane in lanes), sum(lane.expected for lane in lanes)


def _update(widget: Any, trait: str, value: object) -> None:  # noqa: ANN401 - any widget
    """Set a trait if that changes it: a message to the browser costs 80 µs, a comparison far less."""
    if getattr(widget, trait) != value:
        setattr(widget, trait, value)
