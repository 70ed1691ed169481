"""Lesson 01's exercise: find the longest gap between the ticks of a heartbeat."""

from math import isclose
from typing import Final

from helpers.panels.exercise import Exercise, Property
from helpers.panels.guard import Answer, is_number

_TICKS: Final = (5.0, 5.1, 5.2, 7.2, 7.3)
_LONGEST: Final = 2.0
# What comes out of the usual detours, and what to say of each.
_DETOURS: Final = (
    (2.3, "That is the whole time from the first tick to the last: the longest single gap is asked for."),
    (29.8, "That is the sum of the ticks themselves: look at the differences between neighbours."),
    (7.3, "That is the last tick: a gap is the difference between a tick and the one before it."),
    (4, "That is how many gaps there are: how long is the longest of them?"),
    (5, "That is how many ticks there are: how long is the longest gap between two of them?"),
    (0.1, "That is the shortest gap: the longest one is asked for."),
    (2.3 / 4, "That is the average gap: the longest one is asked for, for that is what a user feels."),
    (-0.1, "Your gaps are negative: take the earlier tick from the later one."),
    (-2.0, "Your gaps are negative: take the earlier tick from the later one."),
    (2000.0, "That is the longest gap in milliseconds: the ticks are in seconds, so give back seconds."),
)


def _finds_it(answer: Answer) -> str | None:
    gap = answer(list(_TICKS))
    if gap is None:
        return "Your function gives back None: does it end with return?"
    if not is_number(gap):
        return f"Your function gives back {gap!r}: one number is asked for, the longest gap in seconds."
    if isclose(gap, _LONGEST, abs_tol=1e-6):
        return None
    for value, words in _DETOURS:
        if isclose(gap, value, abs_tol=1e-6):
            return words
    return f"For the ticks {list(_TICKS)} the longest gap is {_LONGEST}, from 5.2 to 7.2; your function says {gap:g}."


def _finds_it_anywhere(answer: Answer) -> str | None:
    places = {"at the start": [0.0, 3.0, 3.1, 3.2], "at the end": [0.0, 0.1, 0.2, 3.2], "alone": [1.0, 4.0]}
    for where, ticks in places.items():
        gap = answer(ticks)
        if not (is_number(gap) and isclose(gap, 3.0, abs_tol=1e-6)):
            return (
                f"It misses a longest gap that stands {where}, as in {ticks}: is every pair of neighbours looked at?"
            )
    return None


def _knows_nothing_to_compare(answer: Answer) -> str | None:
    for ticks in ([], [1.0]):
        cure = "without two ticks there is no gap, so give back 0.0 (max takes a default=)."
        try:
            gap = answer(ticks)
        except (ValueError, IndexError, ZeroDivisionError, StopIteration, TypeError) as error:
            return f"For {ticks} it raises {type(error).__name__}: {cure}"
        if gap != 0:
            return f"For {ticks} it gives back {gap!r}: {cure}"
    return None


def _leaves_the_list_alone(answer: Answer) -> str | None:
    ticks = list(_TICKS)
    answer(ticks)
    return None if ticks == list(_TICKS) else "It changes the list it is given: others may still need it."


check_longest_gap: Final = Exercise(
    Property("it finds the longest gap, in seconds", _finds_it),
    Property("wherever that gap stands", _finds_it_anywhere),
    Property("without two ticks the answer is 0", _knows_nothing_to_compare),
    Property("the list of ticks stays as it was", _leaves_the_list_alone),
)
