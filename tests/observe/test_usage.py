"""How long a run lasted, and how many cores it used."""

import threading
from types import SimpleNamespace

import pytest

from helpers.observe.reading import Span
from helpers.observe.trace import Trace
from helpers.observe.usage import beats_during, cores_used, lasted
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


def lane(title, spans, ticks=()):
    return SimpleNamespace(title=title, spans=[Span(*span, 0, 0) for span in spans], ticks=list(ticks))


def test_heartbeats_count_once_and_only_in_spans_that_have_ended():
    computing = lane(
        "thread 1", [("parsing", 10, 20), ("parsing", 30, 40), ("waiting", 40, 60), ("parsing", 70, None)]
    )
    other = lane("thread 2", [("parsing", 12, 22)])
    heart = lane("heartbeat", [], [5, 15, 21, 35, 50, 55, 80])
    run = SimpleNamespace(lanes=lambda: [computing, other, heart])
    assert beats_during(run, "parsing") == 3
    assert beats_during(run, "parsing", "thread 1") == 2
    assert beats_during(run, "parsing", "thread 2") == 2
    assert beats_during(run, "waiting") == 2
    assert beats_during(run, "sleeping") == beats_during(run, "waiting", "thread 2") == 0
