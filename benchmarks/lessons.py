"""How large each lesson's file is, and how long it takes to run from the first cell to the last.

    uv run python -m benchmarks.lessons

Run as the tests run it, in a fresh kernel, its start included; what a lesson leaves to do for its reader is not.
"""

import asyncio
import time
from pathlib import Path
from typing import Final

from benchmarks.report import Aim, aims_table, machine
from tests.canonical import executed
from tests.notebooks.stored import read

FOLDER: Final = Path(__file__).parents[1] / "notebooks"
MOST: Final = 300.0  # kB


def main() -> None:
    """Print the table."""
    print(f"{machine()}; one run each\n")
    print("| lesson | kB | runs in, s |\n|---|---:|---:|")
    figures, whole = [], 0.0
    for path in sorted(FOLDER.glob("[0-9][0-9]_*.ipynb")):
        size = path.stat().st_size / 1000
        began = time.perf_counter()
        asyncio.run(executed(read(path), FOLDER))
        took = time.perf_counter() - began
        whole += took
        figures.append(Aim(f"size of the largest lesson, {path.stem[:2]}", size, MOST, "kB"))
        print(f"| {path.stem} | {size:.0f} | {took:.1f} |", flush=True)
    largest = max(figures, key=lambda figure: figure.measured)
    print("", aims_table([largest, Aim("all lessons, run one after the other", whole, None, "s")]), sep="\n")


if __name__ == "__main__":
    main()
