"""What a lesson leaves running is named, and the kernel's own machinery is not."""

import asyncio
import multiprocessing
import subprocess
import sys
import threading
import time
import types

import pytest

from helpers.observe import leftovers as module
from helpers.observe.leftovers import leftovers, nothing_left, started_threads
from helpers.observe.trace import Trace

NOTHING = "Nothing is left: no process, no thread, no open trace."
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lists a process's children in files")


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 0.0)


def test_nothing():
    assert leftovers() == []
    assert nothing_left() == NOTHING


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_a_live_process_is_named_under_every_start_method_and_the_servers_are_not(method):
    child = multiprocessing.get_context(method).Process(target=time.sleep, args=(60,), name="the forgotten one")
    child.start()
    try:
        assert len(leftovers()) == 1
        assert f"the forgotten one (pid {child.pid})" in nothing_left()
    finally:
        child.kill()
        child.join(10)
    assert nothing_left() == NOTHING


@pytest.mark.usefixtures("impatient")
@linux
def test_a_process_that_multiprocessing_does_not_know_is_named():
    child = subprocess.Popen(["sleep", "60"])
    deadline = time.monotonic() + 20
    try:
        while not leftovers() and time.monotonic() < deadline:  # its command line appears a moment after its start
            time.sleep(0.01)
        assert leftovers() == [
            f"A process unknown to multiprocessing (pid {child.pid}: sleep 60) still runs: wait for it."
        ]
    finally:
        child.kill()
        child.wait(10)


@pytest.mark.usefixtures("impatient")
@linux
def test_an_ended_child_that_nobody_waited_for_does_not_run():
    child = subprocess.Popen(["true"], stdout=subprocess.PIPE)
    child.stdout.read()
    deadline = time.monotonic() + 20
    while leftovers() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert leftovers() == []
    child.stdout.close()
    child.wait(10)


@pytest.mark.usefixtures("impatient")
def test_a_thread_is_named():
    end = threading.Event()
    thread = threading.Thread(target=end.wait, args=(60,), name="the forgotten one")
    thread.start()
    try:
        assert started_threads() == [thread]
        assert leftovers() == ["The thread the forgotten one still runs: let its work end, and join it."]
    finally:
        end.set()
        thread.join(10)
    assert leftovers() == []


def test_what_is_just_ending_is_waited_for():
    threading.Thread(target=time.sleep, args=(0.2,)).start()
    assert nothing_left() == NOTHING


@pytest.mark.usefixtures("impatient")
def test_open_traces_are_counted():
    with Trace():
        assert leftovers() == ["One trace is not closed: use it in a with block, or call its close()."]
        with Trace():
            assert "2 traces are not closed" in nothing_left()
    assert leftovers() == []


@pytest.mark.usefixtures("impatient")
def test_several_are_named_line_by_line():
    end = threading.Event()
    thread = threading.Thread(target=end.wait, args=(60,))
    thread.start()
    with Trace():
        lines = nothing_left().splitlines()
    end.set()
    thread.join(10)
    assert len(lines) == 2


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("package", ["ipykernel.iostream", "zmq.utils.garbage", "IPython.core.history", "debugpy"])
def test_threads_that_run_code_of_the_kernel_are_its_machinery(package):
    end = threading.Event()
    work = types.FunctionType((lambda: end.wait(60)).__code__, globals(), closure=(types.CellType(end),))
    work.__module__ = package
    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert leftovers() == []
    finally:
        end.set()
        thread.join(10)


@pytest.mark.usefixtures("impatient")
def test_the_loops_own_pool_is_machinery_while_idle_and_named_while_busy():
    begun, end = threading.Event(), threading.Event()

    async def busy_then_idle():
        task = asyncio.create_task(asyncio.to_thread(lambda: (begun.set(), end.wait(60))))
        await asyncio.sleep(0)
        assert begun.wait(30)
        busy = leftovers()
        end.set()
        await task
        module.PATIENCE = 2.0  # the thread goes back to its place a moment later
        return busy, leftovers(), sum(t.name.startswith("asyncio_") for t in threading.enumerate())

    busy, idle, kept = asyncio.run(busy_then_idle())
    assert len(busy) == 1
    assert "asyncio_0" in busy[0]
    assert (idle, kept) == ([], 1)
