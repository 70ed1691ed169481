"""A picture of who waits for whom among the named locks of a trace, to be shown in a cell."""

from helpers.observe.lock_states import who_waits
from helpers.observe.trace import Trace
from helpers.observe.waits import Waits
from helpers.panels.graph import picture
from helpers.panels.theme import GRAPH_STYLE
from helpers.panels.timeline import framed, stored_image


class WaitGraph:
    """Who waits for whom, as it is when this is shown.

    Args:
        seen: a trace, open or closed; or waits as they were at some moment, which then stay as they are.

    Its text is the same in every run, so that strict nbval compares it; the picture is not compared.
    """

    def __init__(self, seen: Trace | Waits) -> None:
        self._seen = seen

    def __repr__(self) -> str:
        """The same in every run."""
        return "<WaitGraph>"

    def _repr_html_(self) -> str:
        drawn = picture(self._waits())
        svg = f"{GRAPH_STYLE}{drawn.svg}"
        live = f'<div class="pc-live" style="display:none">{svg}</div>'
        image = stored_image(svg, drawn.width, drawn.height, "Who waits for whom") if drawn.svg else ""
        return framed(f"{image}{live}{drawn.words}")

    @property
    def words(self) -> str:
        """The same in words."""
        return self._waits().words

    def _waits(self) -> Waits:
        return self._seen if isinstance(self._seen, Waits) else who_waits(self._seen)
