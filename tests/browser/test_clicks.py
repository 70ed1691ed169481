"""A blocking cell freezes the interface and an awaiting cell does not: the ground that the lessons stand on.

No clock is read: the cell runs until the test opens a gate, which is a file.
"""

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.lab import Lab
from tests.browser.lab_server import JupyterServer
from tests.browser.making import code, made

CELL = """
import asyncio
import time
from pathlib import Path

from ipywidgets import Button

events = []

def answer(button):
    events.append("click answered")
    button.description = "Answered"

button = Button(description="Press")
button.on_click(answer)
display(button)
deadline = time.monotonic() + 60
while not Path({gate!r}).exists() and time.monotonic() < deadline:
    {pause}
events.append("cell ended")
"""


def open_cell(lab: Lab, server: JupyterServer, gate: Path, pause: str) -> None:
    """Run a cell that shows a button and goes on until `gate` exists, and wait until the button is there."""
    cell = code(CELL.format(gate=str(gate), pause=pause))
    lab.open(made(server, cell, code("print(*events, sep=', ')")))
    lab.run_cell(0, wait=False)
    expect(lab.button("Press")).to_be_visible(timeout=30_000)


def order_of_events(lab: Lab) -> str:
    lab.wait_until_idle()
    lab.run_cell(1)
    return lab.cells()[1].text.strip()


def test_a_click_during_a_blocking_cell_waits_for_its_end(lab: Lab, server: JupyterServer, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    open_cell(lab, server, gate, "time.sleep(0.01)")
    lab.click("Press")
    lab.page.wait_for_timeout(1500)  # time enough to answer, if it could be answered
    assert lab.button("Answered").count() == 0
    gate.touch()
    expect(lab.button("Answered")).to_be_visible(timeout=30_000)
    assert order_of_events(lab) == "cell ended, click answered"


def test_a_click_during_an_awaiting_cell_is_answered_at_once(lab: Lab, server: JupyterServer, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    open_cell(lab, server, gate, "await asyncio.sleep(0.01)")
    lab.click("Press")
    expect(lab.button("Answered")).to_be_visible(timeout=30_000)
    gate.touch()
    assert order_of_events(lab) == "click answered, cell ended"
