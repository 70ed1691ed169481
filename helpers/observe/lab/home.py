"""What everything shared is bound to in one run: it lets threads stop, and keeps the record of what they did."""

from collections.abc import Callable, Collection, Hashable
from functools import partial
from typing import Final, Protocol, TypeVar

from helpers.observe.lab.keys import NoKeyError, Watched, key_of
from helpers.observe.lab.operations import Operation
from helpers.observe.lab.positions import Interned, Position
from helpers.observe.lab.reach import Reach
from helpers.observe.lab.turns import OUTSIDE, Turn, Turns, current_turn
from helpers.observe.lab.words import error_words, value_words

T = TypeVar("T")
_UNSEEN: Final = "a value of its own"


class Adopt(Protocol):
    """How a value that comes to be shared is exchanged for what the lab watches."""

    def __call__(self, home: "Home", value: object, name: str) -> object:
        """Give the watched form of `value`, to be called `name`."""


class Home:
    """One run's threads, shared things and record.

    Args:
        turns: the threads.
        adopt: makes values shared.
        reach: what the threads' code can change.
        interned: see `Position`.

    Attributes:
        turns, reach: as given.
        things: all that has ever been shared in this run, in the order of its birth.
        fault: what makes the run worthless, in words; else empty.
        log: what each step did, in words.
        positions: one for each thread.
    """

    def __init__(self, turns: Turns, adopt: Adopt, reach: Reach, interned: Interned) -> None:
        self.turns = turns
        self.reach = reach
        self.things: list[Watched] = []
        self.log: list[str] = []
        self.positions = [Position(interned) for _ in turns.all]
        self.fault = ""
        self._adopt = adopt
        self._born = 0
        self._given: list[tuple[Callable[[], Hashable], Hashable, str]] = []

    def perform(self, operation: Operation, effect: Callable[[], T]) -> T:
        """Stop; then do `effect`, and say so. Outside the lab's threads: do it at once.

        Raises:
            RuntimeError: called by a thread that the program has started by itself.
        """
        turn = current_turn()
        if turn is None:
            self._refuse_strangers()
            return effect()
        turn.leave_if_given_up()
        self._check_given()
        self.positions[turn.place].stops()
        turn.park(operation)
        turn.done += 1
        self._born = 0
        return self._do(turn, operation, effect)

    def adopt(self, value: object, name: str) -> object:
        """The form of `value` that is watched; itself if it can never change."""
        return self._adopt(self, value, name)

    def birth(self) -> tuple[int, ...]:
        """Name what is being shared just now, the same in all runs that have come to it the same way."""
        turn = current_turn()
        self._born += 1
        return (OUTSIDE, 0, self._born) if turn is None else (turn.place, turn.done, self._born)

    def settle(self, thing: Watched, given: object) -> None:
        """Take `thing` into the record, in the place of what a thread or `make` has given."""
        self.things.append(thing)
        if current_turn() is not None:
            locked = getattr(given, "locked", None) if thing.lab_bare() is None else None
            looks = locked or partial(_outcome, given)
            self._given.append((looks, looks(), thing.lab_name))

    def can_change(self, attribute: str, value: object) -> bool:
        """Whether reading this value by an attribute of this name may give another the next time."""
        return attribute in self.reach.replaced or not _is_watched(value)

    def is_fixed(self, elements: Collection[object]) -> bool:
        """Whether a container of these never changes, so that asking it for one of them is no step."""
        if not elements or current_turn() is not None or not all(map(_is_watched, elements)):
            return False
        return not self.reach.changes or all(one.lab_bare() is None for one in elements if isinstance(one, Watched))

    def forget(self) -> None:
        """Let go of the frames of its threads."""
        for position in self.positions:
            position.forget()

    def _do(self, turn: Turn, operation: Operation, effect: Callable[[], T]) -> T:
        words = operation.words
        try:
            result = effect()
        except StopIteration:
            self._note(turn, f"{words}: there is none", _UNSEEN)
            raise
        except Exception as error:
            self._note(turn, f"{words}: {error_words(error)}", (type(error), repr(error.args)))
            raise
        if operation.shows and (result is not None or operation.does == "reads"):
            words = f"{words}: {value_words(result)}"
        self._note(turn, words, _outcome(result))
        return result

    def _refuse_strangers(self) -> None:
        if self.turns.running:
            self.fault = "A thread that is not the program's own uses what is shared: give its function to Program."
            raise RuntimeError(self.fault)

    def _check_given(self) -> None:
        """What is shared was copied; a change through the thread's own name would be lost, and nobody would know.

        Raises:
            TypeError: there was one.
        """
        for looks, key, name in self._given:
            if looks() != key:
                raise TypeError(
                    f"what was given to shared.{name} was changed by its old name, which the lab cannot watch: "
                    f"change it as shared.{name}"
                )

    def _note(self, turn: Turn, words: str, outcome: Hashable) -> None:
        self.log.append(f"{turn.name} {words}")
        self.positions[turn.place].did(words, outcome)


def _is_watched(value: object) -> bool:
    """Whether it, or all that is in it, if it is a tuple, is watched itself."""
    return isinstance(value, Watched) or (isinstance(value, tuple) and bool(value) and all(map(_is_watched, value)))


def _outcome(result: object) -> Hashable:
    try:
        return key_of(result)
    except NoKeyError:  # an iterator of ours: what it gives is told step by step
        return _UNSEEN
