"""Lesson 08: what it says of copies, of packing, and of what cannot be packed."""

import functools
import multiprocessing
import os
import pickle
import queue
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

from helpers.observe.child_errors import error_output
from helpers.observe.trace import Trace
from helpers.workers.computing import fail_midway
from helpers.workers.copies import append_sum, f1, f2, put_result, send_result
from tests.observe.starting import LIMIT, METHODS

SPAWN = multiprocessing.get_context("spawn")
each_method = pytest.mark.parametrize("method", METHODS)
each_fresh = pytest.mark.parametrize("method", [method for method in METHODS if method != "fork"])
fork_only = pytest.mark.skipif("fork" not in METHODS, reason="this system has no fork")

WRITES_TO_MEMORY = """
import os

def own_kilobytes():
    with open("/proc/self/smaps_rollup") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("Private_Dirty"))

memory = bytearray(b"x") * (32 << 20)
if os.fork() == 0:
    before = own_kilobytes()
    for place in range(0, len(memory), 4096):
        memory[place] = 0
    print(before, own_kilobytes(), flush=True)
    os._exit(0)
os.wait()
"""


class Gate:
    """Takes as long to pack as `opened` is not set."""

    opened = threading.Event()

    def __reduce__(self) -> tuple[type[int], tuple[()]]:
        assert self.opened.wait(LIMIT)
        return int, ()


@pytest.fixture
def closed_gate() -> Iterator[Gate]:
    Gate.opened.clear()
    yield Gate()
    Gate.opened.set()


def outer():
    def inner(): ...

    class Local: ...

    return inner, Local()


def die(_connection):
    os._exit(3)


def lock_is_free(lock, answers):
    answers.put(("free", int(lock.acquire(timeout=0))))


def keep(lock):
    keep.lock = lock


def kept_lock_is_free(_):
    return keep.lock.acquire(timeout=0)


# What is copied, and when


@each_method
def test_what_changes_after_start_is_not_seen(method):
    numbers = [1, 2]
    with Trace() as trace:
        process = multiprocessing.get_context(method).Process(target=append_sum, args=(trace, numbers))
        process.start()
        numbers.append(100)
        process.join(LIMIT)
        assert [note.text for lane in trace.lanes() for note in lane.notes] == ["my list is [1, 2, 3]"]


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="only Linux tells whose memory it is")
def test_a_fork_copies_memory_when_it_is_written_to():
    told = subprocess.run([sys.executable, "-c", WRITES_TO_MEMORY], capture_output=True, timeout=50, check=True)
    before, after = map(int, told.stdout.split())
    assert before < 16 << 10, "the 32 MB were shared at first"
    assert after > 32 << 10, "and copied by writing"


@fork_only
def test_a_fork_packs_nothing_and_has_the_open_files(tmp_path: Path):
    with (tmp_path / "file").open("w+b", buffering=0) as file:
        lock = threading.Lock()

        def write():
            with lock:
                file.write(b"by a function of a test, with a lock")

        process = multiprocessing.get_context("fork").Process(target=write)
        process.start()
        process.join(LIMIT)
        file.seek(0)
        assert file.read().startswith(b"by a function")


@each_fresh
def test_fresh_processes_are_given_packed_arguments(method):
    context = multiprocessing.get_context(method)
    with pytest.raises(TypeError, match="cannot pickle"):
        context.Process(target=f1, args=(threading.Lock(), 1)).start()
    assert multiprocessing.active_children() == []


@each_method
def test_executors_pack_whatever_the_start_method(method):
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as pool:
        with pytest.raises(TypeError, match="cannot pickle"):
            pool.submit(f1, threading.Lock(), 1).result(LIMIT)
        assert pool.submit(f1, 4, 6).result(LIMIT) == 10


# How results come back


@each_method
def test_result_raises_the_functions_error_here(method):
    with (
        Trace() as trace,
        ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as pool,
        pytest.raises(ValueError, match="broken on purpose"),
    ):
        pool.submit(fail_midway, trace, 2).result(LIMIT)


@each_method
def test_a_pipe_tells_of_a_death_only_if_nobody_else_has_the_sending_end(method):
    context = multiprocessing.get_context(method)
    receiver, sender = context.Pipe(duplex=False)
    with receiver, sender:
        process = context.Process(target=die, args=(sender,))
        process.start()
        process.join(LIMIT)
        assert process.exitcode == 3
        assert not receiver.poll(0.2)
        sender.close()
        with pytest.raises(EOFError):
            receiver.recv()


# What cannot be packed

NAMELESS = "Can't (pickle|get) local object"
CANNOT = {
    "a lambda": (lambda: lambda: 1, pickle.PicklingError | AttributeError, f"attribute lookup|{NAMELESS}"),
    "an inner function": (lambda: outer()[0], pickle.PicklingError | AttributeError, NAMELESS),
    "an object of an inner class": (lambda: outer()[1], pickle.PicklingError | AttributeError, NAMELESS),
    "a generator": (lambda: (n for n in "abc"), TypeError, "cannot pickle 'generator' object"),
    "a Lock": (threading.Lock, TypeError, "cannot pickle '_thread.lock' object"),
    "an Event": (threading.Event, TypeError, "cannot pickle '_thread.lock' object"),
    "a queue": (queue.Queue, TypeError, "cannot pickle '_thread.lock' object"),
    "a Thread": (threading.Thread, TypeError, "cannot pickle '_thread"),
    "a module": (lambda: os, TypeError, "cannot pickle 'module' object"),
    "a Lock of multiprocessing": (SPAWN.Lock, RuntimeError, "through inheritance"),
    "a SimpleQueue of multiprocessing": (SPAWN.SimpleQueue, RuntimeError, "through inheritance"),
    "a Value of multiprocessing": (lambda: SPAWN.Value("i"), RuntimeError, "through inheritance"),
}


@pytest.mark.parametrize("what", CANNOT)
def test_it_cannot_be_packed(what):
    make, kind, words = CANNOT[what]
    with pytest.raises(kind.__args__ if hasattr(kind, "__args__") else kind, match=words):
        pickle.dumps(make())


def test_what_is_open_cannot_be_packed():
    with Path(os.devnull).open() as file, socket.socket() as plug:
        database = sqlite3.connect(":memory:")
        for each in (file, plug, database):
            with pytest.raises(TypeError, match="cannot pickle"):
                pickle.dumps(each)
        database.close()


def test_a_lambda_of_the_main_module_has_no_name():
    nameless = eval("lambda: 1", vars(sys.modules["__main__"]))  # noqa: S307 (as if it stood in a cell)
    with pytest.raises(pickle.PicklingError, match="attribute lookup <lambda> on __main__ failed"):
        pickle.dumps(nameless)


# What helps


def test_a_partial_carries_values_along():
    with ProcessPoolExecutor(1, mp_context=SPAWN) as pool:
        assert list(pool.map(functools.partial(f1, 4), [6, 7])) == [10, 11]


@each_method
def test_a_lock_of_multiprocessing_is_given_to_a_process_or_an_initializer(method):
    context = multiprocessing.get_context(method)
    lock, answers = context.Lock(), context.SimpleQueue()
    with lock:
        process = context.Process(target=lock_is_free, args=(lock, answers))
        process.start()
        process.join(LIMIT)
        assert answers.get() == ("free", 0)
        with ProcessPoolExecutor(1, context, keep, (lock,)) as pool:
            assert not pool.submit(kept_lock_is_free, None).result(LIMIT)
            with pytest.raises(RuntimeError, match="through inheritance"):
                pool.submit(kept_lock_is_free, lock).result(LIMIT)
    answers.close()


# Packed at once, or later


def test_a_queue_swallows_what_it_cannot_pack_and_goes_on():
    letters = multiprocessing.Queue()
    with error_output() as words:
        letters.put(threading.Lock())
        with pytest.raises(queue.Empty):
            letters.get(timeout=0.3)
        letters.put("next")
        assert letters.get(timeout=LIMIT) == "next"
        letters.close()
        letters.join_thread()
    assert "TypeError: cannot pickle '_thread.lock' object" in words.text


def test_a_queue_packs_later_so_a_change_after_put_may_be_sent(closed_gate):
    letters = multiprocessing.Queue()
    numbers = [1, 2]
    letters.put(closed_gate)
    letters.put(numbers)
    numbers.append(3)
    Gate.opened.set()
    assert [letters.get(timeout=LIMIT), letters.get(timeout=LIMIT)] == [0, [1, 2, 3]]
    letters.close()
    letters.join_thread()


def test_submit_packs_later_too(closed_gate):
    numbers = [1, 2]
    with ProcessPoolExecutor(1) as pool:
        first = pool.submit(abs, closed_gate)
        second = pool.submit(list, numbers)
        numbers.append(3)
        Gate.opened.set()
        assert (first.result(LIMIT), second.result(LIMIT)) == (0, [1, 2, 3])


def test_a_simple_queue_and_a_pipe_pack_at_once():
    letters = multiprocessing.SimpleQueue()
    receiver, sender = multiprocessing.Pipe(duplex=False)
    numbers = [1, 2]
    with receiver, sender:
        for send, get in ((letters.put, letters.get), (sender.send, receiver.recv)):
            with pytest.raises(TypeError, match="cannot pickle"):
                send(threading.Lock())
            send(numbers)
            numbers.append(3)
            assert get() == numbers[:-1]
    letters.close()


# Pure functions


def test_pure_functions_need_no_lock_in_threads_either():
    with ThreadPoolExecutor(8) as pool:
        sums = [pool.submit(f1, 4, 6) for _ in range(500)]
        differences = [pool.submit(f2, 4, 6) for _ in range(500)]
        assert {(a.result(LIMIT), b.result(LIMIT)) for a, b in zip(sums, differences, strict=True)} == {(10, -2)}


@pytest.mark.parametrize("function", [f1, f2, put_result, send_result])
def test_functions_travel_as_a_name(function):
    packed = pickle.dumps(function)
    assert b"helpers.workers.copies" in packed
    assert function.__name__.encode() in packed
    assert len(packed) < 100
