"""Run a program by all its schedules, or as many as there is time for.

A run is replayed from its start to the nearest situation from which a step has not been tried, and goes on until it
ends or comes into a situation that is known: what lies behind that has been, or will be, tried from there. So every
step from every situation is taken once, and all schedules are covered, though most are never run as such.
"""

from collections.abc import Sequence
from time import monotonic
from typing import Final

from helpers.observe.lab.livelocks import fair_circle
from helpers.observe.lab.program import Program
from helpers.observe.lab.reach import Backstage, reach_of
from helpers.observe.lab.results import Exploration, Finding, plural
from helpers.observe.lab.situations import Node, Situations
from helpers.observe.lab.stage import Stage
from helpers.observe.lab.turns import STEP_LIMIT

MOST_RUNS: Final = 20_000
MOST_SECONDS: Final = 10.0
LONGEST: Final = 200
_ROUNDS: Final = 25
_MOST_REFUSED: Final = 20


def explore(
    program: Program,
    *,
    most_runs: int = MOST_RUNS,
    most_seconds: float = MOST_SECONDS,
    longest: int = LONGEST,
    step_limit: float = STEP_LIMIT,
) -> Exploration:
    """Find the first bad schedule of `program`, or that there is none.

    Args:
        program: what to run.
        most_runs: after how many runs to give up.
        most_seconds: after how many seconds to give up.
        longest: how many steps a schedule may have.
        step_limit: how many seconds a thread may take for one step.

    Raises:
        TypeError: the program shares something that the lab cannot watch.
        ValueError: it does not always do the same under the same schedule.
    """
    explorer = _Explorer(program, step_limit, longest)
    deadline = monotonic() + most_seconds
    reason = ""
    while explorer.goes_on():
        if explorer.runs >= most_runs:
            reason = f"there are more than {plural(most_runs, 'run')} to do."
        elif monotonic() >= deadline:
            reason = f"there is more to do than {most_seconds:g} s allow."
        elif explorer.refused > _MOST_REFUSED:
            reason = "its threads catch the exception that ends a run, and go on: write `except Exception:`."
        if reason:
            break
        explorer.run()
    return explorer.outcome(reason)


class _Explorer:
    def __init__(self, program: Program, step_limit: float, longest: int) -> None:
        self.runs = self.refused = 0
        self._program = program
        self._step_limit = step_limit
        self._longest = longest
        self._replayed = 0
        self._backstage = Backstage(reach_of(program), {})
        self._known = Situations()
        self._lost: Finding | None = None

    def goes_on(self) -> bool:
        """Whether a step has not been tried yet that could lead to a bad end nearer than the nearest known."""
        if not self.runs:
            return True
        nearest = self._known.shallowest()
        bad = self._known.first_bad()
        return (
            nearest is not None
            and self._lost is None
            and nearest[0].depth < self._longest
            and (bad is None or nearest[0].depth + 1 < bad.depth)
        )

    def run(self) -> None:
        """Take the step nearest to the start that has not been tried, and all those behind it that are new."""
        self.runs += 1
        stage = self._staged()
        try:
            node, _ = self._met(stage, 0)
            nearest = self._known.shallowest()
            if nearest is not None:
                node, thread = nearest
                self._replay(stage, self._known.way_to(node))
                self._go_on(stage, node, thread)
            if stage.is_lost and stage.ending is not None:
                self._lost = Finding("error", tuple(stage.steps), stage.log, stage.ending.words)
        finally:
            stage.close()
            self.refused += stage.refused

    def outcome(self, reason: str) -> Exploration:
        """What has been found."""
        known = self._known
        bad = self._lost or self._bad_end() or self._livelock()
        nearest = known.shallowest()
        if bad is None and not reason and nearest is not None:
            reason = f"a schedule may have more than {plural(self._longest, 'step')}."
        return Exploration(
            bad=bad,
            schedules=known.count_schedules(),
            situations=len(known.nodes),
            runs=self.runs,
            replayed_steps=self._replayed,
            complete=nearest is None,
            refused=self.refused,
            reason=reason,
        )

    def _staged(self) -> Stage:
        return Stage(self._program, step_limit=self._step_limit, backstage=self._backstage)

    def _met(self, stage: Stage, depth: int) -> tuple[Node, bool]:
        """The situation in which the stage is, and whether it is new."""
        key = stage.key()
        node = self._known.find(key)
        if node is not None:
            return node, False
        if not stage.steps and self.runs > 1:
            raise ValueError(_unsteady("make() has given something else than before"))
        return self._known.add(key, stage.histories, stage.ready, stage.ending, depth), True

    def _replay(self, stage: Stage, way: Sequence[tuple[Node, int]]) -> None:
        for node, thread in way:
            _check_steady(stage, node)
            stage.advance(thread)
            self._replayed += 1

    def _go_on(self, stage: Stage, node: Node, thread: int) -> None:
        is_new = True
        while is_new and node.depth < self._longest:
            _check_steady(stage, node)
            stage.advance(thread)
            after, is_new = self._met(stage, node.depth + 1)
            self._known.link(node, thread, after)
            if after.ending is not None:
                return
            node = after
            thread = thread if thread in node.ready else node.ready[0]

    def _bad_end(self) -> Finding | None:
        node = self._known.first_bad()
        if node is None or node.ending is None:
            return None
        schedule = self._known.best_way(node.depth)
        with self._staged() as stage:
            for thread in schedule:
                stage.advance(thread)
            situation = stage.situation()
        ending = situation.verdict or node.ending
        return Finding(ending.kind, schedule, situation.log, ending.words)

    def _livelock(self) -> Finding | None:
        found = fair_circle(self._known)
        if found is None:
            return None
        way, circle = found
        with self._staged() as stage:
            for thread in way:
                stage.advance(thread)
            before = stage.key()
            for _ in range(_ROUNDS):
                for thread in circle:
                    stage.advance(thread)
                if stage.key() != before:
                    raise ValueError(_unsteady("the same steps have come out otherwise"))
            situation = stage.situation()
        schedule = way + circle
        words = (
            f"Livelock: after step {len(schedule)} everything is as after step {len(way)}; "
            f"{'this step' if len(circle) == 1 else f'these {len(circle)} steps'} can go on for ever."
        )
        if situation.waits.is_deadlock:
            return Finding("deadlock", schedule, situation.log[: len(schedule)], situation.waits.words)
        return Finding("livelock", schedule, situation.log[: len(schedule)], words)


def _check_steady(stage: Stage, node: Node) -> None:
    if (stage.histories, stage.ready) != (node.histories, node.ready):
        last = f": {stage.log[-1]}" if stage.log else ""
        raise ValueError(_unsteady(f"after the same {plural(len(stage.steps), 'step')} it stands elsewhere{last}"))


def _unsteady(what: str) -> str:
    return (
        f"the program is not deterministic, {what}: leave out random numbers, clocks and ids, or share them by make()"
    )
