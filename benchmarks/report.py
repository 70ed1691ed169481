"""What all benchmarks print: the machine, and the figures that the README quotes, each with its aim.

A benchmark prints its own tables, and at the end `aims_table`; `python -m benchmarks` takes the rows of that table
out of what each has printed, and puts them together on top of its page.
"""

import os
import platform
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

HEAD: Final = "| figure | measured | aim | |"
RULE: Final = "|---|---:|---:|---|"


class Aim(NamedTuple):
    """One figure, and what it should be at most; None: there is no aim, it is only priced."""

    figure: str
    measured: float
    most: float | None
    unit: str = ""

    @property
    def row(self) -> str:
        """A line of the table."""
        aim = "" if self.most is None else f"≤ {number(self.most)} {self.unit}".strip()
        verdict = "" if self.most is None else "met" if self.measured <= self.most else "**missed**"
        return f"| {self.figure} | {number(self.measured)} {self.unit} | {aim} | {verdict} |".replace("  ", " ")


def number(value: float) -> str:
    """As many digits as a figure deserves: `0.126`, `1.04`, `12.5`, `352`, `100,000`."""
    if value == round(value) or value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.2 else f"{value:.3f}"


def aims_table(aims: Sequence[Aim]) -> str:
    """All figures as a Markdown table."""
    return "\n".join([HEAD, RULE, *(aim.row for aim in aims)])


def aim_rows(printed: str) -> Iterator[str]:
    """The rows of the tables of figures in what a benchmark has printed."""
    inside = False
    for line in printed.splitlines():
        if inside and line.startswith("|") and line != RULE:
            yield line
        inside = line == HEAD or (inside and line.startswith("|"))


def machine() -> str:
    """The Python, the system, its cores, and how busy it is."""
    python = f"{platform.python_implementation()} {platform.python_version()}, {platform.system()}"
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{python}, {os.cpu_count()} cores{load}"
