"""The workers do what they say, unchanged in threads, processes and pools, under every start method."""

import multiprocessing
import pickle
import queue
import signal
import sys
import threading
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from itertools import pairwise
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from helpers.observe.lifeline import end_with_parent, stop_asked
from helpers.observe.reading import Lane
from helpers.observe.trace import Trace
from helpers.workers import sources
from helpers.workers.article import worker
from helpers.workers.computing import call_without_end, compute_without_end, count_primes, fail_midway
from helpers.workers.sources import Function, Index, functions_in, index_sources, source_files
from tests.observe.starting import LIMIT, METHODS, until

WORKERS = [worker, count_primes, compute_without_end, call_without_end, fail_midway, index_sources]
PRIMES_BELOW_5000 = 669
each_method = pytest.mark.parametrize("method", METHODS)


def words(lane: Lane) -> list[str]:
    return [note.text for note in lane.notes]


def in_process(method: str, target, *args, **options) -> BaseProcess:
    process = multiprocessing.get_context(method).Process(target=target, args=args, kwargs=options)
    process.start()
    return process


def only_lane(trace: Trace) -> Lane:
    (lane,) = trace.lanes()
    return lane


@pytest.mark.parametrize("function", [*WORKERS, end_with_parent, functions_in, source_files, stop_asked])
def test_it_pickles(function):
    assert pickle.loads(pickle.dumps(function)) is function  # noqa: S301 (our own)


# The article's worker


def check_article(lane: Lane) -> None:
    assert words(lane) == ["started", "finished"]
    assert (lane.done, lane.expected) == (3, 3)
    (span,) = lane.spans
    assert span.name == "working"
    assert span.end - span.start >= 0.25e9
    assert span.cpu < 0.5 * (span.end - span.start)


def test_article_in_a_thread():
    with Trace() as trace:
        thread = threading.Thread(target=worker, args=(trace, 0.25), name="a")
        thread.start()
        thread.join(LIMIT)
        check_article(only_lane(trace))


@each_method
def test_article_in_a_process(method: str):
    with Trace() as trace:
        process = in_process(method, worker, trace, 0.25)
        process.join(LIMIT)
        assert process.exitcode == 0
        check_article(only_lane(trace))


def test_article_stopped_in_a_thread():
    with Trace() as trace:
        stop = threading.Event()
        thread = threading.Thread(target=worker, args=(trace, 60.0, stop))
        thread.start()
        until(lambda: any(lane.done for lane in trace.lanes()), "the first step")
        stop.set()
        thread.join(5)
        assert not thread.is_alive()
        lane = only_lane(trace)
    assert words(lane) == ["started", f"stopped after {lane.done} of 600 steps"]
    assert 1 <= lane.done < 600


@each_method
def test_article_stopped_in_a_process(method: str):
    with Trace() as trace:
        stop = multiprocessing.get_context(method).Event()
        process = in_process(method, worker, trace, 60.0, stop=stop)
        until(lambda: any(lane.done for lane in trace.lanes()), "the first step")
        stop.set()
        process.join(LIMIT)
        assert process.exitcode == 0
        assert words(only_lane(trace))[-1].startswith("stopped after")


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan")])
def test_article_refuses(seconds: float):
    with Trace() as trace, pytest.raises(ValueError, match=f"more than 0 and finite, got {seconds}"):
        worker(trace, seconds)


def test_article_takes_its_time_without_drift():
    """Late steps are not made up for by waiting longer, so that the total is right."""
    with Trace() as trace:
        worker(trace, 0.95)
        (span,) = only_lane(trace).spans
        assert only_lane(trace).done == 10
    assert 0.95e9 <= span.end - span.start < 2 * 0.95e9


# Computing


def check_primes(trace: Trace, found: int) -> None:
    assert found == PRIMES_BELOW_5000
    lane = only_lane(trace)
    assert (lane.done, lane.expected, [span.name for span in lane.spans]) == (4998, 4998, ["computing"])


def test_primes_in_a_thread():
    answers: queue.SimpleQueue[int] = queue.SimpleQueue()
    with Trace() as trace, ThreadPoolExecutor(1) as pool:
        found = pool.submit(count_primes, trace, 5000, answers).result(LIMIT)
        check_primes(trace, found)
        assert answers.get(timeout=1) == found


@each_method
def test_primes_in_a_process(method: str):
    answers = multiprocessing.get_context(method).SimpleQueue()
    with Trace() as trace:
        process = in_process(method, count_primes, trace, 5000, answers)
        process.join(LIMIT)
        assert process.exitcode == 0
        check_primes(trace, answers.get())
    answers.close()


@each_method
def test_primes_in_pools(method: str):
    context = multiprocessing.get_context(method)
    with Trace() as trace:
        with context.Pool(1, end_with_parent) as pool:
            check_primes(trace, pool.apply_async(count_primes, (trace, 5000)).get(LIMIT))
        with ProcessPoolExecutor(1, mp_context=context, initializer=end_with_parent) as executor:
            assert executor.submit(count_primes, trace, 5000).result(LIMIT) == PRIMES_BELOW_5000


@pytest.mark.parametrize(("limit", "count"), [(2, 0), (3, 1), (4, 2), (100, 25), (1002, 168), (10_000, 1229)])
def test_primes_are_right(limit: int, count: int):
    with Trace() as trace:
        assert count_primes(trace, limit) == count
        assert only_lane(trace).done == limit - 2


@pytest.mark.parametrize("limit", [1, 0, -7])
def test_primes_refuse(limit: int):
    with Trace() as trace, pytest.raises(ValueError, match=f"limit must be at least 2, got {limit}"):
        count_primes(trace, limit)


def test_primes_stopped():
    with Trace() as trace:
        stop, answers = threading.Event(), queue.SimpleQueue()
        thread = threading.Thread(target=count_primes, args=(trace, 10**8, answers, stop))
        thread.start()
        until(lambda: any(lane.done for lane in trace.lanes()), "the first numbers")
        stop.set()
        thread.join(LIMIT)
        lane = only_lane(trace)
        assert words(lane) == [f"stopped at {lane.done + 2:,} of 100,000,000"]
        assert 0 < answers.get(timeout=1) < lane.done


@each_method
@pytest.mark.parametrize("endless", [compute_without_end, call_without_end])
def test_endless_work_is_ended(method: str, endless):
    with Trace() as trace:
        process = in_process(method, endless, trace)
        until(lambda: any(lane.spans for lane in trace.lanes()), "the endless span")
        process.terminate()
        process.join(LIMIT)
        assert process.exitcode == -signal.SIGTERM if sys.platform != "win32" else process.exitcode
        assert [span.end for span in only_lane(trace).spans] == [None]


def check_failure(lane: Lane) -> None:
    assert (lane.done, lane.expected) == (2, 5)
    assert words(lane) == ["ValueError: item 3 of 5 cannot be used: it is broken on purpose"]


def test_failure_in_a_thread():
    with Trace() as trace, ThreadPoolExecutor(1) as pool:
        with pytest.raises(ValueError, match="item 3 of 5"):
            pool.submit(fail_midway, trace, 5).result(LIMIT)
        check_failure(only_lane(trace))


@each_method
def test_failure_in_a_process(method: str):
    with Trace() as trace:
        process = in_process(method, fail_midway, trace, 5)
        process.join(LIMIT)
        assert process.exitcode == 1
        check_failure(only_lane(trace))


@each_method
def test_failure_in_pools(method: str):
    context = multiprocessing.get_context(method)
    with Trace() as trace:
        with context.Pool(1, end_with_parent) as pool, pytest.raises(ValueError, match="item 3 of 5"):
            pool.apply_async(fail_midway, (trace, 5)).get(LIMIT)
        with (
            ProcessPoolExecutor(1, mp_context=context, initializer=end_with_parent) as executor,
            pytest.raises(ValueError, match="item 3 of 5"),
        ):
            executor.submit(fail_midway, trace, 5).result(LIMIT)


def test_failure_refuses():
    with Trace() as trace, pytest.raises(ValueError, match="items must be at least 1, got 0"):
        fail_midway(trace, 0)


# Sources

CODE = """
def plain():
    return "\\d"

@decorated
async def waiting(a,
                  b):
    def inner(): pass
    if a:
        pass
    else:
        class Deep:
            def method(self):
                pass
    return inner
match plain():
    case 1:
        def in_case(): pass
try:
    pass
except* ValueError:
    def in_handler(): pass
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.py").write_text(CODE)
    (tmp_path / "bad.py").write_text("print 'two'\n")
    (tmp_path / "zero.py").write_bytes(b"a = 1\0")
    (tmp_path / "coding.py").write_bytes(b"# coding: none\n")
    (tmp_path / "empty.py").touch()
    (tmp_path / "chain.py").write_text("if 0: pass\n" + "elif 1: pass\n" * 2000)
    (tmp_path / "deep.py").write_text("a = " + "-" * 100_000 + "1\n")
    return tmp_path


def test_functions_of_a_file(folder: Path):
    path = str(folder / "good.py")
    assert [(function.name, function.lines) for function in functions_in(path)] == [
        ("plain", 2),
        ("waiting", 10),
        ("waiting.inner", 1),
        ("waiting.Deep.method", 2),
        ("in_case", 1),
        ("in_handler", 1),
    ]
    assert {function.path for function in functions_in(path)} == {Path(path).as_posix()}


def test_functions_of_the_library_have_short_paths():
    (join,) = [each for each in functions_in(threading.__file__) if each.name == "Thread.join"]
    assert join.path == "threading.py"
    assert 5 < join.lines < 100


def test_files_that_do_not_parse_are_noted_and_counted(folder: Path):
    names = ["bad.py", "chain.py", "coding.py", "deep.py", "empty.py", "gone.py", "good.py", "zero.py"]
    with Trace() as trace:
        index = index_sources(trace, [str(folder / name) for name in names])
        lane = only_lane(trace)
    unreadable = [(folder / name).as_posix() for name in names if name not in ("chain.py", "empty.py", "good.py")]
    # How deep a chain may be differs between versions; it must be one or the other, and never an end to the work.
    assert set(unreadable) <= set(index.unreadable) <= {*unreadable, (folder / "chain.py").as_posix()}
    assert (index.files, index.functions) == (8, 6)
    assert index.longest == Function("waiting", (folder / "good.py").as_posix(), 10)
    assert (lane.done, lane.expected, [span.name for span in lane.spans]) == (8, 8, ["parsing"] * 8)
    assert [text.partition(": ")[0] for text in words(lane)] == list(index.unreadable)
    assert all(text.partition(": ")[2] for text in words(lane))
    assert not any(note.error for note in lane.notes)


def test_the_parser_keeps_silent_and_the_filters_of_others_stay(folder: Path, capfd: pytest.CaptureFixture[str]):
    for action in ("always", "error"):
        with warnings.catch_warnings():
            warnings.simplefilter(action)
            assert len(functions_in(str(folder / "good.py"))) == 6
            length = len(warnings.filters)
            assert len(functions_in(str(folder / "good.py"))) == 6
            assert len(warnings.filters) == length
            if action == "error":
                with pytest.raises((SyntaxError, DeprecationWarning)):
                    compile(CODE, "theirs.py", "exec")
    assert capfd.readouterr().err == ""


def test_silent_in_threads_too(folder: Path, capfd: pytest.CaptureFixture[str]):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        with ThreadPoolExecutor(8) as pool:
            counts = list(pool.map(lambda _: len(functions_in(str(folder / "good.py"))), range(400)))
    assert set(counts) == {6}
    assert capfd.readouterr().err == ""


def test_source_files_are_those_of_the_library():
    paths = source_files()
    shown = [sources.name_of(path) for path in paths]
    assert shown == sorted(shown)
    assert len(set(paths)) == len(paths) > 300
    assert {"threading.py", "multiprocessing/pool.py"} <= set(shown)
    assert not any("site-packages" in path or "__pycache__" in path for path in shown)
    assert all(Path(path).is_file() for path in paths)
    assert paths == source_files()


@pytest.mark.parametrize("limit", [1, 2, 7, 500])
def test_a_limit_picks_evenly(limit: int):
    everything = source_files()
    picked = source_files(limit)
    places = [everything.index(path) for path in picked]
    assert len(picked) == min(limit, len(everything))
    gaps = {later - earlier for earlier, later in pairwise(places)}
    assert max(gaps, default=1) - min(gaps, default=1) <= 1


def test_a_limit_beyond_all_gives_all():
    assert source_files(10**6) == source_files()


@pytest.mark.parametrize("limit", [0, -1])
def test_source_files_refuse(limit: int):
    with pytest.raises(ValueError, match=f"limit must be at least 1, or None for all files, got {limit}"):
        source_files(limit)


def test_a_python_without_sources_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(sources, "LIBRARY", str(tmp_path / "python311.zip"))
    with pytest.raises(FileNotFoundError, match=r"python311\.zip"):
        source_files()


def test_a_single_path_is_refused():
    with Trace() as trace, pytest.raises(TypeError, match=r"write \['a.py'\]"):
        index_sources(trace, "a.py")


def test_nothing_to_index():
    with Trace() as trace:
        assert index_sources(trace, []) == Index(0, 0, (), None)


def test_the_index_is_the_same_everywhere():
    """In a thread, a process and pools of every start method; every run reads the same files."""
    paths = source_files(12)
    with Trace() as trace, ThreadPoolExecutor(1) as threads:
        expected = threads.submit(index_sources, trace, paths).result(LIMIT)
        assert (expected.files, expected.functions > 0) == (12, True)
        for method in METHODS:
            context = multiprocessing.get_context(method)
            answers = context.SimpleQueue()
            process = in_process(method, index_sources, trace, paths, answers)
            assert answers.get() == expected
            process.join(LIMIT)
            assert process.exitcode == 0
            answers.close()
            with context.Pool(1, end_with_parent) as pool:
                assert pool.apply_async(index_sources, (trace, paths)).get(LIMIT) == expected
            with ProcessPoolExecutor(1, mp_context=context, initializer=end_with_parent) as executor:
                assert executor.submit(index_sources, trace, paths).result(LIMIT) == expected


def test_indexing_stopped():
    paths = source_files() * 20
    with Trace(records=50_000) as trace:
        stop, answers = threading.Event(), queue.SimpleQueue()
        thread = threading.Thread(target=index_sources, args=(trace, paths, answers, stop))
        thread.start()
        until(lambda: any(lane.done for lane in trace.lanes()), "the first file")
        stop.set()
        thread.join(LIMIT)
        lane = only_lane(trace)
        assert words(lane)[-1] == f"stopped after {lane.done} of {len(paths)} files"
        assert answers.get(timeout=1).files == lane.done < len(paths)
