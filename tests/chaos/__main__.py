"""Put lessons under chaos, and print what became of them.

    python -m tests.chaos                                   # all of them, as the README has it; hours
    python -m tests.chaos --interrupts 10 --kills 2 notebooks/04*.ipynb
    python -m tests.chaos --replay 1/04_stopping_what_you_started/kills/3

Every run's moments come from a seed of its own, which is printed with what went wrong; `--replay` runs it again. When
the machine is as busy or as idle as it was, the same cells are met.
"""

import argparse
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Final

from helpers.observe.lifeline import end_with_parent
from tests.chaos.runs import Lesson, Outcome, in_order, interrupted, killed
from tests.chaos.table import HEAD, INTERRUPTS_A_RUN, Line, chaos

LESSONS: Final = Path(__file__).parents[2] / "notebooks"


def replay(seed: str) -> Outcome:
    """Run again what a seed names."""
    _, stem, kind, *_ = seed.split("/")
    lesson = Lesson(LESSONS / f"{stem}.ipynb")
    if kind == "interrupts":
        return interrupted(lesson, seed, INTERRUPTS_A_RUN)
    return killed(lesson, seed) if kind == "kills" else in_order(lesson, kind, seed)


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description="Put lessons under chaos.")
    parser.add_argument("notebooks", nargs="*", type=Path)
    parser.add_argument("--interrupts", type=int, default=50, help="how many a lesson (50)")
    parser.add_argument("--kills", type=int, default=20, help="how many a lesson (20)")
    parser.add_argument("--seed", type=int, default=1, help="where all moments come from (1)")
    parser.add_argument("-j", dest="jobs", type=int, default=2, help="how many lessons at a time (2)")
    parser.add_argument("--replay", metavar="SEED", help="run again what went wrong")
    chosen = parser.parse_args()
    if chosen.replay:
        outcome = replay(chosen.replay)
        _print(*outcome.log, *outcome.wrong)
        return 1 if outcome.wrong else 0
    lines = run_all(chosen)
    _print(HEAD, *sorted(lines, key=lambda line: line.lesson))
    _print(*(f"\n{line.lesson}: {fault}" for line in lines for fault in line.wrong))
    return 1 if any(line.wrong for line in lines) else 0


def _print(*lines: object) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


def run_all(chosen: argparse.Namespace) -> list[Line]:
    """The lines of all lessons, some at a time."""
    os.environ.pop("PYTEST_CURRENT_TEST", None)
    settings = {"interrupts": chosen.interrupts, "kills": chosen.kills, "seed": chosen.seed}
    lines = []
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(chosen.jobs, mp_context=spawn, initializer=end_with_parent) as pool:
        paths = chosen.notebooks or sorted(LESSONS.glob("*.ipynb"))
        for future in as_completed([pool.submit(chaos, path.resolve(), **settings) for path in paths]):
            lines.append(future.result())
            sys.stderr.write(f"{lines[-1]}\n")
    return lines


if __name__ == "__main__":
    sys.exit(main())
