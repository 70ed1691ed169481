"""Deaths are told at once, in their order, with their exit codes, and nothing is left."""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess

import pytest

from helpers.observe.deaths import Death, Deaths, exit_code, has_died
from tests.observe.starting import METHODS, until

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signals here")
every_method = pytest.mark.parametrize("method", METHODS)


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    threads = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= threads
    for child in multiprocessing.active_children():
        child.kill()
        child.join()


def started(method: str, *seconds: float) -> list[BaseProcess]:
    """A process for each of `seconds`, which ends after it."""
    context = multiprocessing.get_context(method)
    processes: list[BaseProcess] = [context.Process(target=time.sleep, args=(each,), daemon=True) for each in seconds]
    for process in processes:
        process.start()
    return processes


@every_method
def test_who_died_and_how(method: str):
    told: list[Death] = []
    deaths = Deaths(told.extend)
    short, killed, long = started(method, 0, 60, 60)
    deaths.watch([short, killed, long])
    deaths.watch([killed])
    killed.kill()
    until(lambda: len(told) == 2, "two deaths")
    assert {death.process: death.code for death in told} == {short: 0, killed: -signal.SIGKILL}
    assert all(death.since <= death.at <= time.perf_counter() for death in told)
    deaths.close()
    long.kill()
    deaths.watch(started(method, 0))
    deaths.close()
    time.sleep(0.05)
    assert len(told) == 2


@every_method
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the order")
def test_the_first_is_told_first_even_when_nobody_listened(method: str):
    told: list[int | None] = []
    go = threading.Event()

    def tell(dead: list[Death]) -> None:
        told.extend(death.process.pid for death in dead)
        go.wait(60)

    deaths = Deaths(tell)
    try:
        (first,) = started(method, 0)
        others = started(method, *[60] * 5)
        deaths.watch([first, *others])
        until(lambda: told, "the first death")
        order = [others[place] for place in (3, 0, 4, 1, 2)]
        for process in order:
            process.kill()
            until(lambda process=process: has_died(process), "its end")
        go.set()
        until(lambda: len(told) == 6, "all deaths")
        assert told == [first.pid, *(process.pid for process in order)]
    finally:
        go.set()
        deaths.close()


@every_method
def test_whether_one_has_died_is_seen_without_taking_its_exit_code(method: str):
    (process,) = started(method, 60)
    assert not has_died(process)
    os.kill(process.pid or 0, signal.SIGTERM)
    until(lambda: has_died(process), "its end")
    assert process._popen.returncode is None
    assert process.exitcode == -signal.SIGTERM
    assert has_died(process)
    process.close()
    assert has_died(process)


@every_method
def test_an_exit_code_is_left_to_the_thread_that_waits_for_it(method: str):
    """Under forkserver, of two who ask at the same time one may be told 255."""
    for _ in range(10):
        (process,) = started(method, 0.02)
        waiting = threading.Thread(target=process.join)
        waiting.start()
        until(lambda process=process: has_died(process), "its end")
        assert exit_code(process) == 0
        waiting.join()
