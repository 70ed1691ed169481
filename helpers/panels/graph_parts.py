"""Turn waits into what a graph of them is made of: workers, locks, arrows between them, and parts that hang together.

An arrow goes from a worker to the lock that it waits for, and from a lock to the worker that holds it: so a circle of
waits is a circle of arrows.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from helpers.observe.waits import Waits

MOST_WORKERS: Final = 12  # that a picture shows
MOST_IDLE: Final = 12  # locks that it shows although nobody waits for them


class Thing(NamedTuple):
    """A worker or a lock; one of each may have the same name."""

    name: str
    is_lock: bool


class Arrow(NamedTuple):
    """`start`, a worker, waits for `end`, a lock; or `start`, a lock, is held by `end`."""

    start: Thing
    end: Thing
    gives_up: bool = False
    """Whether it is a wait with a time-out."""


@dataclass(frozen=True)
class Part:
    """Things that hang together.

    Attributes:
        waits: all that is known of them.
        arrows: between them, in the order of their names.
    """

    waits: Waits
    arrows: tuple[Arrow, ...]

    @cached_property
    def things(self) -> list[Thing]:
        """Each thing once."""
        return sorted({thing for arrow in self.arrows for thing in arrow[:2]})

    @cached_property
    def neighbours(self) -> Mapping[Thing, list[Thing]]:
        """What each thing has an arrow to or from."""
        beside: dict[Thing, list[Thing]] = defaultdict(list)
        for start, end, _ in self.arrows:
            beside[start].append(end)
            beside[end].append(start)
        return beside

    @cached_property
    def circle(self) -> list[Thing]:
        """Its circle, each thing before the one that its arrow points to; empty if it has none."""
        wanted = {wait.worker: wait.lock for wait in self.waits.waits}
        pairs = ((Thing(name, is_lock=False), Thing(wanted[name], is_lock=True)) for name in self.waits.circle)
        return [thing for pair in pairs for thing in pair]

    @cached_property
    def ends(self) -> list[Thing]:
        """Things from which no arrow goes on: workers that are free to go on, and locks that nobody holds."""
        starts = {arrow.start for arrow in self.arrows}
        return [thing for thing in self.things if thing not in starts] or self.things[:1]


def parts(waits: Waits) -> list[Part]:
    """Split `waits` into parts that have nothing to do with each other, those with a circle first."""
    arrows = sorted(set(_arrows(waits)))
    group: dict[Thing, list[Thing]] = {}  # each thing's, and the same list for all things of one part
    for start, end, _ in arrows:
        first, second = group.setdefault(start, [start]), group.setdefault(end, [end])
        if first is not second:
            first += second
            group.update(dict.fromkeys(second, first))
    by_group: dict[int, list[Arrow]] = defaultdict(list)
    for arrow in arrows:
        by_group[id(group[arrow.start])].append(arrow)
    found = [
        Part(_of(waits, {thing.name for arrow in own for thing in arrow[:2] if not thing.is_lock}), tuple(own))
        for own in by_group.values()
    ]
    return sorted(found, key=lambda part: not part.circle)


def shown(waits: Waits) -> Waits:
    """What a picture has room for: of many workers only the circle, or without one the first; few unwanted locks."""
    names = list(dict.fromkeys(_by_interest(waits)))
    if len(names) > MOST_WORKERS:
        waits = _of(waits, set(waits.circle or names[:MOST_WORKERS]))
    wanted = {wait.lock for wait in waits.waits}
    idle = sorted({hold.lock for hold in waits.holds} - wanted)[MOST_IDLE:]
    return waits._replace(holds=tuple(hold for hold in waits.holds if hold.lock not in idle))


def workers(waits: Waits) -> set[str]:
    """Everybody who holds something or waits."""
    return {hold.worker for hold in waits.holds} | {wait.worker for wait in waits.waits}


def _by_interest(waits: Waits) -> Iterator[str]:
    """Workers, again and again: whoever waits together with who makes it wait, then the others."""
    for wait in sorted(waits.waits):
        yield from (*waits.holders(wait.lock), wait.worker)
    yield from sorted(workers(waits))


def _arrows(waits: Waits) -> Iterator[Arrow]:
    for worker, lock, gives_up in waits.waits:
        yield Arrow(Thing(worker, is_lock=False), Thing(lock, is_lock=True), gives_up)
    for worker, lock in waits.holds:
        yield Arrow(Thing(lock, is_lock=True), Thing(worker, is_lock=False))


def _of(waits: Waits, names: Iterable[str]) -> Waits:
    """What `waits` has to say of the workers with these names."""
    return waits._replace(
        holds=tuple(hold for hold in waits.holds if hold.worker in names),
        waits=tuple(wait for wait in waits.waits if wait.worker in names),
    )
