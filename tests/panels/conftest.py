"""What the tests of the panels share: they leave the process as they found it."""

import functools
import multiprocessing
import threading
from collections.abc import Iterator
from concurrent.futures import process
from contextlib import nullcontext
from typing import Any

import pytest

from helpers.observe.trace import open_traces
from helpers.panels.guard import guarded
from tests.observe.pool_making import HANGS_IF_LEFT
from tests.observe.starting import plain_main, until

__all__ = ["plain_main"]


@pytest.fixture(autouse=True)
def _patient_exercises(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside other tests an answer may take longer than the time that a learner's gets."""
    monkeypatch.setattr("helpers.panels.exercise.guarded", functools.partial(guarded, limit=40.0))


@pytest.fixture(autouse=True)
def _no_hang_of_old_pythons(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lesson 12 tells of it, and its test shows it; here it would be in the way."""
    if HANGS_IF_LEFT:
        queue: Any = process._SafeQueue  # type: ignore[attr-defined] # private
        tell = queue._on_queue_feeder_error

        def tell_without_the_lock(self: Any, *args: object) -> None:
            self.shutdown_lock = nullcontext()
            tell(self, *args)

        monkeypatch.setattr(queue, "_on_queue_feeder_error", tell_without_the_lock)


@pytest.fixture
def left_as_found() -> Iterator[None]:
    """Fail if a process, a thread or a trace is left, or if the hook for threads' errors is not put back."""
    threads, traces, hook = set(threading.enumerate()), open_traces(), threading.excepthook
    yield
    until(lambda: set(threading.enumerate()) <= threads, "threads to end")
    assert multiprocessing.active_children() == []
    assert open_traces() == traces
    assert threading.excepthook == hook
