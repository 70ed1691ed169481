"""The graph of all situations that a program can come into, as far as it is known.

An edge is a step of one thread. Depth is the number of steps of the shortest known way to a situation.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush

from helpers.observe.lab.results import Ending


@dataclass(slots=True)
class Node:
    """One situation.

    Attributes:
        place: its place among all nodes.
        histories: what each thread has met with, as numbers.
        ready: the threads that can be stepped.
        ending: how the run has ended in it, or none.
        depth: steps on the shortest known way to it.
        steps: where the step of a thread leads, by the thread; only those that have been taken.
        came: the last step of the shortest known way to it: from which node, by which thread.
    """

    place: int
    histories: tuple[int, ...]
    ready: tuple[int, ...]
    ending: Ending | None
    depth: int
    steps: dict[int, int] = field(default_factory=dict)
    came: tuple[int, int] | None = None

    @property
    def is_bad(self) -> bool:
        """Whether the run has ended in it, and not well."""
        return self.ending is not None and not self.ending.good


class Situations:
    """All known situations; the first is that before the first step."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._by_key: dict[Hashable, int] = {}
        self._bad: list[Node] = []
        self._open: list[tuple[int, int, int]] = []

    def find(self, key: Hashable) -> Node | None:
        """The known situation with this key."""
        place = self._by_key.get(key)
        return None if place is None else self.nodes[place]

    def add(
        self, key: Hashable, histories: tuple[int, ...], ready: tuple[int, ...], ending: Ending | None, depth: int
    ) -> Node:
        """Take in a new situation, `depth` steps from the start."""
        node = Node(len(self.nodes), histories, ready, ending, depth)
        self.nodes.append(node)
        self._by_key[key] = node.place
        self._offer(node)
        if ending is not None and not ending.good:
            self._bad.append(node)
        return node

    def link(self, source: Node, thread: int, target: Node) -> None:
        """A step of `thread` leads from `source` to `target`; what lies behind may now be less deep."""
        source.steps[thread] = target.place
        if target.came is None and target.place:
            target.came = (source.place, thread)
        changed = [(source, thread, target)]
        while changed:
            source, thread, target = changed.pop()
            if source.depth + 1 >= target.depth:
                continue
            target.depth = source.depth + 1
            target.came = (source.place, thread)
            self._offer(target)
            changed += [(target, step, self.nodes[after]) for step, after in target.steps.items()]

    def shallowest(self) -> tuple[Node, int] | None:
        """The step nearest to the start that has not been taken: from which node, by which thread."""
        while self._open:
            depth, place, thread = self._open[0]
            node = self.nodes[place]
            if thread not in node.steps and depth == node.depth:
                return node, thread
            heappop(self._open)
        return None

    def way_to(self, node: Node) -> list[tuple[Node, int]]:
        """The shortest known way: the nodes on it, each with the thread that is stepped there."""
        way = []
        while node.came is not None:
            place, thread = node.came
            node = self.nodes[place]
            way.append((node, thread))
        return way[::-1]

    def first_bad(self) -> Node | None:
        """A bad end of which none is less deep."""
        return min(self._bad, key=lambda node: node.depth, default=None)

    def best_way(self, depth: int) -> tuple[int, ...]:
        """The schedule with the fewest switches between threads that comes to a bad end in `depth` steps."""
        layer: dict[tuple[int, int], tuple[int, tuple[int, ...]]] = {(0, -1): (0, ())}
        for _ in range(depth):
            following: dict[tuple[int, int], tuple[int, tuple[int, ...]]] = {}
            for (place, last), (switches, schedule) in layer.items():
                for thread, after in self.nodes[place].steps.items():
                    if self.nodes[after].depth == len(schedule) + 1:
                        way = (switches + (thread != last), (*schedule, thread))
                        known = following.get((after, thread))
                        following[after, thread] = way if known is None else min(way, known)
            layer = following
        return min(way for (place, _), way in layer.items() if self.nodes[place].is_bad)[1]

    def count_schedules(self) -> int | None:
        """How many ways lead from the start to an end; none if a loop makes them endless."""
        counts: dict[int, int] = {}
        order: list[int] = []
        for place, is_circle in self._deepest_first():
            if is_circle:
                return None
            order.append(place)
        for place in order:
            node = self.nodes[place]
            counts[place] = int(node.ending is not None) + sum(counts[after] for after in node.steps.values())
        return counts[0]

    def _deepest_first(self) -> Iterator[tuple[int, bool]]:
        """Each node after all those behind it; or a node from which steps lead back to it, marked so."""
        on_way, done = set(), set()
        ways = [(0, iter(self.nodes[0].steps.values()))]
        on_way.add(0)
        while ways:
            place, steps = ways[-1]
            after = next((step for step in steps if step not in done), None)
            if after is None:
                ways.pop()
                on_way.remove(place)
                done.add(place)
                yield place, False
            elif after in on_way:
                yield after, True
                return
            else:
                on_way.add(after)
                ways.append((after, iter(self.nodes[after].steps.values())))

    def _offer(self, node: Node) -> None:
        for thread in node.ready:
            if thread not in node.steps:
                heappush(self._open, (node.depth, node.place, thread))
