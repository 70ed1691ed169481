"""Exercises: try the learner's function, property by property, and answer in words.

    check_double = Exercise(
        Property("a number comes back doubled", lambda answer: None if answer(2) == 4 else "Twice 2 is 4."),
    )
    check_double(answer)            # "Right.", and what was verified; or a hint, and never a traceback

The learner edits a stub in one cell and runs the check in the next. Nothing that the function does hurts: it
may raise, never come back, or leave processes behind.
"""

import dis
from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Final, NamedTuple

from helpers.panels.guard import Answer, guarded
from helpers.panels.verdict import Verdict

# All that a body of `...`, `pass` or `return None` comes to, in Python 3.11 to 3.14; and what an async def adds.
_IDLE: Final = frozenset(
    {"CACHE", "LOAD_CONST", "LOAD_CONST_IMMORTAL", "NOP", "RESUME", "RETURN_CONST", "RETURN_VALUE"}
    | {"CALL_INTRINSIC_1", "POP_TOP", "RERAISE", "RETURN_GENERATOR"}
)


class Property(NamedTuple):
    """One thing that is true of every right answer."""

    says: str
    """What was verified, as a sentence."""
    hint: Callable[[Answer], str | None]
    """Tries the function it is given; says what to think about next, or gives None if the property holds."""


class Exercise:
    """Checks a learner's function.

    Args:
        properties: tried in this order, up to the first that does not hold.
        asynchronous: whether the function is to be an `async def`. The properties await it, where they like.
    """

    def __init__(self, *properties: Property, asynchronous: bool = False) -> None:
        """Keep the properties."""
        self._properties = properties
        self._asynchronous = asynchronous

    def __call__(self, answer: Answer) -> Verdict:
        """Try `answer`, and say what was verified or give one hint.

        Each property has 10 s, after which the function is interrupted; on Windows, which has no timer for
        it, it is not. Processes that it leaves running are stopped.
        """
        first = _before_it_runs(answer, asynchronous=self._asynchronous)
        if first:
            return Verdict(good=False, heading="Nothing to check yet.", lines=(first,))
        held: list[str] = []
        for prop in self._properties:
            hint = guarded(prop.hint, answer)
            if hint:
                return Verdict(
                    good=False, heading="Not yet.", lines=(*(f"✔ {says}" for says in held), f"Hint: {hint}")
                )
            held.append(prop.says)
        return Verdict(good=True, heading="Right. This was verified:", lines=tuple(f"✔ {says}" for says in held))


def _before_it_runs(answer: Answer, *, asynchronous: bool) -> str | None:
    """What can be said without running it: it is no function, not of the right kind, or still the stub."""
    if not callable(answer):
        return f"Hand in the function itself, by its name and without brackets; this is {answer!r}."
    code = getattr(answer, "__code__", None)
    if iscoroutinefunction(answer) != asynchronous:
        return (
            "Your function cannot await: write it with async def."
            if asynchronous
            else "Your function is an async def: write it with a plain def."
        )
    if code is not None and {step.opname for step in dis.get_instructions(code)} <= _IDLE:
        return "The function does nothing yet: write its body, and run the cell again."
    return None
