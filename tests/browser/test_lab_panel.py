"""The deadlock lab, played as a learner does: by mouse, by keyboard, to the deadlock, and to the proof of the fix."""

import re
from collections.abc import Iterator
from time import monotonic

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.lab import SOON, Lab
from tests.browser.lab_server import JupyterServer
from tests.browser.making import code, made
from tests.browser.test_panels import NOTHING

IMPORTS = """
import threading
from types import SimpleNamespace

import helpers.panels.lab
from helpers.observe.lab.program import Program
from helpers.observe.leftovers import nothing_left
from helpers.panels.lab import Lab
"""
PROGRAM = """
def make():
    return SimpleNamespace(lock_x=threading.Lock(), lock_y=threading.Lock(), x=4, y=6)

def f1(shared):
    with shared.lock_x:
        with shared.lock_y:
            shared.x = shared.x + shared.y

def f2(shared):
    with shared.lock_y:
        with shared.lock_x:
            shared.y = shared.y * 2

def f2_in_order(shared):
    with shared.lock_x:
        with shared.lock_y:
            shared.y = shared.y * 2

Lab(Program(make, [f1, f2]), fix=Program(make, [f1, f2_in_order]))
"""
SLOWER = "helpers.panels.lab.PACE = 4.0"
DEADLOCK = "✖ Deadlock: f1 holds lock_x and waits for lock_y; f2 holds lock_y and waits for lock_x."


@pytest.fixture
def stage(lab: Lab, server: JupyterServer) -> Iterator[Locator]:
    """The lab's panel, ready to be played; after the test, its kernel has nothing left."""
    lab.open(made(server, code(IMPORTS), code(PROGRAM), code("print(nothing_left())"), code(SLOWER)))
    lab.run_cell(0)
    lab.run_cell(1)
    expect(lab.button("Step f1")).to_be_enabled()
    yield lab.panel.locator(".pc-lab")
    lab.run_cell(2)
    assert lab.cells()[2].text.strip() == NOTHING
    assert lab.errors() == []
    assert lab.complaints == []


def sees(stage: Locator, words: str | re.Pattern[str]) -> None:
    """Wait until the panel says so."""
    expect(stage.get_by_text(words).first).to_be_visible()


def marked(stage: Locator) -> list[str]:
    """The lines beside which a thread's name stands, as "▶ f1: with shared.lock_x:"."""
    rows = stage.locator(".pc-line", has=stage.page.locator(".pc-mark"))
    return [": ".join(" ".join(part.split()) for part in row.split("\n", 1)) for row in rows.all_inner_texts()]


def shows(stage: Locator, *lines: str) -> None:
    """Wait until these lines are marked: they come by another message than the words."""
    until = monotonic() + SOON
    while marked(stage) != list(lines):
        assert monotonic() < until, f"marked are {marked(stage)}"
        stage.page.wait_for_timeout(50)


def test_two_clicks_lead_to_the_deadlock_and_one_takes_it_back(lab: Lab, stage: Locator) -> None:
    shows(stage, "▶ f1: with shared.lock_x:", "▶ f2: with shared.lock_y:")
    lab.click("Step f1")
    sees(stage, "1 step taken. Who goes next?")
    shows(stage, "▶ f1: with shared.lock_y:", "▶ f2: with shared.lock_y:")
    lab.click("Step f2")
    sees(stage, DEADLOCK)
    shows(stage, "❚❚ f1: with shared.lock_y:", "❚❚ f2: with shared.lock_x:")
    sees(stage, "waits for lock_y, which f2 holds")
    expect(lab.button("Step f1")).to_be_disabled()
    expect(lab.button("Step f2")).to_be_disabled()
    expect(stage.get_by_role("img", name=re.compile("^Deadlock: "))).to_be_visible()
    lab.click("Back")
    sees(stage, "1 step taken. Who goes next?")
    expect(lab.button("Step f2")).to_be_enabled()


def test_the_lab_is_played_by_keyboard(lab: Lab, stage: Locator) -> None:
    keys = lab.page.keyboard
    lab.button("Step f1").focus()
    keys.press("Enter")
    sees(stage, "1 step taken")
    expect(lab.button("Step f1")).to_be_focused()
    keys.press("Space")
    sees(stage, "2 steps taken")
    expect(lab.button("Step f1")).to_be_focused()
    expect(lab.button("Step f2")).to_be_disabled()  # f1 holds both locks
    for name in ("Back", "Reset", "Find a bad schedule", "Prove the fix"):  # there is nothing to replay yet
        keys.press("Tab")
        expect(lab.button(name)).to_be_focused()
    lab.button("Reset").focus()
    keys.press("Enter")
    sees(stage, "You are the scheduler.")
    for name in ("Step f1", "Step f2"):
        expect(lab.button(name)).to_be_enabled()
        lab.button(name).focus()
        keys.press("Space")
    sees(stage, DEADLOCK)


def test_a_bad_schedule_is_found_and_replayed_and_reset_stops_the_replay(lab: Lab, stage: Locator) -> None:
    expect(lab.button("Replay")).to_be_disabled()
    lab.click("Find a bad schedule")
    sees(stage, "✖ Found: a deadlock after 2 steps. Press Replay to watch it happen.")
    assert stage.get_by_text(DEADLOCK).count() == 0
    lab.click("Replay")
    sees(stage, DEADLOCK)
    steps = [re.compile(r"^1\.\s*■\s*f1 acquires lock_x$"), re.compile(r"^2\.\s*■\s*f2 acquires lock_y$")]
    expect(stage.locator(".pc-steps li")).to_have_text(steps)  # it comes by another message
    lab.run_cell(3)  # so that the moment cannot be missed
    lab.click("Replay")
    sees(stage, "Replay: step 1 of 2.")
    lab.click("Reset")
    sees(stage, "You are the scheduler.")
    lab.page.wait_for_timeout(4500)  # time enough for the step that must not come
    expect(stage.get_by_text("none yet")).to_be_visible()
    lab.click("Step f2")
    sees(stage, "1 step taken")


def test_the_fix_is_proved_and_can_be_played(lab: Lab, stage: Locator) -> None:
    lab.click("Prove the fix")
    sees(stage, re.compile(r"^✔ All \d+ schedules end well\.$"))
    lab.click("Step f2_in_order")
    sees(stage, "waits for lock_x, which f2_in_order holds")
    expect(lab.button("Step f1")).to_be_disabled()
    lab.click("the program")
    expect(lab.button("Step f2")).to_be_enabled()
    expect(lab.button("Step f2_in_order")).to_have_count(0)
