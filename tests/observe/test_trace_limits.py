"""What a trace does when there is no room, no folder, or no sense in what it is given."""

import errno
import multiprocessing
import os
import shutil
import threading
from pathlib import Path

import pytest

from helpers.observe.lane import LONGEST_TEXT, LaneWriter
from helpers.observe.reading import Reader
from helpers.observe.trace import Trace
from tests.observe import doings
from tests.observe.starting import LIMIT, METHODS

HOSTILE = [
    "",
    " ",
    "\0",
    "a\0b",
    "\ud800 alone",
    "</text></svg><script>alert(1)</script>",
    "& < > \" ' `",
    "\r\n\t\x1b[31m",
    "\u202eright to left\u202c",
    "e\u0301 \U0001f600 \uffff",
    "%s %d {} {0}",
    "../../etc/passwd",
]


def test_a_full_lane_counts_what_it_drops():
    with Trace(records=5) as trace:
        for number in range(4):
            with trace.span(f"outer {number}"), trace.span("inner"):
                trace.note("note")
                trace.advance()
        (lane,) = trace.lanes()
        assert [(span.name, span.depth) for span in lane.spans] == [
            ("outer 0", 0),
            ("inner", 1),
            ("outer 1", 0),
            ("inner", 1),
        ]
        assert all(span.end is not None for span in lane.spans)
        assert (len(lane.notes), lane.dropped, lane.done) == (1, 4 * 3 - 5, 4)


def test_a_full_lane_reports_no_error_and_hides_none():
    with Trace(records=1) as trace:
        with pytest.raises(ValueError, match="mine"), trace.span("a"), trace.span("b"):
            raise ValueError("mine")
        (lane,) = trace.lanes()
    assert ([span.name for span in lane.spans], lane.dropped) == (["a"], 3)


def test_a_full_lane_does_not_write_past_its_end(tmp_path: Path):
    """Beyond the records' room lies the text: fill the records and look that no text changed."""
    writer = LaneWriter(str(tmp_path), "title", 3, LONGEST_TEXT)
    (path,) = tmp_path.iterdir()
    writer.ref("word")
    size, text = path.stat().st_size, bytes(writer.text)
    for place in [writer.begin(writer.ref("word")) for _ in range(50)]:
        writer.cells[place + 3] = writer.cells[place + 2] = -1
    assert bytes(writer.text) == text
    assert path.stat().st_size == size
    (lane,) = Reader(str(tmp_path)).poll()
    assert (len(lane.spans), lane.dropped) == (3, 47)


def test_a_lane_without_room_for_words_goes_on():
    names = [f"{number} {'x' * 500}" for number in range(30)]
    with Trace(text=LONGEST_TEXT) as trace:
        for name in names:
            with trace.span(name):
                trace.note(name)
                trace.advance()
        (lane,) = trace.lanes()
    assert (lane.done, len(lane.spans), len(lane.notes), lane.dropped) == (30, 30, 30, 0)
    known = [span.name for span in lane.spans if span.name in names]
    assert known == names[: len(known)]
    assert 5 <= len(known) < 30
    assert {span.name for span in lane.spans} == {*known, lane.title}


def test_hostile_words_come_back_as_they_were():
    with Trace() as trace:
        for words in HOSTILE:
            with trace.span(words):
                trace.note(words)
        (lane,) = trace.lanes()
    expected = [words.encode("utf-8", "backslashreplace").decode() for words in HOSTILE]
    assert [span.name for span in lane.spans] == expected
    assert [note.text for note in lane.notes] == expected


@pytest.mark.parametrize("words", HOSTILE)
def test_a_lane_may_have_any_title(words: str):
    with Trace() as trace:
        trace.extra_lane(words)
        assert [lane.title for lane in trace.lanes()] == [words.encode("utf-8", "backslashreplace").decode()]


@pytest.mark.parametrize("letter", ["a", "é", "\U0001f600"])
def test_long_words_are_clipped(letter: str):
    with Trace() as trace:
        trace.note(letter * LONGEST_TEXT)
        trace.note(letter * 20 * LONGEST_TEXT)
        (lane,) = trace.lanes()
    assert [note.text for note in lane.notes] == [letter * LONGEST_TEXT, letter * LONGEST_TEXT + "…"]


@pytest.mark.parametrize(
    ("wrong", "kind", "words"),
    [
        (lambda _: Trace(records=0), ValueError, "records must be at least 1, got 0"),
        (lambda _: Trace(records=-5), ValueError, "records must be at least 1, got -5"),
        (lambda _: Trace(text=5), ValueError, "text must be at least .*, got 5"),
        (lambda trace: trace.advance("3"), TypeError, "count must be a whole number, got '3'"),
        (lambda trace: trace.advance(0.5), TypeError, "count must be a whole number, got 0.5"),
        (lambda trace: trace.advance(None), TypeError, "count must be a whole number, got None"),
        (lambda trace: trace.expect(-1), ValueError, "total must be 0 or more, got -1"),
        (lambda trace: trace.note(5), TypeError, "must be a string, got 5"),
        (lambda trace: trace.note(None), TypeError, "must be a string, got None"),
        (lambda trace: trace.span(b"x").__enter__(), TypeError, "must be a string, got b'x'"),
    ],
)
def test_bad_input_is_refused_in_words_and_harms_nothing(wrong, kind: type[Exception], words: str):
    with Trace() as trace:
        trace.advance(2)
        with pytest.raises(kind, match=words):
            wrong(trace)
        doings.speak(trace)
        (lane,) = trace.lanes()
    assert (lane.done, len(lane.spans), len(lane.notes), lane.dropped) == (5, 2, 1, 0)


def test_no_folder_for_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(OSError, match="none"):
        Trace()


@pytest.mark.parametrize("method", METHODS)
def test_a_worker_does_its_work_though_the_folder_is_gone(method: str):
    with Trace() as trace:
        shutil.rmtree(trace.folder)
        process = multiprocessing.get_context(method).Process(target=doings.speak, args=(trace,))
        process.start()
        process.join(LIMIT)
        assert process.exitcode == 0
        assert trace.lanes() == []


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="needs posix_fallocate")
def test_a_worker_does_its_work_though_the_disk_is_full(monkeypatch: pytest.MonkeyPatch):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with Trace() as trace:
        monkeypatch.setattr(os, "posix_fallocate", full)
        doings.speak(trace)
        assert trace.lanes() == []
        # An empty file says that something is missing, and so does the trace.
        (left,) = (path for path in Path(trace.folder).iterdir() if path.name != "owner")
        assert (left.suffix, left.stat().st_size) == (".lost", 0)
        assert str(Path(trace.folder).parent) in trace.trouble()
        assert "TMPDIR" in trace.trouble()


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs Linux to count open files")
def test_many_lanes_do_not_hold_many_files_open():
    def files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = files()
    with Trace(records=10) as trace:
        for _ in range(3):
            for number in range(100):
                thread = threading.Thread(target=trace.advance, args=(number,))
                thread.start()
                thread.join()
            trace.lanes()
        assert files() - before <= 120
        assert sum(lane.done for lane in trace.lanes()) == 3 * sum(range(100))
    assert len(trace.lanes()) == 300
    assert files() <= before + 5
