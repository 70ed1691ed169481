"""Compare the lab's explorer with its peers on the same programs, some known to be bad and some known to be good.

    uv run --all-groups python -m benchmarks.lab

Each cell is run in a process of its own with a time limit, and says what was found, after how many runs of the
program, in how many seconds. "proved" means that the tool itself says that it has left nothing out; "nothing found"
that it has tried what it was asked to, without such a claim. On a program known to be good, only these two are right.
"raised" is what came out of the tool; where it is the program's own exception, the fault was found.

- The lab takes small programs that share things by way of one namespace. It stops them at shared operations, merges
  equal situations, gives the shortest bad schedule, and also finds circles that can be gone round for ever.
- frontrun (MPL 2.0) takes any code as it is, stops it at each bytecode and skips orders that make no difference
  (DPOR), by default with two preemptions at most, here without that bound too. It does not say whether it has left
  anything out.
- interleave-test (MIT, Python 3.12 or later) takes any code as it is, stops it at each bytecode, and chooses by
  chance, or in order with two preemptions at most ("dfs"); "proved" there holds for that bound only.

The peers need no special form of program, see what is shared anywhere, and frontrun sees databases, processes and
asyncio too: for testing an application they are the tools. For a program of a lesson the lab is the one that says
"all schedules", in time that a learner does not notice, with steps that can be read.
"""

import multiprocessing
import os
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from importlib.util import find_spec
from io import StringIO
from multiprocessing.connection import Connection
from time import perf_counter
from typing import Final, NamedTuple

from benchmarks.report import Aim, aims_table, machine
from helpers.observe.lab.exploring import explore
from helpers.observe.lab.program import Program
from tests.observe.lab import programs

LIMIT: Final = 20.0
SECONDS: Final = 15.0
BAD: Final = 9  # of the programs in ROWS, which come first
WRONG: Final = ("nothing found", "raised", "still busy", "its process")


class Found(NamedTuple):
    """What a tool says of a program."""

    words: str
    runs: int


def lab(program: Program) -> Found:
    """Our explorer."""
    exploration = explore(program, most_seconds=SECONDS)
    if exploration.bad is not None:
        return Found(f"{exploration.bad.kind} in {len(exploration.bad.schedule)} steps", exploration.runs)
    return Found("proved" if exploration.complete else "nothing found", exploration.runs)


def _holds(program: Program, shared: object) -> bool:
    """Whether the program's own check says so; it may say nothing, or raise."""
    try:
        return program.check is None or program.check(shared) in {None, True}
    except AssertionError:
        return False


def frontrun(program: Program, bound: int | None) -> Found:
    """Explore by partial order reduction, with so many preemptions at most."""
    os.environ["FRONTRUN_ACTIVE"] = "1"  # what its command line sets; without it, it refuses to explore
    import frontrun as peer  # noqa: PLC0415 (it changes the process it is imported in)

    result = peer.explore(
        setup=program.make,
        workers=list(program.threads),
        invariant=partial(_holds, program),
        preemption_bound=bound,
        reproduce_on_failure=0,
        detect_io=False,
        total_timeout=SECONDS,
    )
    if result.property_holds is None:
        return Found("inconclusive", result.num_explored)
    if result.property_holds:
        return Found("proved" if result.exhausted else "nothing found", result.num_explored)
    return Found("deadlock" if "deadlock" in (result.explanation or "").lower() else "failure", result.num_explored)


def interleave_test(program: Program, strategy: str) -> Found:
    """Explore by chance, or all schedules with two preemptions at most."""
    import interleave_test as peer  # noqa: PLC0415 (it is not there before Python 3.12)

    def model() -> None:
        shared = program.make()
        tasks = [peer.spawn(work, shared) for work in program.threads]
        for task in tasks:
            task.join()
        assert _holds(program, shared)  # noqa: S101 (its way to say no)

    limits = {"iterations": 1_000} if strategy == "random" else {"iterations": 1_000_000, "max_preemptions": 2}
    result = peer.explore(model, strategy=strategy, seed=1, raise_on_failure=False, **limits)
    if result.failure is not None:
        return Found(result.failure.kind, result.schedules_run)
    return Found("proved" if result.exhausted else "nothing found", result.schedules_run)


TOOLS: Final[dict[str, Callable[[Program], Found]]] = {
    "**the lab**": lab,
    "frontrun, 2 preemptions": partial(frontrun, bound=2),
    "frontrun, any": partial(frontrun, bound=None),
    "interleave-test, random": partial(interleave_test, strategy="random"),
    "interleave-test, dfs": partial(interleave_test, strategy="dfs"),
}
ROWS: Final = {
    "two locks": programs.TWO_LOCKS,
    "philosophers": programs.PHILOSOPHERS,
    "lost update": programs.LOST_UPDATE,
    "lost update of three": programs.LOST_UPDATE_OF_3,
    "check, then set": programs.CHECK_THEN_SET,
    "missed notify": programs.MISSED_NOTIFY,
    "loop while inserting": programs.LOOP_WHILE_INSERTING,
    "holder failed": programs.HOLDER_FAILED,
    "back off alike": programs.BACK_OFF,
    "two locks, in order": programs.IN_ORDER,
    "philosophers, in order": programs.ORDERLY_PHILOSOPHERS,
    "update of three, locked": programs.NO_LOST_UPDATE_OF_3,
    "check, then set, locked": programs.CHECKED_UNDER_LOCK,
    "notify, with a predicate": programs.PREDICATE,
    "one backs off": programs.ONE_BACKS_OFF,
}


def measured(tool: str, row: str) -> str:
    """What `tool` says of the program in `row`, as a table's cell."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("spawn").Process(target=_run, args=(tool, row, sender), daemon=True)
    child.start()
    sender.close()
    try:
        cell = receiver.recv() if receiver.poll(LIMIT) else f"still busy after {LIMIT:g} s"
    except EOFError:
        cell = "its process died"
    child.kill()
    child.join()
    return str(cell)


def _run(tool: str, row: str, sender: Connection) -> None:
    warnings.simplefilter("ignore")
    started = perf_counter()
    try:
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            found = TOOLS[tool](ROWS[row])
        cell = f"{found.words}, {found.runs:,} runs, {perf_counter() - started:.2f} s"
    except BaseException as error:  # noqa: BLE001 (what a peer raises is part of the comparison)
        cell = f"raised {type(error).__name__} after {perf_counter() - started:.2f} s"
    sender.send(cell)
    os._exit(0)  # threads that a peer has left must not hold it up


def main() -> None:
    """Print the table."""
    tools = [tool for tool in TOOLS if not tool.startswith("interleave") or find_spec("interleave_test")]
    print(f"{machine()}; the first {BAD} programs are bad, the others good\n")
    print(f"| program | {' | '.join(tools)} |", f"|---|{'---|' * len(tools)}", sep="\n")
    right = 0
    for place, row in enumerate(ROWS):
        cells = [measured(tool, row) for tool in tools]
        right += cells[0].startswith("proved") == (place >= BAD) and not cells[0].startswith(WRONG)
        print(f"| {row} |", " | ".join(cells), "|", flush=True)
    if len(tools) < len(TOOLS):
        print("\ninterleave-test is not installed: it needs Python 3.12 or later.")
    print("", aims_table([Aim("the lab: programs it is wrong or silent about", len(ROWS) - right, 0.0)]), sep="\n")


if __name__ == "__main__":
    main()
