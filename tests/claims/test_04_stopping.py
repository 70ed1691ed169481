"""Lesson 04: what it says of stopping, beyond what its cells show."""

import asyncio
import ctypes
import multiprocessing
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any

import psutil
import pytest

from helpers.observe.lifeline import end_with_parent
from helpers.observe.trace import Trace
from helpers.workers import stopping
from tests.observe.starting import LIMIT, METHODS, plain_main, until

__all__ = ["plain_main"]

posix = pytest.mark.skipif(os.name != "posix", reason="needs signals")
each_method = pytest.mark.parametrize("method", METHODS)


@contextmanager
def process(method: str, target: Callable[..., object], *args: Any) -> Iterator[BaseProcess]:
    """A process that is ended with the block, if it has not ended before."""
    started = multiprocessing.get_context(method).Process(target=target, args=args)
    started.start()
    try:
        yield started
    finally:
        started.kill()
        started.join()


def works(pid: int) -> bool:
    """Whether the process runs; one that has ended, and whom nobody has asked, does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def output_of(program: str) -> str:
    """What a Python program of its own prints."""
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=50, check=True
    ).stdout


# Threads


def throw_into(thread: threading.Thread, error: type[BaseException]) -> int:
    return ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(error))


@pytest.mark.skipif(sys.version_info < (3, 13), reason="since 3.13")
def test_a_queue_that_is_shut_down_wakes_who_waits_for_it():
    inbox, ended = queue.Queue(), []

    def serve() -> None:
        try:
            inbox.get()
        except queue.ShutDown:
            ended.append(True)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    inbox.shutdown()
    thread.join(LIMIT)
    assert ended == [True]


def test_a_connection_that_is_shut_down_wakes_who_waits_for_it():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        thread = threading.Thread(target=ours.recv, args=(1,), daemon=True)
        thread.start()
        ours.shutdown(socket.SHUT_RDWR)
        thread.join(LIMIT)
        assert not thread.is_alive()


def test_an_exception_thrown_in_can_skip_the_rest_of_a_finally():
    # In a program of its own: a handler around the loop, to keep pytest from seeing the exception, is not sure to
    # catch it. In 3.13 the jump back to a loop's condition belongs to no try and no with.
    program = """
import ctypes, threading, time

def work():
    try:
        pass
    finally:
        cleaning.set()
        end = time.monotonic() + 30
        while time.monotonic() < end:
            pass
        print("cleaned", flush=True)

cleaning = threading.Event()
thread = threading.Thread(target=work, daemon=True)
thread.start()
cleaning.wait(30)
ident, error = ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit)
print(ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, error))
thread.join(20)
print(thread.is_alive())
"""
    assert output_of(program).split() == ["1", "False"]


def test_an_exception_thrown_in_does_not_reach_a_lock_that_is_not_free():
    lock, begun, got = threading.Lock(), threading.Event(), []

    def work() -> None:
        begun.set()
        with suppress(SystemExit):
            lock.acquire()
            got.append(True)

    with lock:
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        assert begun.wait(LIMIT)
        time.sleep(0.5)  # what it does next is to wait for the lock
        throw_into(thread, SystemExit)
        thread.join(0.5)
        assert thread.is_alive()
    thread.join(LIMIT)
    assert not thread.is_alive()
    assert got == []
    assert lock.locked(), "the exception came after the lock was taken, and nobody lets go of it"


def test_a_daemon_thread_is_cut_off_without_its_finally():
    program = """
import threading, time

def work():
    try:
        begun.set()
        time.sleep(600)
    finally:
        print("tidied up", flush=True)

begun = threading.Event()
threading.Thread(target=work, daemon=True).start()
begun.wait(30)
print("the end", flush=True)
"""
    assert output_of(program).split("\n") == ["the end", ""]


def test_a_cancelled_to_thread_works_on():
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        go_on.wait(LIMIT)
        ended.set()

    async def main() -> None:
        task = asyncio.create_task(asyncio.to_thread(work))
        await asyncio.to_thread(begun.wait, LIMIT)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not ended.is_set()
        go_on.set()

    asyncio.run(main())
    assert ended.wait(LIMIT)


# Processes


@each_method
@pytest.mark.parametrize(("target", "args", "code"), [(int, (), 0), (sys.exit, (3,), 3), (int, ("x",), 1)])
def test_exit_codes(method: str, target: Callable[..., object], args: tuple[object, ...], code: int):
    with process(method, target, *args) as started:
        assert started.exitcode is None or started.exitcode == code
        assert started.join(LIMIT) is None
        assert started.exitcode == code


@each_method
def test_join_gives_none_when_the_time_is_over_too(method: str):
    with process(method, time.sleep, 600) as started:
        assert started.join(0.05) is None
        assert started.exitcode is None


@posix
@pytest.mark.skipif("fork" not in METHODS or sys.platform == "darwin", reason="needs fork")
def test_a_join_with_a_limit_waits_for_a_forked_grandchild():
    with Trace() as trace, process("fork", stopping.start_a_helper, trace) as child:
        until(lambda: sum(lane.done > 0 for lane in trace.lanes()) == 2, "child and grandchild")
        (grandchild,) = {lane.pid for lane in trace.lanes()} - {child.pid}
        try:
            child.terminate()
            start = time.monotonic()
            child.join(1)
            assert time.monotonic() - start > 0.9
            assert child.exitcode == -signal.SIGTERM
        finally:
            os.kill(grandchild, signal.SIGKILL)


def wait_for(event: Any, begun: Any) -> None:
    end_with_parent()
    begun.set()
    event.wait(LIMIT)


@each_method
def test_an_event_hangs_when_a_process_that_waited_for_it_was_ended(method: str):
    context = multiprocessing.get_context(method)
    event, begun = context.Event(), context.Event()
    with process(method, wait_for, event, begun) as waiter:
        assert begun.wait(LIMIT)
        time.sleep(1)  # what it does next is to wait
        waiter.terminate()
        waiter.join(LIMIT)
        # In a process of its own, because whoever calls it hangs.
        with process(method, event.set) as setter:
            setter.join(3)
            assert setter.exitcode is None


def take(lock: Any) -> None:
    lock.acquire()


@each_method
def test_any_process_may_release_a_lock_that_another_took(method: str):
    lock = multiprocessing.get_context(method).Lock()
    with process(method, take, lock) as taker:
        taker.join(LIMIT)
    assert not lock.acquire(timeout=0.1)
    lock.release()
    assert lock.acquire(timeout=0.1)


@posix
def test_daemonic_children_end_with_a_program_that_ends_well():
    program = """
import multiprocessing, time

if __name__ == "__main__":
    child = multiprocessing.Process(target=time.sleep, args=(600,), daemon=True)
    child.start()
    print(child.pid)
"""
    # The child holds the output's pipe, too, so the program's end is seen here only when both have gone.
    pid = int(output_of(program))
    until(lambda: not works(pid), "the child to end")


@each_method
def test_a_pool_of_processes_takes_tasks_ahead_and_does_not_give_them_back(method: str):
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method), initializer=end_with_parent) as pool:
        futures = [pool.submit(time.sleep, 1) for _ in range(6)]
        for ahead in futures[:2]:
            until(lambda ahead=ahead: ahead.running() or ahead.done(), "the first task, and one taken ahead")
        cancelled = [future.cancel() for future in futures]
    assert cancelled[:2] == [False, False]
    assert cancelled[-1]


@pytest.mark.skipif(sys.version_info < (3, 14), reason="since 3.14")
def test_a_pool_of_processes_can_end_its_workers():
    assert {"terminate_workers", "kill_workers"} <= set(dir(ProcessPoolExecutor))


def watch_by_hand(trace: Trace) -> None:
    """What the lesson tells those who write a worker of their own."""

    def watch() -> None:
        wait([multiprocessing.parent_process().sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    stopping.work_untied(trace)


def parent_of(trace: Trace, method: str) -> None:
    end_with_parent()
    multiprocessing.get_context(method).Process(target=watch_by_hand, args=(trace,)).start()
    time.sleep(LIMIT)


@each_method
def test_a_thread_that_waits_for_the_sentinel_ends_a_worker_with_its_parent(method: str):
    with Trace() as trace, process(method, parent_of, trace, method) as parent:
        until(lambda: any(lane.done for lane in trace.lanes()), "the worker to work")
        (worker,) = {lane.pid for lane in trace.lanes()}
        try:
            parent.kill()
            parent.join(LIMIT)
            until(lambda: not works(worker), "the worker to be gone")
        finally:
            if works(worker):
                os.kill(worker, signal.SIGTERM)


@each_method
def test_an_event_cannot_be_submitted_to_a_pool(method: str):
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(1, context) as pool:
        refused = pool.submit(stopping.keep, context.Event())
        with pytest.raises(RuntimeError, match="through inheritance"):
            refused.result(LIMIT)
