"""The guide shows what was measured, on a page in a frame of its own, which nbval does not compare."""

import html
import json
import re
from pathlib import Path

import pytest

from helpers.panels.decision_guide import Charge, DecisionGuide
from helpers.panels.engines import ENGINES

LESSON = Path(__file__).parents[2] / "notebooks" / "15_one_worker_every_engine.ipynb"
SANITIZE = Path(__file__).parents[1] / "notebooks" / "sanitize.cfg"
MEASURED = {"threads": Charge(start=3.0, task=25.0), "dask": Charge(start=2400.0, task=2100.0)}


def rows(guide: DecisionGuide) -> dict[str, list[str]]:
    found = re.findall(r"<tr><th>(\w+)</th>(.*?)</tr>", guide.page)
    return {name: re.findall(r"<td>(.*?)</td>", cells) for name, cells in found}


def test_every_engine_has_a_row_with_what_was_measured() -> None:
    shown = rows(DecisionGuide(MEASURED))
    assert list(shown) == list(ENGINES)
    assert shown["threads"][-2:] == ["3 ms", "25 µs"]
    assert shown["dask"][-2:] == ["2,400 ms", "2,100 µs"]
    assert shown["interpreters"][-2:] == ["", ""]
    assert all(name in DecisionGuide({}).page.partition("<table")[0] for name in ENGINES)


def test_the_lessons_diagram_leads_to_the_same_answers_in_the_same_order() -> None:
    cells = json.loads(LESSON.read_text(encoding="utf-8"))["cells"]
    (diagram,) = [source for cell in cells if "flowchart TD" in (source := "".join(cell["source"]))]
    ends = re.findall(r'--> (\w+)(?:\["(.*?)"\])?$', diagram, re.MULTILINE)  # a question is in round brackets
    answers = re.findall(r"<li>[^<]* <b>(.*?)</b></li>", DecisionGuide({}).page)
    assert [words or name for name, words in ends] == answers
    assert len(answers) == 7


def test_numbers_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="must be finite and 0 or more, got nan"):
        DecisionGuide({"serial": Charge(1.0, float("nan"))})


def test_the_page_stands_whole_in_a_frame() -> None:
    guide = DecisionGuide(MEASURED)
    framed = re.search(r'srcdoc="([^"]*)"', guide._repr_html_())
    assert framed is not None
    assert html.unescape(framed[1]) == guide.page
    assert guide.page.count("print()") == 1
    assert "http" not in guide.page


def test_its_output_is_the_same_in_every_run() -> None:
    pattern = re.search(r"regex: (.*)", SANITIZE.read_text())
    assert pattern is not None
    assert re.sub(pattern[1], "PICTURE", DecisionGuide(MEASURED)._repr_html_()) == "PICTURE"
    assert repr(DecisionGuide(MEASURED)) == "<DecisionGuide>"
