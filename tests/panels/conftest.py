"""What the tests of the panels share: they leave the process as they found it."""

import functools
import multiprocessing
import threading
from collections.abc import Iterator

import pytest

from helpers.observe.trace import open_traces
from helpers.panels.guard import guarded
from tests.observe.starting import plain_main, until

__all__ = ["plain_main"]


@pytest.fixture(autouse=True)
def _patient_exercises(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside other tests an answer may take longer than the time that a learner's gets."""
    monkeypatch.setattr("helpers.panels.exercise.guarded", functools.partial(guarded, limit=40.0))


@pytest.fixture
def left_as_found() -> Iterator[None]:
    """Fail if a process, a thread or a trace is left, or if the hook for threads' errors is not put back."""
    threads, traces, hook = set(threading.enumerate()), open_traces(), threading.excepthook
    yield
    until(lambda: set(threading.enumerate()) <= threads, "threads to end")
    assert multiprocessing.active_children() == []
    assert open_traces() == traces
    assert threading.excepthook == hook
