"""The lab in a process of its own: what it is asked there, once, and what it answers.

    parent: Disposable(walk, Parcel((program, schedule, known)))  ──►  a pickled list of situations
    parent: Disposable(search, Parcel((program, seconds)))        ──►  a pickled exploration
                                             or, of both, if the program cannot be run  ──►  a pickled Refusal

One process answers one question. So whatever a program does to the process it runs in, the next answer does not know
of it; and nobody has to remember to end a process that waits for questions.
"""

import pickle
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import NamedTuple

from helpers.observe.confined import Parcel
from helpers.observe.lab.exploring import explore
from helpers.observe.lab.program import Program
from helpers.observe.lab.results import Exploration, Situation
from helpers.observe.lab.stage import Stage


class Refusal(NamedTuple):
    """Why there is no answer.

    Attributes:
        kind: the name of the exception's class.
        words: what it says.
    """

    kind: str
    words: str


def walk(connection: Connection, _folder: str, parcel: Parcel) -> None:
    """Open (program, schedule, known), and send all situations of that schedule that have more than `known` steps.

    `known` is -1 if not even the first situation, before any step, is known.
    """
    _answer(connection, parcel, _walked)


def search(connection: Connection, _folder: str, parcel: Parcel) -> None:
    """Open (program, seconds), and send what exploring for up to so many seconds finds."""
    _answer(connection, parcel, _explored)


def _answer(connection: Connection, parcel: Parcel, work: Callable[..., object]) -> None:
    try:
        answer = work(*parcel.open())
    except Exception as error:  # noqa: BLE001 (it is the learner's program, which may raise anything)
        answer = Refusal(type(error).__name__, str(error))
    connection.send_bytes(pickle.dumps(answer))


def _walked(program: Program, schedule: Sequence[int], known: int) -> list[Situation]:
    stage = Stage(program)
    try:
        situations = [stage.situation(), *(stage.step(thread) for thread in schedule)]
    finally:
        stage.close()
    return situations[known + 1 :]


def _explored(program: Program, seconds: float) -> Exploration:
    return explore(program, most_seconds=seconds)
