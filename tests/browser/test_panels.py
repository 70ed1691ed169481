"""The panels of the lessons, worked by mouse and by keyboard as a learner does."""

import re

from playwright.sync_api import expect

from tests.browser.lab import Lab
from tests.browser.lab_server import JupyterServer
from tests.browser.making import code, made

NOTHING = "Nothing is left: no process, no thread, no open trace."

ENDLESS = """
import multiprocessing

from helpers.observe.leftovers import nothing_left
from helpers.observe.trace import Trace
from helpers.panels.live_view import LiveView
from helpers.workers.computing import call_without_end, compute_without_end

ended = {}
with Trace() as trace:
    workers = [
        multiprocessing.Process(target=target, args=(trace,), name=target.__name__)
        for target in (call_without_end, compute_without_end)
    ]
    for worker in workers:
        worker.start()
    ended = await LiveView(trace, workers)
"""


def index_of(lab: Lab, part: str) -> int:
    """The first cell that holds `part`."""
    return next(index for index, cell in enumerate(lab.cells()) if part in cell.source)


def filled(lab: Lab) -> int:
    """How full the first bar is, in percent."""
    style = lab.panel.locator(".progress-bar").first.get_attribute("style") or ""
    share = re.search(r"width: ([\d.]+)%", style)
    return round(float(share[1])) if share else 0


def test_the_bar_moves_and_stop_stops_a_thread(lab: Lab) -> None:
    lab.open("02_a_thread_keeps_it_alive.ipynb")
    lab.run_cell(0)
    index = index_of(lab, "args=(trace, 4.0, stop)")
    lab.change(index, "4.0", "60.0")  # time enough on any machine
    lab.run_cell(index, wait=False)
    expect(lab.button("Stop")).to_be_enabled()
    seen: set[int] = set()
    while len(seen) < 4 and lab.button("Stop").is_enabled():
        seen.add(filled(lab))
        lab.page.wait_for_timeout(50)
    assert len(seen) == 4, f"the bar was only seen at {seen} percent"
    lab.click("Stop")
    lab.wait_until_idle()
    assert "stopped (as it was asked to)" in lab.cells()[index].text
    assert filled(lab) < 100
    lab.change(index, "60.0", "4.0")
    lab.run_cell(index)
    assert "finished" in lab.cells()[index].text
    assert filled(lab) == 100


def test_stop_and_interrupt_end_processes_that_never_look(lab: Lab, server: JupyterServer) -> None:
    lab.open(made(server, code(ENDLESS), code("print(nothing_left(), *ended.values(), sep='; ')")))
    lab.run_cell(0, wait=False)
    expect(lab.panel.get_by_text(re.compile("working$"))).to_have_count(2)
    lab.click("Stop")
    lab.wait_until_idle()
    lab.run_cell(1)
    assert lab.cells()[1].text.count("stopped (ended by SIG") == 2
    assert NOTHING in lab.cells()[1].text
    lab.run_cell(0, wait=False)
    expect(lab.panel.get_by_text(re.compile("working$"))).to_have_count(2)
    lab.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:interrupt-kernel'); }")
    lab.wait_until_idle()
    assert len(lab.errors()) == 1, "the cell should say that it was interrupted"
    lab.run_cell(1)
    assert lab.cells()[1].text.strip() == NOTHING


def test_the_heart_beats_and_a_prediction_is_made_by_keyboard(lab: Lab) -> None:
    lab.open("01_a_frozen_interface.ipynb")
    lab.run_cell(0)
    index = index_of(lab, "await asyncio.sleep(3)")
    lab.change(index, "await asyncio.sleep(3)", "while not pulse.clicks: await asyncio.sleep(0.02)")
    lab.run_cell(index, wait=False)
    lab.click("Are you there?")
    expect(lab.panel.get_by_text("1 click answered")).to_be_visible()
    lab.wait_until_idle()
    assert "longest freeze" in lab.cells()[index].text
    lab.run_cell(index_of(lab, "asleep = Prediction("))
    lab.panel.get_by_role("radio", name="yes, as if it were computing").focus()
    lab.page.keyboard.press("Space")
    expect(lab.button("Commit")).to_be_enabled()
    lab.button("Commit").focus()
    lab.page.keyboard.press("Enter")
    expect(lab.panel.get_by_text("You are committed")).to_be_visible()
    lab.run_cell(index_of(lab, "time.sleep(2)"))
    compare = index_of(lab, "asleep.compare(")
    lab.run_cell(compare)
    assert "You saw it coming." in lab.cells()[compare].text
