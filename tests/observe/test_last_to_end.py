"""Item 0 ends last wherever another call goes on beside it, and does not wait for ever where none does."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest

from helpers.observe.last_to_end import LastToEnd
from helpers.observe.trace import Trace


def ended(trace: Trace) -> list[str]:
    spans = [span for lane in trace.lanes() for span in lane.spans]
    return [span.name for span in sorted(spans, key=lambda span: span.end or 0)]


def test_beside_another_item_0_ends_last():
    with Trace() as trace, ThreadPoolExecutor(2) as pool:
        assert list(pool.map(LastToEnd(trace, 4), range(4))) == [0, 10, 20, 30]
        assert ended(trace) == ["1", "2", "3", "0"]


def test_alone_it_gives_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("helpers.observe.last_to_end.PATIENCE", 0.3)
    began = monotonic()
    with Trace() as trace:
        assert [LastToEnd(trace, 2)(item) for item in range(2)] == [0, 10]
        assert ended(trace) == ["0", "1"]
    assert monotonic() - began < 30


def test_it_travels():
    with Trace() as trace:
        copy = pickle.loads(pickle.dumps(LastToEnd(trace, 1)))  # noqa: S301 (our own)
        assert copy(0) == 0
        assert ended(trace) == ["0"]
