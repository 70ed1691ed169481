"""The parts that live views share: a worker's row, and the timeline, redrawn as often as it can pay for."""

from collections.abc import Sequence
from time import perf_counter
from typing import Any, Final

from ipywidgets import HTML, Button, HBox, IntProgress

from helpers.observe.reading import Lane
from helpers.panels.looks import layout, plain_bar, plain_button, plain_html
from helpers.panels.markup import passage, short
from helpers.panels.timeline import figure

# Chosen so that a view of two busy workers takes less than 1 % of a core: benchmarks/live_view.py measures it.
REFRESH: Final = 0.1  # seconds between two looks at the trace
WORDS: Final = 0.4  # seconds between two changes of the words
DRAWING_SHARE: Final = 0.003  # of a core, that drawing the timeline may take while workers run
FASTEST_DRAWING: Final = 0.5  # seconds
# A long word is broken, or it would stick out of its row.
_STYLE: Final = "<style>.pc-row .widget-html-content { overflow-wrap: anywhere; min-width: 0; }</style>"


class Row(HBox):
    """One worker's name, bar and state; sends only what has changed."""

    def __init__(self, name: str) -> None:
        self._name = HTML(_bold(name), layout=layout(width="11em", min_width="6em"), style=plain_html())
        wide = layout(width="14em", min_width="4em", flex="0 1 auto")
        self._bar = IntProgress(0, 0, 1, layout=wide, style=plain_bar())
        self._words = HTML(layout=layout(min_width="10em", flex="1 1 0"), style=plain_html())
        parts = [self._name, self._bar, self._words]
        super().__init__(parts, layout=layout(flex_flow="row wrap"), _dom_classes=("pc-row",))

    def rename(self, name: str) -> None:
        """Be another worker's row from now on."""
        update(self._name, "value", _bold(name))

    def fill(self, done: int, expected: int) -> None:
        """Fill `done` of `expected` parts of the bar; 0 expected: not known."""
        update(self._bar, "max", max(1, expected))
        update(self._bar, "value", min(done, expected))

    def say(self, words: str) -> None:
        """Say `words` beside the bar."""
        update(self._words, "value", passage(words))


class Head(HBox):
    """The Stop button, and for how long the work has been running.

    Attributes:
        button: the button.
    """

    def __init__(self, tooltip: str) -> None:
        self._words = HTML(layout=layout(flex="1 1 auto"), style=plain_html())
        self.button = Button(description="Stop", tooltip=tooltip, layout=layout(), style=plain_button())
        style = HTML(_STYLE, layout=layout(display="none"), style=plain_html())
        super().__init__([self.button, self._words, style], layout=layout())

    def say(self, elapsed: float, *, over: bool) -> None:
        """Say how long it took, or has taken so far, in seconds."""
        update(self._words, "value", f"{'ended after' if over else 'running for'} {elapsed:.1f} s")


class Picture(HTML):
    """The growing timeline.

    Attributes:
        replaced: whether the last drawing will come elsewhere, and need not be made here.
    """

    def __init__(self) -> None:
        super().__init__(layout=layout(), style=plain_html())
        self.replaced = False
        self._next = 0.0

    def draw(self, lanes: Sequence[Lane], trouble: str, elapsed: float, *, now: bool) -> None:
        """Draw `lanes` if `now`, unless that is replaced, or if the price of the last drawing allows it by now.

        Args:
            lanes: all of them.
            trouble: why some are missing, if some are.
            elapsed: seconds since the work began.
            now: whatever it costs.
        """
        if self.replaced if now else elapsed < self._next:
            return
        began = perf_counter()
        update(self, "value", figure(lanes, trouble))
        price = perf_counter() - began
        self._next = elapsed + max(FASTEST_DRAWING, price / DRAWING_SHARE)


def count(lanes: Sequence[Lane]) -> tuple[int, int]:
    """Items done, and items expected."""
    return sum(lane.done for lane in lanes), sum(lane.expected for lane in lanes)


def update(widget: Any, trait: str, value: object) -> None:  # noqa: ANN401 - any widget
    """Set a trait if that changes it: a message to the browser costs 80 µs, a comparison far less."""
    if getattr(widget, trait) != value:
        setattr(widget, trait, value)


def _bold(name: str) -> str:
    return f"<b>{short(name)}</b>"
