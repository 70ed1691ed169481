"""What a prediction or a check answers: a heading and a few lines, as static HTML and as plain text.

It is no widget, so a saved notebook still shows it, on GitHub too. Nothing in it varies from run to run,
unless the one who writes the lines puts it there. Very long lines, as an exception's may be, are cut.
"""

from dataclasses import dataclass

from helpers.panels.markup import passage, plain
from helpers.panels.theme import GOOD, INK, NOT_YET


@dataclass(frozen=True, slots=True, repr=False)
class Verdict:
    """An answer to the learner.

    Attributes:
        good: whether the heading stands beside a tick.
        heading: the answer in a few words.
        lines: what is to be said about it, a paragraph each.
    """

    good: bool
    heading: str
    lines: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """The answer as plain text."""
        return "\n".join([f"{self._mark} {plain(self.heading)}", *(f"  {plain(line)}" for line in self.lines)])

    def _repr_html_(self) -> str:
        """The answer in colours that go with a light and a dark theme."""
        colour = GOOD if self.good else NOT_YET
        style = (
            f"border-left: 4px solid {colour}; background: #8882; color: {INK}; "
            "padding: 6px 12px; margin: 4px 0; max-width: 60em; overflow-wrap: anywhere"
        )
        lines = "".join(f"<div>{passage(line)}</div>" for line in self.lines)
        heading = f"<strong>{self._mark} {passage(self.heading)}</strong>"
        return f'<div class="pc-verdict" style="{style}">{heading}{lines}</div>'

    @property
    def _mark(self) -> str:
        return "✔" if self.good else "➜"
