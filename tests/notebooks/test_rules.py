"""The rules find what they forbid: a lesson that breaks none, and one change for each breach."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.notebooks import rules

Notebook = Any


@pytest.fixture
def lesson() -> Notebook:
    """A lesson that breaks no rule."""
    title = "# Keep it alive\n\nYou will be able to wait.\n\n15 minutes"
    return new_notebook(
        cells=[
            new_markdown_cell(title),
            new_code_cell("from threading import Thread", execution_count=1),
            new_code_cell("await wait()\n%precision 3", execution_count=2),
            new_code_cell("nothing_left()", execution_count=3),
            new_markdown_cell("What you learned: [the docs](https://docs.python.org)"),
        ]
    )


def output(lesson: Notebook, **parts: Any) -> None:
    lesson.cells[2].outputs = [new_output(**parts)]


def tag(lesson: Notebook, *names: str) -> None:
    lesson.cells[2].metadata["tags"] = list(names)


def source(lesson: Notebook, text: str, place: int = 3) -> None:
    lesson.cells[place - 1].source = text


def skip(lesson: Notebook, times: int, reason: str) -> None:
    cell = new_code_cell(f"{reason}\n1", metadata={"tags": ["nbval-ignore-output"]})
    lesson.cells[2:2] = [cell] * times


ERROR = {"output_type": "error", "ename": "E", "evalue": "", "traceback": []}
STDERR = {"output_type": "stream", "name": "stderr", "text": "no"}
OWN_TARGET = "def work(): ...\nProcess(target=work).start()"

BREACHES: list[tuple[Callable[[Notebook], list[str]], str, Callable[[Notebook], object]]] = [
    (rules.stored_run, "is None, must be 2", lambda lesson: lesson.cells[2].update(execution_count=None)),
    (rules.stored_run, "is 5, must be 2", lambda lesson: lesson.cells[2].update(execution_count=5)),
    (rules.stored_run, "stderr is stored", lambda lesson: output(lesson, **STDERR)),
    (rules.stored_run, "an error must", lambda lesson: output(lesson, **ERROR)),
    (rules.stored_run, "an error must", lambda lesson: tag(lesson, "raises-exception")),
    (
        rules.diagrams,
        "not seen in the dark theme",
        lambda lesson: source(lesson, "```mermaid\nflowchart LR\n    a --> b\n```", 5),
    ),
    (
        rules.diagrams_in_words,
        "accDescr",
        lambda lesson: source(lesson, "```mermaid\nflowchart LR\n    accTitle: Two\n    a --> b\n```", 5),
    ),
    (
        rules.opening,
        "start with",
        lambda lesson: source(lesson, "## Keep\n\nYou will be able to wait.\n\n15 minutes", 1),
    ),
    (rules.opening, "minutes", lambda lesson: source(lesson, "# Keep\n\nYou will be able to wait", 1)),
    (rules.opening, "must be prose", lambda lesson: lesson.cells.reverse() or lesson.cells.pop(0)),
    (rules.imports, "[2, 3]", lambda lesson: source(lesson, "def work():\n    import os")),
    (rules.imports, "[]", lambda lesson: source(lesson, "1", 2)),
    (rules.lengths, "21 lines", lambda lesson: source(lesson, "1\n" * 21)),
    (rules.lengths, "121 words", lambda lesson: source(lesson, "word " * 121, 5)),
    (rules.banned, "clears itself", lambda lesson: source(lesson, "display.clear_output(wait=True)")),
    (rules.banned, "changes later", lambda lesson: source(lesson, "display(1, display_id=True)")),
    (rules.banned, "Output widget", lambda lesson: source(lesson, "out = widgets.Output()")),
    (rules.banned, "not clocks", lambda lesson: source(lesson, "%%time\nwork()")),
    (rules.banned, "nobody answers", lambda lesson: source(lesson, "name = input('name?')")),
    (rules.banned, "use a tag", lambda lesson: source(lesson, "# NBVAL_IGNORE_OUTPUT\nwork()")),
    (rules.uncompared, "say why", lambda lesson: skip(lesson, 1, "# so")),
    (rules.uncompared, "3 cells", lambda lesson: skip(lesson, 3, "# Not compared: random")),
    (rules.functions_for_processes, "runs work", lambda lesson: source(lesson, OWN_TARGET)),
    (rules.ending, "nothing_left()", lambda lesson: source(lesson, "print('all gone')", 4)),
    (rules.ending, "must be prose", lambda lesson: lesson.cells.pop()),
]


@pytest.mark.parametrize("rule", rules.RULES)
def test_a_good_lesson_breaks_none(rule: Callable[[Notebook], list[str]], lesson: Notebook) -> None:
    assert rule(lesson) == []


@pytest.mark.parametrize(("rule", "words", "change"), BREACHES)
def test_a_breach_is_named(
    rule: Callable[[Notebook], list[str]],
    words: str,
    change: Callable[[Notebook], object],
    lesson: Notebook,
) -> None:
    change(lesson)
    (said,) = rule(lesson)
    assert words in said


def test_what_is_allowed(lesson: Notebook) -> None:
    skip(lesson, 2, "# Not compared: random")
    source(lesson, "| a " * 200 + "|\n\n```mermaid\n" + "a --> b\n" * 50 + "```\n", 7)
    assert rules.lengths(lesson) == []
    source(lesson, OWN_TARGET, 5)
    lesson.cells[4].metadata["tags"] = [rules.WHY_NOT]
    assert rules.uncompared(lesson) == rules.functions_for_processes(lesson) == []


def test_links_lead_somewhere(lesson: Notebook, tmp_path: Path) -> None:
    source(lesson, "[next](02_next.ipynb) and [here](#here)", 5)
    (said,) = rules.links(lesson, tmp_path)
    assert "02_next.ipynb" in said
    (tmp_path / "02_next.ipynb").touch()
    assert rules.links(lesson, tmp_path) == []
