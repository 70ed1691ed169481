"""The graph of waits: all is in it once, a circle is told without colour, and whatever it is called is text."""

import re
from collections.abc import Sequence
from itertools import combinations
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest

from helpers.observe.trace import Trace
from helpers.observe.waits import Hold, Wait, Waits
from helpers.panels.graph import graph, picture
from helpers.panels.graph_layout import laid_out
from helpers.panels.graph_parts import MOST_WORKERS, parts
from helpers.panels.graph_shapes import size
from helpers.panels.theme import DRAWN_STYLE, FAINT_INK, GRAPH_STYLE, INK, LETTERS, PAPER
from helpers.panels.wait_graph import WaitGraph
from tests.panels.test_drawing import HOSTILE, Shown, texts, titles

TWO = Waits(
    (Hold("f1", "lock_x"), Hold("f2", "lock_y")),
    (Wait("f1", "lock_y"), Wait("f2", "lock_x")),
)


def circle(count: int) -> Waits:
    """So many workers in a circle."""
    return Waits(
        tuple(Hold(f"f{n}", f"lock_{n}") for n in range(count)),
        tuple(Wait(f"f{n}", f"lock_{(n + 1) % count}") for n in range(count)),
    )


def chain(count: int) -> Waits:
    """So many workers, each of whom waits for the next."""
    return Waits(
        tuple(Hold(f"f{n}", f"lock_{n}") for n in range(1, count)),
        tuple(Wait(f"f{n}", f"lock_{n + 1}") for n in range(count - 1)),
    )


CASES = {
    "two": TWO,
    "itself": circle(1),
    "three": circle(3),
    "twelve": circle(12),
    "chain": chain(4),
    "long chain": chain(10),
    "circle and others": Waits(
        (*TWO.holds, Hold("f1", "log"), Hold("f3", "cache")),
        (*TWO.waits, Wait("f3", "log"), Wait("f4", "cache"), Wait("f5", "cache"), Wait("f6", "lock_y")),
    ),
    "two circles": Waits((*TWO.holds, Hold("a", "p"), Hold("b", "q")), (*TWO.waits, Wait("a", "q"), Wait("b", "p"))),
    "semaphore": Waits(
        tuple(Hold(f"f{n}", "slots") for n in range(3)), tuple(Wait(f"g{n}", "slots") for n in range(3))
    ),
    "its own permit": Waits((Hold("f1", "slots"),), (Wait("f1", "slots"),), open=frozenset({"slots"})),
    "nobody holds it": Waits((), (Wait("f1", "ready"), Wait("f2", "ready"))),
    "same names": Waits((Hold("log", "log"),), (Wait("other", "log"),)),
    "nobody waits": Waits(TWO.holds),
}
every_case = pytest.mark.parametrize("waits", CASES.values(), ids=CASES)


def parsed(waits: Waits) -> ET.Element:
    return ET.fromstring(picture(waits).svg)  # noqa: S314 - we wrote it


def looks(svg: ET.Element, *classes: str) -> list[ET.Element]:
    return [each for each in svg.iter("g") if set(classes) <= set((each.get("class") or "").split())]


@every_case
def test_each_worker_lock_hold_and_wait_is_drawn_once(waits: Waits):
    svg = parsed(waits)
    workers = {each.worker for each in (*waits.holds, *waits.waits)}
    locks = {each.lock for each in (*waits.holds, *waits.waits)}
    assert sorted(titles(svg)) == sorted([*workers, *locks])
    assert len(looks(svg, "pc-worker")) == len(workers)
    assert len(looks(svg, "pc-lock")) == len(locks)
    assert len(looks(svg, "pc-holds")) == len(waits.holds)
    assert len(looks(svg, "pc-waits")) == len(waits.waits)


@every_case
def test_its_name_is_all_of_it_in_words_and_the_words_stand_below(waits: Waits):
    svg = parsed(waits)
    assert (svg.get("role"), svg.get("aria-label")) == ("img", waits.words)
    assert Shown(graph(waits)).text.count(waits.words) == 1


@every_case
def test_nothing_lies_on_anything_else_or_outside(waits: Waits):
    for part in parts(waits):
        boxes = list(laid_out(part, lambda thing: size(thing, "")).boxes.values())
        assert len(boxes) == len(part.things)
        for a, b in combinations(boxes, 2):
            apart = abs(a.x - b.x) - (a.width + b.width) / 2, abs(a.y - b.y) - (a.height + b.height) / 2
            assert max(apart) > 10, (a, b)
    wide, high = map(float, parsed(waits).get("viewBox", "").split()[2:])
    for move in re.findall(r'<g[^>]*transform="translate\(([\d. ]+)\)"', picture(waits).svg):
        x, y = map(float, move.split())
        assert 0 < x < wide
        assert 0 < y < high


@pytest.mark.parametrize(("count", "reason"), [(1, "it waits for itself"), (2, "other"), (3, "next"), (12, "next")])
def test_a_circle_is_marked_by_double_lines_and_a_word(count: int, reason: str):
    svg = parsed(circle(count))
    arrows = looks(svg, "pc-circle")
    assert len(arrows) == 2 * count
    assert all(len(list(arrow.iter("path"))) == 2 for arrow in arrows)
    assert "deadlock" in texts(svg)
    assert any(text.endswith(reason) for text in texts(svg))
    assert len(looks(svg, "pc-stuck")) == 2 * count
    assert looks(svg, "pc-timed") == []


def test_only_the_circle_is_marked():
    svg = parsed(CASES["circle and others"])
    assert len(looks(svg, "pc-circle")) == 4
    assert {title for group in looks(svg, "pc-stuck") for title in titles(group)} == {"f1", "f2", "lock_x", "lock_y"}
    svg = parsed(chain(3))
    assert looks(svg, "pc-circle") == looks(svg, "pc-stuck") == []
    assert "deadlock" not in texts(svg)


def test_two_circles_are_two_rings():
    assert texts(parsed(CASES["two circles"])).count("deadlock") == 2


def test_a_circle_that_a_time_out_opens_is_no_deadlock():
    svg = parsed(Waits(TWO.holds, (Wait("f1", "lock_y", gives_up=True), TWO.waits[1])))
    assert "a circle, for now" in texts(svg)
    assert "waits a while" in texts(svg)
    assert "deadlock" not in texts(svg)
    assert len(looks(svg, "pc-timed")) == 1
    assert len(looks(svg, "pc-circle")) == 4


def test_arrows_say_what_they_are_or_else_signs_do():
    assert texts(parsed(TWO)).count("held by") == texts(parsed(TWO)).count("waits for") == 2
    assert "is held by" not in graph(TWO)
    assert "held by" not in texts(parsed(circle(5)))
    assert "→ is held by" in graph(circle(5))


def test_what_has_ended_and_what_nobody_holds_are_said():
    svg = parsed(Waits((Hold("f1", "lock_x"),), (Wait("f2", "lock_x"),), ended=frozenset({"f1"})))
    assert "has ended" in texts(svg)
    assert titles(looks(svg, "pc-gone")[0]) == ["f1"]
    svg = parsed(CASES["nobody holds it"])
    assert "nobody holds it" in texts(svg)
    assert titles(looks(svg, "pc-open")[0]) == ["ready"]


def test_waiting_reads_from_left_to_right():
    (part,) = parts(chain(3))
    boxes = laid_out(part, lambda thing: size(thing, "")).boxes
    assert [thing.name for thing in sorted(boxes, key=lambda thing: boxes[thing].x)] == [
        "f0", "lock_1", "f1", "lock_2", "f2"
    ]  # fmt: skip


def test_of_many_workers_the_circle_is_drawn_and_the_others_are_counted():
    waits = Waits(TWO.holds, (*TWO.waits, *(Wait(f"g{n}", "lock_x") for n in range(30))))
    assert sorted(titles(parsed(waits))) == ["f1", "f2", "lock_x", "lock_y"]
    text = Shown(graph(waits)).text
    assert "30 more workers are not drawn" in text
    assert "g29 waits for lock_x, which f1 holds." in text


def test_of_many_workers_without_a_circle_some_are_drawn_with_whom_they_wait_for():
    waits = Waits((Hold("holder", "lock"),), tuple(Wait(f"g{n}", "lock") for n in range(30)))
    svg = parsed(waits)
    assert len(looks(svg, "pc-worker")) == MOST_WORKERS
    assert {"holder", "lock"} <= set(titles(svg))
    assert "19 more workers are not drawn" in graph(waits)


def test_a_circle_too_large_to_draw_is_said_in_words():
    waits = circle(MOST_WORKERS + 1)
    assert "<svg" not in graph(waits)
    assert "Deadlock: f0 holds lock_0 and waits for lock_1" in Shown(graph(waits)).text
    assert "<img" not in WaitGraph(waits)._repr_html_()


def test_of_many_locks_that_nobody_wants_a_few_are_drawn():
    waits = Waits(tuple(Hold("f", f"lock {n}") for n in range(100)))
    assert len(looks(parsed(waits), "pc-lock")) == 12
    waits = Waits((*waits.holds, Hold("f", "wanted")), (Wait("g", "wanted"),))
    assert "wanted" in titles(parsed(waits))


def test_nobody_waits_for_nothing():
    assert Shown(graph(Waits())).text == "Nobody waits."


@pytest.mark.parametrize("words", HOSTILE)
def test_whatever_it_is_called_is_shown_as_text(words: str):
    waits = Waits((Hold(words, f"{words}!"),), (Wait(f"({words}", f"{words}!"),))
    plain = Waits((Hold("a", "a!"),), (Wait("(a", "a!"),))
    assert ET.tostring(parsed(waits))
    assert set(Shown(graph(waits)).elements) <= set(Shown(graph(plain)).elements) | {"ul", "li"}
    graph(waits).encode()
    assert stored(WaitGraph(waits)._repr_html_()) is not None


def stored(page: str) -> ET.Element:
    (address,) = re.findall(r'<img class="pc-stored" alt="[^"]*" src="data:image/svg\+xml,([^"]*)">', page)
    assert not set(address) & set('<>"#&\n\t')
    return ET.fromstring(unquote(address))  # noqa: S314 - we wrote it


def test_a_stored_graph_needs_nothing_around_it():
    page = WaitGraph(TWO)._repr_html_()
    svg, space = stored(page), "{http://www.w3.org/2000/svg}"
    assert svg.find(f"{space}rect").get("fill") == "white"
    styles = "".join("".join(style.itertext()) for style in svg.iter(f"{space}style"))
    wanted = DRAWN_STYLE + GRAPH_STYLE
    on_white = {INK: "currentColor", FAINT_INK: "currentColor", PAPER: "white", LETTERS: "sans-serif"}
    for variable, value in on_white.items():
        wanted = wanted.replace(variable, value)  # an image knows none of the page's variables
    assert styles == re.sub("</?style>", "", wanted)
    assert {"f1", "lock_y"} <= {"".join(text.itertext()) for text in svg.iter(f"{space}text")}
    assert page.count('<div class="pc-live" style="display:none"><style>') == 1
    assert Shown(page).text.count(TWO.words) == 1


def test_a_wait_graph_of_a_trace_shows_what_is_when_it_is_shown(monkeypatch: pytest.MonkeyPatch):
    now: list[Waits] = [Waits()]
    monkeypatch.setattr("helpers.panels.wait_graph.who_waits", lambda _: now[-1])
    with Trace() as trace:
        shown = WaitGraph(trace)
        assert (repr(shown), shown.words) == ("<WaitGraph>", "Nobody waits.")
        now.append(TWO)
        assert (repr(shown), shown.words) == ("<WaitGraph>", TWO.words)
        assert TWO.words in Shown(shown._repr_html_()).text


def orders(waits: Waits) -> Sequence[Waits]:
    return waits, waits._replace(holds=waits.holds[::-1], waits=waits.waits[::-1])


@every_case
def test_the_same_waits_give_the_same_picture_in_any_order(waits: Waits):
    one, other = orders(waits)
    assert graph(one) == graph(other)
