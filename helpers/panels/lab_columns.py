"""The lab's listings side by side, each with a Step button and the state of every thread that runs it."""

from collections.abc import Callable
from typing import Any

from ipywidgets import HTML, Button, HBox, Layout, VBox

from helpers.observe.lab.program import Program
from helpers.observe.lab.results import Situation
from helpers.panels.lab_board import marks, state
from helpers.panels.listing import Listing, listed, listings
from helpers.panels.markup import SHORT, plain


class Columns(HBox):
    """The listings of `program`, one for each different function.

    Args:
        program: what is listed.
        step: called with a thread's number when its Step button is pressed.
    """

    def __init__(self, program: Program, step: Callable[[int], None]) -> None:
        self._listings = listings(program.threads)
        self._codes = [HTML(listed(listing, []), layout=Layout(flex="1 1 auto")) for listing in self._listings]
        self._buttons = [_step_button(name, place, step) for place, name in enumerate(program.names)]
        self._states = [HTML(layout=Layout(flex="1 1 0", min_width="8em")) for _ in program.names]
        columns = [self._column(place, listing) for place, listing in enumerate(self._listings)]
        super().__init__(columns, layout=Layout(flex_flow="row wrap", grid_gap="4px 16px"))

    def show(self, situation: Situation) -> None:
        """Show where each thread is, and let those be stepped that can."""
        found = marks(situation)
        for code, listing in zip(self._codes, self._listings, strict=True):
            update(code, "value", listed(listing, [found[place] for place in listing.threads]))
        for place, view in enumerate(situation.threads):
            update(self._buttons[place], "disabled", view.state != "ready")
            update(self._states[place], "value", state(situation, place))

    def _column(self, place: int, listing: Listing) -> VBox:
        rows = [HBox([self._buttons[thread], self._states[thread]], layout=_row()) for thread in listing.threads]
        below = HBox(rows, layout=Layout(flex_flow="row wrap"))
        return VBox([self._codes[place], below], layout=Layout(flex="1 1 300px", min_width="0"))


def update(widget: Any, trait: str, value: object) -> None:  # noqa: ANN401 - any widget
    """Set a trait if that changes it: a message to the browser costs 80 µs, a comparison far less."""
    if getattr(widget, trait) != value:
        setattr(widget, trait, value)


def _row() -> Layout:
    """As high as two lines of words, so that what stands below moves as seldom as can be."""
    return Layout(flex="1 1 260px", min_width="0", min_height="44px", align_items="center")


def _step_button(name: str, place: int, step: Callable[[int], None]) -> Button:
    who = plain(name, SHORT)
    button = Button(description=f"Step {who}", tooltip=f"Let {who} take one step", disabled=True)
    button.layout = Layout(width="auto", min_width="6em")
    button.on_click(lambda _: step(place))
    return button
