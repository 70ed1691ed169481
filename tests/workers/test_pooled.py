"""The tasks do what they say, in this process and in both pools, under every start method."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from helpers.observe.trace import Trace
from helpers.workers import pooled, sources
from helpers.workers.pooled import (
    by_package,
    count_lines,
    index_counted,
    index_file,
    index_package,
    package_of,
    start_counting,
)
from helpers.workers.sources import Index, functions_in, name_of, source_files
from tests.observe.starting import METHODS

each_method = pytest.mark.parametrize("method", METHODS)
FILES = source_files(limit=12)


@pytest.fixture
def broken(tmp_path: Path) -> str:
    path = tmp_path / "broken.py"
    path.write_text("def f(:\n")
    return str(path)


def test_a_package_is_the_first_folder():
    packages = {name_of(path): package_of(path) for path in source_files()}
    assert packages["threading.py"] == "(no package)"
    assert packages["multiprocessing/pool.py"] == "multiprocessing"
    assert packages["importlib/metadata/__init__.py"] == "importlib"


@pytest.mark.parametrize("most", [1, 2, 16, 1000])
def test_packages_have_all_files_once_and_the_largest_comes_first(most: int):
    files = source_files()
    packages = by_package(files, most)
    assert len(packages) == min(most, len(set(map(package_of, files))))
    assert sorted(path for paths in packages.values() for path in paths) == sorted(files)
    sizes = [len(paths) for paths in packages.values()]
    assert sizes == sorted(sizes, reverse=True)
    own = {name: paths for name, paths in packages.items() if name != "(small ones)"}
    assert all(package_of(path) == name for name, paths in own.items() for path in paths)
    small = [package_of(path) for path in packages.get("(small ones)", ())]
    assert all(small.count(name) <= len(paths) for name in set(small) for paths in own.values())
    assert ("(small ones)" in packages) == (most < 1000)


def test_a_file_is_a_task_by_its_name():
    path = next(path for path in source_files() if name_of(path) == "threading.py")
    with Trace() as trace:
        index = index_file(trace, path)
        (lane,) = trace.lanes()
    functions = functions_in(path)
    assert index == Index(1, len(functions), (), max(functions, key=lambda function: function.lines))
    assert [(span.name, span.depth, span.end is not None) for span in lane.spans] == [("threading.py", 0, True)]
    assert (lane.done, lane.expected) == (1, 0)


def test_a_package_is_one_task_that_counts_its_files(broken: str):
    with Trace() as trace:
        index = index_package(trace, "some", [*FILES, broken])
        (lane,) = trace.lanes()
    assert index.files == lane.done == len(FILES) + 1
    assert broken.endswith(index.unreadable[-1].rpartition("/")[-1])
    assert index.functions == sum(len(functions_in(path)) for path in FILES if name_of(path) not in index.unreadable)
    assert [span.name for span in lane.spans] == ["some"]
    assert lane.expected == 0  # how much there is says who hands it out


def test_a_package_without_files():
    with Trace() as trace:
        assert index_package(trace, "nothing", []) == Index(0, 0, (), None)


def test_lines_are_those_of_the_file(tmp_path: Path):
    (tmp_path / "three").write_bytes(b"one\r\ntwo\n\xff\n")
    assert count_lines(str(tmp_path / "three")) == 3
    (tmp_path / "empty").touch()
    assert count_lines(str(tmp_path / "empty")) == 0


@each_method
def test_in_an_executor(method: str):
    context = multiprocessing.get_context(method)
    counter = context.Value("q", 0)
    with Trace() as trace:
        with ProcessPoolExecutor(2, context, start_counting, (trace, counter)) as pool:
            indexes = list(pool.map(index_counted, FILES, chunksize=5))
        lanes = trace.lanes()
    assert [index.files for index in indexes] == [1] * len(FILES)
    assert counter.value == sum(lane.done for lane in lanes) == len(FILES)
    assert [[span.name for span in lane.spans].count("initializer") for lane in lanes] == [1] * len(lanes)
    assert [lane.spans[0].name for lane in lanes] == ["initializer"] * len(lanes)


@each_method
def test_in_the_other_pool(method: str):
    with Trace() as trace:
        with multiprocessing.get_context(method).Pool(2) as pool:
            indexes = pool.map(partial(index_file, trace), FILES)
        names = [span.name for lane in trace.lanes() for span in lane.spans]
    assert sorted(names) == sorted(map(name_of, FILES))
    assert [index.longest.path for index in indexes if index.longest] == [
        name_of(path) for path, index in zip(FILES, indexes, strict=True) if index.longest
    ]


def test_without_its_initializer_it_names_the_cure(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pooled, "_shared", None)
    with pytest.raises(RuntimeError, match="initializer=start_counting"):
        index_counted(FILES[0])


def test_all_files_of_a_process_have_a_span_each_still():
    """`index_sources` is the same job for a process alone, whose picture shows every file."""
    with Trace() as trace:
        index = sources.index_sources(trace, FILES)
        (lane,) = trace.lanes()
    assert index.files == lane.done == lane.expected == len(FILES)
    assert [span.name for span in lane.spans] == ["parsing"] * len(FILES)
