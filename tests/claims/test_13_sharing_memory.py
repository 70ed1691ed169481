"""Lesson 13: what it says of shared memory, of who takes it away, and of what numpy brings along."""

import multiprocessing
import os
import pickle
import random
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.managers import SharedMemoryManager
from multiprocessing.reduction import ForkingPickler
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

import dask
import distributed
import joblib
import numpy as np
import pytest

from helpers.workers import arrays
from tests.observe.starting import LIMIT, METHODS, plain_main

__all__ = ["plain_main"]

each_method = pytest.mark.parametrize("method", METHODS)
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="there a block goes with its last holder")
SHARED = Path("/dev/shm")  # noqa: S108 - where Linux shows shared memory

OPENS = "from multiprocessing.shared_memory import SharedMemory; SharedMemory({name!r}{more}).close()"
IS_KILLED = """
import os, signal
from multiprocessing.shared_memory import SharedMemory
print(SharedMemory(create=True, size=1000).name, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
COUNTS_THREADS = "from helpers.workers.arrays import blas_threads; print(blas_threads())"


def program(code, **environment):
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environment},
    )
    return run.stdout.strip(), run.stderr


def is_there(name):
    try:
        SharedMemory(name).close()
    except FileNotFoundError:
        return False
    return True


@pytest.fixture
def block() -> Iterator[SharedMemory]:
    made = SharedMemory(create=True, size=8000)
    yield made
    made.close()
    made.unlink()


# What is sent


def test_protocol_5_keeps_the_bytes_out_of_the_stream():
    array, buffers = np.ones(1_000_000), []
    stream = pickle.dumps(array, protocol=5, buffer_callback=buffers.append)
    assert len(stream) < 1000
    same = pickle.loads(stream, buffers=buffers)  # noqa: S301 - our own
    assert np.shares_memory(same, array)


def test_the_pipes_of_multiprocessing_do_not():
    assert len(ForkingPickler.dumps(np.ones(1_000_000))) > 8_000_000


def test_a_mapped_array_goes_to_joblibs_workers_if_it_is_large(tmp_path):
    kinds = joblib.Parallel(n_jobs=2, temp_folder=tmp_path)(
        joblib.delayed(type)(np.ones(size)) for size in (1_000, 1_000_000)
    )
    joblib.externals.loky.get_reusable_executor().shutdown(wait=True)
    assert kinds == [np.ndarray, np.memmap]


# Views and copies


def test_a_new_name_leaves_the_shared_array_as_it_was(block):
    shared = np.ndarray(1000, buffer=block.buf)
    shared[:] = 1
    array = shared
    array = array * 2
    assert shared.sum() == 1000
    array = shared
    array *= 2
    assert shared.sum() == 2000
    array[:] = array * 2
    assert shared.sum() == 4000


@each_method
def test_disjoint_parts_need_no_lock_whatever_their_shape(method):
    """Every second row each, time and again: neighbours in memory, and never the same cell."""
    made = SharedMemory(create=True, size=100 * 100 * 8)
    try:
        shared = np.ndarray((100, 100), buffer=made.buf)
        shared[:] = 1
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as pool:
            label = (made.name, (100, 100), "float64")
            parts = [pool.submit(arrays.double_rows, label, row, row + 1) for row in range(100)]
            assert [part.exception(LIMIT) for part in parts] == [None] * 100
        assert shared.sum() == 20_000
    finally:
        made.close()
        made.unlink()


# Who closes, who unlinks


@posix_only
def test_the_memory_stays_until_the_last_has_closed():
    made = SharedMemory(create=True, size=8)
    other = SharedMemory(made.name)
    made.unlink()
    assert not is_there(made.name)
    made.buf[0] = 7
    made.close()
    assert other.buf[0] == 7
    other.close()


def test_an_array_of_frombuffer_holds_on(block):
    array = np.frombuffer(block.buf)
    with pytest.raises(BufferError, match="cannot close exported pointers exist"):
        block.close()
    del array
    block.close()


@pytest.mark.skipif(not SHARED.is_dir(), reason="only Linux shows them")
def test_the_names_are_seen(block):
    assert (SHARED / block.name).stat().st_size == 8000
    name, _ = program(
        "from multiprocessing.shared_memory import SharedMemory as S; print(S(create=True, size=9).name)"
    )
    assert name.startswith("psm_")


@posix_only
def test_the_tracker_outlives_a_kill():
    name, words = program(IS_KILLED)
    assert name
    assert "1 leaked shared_memory objects to clean up at shutdown" in words
    assert not is_there(name)


@posix_only
@each_method
def test_workers_share_the_tracker(method, block):
    """So a block survives that a worker opens it and ends."""
    for _ in range(2):
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as pool:
            pool.submit(arrays.total_of, (block.name, (10,), "float64")).result(LIMIT)
    assert is_there(block.name)


@posix_only
def test_the_tracker_of_another_program_takes_a_block_away():
    with_a_name = f"painless{os.getpid()}"
    # Made and opened without our own tracker, which would complain when these tests end.
    name, words = program(f"""
import subprocess, sys
from multiprocessing.shared_memory import SharedMemory
block = SharedMemory({with_a_name!r}, create=True, size=1000)
other = subprocess.run([sys.executable, "-c", {OPENS.format(name=with_a_name, more="")!r}], capture_output=True)
print("leaked" in other.stderr.decode())
try:
    block.unlink()
except FileNotFoundError:
    print("gone")
""")
    assert name.split() == ["True", "gone"]
    assert with_a_name in words, "the tracker of the first program misses it"


@posix_only
@pytest.mark.skipif(sys.version_info < (3, 13), reason="track= is new in 3.13")
def test_unless_it_is_told_not_to_track(block):
    assert program(OPENS.format(name=block.name, more=", track=False")) == ("", "")
    assert is_there(block.name)


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="track= is new in 3.13")
def test_which_cannot_be_told_before(block):
    assert "unexpected keyword argument 'track'" in program(OPENS.format(name=block.name, more=", track=False"))[1]


def test_a_manager_unlinks_after_an_error_too():
    names = []

    def fail():
        with SharedMemoryManager() as manager:
            made = manager.SharedMemory(8)
            names.append(made.name)
            made.close()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not is_there(*names)


# Random numbers


@each_method
def test_a_generator_that_is_sent_gives_everybody_the_same(method):
    generator, drawn = np.random.default_rng(), []
    for _ in range(2):
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as pool:
            drawn.append(pool.submit(generator.random).result(LIMIT))
            drawn.append(pool.submit(arrays.draw, np.random.SeedSequence(5)).result(LIMIT))
    assert drawn[:2] == drawn[2:]


@each_method
def test_pythons_own_generator_is_sent_along(method):
    drawn = []
    for _ in range(2):
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as pool:
            drawn.append(pool.submit(random.random).result(LIMIT))
    ours = random.random()  # noqa: S311 - it is asked where it stands
    assert drawn == [ours, ours], "and ours was not moved on"


# Threads of BLAS


def test_each_core_has_a_thread_unless_told_otherwise():
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    free, _ = program(COUNTS_THREADS, OMP_NUM_THREADS="", OPENBLAS_NUM_THREADS="")
    assert free in {str(cores), "None"}
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        assert program(COUNTS_THREADS, **{variable: "1"})[0] in {"1", "None"}


def test_joblib_limits_them(tmp_path):
    counts = joblib.Parallel(n_jobs=2, temp_folder=tmp_path)(joblib.delayed(arrays.blas_threads)() for _ in range(2))
    joblib.externals.loky.get_reusable_executor().shutdown(wait=True)
    assert set(counts) <= {max(1, joblib.cpu_count() // 2), None}


def test_dask_limits_them():
    assert distributed.__version__
    assert dask.config.get("distributed.nanny.pre-spawn-environ")["OMP_NUM_THREADS"] == 1


# Prices


def test_numpy_costs_a_spawned_worker_much_of_its_start():
    def modules(name):
        return int(program(f"import sys, helpers.workers.{name}; print(len(sys.modules))")[0])

    assert modules("arrays") > 2 * modules("blocks")
