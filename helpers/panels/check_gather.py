"""Lesson 10's exercise: gather what several processes put into a queue, however much it is."""

import multiprocessing
import os
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from helpers.panels.exercise import Exercise, Property
from helpers.panels.guard import Answer
from helpers.panels.verdict import Verdict

Target = Callable[[Any, int], object]

SMALL: Final = (3, 1, 2)
LARGE: Final = (2_000_000, 1_000_000)  # many times what a pipe holds


def check_gather(answer: Answer, target: Target) -> Verdict:
    """Check the learner's `gather(target, sizes)`.

    Args:
        answer: the learner's function.
        target: a function of a module that puts so many bytes into a queue.
    """
    exercise = Exercise(
        Property("the lengths of three small answers come back, sorted", lambda a: _gathers(a, target, SMALL)),
        Property("two large answers do not make it hang", lambda a: _gathers(a, target, LARGE)),
        Property("the answers came from processes of their own, and all have ended", lambda a: _elsewhere(a, target)),
    )
    return exercise(answer)


def _gathers(answer: Answer, target: Target, sizes: tuple[int, ...]) -> str | None:
    got = answer(target, sizes)
    if got is None:
        return "Your function gives back None: does it end with return?"
    if not isinstance(got, list | tuple):
        return f"A list of lengths is asked for, and this came back: {got!r:.80}"
    if list(got) == sorted(sizes):
        return None
    if sorted(map(repr, got)) == sorted(map(repr, sizes)):
        return "The right lengths, but not sorted."
    return f"For the sizes {list(sizes)} the answer is {sorted(sizes)}; yours is {got!r:.80}."


def _elsewhere(answer: Answer, target: Target) -> str | None:
    calls: list[int] = []
    answer(partial(_noted, target, os.getpid(), calls), SMALL)
    if calls:
        return "The target was called in this process: hand Process the function, target=target, args=(queue, size)."
    if multiprocessing.active_children():
        return "A process had not ended when your function returned: join() each, after you have got what it put."
    return None


def _noted(target: Target, home: int, calls: list[int], queue: Any, size: int) -> None:  # noqa: ANN401 (any queue)
    if os.getpid() == home:
        calls.append(size)
    target(queue, size)
