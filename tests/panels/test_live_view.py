"""The live view tells the truth in time, sends little, stops everything, and leaves nothing behind.

Widgets work without a kernel, where their messages go nowhere: `sent` catches them on the way.
"""

import asyncio
import multiprocessing
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterator
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple, TypeVar

import pytest
from ipywidgets import HTML, Button, IntProgress, Widget

from helpers.observe.locks import named
from helpers.observe.reading import Reader
from helpers.observe.trace import Trace
from helpers.panels.live_view import LiveView
from helpers.panels.outcome import Worker, all_lanes_of, is_over
from helpers.workers.computing import call_without_end, compute_without_end
from tests.observe.starting import LIMIT, METHODS, until
from tests.panels import doings

pytestmark = pytest.mark.usefixtures("left_as_found")
T = TypeVar("T")
KINDS = ["thread", *METHODS]
every_kind = pytest.mark.parametrize("kind", KINDS)


class Message(NamedTuple):
    """One message to the browser: whose, which traits, and when."""

    widget: Widget
    traits: tuple[str, ...]
    at: float


class Row(NamedTuple):
    """The parts of one row of a view."""

    name: HTML
    bar: IntProgress
    words: HTML


@pytest.fixture
def trace() -> Iterator[Trace]:
    with Trace() as made:
        yield made


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Message]:
    messages: list[Message] = []

    def send(widget: Widget, message: dict[str, Any], **_: object) -> None:
        messages.append(Message(widget, tuple(message["state"]), time.monotonic()))

    monkeypatch.setattr(Widget, "_send", send)
    return messages


def rows(view: LiveView) -> list[Row]:
    return [Row(*row.children) for row in view.children[1:-2]]


def head(view: LiveView) -> HTML:
    return view.children[0].children[1]


def button(view: LiveView) -> Button:
    return view.children[0].children[0]


def picture(view: LiveView) -> HTML:
    return view.children[-2]


def waits(view: LiveView) -> HTML:
    return view.children[-1]


def made(kind: str, target: Callable[..., object], *args: object, name: str = "worker") -> Worker:
    if kind == "thread":
        return threading.Thread(target=target, args=args, name=name)
    return multiprocessing.get_context(kind).Process(target=target, args=args, name=name)


def start(*workers: Worker) -> None:
    for worker in workers:
        worker.start()


async def outcome(view: LiveView) -> dict[str, str]:
    return await view


async def soon(condition: Callable[[], object], what: str) -> None:
    """Wait for the condition while the loop goes on; fail when it does not come."""
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline, f"waited {LIMIT:.0f} s for {what}"
        await asyncio.sleep(0.01)


async def at_work(view: LiveView) -> None:
    """Wait until the view says of each worker that it works."""
    own = rows(view)[: len(view._workers)]
    await soon(lambda: all("working" in row.words.value for row in own), "all to be at work")


def run(main: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(main)


@every_kind
def test_in_the_end_the_bar_the_words_and_the_outcome_are_the_truth(kind: str, trace: Trace):
    async def main() -> LiveView:
        worker = made(kind, doings.count, trace, 5000, 7)
        start(worker)
        view = LiveView(trace, [worker])
        assert await view == {"worker": "finished"}
        return view

    view = run(main())
    ((name, bar, words),) = rows(view)
    assert name.value == "<b>worker</b>"
    (lane,) = trace.lanes()
    assert (bar.value, bar.max) == (5000, 5000)
    assert lane.done == 5005
    assert words.value == "5,005 of 5,000: finished"
    assert head(view).value.startswith("ended after ")
    assert button(view).disabled
    assert picture(view).value == ""
    assert waits(view).value == ""


def test_outcomes_of_all_kinds_together_by_name(trace: Trace):
    async def main() -> tuple[dict[str, str], LiveView]:
        first, second = METHODS[0], METHODS[-1]
        workers = [
            made("thread", doings.count, trace, 50, name="a thread"),
            made(first, doings.count, trace, 50, name="a process"),
            made(second, doings.fail_in_a_span, trace, name="failing"),
            made(first, doings.exit_with, 7, name="leaving"),
        ]
        start(*workers)
        view = LiveView(trace, workers)
        return await view, view

    outcomes, view = run(main())
    assert outcomes == {
        "a thread": "finished",
        "a process": "finished",
        "failing": "failed: ValueError: <b>broken</b> on purpose",
        "leaving": "failed: exit code 7",
    }
    *own, total = rows(view)
    assert own[2].words.value == "failed: ValueError: &lt;b&gt;broken&lt;/b&gt; on purpose"
    assert total.words.value.endswith("4 of 4 have ended")


def test_names_are_shown_as_text(trace: Trace):
    async def main() -> LiveView:
        worker = made("thread", doings.count, trace, 5, name="<img src=x onerror=alert(1)>\x1b\x00")
        start(worker)
        view = LiveView(trace, [worker])
        await view
        return view

    ((name, *_),) = rows(run(main()))
    assert name.value == "<b>&lt;img src=x onerror=alert(1)&gt;␛␀</b>"


def test_it_needs_a_running_loop_and_leaves_no_hook_without_one(trace: Trace):
    with pytest.raises(RuntimeError, match="needs a running event loop: use it in a notebook"):
        LiveView(trace, [threading.Thread(name="any")])


@pytest.mark.parametrize(
    ("names", "words"),
    [([], "at least one thread or process, got none"), (["twin", "other", "twin"], r"\['twin', 'other', 'twin'\]")],
)
def test_unusable_workers_are_named(trace: Trace, names: list[str], words: str):
    async def main() -> None:
        with pytest.raises(ValueError, match=words):
            LiveView(trace, [threading.Thread(name=name) for name in names])

    run(main())


class Look(NamedTuple):
    """What one refresh showed, and what was true just before and just after it."""

    before: int
    shown: int
    after: int


@every_kind
def test_the_bar_is_never_behind_by_more_than_one_refresh(kind: str, trace: Trace, monkeypatch: pytest.MonkeyPatch):
    """After each refresh the bar shows a count that was true while the refresh was running."""
    items, looks, reader, refresh = 300_000, [], Reader(trace.folder), LiveView._refresh

    def count() -> int:
        return sum(lane.done for lane in reader.poll())

    def watched(view: LiveView, **options: bool) -> None:
        before = count()
        refresh(view, **options)
        looks.append(Look(before, rows(view)[0].bar.value, count()))

    monkeypatch.setattr(LiveView, "_refresh", watched)

    async def main() -> None:
        worker = made(kind, doings.count_slowly, trace, items, 0.0005)
        stop = threading.Event()
        if kind == "thread":
            worker = made(kind, count_until, trace, items, stop)
        start(worker)
        view = LiveView(trace, [worker], stop=stop)
        await soon(lambda: len({look.shown for look in looks}) >= 6, "the bar to move")
        view.stop()
        await view

    run(main())
    reader.close()
    assert all(look.before <= look.shown <= look.after for look in looks), looks
    assert looks[-1].shown == trace.lanes()[0].done < items


def count_until(trace: Trace, items: int, stop: threading.Event) -> None:
    trace.expect(items)
    with trace.span("counting"):
        while not stop.wait(0.0005):
            trace.advance()


def test_bars_without_an_expected_total_stay_empty_and_the_words_count(trace: Trace):
    async def main() -> None:
        worker = made(METHODS[0], compute_without_end, trace)
        start(worker)
        view = LiveView(trace, [worker])
        ((_, bar, words),) = rows(view)
        await soon(lambda: words.value.endswith(",000: working"), "a count")
        assert (bar.value, bar.max) == (0, 1)
        view.stop()
        await view

    run(main())


def test_the_total_is_the_mean_of_all_shares(trace: Trace):
    async def main() -> None:
        stop = threading.Event()
        workers = [
            made("thread", doings.count, trace, 10, name="ready"),
            made("thread", count_half, trace, stop, name="half way"),
        ]
        start(*workers)
        view = LiveView(trace, workers, stop=stop)
        total = rows(view)[-1]
        await soon(lambda: total.words.value == "75%: 1 of 2 have ended", "the total")
        assert (total.bar.value, total.bar.max) == (750, 1000)
        view.stop()
        assert await view == {"ready": "finished", "half way": "stopped (as it was asked to)"}

    run(main())


def count_half(trace: Trace, stop: threading.Event) -> None:
    trace.expect(10)
    trace.advance(5)
    stop.wait(60)


def most_in_a_second(messages: list[Message]) -> int:
    """The most that one widget was sent in any second."""
    most, recent = 0, {}
    for message in messages:
        times = recent.setdefault(message.widget, deque())
        times.append(message.at)
        while times[0] <= message.at - 1:
            times.popleft()
        most = max(most, len(times))
    return most


def test_no_widget_gets_more_than_20_messages_a_second(trace: Trace, sent: list[Message]):
    async def main() -> float:
        workers = [made(METHODS[0], doings.count_slowly, trace, 10**6, 0.0001, name=f"{n}") for n in range(2)]
        start(*workers)
        view = LiveView(trace, workers)
        await at_work(view)
        began = len(sent)
        await asyncio.sleep(1.5)
        moved = sum(message.widget is rows(view)[0].bar for message in sent[began:])
        view.stop()
        await view
        return moved

    moved = run(main())
    assert moved >= 2, "the bar did not move"
    assert most_in_a_second(sent) <= 20


def test_what_does_not_change_is_not_sent(trace: Trace, sent: list[Message]):
    async def main() -> tuple[LiveView, list[Message]]:
        stop = threading.Event()
        workers = [made("thread", doings.wait_for, trace, stop, name=f"{n}") for n in range(2)]
        start(*workers)
        view = LiveView(trace, workers, stop=stop)
        await at_work(view)
        await asyncio.sleep(0.5)
        sent.clear()
        await soon(lambda: Counter(m.widget for m in sent)[picture(view)] >= 2, "two pictures")
        quiet = sent.copy()
        view.stop()
        await view
        return view, quiet

    view, quiet = run(main())
    assert {(m.widget, m.traits) for m in quiet} == {(head(view), ("value",)), (picture(view), ("value",))}


def test_nothing_is_sent_any_more_when_all_have_ended(trace: Trace, sent: list[Message]):
    async def main() -> None:
        worker = made("thread", doings.count, trace, 5)
        start(worker)
        view = LiveView(trace, [worker])
        await view
        sent.clear()
        await asyncio.sleep(0.4)
        assert sent == []
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(main())


@pytest.mark.parametrize("target", [compute_without_end, call_without_end, doings.be_deaf])
def test_the_button_stops_endless_processes_and_threads_that_look(target: Callable[[Trace], object], trace: Trace):
    async def main() -> dict[str, str]:
        stop = threading.Event()
        workers = [
            made(METHODS[0], target, trace, name="endless"),
            made("thread", doings.wait_for, trace, stop, name="waiting"),
        ]
        start(*workers)
        view = LiveView(trace, workers, stop=stop)
        await at_work(view)
        await soon(lambda: all(lane.spans for lane in trace.lanes()), "spans")
        button(view).click()
        assert is_over(workers[0])
        assert button(view).disabled
        assert "stopped (ended by SIG" in rows(view)[0].words.value
        return await view

    endless, waiting = run(main()).values()
    # On a loaded machine one that is not deaf may have had no time to go when asked, and is killed as well.
    assert endless in {f"stopped (ended by {name})" for name in ("SIGTERM", "SIGKILL")}
    assert "SIGKILL" in endless or target is not doings.be_deaf
    assert waiting == "stopped (as it was asked to)"


def test_stop_on_workers_already_over_changes_nothing(trace: Trace):
    async def main() -> None:
        workers = [
            made("thread", doings.count, trace, 5, name="a"),
            made(METHODS[0], doings.count, trace, 5, name="b"),
        ]
        start(*workers)
        for worker in workers:
            worker.join(30)
        view = LiveView(trace, workers)
        view.stop()
        assert await view == {"a": "finished", "b": "finished"}
        view.stop()
        assert await view == {"a": "finished", "b": "finished"}

    run(main())


@every_kind
def test_cancelling_the_cell_stops_the_workers_and_goes_on(kind: str, trace: Trace):
    async def main() -> LiveView:
        stop = threading.Event()
        target = (doings.wait_for, trace, stop) if kind == "thread" else (doings.sleep_in_a_span, trace)
        worker = made(kind, *target)
        start(worker)
        view = LiveView(trace, [worker], stop=stop)
        cell = asyncio.create_task(outcome(view))
        await at_work(view)
        cell.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cell
        assert stop.is_set()
        if isinstance(worker, BaseProcess):
            assert is_over(worker)
        await soon(lambda: head(view).value.startswith("ended"), "the view to end")
        assert "stopped" in rows(view)[0].words.value
        return view

    assert button(run(main())).disabled


@every_kind
def test_it_works_when_nobody_awaits_it(kind: str, trace: Trace):
    async def main() -> None:
        worker = made(kind, doings.count_slowly, trace, 20, 0.01)
        view = LiveView(trace, [worker])
        ((_, bar, words),) = rows(view)
        await soon(lambda: words.value == "not started", "a state")
        start(worker)
        await soon(lambda: words.value == "20 of 20: finished", "the end")
        assert bar.value == 20
        await soon(lambda: len(asyncio.all_tasks()) == 1, "the view's task to end")

    run(main())


def test_two_views_at_once_put_the_hook_back(trace: Trace):
    async def main() -> None:
        long, short = threading.Event(), threading.Event()
        first = made("thread", doings.wait_for, trace, short, name="first")
        second = made("thread", doings.wait_for, trace, long, name="second")
        start(first, second)
        views = [LiveView(trace, [first], stop=short), LiveView(trace, [second], stop=long)]
        for view in views:
            await at_work(view)
        for view in views:
            view.stop()
            assert await view

    run(main())  # `left_as_found` looks at the hook


def test_fifty_workers(trace: Trace):
    async def main() -> LiveView:
        workers = [made("thread", doings.count_slowly, trace, 20, 0.005, name=f"thread {n}") for n in range(46)]
        workers += [made(METHODS[0], doings.count_slowly, trace, 20, 0.005, name=f"process {n}") for n in range(4)]
        start(*reversed(workers))  # processes first: fork before there are threads
        view = LiveView(trace, workers)
        assert await view == {worker.name: "finished" for worker in workers}
        return view

    view = run(main())
    *own, total = rows(view)
    assert [row.bar.value for row in own] == [20] * 50
    assert total.words.value == "100%: 50 of 50 have ended"


def test_closing_the_trace_while_it_runs_does_no_harm():
    async def main() -> dict[str, str]:
        with Trace() as trace:
            stop = threading.Event()
            workers = [
                made(METHODS[0], doings.count_slowly, trace, 10**6, 0.001, name="process"),
                made("thread", doings.wait_for, trace, stop, name="thread"),
            ]
            start(*workers)
            view = LiveView(trace, workers, stop=stop)
            await at_work(view)
        await asyncio.sleep(0.3)
        view.stop()
        return await view

    assert [words[:8] for words in run(main()).values()] == ["stopped "] * 2


def test_the_open_span_of_a_stopped_process_does_not_grow_any_more(trace: Trace):
    async def main() -> BaseProcess:
        worker = made(METHODS[0], doings.sleep_in_a_span, trace)
        start(worker)
        view = LiveView(trace, [worker])
        await at_work(view)
        view.stop()
        await view
        return worker

    worker = run(main())
    (lane,) = all_lanes_of([worker], trace.lanes())[worker]
    ended = lane.ended
    until(lambda: trace.lanes()[0].seen > ended + 50_000_000, "some time to pass")
    assert trace.lanes()[0].ended == ended > lane.opened


def test_its_text_is_the_same_in_every_run(trace: Trace):
    async def main() -> None:
        workers = [made("thread", doings.count, trace, 5, name=name) for name in ("one", "two")]
        view = LiveView(trace, workers)
        assert repr(view) == "<LiveView: one, two>"
        start(*workers)
        await view
        assert repr(view) == "<LiveView: one, two>"

    run(main())


def test_awaiting_shows_the_view_once_and_then_its_picture(trace: Trace, monkeypatch: pytest.MonkeyPatch):
    shown: list[object] = []
    monkeypatch.setattr("helpers.panels.live_view.display", shown.append)

    async def main(*, before: bool) -> LiveView:
        worker = made("thread", doings.count, trace, 5)
        start(worker)
        view = LiveView(trace, [worker])
        if before:
            view._repr_mimebundle_()
        await view
        return view

    view = run(main(before=False))
    assert [repr(each) for each in shown] == [repr(view), "<Timeline>"]
    shown.clear()
    run(main(before=True))
    assert [repr(each) for each in shown] == ["<Timeline>"]


def deadlocked(trace: Trace, method: str) -> tuple[list[BaseProcess], object]:
    """Two processes that take the same two locks in different orders, and never end; and what to keep until then."""
    context = multiprocessing.get_context(method)
    locks = [named(name, context.Lock(), trace) for name in ("lock_x", "lock_y")]
    both = context.Barrier(2)
    workers = [
        context.Process(target=doings.take_both, args=(trace, *order, both), name=name, daemon=True)
        for name, order in (("f1", locks), ("f2", locks[::-1]))
    ]
    return workers, (locks, both)


@pytest.mark.parametrize("method", METHODS)
def test_a_deadlock_of_processes_is_drawn_said_and_kept(
    method: str, trace: Trace, sent: list[Message], monkeypatch: pytest.MonkeyPatch
):
    shown: list[object] = []
    monkeypatch.setattr("helpers.panels.live_view.display", shown.append)

    async def main() -> list[Message]:
        workers, _kept = deadlocked(trace, method)
        start(*workers)
        view = LiveView(trace, workers)
        await soon(lambda: "Deadlock: f1 holds lock_x and waits for lock_y; f2" in waits(view).value, "the graph")
        first, second, _ = rows(view)
        await soon(lambda: first.words.value == "deadlocked: waits for lock_y, which f2 holds", "words")
        assert second.words.value == "deadlocked: waits for lock_x, which f1 holds"
        await asyncio.sleep(0.2)
        sent.clear()
        await asyncio.sleep(1)
        quiet = [message for message in sent if message.widget is waits(view)]
        view.stop()
        assert set(await view) == {"f1", "f2"}
        assert waits(view).value == ""
        return quiet

    assert run(main()) == [], "what does not change is not sent"
    assert [repr(each) for each in shown[1:]] == ["<Timeline>", "<WaitGraph>"]
    assert shown[-1].words.startswith("Deadlock: f1 holds lock_x and waits for lock_y; f2 holds lock_y")


def test_a_deadlock_of_threads_inside_a_process_is_said_of_the_process(trace: Trace):
    async def main() -> None:
        context = multiprocessing.get_context(METHODS[-1])
        worker = context.Process(target=doings.deadlock_threads, args=(trace,), name="worker", daemon=True)
        start(worker)
        view = LiveView(trace, [worker])
        await soon(lambda: rows(view)[0].words.value == "deadlocked: f1, f2", "words")
        view.stop()
        await view

    run(main())


def test_a_wait_that_is_no_circle_is_shown_while_it_lasts_and_leaves_no_picture(
    trace: Trace, monkeypatch: pytest.MonkeyPatch
):
    shown: list[object] = []
    monkeypatch.setattr("helpers.panels.live_view.display", shown.append)

    async def main() -> None:
        lock, leave = named("lock_x", threading.Lock(), trace), threading.Event()
        holder = made("thread", doings.hold_until, trace, lock, leave, name="holder")
        start(holder)
        await soon(lock.locked, "the lock to be held")
        waiter = made("thread", doings.hold_until, trace, lock, leave, name="waiter")
        start(waiter)
        view = LiveView(trace, [holder, waiter], stop=leave)
        await soon(lambda: "waiter waits for lock_x, which holder holds." in waits(view).value, "the graph")
        await soon(lambda: rows(view)[1].words.value == "waits for lock_x, which holder holds", "words")
        assert rows(view)[0].words.value == "working"
        view.stop()
        await view
        assert waits(view).value == ""

    run(main())
    assert [repr(each) for each in shown[1:]] == ["<Timeline>"]
