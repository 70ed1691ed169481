"""The lab, worked by its buttons: what a click leads to, in what order, and that nothing is left of it.

Widgets work without a kernel, where their messages go nowhere.
"""

import asyncio
import multiprocessing
import re
import threading
from collections.abc import Callable, Coroutine
from html import unescape
from typing import Any

import pytest
from ipywidgets import HTML, Button, Widget

from helpers.observe.lab.program import Program
from helpers.panels import lab as lab_module
from helpers.panels.lab import Lab
from helpers.panels.lab_board import FRESH
from tests.panels.lab_programs import DEADLOCK, FIXED, LOST_UPDATE, add, f1, fail, make, make_a_queue, make_endlessly

pytestmark = pytest.mark.usefixtures("left_as_found")
LIMIT = 50.0


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab_module, "PACE", 0.01)


def play(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(scene(), LIMIT))


def all_in(widget: Widget) -> list[Widget]:
    return [widget, *(below for child in getattr(widget, "children", ()) for below in all_in(child))]


def buttons(lab: Lab) -> dict[str, Button]:
    return {widget.description: widget for widget in all_in(lab) if isinstance(widget, Button)}


def text(lab: Lab) -> str:
    """All that can be read, but the styles."""
    html = " ".join(widget.value for widget in all_in(lab) if isinstance(widget, HTML))
    return " ".join(unescape(re.sub("<style>.*?</style>|<[^>]*>", " ", html, flags=re.DOTALL)).split())


async def until(condition: Callable[[], object]) -> None:
    while not condition():  # noqa: ASYNC110 (what is waited for is what a learner would see)
        await asyncio.sleep(0.001)


async def quiet(lab: Lab) -> None:
    """Wait until nothing goes on."""
    await asyncio.sleep(0)  # a click is handed to the loop
    await until(lambda: not lab._tasks)


async def opened(program: Program, fix: Program | None = None) -> Lab:
    lab = Lab(program, fix=fix)
    await quiet(lab)
    return lab


async def click(lab: Lab, *names: str) -> None:
    for name in names:
        assert not buttons(lab)[name].disabled, f"{name} cannot be clicked"
        buttons(lab)[name].click()
        await quiet(lab)


def steps(lab: Lab) -> tuple[int, ...]:
    return lab._walk.path[-1].steps


def enabled(lab: Lab) -> set[str]:
    return {name for name, button in buttons(lab).items() if not button.disabled}


def test_its_text_names_the_threads():
    async def scene() -> None:
        assert repr(await opened(DEADLOCK)) == "<Lab: f1, f2>"
        assert repr(await opened(LOST_UPDATE)) == "<Lab: add 1, add 2>"

    play(scene)


def test_only_a_program_can_be_shown_and_only_with_an_event_loop():
    with pytest.raises(RuntimeError, match="needs a running event loop"):
        Lab(DEADLOCK)

    async def scene() -> None:
        for wrong in (f1, [f1, f1]):
            with pytest.raises(TypeError, match=r"Lab shows a Program, got .*Program\(make"):
                Lab(wrong)  # type: ignore[arg-type] # the point of this test
            with pytest.raises(TypeError, match="Lab shows a Program"):
                Lab(DEADLOCK, fix=wrong)  # type: ignore[arg-type] # the same

    play(scene)


def test_at_first_both_threads_can_step_and_nothing_can_be_taken_back():
    async def scene() -> None:
        lab = await opened(DEADLOCK)
        assert enabled(lab) == {"Step f1", "Step f2", "Reset", "Find a bad schedule"}
        assert FRESH in text(lab)
        assert "next: acquire lock_x" in text(lab)
        assert "next: acquire lock_y" in text(lab)

    play(scene)


def test_two_steps_lead_to_the_deadlock_and_back_out_of_it():
    async def scene() -> None:
        lab = await opened(DEADLOCK)
        await click(lab, "Step f1")
        assert "1 step taken" in text(lab)
        assert "held by f1" in text(lab)
        await click(lab, "Step f2")
        assert "✖ Deadlock: f1 holds lock_x and waits for lock_y" in text(lab)
        assert "waits for lock_y, which f2 holds" in text(lab)
        assert enabled(lab) == {"Back", "Reset", "Find a bad schedule"}
        await click(lab, "Back")
        assert enabled(lab) == {"Step f1", "Step f2", "Back", "Reset", "Find a bad schedule"}
        assert steps(lab) == (0,)
        assert "✖" not in text(lab)
        await click(lab, "Step f1", "Reset")
        assert steps(lab) == ()
        assert FRESH in text(lab)

    play(scene)


def test_clicks_that_come_faster_than_answers_are_all_taken_in_order():
    async def scene() -> None:
        lab = await opened(LOST_UPDATE)
        for name in ("Step add 1", "Step add 2", "Step add 2", "Back", "Step add 1"):
            buttons(lab)[name].click()
        await quiet(lab)
        assert steps(lab) == (0, 1, 0)

    play(scene)


def test_a_step_that_is_no_longer_possible_does_nothing():
    async def scene() -> None:
        lab = await opened(DEADLOCK)
        for name in ("Step f1", "Step f2", "Step f2", "Step f1"):
            buttons(lab)[name].click()
        await quiet(lab)
        assert steps(lab) == (0, 1)
        assert "cannot go on" not in text(lab)

    play(scene)


def test_clicks_from_another_thread_are_handed_to_the_loop():
    async def scene() -> None:
        lab = await opened(DEADLOCK)
        subshell = threading.Thread(target=buttons(lab)["Step f2"].click)
        subshell.start()
        await asyncio.to_thread(subshell.join)
        await quiet(lab)
        assert steps(lab) == (1,)

    play(scene)


def test_a_bad_schedule_is_found_and_replayed():
    async def scene() -> None:
        lab = await opened(LOST_UPDATE)
        await click(lab, "Step add 2", "Find a bad schedule")
        assert steps(lab) == (1,)  # the stage is left alone
        assert "✖ Found: a wrong result after" in text(lab)
        await click(lab, "Replay")
        assert steps(lab) == lab._walk.bad != ()
        assert lab._walk.path[-1].verdict is not None
        assert [len(situation.steps) for situation in lab._walk.path] == list(range(len(lab._walk.path)))

    play(scene)


def test_reset_ends_a_replay_and_a_search():
    async def scene() -> None:
        lab = await opened(LOST_UPDATE)
        await click(lab, "Find a bad schedule")
        lab_module.PACE = 30.0
        buttons(lab)["Replay"].click()
        await until(lambda: "Replay:" in text(lab))
        await click(lab, "Reset")
        assert steps(lab) == ()
        assert "Replay:" not in text(lab)
        buttons(lab)["Find a bad schedule"].click()
        await until(multiprocessing.active_children)
        assert "Trying all schedules" in text(lab)
        await click(lab, "Reset")
        assert "Trying" not in text(lab)
        assert multiprocessing.active_children() == []

    play(scene)


def test_a_step_takes_over_from_a_replay():
    async def scene() -> None:
        lab = await opened(LOST_UPDATE)
        await click(lab, "Find a bad schedule")
        lab_module.PACE = 30.0
        buttons(lab)["Replay"].click()
        await until(lambda: "Replay:" in text(lab))
        await click(lab, "Step add 2")
        assert steps(lab) == (1,)
        assert "Replay:" not in text(lab)

    play(scene)


def test_a_right_program_is_said_to_be_right():
    async def scene() -> None:
        lab = await opened(FIXED)
        await click(lab, "Find a bad schedule")
        assert re.search(r"✔ All \d+ schedules end well\.", text(lab))
        assert "Replay" not in enabled(lab)

    play(scene)


def test_the_fix_is_put_on_the_stage_and_proved():
    async def scene() -> None:
        lab = await opened(DEADLOCK, FIXED)
        await click(lab, "Step f2", "Prove the fix")
        assert lab._versions.value == "the fix"
        assert "Step in_order" in buttons(lab)
        assert "schedules end well" in text(lab)
        await click(lab, "Step in_order", "Step in_order")
        lab._versions.value = "the program"
        await quiet(lab)
        assert steps(lab) == (1,)  # as it was left
        assert "Step f2" in buttons(lab)
        assert "end well" not in text(lab)
        lab._versions.value = "the fix"
        await quiet(lab)
        assert steps(lab) == (1, 1)

    play(scene)


def test_a_fix_that_is_none_is_found_out_and_can_be_replayed():
    async def scene() -> None:
        lab = await opened(FIXED, DEADLOCK)
        await click(lab, "Prove the fix", "Replay")
        assert steps(lab) == (0, 1)
        assert "✖ Deadlock" in text(lab)

    play(scene)


def test_an_error_of_a_thread_is_shown_as_it_is():
    async def scene() -> None:
        lab = await opened(Program(make, [fail, add]))
        await click(lab, "Step fail")
        assert "failed: KeyError: '<b>4'" in text(lab)
        assert not any("<b>4" in widget.value for widget in all_in(lab) if isinstance(widget, HTML))
        assert "Step add" in enabled(lab)

    play(scene)


def test_a_program_that_the_lab_does_not_know_is_refused_in_words():
    async def scene() -> None:
        lab = await opened(Program(make_a_queue, [add]))
        assert "✖ The lab cannot go on." in text(lab)
        assert "items" in text(lab)
        assert "Step add" not in enabled(lab)
        await click(lab, "Find a bad schedule")
        assert "items" in text(lab)

    play(scene)


def test_reset_is_answered_while_the_program_does_not_even_start():
    async def scene() -> None:
        lab = Lab(Program(make_endlessly, [add]))
        await asyncio.sleep(0.01)
        for _ in range(3):
            buttons(lab)["Reset"].click()
            await asyncio.sleep(0.01)
            assert len(multiprocessing.active_children()) <= 1
        for task in lab._tasks:
            task.cancel()
        await quiet(lab)
        assert multiprocessing.active_children() == []

    play(scene)


def test_an_open_lab_that_nobody_clicks_holds_nothing():
    async def scene() -> None:
        lab = await opened(DEADLOCK, FIXED)
        await click(lab, "Step f1", "Step f2", "Find a bad schedule", "Replay", "Prove the fix", "Step f1")
        assert multiprocessing.active_children() == []
        assert not lab._tasks

    play(scene)
