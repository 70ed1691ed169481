"""Every pool can be ended for certain, whatever its tasks have done to it, and what had finished is kept."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.pool import ThreadPool
from typing import Any

import pytest

from helpers.observe.deaths import has_died
from helpers.observe.pool_ending import PoolEndedError
from helpers.observe.pools import kill_pool, pool_thread, pool_threads, pool_workers
from helpers.observe.thread_errors import ThreadErrors
from helpers.observe.trace import Trace
from tests.observe import pool_doings as doings
from tests.observe.pool_making import KINDS, made_pool, over, submit, value
from tests.observe.starting import METHODS, until

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signals here")
every_pool = pytest.mark.parametrize("kind", KINDS)
every_method = pytest.mark.parametrize("method", METHODS)
QUICK = 10.0
"""Seconds in which even a busy machine ends a pool; what hangs, hangs for ever."""
GIVEN_UP = (BrokenExecutor, CancelledError, PoolEndedError)


@pytest.fixture(autouse=True)
def left_as_found() -> Iterator[None]:
    """Fail if a process or a thread is left."""
    threads = set(threading.enumerate())
    yield
    until(lambda: set(threading.enumerate()) <= threads, f"threads to end: {threading.enumerate()}")
    assert multiprocessing.active_children() == []


@pytest.fixture
def trace() -> Iterator[Trace]:
    with Trace() as made:
        yield made


def at_task(trace: Trace, name: str) -> bool:
    return any(span.name == name for lane in trace.lanes() for span in lane.spans)


def until_sent(pool: Any, trace: Trace, workers: int) -> None:
    """Wait until the results of all tasks so far are sent: a worker takes a new task after that only."""
    for worker in range(workers):
        submit(pool, doings.long, trace, f"long {worker}")
    until(lambda: all(at_task(trace, f"long {worker}") for worker in range(workers)), "all workers to go on")


def end(pool: Any) -> None:
    """End it in good time, and see that its own ways of ending do no harm any more."""
    threads = [pool_thread(pool), *(getattr(pool, f"_{name}_handler", None) for name in ("worker", "task"))]
    began = time.monotonic()
    kill_pool(pool)
    assert time.monotonic() - began < QUICK
    assert not any(thread.is_alive() for thread in threads if thread is not None), threads
    assert pool_workers(pool) == [] or not any(worker.is_alive() for worker in pool_workers(pool))
    pool.__exit__(None, None, None)
    kill_pool(pool)


@every_pool
@every_method
def test_the_workers_of_a_pool_are_known(kind: str, method: str, trace: Trace):
    with made_pool(kind, method) as pool:
        assert value(submit(pool, doings.good, trace, "one")) == "one is done"
        workers = pool_workers(pool)
        assert {worker.pid for worker in workers} >= {lane.pid for lane in trace.lanes()}
        assert all(worker.is_alive() for worker in workers)
        assert pool_threads(pool) == []


@pytest.mark.parametrize("kind", [ThreadPoolExecutor, ThreadPool])
def test_the_workers_of_a_pool_of_threads_are_threads(kind: Any, trace: Trace):
    with kind(2) as pool:
        assert value(submit(pool, doings.good, trace, "one")) == "one is done"
        assert pool_workers(pool) == []
        (lane,) = trace.lanes()
        assert lane.thread in {thread.native_id for thread in pool_threads(pool)}


@every_pool
@every_method
def test_a_pool_at_work_is_ended_and_what_had_finished_is_kept(kind: str, method: str, trace: Trace):
    with made_pool(kind, method) as pool:
        done = [submit(pool, doings.good, trace, f"good {n}") for n in range(3)]
        until(lambda: all(map(over, done)), "the good ones")
        lost = [submit(pool, doings.deaf, trace, f"deaf {n}") for n in range(8)]
        until(lambda: at_task(trace, "deaf 1"), "both workers to be at work")
        end(pool)
        assert [value(task) for task in done] == [f"good {n} is done" for n in range(3)]
        assert all(isinstance(value(task), GIVEN_UP) for task in lost)


@every_pool
def test_an_idle_pool_and_one_that_was_never_used_are_ended(kind: str, trace: Trace):
    with made_pool(kind, METHODS[0]) as pool:
        end(pool)
    with made_pool(kind, METHODS[0]) as pool:
        assert value(submit(pool, doings.good, trace, "one")) == "one is done"
        end(pool)


@every_pool
def test_a_pool_that_was_closed_in_the_ordinary_way_is_ended_once_more(kind: str, trace: Trace):
    with made_pool(kind, METHODS[0]) as pool:
        task = submit(pool, doings.good, trace, "one")
        if kind == "pool":
            pool.close()
            pool.join()
        else:
            pool.shutdown()
        end(pool)
        assert value(task) == "one is done"


@every_method
def test_a_worker_killed_while_it_waited_for_a_task_has_taken_the_lock_of_the_queue(method: str, trace: Trace):
    """`Pool.terminate` would wait for that lock for ever."""
    with made_pool("pool", method) as pool:
        assert value(submit(pool, doings.good, trace, "one")) == "one is done"
        for worker in pool_workers(pool):
            os.kill(worker.pid or 0, signal.SIGKILL)
        task = submit(pool, doings.good, trace, "two")
        end(pool)
        assert over(task)


@every_pool
@every_method
def test_a_worker_killed_while_it_sent_a_result(kind: str, method: str, trace: Trace):
    """Half a result stands in the pipe, whose lock nobody opens, and who waits for the rest waits for ever."""
    with made_pool(kind, method) as pool:
        good = submit(pool, doings.good, trace, "good")
        until(lambda: over(good), "the good one")
        bad = submit(pool, doings.die_sending, trace, "bad")
        (worker,) = (worker for worker in pool_workers(pool) if worker.pid == dying(trace))
        doings.open_gate(trace)
        until(lambda: has_died(worker), "its death")
        end(pool)
        assert value(good) == "good is done"
        assert isinstance(value(bad), GIVEN_UP)


def dying(trace: Trace) -> int:
    """The pid of the worker that is at the bad task."""
    until(lambda: at_task(trace, "bad"), "the bad one to begin")
    return next(lane.pid for lane in trace.lanes() for span in lane.spans if span.name == "bad")


@every_pool
@every_method
def test_workers_killed_while_they_send_large_results(kind: str, method: str, trace: Trace):
    with made_pool(kind, method) as pool:
        tasks = [submit(pool, doings.give_much, trace, f"much {n}", 30_000_000) for n in range(4)]
        until(lambda: any(lane.spans and lane.spans[0].end for lane in trace.lanes()), "one to be sent")
        end(pool)
        assert all(map(over, tasks))


@every_pool
def test_a_large_argument_that_nobody_takes_any_more(kind: str, trace: Trace):
    with made_pool(kind, METHODS[0]) as pool:
        tasks = [submit(pool, doings.long, trace, f"long {n}") for n in range(2)]
        tasks += [submit(pool, len, bytes(5_000_000)) for _ in range(3)]
        until(lambda: at_task(trace, "long 1"), "both workers to be at work")
        end(pool)
        assert all(map(over, tasks))


def test_two_pools_at_once_by_fork_share_their_pipes_and_each_is_ended(trace: Trace):
    with made_pool("pool", METHODS[0]) as first, made_pool("pool", METHODS[0]) as second:
        tasks = [submit(pool, doings.long, trace, name) for pool, name in ((first, "one"), (second, "two"))]
        until(lambda: at_task(trace, "one") and at_task(trace, "two"), "both to be at work")
        end(first)
        assert over(tasks[0])
        assert not over(tasks[1])
        assert value(submit(second, doings.good, trace, "three")) == "three is done"
        end(second)


@pytest.mark.parametrize("function", [doings.fail_inside, doings.give_unreadable])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_results_behind_one_that_killed_the_result_handler_are_kept(function: Any, trace: Trace):
    """`Pool.terminate` would raise an AssertionError."""
    with made_pool("pool", METHODS[0]) as pool:
        bad = submit(pool, function, trace, "bad")
        doings.open_gate(trace)
        until(lambda: not pool._result_handler.is_alive(), "the handler to die")
        good = [submit(pool, doings.good, trace, f"good {n}") for n in range(2)]
        mapped = pool.map_async(abs, range(-4, 0), chunksize=2)
        until_sent(pool, trace, 2)
        end(pool)
        assert [value(task) for task in good] == ["good 0 is done", "good 1 is done"]
        assert value(mapped) == [4, 3, 2, 1]
        assert isinstance(value(bad), PoolEndedError)


def test_a_result_handler_that_dies_of_a_result_in_the_very_end(trace: Trace):
    go = threading.Event()
    with made_pool("pool", METHODS[0], workers=1) as pool:
        pool.apply_async(doings.good, (trace, "first"), callback=lambda _: go.wait(60))
        bad = pool.apply_async(doings.give_unreadable, (trace, "bad"))
        good = pool.apply_async(doings.good, (trace, "good"))
        doings.open_gate(trace)
        until_sent(pool, trace, 1)
        with silenced(pool_thread(pool)):
            later = threading.Timer(0.2, go.set)
            later.start()
            end(pool)
            later.join()
        assert value(good) == "good is done"
        assert isinstance(value(bad), PoolEndedError)


@contextmanager
def silenced(thread: threading.Thread | None) -> Iterator[None]:
    """Let `thread` fail without a word."""
    errors = ThreadErrors(quiet=lambda failed: failed is thread)
    yield
    errors.close()


def test_a_map_that_was_half_done_and_an_iterator_end_too():
    with made_pool("pool", METHODS[0]) as pool:
        mapped = pool.map_async(time.sleep, [0, 0, 60, 60], chunksize=1)
        results = pool.imap_unordered(time.sleep, [60])
        end(pool)
        assert isinstance(value(mapped), PoolEndedError)
        with pytest.raises(PoolEndedError):
            results.next(QUICK)


@pytest.mark.parametrize("kind", [ThreadPoolExecutor, ThreadPool])
def test_a_pool_of_threads_takes_no_more_and_ends_after_what_it_is_at(kind: Any):
    leave = threading.Event()
    pool = kind(1)
    first, second = submit(pool, leave.wait, 60), submit(pool, int)
    until(lambda: pool_threads(pool), "a thread")
    time.sleep(0.05)
    end_threads = time.monotonic()
    kill_pool(pool)
    assert time.monotonic() - end_threads < QUICK
    assert isinstance(value(second), GIVEN_UP)
    leave.set()
    assert value(first) is True or isinstance(value(first), PoolEndedError)
