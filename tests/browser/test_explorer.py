"""The explorer of lesson 17, played as a learner does: a click while it draws, a click upon a click, and Close.

Every picture that the page shows is caught, and looked at: it must be of one view, and never of an older one than the
picture before it.
"""

import re
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from typing import Final

import pytest
from playwright.sync_api import Locator, expect

from helpers.workers.fractal import View
from tests.browser.lab import SOON, Lab
from tests.browser.lab_server import JupyterServer
from tests.browser.test_panels import NOTHING
from tests.panels.frames import read_png, views_shown, whole

LESSON: Final = "17_an_explorer_that_never_freezes.ipynb"
# What the explorer needs of the lesson's cells, by words of their own.
NEEDED: Final = (
    *("import asyncio", "tiles = fractal.tiles()", "newest = ", "def start(", "def draw(", "def stop("),
    *("def note_fate(", "explorer = Explorer("),
)
LEADS_TO: Final[dict[str, Callable[[View], View]]] = {
    "Left": lambda view: view.moved(-0.25, 0),
    "Up": lambda view: view.moved(0, -0.25),
    "Zoom in": lambda view: view.zoomed(0.5),
    "Zoom out": lambda view: view.zoomed(2),
}
CATCH: Final = """() => {
  window.frames_ = [];
  new MutationObserver(changes => {
    for (const {target} of changes) {
      if (!target.matches("img.widget-image")) continue;
      const place = window.frames_.push("") - 1;
      fetch(target.src).then(answer => answer.arrayBuffer()).then(bytes => {
        window.frames_[place] = btoa(String.fromCharCode(...new Uint8Array(bytes)));
      }).catch(() => null);  // the page has already let go of it
    }
  }).observe(document.body, {subtree: true, attributes: true, attributeFilter: ["src"]});
}"""
DRAWN: Final = re.compile("All drawn in")
CLOSED: Final = re.compile("Closed: no worker is left")


@pytest.fixture
def panel(lab: Lab) -> Iterator[Locator]:
    """The explorer, its first view drawn; after the test its kernel has nothing left."""
    lab.open(LESSON)
    sources = [cell.source for cell in lab.cells()]
    for words in NEEDED:
        lab.run_cell(next(place for place, source in enumerate(sources) if words in source))
    shown = lab.panel.locator(".pc-explorer")
    expect(shown.get_by_text(DRAWN)).to_be_visible()
    lab.page.evaluate(CATCH)
    yield shown
    lab.run_cell(len(sources) - 1)
    assert lab.cells()[-1].text.strip() == NOTHING
    assert lab.complaints == []


def set_number(lab: Lab, panel: Locator, name: str, words: str) -> None:
    """By keyboard."""
    panel.get_by_role("spinbutton", name=name).focus()
    for key in ("Control+a", *words, "Enter"):
        lab.page.keyboard.press(key)


def frames_up_to(lab: Lab, view: View) -> list[list[bytes]]:
    """The rows of every picture that was caught, once the last of them shows the whole of this view."""
    wanted = whole(view, 1)
    end = time.monotonic() + 3 * SOON
    while True:
        lab.page.wait_for_timeout(100)
        caught = [read_png(b64decode(each)).rows for each in lab.page.evaluate("() => window.frames_") if each]
        if caught and caught[-1] == wanted:
            return caught
        assert time.monotonic() < end, f"{len(caught)} pictures, and the last is not the whole {view}"


def assert_shown_in_order(lab: Lab, views: list[View]) -> None:
    """Each picture shows one of the views, in their order, and the last shows the whole of the last."""
    numbers = views_shown(frames_up_to(lab, views[-1]), views)
    assert -1 not in numbers
    assert numbers[-1] == len(views) - 1


def test_pan_and_zoom_while_it_draws(lab: Lab, panel: Locator) -> None:
    set_number(lab, panel, "iterations", "1000")  # so that a view takes seconds
    views = [View(), View().tried(1000)]
    for name in ("Zoom in", "Left", "Up", "Zoom out"):
        expect(panel.get_by_text("Drawing …")).to_be_visible()
        lab.click(name)
        views.append(LEADS_TO[name](views[-1]))
    assert_shown_in_order(lab, views)
    expect(panel.get_by_text(DRAWN)).to_be_visible()


def test_the_explorer_is_played_by_keyboard(lab: Lab, panel: Locator) -> None:
    keys = lab.page.keyboard
    lab.button("Left").focus()
    for name in ("Up", "Down", "Right"):
        keys.press("Tab")
        expect(lab.button(name)).to_be_focused()
    for _ in range(3):
        keys.press("Enter")
    expect(lab.button("Right")).to_be_focused()
    views = [View()]
    for _ in range(3):
        views.append(views[-1].moved(0.25, 0))
    assert_shown_in_order(lab, views)
    for number, words in (("iterations", "10"), ("workers", "1")):
        set_number(lab, panel, number, words)
    frames_up_to(lab, views[-1].tried(10))
    expect(panel.get_by_role("img", name="A picture of a fractal")).to_be_visible()


def test_close_while_it_draws_leaves_nothing_and_any_button_opens_it_again(
    lab: Lab, panel: Locator, server: JupyterServer
) -> None:
    before = server.processes()
    lab.click("Zoom in")
    lab.click("Close")
    expect(panel.get_by_text(CLOSED)).to_be_visible()
    end = time.monotonic() + SOON
    while len(server.processes()) > len(before) - 2:  # its two workers
        assert time.monotonic() < end, "the workers are still there"
        lab.page.wait_for_timeout(50)
    lab.click("Reset")
    frames_up_to(lab, View())
    expect(panel.get_by_text(DRAWN)).to_be_visible()
