"""Lesson 13's exercise: right answers pass, usual mistakes get a hint of their own, and no shared memory is left."""

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing.managers import SharedMemoryManager
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

import numpy as np
import pytest

from helpers.observe.trace import Trace
from helpers.panels.block_watch import blocks_noted, lies_in_block, sweep
from helpers.panels.check_in_place import check_in_place
from helpers.workers.arrays import double_rows
from tests.observe.starting import METHODS

pytestmark = pytest.mark.timeout(180)

SHARED = Path("/dev/shm")  # noqa: S108 - where Linux shows shared memory
PREFIX = "pc13_"

Target = Callable[..., object]


@pytest.fixture(autouse=True)
def no_block_is_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Blocks of other tests are not ours: those made in a forked sandbox have a name of ours, all others a mark."""
    monkeypatch.setattr("multiprocessing.shared_memory._SHM_NAME_PREFIX", f"/{PREFIX}")
    yield
    assert multiprocessing.active_children() == []
    assert not SHARED.is_dir() or list(SHARED.glob(f"{PREFIX}*")) == []


def parts_of(array: np.ndarray, workers: int) -> list[tuple[int, int]]:
    return list(pairwise(len(array) * part // workers for part in range(workers + 1)))


def filled(array: np.ndarray) -> tuple[SharedMemory, np.ndarray, tuple]:
    block = SharedMemory(create=True, size=array.nbytes)
    shared = np.ndarray(array.shape, array.dtype, buffer=block.buf)
    shared[:] = array
    return block, shared, (block.name, array.shape, array.dtype.str)


def run(target: Target, label: object, parts: list[tuple[int, int]]) -> None:
    processes = [multiprocessing.Process(target=target, args=(label, *rows)) for rows in parts]
    for process in processes:
        process.start()
    for process in processes:
        process.join()


def in_processes(target: Target, array: np.ndarray, workers: int) -> np.ndarray:
    block, shared, label = filled(array)
    try:
        run(target, label, parts_of(array, workers))
        return shared.copy()
    finally:
        block.close()
        block.unlink()


def in_a_pool(target: Target, array: np.ndarray, workers: int) -> np.ndarray:
    block, shared, label = filled(array)
    with ProcessPoolExecutor(workers) as pool:
        for future in [pool.submit(target, label, *rows) for rows in parts_of(array, workers)]:
            future.result()
    result = np.array(shared)
    block.close()
    block.unlink()
    return result


def by_a_manager(target: Target, array: np.ndarray, workers: int) -> np.ndarray:
    with SharedMemoryManager() as manager:
        block = manager.SharedMemory(array.nbytes)
        shared = np.ndarray(array.shape, array.dtype, buffer=block.buf)
        shared[:] = array
        with multiprocessing.Pool(workers) as pool:
            label = (block.name, array.shape, array.dtype.str)
            pool.starmap(target, [(label, *rows) for rows in parts_of(array, workers)], chunksize=1)
            pool.close()
            pool.join()
        return shared.tolist() and shared.copy()


@pytest.mark.parametrize("answer", [in_processes, in_a_pool, by_a_manager])
def test_right_answers(answer: Callable[..., object], capfd: pytest.CaptureFixture[str]):
    verdict = check_in_place(answer, double_rows)
    assert verdict.good, verdict
    assert len(verdict.lines) == 4
    assert capfd.readouterr().err == ""


def changed(
    *,
    parts: Callable[[np.ndarray, int], list[tuple[int, int]]] = parts_of,
    runs: Callable[..., None] = run,
    gives: Callable[[np.ndarray], object] = np.copy,
    fill: Callable[[np.ndarray], tuple[SharedMemory, np.ndarray, tuple]] = filled,
    unlink: bool = True,
) -> Callable[..., object]:
    """The right answer but for one thing."""

    def answer(target: Target, array: np.ndarray, workers: int) -> object:
        block, shared, label = fill(array)
        runs(target, label, parts(array, workers))
        given = gives(shared)
        block.close()
        if unlink:
            block.unlink()
        return given

    return answer


def one_by_one(target: Target, label: object, parts: list[tuple[int, int]]) -> None:
    for rows in parts:
        run(target, label, [rows])


def without_join(target: Target, label: object, parts: list[tuple[int, int]]) -> None:
    for rows in parts:
        multiprocessing.Process(target=target, args=(label, *rows)).start()


def called_at_once(target: Target, label: object, parts: list[tuple[int, int]]) -> None:
    for rows in parts:
        process = multiprocessing.Process(target=target(label, *rows))
        process.start()
        process.join()


def unfilled(array: np.ndarray) -> tuple[SharedMemory, np.ndarray, tuple]:
    block, shared, label = filled(array)
    shared[:] = 0
    return block, shared, label


def with_half_a_label(array: np.ndarray) -> tuple[SharedMemory, np.ndarray, tuple]:
    block, shared, label = filled(array)
    return block, shared, label[:2]


def always_two(target: Target, array: np.ndarray, workers: int) -> object:
    del workers
    return in_processes(target, array, 2)


def one_for_each_row(target: Target, array: np.ndarray, workers: int) -> object:
    del workers
    return in_processes(target, array, len(array))


def loses_the_block(target: Target, array: np.ndarray, workers: int) -> object:
    def made() -> np.ndarray:
        block = SharedMemory(create=True, size=16_000_000)
        return np.ndarray(2_000_000, buffer=block.buf)

    shared = made()
    shared[:] = 1
    return (target, array, workers)


def by_frombuffer(target: Target, array: np.ndarray, workers: int) -> object:
    block, shared, label = filled(array)
    shared = np.frombuffer(block.buf, array.dtype, array.size).reshape(array.shape)
    run(target, label, parts_of(array, workers))
    block.unlink()
    block.close()
    return shared.copy()


def reads_after_close(target: Target, array: np.ndarray, workers: int) -> object:
    block = SharedMemory(create=True, size=16_000_000)
    shared = np.ndarray(2_000_000, buffer=block.buf)
    run(target, (block.name, array.shape, array.dtype.str), parts_of(array, workers))
    block.close()
    return shared[500_000]


def copies_before_join(target: Target, array: np.ndarray, workers: int) -> object:
    block, shared, label = filled(array)
    processes = [multiprocessing.Process(target=target, args=(label, *rows)) for rows in parts_of(array, workers)]
    for process in processes:
        process.start()
    given = shared.copy()
    for process in processes:
        process.join()
    block.close()
    block.unlink()
    return given


def unlinks_too_soon(target: Target, array: np.ndarray, workers: int) -> object:
    block, shared, label = filled(array)
    block.unlink()
    with ProcessPoolExecutor(workers) as pool:
        for future in [pool.submit(target, label, *rows) for rows in parts_of(array, workers)]:
            future.result()
    return shared.copy()


def waits_for_ever(target: Target, array: np.ndarray, workers: int) -> object:
    filled(array)
    time.sleep(1000)
    return (target, workers)


def does_it_alone(target: Target, array: np.ndarray, workers: int) -> object:
    del target, workers
    return 2 * array


def equal_parts(array: np.ndarray, workers: int) -> list[tuple[int, int]]:
    size = len(array) // workers
    return [(part * size, (part + 1) * size) for part in range(workers)]


def closed_parts(array: np.ndarray, workers: int) -> list[tuple[int, int]]:
    return [(first, min(end + 1, len(array))) for first, end in parts_of(array, workers)]


def of_a_cell(target: Target, array: np.ndarray, workers: int) -> object:
    def work(label: object, first: int, end: int) -> None:
        target(label, first, end)

    return in_processes(work, array, workers)


MISTAKES = {
    "nothing given back": (changed(gives=lambda _: None), "does it end with return?"),
    "a list": (changed(gives=lambda shared: shared.tolist()), "An array is asked for"),
    "one row only": (changed(gives=lambda shared: shared[:1].copy()), "yours is (1, 3)"),
    "the shared array itself": (changed(gives=lambda shared: shared), "still lies in the block. Copy"),
    "a view of it": (changed(gives=lambda shared: shared[::-1].T), "still lies in the block. Copy"),
    "read after close": (reads_after_close, "was an array used after its block was closed?"),
    "the block was lost": (loses_the_block, "A block that no variable holds closes itself"),
    "frombuffer": (by_frombuffer, "An array of frombuffer still holds the block"),
    "not unlinked": (changed(unlink=False), "unlink() it, in a finally"),
    "unlinked too soon": (unlinks_too_soon, "wait for the processes first"),
    "not filled": (changed(fill=unfilled), "put the array into the block before the processes start"),
    "half a label": (changed(fill=with_half_a_label), "its last words were: ValueError: not enough values"),
    "always two": (always_two, "workers was 3, and the target was called 2 times, by 2 processes"),
    "one for each row": (one_for_each_row, "workers was 2, and the target was called 8 times, by 8 processes"),
    "one after the other": (changed(runs=one_by_one), "start() them all, and only then join()"),
    "no join": (changed(runs=without_join), "still at work when your function returned"),
    "copied too soon": (copies_before_join, "when the processes have ended"),
    "called, not handed over": (changed(runs=called_at_once), "called in your own process"),
    "alone": (does_it_alone, "The target was never called"),
    "rows left over": (changed(parts=equal_parts), "Of 7 rows nobody was given row 6"),
    "rows given twice": (changed(parts=closed_parts), "Row 4 was given away twice"),
    "a function of its own": (of_a_cell, "Where processes are spawned, as on Windows and macOS: It failed with"),
    "raises": (lambda *_: 1 / 0, "ZeroDivisionError"),
    "exits": (lambda *_: sys.exit(3), "exit code 3"),
    "not written yet": (lambda *_: (_ for _ in ()).throw(NotImplementedError), "Write its body in the cell above"),
}


# Nobody comes, however long they wait.
NEVER_MEET = {"one after the other", "called, not handed over"}


@pytest.mark.parametrize("name", MISTAKES)
def test_usual_mistakes(name: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    if name in NEVER_MEET:
        monkeypatch.setattr("helpers.panels.check_in_place._PATIENCE", 1.0)
    answer, hint = MISTAKES[name]
    verdict = check_in_place(answer, double_rows)
    assert not verdict.good
    assert hint in verdict.lines[-1]
    assert len(verdict.lines[-1]) < 500
    assert capfd.readouterr().err == ""


def test_one_that_waits_for_ever(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("helpers.panels.check_in_place._LIMIT", 1.0)
    assert "It had not ended after 1 seconds" in check_in_place(waits_for_ever, double_rows).lines[-1]


def test_the_stub_is_known_without_a_try():
    def in_place(target, array, workers): ...

    verdict = check_in_place(in_place, double_rows)
    assert verdict.heading == "Nothing to check yet."


# What the check rests on


def test_blocks_are_noted_and_swept():
    with Trace() as trace:
        with blocks_noted(trace):
            left, gone = (SharedMemory(create=True, size=10) for _ in range(2))
        later = SharedMemory(create=True, size=10)
        gone.unlink()
        assert sweep(trace) == [left.name]
        assert sweep(trace) == []
        SharedMemory(later.name).close()
        later.unlink()
        for block in (left, gone, later):
            block.close()


@pytest.mark.skipif("fork" not in METHODS, reason="this system has no fork")
def test_blocks_of_a_killed_process_are_swept():
    with Trace() as trace:
        pid = os.fork()
        if pid == 0:
            with blocks_noted(trace):
                SharedMemory(create=True, size=10)
                os.kill(os.getpid(), signal.SIGKILL)
        os.waitpid(pid, 0)
        assert len(sweep(trace)) == 1


def test_what_lies_in_a_block():
    block = SharedMemory(create=True, size=80)
    array, buffered = np.ndarray(10, buffer=block.buf), np.frombuffer(block.buf)
    assert all(map(lies_in_block, (array, array[2:], array.reshape(2, 5).T, buffered, buffered[1:])))
    assert not any(map(lies_in_block, (array.copy(), array + 1, array.tolist(), None, np.frombuffer(bytes(80)))))
    del buffered
    block.close()
    assert lies_in_block(array)
    block.unlink()
