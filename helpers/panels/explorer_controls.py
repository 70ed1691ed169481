"""What an explorer's user can choose: a view, by buttons and numbers.

Each has a name, and is reached and worked by keyboard too.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol, Self

from ipywidgets import BoundedIntText, Button, HBox, Layout, VBox

MOST_WORKERS: Final = 8
MOST_ITERATIONS: Final = 1000
WRAPPED: Final = Layout(flex_flow="row wrap")


class View(Protocol):
    """What part of a picture is shown."""

    @property
    def iterations(self) -> int:
        """How patiently."""
        ...

    def moved(self, right: float, down: float) -> Self:
        """The view beside it, in shares of the picture."""
        ...

    def zoomed(self, factor: float) -> Self:
        """`factor` times as wide."""
        ...

    def tried(self, iterations: int) -> Self:
        """With other patience."""
        ...

    def in_words(self) -> str:
        """Where it is."""
        ...


class Controls(VBox):
    """A button for each of `clicks`, and two numbers to be set.

    Args:
        clicks: what a click does, by the button's name.
        changed: called when a number was set.
        iterations: the one number.
        workers: the other one.

    Raises:
        RuntimeError: no event loop is running, as in a script.

    The loop that runs now calls them all; the messages of clicks may come in another thread, in a subshell of the
    kernel.
    """

    def __init__(
        self, clicks: Mapping[str, Callable[[], object]], changed: Callable[[], object], iterations: int, workers: int
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._iterations = _number("iterations", max(MOST_ITERATIONS, iterations), iterations, step=50)
        self._workers = _number("workers", max(MOST_WORKERS, workers), workers)
        for number in (self._iterations, self._workers):
            number.observe(self._hand_over(changed), "value")
        buttons = [self._button(name, do) for name, do in clicks.items()]
        super().__init__([HBox(buttons, layout=WRAPPED), HBox([self._iterations, self._workers], layout=WRAPPED)])

    @property
    def iterations(self) -> int:
        """What is set."""
        value: int = self._iterations.value
        return value

    @property
    def workers(self) -> int:
        """What is set."""
        value: int = self._workers.value
        return value

    def set_iterations(self, iterations: int) -> None:
        """Set them to what a view has that was not chosen here."""
        self._iterations.max = max(self._iterations.max, iterations)
        self._iterations.value = iterations

    def _button(self, name: str, do: Callable[[], object]) -> Button:
        # Words alone: an icon's letter would be a part of the name that screen readers say.
        button = Button(description=name, tooltip=name, layout=Layout(width="auto"))
        button.on_click(self._hand_over(do))
        return button

    def _hand_over(self, do: Callable[[], object]) -> Callable[[Any], None]:
        def hand_over(_: Any) -> None:  # noqa: ANN401 - a button, or a change
            self._loop.call_soon_threadsafe(do)

        return hand_over


def _number(name: str, most: int, value: int, step: int = 1) -> BoundedIntText:
    # No slider: that of ipywidgets has no name for those who cannot see it.
    return BoundedIntText(value, 1, most, step, description=name, layout=Layout(width="13em"))
