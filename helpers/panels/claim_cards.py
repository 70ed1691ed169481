"""Cards that show what the article said, what holds today, and the evidence, which can be run beside them.

    cards = ClaimCards(THREADS)
    await cards.run_evidence()      # each function in a sandbox of its own
    cards.counts                    # "claims checked here: 7, as the card says: 7"
    cards

The cards are static HTML, so a saved notebook shows them; what they say is the same in every run that holds.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from helpers.panels.claims.claim import LESSONS, Claim, Document, Judgement
from helpers.panels.markup import passage, plain
from helpers.panels.sandbox import in_sandbox
from helpers.panels.theme import COLOURS, GOOD, INK, NOT_YET

LIMIT: Final = 30.0
"""Seconds that a piece of evidence may take; on a quiet machine each takes less than two."""
_AT_ONCE: Final = 3  # in sandboxes side by side: most of them wait
_LOOKS: Final[dict[Judgement, tuple[str, str]]] = {
    "right": ("✔", GOOD),
    "partly": ("◐", COLOURS[0]),
    "wrong": ("✘", NOT_YET),
    "out of date": ("↻", COLOURS[0]),
    "bug": ("✘", NOT_YET),
    "missing": ("…", COLOURS[3]),
}
# JupyterLab tells links from other words by colour alone, and in its dark theme hardly that.
_UNDERLINED: Final = 'style="text-decoration: underline"'


class ClaimCards:
    """A card for each claim.

    Args:
        claims: in the order in which they are shown.
    """

    def __init__(self, claims: Sequence[Claim]) -> None:
        self._claims = tuple(claims)
        self._held: dict[str, bool] = {}

    async def run_evidence(self) -> None:
        """Run what can be run, each function once, and remember whether it held. The interface stays alive."""
        free = asyncio.Semaphore(_AT_ONCE)
        functions = {each.__name__: each for claim in self._claims for each in _runs(claim)}

        async def run(name: str, function: Callable[[], bool]) -> tuple[str, bool]:
            async with free:
                outcome = await in_sandbox(function, limit=LIMIT)
            return name, outcome.value is True

        self._held |= dict(await asyncio.gather(*(run(*each) for each in functions.items())))

    @property
    def counts(self) -> str:
        """How many claims were checked by running something, and for how many all of it held."""
        checked = [claim for claim in self._claims if any(each.__name__ in self._held for each in _runs(claim))]
        held = sum(all(self._held.get(each.__name__, False) for each in _runs(claim)) for claim in checked)
        return f"claims checked here: {len(checked)}, as the card says: {held}"

    @property
    def judgements(self) -> str:
        """How many cards there are of each kind."""
        count = Counter(claim.judgement for claim in self._claims)
        return ", ".join(f"{count[word]} {word}" for word in _LOOKS if count[word])

    def __repr__(self) -> str:
        """The cards as plain text."""
        return "\n\n".join("\n".join(map(plain, self._lines(claim))) for claim in self._claims)

    def _lines(self, claim: Claim) -> list[str]:
        return [
            f"{_LOOKS[claim.judgement][0]} {claim.judgement}. {claim.where}: {claim.said}",
            f"  Today: {claim.today}",
            f"  Python: {claim.pythons}.",
            *(f"  Evidence: {self._words(each)}" for each in claim.evidence),
            *([f"  {_lesson(claim.lesson)}"] if claim.lesson else []),
        ]

    def _words(self, evidence: Callable[[], bool] | Document) -> str:
        if isinstance(evidence, Document):
            return f"{evidence.address} ({evidence.says})"
        return f"{_says(evidence)} {self._state(evidence)}"

    def _state(self, function: Callable[[], bool]) -> str:
        held = self._held.get(function.__name__)
        return (
            "(not tried yet)"
            if held is None
            else "✔ tried here: it holds"
            if held
            else "✘ tried here: IT DOES NOT HOLD"
        )

    def _repr_html_(self) -> str:
        """The cards in colours that go with a light and a dark theme; each says in words what its colour says."""
        return f'<div class="pc-claims">{"".join(map(self._card, self._claims))}</div>'

    def _card(self, claim: Claim) -> str:
        mark, colour = _LOOKS[claim.judgement]
        style = (
            f"border-left: 4px solid {colour}; background: #8882; color: {INK}; "
            "padding: 6px 12px; margin: 6px 0; max-width: 60em; overflow-wrap: anywhere"
        )
        lesson = f" · {_lesson_link(claim.lesson)}" if claim.lesson else ""
        evidence = "".join(f"<li>{self._item(each)}</li>" for each in claim.evidence)
        return (
            f'<div class="pc-claim" style="{style}">'
            f"<div><strong>{mark} {claim.judgement}</strong> · {passage(claim.where)}: "
            f"<em>{passage(claim.said)}</em></div>"
            f"<div>{passage(claim.today)}</div>"
            f"<div><strong>Python:</strong> {passage(claim.pythons)}{lesson}</div>"
            f'<ul style="margin: 2px 0">{evidence}</ul></div>'
        )

    def _item(self, evidence: Callable[[], bool] | Document) -> str:
        if isinstance(evidence, Document):
            address = passage(evidence.address)
            return (
                f'<a {_UNDERLINED} href="{address}">{passage(_shown(evidence.address))}</a>: {passage(evidence.says)}'
            )
        return f"{passage(_says(evidence))} <strong>{self._state(evidence)}</strong>"


def _runs(claim: Claim) -> list[Callable[[], bool]]:
    return [each for each in claim.evidence if not isinstance(each, Document)]


def _says(function: Callable[[], bool]) -> str:
    """What it is that holds: the first paragraph of its docstring."""
    return " ".join((function.__doc__ or function.__name__).split("\n\n")[0].split()).replace("`", "")


def _shown(address: str) -> str:
    return address.removeprefix("https://").rstrip("/")


def _lesson(number: int) -> str:
    title = LESSONS[number].partition("_")[2].replace("_", " ")
    return f"Lesson {number:02}, {title}"


def _lesson_link(number: int) -> str:
    return f'<a {_UNDERLINED} href="{LESSONS[number]}.ipynb">{_lesson(number)}</a>'
