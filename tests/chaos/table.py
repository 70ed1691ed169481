"""All the runs of one lesson, and the line of the table that they come to."""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.chaos.runs import ORDERS, Lesson, Outcome, fresh, in_order, interrupted, killed
from tests.chaos.servers import same_again

INTERRUPTS_A_RUN: Final = 10
# Where few cells last long enough to be met, there are more runs, up to this many times as many.
TRIES: Final = 4
HEAD: Final = (
    "| lesson | interrupts | kills | orders | listens on | hung | left over | a killed kernel's files | fresh run |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


@dataclass
class Line:
    """What became of one lesson."""

    lesson: str
    interrupts: int = 0
    kills: int = 0
    orders: int = 0
    outcomes: list[Outcome] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    fresh: bool = False

    def __str__(self) -> str:
        """The line of the table."""
        hung, left = (sum(map(len, kinds)) for kinds in zip(*((o.hung, o.left) for o in self.outcomes), strict=True))
        hosts = {address.host for outcome in self.outcomes for address in outcome.servers}
        stays = ", ".join(sorted({f"`{name}`" for outcome in self.outcomes for name in outcome.stays}))
        listens = ", ".join(sorted(hosts)) or "nothing"
        words = (self.lesson, self.interrupts, self.kills, self.orders, listens, hung, left, stays or "none")
        return "| " + " | ".join(map(str, (*words, "passes" if self.fresh else "FAILS"))) + " |"


def chaos(path: Path, *, interrupts: int, kills: int, seed: int) -> Line:
    """All runs of the lesson in that file."""
    lesson, line = Lesson(path), Line(path.stem)
    for number, at_most in _interrupt_runs(line, interrupts):
        _run(line, f"{seed}/{path.stem}/interrupts/{number}", lambda s, n=at_most: interrupted(lesson, s, n))
        line.interrupts += line.outcomes[-1].disturbed
    for number in range(kills):
        _run(line, f"{seed}/{path.stem}/kills/{number}", lambda s: killed(lesson, s))
        line.kills += 1
    for name in ORDERS:
        _run(line, f"{seed}/{path.stem}/{name}", lambda s, n=name: in_order(lesson, n, s))
        line.orders += 1
    line.wrong += same_again([outcome.servers for outcome in line.outcomes])
    line.wrong += (failures := fresh(lesson))
    line.fresh = not failures
    return line


def _interrupt_runs(line: Line, interrupts: int) -> Iterator[tuple[int, int]]:
    """The number of each run, and how many interrupts it may have."""
    for number in range(TRIES * -(-interrupts // INTERRUPTS_A_RUN)):
        if line.interrupts >= interrupts:
            return
        yield number, min(INTERRUPTS_A_RUN, interrupts - line.interrupts)


def _run(line: Line, seed: str, run: Callable[[str], Outcome]) -> None:
    """Add a run and what it found; say so on the error output."""
    began = time.monotonic()
    try:
        outcome = run(seed)
    except Exception as error:  # noqa: BLE001 - one run that cannot be made must not hide the others
        outcome = Outcome(left=[f"the run itself failed: {error!r}"])
    line.outcomes.append(outcome)
    if outcome.wrong:
        line.wrong.append("\n  ".join([f"seed {seed}", *outcome.wrong, "after:", *outcome.log]))
    said = f"{len(outcome.wrong)} faults" if outcome.wrong else "ok"
    _say(f"{time.strftime('%H:%M:%S')} {seed}: {outcome.disturbed} met, {said}, {time.monotonic() - began:.0f} s")
    if outcome.wrong:
        _say(*outcome.wrong, *(f"    {each}" for each in outcome.log))


def _say(*words: str) -> None:
    sys.stderr.writelines(f"{each}\n" for each in words)
    sys.stderr.flush()
