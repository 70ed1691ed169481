"""The machine's check as a table, for the first lesson."""

from collections.abc import Sequence
from typing import Final

from helpers.observe.machine import Finding
from helpers.panels.markup import passage, plain
from helpers.panels.theme import STYLE

_TITLES: Final = ("What", "Found", "State", "What it means")
_LEFT: Final = 'style="text-align: left"'


class MachineCard:
    """A table of findings, and a sentence that sums them up.

    Args:
        findings: as `check_machine` gives them.
    """

    def __init__(self, findings: Sequence[Finding]) -> None:
        """Keep the findings."""
        self._findings = list(findings)
        self._amiss = sum(not finding.good for finding in self._findings)

    def __repr__(self) -> str:
        """Whether the machine is ready; the same on every machine that is."""
        if not self._amiss:
            return "<Machine: ready>"
        advice = [f"  {plain(f'{f.name}: {f.found}. {f.advice}')}" for f in self._findings if not f.good]
        return "\n".join([f"<Machine: {self._summary}>", *advice])

    def _repr_html_(self) -> str:
        """The table."""
        # Where there is nothing to advise, the last column would stand empty.
        columns = 4 if any(finding.advice for finding in self._findings) else 3
        rows = "".join(_row(finding, columns) for finding in self._findings)
        caption = f"<figcaption><strong>Your machine: {self._summary}</strong></figcaption>"
        head = "".join(f'<th scope="col" {_LEFT}>{title}</th>' for title in _TITLES[:columns])
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        return f'<figure class="pc-picture">{STYLE}{caption}{table}</figure>'

    @property
    def _summary(self) -> str:
        if not self._amiss:
            return "ready"
        return "one thing to put right" if self._amiss == 1 else f"{self._amiss} things to put right"


def _row(finding: Finding, columns: int) -> str:
    state = "✔ good" if finding.good else "✘ to put right"
    cells = (finding.found, state, finding.advice)[: columns - 1]
    rest = "".join(f"<td {_LEFT}>{passage(cell)}</td>" for cell in cells)
    return f'<tr><th scope="row" {_LEFT}>{passage(finding.name)}</th>{rest}</tr>'
