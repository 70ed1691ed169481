"""Words that want to be more than words, in panels and pictures: shown as words, and the page stays whole."""

import json

import pytest

from tests.browser.access import Access
from tests.browser.lab import Lab
from tests.browser.lab_server import JupyterServer
from tests.browser.making import code, made
from tests.hostile import HOSTILE

START = """
import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

from helpers.observe.lab.program import Program
from helpers.observe.trace import Trace
from helpers.observe.waits import Hold, Wait, Waits
from helpers.panels.bar_chart import BarChart
from helpers.panels.exercise import Exercise, Property
from helpers.panels.heat_table import HeatTable
from helpers.panels.lab import Lab
from helpers.panels.line_chart import LineChart
from helpers.panels.live_view import LiveView
from helpers.panels.pool_view import PoolView
from helpers.panels.prediction import Prediction
from helpers.panels.sandbox import in_sandbox
from helpers.panels.wait_graph import WaitGraph

WORDS = [words for words in json.loads(Path("hostile.json").read_text()) if words]
SCRIPT = WORDS[0]

def fail(words):
    raise RuntimeError(words)
"""
# By what they show.
PANELS = {
    "workers": """
def speak(trace, words):
    with trace.span(words):
        trace.note(words)
    if words is SCRIPT:
        fail(words)

threading.excepthook = lambda _: None  # its words would stand in the cell, as the page shows any text
with Trace() as trace:
    workers = [threading.Thread(target=speak, args=(trace, words), name=words) for words in WORDS]
    for worker in workers:
        worker.start()
    await LiveView(trace, workers);
""",
    "tasks": """
with Trace() as trace, ThreadPoolExecutor(2) as pool:
    ending = await PoolView(trace, pool, {words: pool.submit(fail, words) for words in WORDS})
ending
""",
    "bars": "BarChart({words: place for place, words in enumerate(WORDS)}, unit=SCRIPT)",
    "cells": "HeatTable({words: {other: 1 for other in WORDS[:3]} for words in WORDS}, unit=SCRIPT)",
    "lines": "LineChart({words: {1: 2, 3: 4} for words in WORDS[:5]}, x=SCRIPT, y=SCRIPT)",
    "waits": """
WaitGraph(
    Waits(
        tuple(Hold(words, words) for words in WORDS[:6]),
        tuple(Wait(words, other, False) for words, other in zip(WORDS[:6], WORDS[1:7])),
    )
)
""",
    "a question": "Prediction(SCRIPT, *WORDS)",
    "an answer to it": "Prediction(SCRIPT, *WORDS).compare(SCRIPT, because=' '.join(WORDS))",
    "an exercise's answer": """
Exercise(*(Property(words, lambda answer: None) for words in WORDS), Property('', lambda answer: answer()))(
    lambda: SCRIPT
)
""",
    "what was printed": "await in_sandbox(print, *WORDS[:20])",
    "what was raised": "await in_sandbox(fail, SCRIPT)",
    "the lab": """
def renamed(words):
    def thread(shared):
        shared.x = shared.x + 1
        raise RuntimeError(words)
    thread.__name__ = words
    return thread

lab = Lab(Program(lambda: SimpleNamespace(x=1), [renamed(words) for words in WORDS[:4]]))
lab
""",
}
# Elements that only our strings would make.
THEIRS = "script, img[src=x], [onclick], [onerror], [onmouseover], a[href^=javascript], title + script, b[onclick]"


@pytest.fixture
def shown(lab: Lab, server: JupyterServer) -> Lab:
    """All panels with all strings."""
    (server.folder / "hostile.json").write_text(json.dumps(list(HOSTILE.values())))
    lab.open(made(server, code(START), *map(code, PANELS.values())))
    lab.run_all()
    return lab


def test_hostile_words_are_shown_as_words(shown: Lab) -> None:
    assert shown.errors() == []
    assert shown.complaints == []
    outputs = shown.panel.locator(".jp-CodeCell .jp-Cell-outputArea")
    words = HOSTILE["script"]
    assert [
        name for name, text in zip(PANELS, outputs.all_text_contents()[1:], strict=True) if words not in text
    ] == []
    assert outputs.locator(THEIRS).count() == 0
    assert shown.page.evaluate("() => window.hostile ?? null") is None
    assert Access(shown).magnified() == []
