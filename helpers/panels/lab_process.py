"""Ask the lab's engine, which runs in a process of its own, so that no program can hurt the kernel.

    situations = await walked(program, (0, 1), known=-1)     # the cell's functions travel by cloudpickle
    exploration = await explored(program, seconds=10)
    exploration = explored_now(program, seconds=10)          # the same, where nobody can await

Each question gets a process, which is gone with its answer; measured, it takes 45 ms. If whoever waits for an
answer is cancelled, the process is ended. While a process works, the kernel's event loop is free.
"""

import asyncio
import pickle
from collections.abc import Sequence
from time import monotonic
from typing import Any, Final, cast

from helpers.observe.confined import Parcel, Target
from helpers.observe.disposable import Disposable, exit_words
from helpers.observe.lab.program import Program
from helpers.observe.lab.results import Exploration, Situation
from helpers.observe.lab.service import Refusal, search, walk
from helpers.panels.sending import by_value

START_LIMIT: Final = 30.0
"""Seconds for a process to start, which a busy machine may need, and to answer what needs next to no time."""

_LOOK_EVERY: Final = 0.004  # seconds between two looks whether an answer has come: a fifth of a step's price


async def walked(program: Program, schedule: Sequence[int], known: int) -> list[Situation]:
    """Every situation of `schedule` that has more than `known` steps; -1: from the one before any step.

    Raises:
        TypeError: the program holds something that the lab does not know, or that cannot be sent to a process.
        ValueError: it cannot be run otherwise; or it ended its process, or never came to an end.
    """
    return cast("list[Situation]", await _asked(walk, (program, tuple(schedule), known), START_LIMIT))


async def explored(program: Program, seconds: float) -> Exploration:
    """What all schedules lead to, or those that can be tried within `seconds`; raises as `walked` does."""
    return cast("Exploration", await _asked(search, (program, seconds), START_LIMIT + seconds))


def explored_now(program: Program, seconds: float) -> Exploration:
    """As `explored`, and waits for it."""
    limit = START_LIMIT + seconds
    with _started(search, (program, seconds)) as process:
        answer = process.receive(limit)
        return cast("Exploration", _opened(process, answer, limit))


async def _asked(target: Target, question: object, limit: float) -> object:
    deadline = monotonic() + limit
    with _started(target, question) as process:
        while True:
            # In this order: it may answer and end between two looks.
            over = process.exitcode is not None or monotonic() > deadline
            answer = process.receive(0)
            if answer is not None or over:
                return _opened(process, answer, limit)
            await asyncio.sleep(_LOOK_EVERY)


def _started(target: Target, question: object) -> Disposable:
    try:
        return Disposable(target, Parcel(question, by_value))
    except TypeError as error:
        raise TypeError(f"{error} Or let make() make it: what make() makes is what the threads share.") from error


def _opened(process: Disposable, answer: bytes | None, limit: float) -> object:
    """What has been answered.

    Raises:
        TypeError: it was refused for what the program holds.
        ValueError: it was refused, or there is no answer.
    """
    if answer is None and process.exitcode is not None:
        raise ValueError(f"the program ended the process it ran in ({exit_words(process.exitcode)}): threads return")
    if answer is None:
        raise ValueError(f"the program gave no answer within {limit:g} s: does a thread of it loop for ever?")
    content: Any = pickle.loads(answer)  # noqa: S301 (our own child's)
    if not isinstance(content, Refusal):
        return content
    if content.kind == TypeError.__name__:
        raise TypeError(content.words)
    raise ValueError(content.words if content.kind == ValueError.__name__ else f"{content.kind}: {content.words}")
