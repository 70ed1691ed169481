"""Lesson 13's exercise: let several processes change an array in shared memory, and clean up; tried in a sandbox.

    the kernel     checks what came back, who worked on which rows, and which blocks are still there
    a sandbox      calls the learner's function, which may crash: an array outlives its block all too easily
    its workers    say which rows they were given, wait for each other, and call the target: see `row_calls`

Whatever goes wrong, the learner gets one hint, and no shared memory is left.
"""

import multiprocessing
import os
import re
from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np

from helpers.observe.reading import Span
from helpers.observe.row_calls import Together, rows_of
from helpers.observe.trace import Trace
from helpers.panels.block_watch import blocks_noted, lies_in_block, sweep
from helpers.panels.exercise import Exercise, Property
from helpers.panels.guard import Answer, guarded
from helpers.panels.sandbox import Outcome, run_in_sandbox
from helpers.panels.verdict import Verdict

Array = np.ndarray[Any, np.dtype[Any]]
Target = Callable[..., object]

_LIMIT: Final = 20.0  # seconds
_GUARD: Final = 50.0  # seconds for a try with all that it needs; a cell of a lesson has 60 in a test
_PATIENCE: Final = 10.0  # seconds that a worker waits for the others, which may have to import numpy first
_COPY: Final = "Copy what you give back while the block is open: shared.copy()."
_CURES: Final = {
    "exported pointers": "An array of frombuffer still holds the block; np.ndarray(…, buffer=block.buf) does not.",
    "No such file": "A block cannot be found once it is unlinked: wait for the processes first.",
    "NotImplementedError": "Write its body in the cell above.",
}


class _Task(NamedTuple):
    """What a learner's function is to do."""

    target: Target
    array: Array
    workers: int
    method: str | None = None
    """How processes are started; None for the system's own way."""


class _Returned(NamedTuple):
    """What came of a call in the sandbox."""

    value: object
    """None if it is an array that lies in a block."""
    fault: str | None
    """What was found wrong with it there."""
    pid: int


def check_in_place(answer: Answer, target: Target) -> Verdict:
    """Check the learner's `in_place(target, array, workers)`.

    Args:
        answer: the learner's function.
        target: a function of a module, called as `target(label, first, end)`, that doubles these rows of the array in
            shared memory under the label.
    """
    even, odd = np.arange(24.0).reshape(8, 3) + 1, np.arange(14, dtype="int32").reshape(7, 2) + 1
    first = Exercise()(answer)
    if not first.good:  # it is the stub, or no function
        return first
    properties = []
    for says, task in (
        ("two processes worked side by side, and every number was doubled", _Task(target, even, 2)),
        ("seven rows were split among three of them, each row once", _Task(target, odd, 3)),
        ("it works where processes are spawned, too", _Task(target, even, 2, "spawn")),
        ("no shared memory and no process was left", None),  # each try has looked for both
    ):
        # Not by the exercise itself, whose limit is short for processes that import numpy on a busy machine.
        hint = guarded(partial(_try, task=task), answer, _GUARD) if task else None
        properties.append(Property(says, partial(_known, hint)))
        if hint:
            break
    return Exercise(*properties)(answer)


def _known(hint: str | None, _: Answer) -> str | None:
    return hint


def _try(answer: Answer, task: _Task) -> str | None:
    with Trace() as trace:
        outcome = run_in_sandbox(_called, answer, trace, task, _PATIENCE, limit=_LIMIT)
    left = sweep(trace)
    hint = _went_wrong(outcome) or _with_last_words(
        _wrong_use(trace, outcome, task) or _wrong(outcome, task), outcome
    )
    if not hint and left:
        hint = "A block of shared memory was still there when your function returned: unlink() it, in a finally."
    return f"Where processes are spawned, as on Windows and macOS: {hint}" if hint and task.method else hint


def _called(answer: Answer, trace: Trace, task: _Task, patience: float) -> _Returned:
    """Runs in the sandbox."""
    multiprocessing.set_start_method(task.method, force=True)
    target = Together(trace, task.workers, patience, task.target)
    with blocks_noted(trace):
        value = answer(target, task.array.copy(), task.workers)
    fault = None
    if multiprocessing.active_children():
        fault = "A process was still at work when your function returned: join() them all, and only then copy."
    elif lies_in_block(value):
        fault, value = f"What you gave back still lies in the block. {_COPY}", None
    return _Returned(value, fault, os.getpid())


def _went_wrong(outcome: Outcome) -> str | None:
    if outcome.kind == "out of time":
        return f"It had not ended after {_LIMIT:g} seconds: what does it wait for?"
    if outcome.kind == "died":
        return (
            f"It crashed ({outcome.exitcode}): was an array used after its block was closed? {_COPY} "
            "A block that no variable holds closes itself."
        )
    if outcome.kind == "failed":
        cure = next((cure for words, cure in _CURES.items() if words in (outcome.error or "")), "")
        return f"It failed with {outcome.error}. {cure}".strip()
    fault: str | None = outcome.value.fault
    return fault


def _with_last_words(hint: str | None, outcome: Outcome) -> str | None:
    """Add to a hint what a worker complained of; it ended unseen."""
    errors = [line for line in outcome.output.splitlines() if re.match(r"\w+Error", line)]
    return f"{hint} A process failed, and its last words were: {errors[-1]}" if hint and errors else hint


def _wrong_use(trace: Trace, outcome: Outcome, task: _Task) -> str | None:
    """What is wrong with how the rows were given to processes."""
    lanes = [lane for lane in trace.lanes() if lane.spans]
    spans = [span for lane in lanes for span in lane.spans]
    if not spans:
        return "The target was never called: Process(target=target, args=(label, first, end))."
    if any(lane.pid == outcome.value.pid for lane in lanes):
        return "The target was called in your own process: hand it to a Process, uncalled."
    processes = len({lane.pid for lane in lanes})
    if processes < 2 or not _overlap(spans):
        return "Only one process was at work at a time: start() them all, and only then join() them all."
    if processes != task.workers:
        return (
            f"workers was {task.workers}, and the target was called {len(spans)} times, by {processes} processes: "
            "one part, and one process, for each."
        )
    return _wrong_rows(spans, len(task.array))


def _wrong_rows(spans: list[Span], rows: int) -> str | None:
    given = [row for span in spans for row in rows_of(span)]
    if twice := sorted({row for row in given if given.count(row) > 1}):
        return f"Row {twice[0]} was given away twice: a part ends before the row at which the next begins."
    if missing := sorted(set(range(rows)) - set(given)):
        return f"Of {rows} rows nobody was given row {missing[0]}: what of those that are left over?"
    return None


def _overlap(spans: list[Span]) -> bool:
    first, *others = sorted(spans, key=lambda span: span.start)
    return any(span.start < (first.end or 0) for span in others)


def _wrong(outcome: Outcome, task: _Task) -> str | None:
    given, array = outcome.value.value, task.array
    if given is None:
        return "It gives back None: does it end with return?"
    if not isinstance(given, np.ndarray):
        return f"An array is asked for, and this came back: {given!r:.80}"
    if given.shape != array.shape or given.dtype != array.dtype:
        return f"The array was {array.shape} of {array.dtype}; yours is {given.shape} of {given.dtype}."
    if np.array_equal(given, 2 * array):
        return None
    if np.array_equal(given, array):
        return "Nothing is doubled in what you gave back. Copy it out of the block when the processes have ended."
    return "Not every number is doubled, and only once: put the array into the block before the processes start."
