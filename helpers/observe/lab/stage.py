"""A program on stage: its threads stand before their next steps, and go on when they are told to.

with Stage(program) as stage:
    stage.step(0)       # the first thread takes a step
    stage.situation()   # what is so now

Program --reach_of--> Reach           what its code touches
        --make------> Sharing, Home   what is shared, watched
        --threads---> Turns           real threads, parked before each shared step
"""

from collections.abc import Hashable, Sequence
from contextlib import ExitStack
from functools import partial
from types import SimpleNamespace
from typing import Self

from helpers.observe.lab.endings import ending_of, fault_of, lost_words, outside_keys
from helpers.observe.lab.home import Home
from helpers.observe.lab.naps import short_naps
from helpers.observe.lab.operations import Operation
from helpers.observe.lab.program import Program
from helpers.observe.lab.reach import Backstage, reach_of
from helpers.observe.lab.results import Ending, Situation
from helpers.observe.lab.sharing import Sharing
from helpers.observe.lab.turns import STEP_LIMIT, LostThreadError, Turn, Turns
from helpers.observe.lab.views import rows, thread_view, waits_of
from helpers.observe.lab.words import error_words, infinitive


class Stage:
    """One run of a program, step by step. Close it, or use it in a `with` block.

    Args:
        program: what to run; its threads are started, and stand at their first steps.
        step_limit: how many seconds a thread may take for one step.
        backstage: what stages of one program share, so that their situations can be compared.

    Attributes:
        steps: which thread took each step so far.
        refused: after `close`, how many threads could not be ended; they are daemons, and end with the process.

    Raises:
        TypeError: the program shares something that the lab cannot watch.
    """

    def __init__(
        self, program: Program, *, step_limit: float = STEP_LIMIT, backstage: Backstage | None = None
    ) -> None:
        self.steps: list[int] = []
        self._program = program
        self._limit = step_limit
        backstage = backstage or Backstage(reach_of(program), {})
        self._reach = backstage.reach
        self._outside = outside_keys(self._reach)
        self._ending: Ending | None = None
        self._naps = ExitStack()
        shared = program.make()
        if type(shared) is not SimpleNamespace:
            raise TypeError(f"make must give a types.SimpleNamespace, got {shared!r}: return SimpleNamespace(x=…)")
        works = [partial(self._work, place) for place in range(len(program.threads))]
        self._turns = Turns(list(zip(program.names, works, strict=True)), step_limit)
        sharing = Sharing()
        self._home = Home(self._turns, sharing, self._reach, backstage.interned)
        self._root = sharing(self._home, shared, "")
        self._start()

    def __enter__(self) -> Self:
        """The stage itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    @property
    def refused(self) -> int:
        """How many threads could not be ended."""
        return self._turns.refused

    @property
    def is_lost(self) -> bool:
        """Whether a thread has not come back from its step; then nothing can go on."""
        return self._turns.lost is not None

    @property
    def log(self) -> tuple[str, ...]:
        """What each step did, in words."""
        return tuple(self._home.log)

    @property
    def ready(self) -> tuple[int, ...]:
        """The threads that can be stepped."""
        if self._ending is not None:
            return ()
        return tuple(t.place for t in self._turns.all if t.operation is not None and t.operation.ready)

    @property
    def ending(self) -> Ending | None:
        """How the run has ended; none while a thread can go on."""
        if self._ending is None:
            self._ending = fault_of(self._home, self._outside) or ending_of(self._program, self._home, self._root)
        return self._ending

    @property
    def histories(self) -> tuple[int, ...]:
        """A number for all that each thread has met with."""
        return tuple(position.history for position in self._home.positions)

    def key(self) -> Hashable:
        """Equal for two stages of one program if nothing can tell their futures apart."""
        things = self._home.things
        contents = [(thing.lab_birth, thing.lab_content()) for thing in things]
        return (self.histories, tuple(sorted(contents, key=lambda content: content[0])))

    def step(self, place: int) -> Situation:
        """Let a thread do what it stands before, and go on to its next step.

        Raises:
            ValueError: there is no such thread, or it cannot go on.
        """
        self.advance(place)
        return self.situation()

    def advance(self, place: int) -> None:
        """As `step`, without a word on what is so afterwards."""
        if place not in self.ready:
            raise ValueError(self._refusal(place))
        turn = self._turns.all[place]
        self.steps.append(place)
        self._go_on(turn)
        if turn.error is not None:
            words = error_words(turn.error)
            if not self._home.log[-1].endswith(words):
                self._home.log[-1] += f"; then fails: {words}"

    def situation(self) -> Situation:
        """What is so now."""
        turns = self._turns.all
        return Situation(
            threads=tuple(thread_view(t, work) for t, work in zip(turns, self._program.threads, strict=True)),
            shared=tuple(rows(self._root)),
            waits=waits_of(self._home),
            steps=tuple(self.steps),
            log=self.log,
            verdict=self.ending,
        )

    def close(self) -> None:
        """End all threads. Calling it twice does no harm."""
        self._turns.close()
        self._home.forget()
        self._naps.close()

    def _start(self) -> None:
        for turn in self._turns.all:
            turn.nap = self._nap
        self._naps.enter_context(short_naps(self._reach.namespaces))
        try:
            for turn in self._turns.all:
                if self._ending is None:
                    self._go_on(turn)
        except BaseException:
            self.close()
            raise

    def _go_on(self, turn: Turn) -> None:
        try:
            self._turns.go_on(turn)
        except LostThreadError:
            self._ending = Ending("error", lost_words(self._program, turn, self._limit))

    def _work(self, place: int) -> None:
        self._program.threads[place](self._root)

    def _nap(self, seconds: float) -> None:
        self._home.perform(Operation("sleeps", f"{seconds:g} s"), _nothing)

    def _refusal(self, place: int) -> str:
        turns = self._turns.all
        if not 0 <= place < len(turns):
            return f"there are {len(turns)} threads, 0 to {len(turns) - 1}: got {place}"
        if self.ending is not None:
            return f"{turns[place].name} cannot go on, the run has ended: {self.ending.words}"
        operation = turns[place].operation
        does = f"has to {infinitive(operation.words)}" if operation else "has ended"
        return f"{turns[place].name} cannot go on: it {does}"


def run_schedule(program: Program, schedule: Sequence[int]) -> Situation:
    """Run `program` with its steps taken by these threads, in this order; give what is so afterwards.

    Raises:
        ValueError: a thread cannot take its step.
        TypeError: the program shares something that the lab cannot watch.
    """
    with Stage(program) as stage:
        for place in schedule:
            stage.advance(place)
        return stage.situation()


def _nothing() -> None:
    """Take no time."""
