"""Workers that need each other's consideration: each is given what it has to take, or to wait for.

    write_entries        a lock        one at a time may write into the file
    render               a semaphore   as many at a time as there are licences
    forecast             a barrier     nobody begins an hour before all have finished the last
    hold_both            two locks     which two processes can take in opposite order

`write_with_own_lock` is the first of them as it does not work: each process has a lock of its own.
"""

import threading
from contextlib import AbstractContextManager
from time import sleep
from typing import Final, Protocol

from helpers.observe.lifeline import end_with_parent
from helpers.observe.trace import Trace

PARTS: Final = ("begins", "goes on", "ends")
"""An entry of the log has a line for each."""
LINE_TAKES: Final = 0.01
"""Seconds between two lines of an entry."""
HOLD: Final = 0.3
"""Seconds that `hold_both` pauses between its locks."""

Lock = AbstractContextManager[object]

OWN_LOCK: Final = threading.Lock()


class Meeting(Protocol):
    """Where several wait for each other; a Barrier of threading or multiprocessing fits."""

    def wait(self) -> int:
        """Wait until all have come."""
        ...


def write_entries(trace: Trace, path: str, name: str, entries: int, lock: Lock) -> None:
    """Append entries of three lines each to the log at `path`, each entry under `lock`."""
    end_with_parent()
    trace.expect(entries)
    with open(path, "a", encoding="utf-8") as log:  # noqa: PTH123 (importing pathlib costs a worker 4 ms)
        for number in range(entries):
            with trace.span("preparing"):
                sleep(LINE_TAKES)
            with lock, trace.span("writing"):
                for part in PARTS:
                    log.write(f"{name} {number} {part}\n")
                    log.flush()
                    sleep(LINE_TAKES)
            trace.advance()


def write_with_own_lock(trace: Trace, path: str, name: str, entries: int) -> None:
    """Do the same under `OWN_LOCK`, a lock of threading that every process has for itself."""
    write_entries(trace, path, name, entries, OWN_LOCK)


def whole_entries(path: str) -> int:
    """How many entries of the log at `path` stand in it whole: their three lines in a row."""
    with open(path, encoding="utf-8") as log:  # noqa: PTH123 (as above)
        lines = log.read().splitlines()
    begun = [(at, line.removesuffix(" begins")) for at, line in enumerate(lines) if line.endswith(" begins")]
    return sum(lines[at : at + len(PARTS)] == [f"{entry} {part}" for part in PARTS] for at, entry in begun)


def render(trace: Trace, licences: Lock, pictures: int) -> None:
    """Render pictures, each with a licence that is given back when it is done."""
    end_with_parent()
    trace.expect(pictures)
    for _ in range(pictures):
        with licences, trace.span("rendering"):
            sleep(0.15)
        trace.advance()
        sleep(0.05)


def forecast(trace: Trace, everybody: Meeting, hours: int, takes: float) -> None:
    """Compute so many hours of a region's weather, each from what all regions had for the hour before.

    Args:
        trace: where it says what it does; a note tells of a broken barrier, after which it gives up.
        everybody: where it waits, after each hour, until all have that hour.
        hours: how many.
        takes: seconds for each.
    """
    end_with_parent()
    trace.expect(hours)
    for hour in range(1, hours + 1):
        with trace.span(f"hour {hour}"):
            sleep(takes)
        trace.advance()
        with trace.span("waiting for the others"):
            try:
                everybody.wait()
            except threading.BrokenBarrierError as error:
                trace.note(f"{type(error).__name__} in hour {hour}")
                return


def hold_both(trace: Trace, ready: Meeting, first: Lock, second: Lock) -> None:
    """Take `first`, pause, take `second` as well; all begin at the same moment, when everybody is `ready`."""
    end_with_parent()
    ready.wait()
    with first:
        sleep(HOLD)
        with second, trace.span("has both"):
            sleep(HOLD)
