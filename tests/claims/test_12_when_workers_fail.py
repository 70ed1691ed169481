"""Lesson 12: what each pool does with each fault, as its table has it, and what else the lesson says of failures.

Where a fault ends a pool, its task waits until others are done, so that every run is the same.
"""

import json
import multiprocessing
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import nbformat
import psutil
import pytest

from helpers.observe.child_errors import error_output
from helpers.observe.lifeline import end_with_parent
from helpers.observe.pools import kill_pool
from helpers.observe.trace import Trace
from helpers.workers import faulty, stopping
from helpers.workers.sources import functions_in
from tests.observe.starting import LIMIT, METHODS, plain_main, until

__all__ = ["plain_main"]

ROOT: Final = Path(__file__).parents[2]
LESSON: Final = ROOT / "notebooks" / "12_when_workers_fail.ipynb"
# How long a task that has been lost is waited for: the others come within milliseconds of each other.
LOST: Final = 1.0
QUICK: Final = 0.02

posix = pytest.mark.skipif(os.name != "posix", reason="needs signals")
each_method = pytest.mark.parametrize("method", METHODS)

Submit = Callable[..., Any]


class TornAsAnotherError(Exception):
    """Pickles by `__reduce__`, as the lesson has it."""

    def __init__(self, page: str, where: str) -> None:
        super().__init__(f"{page} is torn at the {where}")
        self.page, self.where = page, where

    def __reduce__(self) -> tuple[type["TornAsAnotherError"], tuple[str, str]]:
        return TornAsAnotherError, (self.page, self.where)


def quick() -> None:
    """Let tasks be over soon; for workers."""
    end_with_parent()
    faulty.TAKES = QUICK  # type: ignore[misc] - a constant of the lesson, but not of its tests


def from_a_cell(name: str) -> object:
    """Cannot be found by a fresh Python, as if a cell had defined it."""
    found = type(quick)(quick.__code__, {}, name)
    found.__module__, found.__qualname__ = "__main__", name
    vars(sys.modules["__main__"])[name] = found
    return found


# What the lesson's table calls a fault, and the task of page 3 that makes it: (function, what it takes besides).
PAGE_3: Final[dict[str, tuple[Callable[..., object], tuple[object, ...]]]] = {
    "a task raises": (faulty.fail, ()),
    "arguments do not pickle": (faulty.work, ()),
    "a result does not pickle": (faulty.give_generator, ()),
    "an exception does not unpickle": (faulty.fail_untold, (2,)),
    "a worker is killed, or leaves": (faulty.be_killed, (2,)),
    "or leaves": (faulty.leave, (2,)),
}


def pages(submit: Submit, trace: Trace, fault: str) -> list[Any]:
    task, more = PAGE_3[fault]
    name = threading.Lock() if fault == "arguments do not pickle" else "page 3"
    first = [submit(faulty.work, trace, f"page {number}") for number in (1, 2)]
    return [*first, submit(task, trace, name, *more), *(submit(faulty.work, trace, f"page {n}") for n in (4, 5))]


def table() -> dict[str, list[str]]:
    """The lesson's table: a fault's row, without its bold."""
    cells = "\n".join(
        cell.source for cell in nbformat.read(LESSON, as_version=4).cells if "what helps" in cell.source
    )
    rows = re.findall(r"^\| \*\*(.+?)\*\* \| (.+) \|$", cells, re.MULTILINE)
    return {fault: [cell.strip() for cell in rest.split("|")] for fault, rest in rows}


def row_of(fault: str) -> list[str]:
    return table()["a worker is killed, or leaves" if fault == "or leaves" else fault]


# The executor


def told_by_executor(futures: list[Future[Any]]) -> str:
    assert wait(futures, LIMIT).not_done == set()
    errors = [future.exception() for future in futures]
    if isinstance(errors[2], BrokenProcessPool):
        assert [errors[0], errors[1]] == [None, None], "what was done is kept"
        return "the pool breaks"
    assert [error is None for error in errors] == [True, True, False, True, True]
    return "its error, with a cause" if "in fail" in str(getattr(errors[2], "__cause__", "")) else "its error"


@each_method
@pytest.mark.parametrize("fault", PAGE_3)
def test_the_table_of_the_executor(method: str, fault: str):
    context = multiprocessing.get_context(method)
    with Trace() as trace, ProcessPoolExecutor(2, mp_context=context, initializer=quick) as pool:
        told = told_by_executor(pages(pool.submit, trace, fault))
    assert row_of(fault)[0] == told


@pytest.mark.parametrize("method", [method for method in METHODS if method != "fork"])
def test_a_function_from_a_cell_breaks_the_executor(method: str):
    with error_output(), ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as pool:
        future = pool.submit(from_a_cell("proof_read"))
        assert isinstance(future.exception(LIMIT), BrokenProcessPool)
    assert table()["a function from a cell, under spawn"][0] == "the pool breaks"


@each_method
def test_every_unfinished_page_gets_the_same_error(method: str):
    context = multiprocessing.get_context(method)
    with Trace() as trace, ProcessPoolExecutor(2, mp_context=context) as pool:
        futures = pages(pool.submit, trace, "a worker is killed, or leaves")
        assert wait(futures, LIMIT).not_done == set()
        errors = [future.exception() for future in futures]
        with pytest.raises(BrokenProcessPool):
            pool.submit(faulty.work, trace, "page 6")
    assert {str(error) for error in errors if error} == {str(errors[2])}
    assert sum(error is not None for error in errors) > 1


def test_the_worker_that_ends_badly_was_not_terminated_where_an_exception_does_not_unpickle():
    with Trace() as trace, ProcessPoolExecutor(2, initializer=quick) as pool:
        futures = pages(pool.submit, trace, "an exception does not unpickle")
        error = futures[2].exception(LIMIT)
    assert "terminated abruptly" in str(error)
    assert "missing 1 required positional argument" in str(error.__cause__)


def test_leaving_with_hangs_while_a_task_does_not_end():
    program = """
from concurrent.futures import ProcessPoolExecutor
import time

if __name__ == "__main__":
    with ProcessPoolExecutor(1) as pool:
        future = pool.submit(time.sleep, 600)
        try:
            future.result(timeout=0.2)
        except TimeoutError:
            print("time is up", flush=True)
            raise
"""
    with started(program) as parent:
        assert parent.stdout.readline().strip() == "time is up"
        time.sleep(1.5)
        assert parent.poll() is None
    assert table()["a task never ends"][0] == "leaving `with` hangs"


@each_method
def test_killing_the_pool_inside_the_block_gets_out_of_it(method: str):
    start = time.monotonic()
    with Trace() as trace, ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as pool:
        future = pool.submit(faulty.never_end, trace, "page 3")
        try:
            future.result(timeout=0.3)
        except TimeoutError:
            kill_pool(pool)
    assert time.monotonic() - start < LIMIT
    assert multiprocessing.active_children() == []


def test_a_chunk_is_lost_as_a_whole(tmp_path: Path):
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text("def one(): pass\n")
    bad.write_text("def half(\n")
    paths = [str(good)] * 20 + [str(good)] * 19 + [str(bad)]
    found = []
    with ProcessPoolExecutor(2) as pool, pytest.raises(SyntaxError) as caught:
        found.extend(functions for functions in pool.map(functions_in, paths, chunksize=20))
    assert len(found) <= 20
    assert "bad.py" not in str(caught.value), "the error says which file it was"


# The older pool


@contextmanager
def older_pool(method: str, workers: int = 2) -> Iterator[Any]:
    """A `Pool` that is ended for certain."""
    pool = multiprocessing.get_context(method).Pool(workers, initializer=quick)
    try:
        yield pool
    finally:
        kill_pool(pool)


def told_by_pool(jobs: list[Any], *, others_come: bool) -> str:
    for number in (0, 1, 3, 4) if others_come else (0, 1):
        jobs[number].get(timeout=LIMIT)
    jobs[2].wait(LOST)
    if not jobs[2].ready():
        return "hangs"
    with pytest.raises(Exception) as caught:  # noqa: PT011 (whichever it is)
        jobs[2].get()
    return "its error, with a cause" if "in fail" in str(caught.value.__cause__) else "its error"


@each_method
@pytest.mark.parametrize("fault", PAGE_3)
def test_the_table_of_the_older_pool(method: str, fault: str, monkeypatch: pytest.MonkeyPatch):
    failed: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", failed.append)
    with Trace() as trace, older_pool(method) as pool:
        untold = fault == "an exception does not unpickle"
        jobs = pages(lambda task, *args: pool.apply_async(task, args), trace, fault)
        assert row_of(fault)[1] == told_by_pool(jobs, others_come=not untold)
        if untold:
            assert not pool._result_handler.is_alive(), "and nothing arrives any more"
            late = pool.apply_async(faulty.work, (trace, "page 6"))
            late.wait(0.5)
            assert not late.ready()
    assert [args.exc_type for args in failed] == ([TypeError] if untold else [])


@pytest.mark.parametrize("method", [method for method in METHODS if method != "fork"])
def test_a_function_from_a_cell_hangs_in_the_older_pool(method: str):
    with error_output(), older_pool(method, 1) as pool:
        job = pool.apply_async(from_a_cell("proof_read"))
        job.wait(LOST)
        assert not job.ready()
    assert table()["a function from a cell, under spawn"][1] == "hangs"


@each_method
def test_leaving_the_older_pool_ends_a_task_that_does_not_end(method: str):
    start = time.monotonic()
    with Trace() as trace, multiprocessing.get_context(method).Pool(2) as pool:
        job = pool.apply_async(faulty.never_end, (trace, "page 3"))
        until(lambda: any(lane.spans for lane in trace.lanes()), "the page to begin")
        with pytest.raises(multiprocessing.TimeoutError):
            job.get(timeout=0.1)
    assert time.monotonic() - start < LIMIT
    assert multiprocessing.active_children() == []
    assert table()["a task never ends"][1].startswith("clean")


# joblib, in a program of its own, because it keeps its workers

WITH_JOBLIB: Final = """
import json, multiprocessing, sys, threading, time
from joblib import Parallel, delayed
from joblib.externals.loky import get_reusable_executor

from helpers.observe.trace import Trace
from helpers.workers import faulty

def tried(*tasks, **options):
    try:
        return "works", str(Parallel(n_jobs=2, **options)(tasks))
    except Exception as error:
        return type(error).__name__, str(error)

def proof_read(page):
    return page

if __name__ == "__main__":
    told = {}
    with Trace() as trace:
        good = [delayed(faulty.work)(trace, f"page {n}") for n in (1, 2)]
        for fault, task, *more in (
            ("a task raises", faulty.fail, "page 3"),
            ("arguments do not pickle", faulty.work, threading.Lock()),
            ("a result does not pickle", faulty.give_generator, "page 3"),
            ("an exception does not unpickle", faulty.fail_untold, "page 3"),
            ("a worker is killed, or leaves", faulty.be_killed, "page 3"),
            ("or leaves", faulty.leave, "page 3"),
        ):
            told[fault] = tried(*good, delayed(task)(trace, *more))
        told["a function from a cell, under spawn"] = tried(delayed(proof_read)("page 1"))
        start = time.monotonic()
        told["a task never ends"] = tried(*good, delayed(faulty.never_end)(trace, "page 3"), timeout=1)
        told["seconds"] = time.monotonic() - start
        told["kept"] = []
        try:
            for page in Parallel(n_jobs=2, return_as="generator")([*good, delayed(faulty.be_killed)(trace, "page 3", 2)]):
                told["kept"].append(page)
        except Exception as error:
            told["then"] = type(error).__name__
    get_reusable_executor().shutdown(wait=True, kill_workers=True)
    print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def joblib_says() -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", WITH_JOBLIB], capture_output=True, text=True, timeout=58, check=True, cwd=ROOT
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize("fault", PAGE_3)
def test_the_table_of_joblib(fault: str, joblib_says: dict[str, Any]):
    kind, _ = joblib_says[fault]
    assert kind != "works"
    assert row_of(fault)[2] == "its error for all"


def test_what_joblib_says(joblib_says: dict[str, Any]):
    assert "failed to un-serialize" in joblib_says["an exception does not unpickle"][1]
    kind, words = joblib_says["a worker is killed, or leaves"]
    assert kind == "TerminatedWorkerError"
    assert ("SIGKILL" if os.name == "posix" else "EXIT") in words
    assert joblib_says["a function from a cell, under spawn"][0] == "works"
    assert table()["a function from a cell, under spawn"][2] == "works"


def test_a_time_limit_of_joblib_is_clean(joblib_says: dict[str, Any]):
    assert joblib_says["a task never ends"][0] == "TimeoutError"
    assert joblib_says["seconds"] < LIMIT < faulty.LONGEST
    assert table()["a task never ends"][2] == "clean, with `timeout=`"


def test_joblib_can_hand_results_over_as_they_come(joblib_says: dict[str, Any]):
    assert joblib_says["kept"] == ["page 1: done", "page 2: done"]
    assert joblib_says["then"] == "TerminatedWorkerError"


# When the program fails

PROGRAM: Final = """
import multiprocessing, pickle, sys
from concurrent.futures import ProcessPoolExecutor

if __name__ == "__main__":
    kind, trace, task, first, workers = pickle.load(sys.stdin.buffer)
    if kind == "executor":
        with ProcessPoolExecutor(workers, initializer=first) as pool:
            pool.submit(task, trace).result()
    elif kind == "older pool":
        with multiprocessing.Pool(workers, initializer=first) as pool:
            pool.apply_async(task, (trace,)).get()
    else:
        from joblib import Parallel, delayed
        Parallel(n_jobs=2)(delayed(task)(trace) for _ in range(2))
"""


@contextmanager
def started(program: str, *sent: Any, stderr: Any = subprocess.DEVNULL) -> Iterator[Any]:
    """A program of its own in a group of its own; killed with all its workers in the end."""
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        start_new_session=True,
        cwd=ROOT,
    )
    try:
        if sent:
            pickle.dump(sent, parent.stdin)
        parent.stdin.close()
        yield parent
    finally:
        for process in family(parent):
            process.kill()
        parent.kill()
        parent.wait()
        parent.stdout.close()


def family(parent: Any) -> list[psutil.Process]:
    """All of its group, itself too, that run."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == parent.pid and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, ProcessLookupError, PermissionError):
            continue
    return found


def steps(trace: Trace) -> int:
    return sum(lane.done for lane in trace.lanes())


def goes_on(trace: Trace) -> bool:
    """Whether somebody takes a step after what was under way when it was asked."""
    time.sleep(0.5)
    before = steps(trace)
    time.sleep(1)
    return steps(trace) > before


@posix
@pytest.mark.parametrize("kind", ["executor", "joblib"])
def test_workers_stay_when_their_program_is_killed(kind: str):
    with Trace() as trace, started(PROGRAM, kind, trace, stopping.work_untied, None, 1) as parent:
        until(lambda: steps(trace), "the worker to begin")
        parent.kill()
        parent.wait()
        assert goes_on(trace)
    assert table()["the program is killed"][0 if kind == "executor" else 2] == "workers stay"


@posix
@pytest.mark.parametrize("kind", ["executor", "older pool"])
def test_with_the_initializer_they_end(kind: str):
    with Trace() as trace, started(PROGRAM, kind, trace, stopping.work_untied, end_with_parent, 1) as parent:
        until(lambda: steps(trace), "the worker to begin")
        parent.kill()
        parent.wait()
        assert not goes_on(trace)


@posix
def test_those_of_the_older_pool_end_loudly(tmp_path: Path):
    with (tmp_path / "errors").open("wb") as errors, Trace() as trace:
        with started(PROGRAM, "older pool", trace, faulty.work, None, 2, stderr=errors):
            pass
    program = PROGRAM.replace("(task, (trace,)).get()", "(task, (2,)).get()")
    with (tmp_path / "errors").open("wb") as errors:
        with started(program, "older pool", None, time.sleep, None, 2, stderr=errors) as parent:
            until(lambda: len(family(parent)) >= 3, "the workers to start")
            time.sleep(1)
            parent.kill()
            parent.wait()
            until(lambda: family(parent) == [], "the workers to end")
        assert len((tmp_path / "errors").read_text().splitlines()) > 10
    assert table()["the program is killed"][1] == "workers end, loudly"


@posix
def test_an_interrupted_program_waits_on_and_several_interrupts_get_out():
    with Trace() as trace, started(PROGRAM, "executor", trace, stopping.work_untied, None, 1) as parent:
        until(lambda: steps(trace), "the worker to begin")
        parent.send_signal(signal.SIGINT)
        time.sleep(1)
        assert parent.poll() is None
        for _ in range(10):
            parent.send_signal(signal.SIGINT)
            time.sleep(0.5)
            if parent.poll() is not None:
                break
        assert parent.poll() is not None


@posix
@pytest.mark.parametrize(("first", "loud"), [(None, True), (end_with_parent, False)])
def test_an_interrupt_of_all_makes_idle_workers_complain(first: Any, loud: bool, tmp_path: Path):  # noqa: FBT001
    with (tmp_path / "errors").open("wb") as errors, Trace() as trace:
        program = PROGRAM.replace(
            ".submit(task, trace).result()", ".submit(task, trace); [*pool.map(abs, [1])]; input()"
        )
        program = program.replace(
            "sys.stdin.buffer)\n", "sys.stdin.buffer); input = lambda: __import__('time').sleep(60)\n"
        )
        with started(program, "executor", trace, stopping.work_untied, first, 2, stderr=errors) as parent:
            until(lambda: steps(trace), "the worker to begin")
            time.sleep(1)  # for the other one, which has nothing to do
            os.killpg(parent.pid, signal.SIGINT)
            until(lambda: not family(parent), "all to end")
    words = (tmp_path / "errors").read_text()
    assert ("in _process_worker" in words) is loud


# Exceptions


def test_an_exception_that_says_how_to_make_it_again():
    back = pickle.loads(pickle.dumps(TornAsAnotherError("page 3", "edge")))  # noqa: S301 (our own)
    assert (str(back), back.page, back.where) == ("page 3 is torn at the edge", "page 3", "edge")


def test_a_bare_process_sends_no_exception():
    with error_output() as words, Trace() as trace:
        process = multiprocessing.get_context("spawn").Process(target=faulty.fail, args=(trace, "page 1"))
        process.start()
        process.join(LIMIT)
    assert process.exitcode == 1
    assert words.last_line == "ValueError: page 1 is blank"


def test_the_table_has_no_row_that_is_not_measured():
    measured = {*PAGE_3, "a function from a cell, under spawn", "a task never ends", "the program is killed"}
    assert set(table()) == measured - {"or leaves"}
