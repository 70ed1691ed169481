"""Lesson 13: what it says of shared memory, of who takes it away, and of what numpy brings along."""

import multiprocessing
import os
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

from helpers.panels.sandbox import run_in_sandbox
from helpers.workers import arrays
from tests.claims.on_arrays import add_to_every_second, kind_when_written_to
from tests.observe.starting import LIMIT, METHODS, plain_main

__all__ = ["plain_main"]

each_method = pytest.mark.parametrize("method", METHODS)
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="there a block goes with its last holder")
SHARED = Path("/dev/shm")  # noqa: S108 - where Linux shows shared memory

OPENS = "from multiprocessing.shared_memory import SharedMemory; SharedMemory({name!r}{more}).close()"
OPENS_IN_POOL = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.shared_memory import SharedMemory
from time import monotonic, sleep

from helpers.workers.arrays import total_of

def is_there():
    try:
        SharedMemory(block.name).close()
    except FileNotFoundError:
        return False
    return True

with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context({method!r})) as pool:
    pool.submit(len, "").result(30)
    block = SharedMemory(create=True, size=8000)
    pool.submit(total_of, (block.name, (10,), "float64")).result(30)
# A tracker of the worker's own is another process, which acts when the worker has ended.
deadline = monotonic() + {seconds}
while is_there() and monotonic() < deadline:
    sleep(0.02)
block.close()
try:
    block.unlink()
except FileNotFoundError:
    print("it was gone")
"""
DRAWS = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from helpers.workers.arrays import draw_inherited

context, drawn = multiprocessing.get_context({method!r}), set()
context.set_forkserver_preload({preloaded!r})
for _ in range(2):
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        drawn.add(pool.submit(draw_inherited).result(30)[0])
print(len(drawn))
"""
IS_KILLED = """
import os, signal
from multiprocessing.shared_memory import SharedMemory
print(SharedMemory(create=True, size=1000).name, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
BLAS_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OPENBLAS_DEFAULT_NUM_THREADS")
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


def test_the_pipes_of_multiprocessing_send_every_number():
    assert len(ForkingPickler.dumps(np.ones(1_000_000))) > 8_000_000


def test_joblibs_workers_get_a_large_array_mapped_and_read_only(tmp_path):
    small, large = joblib.Parallel(n_jobs=2, temp_folder=tmp_path)(
        joblib.delayed(kind_when_written_to)(np.ones(size)) for size in (1_000, 1_000_000)
    )
    joblib.externals.loky.get_reusable_executor().shutdown(wait=True)
    assert small == (np.ndarray, "it could be written to")
    assert large == (np.memmap, "assignment destination is read-only")


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
    """Every second column each, time and again: neighbours in memory, and never the same cell."""
    context, shape = multiprocessing.get_context(method), (10, 100)
    made = SharedMemory(create=True, size=10 * 100 * 8)
    try:
        shared = np.ndarray(shape, buffer=made.buf)
        shared[:] = 0
        label, start = (made.name, shape, "float64"), context.Barrier(2, timeout=LIMIT)
        processes = [context.Process(target=add_to_every_second, args=(label, k, 2000, start)) for k in (0, 1)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(LIMIT)
        assert [process.exitcode for process in processes] == [0, 0]
        assert np.unique(shared).tolist() == [2000]
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


def read_of_lost_block(name):
    def whole():
        lost = SharedMemory(name)
        return np.ndarray(2_000_000, buffer=lost.buf)

    return float(whole()[500_000])


@posix_only
def test_a_block_that_no_variable_holds_closes_itself():
    made = SharedMemory(create=True, size=16_000_000)
    try:
        outcome = run_in_sandbox(read_of_lost_block, made.name, limit=LIMIT)
    finally:
        made.close()
        made.unlink()
    assert outcome.kind == "died"
    assert outcome.exitcode in {"killed by SIGSEGV", "killed by SIGBUS"}


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


@pytest.mark.skipif("fork" not in METHODS, reason="this system has no fork")
def test_but_not_those_forked_before_the_first_block():
    said, words = program(OPENS_IN_POOL.format(method="fork", seconds=20))
    assert said == "it was gone"
    assert "1 leaked shared_memory objects" in words


@posix_only
@pytest.mark.parametrize("method", [method for method in METHODS if method != "fork"])
def test_and_those_started_in_other_ways_do(method):
    assert program(OPENS_IN_POOL.format(method=method, seconds=0.5)) == ("", "")


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


@pytest.mark.parametrize("method", [method for method in METHODS if method != "fork"])
def test_who_loads_numpy_afresh_seeds_itself(method):
    assert program(DRAWS.format(method=method, preloaded=[])) == ("2", "")


@pytest.mark.skipif("forkserver" not in METHODS, reason="this system has no fork server")
def test_a_fork_server_that_has_loaded_it_makes_them_alike():
    assert program(DRAWS.format(method="forkserver", preloaded=["numpy.random"])) == ("1", "")


# Threads of BLAS


def test_each_core_has_a_thread_unless_told_otherwise():
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    free, _ = program(COUNTS_THREADS, **dict.fromkeys(BLAS_VARIABLES, ""))
    assert free in {str(min(cores, 64)), "None"}, "numpy's OpenBLAS is made for 64 at most"
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
