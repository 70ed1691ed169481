"""The part of a live view that shows who waits for whom, once somebody waits for a named lock."""

from collections.abc import Sequence

from ipywidgets import HTML

from helpers.observe.lock_states import who_waits
from helpers.observe.reading import Lane
from helpers.observe.trace import Trace
from helpers.observe.waits import Waits
from helpers.panels.graph import graph


class WaitWatch(HTML):
    """A graph of who waits for whom, or nothing while nobody waits for long.

    Args:
        trace: what the workers report to.

    Attributes:
        now: who waited for whom at the last look.
        deadlock: the same when a deadlock was last seen; None if there was none.
    """

    def __init__(self, trace: Trace) -> None:
        super().__init__()
        self._trace = trace
        self.now = Waits()
        self.deadlock: Waits | None = None
        self._shown: Waits | None = None

    def look(self, lanes: Sequence[Lane]) -> None:
        """Look who waits now. Somebody who waits is shown at the second look: most waits for a lock are short."""
        before = self.now
        waiting = any(lane.waiting and not lane.ended for lane in lanes)
        self.now = who_waits(self._trace) if waiting else Waits()
        if self.now.is_deadlock:
            self.deadlock = self.now
        lasts = self.now.circle or (self.now.waits and self.now == before)
        self._show(self.now if lasts else None)

    def _show(self, waits: Waits | None) -> None:
        """Show `waits`, or nothing; both drawing and sending have their price."""
        if waits != self._shown:
            self._shown = waits
            self.value = graph(waits) if waits else ""
