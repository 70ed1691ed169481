"""The named locks that a lane held: in the picture, in words, and within the same bounds as everything else."""

from xml.etree import ElementTree as ET

import pytest

from helpers.observe.reading import Lane
from helpers.panels.drawing import drawing
from helpers.panels.strips import MOST_ROWS, strips
from helpers.panels.timeline import figure
from helpers.panels.words import described
from tests.panels.made import MS, hold, lane, span
from tests.panels.test_drawing import HOSTILE, LIMIT, parsed, texts, titles


def pills(svg: ET.Element) -> list[ET.Element]:
    return [rect for rect in svg.iter("rect") if rect.get("rx")]


def test_holds_stand_below_the_bars_in_their_places():
    svg = parsed([lane(span(0, 100), held=[hold("lock_x", 0, 50), hold("lock_y", 50, 100)])])
    (bar,) = (group for group in svg.iter("g") if titles(group)[0].startswith("work 100 ms"))
    first, second = pills(svg)
    assert (first.get("x"), first.get("width")) == ("0.00%", "50.00%")
    assert (second.get("x"), second.get("width")) == ("50.00%", "50.00%")
    bottom = max(float(rect.get("y")) + float(rect.get("height")) for rect in bar.iter("rect"))
    assert bottom < float(first.get("y")) < float(second.get("y"))
    assert {"holds lock_x for 50 ms", "holds lock_y for 50 ms"} <= set(titles(svg))
    assert {"holds lock_x", "holds lock_y"} <= set(texts(svg))
    assert "padlock" in drawing([lane(held=[hold("lock_x", 0, 50)])]).legend


def test_lanes_do_not_lie_on_each_others_strips():
    lanes = [lane(span(0, 100), held=[hold(f"lock {n}", n, 90) for n in range(4)], title=name) for name in "ab"]
    svg = parsed(lanes)
    (title,) = (text for text in svg.iter("text") if text.text == "b")
    assert max(float(pill.get("y")) for pill in pills(svg)[:4]) + 11 < float(title.get("y")) - 10
    assert float(svg.get("height")) > max(float(pill.get("y")) for pill in pills(svg)) + 20


def test_a_hold_that_goes_on_is_dashed_and_lasts_until_now():
    lanes = [lane(span(0, 10), holding=[hold("lock_x", 100, None)], seen=200)]
    (pill,) = pills(parsed(lanes))
    assert (pill.get("x"), pill.get("width")) == ("50.00%", "50.00%")
    assert pill.get("stroke-dasharray")
    assert "holds lock_x for 100 ms so far" in titles(parsed(lanes))
    lanes[0].ended = 150 * MS
    lanes.append(lane(span(0, 200)))
    (pill,) = pills(parsed(lanes))
    assert (pill.get("x"), pill.get("width")) == ("50.00%", "25.00%")


def test_short_holds_in_a_row_are_merged_and_counted():
    svg = parsed([lane(span(0, 10_000), held=[hold("lock_x", n * 2, n * 2 + 1) for n in range(5000)])])
    assert 1 <= len(pills(svg)) <= 400
    assert any("holds lock_x, 5000 times, for 5.0 s" in title for title in titles(svg))


def test_of_many_locks_the_last_share_a_row():
    (one,) = [lane(held=[hold(f"lock {n}", n, n + 10) for n in range(9)])]
    rows = strips(one, 100 * MS, 1.0)
    assert [row.name for row in rows] == ["lock 0", "lock 1", "lock 2", "6 more locks"]
    assert len(rows) == MOST_ROWS
    shared = rows[-1].bars
    assert (shared[0].start, shared[-1].end) == (3 * MS, 18 * MS)
    assert sum(bar.covered for bar in shared) == 15 * MS, "what overlaps counts once"


@pytest.mark.parametrize("start", [0, 40, 96])
def test_each_row_says_its_lock_once_however_narrow_it_is(start: float):
    svg = parsed([lane(span(0, 100), held=[hold("a lock with a long name", start, start + 2)])])
    assert texts(svg).count("holds a lock with a long name") == 1


SHAPES = {
    "one lane": [
        lane(*(span(n, n + 0.9) for n in range(1000)), held=[hold(f"l{n % 7}", n, n + 1) for n in range(9000)])
    ],
    "wide": [lane(span(0, 9000), held=[hold(f"l{n % 4}", n * 20, n * 20 + 18) for n in range(450)])],
    "64 lanes": [
        lane(span(0, 9), held=[hold(f"l{n % 4}", n * 20, n * 20 + 18) for n in range(450)]) for _ in range(64)
    ],
    "64 lanes of two holds": [lane(span(0, 9), held=[hold("one", 0, 400), hold("two", 500, 900)]) for _ in range(64)],
}


@pytest.mark.parametrize("lanes", SHAPES.values(), ids=SHAPES)
def test_however_much_was_held_a_drawing_stays_small(lanes: list[Lane]):
    picture = drawing(lanes)
    assert len((picture.svg + picture.legend).encode()) < LIMIT
    assert "<rect" in picture.svg


@pytest.mark.parametrize("words", HOSTILE)
def test_whatever_a_lock_is_called_is_shown_as_text(words: str):
    lanes = [lane(span(0, 9), held=[hold(words, 0, 5)], holding=[hold(words, 6, None)])]
    assert ET.tostring(parsed(lanes))
    figure(lanes).encode()
    described(lanes)


def test_the_text_says_what_was_held_and_is_held():
    lanes = [lane(span(0, 3000, cpu=0), held=[hold("lock_x", 0, 2000)], holding=[hold("lock_y", 2500, None)])]
    assert described(lanes).splitlines() == [
        "worker (process 4321)",
        "  work from 0.00 s for 3.0 s, running 0% of it",
        "  holds lock_x from 0.00 s for 2.0 s",
        "  holds lock_y from 2.50 s, still",
    ]
    many = described([lane(held=[hold("lock_x", n * 10, n * 10 + 5) for n in range(60)])])
    assert many.splitlines()[1:] == ["  holds lock_x 60 times, 300 ms in all"]
