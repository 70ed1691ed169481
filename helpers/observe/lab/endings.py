"""How a run has ended, in words."""

from collections.abc import Hashable

from helpers.observe.lab.home import Home
from helpers.observe.lab.keys import NoKeyError, key_of
from helpers.observe.lab.program import Program
from helpers.observe.lab.reach import Reach
from helpers.observe.lab.results import Ending
from helpers.observe.lab.turns import Turn
from helpers.observe.lab.twin import Twin
from helpers.observe.lab.views import line_of, plain, rows, waits_of
from helpers.observe.lab.words import error_words


def ending_of(program: Program, home: Home, root: object) -> Ending | None:
    """How the run has ended; none while a thread can go on."""
    operations = [turn.operation for turn in home.turns.all if not turn.ended]
    if any(operation is not None and operation.ready for operation in operations):
        return None
    failures = " ".join(
        f"{turn.name} failed: {error_words(turn.error).rstrip('.')}." for turn in home.turns.all if turn.error
    )
    if operations:
        waits = waits_of(home)
        if waits.is_deadlock:
            return Ending("deadlock", f"{waits.words} {failures}".rstrip())
        return Ending("stuck", f"Nobody can go on: {waits.words} {failures}".rstrip())
    if failures:
        return Ending("error", failures)
    return _checked(program, home, root)


def lost_words(program: Program, turn: Turn, limit: float) -> str:
    """That a thread does not come back, and from where."""
    line = line_of(turn, program.threads[turn.place])
    where = "" if line is None else f" from line {line}"
    return (
        f"{turn.name} has not come back{where} within {limit:g} s: it computes or waits for something that is not "
        "shared by way of make()."
    )


def outside_keys(reach: Reach) -> list[tuple[str, Hashable]]:
    """What the containers hold that `make` does not give; where it cannot be seen, nothing."""
    keys: list[tuple[str, Hashable]] = []
    for name, value in reach.outside:
        try:
            keys.append((name, key_of(value)))
        except NoKeyError:
            keys.append((name, None))
    return keys


def fault_of(home: Home, outside: list[tuple[str, Hashable]]) -> Ending | None:
    """That something was used, or has changed since `outside` was told, behind the lab's back."""
    if home.fault:
        return Ending("error", home.fault)
    for (name, before), (_, now) in zip(outside, outside_keys(home.reach), strict=True):
        if before != now:
            words = f"{name}, which make() has not given, was changed: let make() give it, and use shared.{name}."
            return Ending("error", words)
    return None


def _checked(program: Program, home: Home, root: object) -> Ending:
    """What the program's own check says."""
    if program.check is None:
        return Ending("ended well", "All threads have ended.")
    try:
        said = program.check(plain(root, {}))
    except AssertionError as error:
        said = str(error) or False
    except Exception as error:  # noqa: BLE001 (the learner's check)
        return Ending("error", f"The check itself failed: {error_words(error).rstrip('.')}.")
    if isinstance(said, str) and said:
        return Ending("wrong result", f"Wrong result: {said}")
    if said is None or said:
        return Ending("ended well", "All threads have ended, and the check holds.")
    locks = {thing.lab_name for thing in home.things if isinstance(thing, Twin)}
    values = [f"{name} is {words}" for name, words in rows(root) if name not in locks]
    return Ending("wrong result", f"Wrong result: {', '.join(values) or 'the check says no'}.")
