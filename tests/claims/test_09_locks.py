"""Lesson 09: what it says of locks that processes share, and of where they differ from those of threads."""

import multiprocessing
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.observe.starting import LIMIT, METHODS, until

each_method = pytest.mark.parametrize("method", METHODS)
BOTH = pytest.mark.parametrize("module", [threading, multiprocessing])


def started(context, target, *args):
    process = context.Process(target=target, args=args)
    process.start()
    return process


def say_if_taken(lock, answers):
    answers.put(lock.acquire(timeout=0))


def give_up_soon(barrier):
    try:
        barrier.wait(timeout=0.2)
    except threading.BrokenBarrierError:
        sys.exit(3)


def look_at(event, answers):
    answers.put(event.is_set())


def take_and_hold(lock):
    lock.acquire()
    time.sleep(LIMIT)


def sleep_in_condition(condition, passed):
    with condition:
        passed.value = -1
        condition.wait_for(lambda: passed.value > 0)
    passed.value = 2


@each_method
def test_all_processes_share_one_lock(method):
    context = multiprocessing.get_context(method)
    lock, answers = context.Lock(), context.SimpleQueue()
    with lock:
        started(context, say_if_taken, lock, answers).join(LIMIT)
    started(context, say_if_taken, lock, answers).join(LIMIT)
    assert [answers.get(), answers.get()] == [False, True]
    answers.close()


@pytest.mark.skipif("fork" not in METHODS, reason="this system has no fork")
def test_a_forked_lock_of_threading_is_a_copy():
    context = multiprocessing.get_context("fork")
    lock, answers = threading.Lock(), context.SimpleQueue()
    process = context.Process(target=lambda: answers.put(lock.acquire(timeout=0)))
    process.start()
    process.join(LIMIT)
    assert answers.get()
    assert lock.acquire(timeout=0), "it was taken over there, not here"
    answers.close()


@pytest.mark.parametrize("method", [method for method in METHODS if method != "fork"])
def test_a_lock_of_threading_cannot_be_given_to_a_fresh_process(method):
    with pytest.raises(TypeError, match="cannot pickle"):
        started(multiprocessing.get_context(method), say_if_taken, threading.Lock(), None)


@BOTH
def test_a_plain_semaphore_grows_and_a_bounded_one_refuses(module):
    plain = module.Semaphore(2)
    plain.release()
    assert [plain.acquire(timeout=0) for _ in range(4)] == [True, True, True, False]
    if module is multiprocessing and sys.platform == "darwin":
        pytest.skip("macOS does not count them")
    with pytest.raises(ValueError, match="released too many times"):
        module.BoundedSemaphore(2).release()


@each_method
def test_who_gives_up_breaks_the_barrier_for_all(method):
    context = multiprocessing.get_context(method)
    barrier = context.Barrier(3)
    processes = [started(context, give_up_soon, barrier) for _ in range(2)]
    for process in processes:
        process.join(LIMIT)
    assert [process.exitcode for process in processes] == [3, 3]
    with pytest.raises(threading.BrokenBarrierError):
        barrier.wait(timeout=LIMIT)


@each_method
def test_who_comes_late_still_sees_an_event(method):
    context = multiprocessing.get_context(method)
    event, answers = context.Event(), context.SimpleQueue()
    event.set()
    started(context, look_at, event, answers).join(LIMIT)
    assert answers.get()
    answers.close()


def test_the_lock_of_values_and_arrays_is_an_rlock():
    kind = type(multiprocessing.RLock())
    assert isinstance(multiprocessing.Value("i", 0).get_lock(), kind)
    assert isinstance(multiprocessing.Array("i", 2).get_lock(), kind)
    assert not hasattr(multiprocessing.Value("i", 0, lock=False), "get_lock")
    assert not hasattr(multiprocessing.Array("i", 2, lock=False), "get_lock")


def test_a_slice_of_an_array_is_one_locked_access():
    accounts = multiprocessing.Array("i", [100, 50])
    with ThreadPoolExecutor(1) as other:
        with accounts.get_lock():
            accounts[0] -= 1
            look = other.submit(lambda: accounts[:])
            time.sleep(0.1)
            assert not look.done()
            accounts[1] += 1
        assert look.result(LIMIT) == [99, 51]


@each_method
def test_who_waits_for_a_condition_lets_go_of_its_lock_and_sleeps_until_told(method):
    context = multiprocessing.get_context(method)
    condition, passed = context.Condition(), context.Value("i", 0)
    process = started(context, sleep_in_condition, condition, passed)
    until(lambda: passed.value, "it to take the lock")
    with condition:
        passed.value = 1
    time.sleep(0.1)
    assert passed.value == 1, "it looks again only when told to"
    deadline = time.monotonic() + LIMIT
    while process.exitcode is None and time.monotonic() < deadline:
        with condition:
            condition.notify_all()
        process.join(0.05)
    assert (process.exitcode, passed.value) == (0, 2)


# Where the two modules differ


def waits(lock, timeout, patience=0.3):
    """Whether acquire still waits after a while: `patience` seconds."""
    came = []
    thread = threading.Thread(target=lambda: came.append(lock.acquire(timeout=timeout)))
    thread.start()
    thread.join(patience)
    waiting = thread.is_alive()
    if waiting:
        lock.release()
        thread.join(LIMIT)
        assert came == [True]
    return waiting


def test_minus_one_waits_for_ever_in_one_module_only():
    thread_lock, process_lock = threading.Lock(), multiprocessing.Lock()
    thread_lock.acquire()
    process_lock.acquire()
    assert waits(thread_lock, -1)
    assert not waits(process_lock, -1, LIMIT)


def test_none_waits_for_ever_in_one_module_only():
    lock = multiprocessing.Lock()
    lock.acquire()
    assert waits(lock, None)
    with pytest.raises(TypeError):
        threading.Lock().acquire(timeout=None)


@BOTH
def test_acquire_false_does_not_wait_in_either(module):
    lock = module.Lock()
    assert lock.acquire(False)  # noqa: FBT003 (the lesson names this form)
    assert not lock.acquire(False)  # noqa: FBT003 (as above)


@BOTH
def test_anybody_may_release_a_lock(module):
    lock = module.Lock()
    lock.acquire()
    with ThreadPoolExecutor(1) as other:
        other.submit(lock.release).result(LIMIT)
    assert lock.acquire(timeout=0)


@each_method
def test_a_lock_stays_locked_when_its_holder_is_killed(method):
    context = multiprocessing.get_context(method)
    lock = context.Lock()
    process = started(context, take_and_hold, lock)
    until(lambda: not (lock.acquire(timeout=0) and lock.release() is None), "the lock to be taken")
    process.kill()
    process.join(LIMIT)
    assert not lock.acquire(timeout=0.3)


@pytest.mark.skipif("fork" not in METHODS, reason="this system has no fork")
def test_a_lock_of_the_wrong_context_is_refused():
    lock = multiprocessing.get_context("fork").Lock()
    with pytest.raises(RuntimeError, match="fork context is being shared with a process in a spawn context"):
        started(multiprocessing.get_context("spawn"), say_if_taken, lock, None)
