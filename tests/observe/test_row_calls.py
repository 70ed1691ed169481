"""Calls of a target meet, say which rows they have, and do not wait for ever for one another."""

import threading
import time

import pytest

from helpers.observe.row_calls import Together, rows_of
from helpers.observe.trace import Trace
from tests.observe.starting import LIMIT, until


def spans(trace: Trace) -> list:
    return [span for lane in trace.lanes() for span in lane.spans]


def test_a_call_waits_for_the_others():
    done: list[tuple] = []
    with Trace() as trace:
        together = Together(trace, 2, LIMIT, lambda *given: done.append(given))
        calls = [threading.Thread(target=together, args=("label", *rows)) for rows in ((0, 4), (4, 7))]
        calls[0].start()
        until(lambda: spans(trace), "the first call")
        calls[0].join(0.5)
        assert not done
        calls[1].start()
        for call in calls:
            call.join(LIMIT)
        assert sorted(done) == [("label", 0, 4), ("label", 4, 7)]
        assert sorted(map(list, map(rows_of, spans(trace)))) == [[0, 1, 2, 3], [4, 5, 6]]


def test_it_goes_on_alone_when_its_patience_is_over():
    done: list[tuple] = []
    began = time.monotonic()
    with Trace() as trace:
        Together(trace, 2, 0.5, lambda *given: done.append(given))("label", 0, 1)
    assert done == [("label", 0, 1)]
    assert time.monotonic() - began > 0.5


def test_rows_must_be_whole_numbers():
    with Trace() as trace, pytest.raises(TypeError):
        Together(trace, 1, LIMIT, print)("label", 0, 2.5)
