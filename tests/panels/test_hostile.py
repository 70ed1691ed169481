"""Whatever words reach a panel are shown as words: no markup of theirs, nothing that cannot be written, no end of it.

Each panel is made with harmless words and with hostile ones. The second must have no element, attribute or style that
the first has not, be well formed to the letter, and be of bounded size: names are cut after 80 characters, sentences
after 2,000, with an ellipsis, and what is cut is not sent at all.
"""

import asyncio
import multiprocessing
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest

from helpers.observe.faults import Fault
from helpers.observe.lab.program import Program
from helpers.observe.lab.results import Ending as LabEnding
from helpers.observe.lab.results import Exploration, Finding, Situation, ThreadView
from helpers.observe.locks import named
from helpers.observe.machine import Finding as MachineFinding
from helpers.observe.reading import Note
from helpers.observe.reports import ThreadReport
from helpers.observe.trace import Trace
from helpers.observe.waits import Hold, Wait, Waits
from helpers.panels.bar_chart import BarChart
from helpers.panels.claim_cards import ClaimCards
from helpers.panels.claims.claim import Claim, Document
from helpers.panels.exercise import Exercise, Property
from helpers.panels.explorer import Explorer
from helpers.panels.explorer_canvas import Canvas
from helpers.panels.graph import graph
from helpers.panels.heat_table import HeatTable
from helpers.panels.lab_board import board, picture, state, status
from helpers.panels.lab_columns import Columns
from helpers.panels.line_chart import LineChart
from helpers.panels.listing import LISTING_STYLE, Listing, Mark, listed
from helpers.panels.live_view import LiveView
from helpers.panels.machine_card import MachineCard
from helpers.panels.markup import LONG, SHORT, passage, plain, safe, short
from helpers.panels.pool_outcome import Ending
from helpers.panels.pool_view import PoolView
from helpers.panels.prediction import Prediction
from helpers.panels.sandbox import Outcome
from helpers.panels.schedules import Schedules
from helpers.panels.timeline import Timeline, figure
from helpers.panels.wait_graph import WaitGraph
from helpers.workers.fractal import View
from tests.hostile import CONTROL, HOSTILE, MARKUP, RUNS
from tests.hostile import LONG as VERY_LONG
from tests.observe.starting import METHODS
from tests.panels.made import MS, hold, lane, span
from tests.panels.shown import FORBIDDEN, Page, Sent
from tests.panels.test_drawing import Recorded

LIMIT = 400_000
"""Characters of a panel whatever it is told; with words of usual length, less than half of it."""
HARMLESS = ("harmless", "harmless " * 100, "\N{CJK UNIFIED IDEOGRAPH-5BBD}" * 100)
"""Short, long, and wide: what any of them brings is ours."""
pytestmark = pytest.mark.usefixtures("quiet_threads")


@pytest.fixture
def quiet_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads of these tests fail, and pytest need not hear of it."""
    monkeypatch.setattr(threading, "excepthook", lambda _: None)


def fail(words: str) -> None:
    raise RuntimeError(words)


def fail_in(trace: Trace, words: str) -> None:
    with trace.span(words):
        trace.note(words)
        fail(words)


def timeline(words: str) -> Iterator[object]:
    lanes = [
        lane(
            *(span(n * 9, n * 9 + 8, words) for n in range(500)),
            title=words,
            notes=[Note(words, n * MS, error=bool(n % 2)) for n in range(50)],
            held=[hold(words, 5, 90)],
            holding=[hold(words, 100, None)],
        )
        for _ in range(9)
    ]
    yield Timeline(Recorded(lanes))
    yield figure(lanes)


def timeline_of_a_trace(words: str) -> Iterator[object]:
    with Trace() as trace:
        with suppress(RuntimeError):
            fail_in(trace, words)
        trace.extra_lane(words)
        with named(words, threading.Lock(), trace):
            time.sleep(0.005)  # shorter holds are not shown
            yield Timeline(trace)
        yield Timeline(trace)
    # Where the label stands above is a matter of time; here it stands between two bars, in every run.
    yield Timeline(Recorded([lane(span(0, 100, words), held=[hold(words, 5, 6), hold(words, 95, 96)])]))


def graph_of_waits(words: str) -> Iterator[object]:
    others = [f"{words} {n}" for n in range(4)]
    for waits in (
        Waits((Hold(words, words), Hold("f", "l")), (Wait(words, "l"), Wait("f", words))),
        Waits(tuple(Hold(name, name) for name in others), tuple(Wait(f"w {name}", name) for name in others)),
    ):
        yield graph(waits)
        yield WaitGraph(waits)


def charts(words: str) -> Iterator[object]:
    yield BarChart({words: 1, "other": 2}, unit=words)
    yield BarChart({"other": 1}, most=2, unit=words)
    yield LineChart({words: {1: 2, 3: 4}}, x=words, y=words)
    yield HeatTable({words: {words: 1.0, "other": 2.0}}, unit=words)


def exercise(words: str) -> Iterator[object]:
    def answer() -> None:
        fail(words)

    def exits() -> None:
        raise SystemExit(words)

    class Odd:
        def __repr__(self) -> str:
            return words

    yield Exercise(Property(words, lambda _: None))(answer)
    yield Exercise(Property("good", lambda _: None), Property("bad", lambda _: words or "no"))(answer)
    yield Exercise(Property("calls it", lambda own: own()))(answer)
    yield Exercise(Property("calls it", lambda own: own()))(exits)
    yield Exercise(Property("calls it", lambda own: own()))(Odd())  # type: ignore[arg-type] # as learners do


def prediction(words: str) -> Iterator[object]:
    guess = Prediction(words, f"1{words}", f"2{words}")
    yield guess
    yield guess._box
    yield guess.compare(f"1{words}", because=words)
    guess = Prediction(words, f"1{words}", f"2{words}")
    guess._choice.index = 0
    yield guess.compare(f"2{words}", because=words)


def cards(words: str) -> Iterator[object]:
    document = Document("https://docs.python.org/3/", words)
    yield ClaimCards([Claim("key", words, words, "partly", words, words, (document,), 6)])
    yield MachineCard([MachineFinding(words, words, good=False, advice=words)])


def lab(words: str) -> Iterator[object]:
    def work(_: object) -> None: ...

    work.__name__ = words
    threads = (
        ThreadView(words, "ready", words, words, 3, ""),
        ThreadView("f2", "failed", "", words, 4, words),
        ThreadView("f3", "waiting", words, words, 4, ""),
    )
    waits = Waits((Hold(words, words),), (Wait("f3", words),))
    now = Situation(threads, ((words, words), ("x", words)), waits, (0, 1), (words, words), LabEnding("error", words))
    found = Exploration(Finding("error", (0, 1), (words, words), words), 3, 3, 3, 0, complete=True)
    columns = Columns(Program(SimpleNamespace, [work, work]), lambda _: None)
    yield columns
    yield from (state(now, place) for place in range(3))
    yield from (board(now, None), picture(now), status([now], found, words, words), status([now], None, "", ""))
    yield Schedules(found)
    lines = tuple(words.split("\n"))[:5]
    code = listed(Listing(words, 1, tuple(line[:200] for line in lines), (0,)), [Mark(words, 0, "ready", 1)])
    yield LISTING_STYLE + code
    yield listed(Listing(words, 1, (), ()), [])


def outcomes(words: str) -> Iterator[object]:
    report = ThreadReport(words, words, 3, words, (words,))
    yield Outcome("finished", value=words, threads=(report,), output=words)
    yield Outcome("failed", error=words, threads=(report,))
    yield Outcome("died", exitcode=words)
    yield Ending({}, {}, Fault("task failed", words, words, words, words), {})


PANELS: dict[str, Callable[[str], Iterator[object]]] = {
    make.__name__.replace("_", " "): make
    for make in (
        timeline,
        timeline_of_a_trace,
        graph_of_waits,
        charts,
        exercise,
        prediction,
        cards,
        lab,
        outcomes,
    )
}


def compared(words: str, shown: list[Sent], usual: list[Sent]) -> None:
    """Hold what is `shown` of hostile words against what is shown of harmless ones."""
    parts = set().union(*(sent.parts for sent in usual))
    styles = set().union(*(sent.styles for sent in usual))
    for sent in shown:
        assert sent.parts <= parts, f"new in {sent.name}: {sent.parts - parts}"
        assert not [style for style in sent.styles - styles if "hostile" in style or "<" in style]
        assert sent.size < LIMIT, f"{sent.name}: {sent.size} characters"
    if words in MARKUP.values():
        assert any(words in sent.words for sent in shown), "nowhere to be read"


@cache
def usual(make: Callable[[str], list[Sent]]) -> list[Sent]:
    return [sent for words in HARMLESS for sent in make(words)]


@cache
def made_by(panel: Callable[[str], Iterator[object]]) -> Callable[[str], list[Sent]]:
    return lambda words: [Sent(each) for each in panel(words)]


@pytest.mark.parametrize("words", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("panel", PANELS.values(), ids=PANELS)
def test_a_panel_shows_words_as_words(panel: Callable[[str], Iterator[object]], words: str):
    make = made_by(panel)
    compared(words, make(words), usual(make))


def played(scene: Coroutine[Any, Any, list[Sent]]) -> list[Sent]:
    return asyncio.run(asyncio.wait_for(scene, 50))


async def live_view(words: str) -> list[Sent]:
    with Trace() as trace:
        workers = [threading.Thread(target=fail_in, args=(trace, words), name=name) for name in (words, f"2 {words}")]
        view = LiveView(trace, workers)
        for worker in workers:
            worker.start()
        before = view._picture.value
        ended = await view
        assert all("failed" in how and len(how) <= LONG + 20 for how in ended.values())
        return [Sent(view), Sent(before)]


async def pool_view(words: str) -> list[Sent]:
    with Trace() as trace, ThreadPoolExecutor(2, thread_name_prefix=words) as pool:
        view = PoolView(trace, pool, {words: pool.submit(fail_in, trace, words), "other": pool.submit(fail, words)})
        ending = await view
        assert ending.fault is not None
        return [Sent(view), Sent(ending)]


async def explorer(words: str) -> list[Sent]:
    def start(_: int) -> None:
        fail(words)

    async def nothing(*_: object) -> None: ...

    view = Explorer(View(), start, nothing, nothing, Canvas(8, 4))
    await view.drawn()
    return [Sent(view)]


LIVE: dict[str, Callable[[str], list[Sent]]] = {
    "live view": lambda words: played(live_view(words)),
    "pool view": lambda words: played(pool_view(words)),
    "explorer": lambda words: played(explorer(words)),
}


@pytest.mark.parametrize("words", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("make", LIVE.values(), ids=LIVE)
def test_a_live_panel_shows_words_as_words(make: Callable[[str], list[Sent]], words: str):
    compared(words, make(words), usual(make))


@pytest.mark.parametrize("method", METHODS)
def test_processes_may_have_any_name(method: str):
    async def main() -> list[Sent]:
        with Trace() as trace:
            context = multiprocessing.get_context(method)
            names = [HOSTILE[name] for name in ("script", "escape", "lone surrogates", "long markup")]
            workers = [context.Process(target=speak, args=(trace, name), name=name) for name in names]
            for worker in workers:
                worker.start()
            view = LiveView(trace, workers)
            assert list((await view).values()) == ["finished"] * len(names)
            return [Sent(view), Sent(Timeline(trace))]

    for sent in played(main()):
        assert ("script",) not in sent.parts
        assert HOSTILE["script"] in sent.words
        assert sent.size < LIMIT


def speak(trace: Trace, words: str) -> None:
    with trace.span(words), named(words, threading.Lock(), trace):
        trace.note(words)


@pytest.mark.parametrize("words", HOSTILE.values(), ids=HOSTILE)
def test_words_are_cut_to_what_is_said(words: str):
    assert len(plain(words, SHORT)) <= SHORT
    assert len(Page(f"<p>{short(words)}</p>").words) <= SHORT
    assert len(Page(f"<p>{passage(words)}</p>").words) <= LONG
    assert not FORBIDDEN.search(safe(words))
    assert plain(words).endswith("…") == (len(words) > LONG)


@pytest.mark.parametrize("words", CONTROL.values(), ids=CONTROL)
def test_a_control_character_leaves_a_trace_of_itself(words: str):
    assert len(plain(words)) == len(words)
    assert not set(plain(words)) & {chr(code) for code in range(32) if chr(code) not in "\t\n"}


def test_the_strict_reader_notices_what_is_not_ours():
    for wrong in (
        "<p>",
        "</p>",
        "<p></b>",
        f"<p onclick='{RUNS}'></p>",
        "<!-- x -->",
        "<a href='javascript:1'>x</a>",
        "<svg><text>&nosuch;</text></svg>",
        "<svg><b></svg></b>",
    ):
        with pytest.raises((AssertionError, SyntaxError)):
            Page(wrong)
    for wrong in ("\0", "\x1b", "\ud800", "\u202e", "\x85"):
        with pytest.raises(AssertionError, match="not to be sent"):
            Sent(f"<p>{wrong}</p>")
    harmless = [Sent("<p>harmless</p>")]
    compared("x", harmless, harmless)
    with pytest.raises(AssertionError, match="new in str"):
        compared("x", [Sent("<p><b>x</b></p>")], harmless)
    with pytest.raises(AssertionError, match="characters"):
        compared("x", [Sent(f"<p>{'x' * VERY_LONG * 5}</p>")], harmless)
    with pytest.raises(AssertionError, match="nowhere"):
        compared(HOSTILE["script"], harmless, harmless)
