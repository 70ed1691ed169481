"""Find out why a pool cannot go on, and with which task it began.

    an executor is broken, and says why     an answer could not be put together again
    a worker has died                       at a task; or before it had any: it could not load one
    a thread of the pool has died           a Pool's result handler, by such an answer: no more results come

An executor notices the first two itself, but says neither what happened nor with which task. A `multiprocessing.Pool`
notices nothing: it would wait for ever.
"""

from collections import deque
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor
from concurrent.futures.thread import BrokenThreadPool
from multiprocessing.pool import Pool
from signal import SIGTERM
from threading import Thread
from time import perf_counter
from traceback import format_exception
from typing import Final

from helpers.observe.answers import not_unpickled
from helpers.observe.deaths import Death, exists
from helpers.observe.failed_start import FailedStart
from helpers.observe.faults import Fault, plain, thread_failed
from helpers.observe.lane_tasks import ended_tasks, left_politely, open_task
from helpers.observe.pool_calls import Calls
from helpers.observe.pools import AnyPool, answers_wait, is_closed, pool_thread
from helpers.observe.reading import Lane
from helpers.observe.thread_errors import ThreadErrors
from helpers.observe.trace import Trace
from helpers.observe.worker_faults import initializer_failed, worker_ended

PATIENCE: Final = 0.04
"""Seconds in which an executor says why it is broken once a worker has died, and answers on their way come in."""

LONG: Final = 5.0
"""Seconds in which even a busy machine lets it be known which of an executor's workers has died."""

FORGOTTEN: Final = 1.0
"""Seconds for which it may turn out that a Pool has dropped a worker before it was seen: at first, or a new one."""


class Diagnosis:
    """Knows the evidence, and gives the fault once it is sure.

    Args:
        trace: what the workers report to.
        pool: whose fault is looked for.
        calls: what the tasks call.
        errors: knows how the pool's threads failed.
        workers: the pids of those whose deaths are noted; may grow.

    Attributes:
        culprit: the worker whose death it was; None if it was something else, or is not known yet.
    """

    def __init__(
        self, trace: Trace, pool: AnyPool, calls: Calls, errors: ThreadErrors, workers: Collection[int]
    ) -> None:
        self._trace, self._pool, self._errors, self._workers = trace, pool, errors, workers
        self._broken: BrokenExecutor | None = None
        self._broken_since = 0.0
        self._reported: deque[Death] = deque()
        self._deaths: list[Death] = []
        self.culprit: Death | None = None
        self._start = FailedStart(pool, calls)
        self._thread_gone = 0.0
        # A Pool drops a worker that has died. It is looked for in the trace while it may have died before we looked.
        self._forgets = isinstance(pool, Pool)
        self._until = perf_counter() + FORGOTTEN

    @property
    def has_evidence(self) -> bool:
        """Whether something has happened that may be a fault; if not, there is no need to look for one."""
        thread = pool_thread(self._pool)
        gone = thread is not None and not thread.is_alive()
        return self.suspects or gone or (self._forgets and perf_counter() < self._until)

    @property
    def suspects(self) -> bool:
        """Whether something has happened of which it is not sure yet what it means."""
        return bool(self._broken or self._reported or self._deaths)

    def note_deaths(self, deaths: Iterable[Death]) -> None:
        """Take in workers that have died, in their order; may be called in any thread."""
        self._reported.extend(deaths)

    def note_broken(self, error: BrokenExecutor) -> None:
        """Take in what a task of a broken executor came back with."""
        if self._broken is None:
            self._broken, self._broken_since = error, perf_counter()

    def fault(self, answered: Iterable[str], lost: Sequence[str]) -> Fault | None:
        """Why the pool cannot go on; None if it can, or if that is not sure yet.

        Args:
            answered: the names of tasks whose answers did come.
            lost: the names of those whose answers will not come if it cannot go on.
        """
        # In this order: what the lanes say then holds all that these workers have said before they died.
        while self._reported:
            self._deaths.append(self._reported.popleft())
            self._until = perf_counter() + FORGOTTEN
        lanes = self._trace.lanes()
        thread = self._failed_thread()
        if thread is not None:
            return self._of_thread(thread, lanes, answered)
        broken = None if self._broken is None else self._of_broken(self._broken, lanes, answered, lost)
        if broken is not None:
            return broken
        culprit = self._find_culprit(lanes)
        if culprit is not None:
            fault = self._of_death(culprit, _own(culprit, lanes), answered, lost)
            self.culprit = None if fault is None else culprit
            return fault
        return self._forgotten(lanes) if self._forgets else None

    def _of_broken(
        self, error: BrokenExecutor, lanes: Sequence[Lane], answered: Iterable[str], lost: Sequence[str]
    ) -> Fault | None:
        """What a broken executor itself tells of the reason; nothing, if a worker has died."""
        if isinstance(error, BrokenThreadPool):
            return initializer_failed(None)
        if "A task has failed to un-serialize" in str(error):  # loky's workers tell
            return self._start.not_loaded(None, lost)
        if error.__cause__ is not None:
            return not_unpickled(str(error.__cause__), lanes, answered)
        if perf_counter() - self._broken_since > (LONG if self._workers else PATIENCE):
            return worker_ended(None, lost[0] if len(lost) == 1 else None, None)
        return None

    def _forgotten(self, lanes: Sequence[Lane]) -> Fault | None:
        """The fault of a worker that the pool has dropped before anybody could see how it ended."""
        suspects = [lane for lane in lanes if "PoolWorker" in lane.title and lane.pid not in self._workers]
        gone = [lane for lane in suspects if open_task([lane]) is not None and not exists(lane.pid)]
        if gone:
            self._trace.lanes()  # it may have ended the task since the last look
        for lane in gone:
            task = open_task([lane])
            if task is not None:
                return worker_ended(None, task, lane.title)
        return None

    def _failed_thread(self) -> Thread | None:
        """The pool's own thread that has failed: a Pool's that takes in results, an executor's only one."""
        thread = pool_thread(self._pool)
        if thread is None or thread.is_alive() or self._broken is not None:
            return None
        # It also ends when all is done, a moment before we have taken that in.
        self._thread_gone = self._thread_gone or perf_counter()
        sure = self._errors.exception_of(thread) is not None or perf_counter() - self._thread_gone > PATIENCE
        return thread if sure else None

    def _of_thread(self, thread: Thread, lanes: Sequence[Lane], answered: Iterable[str]) -> Fault:
        error = self._errors.exception_of(thread)
        why = "".join(format_exception(error)) if error is not None else ""
        if "in _set\n" in why or not isinstance(self._pool, Pool):  # a callback has raised
            return thread_failed(plain(error))
        return not_unpickled(why, lanes, answered)

    def _find_culprit(self, lanes: Sequence[Lane]) -> Death | None:
        """The first worker that died at a task, or did not end well."""
        well = self._may_end_well()
        self._deaths = [death for death in self._deaths if death.code or not well or open_task(_own(death, lanes))]
        wrong = self._deaths
        if self._broken is None and isinstance(self._pool, Executor):
            # Its tasks will tell in a moment whether it is broken, and why.
            wrong = [death for death in wrong if perf_counter() - death.at > PATIENCE]
        return min(wrong, key=lambda death: _is_follower(death, lanes), default=None)

    def _may_end_well(self) -> bool:
        """Whether a worker may end without a fault: after so many tasks, or when the pool is closed or idle."""
        if isinstance(self._pool, Pool):
            return getattr(self._pool, "_maxtasksperchild", None) is not None or is_closed(self._pool)
        if isinstance(self._pool, ProcessPoolExecutor):
            return getattr(self._pool, "_max_tasks_per_child", None) is not None
        return True  # loky's do when they are idle for long

    def _of_death(
        self, death: Death, own: Sequence[Lane], answered: Iterable[str], lost: Sequence[str]
    ) -> Fault | None:
        task = open_task(own) or left_politely(own)
        if task is None and self._answers_to_come(death):
            return None
        if task is None and death.code in (0, 1):
            start = self._start.fault(death, self._deaths, lost, has_worked=bool(ended_tasks(own)))
            if start is not None or self._start.undecided:
                return start
        if task is None and (death.code or 0) < 0:
            known = set(answered)
            unsent = [done.task for done in ended_tasks(own) if done.task in lost and done.task not in known]
            task = unsent[-1] if unsent else None
        return worker_ended(death.code, task or (lost[0] if len(lost) == 1 else None), death.process.name)

    def _answers_to_come(self, death: Death) -> bool:
        """Whether answers that were sent before that death may be on their way."""
        age = perf_counter() - death.at
        return age < PATIENCE or (age < LONG and answers_wait(self._pool))


def _is_follower(death: Death, lanes: Sequence[Lane]) -> bool:
    """Whether it looks like one that a broken executor has ended: by SIGTERM, or by itself if it was idle."""
    return death.code == -SIGTERM or (death.code == 0 and open_task(_own(death, lanes)) is None)


def _own(death: Death, lanes: Sequence[Lane]) -> list[Lane]:
    return [lane for lane in lanes if lane.pid == death.process.pid]
