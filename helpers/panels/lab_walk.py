"""A program on the lab's stage: what its steps so far have led through, and what all schedules lead to."""

from collections.abc import Sequence

from helpers.observe.lab.program import Program
from helpers.observe.lab.results import Exploration, Situation
from helpers.panels.lab_process import explored, walked


class Walk:
    """A walk through one schedule of `program`, step by step.

    What is asked of the program is asked of a process of its own; its methods raise what `lab_process.walked` raises,
    and if they are cancelled, everything is as it was.

    Attributes:
        program: as given.
        path: the situations so far, the first one before any step; empty until `begin`.
        exploration: what `explore` has found, or None.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.path: list[Situation] = []
        self.exploration: Exploration | None = None

    @property
    def bad(self) -> tuple[int, ...]:
        """The bad schedule that was found; empty if none was."""
        found = self.exploration.bad if self.exploration else None
        return found.schedule if found else ()

    async def begin(self) -> None:
        """Make sure that there is a first situation."""
        if not self.path:
            self.path = await walked(self.program, (), -1)

    def can_step(self, thread: int) -> bool:
        """Whether thread number `thread` can take a step."""
        return bool(self.path) and self.path[-1].threads[thread].state == "ready"

    async def step(self, thread: int) -> None:
        """Let thread number `thread` take a step, if it can."""
        if self.can_step(thread):
            steps = self.path[-1].steps
            self.path += await walked(self.program, (*steps, thread), len(steps))

    async def ahead(self, schedule: Sequence[int]) -> list[Situation]:
        """The situations that `schedule` leads through, after the first."""
        await self.begin()
        return await walked(self.program, schedule, 0)

    def back(self) -> None:
        """Take the last step back, if there is one."""
        if len(self.path) > 1:
            self.path.pop()

    def reset(self) -> None:
        """Take all steps back."""
        del self.path[1:]

    async def explore(self, seconds: float) -> Exploration:
        """Try all schedules, or as many as can be tried within `seconds`."""
        self.exploration = await explored(self.program, seconds)
        return self.exploration
