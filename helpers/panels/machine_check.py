"""Check a machine from a terminal, before a workshop: one command, one verdict.

    uv run python -m helpers.panels.machine_check

It starts a lesson's kernel, and has that look at all that lesson 00 looks at, and more. The last line is `READY`,
with exit code 0, or `NOT READY: …` and what to do, with exit code 1.

Nothing but the standard library is imported until `main` runs: a Python that lacks the rest gets its verdict too.
"""

from __future__ import annotations

import sys
import textwrap
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from helpers.observe.machine import Finding

WIDTH: Final = 100


def report(findings: Sequence[Finding]) -> str:
    """The findings as a table for a terminal, and the verdict as its last line."""
    width = max(len(each.name) for each in findings)
    rows = [f"{'ok' if each.good else 'NO'}  {each.name:{width}}  {each.found}" for each in findings]
    remarks = [f"{each.name}: {each.advice}" for each in findings if each.good and each.advice]
    amiss = [f"{each.name}: {each.found}. {each.advice}" for each in findings if not each.good]
    wrapped = [textwrap.fill(remark, WIDTH, subsequent_indent="  ") for remark in remarks]
    verdict = f"NOT READY: {' '.join(amiss)}" if amiss else "READY"
    return "\n".join([*rows, "", *wrapped, *([""] if wrapped else []), verdict])


def main() -> int:
    """Print the report; 0 if the machine is ready, else 1."""
    try:
        lesson_kernel = import_module("helpers.panels.lesson_kernel")
    except ImportError as error:
        advice = "start this by `uv run`, or activate the environment that the README sets up"
        sys.stdout.write(f"NOT READY: this Python ({sys.executable}) lacks something ({error}): {advice}.\n")
        return 1
    try:
        findings = lesson_kernel.findings_of_kernel()
    except lesson_kernel.KernelError as error:
        sys.stdout.write(f"NOT READY: {error}\n")
        return 1
    sys.stdout.write(f"{report(findings)}\n")
    return 0 if all(finding.good for finding in findings) else 1


if __name__ == "__main__":
    sys.exit(main())
