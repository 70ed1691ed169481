"""Run every lesson under every start method on every Python of this machine, and print what became of it as a table.

    uv run python -m tests.matrix                       # all; some 3 minutes for each pair of Python and start method
    uv run python -m tests.matrix notebooks/0[0-5]*     # some lessons

A lesson passes if strict nbval does, cell by cell, and nothing is left after it. Each Python gets the environment
that `uv run` would give it, for as long as it is needed. Exit code 1 where a lesson failed; its words go to stderr.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

ROOT: Final = Path(__file__).parents[1]
PYTHONS: Final = ("3.11", "3.12", "3.13", "3.14")
METHODS: Final = ("fork", "forkserver", "spawn")
LIMIT: Final = 1800.0  # seconds, for all lessons on one Python under one start method
PASSED, FAILED, NOT_TRIED = "✔", "✘", "not tried"

Tried = tuple[str, str]  # a Python and a start method
Outcome = dict[str, str]  # of one lesson each


def uv() -> str:
    """The uv that runs this, or the one on the PATH.

    Raises:
        FileNotFoundError: there is none.
    """
    if found := os.environ.get("UV") or shutil.which("uv"):
        return found
    raise FileNotFoundError("uv is needed to set up each Python: pip install uv")


def interpreter(version: str) -> str | None:
    """A Python of a minor version on this machine, uv's or the PATH's or pyenv's; None where there is none."""
    asked = subprocess.run(
        [uv(), "python", "find", "--no-python-downloads", "--system", version],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=tempfile.gettempdir(),  # what the project asks for is of no interest
    )
    if asked.returncode == 0:
        return asked.stdout.strip()
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    found = sorted(
        versions.glob(f"{version}.*/bin/python"), key=lambda path: [*map(int, re.findall(r"\d+", path.parts[-3]))]
    )
    return str(found[-1]) if found else None


def outcome(report: Path) -> Outcome:
    """Which lessons passed and which failed, from pytest's report in JUnit's form; empty where there is no report."""
    found: Outcome = {}
    if report.is_file():
        for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest wrote it just now
            name = case.get("classname", "").removesuffix(".ipynb").rpartition(".")[2]
            bad = any(case.find(kind) is not None for kind in ("failure", "error", "skipped"))
            found[name] = FAILED if bad or found.get(name) == FAILED else PASSED
    return found


def run(python: str, method: str, lessons: Sequence[Path]) -> Outcome:
    """Run the lessons once."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [
            *(uv(), "run", "--isolated", "--python", python, "pytest", *map(str, lessons)),
            *("--start-method", method, f"--junitxml={report}", "-q", "--color=no"),
        ]
        try:
            done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False, timeout=LIMIT)
            words = done.stdout if done.returncode else ""
        except subprocess.TimeoutExpired:
            words = f"not finished within {LIMIT:g} s"
        found = outcome(report)
    if words:
        print(f"{python}, {method}:\n{words}", file=sys.stderr)
    return {lesson.stem: found.get(lesson.stem, FAILED) for lesson in lessons}


def table(lessons: Iterable[Path], found: dict[Tried, Outcome]) -> str:
    """One row a lesson, one column for each Python and start method; a Python that is not in `found` has one."""
    columns = [
        (python, method)
        for python in PYTHONS
        for method in (METHODS if any(python == tried for tried, _ in found) else ("",))
    ]
    rows = [
        [lesson.stem, *(found.get(pair, {}).get(lesson.stem, NOT_TRIED) for pair in columns)] for lesson in lessons
    ]
    head = ["lesson", *(f"{python} {method}".strip() for python, method in columns)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---", *[":-:"] * len(columns)], *rows])


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description="Run every lesson under every start method on every Python.")
    parser.add_argument("lessons", nargs="*", type=Path, help="some lessons (all)")
    chosen = parser.parse_args().lessons
    lessons = [path.resolve() for path in chosen] or sorted((ROOT / "notebooks").glob("*.ipynb"))
    found = {}
    for version in PYTHONS:
        python = interpreter(version)
        for method in METHODS if python else ():
            print(f"Python {version}, {method} …", file=sys.stderr, flush=True)
            found[version, method] = run(python, method, lessons)
    print(table(lessons, found))
    return 1 if any(FAILED in lessons.values() for lessons in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
