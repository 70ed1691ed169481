"""Watch over a pool while it works: what has finished, what went wrong with which task; end it when it cannot go on.

    PoolWatch ─┬─ Tasks          which tasks have ended
               ├─ Deaths         which worker died, and which was the first
               ├─ ThreadErrors   which thread of the pool has failed
               └─ Diagnosis      what that means, with what the trace says

It shows nothing; `helpers.panels.pool_view` does.
"""

from collections.abc import Callable
from concurrent.futures import BrokenExecutor, CancelledError
from multiprocessing.pool import Pool
from time import perf_counter, perf_counter_ns, sleep
from typing import TYPE_CHECKING, Final

from helpers.observe import faults
from helpers.observe.answers import of_error
from helpers.observe.deaths import Death, Deaths, exit_code, has_died
from helpers.observe.diagnosis import Diagnosis
from helpers.observe.faults import Fault
from helpers.observe.lane_tasks import open_task
from helpers.observe.pool_calls import Calls
from helpers.observe.pool_tasks import Ended, Handles, Tasks
from helpers.observe.pools import AnyPool, kill_pool, pool_thread, pool_threads, pool_workers
from helpers.observe.thread_errors import ThreadErrors
from helpers.observe.trace import Trace

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

REPLACED: Final = 0.03
"""Seconds in which a Pool has started another worker in the place of one that has died."""


class PoolWatch:
    """Looks after `tasks` in `pool`; call `look` again and again, and `close` at the end.

    Args:
        trace: what the workers report to.
        pool: where the tasks run.
        tasks: futures or AsyncResults, in a sequence or by name.
        limit: seconds after which the pool is ended; None: no limit.
        tell: called in any thread when there is something to look at.

    Attributes:
        tasks: those that have not ended, and how many there are.
        results: what has finished, by the task's name.
        errors: why the others have not.
        fault: what ended the pool, or else the first thing that went wrong; None if nothing did.
        ended_at: when the pool was ended here, in seconds of `time.perf_counter`; None if it was not.
        workers: all worker processes seen so far, by their pid.
        deaths: those of them that have died, likewise.
        began: when the watch began, in nanoseconds of `time.perf_counter_ns`.

    Raises:
        ValueError: there is no task, or the limit is not more than 0.
        TypeError: a task is neither a future nor an AsyncResult.
    """

    def __init__(
        self, trace: Trace, pool: AnyPool, tasks: Handles, limit: float | None, tell: Callable[[], object]
    ) -> None:
        if limit is not None and limit <= 0:
            raise ValueError(f"limit must be more than 0 seconds, got {limit!r}")
        self.tasks = Tasks(tasks, tell)
        self.results: dict[str, object] = {}
        self.errors: dict[str, BaseException] = {}
        self.fault: Fault | None = None
        self.ended_at: float | None = None
        self.workers: dict[int, BaseProcess] = {}
        self.deaths: dict[int, Death] = {}
        self._trace, self._pool, self._limit, self._tell = trace, pool, limit, tell
        self.began = perf_counter_ns()
        self._lost: list[str] = []  # the tasks that a broken executor has given up
        self._calls = Calls(pool, self.tasks.open)
        # A Pool's thread that fails prints a traceback of the standard library's; we say what it means.
        self._errors = ThreadErrors(quiet=lambda thread: thread is pool_thread(pool), tell=tell)
        self._diagnosis = Diagnosis(trace, pool, self._calls, self._errors, self.workers)
        self._deaths = Deaths(self._note_deaths)
        self._find_workers()

    @property
    def ended(self) -> bool:
        """Whether the pool was ended here."""
        return self.ended_at is not None

    @property
    def over(self) -> bool:
        """Whether all tasks have ended, and it is known why."""
        return not self.tasks.open and (self.ended or not self._lost)

    @property
    def suspects(self) -> bool:
        """Whether to look again soon: something has happened of which it is not sure yet what it means."""
        return not self.over and self._diagnosis.suspects

    @property
    def culprit(self) -> int:
        """The pid of the worker whose death ended the pool; 0 if it was something else."""
        death = self._diagnosis.culprit
        return (death.process.pid or 0) if death is not None else 0

    def look(self) -> None:
        """Take in what has happened; end the pool if it cannot go on."""
        self._take()
        if self.ended or self.over:
            return
        self._find_workers()
        fault = self._diagnosed()
        if fault is None and self._limit is not None and (perf_counter_ns() - self.began) / 1e9 >= self._limit:
            fault = faults.time_is_up(self._limit, self._running())
        if fault is not None:
            self._end(fault)

    def stop(self) -> None:
        """End the pool because somebody wants it; does nothing once all tasks have ended."""
        if not self.ended and not self.over:
            self._end(faults.stopped())

    def close(self) -> None:
        """Stop watching."""
        self._deaths.close()
        self._errors.close()

    def _end(self, fault: Fault) -> None:
        self.fault, self.ended_at = fault, perf_counter()
        kill_pool(self._pool)
        self._find_workers()
        self._take()
        for name in self.tasks.give_up():
            self.errors[name] = TimeoutError(f"{name!r} was still running when its pool was ended")
        for pid, worker in list(self.workers.items()):
            if pid not in self.deaths and has_died(worker):
                self.deaths[pid] = Death(worker, exit_code(worker), perf_counter(), self.ended_at or 0.0)

    def _find_workers(self) -> None:
        now = {worker.pid: worker for worker in pool_workers(self._pool) if worker.pid is not None}
        if now.keys() - self.workers.keys():
            self.workers.update(now)
            self._deaths.watch(now.values())

    def _take(self) -> None:
        for task in self.tasks.ended():
            if task.error is None:
                self._calls.forget(task.name)
                self.results[task.name] = task.value
            else:
                self._take_error(task, task.error)

    def _take_error(self, task: Ended, error: BaseException) -> None:
        self.errors[task.name] = error
        if isinstance(error, BrokenExecutor):
            self._lost.append(task.name)
            self._diagnosis.note_broken(error)
        elif self.fault is None and not isinstance(error, CancelledError):
            self.fault = of_error(task.name, error, self._trace.lanes())

    def _note_deaths(self, deaths: list[Death]) -> None:
        """Called in the thread of `Deaths`."""
        self.deaths |= {death.process.pid or 0: death for death in deaths}
        self._diagnosis.note_deaths(deaths)
        self._tell()
        if isinstance(self._pool, Pool):
            # It starts another in its place, and would forget that one too if it dies before we have seen it.
            deadline = perf_counter() + REPLACED
            while perf_counter() < deadline and not self.ended:
                self._find_workers()
                sleep(0.002)

    def _diagnosed(self) -> Fault | None:
        if not self._diagnosis.has_evidence:
            return None
        lost = set(self._lost)
        answered = [*self.results, *(name for name in self.errors if name not in lost)]
        return self._diagnosis.fault(answered, [*self.tasks.open, *self._lost])

    def _running(self) -> list[str]:
        """The tasks that workers are at now."""
        lanes = self._trace.lanes()
        threads = {thread.native_id for thread in pool_threads(self._pool)}
        groups = [[lane for lane in lanes if lane.pid == pid] for pid in list(self.workers) if pid not in self.deaths]
        groups += [[lane] for lane in lanes if lane.thread in threads]
        named = [name for group in groups if (name := open_task(group)) is not None]
        return named or (list(self.tasks.open) if len(self.tasks.open) == 1 else [])
