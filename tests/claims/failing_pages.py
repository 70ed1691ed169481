"""What the tests of lesson 12 hand to workers, in a module of its own: a spawned worker imports all of it."""

import os
import time

from helpers.observe.lifeline import end_with_parent
from helpers.workers import faulty


class TornAsAnotherError(Exception):
    """Pickles by `__reduce__`, as the lesson has it."""

    def __init__(self, page: str, where: str) -> None:
        super().__init__(f"{page} is torn at the {where}")
        self.page, self.where = page, where

    def __reduce__(self) -> tuple[type["TornAsAnotherError"], tuple[str, str]]:
        return TornAsAnotherError, (self.page, self.where)


def be_quick() -> None:
    """Let tasks be over soon."""
    end_with_parent()
    vars(faulty)["TAKES"] = 0.02


def raise_torn() -> None:
    raise TornAsAnotherError("page 3", "edge")


def outlive(pid: int) -> None:
    """Return a moment after that process is gone."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
