"""What one thread says, and how it is read back."""

import threading
import time

import pytest

from helpers.observe.reading import Lane
from helpers.observe.trace import Trace


def only_lane(trace: Trace) -> Lane:
    lanes = trace.lanes()
    assert len(lanes) == 1
    return lanes[0]


def test_nobody_has_said_anything():
    with Trace() as trace:
        assert trace.lanes() == []


def test_spans_lie_in_each_other():
    with Trace() as trace:
        with trace.span("a"):
            with trace.span("b"), trace.span("c"):
                pass
            with trace.span("d"):
                pass
        with trace.span("e"):
            pass
        lane = only_lane(trace)
    assert [(span.name, span.depth) for span in lane.spans] == [("a", 0), ("b", 1), ("c", 2), ("d", 1), ("e", 0)]
    a, b, c, d, e = lane.spans
    assert lane.opened <= a.start <= b.start <= c.start <= c.end <= b.end <= d.start <= d.end <= a.end <= e.start


@pytest.mark.parametrize("polled", [False, True])
def test_depth_is_the_same_however_often_it_is_read(polled: bool):  # noqa: FBT001 (a pytest parameter)
    look = Trace.lanes if polled else (lambda _: None)
    with Trace() as trace:
        for _ in range(3):
            with trace.span("outer"):
                look(trace)
                with trace.span("inner"):
                    look(trace)
                look(trace)
            look(trace)
        assert [span.depth for span in only_lane(trace).spans] == [0, 1] * 3


def test_an_open_span_shows_while_it_is_open():
    with Trace() as trace:
        with trace.span("a"):
            with trace.span("b"):
                pass
            a, b = only_lane(trace).spans
            assert (a.name, a.end, a.cpu) == ("a", None, None)
            assert b.end is not None
        a = only_lane(trace).spans[0]
        assert a.end is not None
        assert a.end >= b.end
        assert a.cpu is not None


def test_a_span_tells_running_from_waiting():
    def busy() -> None:
        stop = time.thread_time() + 0.2
        while time.thread_time() < stop:
            pass

    with Trace() as trace:
        with trace.span("busy"):
            busy()
        with trace.span("asleep"):
            time.sleep(0.2)
        running, waiting = only_lane(trace).spans
    assert 0.19e9 < running.cpu <= running.end - running.start + 20e6
    assert waiting.cpu < 0.2 * (waiting.end - waiting.start)
    assert waiting.end - waiting.start >= 0.19e9


def test_notes_keep_their_order_and_moment():
    with Trace() as trace:
        before = time.perf_counter_ns()
        trace.note("one")
        trace.note("two")
        trace.note("one")
        after = time.perf_counter_ns()
        notes = only_lane(trace).notes
    assert [(note.text, note.error) for note in notes] == [("one", False), ("two", False), ("one", False)]
    assert before <= notes[0].at <= notes[1].at <= notes[2].at <= after


def test_an_error_is_recorded_and_goes_its_way():
    with Trace() as trace:
        with pytest.raises(LookupError, match="no such thing"), trace.span("outer"), trace.span("inner"):
            raise LookupError("no such thing")
        lane = only_lane(trace)
    assert all(span.end is not None for span in lane.spans)
    assert [note.text for note in lane.notes if note.error] == ["LookupError: no such thing"] * 2


def test_an_interrupt_is_recorded_and_goes_its_way():
    with Trace() as trace:
        with pytest.raises(KeyboardInterrupt), trace.span("a"):
            raise KeyboardInterrupt
        assert only_lane(trace).notes[0].text.startswith("KeyboardInterrupt")


def test_progress_and_what_is_expected():
    with Trace() as trace:
        trace.expect(10)
        trace.advance()
        trace.advance(4)
        lane = only_lane(trace)
        assert (lane.done, lane.expected) == (5, 10)
        trace.expect(20)
        trace.advance(0)
        assert trace.lanes()[0] is lane
        assert (lane.done, lane.expected) == (5, 20)


def test_every_thread_has_a_lane_of_its_own():
    with Trace() as trace:
        trace.note("here")
        thread = threading.Thread(target=trace.note, args=("there",), name="other")
        thread.start()
        thread.join()
        here, there = trace.lanes()
    assert (here.title, here.notes[0].text, here.thread) == ("main thread", "here", threading.get_native_id())
    assert (there.title, there.notes[0].text, there.pid) == ("other", "there", here.pid)
    assert there.thread != here.thread


def test_an_extra_lane():
    with Trace() as trace:
        writer = trace.extra_lane("pulse")
        writer.expect(3)
        assert [(lane.title, lane.expected) for lane in trace.lanes()] == [("pulse", 3)]


def test_two_traces_keep_apart():
    with Trace() as first, Trace() as second:
        first.note("first")
        second.note("second")
        assert [note.text for note in only_lane(first).notes] == ["first"]
        assert [note.text for note in only_lane(second).notes] == ["second"]


def test_one_span_object_a_time_does_not_mix_up_threads():
    """64 threads at once, each with content of its own."""
    ready = threading.Barrier(64)

    def work(number: int) -> None:
        ready.wait()
        for turn in range(50):
            with trace.span(f"{number}"):
                trace.note(f"{number}/{turn}")
                trace.advance()

    with Trace() as trace:
        threads = [threading.Thread(target=work, args=(n,), name=str(n)) for n in range(64)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            trace.lanes()
        for thread in threads:
            thread.join()
        lanes = trace.lanes()
    assert sorted(int(lane.title) for lane in lanes) == list(range(64))
    for lane in lanes:
        assert lane.done == 50
        assert [note.text for note in lane.notes] == [f"{lane.title}/{turn}" for turn in range(50)]
        assert {(span.name, span.depth) for span in lane.spans} == {(lane.title, 0)}
        assert all(span.end is not None for span in lane.spans)
