"""Every lesson is written as lessons are: the rules a program can hold, one test for each rule and lesson."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from tests.notebooks.rules import RULES, links
from tests.notebooks.stored import read, text_of, tidied

ROOT: Final = Path(__file__).parents[2]
LESSONS: Final = sorted((ROOT / "notebooks").glob("*.ipynb"))
WORKERS: Final = sorted((ROOT / "helpers" / "workers").glob("*.py"))
# The order in which the lessons are read; not all are written yet.
TABLE: Final = (
    "00_start_here",
    "01_a_frozen_interface",
    "02_a_thread_keeps_it_alive",
    "03_one_core_at_a_time",
    "04_stopping_what_you_started",
    "05_a_process_instead",
    "06_a_deadlock_you_can_watch",
    "07_races_and_what_is_atomic",
    "08_copies_instead_of_locks",
    "09_locks_between_processes",
    "10_one_owner_many_senders",
    "11_pools_and_futures",
    "12_when_workers_fail",
    "13_sharing_memory",
    "14_async_and_processes",
    "15_one_worker_every_engine",
    "16_beyond_one_machine",
    "17_an_explorer_that_never_freezes",
    "18_the_article_today",
)

each_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)


def test_names() -> None:
    assert [path.stem for path in LESSONS if path.stem not in TABLE] == []


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
