"""Circles of steps that can be gone round for ever although no thread is held back.

A loop that waits for another thread can always be repeated if that thread is never let go on; nobody would call that
a fault. So a circle counts only if each thread that could go on somewhere in it takes a step in it.
"""

from collections import deque
from collections.abc import Iterator
from typing import Final

from helpers.observe.lab.situations import Situations

_TRIED: Final = 50


def fair_circle(situations: Situations) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """The shortest way into such a circle, and once round it, as schedules; or none."""
    nodes = situations.nodes
    found = []
    for region in _fair_regions(situations, set(range(len(nodes)))):
        for place in sorted(region, key=lambda place: nodes[place].depth)[:_TRIED]:
            circle = _round(situations, region, place)
            if circle is not None:
                way = tuple(thread for _, thread in situations.way_to(nodes[place]))
                found.append((len(way) + len(circle), way, circle))
    if not found:
        return None
    _, way, circle = min(found)
    return way, circle


def _fair_regions(situations: Situations, places: set[int]) -> Iterator[set[int]]:
    """Sets of nodes, each reached from each, in which every thread that is ready somewhere is stepped somewhere."""
    waiting = [places]
    while waiting:
        for region in _connected(situations, waiting.pop()):
            stepped = {t for p in region for t, after in situations.nodes[p].steps.items() if after in region}
            if not stepped:
                continue
            held_back = {p for p in region if not stepped.issuperset(situations.nodes[p].ready)}
            if held_back:
                waiting.append(region - held_back)
            else:
                yield region


def _connected(situations: Situations, places: set[int]) -> Iterator[set[int]]:
    """The strongly connected parts of `places`: those that reach each other, by Kosaraju's algorithm."""
    before: dict[int, list[int]] = {place: [] for place in places}
    for place in places:
        for after in situations.nodes[place].steps.values():
            if after in places:
                before[after].append(place)
    seen: set[int] = set()
    for start in _last_left_first(situations, places):
        if start in seen:
            continue
        region = {start}
        waiting = [start]
        while waiting:
            for place in before[waiting.pop()]:
                if place not in seen and place not in region:
                    region.add(place)
                    waiting.append(place)
        seen |= region
        yield region


def _last_left_first(situations: Situations, places: set[int]) -> list[int]:
    """`places` in the reverse order in which a search, depth first, leaves them."""
    left: list[int] = []
    entered: set[int] = set()
    for start in sorted(places):
        ways = [] if start in entered else [(start, iter(situations.nodes[start].steps.values()))]
        entered.add(start)
        while ways:
            place, steps = ways[-1]
            after = next((step for step in steps if step in places and step not in entered), None)
            if after is None:
                ways.pop()
                left.append(place)
            else:
                entered.add(after)
                ways.append((after, iter(situations.nodes[after].steps.values())))
    return left[::-1]


def _round(situations: Situations, region: set[int], start: int) -> tuple[int, ...] | None:
    """The shortest way from `start` back to it, within `region`, that steps all threads that are ready on it."""
    first = (start, frozenset(situations.nodes[start].ready), frozenset[int]())
    known = {first}
    waiting: deque[tuple[tuple[int, frozenset[int], frozenset[int]], tuple[int, ...]]] = deque([(first, ())])
    while waiting:
        (place, ready, stepped), way = waiting.popleft()
        if way and place == start and ready <= stepped:
            return way
        for thread, after in sorted(situations.nodes[place].steps.items()):
            state = (after, ready.union(situations.nodes[after].ready), stepped | {thread})
            if after in region and state not in known:
                known.add(state)
                waiting.append((state, (*way, thread)))
    return None
