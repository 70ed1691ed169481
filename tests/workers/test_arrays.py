"""Workers on arrays do to shared memory what they say, under every start method, and leave none of it behind."""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.shared_memory import SharedMemory

import numpy as np
import pytest

from helpers.observe.memory import own_memory
from helpers.observe.trace import Trace
from helpers.workers import arrays, blocks
from tests.observe.starting import LIMIT, METHODS

each_method = pytest.mark.parametrize("method", METHODS)
needs_sizes = pytest.mark.skipif(own_memory() is None, reason="this system does not tell")


@pytest.fixture
def shared() -> Iterator[tuple[np.ndarray, arrays.Label]]:
    """An array of ten rows and five columns in shared memory, and its label."""
    block = SharedMemory(create=True, size=50 * 8)
    array = np.ndarray((10, 5), "int64", buffer=block.buf)
    array[:] = np.arange(50).reshape(10, 5)
    yield array, (block.name, (10, 5), "int64")
    block.close()
    block.unlink()
    with pytest.raises(FileNotFoundError):
        SharedMemory(block.name)


def run(method, target, *args):
    process = multiprocessing.get_context(method).Process(target=target, args=args)
    process.start()
    process.join(LIMIT)
    assert process.exitcode == 0


def test_what_is_opened_is_the_array_itself(shared):
    array, label = shared
    with arrays.opened(label) as same:
        assert np.array_equal(same, array)
        same[3, 4] = -1
    assert array[3, 4] == -1


def test_a_block_is_closed_after_an_error_too(shared):
    with pytest.raises(ZeroDivisionError), arrays.opened(shared[1]):
        raise ZeroDivisionError
    with pytest.raises(FileNotFoundError), arrays.opened(("no such block", (1,), "int64")):
        pytest.fail("it was opened")


@each_method
def test_the_sum_and_the_doubled_rows(method, shared):
    array, label = shared
    before = array.copy()
    with Trace() as trace, ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as pool:
        assert pool.submit(arrays.total_of, label).result(LIMIT) == before.sum()
        pool.submit(arrays.double_rows, label, 2, 5, trace).result(LIMIT)
        assert [span.name for lane in trace.lanes() for span in lane.spans] == ["rows 2 to 4"]
    assert np.array_equal(array[2:5], 2 * before[2:5])
    assert np.array_equal(np.delete(array, slice(2, 5), 0), np.delete(before, slice(2, 5), 0))


@each_method
def test_two_begin_to_double_when_both_are_there(method, shared):
    array, label = shared
    before = array.copy()
    context = multiprocessing.get_context(method)
    start = context.Barrier(2, timeout=LIMIT)
    with Trace() as trace:
        first, second = (
            context.Process(target=arrays.double_rows, args=(label, *rows, trace, start))
            for rows in ((0, 5), (5, 10))
        )
        first.start()
        first.join(0.5)
        assert first.is_alive()
        assert not any(lane.spans for lane in trace.lanes())
        second.start()
        for process in (first, second):
            process.join(LIMIT)
    assert [first.exitcode, second.exitcode] == [0, 0]
    assert np.array_equal(array, 2 * before)


@each_method
def test_rows_of_a_file(method, tmp_path):
    path, array = str(tmp_path / "array.npy"), np.ones((4, 3))
    np.save(path, array)
    run(method, arrays.double_rows_of_file, path, 1, 3)
    assert np.load(path)[:, 0].tolist() == [1, 2, 2, 1]


def counted(method, label, cells, *, locked):
    context = multiprocessing.get_context(method)
    start, lock = context.Barrier(2, timeout=LIMIT), context.Lock() if locked else None
    processes = [context.Process(target=arrays.count_up, args=(start, label, cell, 20_000, lock)) for cell in cells]
    for process in processes:
        process.start()
    for process in processes:
        process.join(LIMIT)
    assert [process.exitcode for process in processes] == [0, 0]


@each_method
def test_a_lock_or_a_cell_for_each_keeps_all_counts(method):
    block = SharedMemory(create=True, size=16)
    counts = np.ndarray(2, "int64", buffer=block.buf)
    label = (block.name, (2,), "int64")
    try:
        counts[:] = 0
        counted(method, label, (0, 0), locked=True)
        assert counts.tolist() == [40_000, 0]
        counts[:] = 0
        counted(method, label, (0, 1), locked=False)
        assert counts.tolist() == [20_000, 20_000]
        for _ in range(10):  # on one core two processes meet seldom, but in one of many runs they do
            counts[:] = 0
            counted(method, label, (0, 0), locked=False)
            if counts[0] < 40_000:
                return
        pytest.fail("nothing was ever lost")
    finally:
        block.close()
        block.unlink()


@each_method
def test_numbers_are_drawn(method):
    np.random.random()  # noqa: NPY002 - makes the generator that a forked process inherits
    drawn, inherited = [], []
    for _ in range(2):
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as pool:
            drawn.append(pool.submit(arrays.draw, np.random.SeedSequence(1)).result(LIMIT))
            inherited.append(pool.submit(arrays.draw_inherited).result(LIMIT))
    assert drawn == [np.random.default_rng(1).random()] * 2
    (first, python), (second, other) = inherited
    assert (first == second) == (method == "fork")
    assert python != other


@each_method
def test_blas_threads_are_counted_and_limited(method):
    alone = arrays.blas_threads()
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as pool:
        assert pool.submit(arrays.blas_threads).result(LIMIT) == alone
        assert pool.submit(arrays.blas_threads, 1).result(LIMIT) in {1, None}
        assert pool.submit(arrays.blas_threads).result(LIMIT) == alone


# Blocks


@needs_sizes
@each_method
def test_a_block_is_weighed(method):
    size = 16 << 20
    context = multiprocessing.get_context(method)
    answers, meeting = context.SimpleQueue(), context.Barrier(2, timeout=LIMIT)
    block = SharedMemory(create=True, size=size)
    try:
        block.buf[::4096] = b"x" * (size // 4096)
        processes = [
            context.Process(target=blocks.weigh_block, args=(block.name, meeting, answers)) for _ in range(2)
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join(LIMIT)
        assert [process.exitcode for process in processes] == [0, 0]
        for _ in processes:
            grown = answers.get()
            assert grown.resident == pytest.approx(size, rel=0.1)
            assert grown.proportional == pytest.approx(size / 3, rel=0.3)  # of two workers and this process
            assert grown.private < 0.1 * size
    finally:
        answers.close()
        block.close()
        block.unlink()


@needs_sizes
@pytest.mark.parametrize("data", [np.ones(3000), [1.0, 2.0]], ids=["array", "list"])
def test_use_is_weighed_and_changes_nothing(data):
    answers = multiprocessing.SimpleQueue()
    before = list(data)
    for write in (False, True):
        blocks.weigh_use(data, answers, write=write)
        assert answers.get().private > 0
    answers.close()
    assert list(data) == before


@each_method
def test_a_block_is_left_behind(method):
    names = multiprocessing.get_context(method).SimpleQueue()
    run(method, blocks.leave_behind, names, b"forgotten")
    block = SharedMemory(names.get())
    names.close()
    assert bytes(block.buf[:9]) == b"forgotten"
    block.close()
    block.unlink()
