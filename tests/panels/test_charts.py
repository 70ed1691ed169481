"""Charts: well formed whatever they are called, true to their numbers, and the same in words."""

import re
from collections.abc import Callable
from math import inf, nan
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest

from helpers.panels.bar_chart import BarChart
from helpers.panels.charts import round_steps, written
from helpers.panels.heat_table import HeatTable
from helpers.panels.line_chart import LineChart
from helpers.panels.theme import COLOURS
from tests.panels.test_drawing import HOSTILE, Shown


def named(words: str) -> dict[str, Any]:
    """One chart of each kind, with all its names and units alike."""
    return {
        "bars": BarChart({words: 2, "other": 1}, unit=words),
        "table": HeatTable({words: {words: 2, "b": 1}, "other": {words: 0, "b": 1}}, unit=words),
        "lines": LineChart({words: {1: 2, 3: 4}, "other": {1: 1}}, x=words, y=words),
    }


KINDS = list(named("a"))


def live(page: str) -> ET.Element:
    (drawn,) = re.findall(r'<div class="pc-live" style="display:none">(<svg.*?</svg>)</div>', page, re.DOTALL)
    return ET.fromstring(drawn)  # noqa: S314 - we wrote it


def stored(page: str) -> ET.Element:
    (address,) = re.findall(r'<img class="pc-stored" alt="[^"]*" src="data:image/svg\+xml,([^"]*)">', page)
    assert not set(address) & set('<>"#&\n\t')
    return ET.fromstring(unquote(address))  # noqa: S314 - we wrote it


def texts(svg: ET.Element) -> list[str]:
    return [text.text or "" for text in svg.iter("text")]


def titles(svg: ET.Element) -> list[str]:
    return [title.text or "" for title in svg.iter("title")]


def widths(chart: BarChart) -> list[float]:
    """Of the bars, without the tracks behind them."""
    rects = live(chart._repr_html_()).iter("rect")
    return [float(rect.get("width")) for rect in rects if rect.get("fill-opacity") is None]


# All charts


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("words", HOSTILE)
def test_whatever_things_are_called_is_shown_as_text(words: str, kind: str):
    chart = named(words)[kind]
    page = chart._repr_html_()
    plain = Shown(named("plain")[kind]._repr_html_())
    assert Shown(page).elements == plain.elements
    page.encode()
    for svg in (live(page), stored(page)):
        assert ET.tostring(svg)
    if words.isascii() and words.isprintable() and 0 < len(words.strip()) < 30:
        assert words in "".join(texts(live(page)))
        assert words in Shown(page).text


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_a_figure_with_a_name_a_stored_twin_and_words(kind: str):
    chart = named("a")[kind]
    page = chart._repr_html_()
    assert re.fullmatch(r'(?s)<figure class="pc-picture">.*</figure>', page)
    svg = live(page)
    assert svg.get("role") == "img"
    assert svg.get("aria-label")
    assert f"<details><summary>The picture in words</summary><pre>{chart.text}</pre></details>" in page
    assert stored(page).find("{http://www.w3.org/2000/svg}rect").get("fill") == "white"
    assert re.fullmatch(r"<\w+>", repr(chart))
    assert repr(chart) == f"<{type(chart).__name__}>" == repr(named("b")[kind])


def test_long_names_are_cut_in_the_picture_and_whole_in_the_words():
    name = "n" * 300
    for chart in named(name).values():
        assert all(len(text) <= 80 for text in texts(live(chart._repr_html_())))
        assert name in chart.text


BAD: dict[str, Callable[[Any], object]] = {
    "bars": lambda number: BarChart({"a": number}),
    "most": lambda number: BarChart({"a": 0}, most=number),
    "table": lambda number: HeatTable({"a": {"b": number}}),
    "x": lambda number: LineChart({"a": {number: 1}}, x="x", y="y"),
    "y": lambda number: LineChart({"a": {1: number}}, x="x", y="y"),
}


@pytest.mark.parametrize("make", BAD.values(), ids=BAD)
@pytest.mark.parametrize("number", [-1, nan, inf])
def test_what_cannot_be_drawn_is_refused(make: Callable[[Any], object], number: float):
    with pytest.raises(ValueError, match=f"must be finite and 0 or more, got {number}"):
        make(number)
    make(0)


# Bars


def test_bars_are_as_long_as_their_numbers():
    none, half, whole = widths(BarChart({"none": 0, "half": 4, "whole": 8}))
    assert none == 0
    assert half == pytest.approx(whole / 2, abs=0.1)
    assert whole > 200


def test_most_is_the_length_of_a_track_behind_every_bar():
    chart = BarChart({"0 ms": 0, "20 ms": 4}, most=8, unit="of 8 runs hung")
    none, half = widths(chart)
    tracks = [r for r in live(chart._repr_html_()).iter("rect") if r.get("fill-opacity")]
    assert [float(track.get("width")) for track in tracks] == [pytest.approx(2 * half, abs=0.2)] * 2
    assert none == 0
    assert chart.text == "0 ms: 0 of 8 runs hung\n20 ms: 4 of 8 runs hung"
    assert texts(live(chart._repr_html_())) == ["0 ms", "0 of 8 runs hung", "20 ms", "4 of 8 runs hung"]
    assert [r for r in live(BarChart({"a": 1})._repr_html_()).iter("rect") if r.get("fill-opacity")] == []


@pytest.mark.parametrize("values", [{"a": 0}, {"a": 0, "b": 0}, {"a": 1e-9}, {"a": 1e12}, {"": 3}])
def test_odd_bars_can_be_drawn(values: dict[str, float]):
    for most in (None, 2e12):
        chart = BarChart(values, most=most)
        assert all(0 <= width <= 640 for width in widths(chart))
        assert "nan" not in chart._repr_html_()


def test_even_the_longest_names_and_units_leave_the_bars_room():
    assert widths(BarChart({"n" * 300: 1}, unit="u" * 300)) > [50]


def test_bars_refuse_nothing_and_too_much():
    with pytest.raises(ValueError, match="at least one bar, got none"):
        BarChart({})
    with pytest.raises(ValueError, match="most must be at least the largest value, 9, got 8"):
        BarChart({"a": 9}, most=8)


# Tables


def test_a_cell_has_its_number_its_tint_and_its_bar():
    table = HeatTable({"code": {"one": 1, "two": 2}, "wait": {"one": 0, "two": 4}}, unit="times")
    svg = live(table._repr_html_())
    assert texts(svg) == ["one", "two", "code", "1 times", "2 times", "wait", "0 times", "4 times"]
    assert titles(svg) == ["code, one: 1 times", "code, two: 2 times", "wait, one: 0 times", "wait, two: 4 times"]
    cells = [list(cell.iter("rect")) for cell in svg.iter("g")]
    shares = [float(bar.get("width")) / float(cell.get("width")) for cell, bar in cells]
    assert shares == pytest.approx([0.25, 0.5, 0, 1], abs=0.01)
    tints = [float(cell.get("fill-opacity")) for cell, _ in cells]
    assert tints[2] < tints[0] < tints[1] < tints[3]
    assert table.text == "code: one 1 times, two 2 times\nwait: one 0 times, two 4 times"


def test_a_table_of_nothing_but_zeros_can_be_drawn():
    assert "nan" not in HeatTable({"a": {"b": 0}})._repr_html_()


@pytest.mark.parametrize("rows", [{}, {"a": {}}])
def test_a_table_needs_a_number(rows: dict[str, dict[str, float]]):
    with pytest.raises(ValueError, match="at least one number, got none"):
        HeatTable(rows)


def test_a_table_has_the_same_columns_in_every_row():
    with pytest.raises(ValueError, match=r"the columns \['x'\], got \['y'\] in 'b'"):
        HeatTable({"a": {"x": 1}, "b": {"y": 1}})


# Lines


def test_points_stand_where_their_numbers_say():
    chart = LineChart({"law": {4: 2, 0: 0, 2: 4}}, x="workers", y="speed")
    (line,) = live(chart._repr_html_()).iter("polyline")
    first, top, last = [tuple(map(float, point.split(","))) for point in line.get("points").split()]
    assert top[0] == pytest.approx((first[0] + last[0]) / 2)
    assert last[1] == pytest.approx((first[1] + top[1]) / 2)
    assert first[0] < last[0]
    assert top[1] < first[1]
    assert chart.text == "law, speed by workers: 0: 0, 2: 4, 4: 2"
    assert "law, 2: 4" in titles(live(chart._repr_html_()))


def test_lines_differ_by_more_than_colour():
    lines = {f"line {n}": {1: n, 2: n} for n in range(len(COLOURS))}
    svg = live(LineChart(lines, x="x", y="y")._repr_html_())
    drawn = list(svg.iter("polyline"))
    for kind in ("stroke", "stroke-dasharray"):
        assert len({line.get(kind) for line in drawn}) == len(lines)
    signs = [text for text in texts(svg) if len(text) == 1 and not text.isalnum()]
    assert {signs.count(sign) for sign in signs} == {3}  # two points and the legend
    assert len(set(signs)) == len(lines)
    assert set(lines) <= set(texts(svg))


def test_the_axis_names_the_points_as_far_as_there_is_room():
    few = texts(live(LineChart({"a": {1: 0, 3: 7}, "b": {2: 0, 4: 7}}, x="x", y="y")._repr_html_()))
    assert few[:4] == ["1", "2", "3", "4"]
    many = texts(live(LineChart({"a": dict.fromkeys(range(100), 7)}, x="x", y="y")._repr_html_()))
    assert many[0] == "0"
    assert 5 <= sum(text.isdigit() and int(text) > 7 for text in many) <= 12


@pytest.mark.parametrize("points", [{0: 0}, {1: 1e-6}, {1e6: 3, 2: 5}])
def test_odd_lines_can_be_drawn(points: dict[float, float]):
    page = LineChart({"a": points}, x="x", y="y")._repr_html_()
    assert "nan" not in page
    assert len(texts(live(page))) < 30


def test_lines_refuse_none_too_many_and_empty_ones():
    for lines in ({}, {"a": {}}, {f"{n}": {1: 1} for n in range(6)}):
        with pytest.raises(ValueError, match="lines must be 1 to 5, each of at least one point, got "):
            LineChart(lines, x="x", y="y")


# Numbers


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "0 s"), (8, "8 s"), (1.94, "1.9 s"), (0.0234, "0.023 s"), (12345.6, "12,346 s"), (3 * 0.1, "0.3 s")],
)
def test_numbers_are_written_for_people(number: float, words: str):
    assert written(number, "s") == words
    assert written(number) == words.removesuffix(" s")


@pytest.mark.parametrize("most", [1e-6, 0.07, 1, 1.9, 8, 10, 99, 12_345, 1e9])
@pytest.mark.parametrize("count", [2, 6, 10])
def test_an_axis_has_a_few_round_steps(most: float, count: int):
    steps = round_steps(most, count)
    assert steps[0] == 0
    assert 1 <= len(steps) - 1 <= count
    assert steps[-1] <= most * (1 + 1e-9)
    assert f"{steps[1]:.6e}"[0] in "125"
