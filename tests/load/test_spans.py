"""A million spans, and sixty-four lanes: the picture stays small, and takes no longer than there is more to read."""

import gc
import multiprocessing
import re
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

import pytest

from helpers.observe.reading import Lane
from helpers.observe.trace import Trace
from helpers.panels.crowd import MANY, MOST_LANES
from helpers.panels.drawing import drawing
from helpers.panels.timeline import Timeline, figure
from helpers.panels.words import described
from tests.load import doings
from tests.observe.starting import METHODS, until
from tests.panels.made import lane, span

MANY_SPANS = 100_000
MILLION = 1_000_000
SIZE = 200_000
"""Bytes of a picture."""
HEIGHT = 4_000
"""Pixels of a picture, at most: 64 lanes of one row each, and their locks."""
MOST_TIMES = 30
"""How much longer a million spans may take than a hundred thousand: ten times, and what a busy machine adds, where
others take the caches (16 was seen). What went through all spans for each span would take a hundred times as long."""

pytestmark = [pytest.mark.usefixtures("left_as_found", "plain_main"), pytest.mark.timeout(300)]


class Price(NamedTuple):
    """Seconds of this thread's time on a core: other programs do not count."""

    read: float
    drawn: float
    said: float


def recorded(total: int, lanes: int) -> Iterator[Trace]:
    """A trace of `total` spans in so many lanes."""
    with Trace(records=total // lanes) as trace:
        for number in range(lanes):
            thread = threading.Thread(target=doings.many_spans, args=(trace, total // lanes), name=f"lane {number}")
            thread.start()
            thread.join()
        yield trace


def timed(action: Callable[[], object]) -> float:
    gc.collect()
    gc.freeze()  # what other tests keep is not gone through again and again: with it a million took 30 times as long
    began = time.thread_time()
    try:
        action()
        return time.thread_time() - began
    finally:
        gc.unfreeze()


def price(total: int, lanes: int) -> Price:
    """What reading, drawing and describing so many spans costs; the picture is small, and says how many they are."""
    for trace in recorded(total, lanes):
        read = timed(trace.lanes)
        found = trace.lanes()
        assert [len(lane.spans) for lane in found] == [total // lanes] * lanes
        assert not any(lane.dropped for lane in found)
        drawn, said = timed(partial(drawing, found)), timed(partial(described, found))
        picture = drawing(found)
        assert len((picture.svg + picture.legend).encode()) < SIZE
        assert picture.height <= HEIGHT
        counts = re.findall(r"work, (\d+) times", picture.svg)
        assert sum(map(int, counts)) > 0.9 * total, "merged spans are counted"
        assert f"work: {total // lanes} times" in described(found)
        assert len(Timeline(trace)._repr_html_()) < 3 * SIZE
        assert timed(trace.lanes) < read / 10, "what was read is not read again"
    return Price(read, drawn, said)


@pytest.mark.parametrize("lanes", [1, 50])
def test_a_million_spans_take_no_more_than_their_share(lanes: int):
    few, many = price(MANY_SPANS, lanes), price(MILLION, lanes)
    if any(other >= MOST_TIMES * one for one, other in zip(few, many, strict=True)):  # once more, then
        few, many = price(MANY_SPANS, lanes), price(MILLION, lanes)
    for name, one, other in zip(Price._fields, few, many, strict=True):
        assert other < MOST_TIMES * one, f"{name}: {one:.3f} s and {other:.3f} s"


def test_a_lane_that_is_full_says_so_and_the_work_goes_on():
    with Trace(records=1_000) as trace:
        doings.many_spans(trace, MANY_SPANS)
        (full,) = trace.lanes()
        assert (len(full.spans), full.dropped, full.done) == (1_000, MANY_SPANS - 1_000, MANY_SPANS)
        said = "full: 99000 records dropped."
        assert said in figure([full])
        assert "and 99000 records more than there was room for" in Timeline(trace).text


@pytest.mark.parametrize("kind", ["threads", METHODS[0]])
def test_sixty_four_at_once_are_all_named(kind: str):
    names = [f"worker {number}" for number in range(MOST_LANES)]
    with Trace(records=200, text=4_000) as trace:
        context = multiprocessing.get_context(METHODS[0])
        make = threading.Thread if kind == "threads" else context.Process
        all_there = threading.Event() if kind == "threads" else context.Event()
        workers = [make(target=doings.together, args=(trace, all_there), name=name) for name in names]
        for worker in workers:
            worker.start()
        try:
            until(lambda: sum(lane.done for lane in trace.lanes()) == len(names), "all to be at work")
            live = figure(trace.lanes())
        finally:
            all_there.set()
            for worker in workers:
                worker.join(60)
        for html in (live, Timeline(trace)._repr_html_()):
            assert len(html) < 3 * SIZE
            assert all(f">{name}<" in html for name in names)
        picture = drawing(trace.lanes())
        assert len(picture.svg) < SIZE
        assert picture.height <= HEIGHT
        assert ET.fromstring(picture.svg).get("aria-label", "").startswith("Timeline of 64 lanes")  # noqa: S314 (ours)
        assert all(f"{name} (process" in Timeline(trace).text for name in names)


@pytest.mark.parametrize("count", [MANY, MANY + 1, MOST_LANES, MOST_LANES + 1, 500])
def test_a_picture_of_any_number_of_lanes_is_low_enough_and_says_what_it_leaves_out(count: int):
    lanes = [deep(number) for number in range(count)]
    picture = drawing(lanes)
    shown = min(count, MOST_LANES)
    assert picture.height <= HEIGHT
    assert len((picture.svg + picture.legend).encode()) < SIZE
    assert picture.svg.count("<title>process ") == shown
    assert ("only the outermost spans" in picture.legend) == (count > MANY)
    if count > MOST_LANES:
        left = count - MOST_LANES
        words = f"{left} more {'lane is' if left == 1 else 'lanes are'} not shown"
        assert f"{words}: {3 * left:,} items done, {30 * left:,} spans" in picture.legend
        assert words in described(lanes)
        assert f'aria-label="Timeline of {MOST_LANES} of {count} lanes' in picture.svg
    assert len(described(lanes)) < 300_000


def deep(number: int) -> Lane:
    """A lane with spans in spans, that are over."""
    made = lane(
        *(span(n * 10 + d, n * 10 + 9 - d, depth=d) for n in range(10) for d in range(3)), title=f"n {number}"
    )
    made.done, made.opened, made.ended = 3, number, 10**12
    return made


def test_of_too_many_lanes_the_most_telling_are_shown():
    lanes = [deep(number) for number in range(300)]
    lanes[7].ticks = [1, 2]
    lanes[8].notes = [doings.error_note()]
    lanes[9].spans.append(span(500, None))
    lanes[9].ended = 0
    titles = re.findall(r">(n \d+)<", drawing(lanes).svg)
    assert titles == ["n 7", "n 8", "n 9", *(f"n {number}" for number in range(300 - 61, 300))]


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs Linux to count open files")
def test_lanes_of_the_ended_are_not_read_again():
    with Trace(records=10, text=4_000) as trace:
        for number in range(MOST_LANES):
            thread = threading.Thread(target=doings.work, args=(trace, number))
            thread.start()
            thread.join()
        for ended in trace.lanes():
            ended.ended = ended.seen
        before = files()
        lanes = trace.lanes()
        assert files() <= before - MOST_LANES
        assert [lane.done for lane in lanes] == [doings.ITEMS] * MOST_LANES
        seen = [lane.seen for lane in lanes]
        trace.lanes()
        assert all(lane.seen > then for lane, then in zip(lanes, seen, strict=True))


def files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
