"""What tests of lesson 13 hand to workers, in a module of its own: a spawned worker imports all of it."""

from helpers.observe.lifeline import end_with_parent
from helpers.workers.arrays import Array, Label, opened
from helpers.workers.taking_turns import Meeting


def add_to_every_second(label: Label, first: int, times: int, start: Meeting) -> None:
    """Add 1 to every second column from `first` on, so many times, from the moment when all are there."""
    end_with_parent()
    with opened(label) as array:
        start.wait()
        for _ in range(times):
            array[:, first::2] += 1


def kind_when_written_to(array: Array) -> tuple[type, str]:
    """The array's type, and what came of writing to it."""
    try:
        array[0] = 2
    except ValueError as error:
        return type(array), str(error)
    return type(array), "it could be written to"
