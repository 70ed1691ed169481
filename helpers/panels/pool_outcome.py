"""What comes of a pool's tasks: for the program, and in words for its reader."""

from dataclasses import dataclass
from multiprocessing.pool import Pool
from typing import Any

from helpers.observe.faults import Fault
from helpers.observe.pool_watch import PoolWatch
from helpers.observe.pools import AnyPool
from helpers.panels.markup import SHORT, passage, plain, safe
from helpers.panels.theme import NOT_YET


@dataclass(frozen=True, slots=True, repr=False)
class Ending:
    """How the tasks of a pool ended.

    Attributes:
        results: what has finished, by the task's name, in the order in which the tasks were handed in.
        errors: why the others have not, likewise.
        fault: what ended the pool, or else the first thing that went wrong; None if nothing did.
        states: how each worker is or ended, by the title of its lane.
    """

    results: dict[str, Any]
    errors: dict[str, BaseException]
    fault: Fault | None
    states: dict[str, str]

    def __repr__(self) -> str:
        """The same in every run that has the same fault."""
        if self.fault is not None:
            task = f": {plain(self.fault.task, SHORT)}" if self.fault.task else ""
            return f"<Ending: {self.fault.kind}{task}>"
        total = len(self.results) + len(self.errors)
        return f"<Ending: {len(self.results)} of {total} tasks have finished>"


def ending(watch: PoolWatch, states: dict[str, str]) -> Ending:
    """What `watch` knows when all is over, with the workers' `states`."""
    names = watch.tasks.names
    results = {name: watch.results[name] for name in names if name in watch.results}
    return Ending(results, {name: watch.errors[name] for name in names if name in watch.errors}, watch.fault, states)


def told(watch: PoolWatch, pool: AnyPool) -> str:
    """What has gone wrong in `pool`, as HTML; empty if nothing has."""
    fault = watch.fault
    if fault is None:
        return ""
    words = f"<b>{safe(fault.kind)}</b>: {passage(fault.words)}"
    if watch.ended:
        unaware = isinstance(pool, Pool) and fault.kind not in ("stopped", "time is up")
        words += " A Pool would not notice, and would wait for ever." if unaware else ""
        words += " The pool has been ended; what has finished is kept."
    style = f"border-left: 4px solid {NOT_YET}; padding: 2px 12px; max-width: 60em; line-height: 1.4"
    return f'<div role="status" style="{style}">{words}</div>'
