"""Tasks that go wrong: each does so in just the way it says, under every start method."""

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable

import psutil
import pytest

from helpers.observe.lifeline import end_with_parent
from helpers.observe.trace import Trace
from helpers.workers import faulty
from tests.observe.starting import LIMIT, METHODS, gone, plain_pickle, until

__all__ = ["plain_pickle"]

each_method = pytest.mark.parametrize("method", METHODS)
TASKS = [
    faulty.work,
    faulty.fail,
    faulty.fail_untold,
    faulty.give_generator,
    faulty.be_killed,
    faulty.be_killed_once,
    faulty.leave,
    faulty.never_end,
]
KILLED = -getattr(signal, "SIGKILL", -signal.SIGTERM)  # Windows has exit codes in place of signals


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faulty, "TAKES", 0.0)


def exit_code(method: str, task: Callable[..., object], *args: object) -> int | None:
    process = multiprocessing.get_context(method).Process(target=task, args=args)
    process.start()
    try:
        process.join(LIMIT)
        return process.exitcode
    finally:
        process.kill()
        process.join()


def spans(trace: Trace) -> list[tuple[str, bool]]:
    return [(span.name, span.end is not None) for lane in trace.lanes() for span in lane.spans]


@pytest.mark.parametrize("task", TASKS)
def test_it_pickles(task: Callable[..., object]):
    assert pickle.loads(pickle.dumps(task)) is task  # noqa: S301 (our own)


@pytest.mark.usefixtures("quick")
def test_those_that_hurt_nobody():
    with Trace() as trace:
        assert faulty.work(trace, "page 1") == "page 1: done"
        with pytest.raises(ValueError, match="page 2 is blank"):
            faulty.fail(trace, "page 2")
        with pytest.raises(faulty.TornError, match="page 3 is torn at the edge"):
            faulty.fail_untold(trace, "page 3")
        lines = faulty.give_generator(trace, "page 4")
        with pytest.raises(TypeError, match="generator"):
            pickle.dumps(lines)
        assert list(lines) == ["page 4, line 1", "page 4, line 2", "page 4, line 3"]
        assert spans(trace) == [(f"page {number}", True) for number in (1, 2, 3, 4)]


def test_an_exception_that_pickles_and_does_not_unpickle():
    packed = pickle.dumps(faulty.TornError("page 3", "edge"))
    with pytest.raises(TypeError, match="where"):
        pickle.loads(packed)  # noqa: S301 (our own)


@each_method
@pytest.mark.parametrize(("task", "code"), [(faulty.be_killed, KILLED), (faulty.leave, 3)])
def test_those_that_take_their_process_along(method: str, task: Callable[..., object], code: int):
    with Trace() as trace:
        assert exit_code(method, task, trace, "page 1") == code
        assert spans(trace) == [("page 1", False)]


@each_method
def test_one_that_is_killed_only_once(method: str):
    with Trace() as trace:
        assert exit_code(method, faulty.be_killed_once, trace, "page 1") == KILLED
        assert exit_code(method, faulty.be_killed_once, trace, "page 1") == 0
        assert spans(trace) == [("page 1", False), ("page 1", True)]


@pytest.mark.parametrize("task", [faulty.be_killed, faulty.leave, faulty.be_killed_once])
def test_your_own_process_is_not_killed(task: Callable[..., object]):
    with Trace() as trace, pytest.raises(RuntimeError, match="hand it to a pool of processes"):
        task(trace, "page 1")


@pytest.mark.usefixtures("quick")
def test_one_that_never_ends_does_in_the_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(faulty, "LONGEST", 0.1)
    with Trace() as trace:
        assert faulty.never_end(trace, "page 1") == "page 1: done at last"


@each_method
def test_one_that_never_ends_goes_on_meanwhile(method: str):
    with Trace() as trace:
        process = multiprocessing.get_context(method).Process(target=faulty.never_end, args=(trace, "page 1"))
        process.start()
        try:
            until(lambda: spans(trace), "the task to begin")
            process.join(0.5)
            assert process.exitcode is None
        finally:
            process.kill()
            process.join()


@each_method
def test_a_program_that_waits_in_a_pool(method: str):
    with Trace() as trace:
        assert exit_code(method, faulty.wait_in_pool, trace, stopping_soon) == 0
        assert spans(trace) == [("a step", True)]


def stopping_soon(trace: Trace) -> None:
    end_with_parent()
    with trace.span("a step"):
        pass


@pytest.mark.usefixtures("quick")
def test_one_waits_for_others(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(faulty, "PATIENCE", 0.2)
    with Trace() as trace:
        for number in (1, 2):
            faulty.work(trace, f"page {number}")
        with pytest.raises(faulty.TornError):
            faulty.fail_untold(trace, "page 3", 2)
        monkeypatch.setattr(faulty, "PATIENCE", 60.0)
        with pytest.raises(faulty.TornError):
            faulty.fail_untold(trace, "page 4", 3)  # at once
        monkeypatch.setattr(faulty, "PATIENCE", 0.1)
        with pytest.raises(faulty.TornError):
            faulty.fail_untold(trace, "page 5", 50)  # and not for ever


NOTEBOOK = """
import multiprocessing, time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from helpers.observe.trace import Trace
from helpers.workers import faulty

if __name__ == "__main__":
    trace, context = Trace(), multiprocessing.get_context("{method}")
    pool = ProcessPoolExecutor(1, context, partial(faulty._end_with_owner, trace.folder))
    pool.submit(abs, 1).result()
    print(multiprocessing.active_children()[0].pid, flush=True)
    time.sleep(600)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs the lock of a trace's owner")
@each_method
def test_a_worker_without_a_task_ends_with_the_traces_owner(method: str, tmp_path):
    command = [sys.executable, "-c", NOTEBOOK.format(method=method)]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as notebook:
        worker = psutil.Process(int(notebook.stdout.readline()))
        try:
            notebook.kill()
            until(lambda: gone(worker), "the worker to end")
        finally:
            if not gone(worker):
                worker.kill()
