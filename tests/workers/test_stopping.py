"""Workers that are to be stopped: each can be stopped in just the way it says, under every start method."""

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final

import psutil
import pytest

from helpers.observe.trace import Trace
from helpers.workers import half_done, stopping
from helpers.workers.half_done import move_money, replace_report, write_report
from helpers.workers.stopping import (
    be_deaf,
    keep,
    start_a_helper,
    tidy_when_told,
    work_in_steps,
    work_tied,
    work_untied,
    work_until_told,
)
from tests.observe.starting import LIMIT, METHODS, until

each_method = pytest.mark.parametrize("method", METHODS)
posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no signals")
WORKERS = [be_deaf, start_a_helper, tidy_when_told, work_in_steps, work_tied, work_untied, move_money, write_report]


@contextmanager
def at_work(method: str, target: Callable[..., object], trace: Trace, *args: Any) -> Iterator[BaseProcess]:
    """A process that has begun; ended with the block, if it has not ended before."""
    process = multiprocessing.get_context(method).Process(target=target, args=(trace, *args), name="worker")
    process.start()
    try:
        until(lambda: any(lane.done for lane in trace.lanes()), "the worker to begin")
        yield process
    finally:
        process.kill()
        process.join()


def words(trace: Trace) -> list[str]:
    return [note.text for lane in trace.lanes() for note in lane.notes]


@pytest.mark.parametrize("worker", [*WORKERS, replace_report])
def test_it_pickles(worker: Callable[..., object]):
    assert pickle.loads(pickle.dumps(worker)) is worker  # noqa: S301 (our own)


@each_method
def test_one_that_works_in_steps_finishes_its_step_when_asked(method: str):
    stop = multiprocessing.get_context(method).Event()
    with Trace() as trace, at_work(method, work_in_steps, trace, stop) as process:
        stop.set()
        process.join(LIMIT)
        assert process.exitcode == 0
        assert words(trace) == ["tidied up"]
        assert all(span.end for lane in trace.lanes() for span in lane.spans)


@posix
@each_method
@pytest.mark.parametrize("worker", [work_tied, work_untied])
def test_one_that_works_is_terminated(method: str, worker: Callable[..., object]):
    with Trace() as trace, at_work(method, worker, trace) as process:
        process.terminate()
        process.join(LIMIT)
        assert process.exitcode == -signal.SIGTERM


@posix
@each_method
def test_one_that_tidies_up_does_so_when_terminated(method: str):
    with Trace() as trace, at_work(method, tidy_when_told, trace) as process:
        process.terminate()
        process.terminate()
        process.join(LIMIT)
        assert process.exitcode == 0
        assert words(trace)[-1] == "tidied up"


@posix
@each_method
def test_a_deaf_one_is_only_killed(method: str):
    with Trace() as trace, at_work(method, be_deaf, trace) as process:
        process.terminate()
        process.join(0.5)
        assert process.exitcode is None
        process.kill()
        process.join(LIMIT)
        assert process.exitcode == -signal.SIGKILL


@posix
@each_method
def test_a_helper_outlives_the_one_who_started_it(method: str):
    with Trace() as trace, at_work(method, start_a_helper, trace) as process:
        until(lambda: sum(lane.done > 0 for lane in trace.lanes()) == 2, "both to work")
        titles = {lane.title: lane for lane in trace.lanes()}
        assert set(titles) == {"worker", "grandchild"}
        helper = titles["grandchild"]
        try:
            process.terminate()
            until(lambda: process.exitcode is not None, "the worker's end")
            assert process.exitcode == -signal.SIGTERM
            before = helper.done
            until(lambda: trace.lanes() and helper.done > before + 1, "the grandchild to go on")
        finally:
            os.kill(helper.pid, signal.SIGKILL)
        until(lambda: not runs(helper.pid), "the grandchild's end")


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("worker", [work_tied, be_deaf])
def test_they_end_by_themselves(worker: Callable[..., object], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stopping, "LONGEST", 0.2)
    handler = signal.getsignal(signal.SIGTERM)
    try:
        with Trace() as trace:
            start = time.monotonic()
            worker(trace)
            assert time.monotonic() - start < LIMIT
            assert sum(lane.done for lane in trace.lanes()) > 0
    finally:
        signal.signal(signal.SIGTERM, handler)


# What is half done


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(half_done, "LINE_TAKES", 0.0)
    monkeypatch.setattr(half_done, "HALF_WAY", 0.0)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("write", [write_report, replace_report])
def test_a_report_that_is_left_alone_is_complete(write: Callable[[Trace, str], None], tmp_path: Path):
    report = tmp_path / "report.txt"
    with Trace() as trace:
        write(trace, str(report))
        assert [(lane.done, lane.expected) for lane in trace.lanes()] == [(half_done.LINES, half_done.LINES)]
    lines = report.read_text(encoding="utf-8").splitlines()
    assert (len(lines), lines[-1]) == (half_done.LINES, "complete")
    assert list(tmp_path.iterdir()) == [report]


@each_method
def test_a_report_written_in_place_is_left_incomplete(method: str, tmp_path: Path):
    report = tmp_path / "report.txt"
    report.write_text("old\n")
    with Trace() as trace, at_work(method, write_report, trace, str(report)) as process:
        process.terminate()
        process.join(LIMIT)
        assert "file closed" not in words(trace)
    text = report.read_text()
    assert text.startswith("line 1\n")
    assert not text.endswith("complete\n")


@each_method
def test_a_report_written_beside_leaves_the_old_one(method: str, tmp_path: Path):
    report = tmp_path / "report.txt"
    report.write_text("old\n")
    with Trace() as trace, at_work(method, replace_report, trace, str(report)) as process:
        process.terminate()
        process.join(LIMIT)
    assert report.read_text() == "old\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.txt", "report.txt.part"]


@pytest.mark.usefixtures("quick")
def test_money_that_is_left_alone_arrives():
    accounts = [100, 50]
    with Trace() as trace:
        lock = multiprocessing.Lock()
        move_money(trace, lock, accounts, 30)
        assert lock.acquire(timeout=1)
    assert accounts == [70, 80]


@each_method
def test_money_on_its_way_is_lost_and_the_lock_stays_locked(method: str):
    context = multiprocessing.get_context(method)
    lock, accounts = context.Lock(), context.RawArray("i", [100, 50])
    with Trace() as trace, at_work(method, move_money, trace, lock, accounts, 30) as process:
        process.terminate()
        process.join(LIMIT)
        assert process.exitcode == (-signal.SIGTERM if sys.platform != "win32" else process.exitcode)
    assert list(accounts) == [70, 50]
    assert not lock.acquire(timeout=0.2)


@each_method
def test_a_pool_s_task_stops_when_asked_and_answers(method: str):
    context = multiprocessing.get_context(method)
    stop = context.Event()
    with Trace() as trace, ProcessPoolExecutor(1, context, keep, (stop,)) as pool:
        running = pool.submit(work_until_told, trace)
        until(lambda: any(lane.done for lane in trace.lanes()), "the task to begin")
        assert not running.cancel()
        stop.set()
        assert running.result(LIMIT) >= 1


def test_a_pool_s_task_without_an_event_says_what_is_missing():
    with Trace() as trace, pytest.raises(RuntimeError, match="initializer=keep"):
        work_until_told(trace)


# A notebook that is killed while lesson 04 shows what untied workers do.
KILLED: Final = """
import multiprocessing, os, signal, sys, time
from helpers.observe.trace import Trace
from helpers.workers.stopping import start_a_helper, work_untied

if __name__ == "__main__":
    trace = Trace()
    multiprocessing.get_context(sys.argv[1]).Process(target=work_untied, args=(trace,)).start()
    multiprocessing.get_context(sys.argv[1]).Process(target=start_a_helper, args=(trace,)).start()
    while sum(lane.done > 0 for lane in trace.lanes()) < 3:
        time.sleep(0.02)
    print(*{lane.pid for lane in trace.lanes()}, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@posix
@each_method
def test_untied_workers_give_up_when_the_owner_of_the_trace_is_killed(method: str, tmp_path: Path) -> None:
    script = tmp_path / "notebook.py"
    script.write_text(KILLED)
    killed = subprocess.run(
        [sys.executable, script, method],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    workers = [int(pid) for pid in killed.stdout.split()]
    assert len(workers) == 3
    until(lambda: not any(map(runs, workers)), "the workers to give up")
