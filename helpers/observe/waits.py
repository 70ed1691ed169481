"""Who waits for whom, and whether they wait in a circle: the same for threads, for processes and in the lab.

    waits = Waits(
        holds=(Hold("f1", "lock_x"), Hold("f2", "lock_y")),
        waits=(Wait("f1", "lock_y"), Wait("f2", "lock_x")),
    )
    waits.circle            # ("f1", "f2"): each waits for a lock that the next one holds
    waits.words             # "Deadlock: f1 holds lock_x and waits for lock_y; f2 holds …"

A lock may have several holders (a semaphore): then who waits for it is stuck only if every holder is stuck.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple


class Hold(NamedTuple):
    """`worker` holds `lock`, or one permit of a semaphore."""

    worker: str
    lock: str


class Wait(NamedTuple):
    """`worker` waits for `lock`, an event, or anything else that others have to give."""

    worker: str
    lock: str
    gives_up: bool = False
    """Whether the wait has a time-out, so that it ends by itself."""


class _Known(NamedTuple):
    """A dataclass would do, but its import costs a worker 8 ms."""

    holds: tuple[Hold, ...] = ()
    waits: tuple[Wait, ...] = ()
    ended: frozenset[str] = frozenset()
    open: frozenset[str] = frozenset()


class Waits(_Known):
    """Who holds what and who waits for what, at one moment.

    Attributes:
        holds: in any order; a semaphore may stand in several.
        waits: at most one for each worker.
        ended: workers that have ended, and so will release nothing.
        open: locks that somebody unknown may release, or that have permits left: nobody is stuck on them.
    """

    @cached_property
    def circle(self) -> tuple[str, ...]:
        """Workers each of whom waits for a lock that the next one holds, and the last for the first; or none."""
        stuck = self._stuck()
        for first in sorted(stuck):
            path: list[str] = []
            at: str | None = first
            while at is not None and at not in path:
                path.append(at)
                holders = self.holders(self._waiting[at].lock)
                at = next((worker for worker in holders if worker in stuck), None)
            if at is not None:
                circle = path[path.index(at) :]
                start = circle.index(min(circle))
                return tuple(circle[start:] + circle[:start])
        return ()

    @property
    def is_deadlock(self) -> bool:
        """Whether there is a circle, and no wait in it has a time-out."""
        return bool(self.circle) and not any(self._waiting[worker].gives_up for worker in self.circle)

    @property
    def words(self) -> str:
        """All that there is to say about who waits, a sentence or more; the same for the same state."""
        return " ".join([*self._circle_words(), *self._other_words()]) or "Nobody waits."

    def holders(self, lock: str) -> list[str]:
        """Who holds `lock`, by name."""
        return sorted({hold.worker for hold in self.holds if hold.lock == lock})

    def held_by(self, worker: str) -> list[str]:
        """What `worker` holds, by name."""
        return sorted({hold.lock for hold in self.holds if hold.worker == worker})

    @cached_property
    def _waiting(self) -> dict[str, Wait]:
        return {wait.worker: wait for wait in self.waits}

    def _stuck(self) -> set[str]:
        """Workers that can go on only if one of them does, or one that has ended."""
        stuck = {w.worker for w in self.waits if w.lock not in self.open and self.holders(w.lock)}
        while True:
            free = {w for w in stuck if not set(self.holders(self._waiting[w].lock)) <= stuck | self.ended}
            if not free:
                return stuck
            stuck -= free

    def _circle_words(self) -> Iterator[str]:
        if not self.circle:
            return
        parts = []
        for worker in self.circle:
            held = " and ".join(self.held_by(worker))
            parts.append(f"{worker} holds {held} and waits for {self._waiting[worker].lock}")
        if self.is_deadlock:
            yield f"Deadlock: {'; '.join(parts)}."
        else:
            quitters = " and ".join(w for w in self.circle if self._waiting[w].gives_up)
            yield f"A circle, for now: {'; '.join(parts)}. The wait of {quitters} has a time-out, which will open it."

    def _other_words(self) -> Iterator[str]:
        for worker, lock, gives_up in sorted(self.waits):
            if worker in self.circle:
                continue
            holders = self.holders(lock)
            says = f"{worker} waits for {lock}{', with a time-out' if gives_up else ''}"
            names = " and ".join(holders)
            if holders and lock not in self.open and self.ended.issuperset(holders):
                yield f"{says}; {names} held it and ended: nobody will release it."
            elif holders:
                yield f"{says}, which {names} {'holds' if len(holders) == 1 else 'hold'}."
            else:
                yield f"{says}."
