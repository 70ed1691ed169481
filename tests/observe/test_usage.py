"""How long a run lasted, and how many cores it used."""

import threading

import pytest

from helpers.observe.trace import Trace
from helpers.observe.usage import cores_used, lasted
from helpers.workers.kinds import take_steps


def test_how_long_and_how_many_cores():
    with Trace() as trace:
        assert (lasted(trace), cores_used(trace)) == (0.0, 0.0)
        with trace.span("left out while it is open"):
            assert (lasted(trace), cores_used(trace)) == (0.0, 0.0)
        take_steps(trace, 50)
        spans = trace.lanes()[0].spans
        total = (spans[-1].end - spans[0].start) / 1e9
        assert lasted(trace) == pytest.approx(total)
        assert cores_used(trace) == pytest.approx(sum(span.cpu for span in spans) / 1e9 / total)
        with trace.span("outer"), trace.span("inner, which counts once"):
            take_steps(trace, 50)
        assert cores_used(trace) <= 1.01


def test_waiting_uses_no_core():
    with Trace() as trace:
        with trace.span("waiting"):
            threading.Event().wait(0.2)
        assert cores_used(trace) < 0.2
        assert lasted(trace) >= 0.2
