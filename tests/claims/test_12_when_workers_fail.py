"""Lesson 12: what each pool does with each fault, as its table has it, and what else the lesson says of failures.

A fault that ends more than its own task waits until two others are done, so that every run is the same.
"""

import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, wait
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
from helpers.panels.sandbox import run_in_sandbox
from helpers.workers import faulty, stopping
from helpers.workers.sources import functions_in
from tests.claims.failing_pages import TornAsAnotherError, be_quick, raise_torn
from tests.observe.pool_making import HANGS_IF_LEFT
from tests.observe.starting import LIMIT, METHODS, plain_main, plain_pickle, until

__all__ = ["plain_main", "plain_pickle"]

ROOT: Final = Path(__file__).parents[2]
LESSON: Final = ROOT / "notebooks" / "12_when_workers_fail.ipynb"
# How long a task that has been lost is waited for: the others come within milliseconds of each other.
LOST: Final = 1.0

posix = pytest.mark.skipif(os.name != "posix", reason="needs signals")
each_method = pytest.mark.parametrize("method", METHODS)
each_fresh_method = pytest.mark.parametrize("method", [method for method in METHODS if method != "fork"])

# What the lesson's table calls a fault, the task that makes it, and what that takes after its trace.
ENDS_ITS_TASK: Final[dict[str, tuple[Callable[..., object], object]]] = {
    "a task raises": (faulty.fail, "page 1"),
    "arguments do not pickle": (faulty.work, threading.Lock()),
    "a result does not pickle": (faulty.give_generator, "page 3"),
}
ENDS_MORE: Final[dict[str, Callable[..., object]]] = {
    "an exception does not unpickle": faulty.fail_untold,
    "a worker is killed, or calls os._exit": faulty.be_killed,
}
UNTOLD: Final = "an exception does not unpickle"
FROM_A_CELL: Final = "a function from a cell, under spawn"
ENDLESS: Final = "a task never ends"
PROGRAM_KILLED: Final = "the program is killed"
EXECUTOR, OLDER_POOL, JOBLIB = range(3)  # the table's columns


def table() -> dict[str, list[str]]:
    """The lesson's table: what each pool does, by the fault."""
    cells = nbformat.read(LESSON, as_version=4).cells
    text = next(cell.source for cell in cells if "| what helps |" in cell.source)
    rows = re.findall(r"^\| \*\*(.+?)\*\* \| (.+) \|$", text, re.MULTILINE)
    return {fault: [cell.strip() for cell in rest.split("|")] for fault, rest in rows}


def test_every_row_of_the_table_is_measured():
    assert set(table()) == {*ENDS_ITS_TASK, *ENDS_MORE, FROM_A_CELL, ENDLESS, PROGRAM_KILLED}


def pages(submit: Callable[..., Any], trace: Trace, fault: str) -> list[Any]:
    """Hand in five pages; the third fails when the first two are done."""
    first = [submit(faulty.work, trace, f"page {number}") for number in (1, 2)]
    third = submit(ENDS_MORE[fault], trace, "page 3", 2)
    return [*first, third, *(submit(faulty.work, trace, f"page {number}") for number in (4, 5))]


def from_a_cell(name: str) -> Any:
    """A function that a fresh Python does not find, as if a cell had defined it."""
    found = type(be_quick)(be_quick.__code__, {}, name)
    found.__module__, found.__qualname__ = "__main__", name
    vars(sys.modules["__main__"])[name] = found
    return found


def in_words(error: BaseException) -> str:
    return "its error, with a cause" if "in fail" in str(error.__cause__) else "its error"


# The executor


@each_method
def test_faults_that_end_one_task_in_the_executor(method: str):
    context = multiprocessing.get_context(method)
    with Trace() as trace, ProcessPoolExecutor(2, mp_context=context, initializer=be_quick) as pool:
        futures = {fault: pool.submit(task, trace, what) for fault, (task, what) in ENDS_ITS_TASK.items()}
        last = pool.submit(faulty.work, trace, "page 4")
        errors = {fault: future.exception(LIMIT) for fault, future in futures.items()}
        assert last.result(LIMIT) == "page 4: done"
    assert not any(isinstance(error, BrokenProcessPool | None) for error in errors.values())
    assert {fault: in_words(error) for fault, error in errors.items() if error} == {
        fault: table()[fault][EXECUTOR] for fault in ENDS_ITS_TASK
    }


@each_method
@pytest.mark.parametrize("fault", ENDS_MORE)
def test_faults_that_break_the_executor(method: str, fault: str):
    with Trace() as trace, ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as pool:
        futures = [*pages(pool.submit, trace, fault), pool.submit(faulty.never_end, trace, "page 6")]
        assert wait(futures, LIMIT).not_done == set()
        errors = [future.exception() for future in futures]
        with pytest.raises(BrokenProcessPool):
            pool.submit(faulty.work, trace, "page 7")
    assert errors[:2] == [None, None], "what was done is kept"
    assert sum(isinstance(error, BrokenProcessPool) for error in errors) > 1
    assert {str(error) for error in errors if error} == {str(errors[2])}
    assert "terminated abruptly" in str(errors[2])
    assert ("missing 1 required positional" in str(errors[2].__cause__)) is (fault == UNTOLD)
    assert table()[fault][EXECUTOR] == "the pool breaks"


class Late:
    """Takes what an executor still has to do, and lets the thread that asked for it go on a second later."""

    def __init__(self, pool: Any) -> None:
        self.pending, self.came = pool._pending_work_items, threading.Event()

    def pop(self, *args: Any) -> Any:
        taken = self.pending.pop(*args)
        self.came.set()
        time.sleep(1)  # by then the pool's other thread has seen that there is no more to do
        return taken


def leave_at_the_wrong_moment() -> None:
    """What happens once in hundreds of times."""
    with ProcessPoolExecutor(1) as pool:
        pool.submit(abs, 1).result(LIMIT)
        queue: Any = pool._call_queue
        queue.pending_work_items = late = Late(pool)
        pool.submit(abs, threading.Lock())
        late.came.wait(LIMIT)


def test_leaving_while_tasks_cannot_be_packed_hangs_in_some_pythons():
    outcome = run_in_sandbox(leave_at_the_wrong_moment, limit=4.0 if HANGS_IF_LEFT else LIMIT)
    assert outcome.kind == ("out of time" if HANGS_IF_LEFT else "finished")


def test_a_worker_that_leaves_breaks_the_executor_too():
    with Trace() as trace, ProcessPoolExecutor(1, initializer=be_quick) as pool:
        assert isinstance(pool.submit(faulty.leave, trace, "page 1").exception(LIMIT), BrokenProcessPool)


@each_fresh_method
def test_a_function_from_a_cell_breaks_the_executor(method: str):
    with error_output(), ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as pool:
        assert isinstance(pool.submit(from_a_cell("proof_read")).exception(LIMIT), BrokenProcessPool)
    assert table()[FROM_A_CELL][EXECUTOR] == "the pool breaks"


@each_method
def test_killing_the_pool_inside_the_block_gets_out_of_it(method: str):
    start = time.monotonic()
    with Trace() as trace, ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as pool:
        future = pool.submit(faulty.never_end, trace, "page 3")
        try:
            future.result(timeout=0.3)
        except TimeoutError:
            kill_pool(pool)
    assert time.monotonic() - start < LIMIT < faulty.LONGEST
    assert multiprocessing.active_children() == []


def test_a_chunk_is_lost_as_a_whole(tmp_path: Path):
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text("def one(): pass\n")
    bad.write_text("def half(\n")
    paths = [*[str(good)] * 39, str(bad)]
    with ProcessPoolExecutor(1) as pool:
        results = pool.map(functions_in, paths, chunksize=20)
        found = [next(results) for _ in range(20)]
        with pytest.raises(SyntaxError) as caught:
            next(results)
    assert [len(functions) for functions in found] == [1] * 20
    assert "bad.py" not in str(caught.value), "the error says which file it was"


def test_an_exception_that_says_how_to_make_it_again_comes_back():
    with ProcessPoolExecutor(1) as pool, pytest.raises(TornAsAnotherError) as caught:
        pool.submit(raise_torn).result(LIMIT)
    back = caught.value
    assert (str(back), back.page, back.where) == ("page 3 is torn at the edge", "page 3", "edge")


def test_a_bare_process_sends_no_exception():
    with error_output() as words, Trace() as trace:
        process = multiprocessing.get_context("spawn").Process(target=faulty.fail, args=(trace, "page 1"))
        process.start()
        process.join(LIMIT)
    assert process.exitcode == 1
    if os.name == "posix":  # elsewhere a child's words are not caught
        assert words.last_line == "ValueError: page 1 is blank"


# The older pool


@contextmanager
def older_pool(method: str, workers: int = 2) -> Iterator[Any]:
    """A `Pool` that is ended for certain."""
    pool = multiprocessing.get_context(method).Pool(workers, initializer=be_quick)
    try:
        yield pool
    finally:
        kill_pool(pool)


@each_method
def test_faults_that_end_one_task_in_the_older_pool(method: str):
    told = {}
    with Trace() as trace, older_pool(method) as pool:
        jobs = {fault: pool.apply_async(task, (trace, what)) for fault, (task, what) in ENDS_ITS_TASK.items()}
        for fault, job in jobs.items():
            with pytest.raises(Exception, match=r".") as caught:
                job.get(timeout=LIMIT)
            told[fault] = in_words(caught.value)
        assert pool.apply_async(faulty.work, (trace, "page 4")).get(timeout=LIMIT) == "page 4: done"
    assert told == {fault: table()[fault][OLDER_POOL] for fault in ENDS_ITS_TASK}


@each_method
@pytest.mark.parametrize("fault", ENDS_MORE)
def test_faults_that_make_the_older_pool_hang(method: str, fault: str, monkeypatch: pytest.MonkeyPatch):
    failed: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", failed.append)
    with Trace() as trace, older_pool(method) as pool:
        jobs = pages(lambda task, *args: pool.apply_async(task, args), trace, fault)
        for number in (0, 1) if fault == UNTOLD else (0, 1, 3, 4):
            jobs[number].get(timeout=LIMIT)
        if fault == UNTOLD:
            until(lambda: failed, "the thread for results to die")
            jobs.append(pool.apply_async(faulty.work, (trace, "page 6")))
        jobs[2].wait(LOST)
        assert not jobs[2].ready()
        assert fault != UNTOLD or not jobs[-1].ready(), "something still arrives"
    assert [args.exc_type for args in failed] == ([TypeError] if fault == UNTOLD else [])
    assert table()[fault][OLDER_POOL] == "hangs"


@each_fresh_method
def test_a_function_from_a_cell_hangs_in_the_older_pool(method: str):
    with error_output(), older_pool(method, 1) as pool:
        job = pool.apply_async(from_a_cell("proof_read"))
        job.wait(LOST)
        assert not job.ready()
    assert table()[FROM_A_CELL][OLDER_POOL] == "hangs"


@each_method
def test_leaving_the_older_pool_ends_a_task_that_does_not_end(method: str):
    start = time.monotonic()
    with Trace() as trace, multiprocessing.get_context(method).Pool(2) as pool:
        job = pool.apply_async(faulty.never_end, (trace, "page 3"))
        until(lambda: any(lane.spans for lane in trace.lanes()), "the page to begin")
        with pytest.raises(multiprocessing.TimeoutError):
            job.get(timeout=0.1)
    assert time.monotonic() - start < faulty.LONGEST
    assert multiprocessing.active_children() == []
    assert table()[ENDLESS][OLDER_POOL] == "clean: `with` ends it"


# joblib, in a program of its own, because it keeps its workers

WITH_JOBLIB: Final = """
import json, threading, time
from joblib import Parallel, delayed
from joblib.externals.loky import get_reusable_executor

from helpers.observe.trace import Trace
from helpers.panels.sandbox import run_in_sandbox
from helpers.workers import faulty

def tried(*tasks, **options):
    try:
        return "works", str(Parallel(n_jobs=2, **options)(tasks))
    except Exception as error:
        return type(error).__name__, str(error)

def proof_read(page):
    return page

if __name__ == "__main__":
    told, kept = {}, []
    with Trace() as trace:
        good = [delayed(faulty.work)(trace, f"page {n}") for n in (1, 2)]
        for fault, task, what in (
            ("a task raises", faulty.fail, "page 3"),
            ("arguments do not pickle", faulty.work, threading.Lock()),
            ("a result does not pickle", faulty.give_generator, "page 3"),
            ("an exception does not unpickle", faulty.fail_untold, "page 3"),
        ):
            told[fault] = tried(*good, delayed(task)(trace, what))
        told["a function from a cell, under spawn"] = tried(delayed(proof_read)("page 1"))
        start = time.monotonic()
        told["a task never ends"] = tried(*good, delayed(faulty.never_end)(trace, "page 3"), timeout=1)
        told["seconds"] = time.monotonic() - start
    with Trace() as trace:
        good = [delayed(faulty.work)(trace, f"page {n}") for n in (1, 2)]
        killed = delayed(faulty.be_killed)(trace, "page 3", 3)
        try:
            for page in Parallel(n_jobs=2, return_as="generator_unordered")([*good, killed]):
                kept.append(page)
                if len(kept) == len(good):
                    with trace.span("both are kept"):
                        pass
        except Exception as error:
            told["a worker is killed, or calls os._exit"] = type(error).__name__, str(error)
    get_reusable_executor().shutdown(wait=True, kill_workers=True)
    print(json.dumps(told | {"kept": kept}))
"""


takes_long = pytest.mark.timeout(200)  # whichever comes first waits for the program


@pytest.fixture(scope="module")
def joblib_says() -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", WITH_JOBLIB], capture_output=True, text=True, timeout=170, check=True, cwd=ROOT
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@takes_long
@pytest.mark.parametrize("fault", [*ENDS_ITS_TASK, *ENDS_MORE])
def test_faults_in_joblib(fault: str, joblib_says: dict[str, Any]):
    assert joblib_says[fault][0] != "works"
    assert table()[fault][JOBLIB] == "its error for all"


@takes_long
def test_what_joblib_says(joblib_says: dict[str, Any]):
    assert "failed to un-serialize" in joblib_says[UNTOLD][1]
    kind, words = joblib_says["a worker is killed, or calls os._exit"]
    assert kind == "TerminatedWorkerError"
    assert ("SIGKILL" if os.name == "posix" else "EXIT") in words
    assert sorted(joblib_says["kept"]) == ["page 1: done", "page 2: done"]
    assert joblib_says[FROM_A_CELL][0] == table()[FROM_A_CELL][JOBLIB]


@takes_long
def test_a_time_limit_of_joblib_is_clean(joblib_says: dict[str, Any]):
    assert joblib_says[ENDLESS][0] == "TimeoutError"
    assert joblib_says["seconds"] < LIMIT < faulty.LONGEST
    assert table()[ENDLESS][JOBLIB] == "clean, with `timeout=`"


# When the program fails

PROGRAM: Final = """
import multiprocessing, os, sys, time
from concurrent.futures import ProcessPoolExecutor

from helpers.observe.lifeline import end_with_parent
from helpers.observe.trace import _attach
from helpers.workers.stopping import work_untied
from tests.claims.failing_pages import outlive

if __name__ == "__main__":
    kind, folder, first = sys.argv[1:]
    trace = _attach(folder, 1000, 10000)
    first = end_with_parent if first == "tied" else None
    if kind == "executor":
        with ProcessPoolExecutor(1, initializer=first) as pool:
            pool.submit(work_untied, trace).result()
    elif kind == "with an idle worker":
        with ProcessPoolExecutor(2, initializer=first) as pool:
            pool.submit(work_untied, trace)
            pool.submit(abs, 1).result()
            print("one is idle", flush=True)
            time.sleep(60)
    elif kind == "with a time limit":
        with ProcessPoolExecutor(1) as pool:
            try:
                pool.submit(work_untied, trace).result(timeout=1)
            finally:
                print("time is up", flush=True)
    elif kind == "older pool":
        with multiprocessing.Pool(2, initializer=first) as pool:
            jobs = [pool.apply_async(work_untied, (trace,)), pool.apply_async(outlive, (os.getpid(),))]
            jobs[0].get()
    else:
        from joblib import Parallel, delayed
        Parallel(n_jobs=2)(delayed(work_untied)(trace) for _ in range(2))
"""


@contextmanager
def program(kind: str, trace: Trace, first: str = "", *, errors: Any = subprocess.DEVNULL) -> Iterator[Any]:
    """A program whose worker has begun, in a session of its own; killed with all its workers in the end."""
    command = [sys.executable, "-c", PROGRAM, kind, trace.folder, first]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, start_new_session=True, cwd=ROOT)
    try:
        until(lambda: steps(trace), "the worker to begin")
        yield started
    finally:
        for process in family(started):
            process.kill()
        started.wait()
        started.stdout.close()


def family(started: Any) -> list[psutil.Process]:
    """All processes of its session that run, itself too."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == started.pid and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, ProcessLookupError):
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
@pytest.mark.parametrize(("kind", "column"), [("executor", EXECUTOR), ("joblib", JOBLIB)])
def test_workers_stay_when_their_program_is_killed(kind: str, column: int):
    with Trace() as trace, program(kind, trace) as started:
        started.kill()
        started.wait()
        assert goes_on(trace)
    assert table()[PROGRAM_KILLED][column] == "workers stay"


@posix
def test_those_of_the_older_pool_end_loudly(tmp_path: Path):
    errors = tmp_path / "errors"
    with Trace() as trace, errors.open("wb") as file, program("older pool", trace, errors=file) as started:
        before = len(family(started))
        started.kill()
        started.wait()
        # The one that steps on for a minute has nothing to send so far.
        until(lambda: len(family(started)) < before - 1, "the worker that has something to send to end")
    assert len(errors.read_text().splitlines()) > 10
    assert table()[PROGRAM_KILLED][OLDER_POOL] == "workers end, loudly"


@posix
@pytest.mark.parametrize("kind", ["executor", "older pool"])
def test_with_the_initializer_they_end(kind: str):
    with Trace() as trace, program(kind, trace, "tied") as started:
        started.kill()
        started.wait()
        assert not goes_on(trace)


@posix
def test_an_interrupted_program_waits_on_and_several_interrupts_get_out():
    with Trace() as trace, program("executor", trace) as started:
        started.send_signal(signal.SIGINT)
        time.sleep(1)
        assert started.poll() is None
        for _ in range(20):
            started.send_signal(signal.SIGINT)
            time.sleep(0.3)
            if started.poll() is not None:
                break
        assert started.poll() is not None


@posix
def test_leaving_with_hangs_while_a_task_does_not_end():
    with Trace() as trace, program("with a time limit", trace) as started:
        assert started.stdout.readline() == b"time is up\n"
        time.sleep(1)
        assert started.poll() is None
    assert table()[ENDLESS][EXECUTOR] == "leaving `with` hangs"


@posix
@pytest.mark.parametrize(("first", "complaints"), [("", 1), ("tied", 0)])
def test_an_interrupt_of_all_makes_idle_workers_complain(first: str, complaints: int, tmp_path: Path):
    errors = tmp_path / "errors"
    with (
        Trace() as trace,
        errors.open("wb") as file,
        program("with an idle worker", trace, first, errors=file) as all_,
    ):
        assert all_.stdout.readline() == b"one is idle\n"
        time.sleep(0.5)
        os.killpg(all_.pid, signal.SIGINT)
        until(lambda: not family(all_), "all to end")
    assert errors.read_text().count("in _process_worker") == complaints


HANGING: Final = """
import multiprocessing, os, signal, threading, time

if __name__ == "__main__":
    pool = multiprocessing.get_context("{method}").Pool(2)
    pool.map(abs, range(100), 1)
    time.sleep(0.5)  # one of the two waits for a task, with the lock; the other for the lock
    for worker in multiprocessing.active_children():
        os.kill(worker.pid, signal.SIGKILL)
    threading.Timer(3, os._exit, [7]).start()
    pool.terminate()
    os._exit(0)
"""


@posix
@each_method
def test_a_pool_whose_waiting_worker_was_killed_cannot_be_terminated(method: str):
    run = subprocess.run([sys.executable, "-c", HANGING.format(method=method)], timeout=LIMIT, check=False)
    assert run.returncode == 7


def test_the_tie_of_workers_is_the_lessons_initializer():
    # The programs above name it by a word.
    assert end_with_parent.__name__ in PROGRAM
    assert stopping.work_untied.__name__ in PROGRAM
