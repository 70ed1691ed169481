"""What a claim of the article is: what it said, what holds, the evidence, and the lesson that goes into it."""

from collections.abc import Callable
from typing import Final, Literal, NamedTuple

Judgement = Literal["right", "partly", "wrong", "out of date", "bug", "missing"]
"""What became of a claim; "bug" is for code, "missing" for what the article does not speak of."""

LESSONS: Final = {
    int(stem[:2]): stem
    for stem in (
        "01_a_frozen_interface",
        "02_a_thread_keeps_it_alive",
        "03_one_core_at_a_time",
        "04_stopping_what_you_started",
        "05_a_process_instead",
        "06_a_deadlock_you_can_watch",
        "07_races_and_what_is_atomic",
        "08_copies_instead_of_locks",
        "09_locks_between_processes",
        "10_one_owner_many_senders",
        "11_pools_and_futures",
        "12_when_workers_fail",
        "13_sharing_memory",
        "14_async_and_processes",
        "15_one_worker_every_engine",
    )
}
"""The lessons that claims name, by number."""

DOCS: Final = "https://docs.python.org/3.14/"
PEPS: Final = "https://peps.python.org/"


class Document(NamedTuple):
    """A page that says so."""

    address: str
    says: str
    """What it says, in our words."""


class Claim(NamedTuple):
    """One thing that the article says or does, or leaves out."""

    key: str
    """A short name, which no other claim has."""
    where: str
    """"Example 2", or "The text"."""
    said: str
    """What the article said or did, in our words; of something missing, what that is."""
    judgement: Judgement
    today: str
    """What holds, in a sentence or three."""
    pythons: str
    """In which Python that holds."""
    evidence: tuple[Callable[[], bool] | Document, ...]
    """Functions that are true where it holds, and documents that say so; at least one."""
    lesson: int | None
    """The number of the lesson that goes into it, if there is one."""
