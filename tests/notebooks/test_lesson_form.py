"""Every lesson is written as lessons are: the rules a program can hold, one test for each rule and lesson."""

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from tests.notebooks.rules import RULES, links
from tests.notebooks.stored import read, text_of, tidied

ROOT: Final = Path(__file__).parents[2]
LESSONS: Final = sorted((ROOT / "notebooks").glob("*.ipynb"))
WORKERS: Final = sorted((ROOT / "helpers" / "workers").glob("*.py"))

each_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)


def test_lessons_are_numbered_without_gaps_and_named_in_small_letters() -> None:
    assert len(LESSONS) == 19
    assert [path.stem[:3] for path in LESSONS] == [f"{number:02}_" for number in range(len(LESSONS))]
    assert [path.stem for path in LESSONS if not re.fullmatch("[0-9]{2}(_[a-z]+)+", path.stem)] == []


@each_lesson
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule(rule: Callable[[Any], list[str]], path: Path) -> None:
    assert rule(read(path)) == []


@each_lesson
def test_links(path: Path) -> None:
    assert links(read(path), path.parent) == []


@each_lesson
def test_file_is_in_canonical_form(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == text_of(tidied(read(path))), "run tests/canonical.py on it"


@pytest.mark.parametrize("path", WORKERS, ids=lambda path: path.stem)
def test_workers_never_print(path: Path) -> None:
    # Their words come in random order, and on Windows not at all.
    names = [node.id for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Name)]
    assert "print" not in names
