"""Watch workers while they work: a bar each, their state in words, the growing timeline, and Stop.

    view = LiveView(trace, [thread, process], stop=event)
    await view          # shows it, and waits until all have ended; the interface stays alive meanwhile

One asyncio task on the kernel's event loop reads the trace and sends what has changed, so the view also works when
nobody awaits it, as long as no cell blocks the loop.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Generator, Sequence
from time import perf_counter, perf_counter_ns
from typing import TYPE_CHECKING, Any, Final

from IPython.display import display
from ipywidgets import VBox

from helpers.observe.thread_errors import ThreadErrors
from helpers.observe.trace import Trace
from helpers.panels.clicks import on_click
from helpers.panels.markup import SHORT, plain
from helpers.panels.outcome import Worker, all_lanes_of, ask_to_stop, has_failed, is_over, state
from helpers.panels.rows import REFRESH, WORDS, Head, Picture, Row, count, update
from helpers.panels.slots import Slots
from helpers.panels.timeline import Timeline
from helpers.panels.wait_graph import WaitGraph
from helpers.panels.wait_watch import WaitWatch

if TYPE_CHECKING:
    from helpers.observe.reading import Lane

MOST_ROWS: Final = 64
AT_FULL_PACE: Final = 16
"""Rows that are refreshed as often as `REFRESH` says; more take turns longer, or the browser could not follow."""
_ORDER: Final = ("at work", "not ended well", "not started", "ended")  # who is shown first


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
        self._own: dict[Worker, list[Lane]] = {worker: [] for worker in self._workers}
        self._over: set[Worker] = set()
        self._slots = Slots()
        self._rows: dict[Worker, Row] = {}
        self._total = [Row("in all")] if len(workers) > 1 else []
        self._picture = Picture()
        self._waits = WaitWatch(trace)
        super().__init__()
        self._choose()
        self._task = loop.create_task(self._watch())

    def __repr__(self) -> str:
        """The same in every run."""
        names = [plain(worker.name, SHORT) for worker in self._workers[:MOST_ROWS]]
        more = len(self._workers) - len(names)
        return f"<LiveView: {', '.join(names)}{f' and {more} more' if more else ''}>"

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
        self._picture.replaced = True
        try:
            await asyncio.shield(self._task)
        except BaseException:  # an interrupt, or the cell's task cancelled: leave nothing running
            self._picture.replaced = False
            self.stop()
            raise
        self._picture.value = ""
        display(Timeline(self._trace))  # is saved with the notebook, as a widget is not
        if self._waits.deadlock is not None:
            display(WaitGraph(self._waits.deadlock))
        return {worker.name: self._state(worker) for worker in self._workers}

    async def _watch(self) -> None:
        try:
            while not all(is_over(worker) for worker in self._workers):
                self._refresh()
                await asyncio.sleep(REFRESH * max(1, len(self._rows) / AT_FULL_PACE))
        finally:
            self._errors.close()
            self._head.button.disabled = True
            self._refresh(everything=True)

    def _refresh(self, *, everything: bool = False) -> None:
        """Show what is new: the bars each time, words and picture less often, as they need no more."""
        # In this order: the lanes of one that has ended hold all that it has said.
        ended = [worker for worker in self._workers if worker not in self._over and is_over(worker)]
        lanes = self._trace.lanes()
        self._own |= all_lanes_of([worker for worker in self._workers if worker not in self._over], lanes)
        self._note_ended(ended)
        elapsed = perf_counter() - self._began
        speak = everything or elapsed >= self._next_words
        if speak:
            self._choose()
        share = self._fill()
        if speak:
            self._next_words = elapsed + WORDS
            self._waits.look(lanes)
            self._speak(elapsed, share)
        self._picture.draw(lanes, self._trace.trouble(), elapsed, now=everything)

    def _note_ended(self, workers: Sequence[Worker]) -> None:
        self._over.update(workers)
        for worker in workers:
            for lane in self._own[worker]:
                lane.ended = lane.ended or perf_counter_ns()

    def _choose(self) -> None:
        """Give rows to all workers, or of many to those that are at work, then to those that have not ended well."""
        shown, more = self._workers, ""
        if len(shown) > MOST_ROWS:
            place = {worker: _ORDER.index(self._kind(worker)) for worker in shown}
            shown = sorted(shown, key=place.__getitem__)
            kinds = Counter(self._kind(worker) for worker in shown[MOST_ROWS:])
            more = f"… and {kinds.total()} more: {', '.join(f'{n} {kind}' for kind, n in kinds.items())}"
            chosen = set(shown[:MOST_ROWS])
            shown = [worker for worker in self._workers if worker in chosen]
        rows = self._slots.give([worker.name for worker in shown], more)
        self._rows = dict(zip(shown, rows, strict=True))
        children = (self._head, *self._slots.children(rows), *self._total, self._picture, self._waits)
        update(self, "children", children)

    def _kind(self, worker: Worker) -> str:
        """How it is with a worker, in one of the words of `_ORDER`."""
        if worker in self._over:
            return "not ended well" if has_failed(worker, self._errors) else "ended"
        started = worker.ident is not None
        return "at work" if started else "not started"

    def _fill(self) -> float:
        """Fill the bars; give the share of all work that is done, 0 to 1."""
        shares = []
        for worker in self._workers:
            done, expected = count(self._own[worker])
            shares.append(min(1.0, done / expected) if expected else float(worker in self._over))
            if worker in self._rows:
                self._rows[worker].fill(done, expected)
        for row in self._total:
            row.fill(int(1000 * sum(shares) / len(shares)), 1000)
        return sum(shares) / len(shares)

    def _speak(self, elapsed: float, share: float) -> None:
        for worker, row in self._rows.items():
            done, expected = count(self._own[worker])
            counted = f"{done:,} of {expected:,}: " if expected else f"{done:,}: " if done else ""
            row.say(counted + self._state(worker))
        ended = len(self._over)
        for row in self._total:
            row.say(f"{share:.0%}: {ended} of {len(self._workers)} have ended")
        self._head.say(elapsed, over=ended == len(self._workers))

    def _state(self, worker: Worker) -> str:
        return state(worker, self._own[worker], self._errors, self._waits.now, asked=worker in self._asked)
