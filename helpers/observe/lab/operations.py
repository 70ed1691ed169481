"""What a thread is about to do: what words call it, and whether it can be done now."""

from collections.abc import Callable
from dataclasses import dataclass


def always() -> bool:
    """A step that nothing can hold up."""
    return True


@dataclass(slots=True)
class Operation:
    """What a parked thread is about to do.

    Attributes:
        does: as words in the third person: "acquires".
        what: "lock_x", "x = 10".
        free: tells whether it can be done now, or has to wait for others.
        awaits: the name of what it waits for while it is not free.
        late: if its wait has a time-out, what it does once that has passed, in the third person: "gives up lock_x".
        shows: whether its result belongs to the words for what it did.
    """

    does: str
    what: str
    free: Callable[[], bool] = always
    awaits: str = ""
    late: str = ""
    shows: bool = False

    @property
    def ready(self) -> bool:
        """Whether its thread can be stepped."""
        return bool(self.late) or self.free()

    @property
    def words(self) -> str:
        """What stepping it now does, in the third person."""
        return f"{self.does} {self.what}" if not self.late or self.free() else self.late

    def become(self, other: "Operation") -> None:
        """Be what `other` is; its thread, parked before this one, will do that instead."""
        self.does, self.what, self.free = other.does, other.what, other.free
        self.awaits, self.late, self.shows = other.awaits, other.late, other.shows
