"""The workers of a pool, as rows of a live view."""

from collections.abc import Sequence
from os import getpid
from time import perf_counter_ns
from typing import Final, NamedTuple

from ipywidgets import VBox

from helpers.observe.deaths import Death
from helpers.observe.faults import signal_name
from helpers.observe.lane_tasks import open_task
from helpers.observe.pool_watch import PoolWatch
from helpers.observe.pools import AnyPool, pool_threads
from helpers.observe.reading import Lane
from helpers.panels.looks import layout
from helpers.panels.rows import count, update
from helpers.panels.slots import Slots

MOST_ROWS: Final = 16


class Member(NamedTuple):
    """A worker of a pool: a process, or a thread."""

    title: str
    lanes: list[Lane]
    state: str
    gone: bool
    """Whether it has ended well, as a worker does that may take only so many tasks."""


class PoolRows(VBox):
    """A row for each worker; of many, those that have ended well are left out first."""

    def __init__(self) -> None:
        self._slots = Slots()
        super().__init__([], layout=layout())

    def show(self, members: Sequence[Member], total: int, *, speak: bool) -> None:
        """Fill the bars, and if `speak` say the words.

        Args:
            members: all workers.
            total: how many items there are in all; 0: not known. A bar is full at a worker's fair share of them.
            speak: whether it is time for words.
        """
        counts = [count(member.lanes)[0] for member in members]
        share = max(-(-total // max(1, len(members))), *counts, 0) if total else 0
        shown = list(members)
        if len(shown) > MOST_ROWS:
            shown = sorted(shown, key=lambda member: member.gone)[:MOST_ROWS]
        more = len(members) - len(shown)
        rows = self._slots.give([member.title for member in shown], f"… and {more} more workers" if more else "")
        for member, row in zip(shown, rows, strict=True):
            done, expected = count(member.lanes)
            row.fill(done, share or max(done, expected) * bool(expected))
            if speak:
                row.say(f"{done:,}: {member.state}" if done else member.state)
        update(self, "children", self._slots.children(rows))


def members(watch: PoolWatch, pool: AnyPool, lanes: Sequence[Lane]) -> list[Member]:
    """The workers of `pool`: processes that `watch` has seen, its threads, or other processes that have a lane."""
    here = getpid()
    if watch.workers:
        by_pid: dict[int, list[Lane]] = {}
        for lane in lanes:
            by_pid.setdefault(lane.pid, []).append(lane)
        known = [_process(watch, pid, by_pid.get(pid, [])) for pid in list(watch.workers)]
        # A worker that may take only so many tasks can be gone before anybody has seen it.
        kinds = tuple({member.title.rstrip("0123456789") for member in known})
        unseen = [lane for lane in lanes if lane.pid not in watch.workers and lane.opened > watch.began]
        known += [
            Member(lane.title, [lane], "finished", gone=True) for lane in unseen if lane.title.startswith(kinds)
        ]
        return known
    threads = {thread.native_id for thread in pool_threads(pool)}
    own = [lane for lane in lanes if (lane.pid == here and lane.thread in threads if threads else lane.pid != here)]
    return [Member(lane.title, [lane], _doing([lane]), gone=False) for lane in own]


def _process(watch: PoolWatch, pid: int, own: list[Lane]) -> Member:
    death = watch.deaths.get(pid)
    if death is None:
        return Member(watch.workers[pid].name, own, _doing(own), gone=False)
    for lane in own:
        lane.ended = lane.ended or perf_counter_ns()
    alone = watch.ended_at is None or death.at < watch.ended_at
    state = _ended(death, alone=alone, culprit=watch.culprit == pid)
    return Member(watch.workers[pid].name, own, state, gone=death.code == 0)


def _doing(own: Sequence[Lane]) -> str:
    task = open_task(own)
    return f"at {task}" if task else "idle" if own else "starting"


def _ended(death: Death, *, alone: bool, culprit: bool) -> str:
    """How a worker has ended: of itself, as the culprit of the pool's end, or in that end."""
    if death.code is None:
        return "gone"
    if not alone and death.code == 0:  # it was idle, and asked to go before it was killed
        return "ended with its pool"
    if death.code < 0:
        name = signal_name(-death.code)
        return f"killed by {name}" if culprit else f"ended with its pool ({name})"
    return "finished" if death.code == 0 and not culprit else f"left with exit code {death.code}"
