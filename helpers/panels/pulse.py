"""The interface's heartbeat: it beats as long as the kernel can answer a click, and stops when a cell blocks it.

Clicks and bars are handled by the kernel's event loop. An asyncio task on the same loop that ticks every 20 ms is
late by just as much as a click would be.
"""

import asyncio
from itertools import pairwise
from time import perf_counter
from typing import Final, Self

from IPython.display import display
from ipywidgets import HTML, Button, HBox, Layout

from helpers.observe.lane import Kind
from helpers.observe.trace import Trace
from helpers.panels.clicks import on_click
from helpers.panels.words import seconds

BEAT: Final = 0.02  # seconds
SHOWN_EVERY: Final = 10  # beats: the moving sign is sent 5 times a second
SIGNS: Final = ("●○○○", "○●○○", "○○●○", "○○○●")


class Pulse(HBox):
    """Shows and records the interface's heartbeat during a `with` block.

    Args:
        trace: gets a lane "the interface" with a tick for each beat, and a note for each click answered.

    Raises:
        RuntimeError: on entering, if no event loop is running, as in a script.

    The panel has a moving sign, which stands still when the interface is frozen, and a button to try it with.
    """

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._moments: list[float] = []
        self._clicks = 0
        self._button = Button(description="Are you there?", tooltip="Click to see whether the kernel answers")
        on_click(self._button, self._answer)
        self._sign = HTML(layout=Layout(width="5em"))
        self._said = HTML("not clicked yet")
        super().__init__([self._button, self._sign, self._said], layout=Layout(flex_flow="row wrap"))

    def __repr__(self) -> str:
        """The same in every run."""
        return "<Pulse>"

    def __enter__(self) -> Self:
        """Show the panel and begin to beat."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise RuntimeError("Pulse needs a running event loop: use it in a notebook") from None
        self._lane = self._trace.extra_lane("the interface")
        self._began = perf_counter()
        self._beat()
        display(self)
        self._task = loop.create_task(self._run())
        return self

    def __exit__(self, *_: object) -> None:
        """Beat once more, and stop: a block that never awaited is one long freeze."""
        self._task.cancel()
        self._beat()
        self._button.disabled = True
        self._sign.value = "stopped"
        self._said.value = f"{self._clicks_said()}; longest freeze: {seconds(self.longest_freeze * 1e9)}"

    @property
    def longest_freeze(self) -> float:
        """The longest pause between two beats so far, in seconds; 0.02 is no pause at all."""
        return max((b - a for a, b in pairwise(self._moments)), default=0.0)

    @property
    def clicks(self) -> int:
        """How many clicks were answered."""
        return self._clicks

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(BEAT)
            self._beat()
            if len(self._moments) % SHOWN_EVERY == 0:
                self._sign.value = SIGNS[len(self._moments) // SHOWN_EVERY % len(SIGNS)]

    def _beat(self) -> None:
        self._moments.append(perf_counter())
        self._lane.mark(Kind.TICK, "tick")

    def _answer(self) -> None:
        self._clicks += 1
        self._lane.mark(Kind.NOTE, "answered a click")
        self._said.value = self._clicks_said()

    def _clicks_said(self) -> str:
        if not self._clicks:
            return "no click answered"
        times = "1 click" if self._clicks == 1 else f"{self._clicks} clicks"
        return f"{times} answered, the last {perf_counter() - self._began:.1f} s in"
