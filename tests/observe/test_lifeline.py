"""A worker ends with its parent, however that ends and whatever the worker is doing."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from helpers.observe import lifeline
from helpers.observe.lifeline import end_with_parent
from helpers.observe.trace import Trace
from helpers.workers.article import worker
from tests.observe.starting import LIMIT, METHODS, gone, until

SCRIPT = Path(__file__).with_name("lifeline_parent.py")
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux's kernel can end the worker")
posix = pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL and process groups")
each_method = pytest.mark.parametrize("method", METHODS)


@contextmanager
def parent(tmp_path: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], list[psutil.Process]]]:
    """A parent and its workers, all at work; whatever is left of them is ended afterwards."""
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, SCRIPT, *words], stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as started:
        try:
            yield started, [psutil.Process(int(pid)) for pid in started.stdout.readline().split()]
        finally:  # workers that did not end
            os.killpg(started.pid, signal.SIGKILL)


def members(group: int) -> list[psutil.Process]:
    return [process for process in psutil.process_iter() if in_group(process.pid, group) and not gone(process)]


def in_group(pid: int, group: int) -> bool:
    try:
        return os.getpgid(pid) == group
    except ProcessLookupError:
        return False


def tracks_resources(process: psutil.Process) -> bool:
    """Whether it is the process that removes the semaphores and shared memory of a killed program."""
    try:
        return any("resource_tracker" in word for word in process.cmdline())
    except psutil.Error:
        return False


def assert_workers_end(tmp_path: Path, *words: str, workers: int = 2) -> None:
    with parent(tmp_path, *words) as (started, processes):
        assert len(processes) == workers
        assert not any(map(gone, processes))
        started.kill()
        until(lambda: all(map(gone, processes)), f"the workers of a killed parent to end: {words}")
        until(lambda: not any(map(tracks_resources, members(started.pid))), "the clean-up after them")


@linux
@each_method
@pytest.mark.parametrize("job", ["loop", "call", "sleep"])
def test_workers_end_with_a_killed_parent(tmp_path: Path, method: str, job: str):
    assert_workers_end(tmp_path, method, job, "process")


@linux
@each_method
def test_children_of_workers_end_too(tmp_path: Path, method: str):
    assert_workers_end(tmp_path, method, "family", "process", workers=4)


@posix
@each_method
@pytest.mark.parametrize("job", [pytest.param("leader", marks=linux), "watched leader"])
def test_a_worker_that_leads_a_group_takes_it_along(tmp_path: Path, method: str, job: str):
    assert_workers_end(tmp_path, method, job, "process", workers=4)


@linux
@pytest.mark.parametrize("starter", ["pool", "executor"])
def test_workers_of_a_pool_end_with_a_killed_parent(tmp_path: Path, starter: str):
    for method in METHODS:
        assert_workers_end(tmp_path, method, "initialised", starter)


@linux
def test_a_forked_child_does_not_take_the_tie_away(tmp_path: Path):
    assert_workers_end(tmp_path, "spawn", "forker", "process")


@linux
def test_where_the_kernel_refuses_a_thread_watches(tmp_path: Path):
    assert_workers_end(tmp_path, "spawn", "refused", "process")


@posix
@each_method
def test_where_the_kernel_cannot_help_a_thread_watches(tmp_path: Path, method: str):
    assert_workers_end(tmp_path, method, "watched", "process")


@posix
def test_workers_of_joblib_end_with_a_killed_parent(tmp_path: Path):
    assert_workers_end(tmp_path, "", "", "joblib")


def run(method: str, target, *args) -> int:
    process = multiprocessing.get_context(method).Process(target=target, args=args)
    process.start()
    process.join(LIMIT)
    assert process.exitcode is not None
    return process.exitcode


@each_method
def test_a_worker_survives_the_thread_that_started_it(method: str):
    with Trace() as trace:
        process = multiprocessing.get_context(method).Process(target=worker, args=(trace, 0.5))
        starter = threading.Thread(target=process.start)
        starter.start()
        starter.join(LIMIT)
        process.join(LIMIT)
        assert process.exitcode == 0
        assert trace.lanes()[0].notes[-1].text == "finished"


def come_too_late() -> None:
    """The parent is gone before the worker ties itself to it."""
    reading, writing = os.pipe()
    os.close(writing)
    multiprocessing.parent_process()._sentinel = reading
    end_with_parent()


@linux
def test_a_worker_that_comes_too_late_ends_at_once():
    assert run("spawn", come_too_late) == 1


def tie_twice() -> None:
    ties = []
    lifeline._killed_by_kernel = lambda sentinel: not ties.append(sentinel)
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    assert ties == [multiprocessing.parent_process().sentinel]
    assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN


@each_method
def test_a_second_call_does_nothing(method: str):
    assert run(method, tie_twice) == 0


def tie_in_thread() -> None:
    before = signal.getsignal(signal.SIGINT)
    errors = []

    def tie() -> None:
        try:
            end_with_parent()
        except ValueError as error:
            errors.append(error)

    thread = threading.Thread(target=tie)
    thread.start()
    thread.join()
    assert not errors
    assert lifeline._tied_to is multiprocessing.parent_process()
    assert signal.getsignal(signal.SIGINT) is before


@each_method
def test_called_in_a_workers_thread_it_leaves_signals_alone(method: str):
    assert run(method, tie_in_thread) == 0


def test_outside_a_worker_it_does_nothing():
    handler, threads = signal.getsignal(signal.SIGINT), threading.active_count()
    end_with_parent()
    thread = threading.Thread(target=end_with_parent)
    thread.start()
    thread.join(LIMIT)
    assert (signal.getsignal(signal.SIGINT), threading.active_count()) == (handler, threads)
    assert lifeline._tied_to is None


@posix
@each_method
def test_an_interrupt_ends_a_worker_without_a_traceback(method: str, capfd: pytest.CaptureFixture[str]):
    with Trace() as trace:
        process = multiprocessing.get_context(method).Process(target=worker, args=(trace, 60.0))
        process.start()
        until(lambda: any(lane.done for lane in trace.lanes()), "the worker to work")
        os.kill(process.pid, signal.SIGINT)
        process.join(LIMIT)
    assert process.exitcode == -signal.SIGINT
    assert capfd.readouterr().err == ""


POOL = """
import multiprocessing, os, sys, time
from helpers.observe.lifeline import end_with_parent

if __name__ == "__main__":
    with multiprocessing.get_context("{method}").Pool(2, {initializer}) as pool:
        at_work = set()
        while len(at_work) < 2:
            at_work.update(pool.starmap(os.getpid, [()] * 100, 1))
        result = pool.map_async(time.sleep, [600])  # for one: the other waits for a task
        print("at work", flush=True)
        result.get()
"""


@posix
@each_method
@pytest.mark.parametrize("initializer", ["", "end_with_parent"])
def test_an_interrupted_pool_ends_though_a_worker_waits_for_a_task(method: str, initializer: str):
    program = POOL.format(method=method, initializer=initializer)
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as started:
        try:
            assert started.stdout.readline() == "at work\n"
            time.sleep(0.3)  # the one that waits has taken the lock
            os.killpg(started.pid, signal.SIGINT)
            _, said = started.communicate(timeout=LIMIT)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)
    assert started.returncode == -signal.SIGINT
    assert said.count("Traceback") == 1 or not initializer, "the workers say nothing"
