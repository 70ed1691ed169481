"""The picture of a trace: small, well formed whatever was said, and with the same facts in words."""

import re
import time
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest

from helpers.observe.lane import Kind
from helpers.observe.reading import Lane, Note
from helpers.observe.trace import Trace
from helpers.panels.drawing import drawing
from helpers.panels.theme import COLOURS, STYLE
from helpers.panels.timeline import Timeline, figure
from helpers.panels.words import described, freezes, said, seconds
from tests.panels.made import MS, hold, lane, span

MANY = 100_000
LIMIT = 200_000  # bytes of a drawing
HOSTILE = [
    "<script>alert(1)</script>",
    "</svg></title><img src=x onerror=alert(1)>",
    "a & b &amp; \"quoted\" 'twice' <!-- --> ]]>",
    "bell \x07 nul \x00 escape \x1b[31mred\x1b[0m \x7f \x85 \x9b",
    "not a character \ufffe \uffff half \ud800 a pair",
    "🦊 عربي \u202eright to left\u202c e\u0301",
    "two\nlines\tand a tab\r\n",
    "long " + "x" * 10_000,
    "",
    " ",
]


class Shown(HTMLParser):
    """What a browser would show of some HTML: its elements, and its text, style left out."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not any(name.startswith("on") for name, _ in attrs)
        self.elements.append(tag)

    def handle_data(self, data: str) -> None:
        if self.elements[-1] != "style":
            self.text += data


class Recorded:
    """A trace of lanes made by hand."""

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self._lanes = list(lanes)

    def lanes(self) -> list[Lane]:
        return self._lanes

    def trouble(self) -> str:
        return ""


def html(lanes: Sequence[Lane]) -> str:
    return Timeline(Recorded(lanes))._repr_html_()


def parsed(lanes: Sequence[Lane]) -> ET.Element:
    return ET.fromstring(drawing(lanes).svg)  # noqa: S314 - we wrote it


def stored(page: str) -> ET.Element:
    """The picture for viewers that take SVG out."""
    (address,) = re.findall(r'<img class="pc-stored" alt="Timeline" src="data:image/svg\+xml,([^"]*)">', page)
    assert not set(address) & set('<>"#&\n\t')
    return ET.fromstring(unquote(address))  # noqa: S314 - we wrote it


def titles(svg: ET.Element) -> list[str]:
    return ["".join(title.itertext()) for title in svg.iter("title")]


def texts(svg: ET.Element) -> list[str]:
    return [text.text or "" for text in svg.iter("text")]


def uniform(count: int, depths: int = 1, gap: float = 0.01, width: float = 0.08) -> Lane:
    step = gap + width
    spans = [
        span(n * step + d * 0.001, n * step + width - d * 0.001, f"level {d}", cpu=width / 2, depth=d)
        for n in range(count // depths)
        for d in range(depths)
    ]
    return lane(*spans)


def mixed(count: int) -> Lane:
    """Spans from far too narrow to wide, far apart and close together, no two names in a row alike."""
    spans, at = [], 0.0
    for n in range(count):
        width = 10.0 ** (n * 7919 % 97 / 24 - 3)
        spans.append(span(at, at + width, f"kind {n % 7}", cpu=width * (n % 11) / 10))
        at += width + 10.0 ** (n * 104_729 % 89 / 30 - 3)
    return lane(*spans)


SHAPES = {
    "one lane": lambda: [uniform(MANY)],
    "three deep": lambda: [uniform(MANY, depths=3)],
    "mixed": lambda: [mixed(MANY)],
    "eight lanes": lambda: [mixed(MANY // 8) for _ in range(8)],
    "64 lanes": lambda: [mixed(MANY // 64) for _ in range(64)],
    "64 lanes of wide spans": lambda: [uniform(50, width=10) for _ in range(64)],
    "64 lanes three deep": lambda: [uniform(150, depths=3, width=10) for _ in range(64)],
    "one lane of wide spans": lambda: [uniform(1440, depths=3, width=10)],
    "64 talkative lanes": lambda: [lane(span(0, 9), notes=[Note("said " * 20, MS, error=False)] * 500)] * 64,
    "wide and narrow in turn": lambda: [
        lane(*(s for n in range(450) for s in (span(n * 20, n * 20 + 18), span(n * 20 + 18.5, n * 20 + 18.6))))
    ],
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_however_much_was_recorded_a_drawing_stays_small(shape: Callable[[], list[Lane]]):
    lanes = shape()
    picture = drawing(lanes)
    assert len((picture.svg + picture.legend).encode()) < LIMIT
    assert picture.svg.count("<rect") <= 2 * 800
    assert picture.svg.count("<g ") >= len(lanes)
    assert len(html(lanes).encode()) < 4 * LIMIT


def fastest(action: Callable[[], object], times: int = 3) -> float:
    took = []
    for _ in range(times):
        began = time.process_time()
        action()
        took.append(time.process_time() - began)
    return min(took)


def test_drawing_many_spans_costs_no_more_than_a_few_plain_loops_over_them():
    lanes = [uniform(MANY)]
    plain = fastest(lambda: [(s.name, s.start, s.end, (s.end or 0) - s.start, s.depth) for s in lanes[0].spans])
    assert fastest(lambda: drawing(lanes)) < 20 * plain


def test_few_spans_are_all_drawn_in_their_places():
    svg = parsed([lane(span(0, 50, "first", cpu=50), span(50, 100, "second", cpu=0))])
    first, second = svg.iter("g")
    outline, filled = first.iter("rect")
    assert (outline.get("x"), outline.get("width")) == ("0.00%", "50.00%")
    assert (filled.get("y"), filled.get("height")) == (outline.get("y"), "20")
    (empty,) = second.iter("rect")
    assert (empty.get("x"), empty.get("width")) == ("50.00%", "50.00%")
    assert first.get("fill") != second.get("fill")


def test_the_filled_part_is_the_share_that_was_running():
    (bar,) = parsed([lane(span(0, 100, cpu=25))]).iter("g")
    outline, filled = bar.iter("rect")
    assert float(filled.get("height")) == pytest.approx(0.25 * float(outline.get("height")))
    top, bottom = float(filled.get("y")), float(outline.get("y")) + float(outline.get("height"))
    assert top + float(filled.get("height")) == pytest.approx(bottom)


def test_it_has_an_accessible_name_and_hover_words():
    svg = parsed([lane(span(0, 2000, "computing", cpu=500), title="main"), lane(span(0, 30, "reading"))])
    assert (svg.get("role"), svg.get("aria-label")) == ("img", "Timeline of 2 lanes over 2.0 s")
    assert "computing 2.0 s, on a core for 25% of it" in titles(svg)
    assert "reading 30 ms, on a core for 0% of it" in titles(svg)
    assert "process 4321" in titles(svg)
    assert {"main", "worker", "running 25% of its time"} <= set(texts(svg))


def test_merged_spans_say_how_many_they_are():
    svg = parsed([lane(*(span(n, n + 0.5, "step", cpu=0.25) for n in range(1000)))])
    assert any(title.startswith("step, 1000 times, 500 ms, on a core for 50%") for title in titles(svg))


@pytest.mark.parametrize("words", HOSTILE)
def test_whatever_was_said_is_shown_as_text(words: str):
    lanes = [
        lane(
            span(0, 100, words, cpu=5),
            span(100, 200, "other"),
            title=words,
            notes=[Note(words, MS, error=False), Note(words, 2 * MS, error=True)],
        )
    ]
    page = html(lanes)
    plain = Shown(html([lane(span(0, 9), span(9, 18, "other"), notes=[Note("a", 1, error=True)])]))
    assert set(Shown(page).elements) <= set(plain.elements) | {"text", "title"}
    for svg in (parsed(lanes), stored(page)):
        assert ET.tostring(svg)
    page.encode()
    figure(lanes).encode()
    if words.isascii() and words.isprintable() and len(words) < 80:
        svg = parsed(lanes)
        assert words in texts(svg)
        assert any(title.startswith(f"{words} 100 ms") for title in titles(svg))
        assert titles(svg).count(words) == 2
        assert words in Shown(page).text


def test_control_characters_are_shown_as_their_pictures():
    svg = parsed([lane(span(0, 1), notes=[Note("red \x1b[31m nul \x00 end", 5, error=False)])])
    assert "red ␛[31m nul ␀ end" in titles(svg)
    assert "␛[31m nul ␀" in Shown(html([lane(notes=[Note("\x1b[31m nul \x00", 5, error=False)])])).text


def test_hostile_words_survive_the_way_through_a_real_trace():
    with Trace() as trace:
        for words in HOSTILE:
            with trace.span(words):
                trace.note(words)
        page = Timeline(trace)._repr_html_()
    assert "script" not in Shown(page).elements
    assert stored(page) is not None


def test_long_words_are_cut_in_the_picture_and_whole_in_the_text():
    name = "n" * 300
    lanes = [lane(span(0, 9, name), title="t" * 300)]
    assert name not in drawing(lanes).svg + drawing(lanes).legend
    assert "t" * 300 not in drawing(lanes).svg
    assert "n" * 70 in drawing(lanes).svg
    assert name in described(lanes)


def test_an_empty_trace_says_so():
    with Trace() as trace:
        timeline = Timeline(trace)
        assert "Nothing has been recorded yet." in Shown(timeline._repr_html_()).text
        assert timeline.text == "Nothing has been recorded yet."
        assert stored(timeline._repr_html_()) is not None
    assert parsed([]).tag == "svg"


@pytest.mark.parametrize(
    "only", [lane(), lane(span(0, 0)), lane(notes=[Note("once", 0, error=False)]), lane(ticks=[0])]
)
def test_a_trace_of_one_instant_can_be_drawn(only: Lane):
    svg = parsed([only])
    assert "worker" in texts(svg)
    assert "nan" not in drawing([only]).svg
    assert Shown(html([only])).text


@pytest.mark.parametrize("length", [0.001, 1, 77, 5_000, 90_000, 86_400_000])
def test_the_axis_has_a_few_labels_at_any_length(length: float):
    labels = [text for text in texts(parsed([lane(span(0, length))])) if re.fullmatch(r"[\d.e+-]+ m?s", text)]
    assert labels[0] in {"0 ms", "0 s"}
    assert 2 <= len(labels) <= 9
    assert len(set(labels)) == len(labels)


def test_a_full_lane_says_how_many_records_it_dropped():
    with Trace(records=5) as trace:
        for _ in range(12):
            with trace.span("step"):
                pass
        assert "full: 7 records dropped." in Shown(Timeline(trace)._repr_html_()).text
        assert "7 records more than there was room for" in Timeline(trace).text


def test_an_open_span_is_dashed_and_explained():
    lanes = [lane(span(0, 50, "closed"), span(50, None, "open"), seen=200)]
    closed, left = parsed(lanes).iter("g")
    assert all(rect.get("stroke-dasharray") is None for rect in closed.iter("rect"))
    (outline,) = left.iter("rect")
    assert outline.get("stroke-dasharray")
    assert "open: 150 ms so far, still open" in titles(parsed(lanes))
    assert "dashed" in drawing(lanes).legend
    assert "dashed" not in drawing([lane(span(0, 50))]).legend


def test_the_open_span_of_an_ended_worker_ends_with_it():
    killed = lane(span(0, None, "killed in this"), title="killed", seen=100)
    killed.ended = 40 * MS
    lanes = [killed, lane(span(0, 100), title="other")]
    (outline,) = (rect for rect in parsed(lanes).iter("rect") if rect.get("stroke-dasharray"))
    assert (outline.get("x"), outline.get("width")) == ("0.00%", "40.00%")
    assert "killed in this: 40 ms so far, still open" in titles(parsed(lanes))


def test_freezes_stand_in_the_heartbeat_lane_and_in_words():
    beats = [*range(0, 1000, 20), *range(3000, 4000, 20)]
    lanes = [lane(ticks=beats, title="the interface")]
    (box,) = (r for r in parsed(lanes).iter("rect") if r.get("stroke-dasharray"))
    assert float(box.get("x").rstrip("%")) == pytest.approx(100 * 980 / 3980, abs=0.01)
    assert "frozen for 2.0 s" in titles(parsed(lanes))
    assert "frozen from 0.98 s for 2.0 s" in described(lanes)
    assert f"{len(beats)} heartbeats, 1 noticeable pauses" in described(lanes)


def test_a_steady_heartbeat_has_no_freeze_and_a_bounded_number_of_lines():
    steady = lane(ticks=range(0, 600_000, 20))
    assert freezes(steady.ticks) == []
    assert 100 < drawing([steady]).svg.count("<rect") <= 251
    assert "frozen" not in html([steady])


def test_notes_and_errors_have_signs_and_the_first_and_last_of_many_are_kept():
    notes = [Note(f"note {n}", n * MS, error=False) for n in range(5000)]
    lanes = [lane(span(0, 6000), notes=[*notes, Note("ValueError: at last", 5500 * MS, error=True)])]
    svg = parsed(lanes)
    assert {"note 0", "ValueError: at last"} <= set(titles(svg))
    assert texts(svg).count("✕") == 1
    assert 10 < texts(svg).count("▾") <= 200
    assert "▾ words, ✕ an error" in drawing(lanes).legend


def test_the_text_says_what_the_picture_shows():
    lanes = [
        lane(
            span(0, 2000, "outer", cpu=1000),
            span(500, 1000, "inner", cpu=500, depth=1),
            span(2000, None, "left open"),
            notes=[Note("hello", 600 * MS, error=False), Note("KeyError: 'x'", 700 * MS, error=True)],
            dropped=3,
        ),
        lane(span(0, 9), title="second"),
    ]
    lanes[0].done, lanes[0].expected = 30, 100
    assert described(lanes).split("\n\n")[0].splitlines() == [
        "worker (process 4321)",
        "  outer from 0.00 s for 2.0 s, running 50% of it",
        "    inner from 0.50 s for 500 ms, running 100% of it",
        "  left open from 2.00 s, still open",
        "  30 items done of 100",
        "  0.60 s hello",
        "  0.70 s failed: KeyError: 'x'",
        "  and 3 records more than there was room for",
    ]
    assert described(lanes).split("\n\n")[1].startswith("second (process 4321)")


def test_the_text_counts_many_spans_and_keeps_shares_and_open_ones():
    spans = [span(n, n + 0.5, "read", cpu=0.1) for n in range(60)] + [
        span(100 + n, 101 + n, "parse") for n in range(9)
    ]
    text = described([lane(*spans, span(200, None, "stuck"), seen=300)])
    assert "  read: 60 times, 30 ms in all, running 20% of it" in text.splitlines()
    assert "  parse: 9 times, 9.0 ms in all, running 0% of it" in text.splitlines()
    assert "  stuck from 0.20 s, still open" in text.splitlines()


def test_the_text_of_many_names_and_notes_is_cut_and_says_so():
    text = described([lane(*(span(n, n + 1, f"name {n}") for n in range(500)))])
    assert "… 460 more names …" in text
    assert len(text.splitlines()) < 50
    notes = [Note(f"note {n}", n, error=False) for n in range(500)]
    assert "… 460 more …" in described([lane(notes=notes)])
    assert said([lane(notes=notes)]).splitlines()[-1] == "… and 488 more"


def test_what_was_said_is_in_order_across_lanes():
    first = lane(title="a", notes=[Note("one", 10 * MS, error=False), Note("three", 30 * MS, error=False)])
    second = lane(title="b", notes=[Note("two", 20 * MS, error=True)])
    assert said([first, second]) == "0.01 s  a: one\n0.02 s  b: two\n0.03 s  a: three"
    assert said([lane()]) == ""


@pytest.mark.parametrize(
    ("nanoseconds", "words"),
    [(0, "0.0 ms"), (400_000, "0.4 ms"), (35 * MS, "35 ms"), (2_000 * MS, "2.0 s"), (90_000 * MS, "90.0 s")],
)
def test_durations_are_for_people(nanoseconds: int, words: str):
    assert seconds(nanoseconds) == words


WITH_A_NOTE = lane(span(0, 100, "work & <play>", cpu=50), notes=[Note("# 100 % of <it>", MS, error=False)])


def test_a_stored_picture_needs_nothing_around_it():
    svg = stored(html([WITH_A_NOTE]))
    space = "{http://www.w3.org/2000/svg}"
    assert svg.tag == f"{space}svg"
    assert svg.find(f"{space}style") is not None
    assert svg.find(f"{space}rect").get("fill") == "white"
    assert [text.text for text in svg.iter(f"{space}text")] == texts(parsed([WITH_A_NOTE]))
    assert list(svg.iter(f"{space}title")) == []  # no mouse comes near them in an image


def test_only_one_of_the_two_pictures_is_seen():
    """Where style is taken out, the inline style hides the live one; where it is not, the style sheet swaps them."""
    page = html([lane(span(0, 100))])
    assert page.count('<div class="pc-live" style="display:none"><svg') == 1
    assert ".pc-live { display: block !important; }" in STYLE
    assert ".pc-stored { display: none; }" in STYLE
    assert STYLE in page


def test_a_timeline_has_a_text_that_is_the_same_in_every_run():
    with Trace() as trace:
        timeline = Timeline(trace)
        before = repr(timeline)
        trace.note("something")
    assert before == repr(timeline) == "<Timeline>"
    assert "something" in timeline.text


def test_a_timeline_shows_what_the_trace_holds_when_it_is_shown():
    with Trace() as trace:
        timeline = Timeline(trace)
        lane_writer = trace.extra_lane("late")
        lane_writer.mark(Kind.NOTE, "said late")
        assert "said late" in timeline._repr_html_()
    assert "said late" in timeline._repr_html_()


def test_a_thread_that_has_only_said_how_much_there_is_to_do_has_no_lane():
    with Trace() as trace:
        trace.expect(3)
        writer = trace.extra_lane("the worker")
        writer.mark(Kind.NOTE, "at work")
        shown = Timeline(trace)
        assert "the worker" in shown.text
        assert "main thread" not in shown.text + shown._repr_html_() + figure(trace.lanes())
        trace.note("a word")
        assert "main thread" in shown.text
    assert "main thread" in figure(trace.lanes())


@pytest.mark.parametrize(
    "told",
    [
        lane(span(0, 1)),
        lane(notes=[Note("a word", MS, error=False)]),
        lane(ticks=[1]),
        lane(held=[hold("lock", 0, 5)]),
        lane(holding=[hold("lock", 0, None)]),
        lane(),
    ],
)
def test_a_lane_that_shows_anything_else_is_kept(told: Lane):
    told.expected = 3 if told.spans or told.notes or told.ticks or told.held or told.holding else 0
    assert "worker" in figure([told])


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("paper", ["#ffffff", "#111111"])
@pytest.mark.parametrize("colour", COLOURS)
def test_colours_stand_out_on_light_and_dark_paper(colour: str, paper: str):
    dark, light = sorted((luminance(colour), luminance(paper)))
    assert (light + 0.05) / (dark + 0.05) >= 3.0
