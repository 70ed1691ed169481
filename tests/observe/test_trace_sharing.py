"""One trace in many processes: every start method, every pool."""

import gc
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import joblib
import pytest
from joblib.externals.loky import get_reusable_executor

from helpers.observe.trace import Trace
from tests.observe import doings
from tests.observe.starting import LIMIT, METHODS, until

TIMES = 20_000
posix = pytest.mark.skipif(os.name != "posix", reason="needs fork or SIGKILL, which Windows does not have")
each_method = pytest.mark.parametrize("method", METHODS)


def done(trace: Trace) -> int:
    return sum(lane.done for lane in trace.lanes())


def run(method: str, target, *args) -> int | None:
    process = multiprocessing.get_context(method).Process(target=target, args=args)
    process.start()
    process.join(LIMIT)
    assert process.exitcode is not None
    return process.exitcode


def test_threads_count_exactly():
    with Trace() as trace, ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(doings.advance, [trace] * 8, [TIMES] * 8)) == 8 * TIMES
        assert done(trace) == 8 * TIMES
        assert 1 <= len(trace.lanes()) <= 4


@each_method
def test_processes_count_exactly(method: str):
    context = multiprocessing.get_context(method)
    with Trace() as trace:
        processes = [context.Process(target=doings.advance, args=(trace, TIMES), name=f"p{n}") for n in range(3)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(LIMIT)
        assert [process.exitcode for process in processes] == [0, 0, 0]
        lanes = trace.lanes()
    assert sorted((lane.title, lane.done, lane.pid) for lane in lanes) == [
        (process.name, TIMES, process.pid) for process in processes
    ]


@each_method
def test_threads_of_a_process_count_exactly(method: str):
    with Trace() as trace:
        assert run(method, doings.speak_in_threads, trace, TIMES) == 0
        lanes = trace.lanes()
    assert [lane.done for lane in lanes] == [TIMES] * 3
    assert all(" / Thread-" in lane.title for lane in lanes)


@each_method
def test_a_pool_counts_exactly(method: str):
    with Trace() as trace, multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.starmap_async(doings.advance, [(trace, 500)] * 30, chunksize=1).get(LIMIT) == [500] * 30
        assert done(trace) == 30 * 500
        assert len(trace.lanes()) <= 2


@each_method
def test_an_executor_counts_exactly(method: str):
    context = multiprocessing.get_context(method)
    with Trace() as trace, ProcessPoolExecutor(2, mp_context=context) as pool:
        assert sum(pool.map(doings.advance, [trace] * 30, [500] * 30, timeout=LIMIT)) == 30 * 500
        assert done(trace) == 30 * 500
        assert len(trace.lanes()) <= 2


def test_joblib_counts_exactly():
    with Trace() as trace:
        try:
            joblib.Parallel(n_jobs=2, timeout=LIMIT)(joblib.delayed(doings.advance)(trace, 500) for _ in range(30))
        finally:
            get_reusable_executor().shutdown(wait=True, kill_workers=True)
        assert done(trace) == 30 * 500
        assert len(trace.lanes()) <= 2


@each_method
def test_all_that_a_process_says_arrives(method: str):
    with Trace() as trace:
        assert run(method, doings.speak, trace) == 0
        (lane,) = trace.lanes()
    assert [(span.name, span.depth) for span in lane.spans] == [("outer", 0), ("inner", 1)]
    assert [note.text for note in lane.notes] == ["hello"]
    assert lane.done == 3


@pytest.mark.skipif("fork" not in METHODS, reason="needs fork")
def test_a_forked_child_writes_a_lane_of_its_own():
    with Trace() as trace:
        with trace.span("parent's"):
            assert run("fork", doings.speak, trace) == 0
        trace.advance()
        mine, childs = trace.lanes()
    assert ([span.name for span in mine.spans], mine.done, mine.pid) == (["parent's"], 1, os.getpid())
    assert ([span.name for span in childs.spans], childs.done) == (["outer", "inner"], 3)


@pytest.mark.skipif("fork" not in METHODS, reason="needs fork")
def test_a_child_forked_while_the_parent_reads_can_read():
    with Trace() as trace:
        trace.advance()
        with trace._reading:
            child = os.fork()
            if child == 0:
                os._exit(len(trace.lanes()) + 10)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 11


@each_method
@posix
def test_what_a_killed_process_wrote_is_there(method: str):
    with Trace() as trace:
        process = multiprocessing.get_context(method).Process(target=doings.end_in_mid_span, args=(trace,))
        process.start()
        until(lambda: any(lane.notes and lane.notes[-1].text == "within" for lane in trace.lanes()), "the open span")
        process.kill()
        process.join(LIMIT)
        assert process.exitcode == -signal.SIGKILL
        (lane,) = trace.lanes()
        assert [(span.name, span.end is None) for span in lane.spans] == [
            ("finished", False),
            ("never finished", True),
        ]
        assert ([note.text for note in lane.notes], lane.done) == (["before", "within"], 7)


def test_unpickled_here_it_is_the_same():
    with Trace() as trace:
        assert pickle.loads(pickle.dumps(trace)) is trace  # noqa: S301 (our own)


@each_method
def test_unpickled_twice_it_is_one(method: str):
    with Trace() as trace, multiprocessing.get_context(method).Pool(1) as pool:
        for _ in range(2):
            assert pool.apply_async(doings.be_the_same, (trace, pickle.loads(pickle.dumps(trace)))).get(LIMIT) is None  # noqa: S301


@each_method
@pytest.mark.parametrize("ending", [doings.forget, doings.close])
def test_a_child_never_deletes_its_parents_folder(method: str, ending):
    with Trace() as trace:
        trace.advance()
        assert run(method, ending, trace) == 0
        assert Path(trace.folder).is_dir()
        assert sorted(lane.done for lane in trace.lanes()) == [1, 1]


def test_closing_deletes_the_folder_and_keeps_the_data():
    with Trace() as trace:
        assert repr(trace) == "<Trace>"
        with trace.span("a"):
            trace.advance(2)
    assert not Path(trace.folder).exists()
    assert repr(trace) == "<Trace, closed>"
    trace.close()
    (lane,) = trace.lanes()
    assert ([span.name for span in lane.spans], lane.done) == (["a"], 2)


def test_a_trace_that_nobody_holds_deletes_its_folder():
    trace = Trace()
    trace.advance()
    trace.lanes()
    folder = Path(trace.folder)
    assert folder.is_dir()
    del trace
    gc.collect()
    assert not folder.exists()


def test_a_trace_still_held_at_the_end_of_a_program_deletes_its_folder(tmp_path: Path):
    script = "from helpers.observe.trace import Trace; t = Trace(); t.advance(); print(t.folder)"
    folders = {"TMPDIR": str(tmp_path), "TEMP": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    environment = {**os.environ, **folders}
    said = subprocess.check_output([sys.executable, "-c", script], env=environment, timeout=LIMIT, text=True)
    assert str(tmp_path) in said
    assert list(tmp_path.iterdir()) == []


@each_method
def test_workers_go_on_when_the_trace_is_closed(method: str):
    context = multiprocessing.get_context(method)
    told, finished = context.Event(), context.Event()
    trace = Trace()
    process = context.Process(target=doings.go_on_after, args=(trace, told, finished))
    process.start()
    until(lambda: done(trace) == 1, "the first word")
    trace.close()
    told.set()
    process.join(LIMIT)
    assert (process.exitcode, finished.is_set()) == (0, True)
    assert done(trace) == 1


def test_threads_go_on_when_the_trace_is_closed():
    told, finished = threading.Event(), threading.Event()
    trace = Trace()
    thread = threading.Thread(target=doings.go_on_after, args=(trace, told, finished))
    thread.start()
    until(lambda: done(trace) == 1, "the first word")
    trace.close()
    told.set()
    thread.join(LIMIT)
    assert finished.is_set()
    assert done(trace) == 1
