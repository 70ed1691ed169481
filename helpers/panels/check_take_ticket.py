"""Lesson 07's exercise: hand out numbers, no number twice, in every schedule."""

import threading
from collections.abc import Callable
from types import SimpleNamespace

from helpers.observe.lab.program import Program
from helpers.panels.exercise import Exercise, Property
from helpers.panels.guard import Answer
from helpers.panels.schedules import try_all
from helpers.panels.verdict import Verdict


def check_take_ticket(answer: Answer) -> Verdict:
    """Check the learner's `take_ticket(shared)`.

    Args:
        answer: the learner's function; what it gets has `next`, the next number, and a `lock`.
    """
    exercise = Exercise(
        Property("one thread gets 1, then 2, then 3", _counts),
        Property("two threads that take two tickets each never get the same one, in any schedule", _twice_each),
        Property("neither do three threads", _three),
    )
    return exercise(answer)


def _office() -> SimpleNamespace:
    return SimpleNamespace(lock=threading.Lock(), next=1, given=[])


def _counts(answer: Answer) -> str | None:
    def one_after_the_other(shared: SimpleNamespace) -> None:
        for _ in range(3):
            shared.given.append(answer(shared))

    return try_all(Program(_office, [one_after_the_other], check=_given(3))).hint


def _twice_each(answer: Answer) -> str | None:
    def take_two(shared: SimpleNamespace) -> None:
        for _ in range(2):
            shared.given.append(answer(shared))

    return try_all(Program(_office, [take_two, take_two], check=_given(4))).hint


def _three(answer: Answer) -> str | None:
    def take_one(shared: SimpleNamespace) -> None:
        shared.given.append(answer(shared))

    return try_all(Program(_office, [take_one, take_one, take_one], check=_given(3))).hint


def _given(count: int) -> Callable[[SimpleNamespace], str | None]:
    def each_once(shared: SimpleNamespace) -> str | None:
        given = list(shared.given)
        if None in given:
            return "a ticket was None: does your function return the number?"
        return None if sorted(given, key=repr) == list(range(1, count + 1)) else f"the tickets given were {given}"

    return each_once
