"""Find out why a worker ended before it began a task: it failed in the pool's initializer, or could not load a task.

An executor's worker that fails in its initializer ends with exit code 0, and one that cannot load a task with 1. A
Pool's worker ends with 1 in both cases; but each that replaces it fails in the initializer again, while a task that
cannot be loaded takes one worker with it and is gone.
"""

from collections.abc import Sequence
from multiprocessing.pool import Pool
from time import perf_counter
from typing import Final

from helpers.observe import worker_faults
from helpers.observe.deaths import Death
from helpers.observe.faults import Fault
from helpers.observe.pool_calls import Calls, needs_main
from helpers.observe.pools import AnyPool

QUIET: Final = 0.3
"""Seconds without another death after which a Pool's initializer is taken to work; more where workers live longer."""

LONGEST: Final = 5.0
"""Seconds after which it is taken to fail; likewise."""


class FailedStart:
    """Tells why a worker has failed to start.

    Args:
        pool: whose worker.
        calls: what its tasks call.

    Attributes:
        undecided: whether the last answer was None because more has to be seen.
    """

    def __init__(self, pool: AnyPool, calls: Calls) -> None:
        self._pool, self._calls = pool, calls
        self._initializer: object = getattr(pool, "_initializer", None)
        self.undecided = False

    def fault(self, death: Death, deaths: Sequence[Death], lost: Sequence[str], *, has_worked: bool) -> Fault | None:
        """The fault, or None if it was something else, or is undecided.

        Args:
            death: the first one, with exit code 0 or 1.
            deaths: all so far.
            lost: the tasks that will not be done.
            has_worked: whether that worker had done a task before.
        """
        self.undecided = False
        if not has_worked and self._initializer is not None:
            if not _is_forked(death) and needs_main(self._initializer):
                name = getattr(self._initializer, "__name__", None)
                return worker_faults.not_loaded(name, None, death.process.name, forked=False)
            if isinstance(self._pool, Pool) and death.code == 1:
                return self._of_initializer(death, deaths, lost)
            if death.code == 0:
                return worker_faults.initializer_failed(death.process.name)
        if death.code == 0:
            return None
        if not self._calls.known or self._calls.needing_main(lost):
            return self.not_loaded(death, lost)
        unreadable = self._calls.unreadable(lost)
        return worker_faults.arguments_not_unpickled(*unreadable, death.process.name) if unreadable else None

    def not_loaded(self, death: Death | None, lost: Sequence[str]) -> Fault:
        """The fault of a worker that could not load a task; `death` if it died of it."""
        task, function = self._calls.needing_main(lost) or (lost[0] if len(lost) == 1 else None, None)
        worker = death.process.name if death is not None else None
        return worker_faults.not_loaded(function, task, worker, forked=death is not None and _is_forked(death))

    def _of_initializer(self, death: Death, deaths: Sequence[Death], lost: Sequence[str]) -> Fault | None:
        lived = max(each.at - each.since for each in deaths)
        if len(deaths) > len(lost) or perf_counter() - deaths[0].at > max(LONGEST, 10 * lived):
            return worker_faults.initializer_failed(death.process.name)
        if perf_counter() - deaths[-1].at > max(QUIET, 5 * lived):
            return self.not_loaded(death, lost)
        self.undecided = True
        return None


def _is_forked(death: Death) -> bool:
    return type(death.process).__name__ == "ForkProcess"
