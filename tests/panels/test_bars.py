"""Narrow spans are merged, nothing is lost, and what is wide or open stays as it is."""

import random
from itertools import pairwise

import pytest

from helpers.observe.reading import Span
from helpers.panels.bars import SEVERAL, Bar, bars

PIXEL = 100.0


def closed(start: int, end: int, name: str = "work", *, cpu: int = 0, depth: int = 0) -> Span:
    return Span(name, start, end, cpu, depth)


def shape(drawn: list[Bar]) -> list[tuple[int, int, int]]:
    return [(bar.start, bar.end, bar.count) for bar in drawn]


def test_narrow_spans_that_follow_each_other_become_one_bar():
    (bar,) = bars([closed(n * 50, n * 50 + 20, cpu=10) for n in range(40)], 2000, PIXEL, 3)
    assert (bar.name, bar.start, bar.end, bar.count) == ("work", 0, 1970, 40)
    assert (bar.covered, bar.cpu, bar.running) == (800, 400, 0.5)


def test_narrow_spans_far_apart_stay_alone():
    spans = [closed(n * 1000, n * 1000 + 20) for n in range(5)]
    assert shape(bars(spans, 9999, PIXEL, 3)) == [(n * 1000, n * 1000 + 20, 1) for n in range(5)]


def test_wide_spans_stay_alone_and_take_in_no_narrow_ones():
    spans = [closed(0, 100), closed(100, 200), closed(200, 210), closed(210, 310), closed(310, 320)]
    assert shape(bars(spans, 999, PIXEL, 3)) == [(s.start, s.end, 1) for s in spans]


def test_a_run_that_has_grown_wide_still_takes_in_narrow_ones():
    assert shape(bars([closed(n * 90, n * 90 + 80) for n in range(10)], 999, PIXEL, 3)) == [(0, 890, 10)]


def test_a_span_that_is_a_pixel_wide_is_wide():
    assert len(bars([closed(0, 100), closed(100, 200)], 999, PIXEL, 3)) == 2
    assert len(bars([closed(0, 99), closed(99, 198)], 999, PIXEL, 3)) == 1


@pytest.mark.parametrize("around", [0, 40])
def test_an_open_span_is_never_merged(around: int):
    spans = [closed(around, around + 20), Span("open", around + 30, None, None, 0), closed(around + 35, around + 37)]
    drawn = bars(spans, around + 60, PIXEL, 3)
    (left,) = (bar for bar in drawn if bar.name == "open")
    assert (left.start, left.end, left.cpu, left.running, left.count) == (around + 30, around + 60, None, None, 1)
    assert sum(bar.count for bar in drawn) == 3


def test_an_open_span_ends_now():
    (bar,) = bars([Span("open", 300, None, None, 0)], 1234, PIXEL, 3)
    assert (bar.start, bar.end, bar.covered) == (300, 1234, 934)


def test_different_names_become_several_and_like_ones_keep_theirs():
    spans = [closed(0, 10, "read"), closed(10, 20, "parse"), closed(20, 30, "read")]
    assert [bar.name for bar in bars(spans, 99, PIXEL, 3)] == [SEVERAL]
    assert [bar.name for bar in bars(spans[::2], 99, PIXEL, 3)] == ["read"]


def test_each_depth_is_merged_for_itself_down_to_the_last_row():
    places = [(40 * n, depth) for n in range(9) for depth in range(5)]
    spans = [closed(at + depth, at + 39 - depth, str(depth), depth=depth) for at, depth in places]
    drawn = bars(spans, 999, PIXEL, 3)
    assert [(bar.depth, bar.name, bar.count) for bar in drawn] == [(0, "0", 9), (1, "1", 9), (2, "2", 9)]


def test_a_span_without_length_was_not_running():
    (bar,) = bars([closed(5, 5, cpu=0)], 99, PIXEL, 3)
    assert bar.running == 0.0


def test_a_core_cannot_run_more_than_all_the_time():
    (bar,) = bars([closed(0, 500, cpu=510)], 999, PIXEL, 3)  # the two clocks are read one after the other
    assert bar.running == 1.0


def test_no_spans_no_bars():
    assert bars([], 0, PIXEL, 3) == []


@pytest.mark.parametrize("seed", range(20))
def test_merging_loses_nothing_and_bounds_what_is_drawn(seed: int):
    chance = random.Random(seed)  # noqa: S311 - no secrets here
    spans, at = [], 0
    for _ in range(3000):
        length = int(chance.paretovariate(0.8) * 10)
        spans.append(closed(at, at + length, chance.choice("abc"), cpu=chance.randint(0, length)))
        at += length + int(chance.paretovariate(0.8) * 10)
    pixel = at / 200
    drawn = bars(spans, at, pixel, 1)
    assert sum(bar.count for bar in drawn) == len(spans)
    assert sum(bar.covered for bar in drawn) == sum(s.end - s.start for s in spans)
    assert sum(bar.cpu for bar in drawn) == sum(s.cpu for s in spans)
    assert (drawn[0].start, max(bar.end for bar in drawn)) == (0, spans[-1].end)
    assert all(a.end <= b.start for a, b in pairwise(drawn))
    assert len(drawn) <= 2 * 200 + 1, "a bar and the gap or bar after it take a pixel at least"
