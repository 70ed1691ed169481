"""Every fault is named rightly, with its task and its worker, in every kind of pool and under every start method."""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from multiprocessing.pool import ThreadPool
from typing import Any, NamedTuple

import pytest

from helpers.observe.faults import Fault, plain, signal_name
from helpers.observe.pool_ending import PoolEndedError
from helpers.observe.pool_watch import PoolWatch
from helpers.observe.pools import AnyPool, kill_pool, pool_workers
from helpers.observe.trace import Trace
from tests.observe import pool_doings as doings
from tests.observe.pool_making import KINDS, made_pool, over, submit
from tests.observe.starting import LIMIT, METHODS, plain_pickle, until

__all__ = ["plain_pickle"]

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signals here")
every_pool = pytest.mark.parametrize("kind", KINDS)
every_method = pytest.mark.parametrize("method", METHODS)
NAMED_WITHIN = 3.0
"""Seconds; benchmarks/faults.py has the real figure, which a machine that is busy with other tests cannot hold."""


@pytest.fixture(autouse=True)
def left_as_found() -> Iterator[None]:
    """Fail if a process or a thread is left, or the hook for threads' errors is not put back."""
    threads, hook = set(threading.enumerate()), threading.excepthook
    yield
    until(lambda: set(threading.enumerate()) <= threads, f"threads to end: {threading.enumerate()}")
    assert multiprocessing.active_children() == []
    assert threading.excepthook == hook


@pytest.fixture
def trace() -> Iterator[Trace]:
    with Trace() as made:
        yield made


def watched(trace: Trace, pool: AnyPool, tasks: Any, limit: float | None = None) -> PoolWatch:
    """Watch until all is over; fail when that does not come."""
    watch = PoolWatch(trace, pool, tasks, limit, lambda: None)
    doings.open_gate(trace)
    return finish(watch)


def finish(watch: PoolWatch) -> PoolWatch:
    deadline = time.monotonic() + LIMIT
    try:
        while not watch.over:
            assert time.monotonic() < deadline, f"not over after {LIMIT:.0f} s: {watch.tasks.open}"
            watch.look()
            time.sleep(0.002)
    finally:
        watch.close()
    return watch


FromCell = Callable[[str], Callable[[], int]]


class Case(NamedTuple):
    """What a task does, and what is said of it."""

    does: Callable[..., object]
    more: tuple[object, ...]
    kind: str
    words: str


FATAL = {
    "killed": Case(doings.be_killed, (9,), "worker killed", "The worker that ran 'bad' was killed by SIGKILL."),
    "killed while sending": Case(doings.die_sending, (), "worker killed", "that ran 'bad' was killed by SIGKILL."),
    "asked to end": Case(doings.be_killed, (15,), "worker killed", "that ran 'bad' was killed by SIGTERM."),
    "segfault": Case(doings.be_killed, (11,), "worker killed", "that ran 'bad' was killed by SIGSEGV."),
    "left": Case(doings.leave, (3,), "worker left", "The worker that ran 'bad' ended its process with exit code 3."),
    "left with 1": Case(doings.leave, (1,), "worker left", "that ran 'bad' ended its process with exit code 1."),
    "left with 0": Case(doings.leave, (0,), "worker left", "that ran 'bad' ended its process with exit code 0."),
    "exception in": Case(
        doings.fail_inside, (), "exception cannot be unpickled", "'bad' raised TwoNeededError: page 1, left, but"
    ),
    "result in": Case(doings.give_unreadable, (), "result cannot be unpickled", "'bad' returned was pickled, but"),
}
HARMLESS = {
    "result out": Case(doings.give_lock, (), "result cannot be pickled", ": TypeError: cannot pickle '_thread.lock'"),
    "exception out": Case(
        doings.raise_locked, (), "exception cannot be pickled", "raised LockedError: no way out, but the exception"
    ),
    "failed": Case(doings.fail, (), "task failed", "'bad' raised OtherError: <b>bad</b> on purpose."),
    "arguments": Case(
        doings.good, (threading.Lock(),), "arguments cannot be pickled", ": TypeError: cannot pickle '_thread.lock'"
    ),
}
CASES = FATAL | HARMLESS


def handed_in(pool: AnyPool, trace: Trace, case: Case) -> dict[str, Any]:
    """Two good tasks that have finished, one that goes on for long if the bad one ends the pool, and the bad one."""
    tasks = {name: submit(pool, doings.good, trace, name) for name in ("good a", "good b")}
    until(lambda: all(map(over, tasks.values())), "the good ones")
    if case in FATAL.values():
        tasks["long"] = submit(pool, doings.long, trace, "long")
        until(lambda: any(span.name == "long" for lane in trace.lanes() for span in lane.spans), "the long one")
    tasks["bad"] = submit(pool, case.does, trace, "bad", *case.more)
    tasks["good c"] = submit(pool, doings.good, trace, "good c")
    return tasks


@every_pool
@every_method
@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_the_right_cause_is_named_and_what_had_finished_is_kept(case: Case, method: str, kind: str, trace: Trace):
    with made_pool(kind, method) as pool:
        watch = watched(trace, pool, handed_in(pool, trace, case))
        fault = watch.fault
        assert fault is not None
        assert (fault.kind, fault.task) == (case.kind, "bad"), fault.words
        assert case.words in fault.words
        assert watch.ended is (case in FATAL.values())
        kept = {"good a", "good b"} if case in FATAL.values() else {"good a", "good b", "good c"}
        assert kept <= watch.results.keys() <= {"good a", "good b", "good c"}
        assert watch.results.keys() | watch.errors.keys() == {"good a", "good b", "good c", "bad"} | (
            {"long"} if case in FATAL.values() else set()
        )
        if fault.worker is not None:
            titles = {lane.title for lane in trace.lanes() if any(span.name == "bad" for span in lane.spans)}
            assert titles == {fault.worker}
        assert fault.worker is not None or case not in FATAL.values()


@every_pool
@every_method
def test_a_worker_that_leaves_by_sys_exit(kind: str, method: str, trace: Trace):
    """An executor takes it for an exception; a Pool's worker really leaves."""
    with made_pool(kind, method) as pool:
        fault = watched(trace, pool, {"bad": submit(pool, doings.leave_politely, trace, "bad", 4)}).fault
        assert fault is not None
        expected = ("task failed", "SystemExit: 4") if kind == "executor" else ("worker left", "exit code 4")
        assert fault.kind == expected[0]
        assert fault.task == "bad"
        assert expected[1] in fault.words


@every_pool
@every_method
def test_a_task_that_says_nothing_to_the_trace_is_named_if_it_is_the_only_one(kind: str, method: str, trace: Trace):
    with made_pool(kind, method) as pool:
        tasks = {
            "good": submit(pool, doings.good, trace, "good"),
            "bad": submit(pool, doings.leave_silently, trace, 7),
        }
        until(lambda: over(tasks["good"]), "the good one")
        watch = watched(trace, pool, tasks)
        assert watch.fault is not None
        assert watch.fault.kind == "worker left"
        assert "exit code 7" in watch.fault.words
        assert watch.fault.task == "bad"


@every_pool
@every_method
def test_when_time_is_up_the_running_task_is_named_and_deaf_ones_end(kind: str, method: str, trace: Trace):
    with made_pool(kind, method) as pool:
        tasks = {"good": submit(pool, doings.good, trace, "good"), "deaf": submit(pool, doings.deaf, trace, "deaf")}
        until(lambda: over(tasks["good"]), "the good one")
        until(lambda: any(span.name == "deaf" for lane in trace.lanes() for span in lane.spans), "the deaf one")
        watch = watched(trace, pool, tasks, limit=0.1)
        assert watch.fault is not None
        assert (watch.fault.kind, watch.fault.task) == ("time is up", "deaf")
        assert watch.fault.words.startswith("Time is up: after 0.1 s 'deaf' was still running.")
        assert watch.results == {"good": "good is done"}
        assert watch.errors.keys() == {"deaf"}


@pytest.fixture
def from_a_cell(monkeypatch: pytest.MonkeyPatch) -> FromCell:
    """Defines a function as a cell of a notebook would: in the main module, which no process started afresh has."""

    def defined(name: str) -> Callable[[], int]:
        def function() -> int:
            return 1

        function.__name__ = function.__qualname__ = name
        function.__module__ = "__main__"
        monkeypatch.setattr(sys.modules["__main__"], name, function, raising=False)
        return function

    return defined


@every_pool
@pytest.mark.parametrize("method", [method for method in METHODS if method != "fork"])
def test_a_function_from_a_cell_is_not_found(kind: str, method: str, from_a_cell: FromCell, trace: Trace):
    function = from_a_cell("made_in_a_cell")
    with made_pool(kind, method) as pool:
        tasks = {f"task {n}": submit(pool, function) for n in range(3)}
        watch = watched(trace, pool, tasks)
        fault = watch.fault
        assert fault is not None
        assert fault.kind == "function not found", fault.words
        assert "defined in a cell" in fault.words
        assert ("the function 'made_in_a_cell'" in fault.words) is (kind == "executor")
        assert watch.errors.keys() == tasks.keys()


@every_pool
@pytest.mark.parametrize("method", [method for method in METHODS if method != "fork"])
def test_an_initializer_that_works_is_not_blamed_for_a_function_that_is_not_found(
    kind: str, method: str, from_a_cell: FromCell, trace: Trace
):
    with made_pool(kind, method, initializer=doings.be_quiet) as pool:
        tasks = [submit(pool, from_a_cell("made_in_a_cell")) for _ in range(3)]
        fault = watched(trace, pool, tasks).fault
        assert fault is not None
        assert fault.kind == "function not found", fault.words


@every_pool
@pytest.mark.parametrize("method", [method for method in METHODS if method != "fork"])
def test_an_initializer_from_a_cell(kind: str, method: str, from_a_cell: FromCell, trace: Trace):
    with made_pool(kind, method, initializer=from_a_cell("start")) as pool:
        fault = watched(trace, pool, [submit(pool, doings.good, trace, "good")]).fault
        assert fault is not None
        assert fault.kind == "function not found", fault.words
        assert "the function 'start'" in fault.words


@every_pool
@every_method
def test_what_a_worker_cannot_load_after_it_has_done_other_tasks(kind: str, method: str, trace: Trace):
    with made_pool(kind, method, workers=1) as pool:
        silent = submit(pool, doings.be_quiet)
        tasks = {"good": submit(pool, doings.good, trace, "good")}
        tasks["bad"] = submit(pool, abs, doings.NotThere(trace))
        watch = watched(trace, pool, tasks)
        assert over(silent)
        assert watch.results == {"good": "good is done"}
        assert watch.fault is not None
        assert watch.fault.task == "bad"
        expected = "arguments cannot be unpickled" if kind == "executor" else "function not found"
        assert watch.fault.kind == expected, watch.fault.words


@every_method
def test_arguments_that_cannot_be_made_again(method: str, trace: Trace):
    with made_pool("executor", method, initializer=doings.be_quiet) as pool:
        fault = watched(trace, pool, {"bad": submit(pool, abs, doings.NoNumber(trace))}).fault
        assert fault is not None
        assert (fault.kind, fault.task) == ("arguments cannot be unpickled", "bad")
        assert "ValueError: invalid literal for int()" in fault.words


@pytest.mark.skipif("fork" not in METHODS, reason="no fork here")
def test_under_fork_a_function_from_a_cell_works_unless_it_comes_after_the_pool(from_a_cell: FromCell, trace: Trace):
    before = from_a_cell("before")
    with made_pool("executor", "fork", workers=1) as pool:
        assert watched(trace, pool, [submit(pool, before)]).results == {"task 0": 1}
        doings.close_gate(trace)
        tasks = [submit(pool, doings.good_after_gate, trace, "good"), submit(pool, from_a_cell("after"))]
        fault = watched(trace, pool, tasks).fault
        assert fault is not None
        assert fault.kind == "function not found", fault.words
        assert "the function 'after': it was defined after the pool had started its workers" in fault.words


@every_pool
@every_method
def test_an_initializer_that_fails(kind: str, method: str, trace: Trace):
    with made_pool(kind, method, initializer=doings.fail_to_start) as pool:
        fault = watched(trace, pool, [submit(pool, doings.good, trace, "good")]).fault
        assert fault is not None
        assert fault.kind == "initializer failed", fault.words


@every_pool
def test_workers_that_may_take_only_so_many_tasks_are_no_fault(kind: str, trace: Trace):
    option = {"max_tasks_per_child": 1} if kind == "executor" else {"maxtasksperchild": 1}
    with made_pool(kind, METHODS[-1], **option) as pool:
        tasks = {f"{n}": submit(pool, doings.good, trace, f"{n}") for n in range(6)}
        watch = watched(trace, pool, tasks)
        assert watch.fault is None
        assert len(watch.results) == 6


@every_pool
def test_a_worker_killed_after_the_last_task_is_no_fault(kind: str, trace: Trace):
    with made_pool(kind, METHODS[0]) as pool:
        task = submit(pool, doings.good, trace, "good")
        watch = PoolWatch(trace, pool, [task], None, lambda: None)
        until(lambda: over(task), "the task")
        os.kill(next(iter(watch.workers)), signal.SIGKILL)
        until(lambda: watch.deaths, "the death to be noticed")
        assert finish(watch).fault is None


@every_method
def test_an_executor_broken_before_anybody_looked(method: str, trace: Trace):
    with made_pool("executor", method) as pool:
        task = submit(pool, doings.be_killed, trace, "bad", 9)
        doings.open_gate(trace)
        until(lambda: over(task), "the executor to break")
        fault = watched(trace, pool, {"bad": task}).fault
        assert fault is not None
        assert fault.task == "bad"
        assert fault.kind in {"worker killed", "worker lost"}


@every_method
def test_a_pool_that_has_dropped_its_dead_worker_before_anybody_looked(method: str, trace: Trace):
    with made_pool("pool", method) as pool:
        known = {worker.pid for worker in pool_workers(pool)}
        task = submit(pool, doings.be_killed, trace, "bad", 9)
        doings.open_gate(trace)
        until(lambda: {worker.pid for worker in pool_workers(pool)} - known, "another worker in its place")
        fault = watched(trace, pool, {"bad": task, "good": submit(pool, doings.good, trace, "good")}).fault
        assert fault is not None
        assert (fault.kind, fault.task) == ("worker lost", "bad")


def test_of_several_failures_the_first_is_named_and_one_that_ends_the_pool_before_all(trace: Trace):
    with made_pool("executor", METHODS[0], workers=1) as pool:
        tasks = {name: submit(pool, doings.fail, trace, name) for name in ("first", "second")}
        tasks["bad"] = submit(pool, doings.leave, trace, "bad", 3)
        watch = PoolWatch(trace, pool, tasks, None, lambda: None)
        doings.open_gate(trace)
        until(lambda: over(tasks["first"]), "the first to fail")
        watch.look()
        assert watch.fault is not None
        assert watch.fault.kind in {"task failed", "worker left"}
        finish(watch)
        assert (watch.fault.kind, watch.fault.task) == ("worker left", "bad")
        assert [type(watch.errors[name]) for name in ("first", "second")] == [doings.OtherError] * 2


def test_a_cancelled_task_is_no_fault(trace: Trace):
    with made_pool("executor", METHODS[0], workers=1) as pool:
        busy = [submit(pool, doings.good_after_gate, trace, f"busy {n}") for n in range(3)]
        last = submit(pool, doings.good, trace, "last")
        assert last.cancel()
        watch = watched(trace, pool, [*busy, last])
        assert watch.fault is None
        assert isinstance(watch.errors["task 3"], CancelledError)


def test_a_callback_that_raises_ends_a_pools_thread(trace: Trace):
    with made_pool("pool", METHODS[0]) as pool:
        tasks = [pool.apply_async(doings.good_after_gate, (trace, "good"), callback=lambda _: 1 / 0)]
        tasks.append(pool.apply_async(doings.long, (trace, "long")))
        fault = watched(trace, pool, tasks).fault
        assert fault is not None
        assert fault.kind == "pool's thread failed"
        assert "ZeroDivisionError: division by zero" in fault.words


@pytest.mark.parametrize("kind", [ThreadPoolExecutor, ThreadPool])
def test_threads_fail_and_run_out_of_time_too(kind: Any, trace: Trace):
    leave = threading.Event()

    def wait(name: str) -> None:
        with trace.span(name):
            leave.wait(60)

    pool = kind(2)
    try:
        tasks = {"good": submit(pool, doings.good, trace, "good"), "bad": submit(pool, doings.fail, trace, "bad")}
        watch = watched(trace, pool, tasks)
        assert watch.fault is not None
        assert (watch.fault.kind, watch.fault.task) == ("task failed", "bad")
        assert watch.results == {"good": "good is done"}
        task = submit(pool, wait, "waiting")
        until(lambda: any(span.name == "waiting" for lane in trace.lanes() for span in lane.spans), "it to wait")
        watch = watched(trace, pool, {"waiting": task}, limit=0.05)
        assert watch.fault is not None
        assert (watch.fault.kind, watch.fault.task) == ("time is up", "waiting")
        assert isinstance(watch.errors["waiting"], TimeoutError | PoolEndedError)
    finally:
        leave.set()
        kill_pool(pool)


def test_callbacks_of_ones_own_are_called_as_ever(trace: Trace):
    with made_pool("pool", METHODS[0]) as pool:
        heard: list[object] = []
        good = pool.apply_async(doings.good, (trace, "good"), callback=heard.append, error_callback=heard.append)
        bad = pool.apply_async(doings.fail, (trace, "bad"), callback=heard.append, error_callback=heard.append)
        watch = watched(trace, pool, {"good": good, "bad": bad})
        until(lambda: len(heard) == 2, "both callbacks")
        assert set(map(str, heard)) == {"good is done", "<b>bad</b> on purpose"}
        assert (good.ready(), bad.ready()) == (True, True)
        assert watch.results == {"good": "good is done"}


@pytest.mark.parametrize("kind", [ThreadPoolExecutor, ThreadPool])
def test_somebody_is_told_of_a_failure_and_of_the_end_and_not_of_each_task(kind: Any, trace: Trace):
    told: list[int] = []
    go, last = threading.Event(), threading.Event()
    with kind(2) as pool:
        tasks = [submit(pool, go.wait, 60) for _ in range(6)]
        tasks.append(submit(pool, last.wait, 60))
        watch = PoolWatch(trace, pool, tasks, None, lambda: told.append(watch.tasks.done))
        try:
            go.set()
            until(lambda: all(map(over, tasks[:6])), "all but the last")
            assert told == []
            watch.look()
            last.set()
            until(lambda: told, "the end")
        finally:
            finish(watch)
        bad = submit(pool, doings.fail, trace, "bad")
        watch = PoolWatch(trace, pool, [bad, submit(pool, time.sleep, 0.2)], None, lambda: told.append(-1))
        doings.open_gate(trace)
        until(lambda: -1 in told, "the failure")
        finish(watch)


def test_an_initializer_of_threads_that_fails(trace: Trace):
    with ThreadPoolExecutor(1, initializer=lambda: 1 / 0) as pool:
        fault = watched(trace, pool, [pool.submit(int)]).fault
        assert fault is not None
        assert fault.kind == "initializer failed"


def test_one_map_async_is_one_task_and_its_items_are_counted(trace: Trace):
    with made_pool("pool", METHODS[0], workers=1) as pool:
        mapped = pool.map_async(time.sleep, [0.0] * 7 + [0.3] * 4, chunksize=3)
        watch = PoolWatch(trace, pool, {"all": mapped}, None, lambda: None)
        assert watch.tasks.total == 11
        until(lambda: watch.tasks.done >= 6, "some items")
        assert watch.tasks.done < 11
        assert finish(watch).results == {"all": [None] * 11}
        assert watch.tasks.done == 11


def test_loky(trace: Trace):
    loky = pytest.importorskip("loky")
    executor = loky.ProcessPoolExecutor(2)
    try:
        tasks = {"good": executor.submit(doings.good, trace, "good")}
        until(lambda: over(tasks["good"]), "the good one")
        fault = watched(trace, executor, {"bad": executor.submit(doings.give_lock, trace, "bad")}).fault
        assert fault is not None
        assert (fault.kind, fault.task) == ("result cannot be pickled", "bad")
        fault = watched(trace, executor, {"bad": executor.submit(doings.good, trace, threading.Lock())}).fault
        assert fault is not None
        assert (fault.kind, fault.task) == ("arguments cannot be pickled", "bad")
        assert "cannot pickle '_thread.lock' object" in fault.words
        tasks["long"] = executor.submit(doings.long, trace, "long")
        until(lambda: any(span.name == "long" for lane in trace.lanes() for span in lane.spans), "the long one")
        doings.close_gate(trace)
        tasks["killed"] = executor.submit(doings.be_killed, trace, "killed", 9)
        watch = watched(trace, executor, tasks)
        assert watch.fault is not None
        assert (watch.fault.kind, watch.fault.task) == ("worker killed", "killed")
        assert watch.results == {"good": "good is done"}
    finally:
        kill_pool(executor)


def seconds_to_the_name(kind: str, method: str, case: Case) -> float:
    with Trace() as trace, made_pool(kind, method, workers=1) as pool:
        watched(trace, pool, {"bad": submit(pool, case.does, trace, "bad", *case.more)})
        named = time.perf_counter_ns()
        said = next(note.at for lane in trace.lanes() for note in lane.notes if note.text == "now")
    return (named - said) / 1e9


@every_pool
@every_method
@pytest.mark.parametrize("name", [name for name in CASES if name != "arguments"])  # they reach no worker to say when
def test_a_fault_is_named_soon(kind: str, method: str, name: str):
    assert any(seconds_to_the_name(kind, method, CASES[name]) < NAMED_WITHIN for _ in range(3))


def test_an_address_is_left_out_of_the_words():
    assert plain("Can't pickle <function f at 0x7f00>: no") == "Can't pickle <function f>: no"
    assert plain(ValueError()) == "ValueError"


def test_a_signal_without_a_name_goes_by_its_number():
    assert signal_name(9) == "SIGKILL"
    assert signal_name(250) == "signal 250"


def test_the_text_of_a_fault_is_the_same_in_every_run():
    fault = Fault("worker killed", "bad", "ForkProcess-17", "It died.", "Try again.")
    assert repr(fault) == "Fault(kind='worker killed', task='bad')"
    assert fault.words == "It died. Try again."


@pytest.mark.parametrize(
    ("tasks", "limit", "error", "words"),
    [
        ([], None, ValueError, "tasks must be at least one future"),
        ({"a": 3}, None, TypeError, "'a' must be a future or an AsyncResult"),
        ([], 0, ValueError, "limit must be more than 0 seconds, got 0"),
    ],
)
def test_what_cannot_be_watched_is_refused(tasks: Any, limit: float | None, error: type[Exception], words: str):
    with Trace() as trace, ThreadPoolExecutor(1) as pool, pytest.raises(error, match=words):
        PoolWatch(trace, pool, tasks, limit, lambda: None)
