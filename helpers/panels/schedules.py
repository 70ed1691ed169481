"""Try every order in which a program's threads can take their steps, and answer in words.

    try_all(program)        # ✔ All 20 schedules end well.

    try_all(program)        # ✖ Deadlock after 2 steps:
                            #     1. f1 acquires lock_x
                            #     2. f2 acquires lock_y
                            #     Deadlock: f1 holds lock_x and waits for lock_y; f2 ...

The program runs in a process of its own, so nothing that it does hurts the kernel. `helpers.panels.lab` shows the
same, step by step.
"""

from dataclasses import dataclass
from typing import Final

from helpers.observe.lab.program import Program
from helpers.observe.lab.results import Exploration, plural
from helpers.panels.lab_process import explored_now
from helpers.panels.verdict import Verdict

_MOST_STEPS: Final = 12  # that a hint tells; of more, the last ones


class Bad(Verdict):
    """A verdict that is more than not yet right."""

    __slots__ = ()
    _mark = "✖"


@dataclass(frozen=True, slots=True, repr=False)
class Schedules:
    """What all schedules of a program lead to, in the same words in every run.

    Attributes:
        exploration: all that was found out.
    """

    exploration: Exploration

    def __repr__(self) -> str:
        """The answer as plain text."""
        return repr(self._verdict())

    def _repr_html_(self) -> str:
        """The answer, with the steps of a bad schedule."""
        return self._verdict()._repr_html_()

    @property
    def good(self) -> bool:
        """Whether all schedules were tried, and all end well."""
        return self.exploration.bad is None and self.exploration.complete

    @property
    def kind(self) -> str:
        """How the bad schedule ends, as "deadlock"; "ended well" if there is none; "not all" if nobody knows."""
        bad = self.exploration.bad
        return bad.kind if bad else "ended well" if self.exploration.complete else "not all"

    @property
    def steps(self) -> tuple[str, ...]:
        """What each step of the bad schedule does; none if there is none."""
        return self.exploration.bad.steps if self.exploration.bad else ()

    @property
    def words(self) -> str:
        """The outcome in a sentence or more, without the steps."""
        return self.exploration.words

    @property
    def hint(self) -> str | None:
        """What a learner should know of the bad schedule, or of schedules not tried; None if all end well."""
        bad = self.exploration.bad
        if bad is None:
            return None if self.good else self.words
        told = "; ".join(("…",) * (len(bad.steps) > _MOST_STEPS) + bad.steps[-_MOST_STEPS:])
        return f"There is a schedule that goes wrong: {told}. {bad.words}"

    def _verdict(self) -> Verdict:
        bad = self.exploration.bad
        if bad is None:
            return Verdict(self.good, self.words)
        steps = (f"{number}. {words}" for number, words in enumerate(bad.steps, 1))
        heading = f"{bad.kind.capitalize()} after {plural(len(bad.steps), 'step')}:"
        return Bad(good=False, heading=heading, lines=(*steps, bad.words))


def try_all(program: Program, *, limit: float = 10.0) -> Schedules:
    """Try all schedules of `program`, or as many as can be tried within `limit` seconds.

    Raises:
        TypeError: the program holds something that the lab does not know, or that cannot be sent to a process.
        ValueError: it cannot be run otherwise; or it ended its process, or never came to an end.
    """
    return Schedules(explored_now(program, limit))
