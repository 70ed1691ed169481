"""Say who holds and who waits for the named locks of a trace, from what its threads and processes tell of themselves.

They tell it in many places, which no reader can look at in one moment. So it looks twice, and believes what stood
there both times with the same moment of beginning: that held all the while between the two looks.
"""

import os
import sys
import threading
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from helpers.observe.lock_file import EXCLUSIVE, Claim, LockState
from helpers.observe.waits import Hold, Wait, Waits

if TYPE_CHECKING:
    from helpers.observe.reading import Lane, Reader
    from helpers.observe.trace import Trace


class Standing(NamedTuple):
    """Who waits for whom, and what it takes to tell which wait came last."""

    waits: Waits
    names: dict[int, str]
    """What `waits` calls a worker."""
    since: dict[str, int]
    """When each wait began, by the worker's name."""


def who_waits(trace: "Trace") -> Waits:
    """Who holds and who waits for the named locks of `trace` now, or, if it is closed, at its closing.

    A worker goes by its lane's title, and by its process too where two that hold or wait share one; a lock by its
    name, and a number where two share one. What lasted only a moment may be missing; what is said was true.
    """
    with trace._reading:  # noqa: SLF001 (its other half)
        return trace._last_waits if trace._last_waits is not None else standing(trace._reader).waits  # noqa: SLF001


def closed_circle(trace: "Trace", worker: int) -> str:
    """The deadlock that the wait of `worker` closed, in words; none if there is none or another's wait closed it."""
    # Whoever handles a signal may come here while the thread it interrupted reads.
    if not trace._reading.acquire(timeout=1):  # noqa: SLF001 (its other half)
        return ""
    try:
        waits, names, since = standing(trace._reader)  # noqa: SLF001 (the same)
    except OSError:  # too many files are open
        return ""
    finally:
        trace._reading.release()  # noqa: SLF001 (the same)
    if not waits.is_deadlock or names.get(worker) not in waits.circle:
        return ""
    latest = max(waits.circle, key=lambda name: (since[name], name))
    return waits.words if latest == names[worker] else ""


def standing(reader: "Reader") -> Standing:
    """Look twice, and put what held in between into names."""
    lanes, locks = reader.glance()
    if not locks:
        return Standing(Waits(), {}, {})
    first = _claims(lanes, locks)
    lanes, locks = reader.glance()
    second = _claims(lanes, locks)
    holds, waits = [sorted(before & after) for before, after in zip(first, second, strict=True)]
    involved = {claim.worker for claim in [*holds, *waits]}
    names = _worker_names(involved, lanes)
    called = _lock_names({claim.lock for claim in [*holds, *waits]}, locks)
    known_ended = {lane.worker for lane in lanes if lane.ended}
    ended = {worker for worker in involved if worker in known_ended or has_ended(worker)}
    waits = [wait for wait in waits if wait.worker not in ended]  # killed while it waited
    return Standing(
        Waits(
            holds=tuple(Hold(names[hold.worker], called[hold.lock]) for hold in holds),
            waits=tuple(Wait(names[wait.worker], called[wait.lock], wait.gives_up) for wait in waits),
            ended=frozenset(names[worker] for worker in ended),
            open=frozenset(called[number] for number in _open(locks, holds) if number in called),
        ),
        names,
        {names[wait.worker]: wait.since for wait in waits},
    )


def has_ended(worker: int) -> bool:
    """Whether a worker is known to have ended; false where nobody can tell."""
    pid, thread = worker >> 32, worker & 0xFFFF_FFFF
    if pid == os.getpid():
        return all((each.native_id or 0) & 0xFFFF_FFFF != thread for each in threading.enumerate())
    if sys.platform == "linux":
        try:
            with open(f"/proc/{pid}/task/{thread}/stat", "rb") as file:  # noqa: PTH123 - importing pathlib costs 4 ms
                return file.read().rpartition(b") ")[2][:1] in (b"Z", b"X")  # a zombie, or dead
        except OSError:
            return True
    # Children that nobody has asked about yet; one that has been joined is no longer among them.
    module = sys.modules.get("multiprocessing.process")
    children = list(module._children) if module else []  # noqa: SLF001 (active_children() would join them)
    return any(child.pid == pid and child.exitcode is not None for child in children)


def _claims(lanes: "list[Lane]", locks: list[LockState]) -> tuple[set[Claim], set[Claim]]:
    """All holds and all waits."""
    known = {lock.number: lock for lock in locks}
    holds = {lock.hold for lock in locks if lock.hold}
    permits = {permit for lane in lanes for permit in lane.permits if permit.lock in known}
    waits = {lane.waiting for lane in lanes if lane.waiting and lane.waiting.lock in known}
    return holds | {permit for permit in permits if not known[permit.lock].unknown}, waits


def _open(locks: list[LockState], holds: list[Claim]) -> list[int]:
    """Semaphores with permits that nobody is known to hold."""
    taken = Counter(hold.lock for hold in holds)
    return [
        lock.number
        for lock in locks
        if lock.permits != EXCLUSIVE and (lock.unknown or taken[lock.number] < lock.permits)
    ]


def _worker_names(workers: Iterable[int], lanes: "list[Lane]") -> dict[int, str]:
    """A name for each, no two alike."""
    titles = {lane.worker: lane.title for lane in lanes}
    # A lock that was held when its process was forked has a holder whom only the parent process knows.
    parents = {lane.thread & 0xFFFF_FFFF: lane.title for lane in lanes if lane.worker}
    found = {}
    for worker in workers:
        pid, thread = worker >> 32, worker & 0xFFFF_FFFF
        found[worker] = titles.get(worker) or parents.get(thread) or f"thread {thread} of process {pid}"
    for where in ("process {}", "thread {1}"):
        shared = {name for name, count in Counter(found.values()).items() if count > 1}
        for worker, name in found.items():
            if name in shared:
                found[worker] = f"{name} ({where.format(worker >> 32, worker & 0xFFFF_FFFF)})"
    return found


def _lock_names(numbers: Iterable[int], locks: list[LockState]) -> dict[int, str]:
    """A name for each, no two alike."""
    names = {lock.number: lock.name for lock in locks}
    seen: Counter[str] = Counter()
    found = {}
    for number in sorted(numbers):
        seen[names[number]] += 1
        again = seen[names[number]]
        found[number] = names[number] if again == 1 else f"{names[number]} ({again})"
    return found
