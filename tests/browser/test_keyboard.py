"""Work is stopped, a twin is unfolded and a dead interface is tried, all without a mouse."""

import re

from playwright.sync_api import expect

from tests.browser.lab import Lab
from tests.browser.lab_server import JupyterServer
from tests.browser.making import code, made
from tests.browser.test_panels import ENDLESS, NOTHING

PULSE = """
import asyncio

from helpers.observe.trace import Trace
from helpers.panels.pulse import Pulse
from helpers.panels.timeline import Timeline

with Trace() as trace, Pulse(trace) as pulse:
    while not pulse.clicks:
        await asyncio.sleep(0.02)
Timeline(trace)
"""


def test_processes_that_never_look_are_stopped(lab: Lab, server: JupyterServer) -> None:
    lab.open(made(server, code(ENDLESS), code("print(nothing_left(), *ended.values(), sep='; ')")))
    lab.run_cell(0, wait=False)
    expect(lab.panel.get_by_text(re.compile("working$"))).to_have_count(2)
    lab.button("Stop").focus()
    lab.page.keyboard.press("Space")
    lab.wait_until_idle()
    expect(lab.button("Stop")).to_be_disabled()
    lab.run_cell(1)
    assert lab.cells()[1].text.count("stopped (ended by SIG") == 2
    assert NOTHING in lab.cells()[1].text


def test_a_click_and_the_picture_in_words(lab: Lab, server: JupyterServer) -> None:
    lab.open(made(server, code(PULSE)))
    lab.run_cell(0, wait=False)
    lab.button("Are you there?").focus()
    lab.page.keyboard.press("Enter")
    lab.wait_until_idle()
    expect(lab.panel.get_by_text("1 click answered")).to_be_visible()
    words = lab.panel.get_by_text("heartbeats,")
    expect(words).to_be_hidden()
    said = lab.panel.locator("summary", has_text="What was said")
    said.focus()
    lab.page.keyboard.press("Tab")
    expect(lab.panel.locator("summary", has_text="The picture in words")).to_be_focused()
    lab.page.keyboard.press("Enter")
    expect(words).to_be_visible()
