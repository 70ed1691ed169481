"""What lesson 03 says of the GIL and no cell of it shows: who lets go of it, and what swapping more often brings."""

import ast
import bz2
import hashlib
import json
import lzma
import multiprocessing
import os
import pickle
import queue
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import pairwise, repeat

import pytest

from helpers.observe.cores import count_cores
from helpers.observe.trace import Trace
from helpers.observe.usage import cores_used
from helpers.workers.kinds import MEGABYTE, compress, take_steps
from tests.observe.starting import LIMIT

GIL = getattr(sys, "_is_gil_enabled", lambda: True)()
TRIES = 8
WAIT = 0.3  # seconds
KEEPS, LETS_GO = 0.8, 0.5

pytestmark = pytest.mark.skipif(not GIL, reason="this Python has no GIL")
two_cores = pytest.mark.skipif(count_cores().at_once < 2, reason="needs two cores")
Call = Callable[[], object]


def longest_pause(call: Call) -> float:
    """The longest pause of the main thread, which beats every few milliseconds, while another thread is in `call`.

    As a share of the time that the call took.
    """
    times: list[float] = []

    def work() -> None:
        times.append(time.perf_counter())
        call()
        times.append(time.perf_counter())

    thread = threading.Thread(target=work)
    beats: list[float] = []
    thread.start()
    while thread.is_alive():
        time.sleep(0.003)
        beats.append(time.perf_counter())
    began, ended = times
    inside = [began, *(beat for beat in beats if began < beat < ended), ended]
    return max(late - early for early, late in pairwise(inside)) / (ended - began)


def in_one_try(measured: Callable[[], bool]) -> bool:
    """Whether it is so in one of a few tries: other busy programs may hide it, but they cannot feign it."""
    return any(measured() for _ in range(TRIES))


def data(megabytes: int) -> bytes:
    return os.urandom(MEGABYTE) * megabytes


def numbers(count: int) -> list[int]:
    return memoryview(os.urandom(8 * count)).cast("q").tolist()


def bound(function: Callable[..., object], *args: object) -> Call:
    return lambda: function(*args)


# Each makes a call, made ready here, so that only the call itself is watched.
KEEPERS: dict[str, Callable[[], Call]] = {
    "sorted": lambda: bound(sorted, numbers(800_000)),
    "sum": lambda: bound(sum, repeat(1, 40_000_000)),
    "min": lambda: bound(min, repeat(1, 30_000_000)),
    "a list's own sort": lambda: numbers(800_000).sort,
    "json.loads": lambda: bound(json.loads, f"[{'0.25,' * 2_000_000}1]"),
    "pickle.dumps": lambda: bound(pickle.dumps, [0.25] * 10_000_000),
    "re.fullmatch": lambda: bound(re.compile("(a+)+b").fullmatch, "a" * 23),
    "ast.parse": lambda: bound(ast.parse, "name = [1, {'key': (2 + 1) * 2}]\n" * 10_000),
    "a huge integer": lambda: bound(pow, int.from_bytes(os.urandom(300_000), "big"), 2),
}


@pytest.mark.parametrize("keeper", KEEPERS.values(), ids=KEEPERS)
def test_it_keeps_the_gil(keeper: Callable[[], Call]):
    assert in_one_try(lambda: longest_pause(keeper()) > KEEPS)


def slow_query() -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        row = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500000) SELECT sum(i) FROM n"
        database.execute(row).fetchall()


@contextmanager
def silent_socket() -> Iterator[socket.socket]:
    here, there = socket.socketpair()
    with here, there:
        here.settimeout(WAIT)
        yield here


def hears_nothing() -> None:
    with silent_socket() as here, pytest.raises(TimeoutError):
        here.recv(1)


def reads_a_pipe() -> None:
    read, write = os.pipe()
    threading.Timer(WAIT, os.close, [write]).start()
    with open(read, "rb") as file:  # noqa: PTH123 - it has no path
        assert file.read() == b""


def finds_an_empty_queue() -> None:
    with pytest.raises(queue.Empty):
        queue.Queue().get(timeout=WAIT)


def waits_for_a_lock() -> None:
    lock = threading.Lock()
    lock.acquire()
    assert not lock.acquire(timeout=WAIT)


def waits_for_a_thread() -> None:
    other = threading.Thread(target=time.sleep, args=(WAIT,))
    other.start()
    other.join()


LEAVERS: dict[str, Callable[[], Call]] = {
    "time.sleep": lambda: bound(time.sleep, WAIT),
    "Lock.acquire": lambda: waits_for_a_lock,
    "Queue.get": lambda: finds_an_empty_queue,
    "Thread.join": lambda: waits_for_a_thread,
    "a process": lambda: bound(subprocess.run, [sys.executable, "-c", f"import time; time.sleep({WAIT})"]),
    "a socket": lambda: hears_nothing,
    "a file": lambda: reads_a_pipe,
    "sqlite3": lambda: slow_query,
    "hashlib": lambda: bound(hashlib.sha3_512, data(60)),
    "zlib": lambda: bound(zlib.compress, data(8)),
    "bz2": lambda: bound(bz2.compress, data(1)),
    "lzma": lambda: bound(lzma.compress, data(1)),
}


@pytest.mark.parametrize("leaver", LEAVERS.values(), ids=LEAVERS)
def test_it_lets_go_of_the_gil(leaver: Callable[[], Call]):
    assert in_one_try(lambda: longest_pause(leaver()) < LETS_GO)


def cores_of_two_threads(work: Callable[[Trace], object]) -> float:
    with Trace() as trace:
        threads = [threading.Thread(target=work, args=(trace,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT)
        return cores_used(trace)


def hash_pieces(trace: Trace, size: int, count: int) -> None:
    piece, found = bytes(size), hashlib.sha256()
    with trace.span("hashing"):
        for _ in range(count):
            found.update(piece)


def cores_of_two_processes() -> float:
    """What the machine has to give just now."""
    with Trace() as trace:
        spawn = multiprocessing.get_context("spawn")
        processes = [spawn.Process(target=take_steps, args=(trace, 600)) for _ in range(2)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(LIMIT)
        return cores_used(trace)


@two_cores
@pytest.mark.parametrize("work", [lambda trace: compress(trace, 6), lambda trace: hash_pieces(trace, MEGABYTE, 200)])
def test_two_threads_of_c_code_that_lets_go_use_more_than_one_core(work: Callable[[Trace], object]):
    quiet = 0
    for _ in range(4):
        if cores_of_two_threads(work) > 1.2:
            return
        quiet += cores_of_two_processes() > 1.6
    if quiet < 3:
        pytest.skip("other programs keep this machine's cores busy")
    pytest.fail("two threads never used more than 1.2 cores, and two processes did")


def test_two_threads_that_hash_small_pieces_use_one():
    """hashlib's documentation: the GIL is let go of for data larger than 2047 bytes."""
    assert cores_of_two_threads(lambda trace: hash_pieces(trace, 2047, 100_000)) < 1.2


@pytest.mark.parametrize("interval", [0.0001, 0.005, 0.1])
def test_no_switch_interval_gives_two_threads_of_python_code_more_than_one_core(interval: float):
    before = sys.getswitchinterval()
    sys.setswitchinterval(interval)
    try:
        assert cores_of_two_threads(lambda trace: take_steps(trace, 800)) < 1.2
    finally:
        sys.setswitchinterval(before)


# Before Python 3.14 they had no module that everybody may use.
INTERPRETERS = """
import sys
from tests.claims.test_03_one_core import longest_pause

if sys.version_info >= (3, 13):
    import _interpreters as interpreters
    made = interpreters.create("isolated")
else:
    import _xxsubinterpreters as interpreters
    made = interpreters.create(isolated=True)

def one_call():
    interpreters.run_string(made, "sum(range(40_000_000))")

print(min(longest_pause(one_call) for _ in range(3)))
print(max(longest_pause(lambda: sum(range(40_000_000))) for _ in range(3)))
interpreters.destroy(made)
"""


@pytest.mark.skipif(not (3, 12) <= sys.version_info < (3, 14), reason="a GIL for each is new in 3.12; 3.14 not tried")
def test_interpreters_in_one_process_have_a_gil_each():
    told = subprocess.run(
        [sys.executable, "-c", INTERPRETERS], capture_output=True, text=True, timeout=50, check=True
    )
    other, own = map(float, told.stdout.split())
    assert other < LETS_GO < KEEPS < own
