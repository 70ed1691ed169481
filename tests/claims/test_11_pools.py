"""Lesson 11: what it says of pools, futures, chunks and workers."""

import functools
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.pool import ThreadPool
from pathlib import Path
from types import SimpleNamespace

import loky.backend.context
import pytest

import helpers.observe.cores as counting
from helpers.observe.child_errors import error_output
from helpers.observe.trace import Trace
from helpers.workers.computing import fail_midway
from tests.observe.starting import LIMIT, METHODS, until

each_method = pytest.mark.parametrize("method", METHODS)
NEWEST = "forkserver" if "forkserver" in METHODS else "spawn"


def number(item):
    return item


def number_and_pid(item):
    return item, os.getpid()


def fail_at(bad, item):
    if item == bad:
        raise ValueError(f"item {item} cannot be used")
    return item


def note_and_wait(folder, item, seconds=0.0):
    Path(folder, str(item)).touch()
    time.sleep(seconds)
    return item


def until_released(folder, item):
    Path(folder, f"begun-{item}").touch()
    deadline = time.monotonic() + LIMIT
    while not Path(folder, "go").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    return item


def fail_or_wait(folder, item):
    if item == 0:
        raise ValueError("the first has failed")
    until_released(folder, item)
    Path(folder, f"done-{item}").touch()


def keep(thing):
    keep.thing = thing


def kept_is_a_lock(_):
    return keep.thing.acquire(timeout=LIMIT) and keep.thing.release() is None


def fail_to_start(folder):
    Path(folder, str(os.getpid())).touch()
    raise ValueError("this worker cannot get ready")


# Workers stay, and take what is next


@each_method
def test_the_same_few_processes_do_all_tasks(method):
    with ProcessPoolExecutor(2, multiprocessing.get_context(method)) as pool:
        answers = list(pool.map(number_and_pid, range(60)))
    assert [item for item, _ in answers] == list(range(60))
    pids = {pid for _, pid in answers}
    assert 1 <= len(pids) <= 2
    assert os.getpid() not in pids


def test_map_takes_all_items_before_the_first_result(tmp_path):
    taken = []

    def items():
        for item in range(30):
            taken.append(item)
            yield item

    with ProcessPoolExecutor(2) as pool:
        results = pool.map(functools.partial(until_released, tmp_path), items())
        assert taken == list(range(30))
        (tmp_path / "go").touch()
        assert list(results) == list(range(30))


def test_after_a_failed_call_map_gives_no_more_results():
    with ProcessPoolExecutor(2) as pool:
        results = pool.map(functools.partial(fail_at, 2), range(6))
        assert [next(results), next(results)] == [0, 1]
        with pytest.raises(ValueError, match="item 2 cannot be used"):
            next(results)
        assert list(results) == []


def test_after_a_failed_call_map_cancels_what_waits_and_the_rest_goes_on(tmp_path):
    with ProcessPoolExecutor(1) as pool:
        results = pool.map(functools.partial(fail_or_wait, tmp_path), range(12))
        until((tmp_path / "begun-1").exists, "the second call to begin")
        with pytest.raises(ValueError, match="the first has failed"):
            next(results)
        assert not (tmp_path / "done-1").exists()
        (tmp_path / "go").touch()
    begun, done = (len(list(tmp_path.glob(f"{word}-*"))) for word in ("begun", "done"))
    assert 1 <= begun == done <= 4  # at work and in the queue; 11 if none were cancelled


def test_shutdown_can_drop_what_still_waits(tmp_path):
    with ProcessPoolExecutor(1) as pool:
        futures = [pool.submit(until_released, tmp_path, item) for item in range(12)]
        until((tmp_path / "begun-0").exists, "the first task to begin")
        leaving = threading.Thread(target=pool.shutdown, kwargs={"cancel_futures": True})
        leaving.start()
        until(lambda: sum(future.cancelled() for future in futures) >= 8, "most to be cancelled")
        (tmp_path / "go").touch()
        leaving.join(LIMIT)
    assert all(future.done() for future in futures)
    cancelled = sum(future.cancelled() for future in futures)
    assert len(list(tmp_path.glob("begun-*"))) == 12 - cancelled


def test_leaving_an_executor_waits_for_all_tasks_and_ends_its_workers(tmp_path):
    with ProcessPoolExecutor(2) as pool:
        futures = [pool.submit(note_and_wait, tmp_path, item, 0.1) for item in range(6)]
    assert all(future.done() for future in futures)
    assert len(list(tmp_path.iterdir())) == 6
    assert multiprocessing.active_children() == []


def test_leaving_a_pool_ends_its_workers_whatever_they_do(tmp_path):
    with multiprocessing.Pool(2) as pool:
        answers = [pool.apply_async(until_released, (tmp_path, item)) for item in range(2)]
        until(lambda: len(list(tmp_path.iterdir())) == 2, "both workers to begin")
    assert not any(answer.ready() for answer in answers)
    assert multiprocessing.active_children() == []


def test_a_partial_can_be_pickled_and_a_lambda_cannot():
    with ProcessPoolExecutor(1) as pool:
        assert pool.submit(functools.partial(pow, 2), 5).result(LIMIT) == 32
        with pytest.raises((AttributeError, pickle.PicklingError)):
            pool.submit(lambda: 32).result(LIMIT)


# Futures


def test_what_a_task_raised_is_raised_by_result():
    with Trace() as trace, ProcessPoolExecutor(1) as pool:
        future = pool.submit(fail_midway, trace)
        with pytest.raises(ValueError, match="broken on purpose"):
            future.result(LIMIT)


def test_what_cannot_be_packed_is_no_error_of_submit():
    with ProcessPoolExecutor(1) as pool:
        future = pool.submit(number, threading.Lock())
        with pytest.raises(TypeError, match="cannot pickle"):
            future.result(LIMIT)


@each_method
def test_the_queue_of_tasks_holds_one_more_than_there_are_workers(method, tmp_path):
    with ProcessPoolExecutor(2, multiprocessing.get_context(method)) as pool:
        futures = [pool.submit(until_released, tmp_path, item) for item in range(12)]
        assert pool._call_queue._maxsize == 3
        until(lambda: len(list(tmp_path.iterdir())) == 2, "both workers to begin")
        until(lambda: sum(future.running() for future in futures) >= 3, "a third task to be on its way")
        running = [future.running() for future in futures]
        cancelled = [future.cancel() for future in futures]
        assert 3 <= sum(running) <= 5
        assert not any(is_running and gone for is_running, gone in zip(running, cancelled, strict=True))
        (tmp_path / "go").touch()
    assert all(future.cancelled() or future.done() for future in futures)
    begun = len(list(tmp_path.glob("begun-*")))
    assert begun == 12 - sum(cancelled)
    assert begun > 2


def test_a_running_task_goes_on_after_cancel(tmp_path):
    with ProcessPoolExecutor(1) as pool:
        future = pool.submit(until_released, tmp_path, 7)
        until((tmp_path / "begun-7").exists, "the task to begin")
        assert not future.cancel()
        (tmp_path / "go").touch()
        assert future.result(LIMIT) == 7


def test_as_completed_gives_the_quick_one_first(tmp_path):
    with ProcessPoolExecutor(2) as pool:
        slow = pool.submit(until_released, tmp_path, 0)
        quick = pool.submit(number, 1)
        results = as_completed([slow, quick], LIMIT)
        assert next(results) is quick
        (tmp_path / "go").touch()
        assert next(results) is slow


def test_imap_unordered_gives_the_quick_one_first_and_imap_does_not(tmp_path):
    with multiprocessing.Pool(2) as pool:
        work = functools.partial(slow_if_zero, tmp_path)
        unordered = pool.imap_unordered(work, [0, 1])
        assert unordered.next(LIMIT) == 1
        (tmp_path / "go").touch()
        assert unordered.next(LIMIT) == 0
        assert list(pool.imap(work, [0, 1])) == [0, 1]


def slow_if_zero(folder, item):
    return item or until_released(folder, item)


def test_starmap_unpacks_and_executors_zip():
    with multiprocessing.Pool(1) as pool:
        assert pool.starmap(pow, [(2, 3), (3, 2)]) == [8, 9]
    with ProcessPoolExecutor(1) as pool:
        assert list(pool.map(pow, [2, 3], [3, 2])) == [8, 9]


# Chunks


def test_an_executor_takes_chunks_of_one_unless_told(monkeypatch):
    submitted = []
    with ProcessPoolExecutor(2) as pool:
        submit = pool.submit
        monkeypatch.setattr(pool, "submit", lambda *args: submitted.append(args) or submit(*args))
        assert len(list(pool.map(number, range(40)))) == len(submitted) == 40
        submitted.clear()
        assert len(list(pool.map(number, range(40), chunksize=16))) == 40
        assert len(submitted) == 3


def test_a_pool_makes_about_four_chunks_a_worker():
    with multiprocessing.Pool(2) as pool:
        answer = pool.map_async(number, range(80))
        assert answer._chunksize == 10
        assert answer.get(LIMIT) == list(range(80))


def test_a_failed_call_takes_its_chunk_with_it():
    with ProcessPoolExecutor(2) as pool:
        results = pool.map(functools.partial(fail_at, 6), range(12), chunksize=4)
        assert [next(results) for _ in range(4)] == [0, 1, 2, 3]
        with pytest.raises(ValueError, match="item 6"):
            next(results)  # 4 and 5 came out well


PRICES = """
import multiprocessing, resource, time
from concurrent.futures import ProcessPoolExecutor
from helpers.workers.pooled import count_lines
from helpers.workers.sources import source_files

def spent(make, **options):
    "Seconds on a core, of this process."
    with make(2) as pool:
        sum(pool.map(count_lines, paths[:50]))  # both workers are there
        before = time.process_time()
        sum(pool.map(count_lines, paths, **options))
        own = time.process_time() - before
        if isinstance(pool, ProcessPoolExecutor):
            pool.shutdown()
        else:
            pool.close()
            pool.join()
    return own

def of_workers():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime

if __name__ == "__main__":
    paths, plain = source_files(), []
    for _ in range(3):
        before = time.process_time()
        sum(map(count_lines, paths))
        plain.append(time.process_time() - before)
    known = of_workers()
    many = spent(ProcessPoolExecutor, chunksize=64)
    theirs_many, known = of_workers() - known, of_workers()
    one = spent(ProcessPoolExecutor, chunksize=1)
    theirs_one = of_workers() - known
    other = spent(multiprocessing.Pool, chunksize=1)
    print(min(plain), many, one, other, one + theirs_one - many - theirs_many)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="what workers used is not told on Windows")
def test_handing_over_costs_a_light_task_more_than_its_work(tmp_path):
    """In seconds on a core, which a busy machine changes little; and the older pool does it for less."""
    program = tmp_path / "program.py"
    program.write_text(PRICES)
    said = subprocess.run(
        [sys.executable, program],
        capture_output=True, text=True, check=True, timeout=50,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    ).stdout  # fmt: skip
    plain, many, one, other_pool, in_all = map(float, said.split())
    assert one > 5 * many, said
    assert other_pool < one, said
    assert in_all > plain, said


# How many workers


def test_without_a_number_a_pool_takes_all_cores():
    expected = os.process_cpu_count() if sys.version_info >= (3, 13) else os.cpu_count()
    executor = ProcessPoolExecutor()
    assert executor._max_workers == min(expected, 61 if sys.platform == "win32" else expected)
    executor.shutdown()
    with ThreadPool() as threads:
        assert threads._processes == expected
    with ThreadPoolExecutor() as waiting:
        assert waiting._max_workers == min(32, expected + 4)


def test_windows_allows_61(monkeypatch):
    monkeypatch.setattr("concurrent.futures.process.sys", SimpleNamespace(platform="win32"))
    with pytest.raises(ValueError, match="61"):
        ProcessPoolExecutor(62)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux confines a process like this")
@each_method
def test_cpu_count_does_not_see_affinity(method):
    one = {min(os.sched_getaffinity(0))}
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(1, context, os.sched_setaffinity, (0, one)) as pool:
        assert pool.submit(os.cpu_count).result(LIMIT) == os.cpu_count()
        assert pool.submit(os.sched_getaffinity, 0).result(LIMIT) == one
        assert pool.submit(counting.count_cores).result(LIMIT).usable == 1
        if sys.version_info >= (3, 13):
            assert pool.submit(os.process_cpu_count).result(LIMIT) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="containers of Linux")
def test_loky_sees_the_limit_of_a_container_and_python_does_not(monkeypatch, tmp_path):
    granted = tmp_path / "cpu.max"
    granted.write_text("200000 100000\n")  # microseconds of each 100,000: two cores' worth

    def seen_from_inside(file, *args, **options):
        return Path(granted if file == "/sys/fs/cgroup/cpu.max" else file).open(*args, **options)

    exists = os.path.exists
    monkeypatch.setattr(os.path, "exists", lambda path: path == "/sys/fs/cgroup/cpu.max" or exists(path))
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))
    monkeypatch.setattr(loky.backend.context, "open", seen_from_inside, raising=False)
    assert loky.cpu_count() == 2
    assert len(os.sched_getaffinity(0)) == os.cpu_count() == 64


# Initializers


@each_method
def test_a_lock_travels_by_an_initializer_and_not_with_a_task(method):
    context = multiprocessing.get_context(method)
    lock = context.Lock()
    with ProcessPoolExecutor(2, context, keep, (lock,)) as pool:
        assert all(pool.map(kept_is_a_lock, range(4)))
        with pytest.raises(RuntimeError, match="through inheritance"):
            pool.submit(number, lock).result(LIMIT)


def test_an_initializer_that_fails_breaks_an_executor(tmp_path):
    with error_output(), ProcessPoolExecutor(1, initializer=fail_to_start, initargs=(tmp_path,)) as pool:
        future = pool.submit(number, 1)
        with pytest.raises(BrokenProcessPool):
            future.result(LIMIT)


def test_an_initializer_that_fails_keeps_a_pool_starting_workers(tmp_path):
    context = multiprocessing.get_context("fork" if "fork" in METHODS else "spawn")
    with error_output():
        pool = context.Pool(1, initializer=fail_to_start, initargs=(tmp_path,))
        try:
            answer = pool.apply_async(number, (1,))
            until(lambda: len(list(tmp_path.iterdir())) >= 3, "a third worker to fail")
            assert not answer.ready()
        finally:
            pool.terminate()
            pool.join()


# The same of threads


def test_threads_have_the_same_pool():
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(number, range(5))) == list(range(5))
    with ThreadPool(2) as pool:
        assert pool.map(number, range(5)) == list(range(5))


def test_a_task_of_a_pool_cannot_be_taken_back():
    with ThreadPool(1) as pool:
        answer = pool.apply_async(number, (1,))
        assert not hasattr(answer, "cancel")
        assert answer.get(LIMIT) == 1
