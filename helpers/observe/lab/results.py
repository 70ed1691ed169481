"""What the lab tells: plain values that any process can unpickle and any picture be made from.

Stage.situation()  ->  Situation: its threads, what they share, who waits, what was done, how it ended
explore()          ->  Exploration: how many schedules there are, and the shortest bad one as a Finding
"""

from typing import Final, Literal, NamedTuple

from helpers.observe.waits import Waits

State = Literal["ready", "waiting", "ended", "failed"]
Kind = Literal["deadlock", "stuck", "livelock", "wrong result", "error", "ended well"]
GOOD: Final = "ended well"


class ThreadView(NamedTuple):
    """One thread of the program, between two steps.

    Attributes:
        name: the name of its function, numbered if several threads have it.
        state: "ready" if it can be stepped, "waiting" if others have to do something first, "ended" or "failed".
        next: what its next step will do, or what it waits to do; empty once it has ended.
        function: the name of its function.
        line: the line of its own function at which it stands, counted in its file; once it has failed, where.
        error: what it failed with, as "KeyError: 'a'"; else empty.
    """

    name: str
    state: State
    next: str
    function: str
    line: int | None
    error: str


class Ending(NamedTuple):
    """How a run ended.

    Attributes:
        kind: "deadlock" is a circle of waits; "stuck" is that nobody can go on, without a circle; "error" is an
            exception, or a thread that does not come back from a step.
        words: the same in a sentence or more.
    """

    kind: Kind
    words: str

    @property
    def good(self) -> bool:
        """Whether the program did what it should."""
        return self.kind == GOOD


class Situation(NamedTuple):
    """Everything between two steps.

    Attributes:
        threads: in the order of the program.
        shared: what the threads share, by name, with its value or who holds it, in words.
        waits: who holds what and who waits for what.
        steps: which thread took each step so far, by its place in `threads`.
        log: what each step did, in words.
        verdict: how the run has ended, or none while a thread can go on.
    """

    threads: tuple[ThreadView, ...]
    shared: tuple[tuple[str, str], ...]
    waits: Waits
    steps: tuple[int, ...]
    log: tuple[str, ...]
    verdict: Ending | None


class Finding(NamedTuple):
    """The first bad schedule: none has fewer steps, and none of as many has fewer switches between threads.

    A livelock is told only if there is no worse; and a bound that was met may have hidden a shorter schedule.

    Attributes:
        kind: how it ends.
        schedule: which thread takes each step; `run_schedule` replays it.
        steps: what each step does, in words.
        words: what is bad about it.
    """

    kind: Kind
    schedule: tuple[int, ...]
    steps: tuple[str, ...]
    words: str


class Exploration(NamedTuple):
    """What all schedules of a program lead to.

    Attributes:
        bad: the first bad schedule, or none.
        schedules: how many different schedules were covered, exactly; none if a loop makes them endless.
        situations: how many different situations these lead through.
        runs: how often the program was run for it.
        replayed_steps: how many steps of these runs had been taken before.
        refused: how many threads could not be ended; they are daemons, and end with the process.
        complete: whether nothing was left out; false where a bad schedule was found first.
        reason: which bound was met, if one was.
    """

    bad: Finding | None
    schedules: int | None
    situations: int
    runs: int
    replayed_steps: int
    complete: bool
    refused: int = 0
    reason: str = ""

    @property
    def words(self) -> str:
        """The outcome in a sentence or more."""
        if self.bad is not None:
            return f"After {plural(len(self.bad.schedule), 'step')}: {self.bad.words}"
        if not self.complete:
            return f"Explored {plural(self.schedules, 'schedule')}, not all: {self.reason}"
        if self.schedules is None:
            return (
                "All schedules end well. A loop that may repeat makes them endless, but every thread that is let go "
                "on comes to its end."
            )
        if self.schedules == 1:
            return "The only schedule ends well."
        return f"All {self.schedules:,} schedules end well."


def plural(count: int | None, thing: str) -> str:
    """`count` things: "1 step", "2,000 steps", "many steps"."""
    if count is None:
        return f"many {thing}s"
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
