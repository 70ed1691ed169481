"""What of the chaos the tests do: for each lesson a little of each kind, with fixed seeds.

The kernel of each lesson is killed in every run of the tests. Interrupts and wrong orders meet other moments each
time, on each machine: they are a search for what nobody has thought of, and run where PAINLESS_CHAOS is set, and
with `python -m tests.chaos`.

The lessons are in two files, so that two workers of xdist share them (`--dist loadfile`).
"""

import os
from pathlib import Path
from typing import Final

import pytest

from tests.chaos.runs import Lesson, Outcome, in_order, interrupted, killed

LESSONS: Final = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
MIDDLE: Final = len(LESSONS) // 2
SEED: Final = "sample"
# Seconds after which no further cell is begun, or the next one is killed.
INTERRUPTS: Final = 8.0
KILL: Final = 3.0
SHUFFLED: Final = 3.0
# A hang is named after a minute, what is left after another; and then the machine may be busy.
LIMIT: Final = pytest.mark.timeout(400)

_SEARCH: Final = pytest.mark.skipif(
    "PAINLESS_CHAOS" not in os.environ, reason="a search, other each time: set PAINLESS_CHAOS=1 for it"
)
kinds: Final = pytest.mark.parametrize(
    "kind", ["kill", pytest.param("interrupts", marks=_SEARCH), pytest.param("shuffled", marks=_SEARCH)]
)


def lessons(paths: list[Path]) -> pytest.MarkDecorator:
    """The parameter `lesson` for each of those notebooks."""
    return pytest.mark.parametrize("lesson", [pytest.param(Lesson(path), id=path.stem) for path in paths])


def check(lesson: Lesson, kind: str) -> None:
    """A short run of one kind: "interrupts", "kill" or "shuffled"."""
    seed = f"{SEED}/{lesson.path.stem}/{kind}"
    runs = {
        "interrupts": lambda: interrupted(lesson, seed, 5, INTERRUPTS),
        "kill": lambda: killed(lesson, seed, KILL),
        "shuffled": lambda: in_order(lesson, "shuffled", seed, SHUFFLED),
    }
    outcome: Outcome = runs[kind]()
    if outcome.wrong:
        pytest.fail("\n".join([f"{seed}:", *outcome.wrong, "after:", *outcome.log]), pytrace=False)
