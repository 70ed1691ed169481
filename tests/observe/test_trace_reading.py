"""Reading while others write: never a record that was not written so, and in the end all of them."""

import multiprocessing
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path
from time import monotonic, perf_counter_ns

import pytest

from helpers.observe.lane import LONGEST_TEXT, Cell, Kind, LaneWriter
from helpers.observe.reading import Lane, Reader
from helpers.observe.trace import Trace
from tests.observe import doings
from tests.observe.starting import METHODS

ROUNDS = 60_000


def polls(trace: Trace, process: BaseProcess) -> Iterator[Lane]:
    """The process's lane, read as often as can be, once more after its end."""
    process.start()
    running = True
    while running:
        running = process.is_alive()
        yield from trace.lanes()
    process.join()
    assert process.exitcode == 0


def met_often(run: Callable[[], int]) -> None:
    """Runs it until its reader has come upon a writer at work ten times in all: a busy machine parts the two."""
    met, until = 0, monotonic() + 40
    while met < 10:
        assert monotonic() < until, f"the reader came upon the writer at work {met} times in 40 s"
        met += run()


@pytest.mark.parametrize("method", METHODS[:1])
def test_no_record_is_ever_read_half_written(method: str):
    def read() -> int:
        context, spans, notes, met = multiprocessing.get_context(method), 0, 0, 0
        with Trace(records=3 * ROUNDS, text=1_000_000) as trace:
            for lane in polls(trace, context.Process(target=doings.hammer, args=(trace, ROUNDS))):
                for index in range(spans, len(lane.spans)):
                    span = lane.spans[index]
                    assert (span.name, span.depth) == (doings.hammered_span(index // 2), index % 2)
                    assert span.end is None or span.cpu >= 0
                    assert span.end is None or lane.opened <= span.start <= span.end
                for index in range(notes, len(lane.notes)):
                    assert lane.notes[index][::2] == (doings.hammered_note(index), False)
                met += spans < len(lane.spans) < 2 * ROUNDS
                spans, notes = len(lane.spans), len(lane.notes)
            assert (spans, notes, lane.done, lane.dropped) == (2 * ROUNDS, ROUNDS, ROUNDS, 0)
            assert all(span.end is not None and span.end >= span.start for span in lane.spans)
        return met

    met_often(read)


@pytest.mark.parametrize("method", METHODS[:1])
def test_a_span_that_follows_another_never_seems_to_lie_in_it(method: str):
    def read() -> int:
        context, seen, met = multiprocessing.get_context(method), 0, 0
        with Trace(records=4 * ROUNDS) as trace:
            for lane in polls(trace, context.Process(target=doings.hammer_flat, args=(trace, 4 * ROUNDS))):
                assert all(span.depth == 0 for span in lane.spans[seen:])
                met += seen < len(lane.spans) < 4 * ROUNDS
                seen = len(lane.spans)
        assert seen == 4 * ROUNDS
        return met

    met_often(read)


class Written:
    """A lane of which a reader on another core sees the stores in another order than they were made."""

    def __init__(self, folder: Path) -> None:
        self.writer = LaneWriter(str(folder), "title", 10, LONGEST_TEXT)
        self.reader = Reader(str(folder))
        self.writer.mark(Kind.NOTE, "first")

    def notes(self) -> list[str] | None:
        lanes = self.reader.poll()
        return [note.text for note in lanes[0].notes] if lanes else None


def test_a_record_waits_for_its_words(tmp_path: Path):
    lane = Written(tmp_path)
    assert lane.notes() == ["first"]
    before = lane.writer.text_used
    lane.writer.mark(Kind.NOTE, "second")
    words = bytes(lane.writer.text[before:])
    for missing in (range(len(words)), range(8), range(8, 12), range(12, 16), range(4, 8)):
        for place in missing:
            lane.writer.text[before + place] = 0
        assert lane.notes() == ["first"], missing
        lane.writer.text[before:] = words
    assert lane.notes() == ["first", "second"]


@pytest.mark.parametrize("cell", [0, 1])
def test_a_record_waits_for_its_cells(tmp_path: Path, cell: int):
    lane = Written(tmp_path)
    place = lane.writer.used
    lane.writer.mark(Kind.NOTE, "second")
    lane.writer.mark(Kind.NOTE, "third")
    value = lane.writer.cells[place + cell]
    lane.writer.cells[place + cell] = 0
    assert lane.notes() == ["first"]
    lane.writer.cells[place + cell] = value
    assert lane.notes() == ["first", "second", "third"]


@pytest.mark.parametrize("cell", [Cell.MAGIC, Cell.RECORDS, Cell.TITLE])
def test_a_lane_waits_for_its_header(tmp_path: Path, cell: Cell):
    lane = Written(tmp_path)
    value = lane.writer.cells[cell]
    lane.writer.cells[cell] = 0
    assert not lane.notes()
    lane.writer.cells[cell] = value
    assert lane.notes() == ["first"]


def test_a_lane_file_still_empty_is_left_for_later(tmp_path: Path):
    (tmp_path / "1-2-3.lane").touch()
    lane = Written(tmp_path)
    assert lane.notes() == ["first"]


@pytest.mark.parametrize("length", [1, 100, 500, 1000])
def test_a_lane_file_still_growing_is_left_for_later(tmp_path: Path, length: int):
    """Where blocks cannot be reserved at once a reader may meet a file that is not yet as long as it will be."""
    lane = Written(tmp_path)
    (path,) = tmp_path.iterdir()
    whole, growing = path.read_bytes(), tmp_path / "1-2-3.lane"
    growing.write_bytes(whole[:length])
    assert lane.notes() == ["first"]
    with growing.open("r+b") as file:  # the same file grows, as the reader may have it mapped
        file.write(whole)
    assert [each.notes[0].text for each in lane.reader.poll()] == ["first"] * 2


def test_a_span_begun_while_the_reader_looks_is_not_nested(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The span before it is open when the reader looks for its end, and ended before the new one begins."""
    writer, reader = LaneWriter(str(tmp_path), "title", 10, LONGEST_TEXT), Reader(str(tmp_path))
    place = writer.begin(writer.ref("span"))
    look = Lane._close_open

    def look_and_write(lane: Lane, *args: object) -> None:
        look(lane, *args)
        if writer.cells[place + 2] == 0:
            writer.cells[place + 3] = 1
            writer.cells[place + 2] = perf_counter_ns()
            writer.begin(writer.ref("span"))

    reader.poll()
    monkeypatch.setattr(Lane, "_close_open", look_and_write)
    reader.poll()
    (lane,) = reader.poll()
    assert [(span.depth, span.end is None) for span in lane.spans] == [(0, False), (0, True)]
