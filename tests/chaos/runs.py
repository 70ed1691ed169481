"""The runs of a lesson under chaos; each draws its moments from a seed, and says all that went wrong.

    interrupted(lesson, seed)    a cell in two is interrupted, and then run again or passed over
    killed(lesson, seed)         the kernel is killed while a cell runs
    in_order(lesson, order)      the cells are run shuffled, backwards, or each twice

A moment is so many seconds after the start of a cell, from 2 ms to 3 s, short ones as likely as long ones: most cells
take milliseconds, and the long ones are met all the same. A cell that ends before its moment is not disturbed.

In the wrong order a cell fails where it lacks what another makes. That is as it should be, and not looked at. After
the interrupts and after the wrong order the last cells are run once more, undisturbed: they close what the lesson
kept open, and a closing cell that was interrupted, or came before its time, has closed nothing.
"""

import re
import subprocess
import sys
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from random import Random
from time import monotonic
from typing import Final

from tests.chaos.servers import Address
from tests.chaos.session import CellEnd, Session
from tests.notebooks.stored import read

# The part of a temporary file's name that is drawn: ours, and tempfile's.
RANDOM: Final = r"(?<=painless-)[0-9a-f]{12}$|[a-z0-9_]{8}$"
SHORTEST: Final = 0.002
LONGEST: Final = 3.0
OFTEN: Final = 0.5
CLOSING: Final = 3  # cells
ORDERS: Final = ("shuffled", "reversed", "twice")
SWEEP: Final = "from helpers.observe.trace import Trace; Trace().close()"


@dataclass
class Outcome:
    """What became of one run.

    Attributes:
        disturbed: how many interrupts or kills came while a cell ran.
        hung: cells that did not end, with the moment of the interrupt, and where they were.
        left: what was left, or is wrong with a server, a sentence each.
        stays: temporary files that a killed kernel leaves for good.
        servers: where the lesson listened.
        log: what was disturbed when, in order.
    """

    disturbed: int = 0
    hung: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    stays: list[str] = field(default_factory=list)
    servers: set[Address] = field(default_factory=set)
    log: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> list[str]:
        """All that is wrong."""
        return self.hung + self.left


class Lesson:
    """A notebook's code cells."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cells: list[str] = [cell.source for cell in read(path).cells if cell.cell_type == "code"]

    def order(self, name: str, seed: str) -> list[int]:
        """The places of the cells in an order of `ORDERS`; the first, with the imports, stays the first."""
        rest = list(range(1, len(self.cells)))
        if name == "twice":
            return [place for place in (0, *rest) for _ in range(2)]
        if name == "reversed":
            rest.reverse()
        else:
            Random(seed).shuffle(rest)  # noqa: S311 - no secret
        return [0, *rest]


def moment(random: Random) -> float:
    """Seconds from `SHORTEST` to `LONGEST`, each order of magnitude as likely as the next."""
    return float(SHORTEST * (LONGEST / SHORTEST) ** random.random())


def interrupted(lesson: Lesson, seed: str, at_most: int = 10, seconds: float = inf) -> Outcome:
    """Run the lesson with up to `at_most` interrupts; begin no further cell after so many seconds."""
    random, outcome = Random(seed), Outcome()  # noqa: S311 - no secret
    end, once = monotonic() + seconds, True
    with Session(lesson.path.parent) as session:
        for place, source in enumerate(lesson.cells):
            again = True
            while again and not outcome.hung and monotonic() < end:
                after = moment(random) if random.random() < OFTEN and outcome.disturbed < at_most else None
                cell = session.run(source, interrupt_after=after)
                _note(outcome, place, after, cell)
                # Without what the first imports, there would be nothing to interrupt.
                again = cell.disturbed and (place == 0 or random.random() < OFTEN)
                once = once and not again
        _finish(session, outcome, lesson, in_order=once)
    return outcome


def killed(lesson: Lesson, seed: str, seconds: float = inf) -> Outcome:
    """Kill the kernel while a cell runs, from a random one on; or the first one after so many seconds."""
    random, outcome = Random(seed), Outcome()  # noqa: S311 - no secret
    first = random.randrange(len(lesson.cells))
    end = monotonic() + seconds
    with Session(lesson.path.parent) as session:
        for place, source in enumerate(lesson.cells):
            after = moment(random) if place >= first or monotonic() > end else None
            _note(outcome, place, after, session.run(source, kill_after=after))
            if outcome.disturbed or outcome.hung:
                break
        if session.km.is_alive():
            session.kill()
        _finish_killed(session, outcome)
    return outcome


def in_order(lesson: Lesson, name: str, seed: str, seconds: float = inf) -> Outcome:
    """Run the cells in an order of `ORDERS`; begin no further one after so many seconds."""
    outcome, end = Outcome(), monotonic() + seconds
    with Session(lesson.path.parent) as session:
        for place in lesson.order(name, seed):
            if outcome.hung or monotonic() > end:
                break
            _note(outcome, place, None, session.run(lesson.cells[place]))
        _finish(session, outcome, lesson, in_order=False)
    return outcome


def fresh(lesson: Lesson) -> list[str]:
    """Run the lesson as its tests do; gives what they complain of."""
    command = [sys.executable, "-m", "pytest", "-n0", "-q", "--color=no", "-p", "no:cacheprovider", str(lesson.path)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    return [] if run.returncode == 0 else [f"a fresh run failed: {run.stdout[-2000:]}"]


def _note(outcome: Outcome, place: int, after: float | None, end: CellEnd) -> None:
    """Write down how the cell at that place ended; cells count from 1, code cells alone."""
    outcome.disturbed += end.disturbed
    if end.disturbed:
        outcome.log.append(f"code cell {place + 1} disturbed after {after:.3f} s: {end.error[:100]}")
    elif end.error:
        outcome.log.append(f"code cell {place + 1}: {end.error[:100]}")
    if end.hung:
        outcome.hung.append(f"code cell {place + 1} did not end within {end.seconds:.0f} s: {end.hung}")


def _finish(session: Session, outcome: Outcome, lesson: Lesson, *, in_order: bool) -> None:
    for place in range(max(0, len(lesson.cells) - CLOSING), len(lesson.cells)):
        if not outcome.hung:
            _note(outcome, place, None, session.run(lesson.cells[place]))
    outcome.left += session.finish(in_order=in_order)
    outcome.servers = session.servers.seen


def _finish_killed(session: Session, outcome: Outcome) -> None:
    """Look at what is left, let the next trace sweep, and look again."""
    found = session.left_after_kill()
    subprocess.run([sys.executable, "-c", SWEEP], env=session.watch.environment, check=True, timeout=60)
    names = (path.name for path in session.watch.folder.iterdir())
    outcome.stays = sorted(re.sub(RANDOM, "*", name) for name in names)
    outcome.left += found
    outcome.servers = session.servers.seen
