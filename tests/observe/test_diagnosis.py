"""A worker that ends well is never blamed, however late its end is seen."""

import multiprocessing
import os
from collections.abc import Iterator
from contextlib import ExitStack
from time import perf_counter
from types import SimpleNamespace

import pytest

from helpers.observe.deaths import Death
from helpers.observe.diagnosis import Diagnosis
from helpers.observe.pool_calls import Calls
from helpers.observe.reading import Lane
from helpers.observe.thread_errors import ThreadErrors
from helpers.observe.trace import Trace
from tests.observe.starting import METHODS


class Between(Trace):
    """A trace of which something happens just after it has been read."""

    happens: ExitStack

    def lanes(self) -> list[Lane]:
        found = super().lanes()
        self.happens.close()
        return found


@pytest.fixture
def trace() -> Iterator[Between]:
    with Between() as trace:
        trace.happens = ExitStack()
        yield trace


@pytest.fixture
def diagnosis(trace: Between) -> Iterator[Diagnosis]:
    """Of a pool whose workers may end after one task each; this process plays a worker."""
    errors = ThreadErrors()
    with multiprocessing.get_context(METHODS[0]).Pool(1, maxtasksperchild=1) as pool:
        yield Diagnosis(trace, pool, Calls(pool, {}), errors, [os.getpid()])
    errors.close()


def test_a_worker_that_ends_its_task_and_leaves_between_two_looks_is_no_fault(trace: Between, diagnosis: Diagnosis):
    now = perf_counter()
    death = Death(SimpleNamespace(pid=os.getpid(), name="worker"), 0, now, now)
    trace.happens.callback(diagnosis.note_deaths, [death])
    trace.happens.enter_context(trace.span("task 1"))
    assert diagnosis.fault([], ["task 1"]) is None
    assert diagnosis.suspects, "the death was noted after the lanes had been read"
    assert diagnosis.fault(["task 1"], ["task 2"]) is None
    assert not diagnosis.suspects


def test_one_that_leaves_in_the_middle_of_its_task_is(trace: Between, diagnosis: Diagnosis):
    now = perf_counter()
    with trace.span("task 1"):
        diagnosis.note_deaths([Death(SimpleNamespace(pid=os.getpid(), name="worker"), 0, now, now)])
        fault = diagnosis.fault([], ["task 1"])
    assert fault is not None
    assert (fault.kind, fault.task) == ("worker left", "task 1")


def test_a_forgotten_worker_that_has_ended_its_task_since_is_no_fault(
    trace: Between, diagnosis: Diagnosis, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("helpers.observe.diagnosis.exists", lambda _: False)
    diagnosis._workers = []
    lane = trace.extra_lane("ForkPoolWorker-1")
    place = lane.begin(lane.ref("task 1"))

    def end() -> None:
        lane.cells[place + 3] = 1
        lane.cells[place + 2] = lane.cells[place + 1] + 1

    trace.happens.callback(end)
    assert diagnosis.fault([], ["task 2"]) is None
    lane.begin(lane.ref("task 3"))
    fault = diagnosis.fault([], ["task 3"])
    assert fault is not None
    assert (fault.kind, fault.task) == ("worker lost", "task 3")
