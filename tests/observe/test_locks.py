"""A named lock behaves as the lock it is made from."""

# ruff: noqa: FBT003 (threading and multiprocessing have different names for the first argument of acquire)

import copy
import gc
import multiprocessing
import os
import pickle
import threading
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import pytest

from helpers.observe.locks import named
from helpers.observe.named_locks import NamedLock, NamedRLock
from helpers.observe.named_semaphores import NamedSemaphore
from helpers.observe.trace import Trace
from tests.observe import lock_doings as doings
from tests.observe.starting import LIMIT, METHODS

spawn = multiprocessing.get_context("spawn")


class Kind(NamedTuple):
    make: Callable[[], object]
    named: type
    word: str


KINDS = {
    "Lock": Kind(threading.Lock, NamedLock, "blocking"),
    "RLock": Kind(threading.RLock, NamedRLock, "blocking"),
    "Semaphore": Kind(threading.Semaphore, NamedSemaphore, "blocking"),
    "BoundedSemaphore": Kind(threading.BoundedSemaphore, NamedSemaphore, "blocking"),
    "mp.Lock": Kind(spawn.Lock, NamedLock, "block"),
    "mp.RLock": Kind(spawn.RLock, NamedRLock, "block"),
    "mp.Semaphore": Kind(spawn.Semaphore, NamedSemaphore, "block"),
    "mp.BoundedSemaphore": Kind(spawn.BoundedSemaphore, NamedSemaphore, "block"),
}
each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
each_method = pytest.mark.parametrize("method", METHODS)


@pytest.fixture(scope="module")
def trace():
    with Trace() as trace:
        yield trace


def outcome(call: Callable[[object], object], lock: object) -> object:
    """What a call gives or raises, in a thread of its own so that nothing it holds matters to others."""
    found: list[object] = []

    def run() -> None:
        try:
            found.append(call(lock))
        except Exception as error:  # noqa: BLE001 (it is compared)
            found.append((type(error), str(error)))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(LIMIT)
    return found[0]


CALLS: dict[str, Callable[..., object]] = {
    "acquire": lambda lock: lock.acquire(),
    "with": lambda lock: lock.__enter__(),
    "with and out": lambda lock: (lock.__enter__(), lock.__exit__(None, None, None)),
    "acquire without waiting": lambda lock: (lock.acquire(False), lock.release()),
    "acquire with 0": lambda lock: lock.acquire(True, 0),
    "acquire with a limit": lambda lock: lock.acquire(True, 0.5),
    "acquire with a named limit": lambda lock: lock.acquire(timeout=0.5),
    "acquire with a whole limit": lambda lock: lock.acquire(timeout=1),
    "release unlocked": lambda lock: lock.release(),
    "release too often": lambda lock: (lock.acquire(), lock.release(), lock.release()),
    "release nothing": lambda lock: lock.release(0),
    "release several": lambda lock: (lock.acquire(), lock.release(2)),
    "a limit without waiting": lambda lock: lock.acquire(False, 1),
    "minus one": lambda lock: lock.acquire(True, -1),
    "minus two": lambda lock: lock.acquire(True, -2),
    "None": lambda lock: lock.acquire(True, None),
    "not a number": lambda lock: lock.acquire(True, "soon"),
    "too long": lambda lock: lock.acquire(True, 1e30),
    "three arguments": lambda lock: lock.acquire(True, 1, 2),
    "an unknown argument": lambda lock: lock.acquire(patience=2),
    "twice the same": lambda lock: lock.acquire(True, blocking=True, block=True),
    "locked": lambda lock: lock.locked(),
    "get_value": lambda lock: lock.get_value(),
    "something else": lambda lock: lock.nonsense,
}
WORDS_DIFFER = {"something else", "locked", "get_value"}


@each_kind
@pytest.mark.parametrize("name", CALLS)
def test_it_does_what_its_twin_does(kind: Kind, name: str, trace: Trace):
    expected, found = outcome(CALLS[name], kind.make()), outcome(CALLS[name], named("a", kind.make(), trace))
    if name in WORDS_DIFFER and isinstance(expected, tuple):
        expected, found = expected[0], found[0]  # the name of the class stands in the words
    assert found == expected


@each_kind
def test_a_held_one_does_what_its_twin_does(kind: Kind, trace: Trace):
    """Another thread holds it."""
    for call in (
        lambda lock: lock.acquire(False),
        lambda lock: lock.acquire(**{kind.word: False}),
        lambda lock: lock.acquire(True, 0.02),
        lambda lock: lock.acquire(timeout=0.001),
        lambda lock: lock.acquire(True, 0),
    ):
        for lock in (kind.make(), named("a", kind.make(), trace)):
            taken, end = threading.Event(), threading.Event()
            thread = threading.Thread(target=doings.hold, args=(lock, taken, end))
            thread.start()
            assert taken.wait(LIMIT)
            before = perf_counter()
            assert outcome(call, lock) is False
            assert perf_counter() - before < LIMIT / 2
            end.set()
            thread.join(LIMIT)
            assert lock.acquire(False)


@each_kind
def test_a_limited_wait_lasts_as_long_as_it_is_told(kind: Kind, trace: Trace):
    lock = named("a", kind.make(), trace)
    outcome(lambda lock: lock.acquire(), lock)
    before = perf_counter()
    assert lock.acquire(True, 0.05) is False
    assert 0.049 <= perf_counter() - before < LIMIT / 2


@each_kind
def test_one_at_a_time(kind: Kind, trace: Trace):
    class Counter:
        value = 0

    def add() -> None:
        for _ in range(2000):
            with lock:
                value = Counter.value
                Counter.value = value + 1

    lock = named("a", kind.make(), trace)
    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
    assert Counter.value == 8000


@pytest.mark.parametrize("make", [threading.RLock, spawn.RLock])
def test_a_reentrant_one_is_taken_again_by_who_holds_it(make: Callable[[], object], trace: Trace):
    lock = named("a", make(), trace)
    for _ in range(3):
        assert lock.acquire()
    with lock:
        assert outcome(lambda lock: lock.acquire(False), lock) is False
    for _ in range(3):
        assert outcome(lambda lock: lock.acquire(False), lock) is False
        lock.release()
    assert outcome(lambda lock: (lock.acquire(False), lock.release()), lock) == (True, None)


@pytest.mark.parametrize("make", [threading.RLock, spawn.RLock])
@pytest.mark.parametrize("times", [1, 2])
def test_a_reentrant_one_is_not_anothers_to_release(make: Callable[[], object], times: int, trace: Trace):
    lock, twin = named("a", make(), trace), make()
    for _ in range(times):
        lock.acquire()
        twin.acquire()
    wrong = outcome(lambda lock: lock.release(), twin)
    assert isinstance(wrong, tuple)
    assert outcome(lambda lock: lock.release(), lock) == wrong
    assert outcome(lambda lock: lock.acquire(False), lock) is False
    for _ in range(times):
        lock.release()


@each_kind
def test_an_error_goes_its_way_and_the_lock_is_free(kind: Kind, trace: Trace):
    lock = named("a", kind.make(), trace)
    with pytest.raises(LookupError, match="mine"), lock:
        raise LookupError("mine")
    assert outcome(lambda lock: lock.acquire(False), lock) is True


@pytest.mark.parametrize(("make", "depth"), [(threading.Lock, 1), (threading.RLock, 1), (threading.RLock, 2)])
def test_in_a_condition_of_threading(make: Callable[[], object], depth: int, trace: Trace):
    condition, ready = threading.Condition(named("a", make(), trace)), threading.Event()

    def wait() -> None:
        for _ in range(depth):
            condition.acquire()
        ready.set()
        condition.wait(LIMIT)
        for _ in range(depth):
            condition.release()

    thread = threading.Thread(target=wait)
    thread.start()
    assert ready.wait(LIMIT)
    with condition:  # only once it waits is the lock free
        condition.notify()
    thread.join(LIMIT)
    assert not thread.is_alive()
    assert condition.acquire(False)
    condition.release()
    with pytest.raises(RuntimeError, match="un-acquired"):
        condition.notify()


@each_method
@pytest.mark.parametrize("kind", ["Lock", "RLock"])
def test_in_a_condition_of_multiprocessing(method: str, kind: str, trace: Trace):
    context = multiprocessing.get_context(method)
    condition, ready = context.Condition(named("a", getattr(context, kind)(), trace)), context.Event()
    process = context.Process(target=doings.wait_for, args=(condition, ready))
    process.start()
    assert ready.wait(LIMIT)
    with condition:
        condition.notify()
    process.join(LIMIT)
    assert process.exitcode == 0


@each_method
@pytest.mark.parametrize("kind", ["Lock", "RLock", "Semaphore", "BoundedSemaphore"])
def test_one_process_at_a_time(method: str, kind: str, trace: Trace):
    context = multiprocessing.get_context(method)
    lock, value = named("a", getattr(context, kind)(), trace), context.Value("q", 0, lock=False)
    processes = [context.Process(target=doings.add, args=(lock, value, 3000)) for _ in range(2)]
    for process in processes:
        process.start()
    doings.add(lock, value, 3000)
    for process in processes:
        process.join(LIMIT)
    assert [process.exitcode for process in processes] == [0, 0]
    assert value.value == 9000


@each_kind
@pytest.mark.parametrize("way", [pickle.dumps, copy.deepcopy])
def test_it_travels_only_where_its_twin_does(kind: Kind, way: Callable[[object], object], trace: Trace):
    expected = outcome(way, kind.make())
    assert isinstance(expected, tuple)
    assert outcome(way, named("a", kind.make(), trace)) == expected


@each_kind
def test_it_says_what_it_is(kind: Kind, trace: Trace):
    lock = named("lock_x", kind.make(), trace)
    assert type(lock) is kind.named
    assert repr(lock) == f"<{kind.named.__name__} lock_x>"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((5, threading.Lock()), "name must be a string, got 5"),
        (("a", 5), "lock must be a Lock, .*, got 5: name a lock"),
        (("a", threading.Condition()), "lock must be .*, got <Condition"),
        (("a", threading.Event()), "lock must be"),
        (("a", threading.Lock), "lock must be"),
    ],
)
def test_anything_else_is_refused_in_words(arguments: tuple[object, object], words: str, trace: Trace):
    with pytest.raises(TypeError, match=words):
        named(*arguments, trace)


def test_what_is_no_trace_is_refused_in_words():
    with pytest.raises(TypeError, match="trace must be a Trace, got None"):
        named("a", threading.Lock(), None)


@each_kind
def test_it_works_though_the_trace_is_closed(kind: Kind):
    with Trace() as closed:
        before = named("before", kind.make(), closed)
        with before:
            pass
    after = named("after", kind.make(), closed)
    for lock in (before, after):
        for _ in range(10):
            with lock:
                assert outcome(lambda lock: lock.acquire(True, 0.008), lock) is False


def test_a_name_may_be_anything(trace: Trace):
    for name in ("", "\0", "\ud800", "é" * 500, "</svg>"):
        doings.take(named(name, threading.Lock(), trace))
    trace.lanes()


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs Linux to count open files")
def test_nothing_is_left_open_or_on_the_disk():
    def files() -> int:
        gc.collect()
        return len(list(Path("/proc/self/fd").iterdir()))

    before = files()
    with Trace() as trace:
        for number in range(50):
            doings.take(named(str(number), threading.Lock(), trace))
        trace.lanes()
    assert not Path(trace.folder).exists()
    assert files() <= before


@pytest.mark.skipif("fork" not in METHODS, reason="needs fork")
def test_a_forked_childs_copies_are_its_own():
    """It can take its copy of a free lock, and never that of a lock which another thread held."""
    with Trace() as trace:
        free, held = named("free", threading.Lock(), trace), named("held", threading.RLock(), trace)
        taken, end = threading.Event(), threading.Event()
        thread = threading.Thread(target=doings.hold, args=(held, taken, end))
        thread.start()
        assert taken.wait(LIMIT)
        codes = []
        for lock in (free, held):
            child = os.fork()
            if child == 0:
                doings.try_copy(lock)
            codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        end.set()
        thread.join(LIMIT)
    assert codes == [1, 0]
