"""Predictions: before a surprise the learner commits to an answer, and sees it beside the result afterwards.

guess = Prediction("What happens to the button?", "it answers at once", "it answers when the cell ends")
guess                                                   # shows the choice; the learner commits to one
guess.compare(guess.options[1], because="the cell kept the kernel busy")      # after the run
"""

from typing import Any, Final

import ipywidgets as widgets

from helpers.panels.clicks import in_this_thread, on_click
from helpers.panels.markup import passage, plain
from helpers.panels.verdict import Verdict

# ipywidgets gives each answer one line's height, so that a long one would run into the next.
_STYLE: Final = """<style>.pc-prediction .widget-radio-box label {
  display: flex; flex-direction: row-reverse; justify-content: flex-end; gap: 6px; height: auto; line-height: 1.5;
} .pc-prediction .widget-radio-box label input { flex: none; }
.pc-prediction label, .pc-prediction .widget-html-content { overflow-wrap: anywhere; min-width: 0; }</style>"""
_FRESH: Final = "Choose one, then commit. A wrong guess costs nothing."
_COMMITTED: Final = "You are committed: run on and see."
_TOO_LATE: Final = "The result is already shown below. To predict anew, run this cell again."


class Prediction:
    """A question with a few answers, of which the learner chooses one before the run.

    Args:
        question: what is going to be seen.
        options: the answers to choose from, at least two and all different.

    Attributes:
        question: as given.
        options: as given.

    Raises:
        ValueError: there are fewer than two options, one is empty, or two are the same.

    As plain text, where no widget can be shown, it reads as the question and its lettered answers.
    """

    def __init__(self, question: str, *options: str) -> None:
        """Show nothing yet: nothing is chosen."""
        if len(options) < 2 or len(set(options)) < len(options) or not all(options):
            raise ValueError(f"options must be at least two different texts, got {options!r}")
        self.question = question
        self.options = options
        self._answer: str | None = None
        self._over = False
        self._choice = widgets.RadioButtons(
            options=self._lettered(), index=None, tooltip=plain(question), layout=widgets.Layout(width="auto")
        )
        self._commit = widgets.Button(description="Commit", disabled=True, tooltip="Commit to the chosen answer")
        self._words = widgets.HTML()
        self._say(_FRESH)
        enable = in_this_thread(self._enable)
        self._choice.observe(lambda _: enable(), "index")
        on_click(self._commit, self._commit_clicked)
        heading = widgets.HTML(f"{_STYLE}<strong>{passage(question)}</strong>")
        self._box = widgets.VBox([heading, self._choice, widgets.HBox([self._commit, self._words])])
        self._box.add_class("pc-prediction")

    def __repr__(self) -> str:
        """The question and its lettered answers."""
        return "\n".join([plain(self.question), *(f"  {option}" for option in self._lettered())])

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        """The widget, and beside it the text for readers who have no kernel."""
        bundle: dict[str, Any] = dict(self._box._repr_mimebundle_() or {})
        return bundle | {"text/plain": repr(self)}

    @property
    def answer(self) -> str | None:
        """What the learner has committed to; None so far if nothing."""
        return self._answer

    def compare(self, measured: str, *, because: str = "") -> Verdict:
        """Show the learner's answer beside what the run has shown.

        From then on nothing can be committed to; an answer that is chosen, but not committed to, counts.

        Args:
            measured: the option that the run has shown to be right.
            because: why, in a sentence.

        Raises:
            ValueError: `measured` is none of the options.
        """
        if measured not in self.options:
            choices = ", ".join(map(repr, self.options))
            raise ValueError(f"{measured!r} is no answer to {self.question!r}: the options are {choices}")
        if self._answer is None and not self._over:
            self._take_chosen()
        self._close(_TOO_LATE if self._answer is None else "You have predicted; the result is shown below.")
        shown = f"The run showed: {self._letter(measured)}"
        why = (f"Why: {because}",) if because else ()
        if self._answer is None:
            invitation = "Next time choose before you run: a guess, right or wrong, makes the answer stick."
            return Verdict(good=False, heading="You made no prediction.", lines=(shown, *why, invitation))
        yours = f"You predicted: {self._letter(self._answer)}"
        right = measured == self._answer
        heading = "You saw it coming." if right else "Not this time: a surprise, and that is where learning happens."
        return Verdict(right, heading, (yours, shown, *why))

    def _lettered(self) -> list[str]:
        return [self._letter(option) for option in self.options]

    def _letter(self, option: str) -> str:
        return f"{chr(ord('a') + self.options.index(option))}) {plain(option)}"

    def _say(self, words: str) -> None:
        self._words.value = f'<span role="status">{passage(words)}</span>'

    def _enable(self) -> None:
        self._commit.disabled = self._over or self._answer is not None or self._choice.index is None

    def _commit_clicked(self) -> None:
        # The click may have waited behind a busy cell, and so come after the result.
        if self._answer is None and not self._over and self._take_chosen():
            self._close(_COMMITTED, over=False)

    def _take_chosen(self) -> bool:
        if self._choice.index is None:
            return False
        self._answer = self.options[self._choice.index]
        return True

    def _close(self, words: str, *, over: bool = True) -> None:
        self._over = over
        self._choice.disabled = self._commit.disabled = True
        self._say(words)
