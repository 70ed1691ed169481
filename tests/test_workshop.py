"""What WORKSHOP.md and CONTRIBUTING.md promise, held to the lessons and files that they speak of."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

ROOT: Final = Path(__file__).parents[1]
DOCUMENTS: Final = ("WORKSHOP.md", "CONTRIBUTING.md")
LESSONS: Final = sorted(path.name for path in (ROOT / "notebooks").glob("[0-9]*.ipynb"))
PLANS: Final = ("90 minutes", "Half a day", "A day")
FOLDERS: Final = r"(?:helpers|tests|benchmarks|notebooks|\.ci|\.devcontainer)"


class Row(NamedTuple):
    """A line of a plan."""

    clock: int
    minutes: int
    what: str
    together: str
    left_out: str

    @property
    def lesson(self) -> str | None:
        """The lesson's file, if the line is about one."""
        found = re.match(r"\[\d\d\]\(notebooks/(\S+?)\)", self.what)
        return found[1] if found else None


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def prose_of(lesson: str) -> list[str]:
    notebook = json.loads(text(f"notebooks/{lesson}"))
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]


def minutes_of(lesson: str) -> int:
    (found,) = re.findall(r"\*\*(\d+) minutes\*\*", prose_of(lesson)[0])
    return int(found)


def headings_of(lesson: str) -> set[str]:
    return {heading.strip() for prose in prose_of(lesson) for heading in re.findall(r"(?m)^##+ (.*)$", prose)}


def section(level: int, title: str) -> str:
    """What stands below a heading of WORKSHOP.md, up to the next of its level or above."""
    marks = "#" * level
    found = re.search(rf"(?ms)^{marks} {title}$(.*?)(?=^#{{1,{level}}} |\Z)", text("WORKSHOP.md"))
    assert found, f"no heading {marks} {title}"
    return found[1]


def plan(title: str) -> list[Row]:
    lines = re.findall(r"(?m)^\| (\d+):(\d\d) \| (\d+) \| (.*?) \| (.*?) ?\| (.*?) ?\|$", section(3, title))
    return [Row(60 * int(hour) + int(minute), int(took), *rest) for hour, minute, took, *rest in lines]


@pytest.mark.parametrize("title", PLANS)
def test_a_plan_s_minutes_add_up(title: str) -> None:
    rows = plan(title)
    promised = re.findall(r"\*\*(\d+) minutes(?:, (\d+) of them breaks|, without a break)\.\*\*", section(3, title))
    total, breaks = promised[0]
    assert len(rows) > 5
    assert sum(row.minutes for row in rows) == int(total)
    assert sum(row.minutes for row in rows if row.what in {"Break", "Lunch"}) == int(breaks or 0)
    assert [row.clock for row in rows] == [sum(row.minutes for row in rows[:n]) for n in range(len(rows))]


def test_a_day_has_the_hours_that_it_says() -> None:
    rows = plan("A day")
    assert sum(row.minutes for row in rows if row.what not in {"Break", "Lunch"}) == 390
    assert "six and a half hours of work: from 9:00 to 17:15" in section(3, "A day")
    assert sum(row.minutes for row in rows) == 8 * 60 + 15


@pytest.mark.parametrize("title", PLANS)
def test_a_whole_lesson_takes_its_own_minutes_and_a_part_takes_fewer(title: str) -> None:
    for row in plan(title):
        if row.lesson is not None:
            assert row.what.endswith((", whole", ", part")), row.what
            own = minutes_of(row.lesson)
            assert (row.minutes == own) if row.what.endswith("whole") else (5 <= row.minutes < own), row.what


@pytest.mark.parametrize("title", PLANS)
def test_what_is_run_together_and_left_out_are_headings_of_the_lesson(title: str) -> None:
    named = 0
    for row in plan(title):
        if row.lesson is not None:
            headings = re.findall(r"\*([^*]+)\*", f"{row.together} {row.left_out}")
            assert set(headings) <= headings_of(row.lesson), row.what
            assert row.what.endswith("whole") == (row.together == "all")
            named += len(headings)
    assert named > 5


@pytest.mark.parametrize("lesson", LESSONS)
def test_each_lesson_has_its_section(lesson: str) -> None:
    title = rf"{lesson[:2]} · \[[^\]]+\]\(notebooks/{re.escape(lesson)}\), {minutes_of(lesson)} minutes"
    said = section(3, title)
    assert all(words in said for words in ("**The moment**", "**Ask before**", "**Stuck?**"))
    questions = re.findall(r"(?m)^- \*((?:[^*\n]|\n  )+)\*((?: |\n  ).+(?:\n  .*)*)", said)
    assert 2 <= len(questions) <= 4
    assert all(len(answer.split()) >= 5 for _, answer in questions)


def test_the_sections_stand_in_the_lessons_order_and_there_is_no_other() -> None:
    assert re.findall(r"(?m)^### \d\d · .*\(notebooks/(\S+?)\)", text("WORKSHOP.md")) == LESSONS


def links(document: str) -> Iterator[tuple[str, str]]:
    """The file and the heading of every link within this project."""
    for target in re.findall(r"\]\(([^)\s]+)\)", text(document)):
        if "://" not in target:
            file, _, heading = target.partition("#")
            yield file, heading


def anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    own = {anchor(heading) for heading in re.findall(r"(?m)^#+ (.*)$", text(document))}
    assert [file for file, _ in links(document) if file and not (ROOT / file).exists()] == []
    assert [heading for file, heading in links(document) if not file and heading not in own] == []


def fences(document: str) -> list[str]:
    return re.findall(r"(?ms)^```\n(.*?)^```$", text(document))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_that_are_named_exist(document: str) -> None:
    named = set(re.findall(rf"(?<![\w/.]){FOLDERS}/[\w./-]*\w", text(document)))
    assert len(named) > 5
    # A pattern for names to come is no name.
    assert [name for name in named if not (ROOT / name).exists() and not re.search("NN_|_NN", name)] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_name_what_exists(document: str) -> None:
    commands = "\n".join([*fences(document), *re.findall(r"`((?:uv|bash|python) [^`]+)`", text(document))])
    modules = re.findall(r"-m ((?:helpers|tests)[\w.]+)", commands)
    groups = re.findall(r"--group (\w+)", commands)
    known = tomllib.loads(text("pyproject.toml"))["dependency-groups"]
    assert commands
    assert [module for module in modules if not (ROOT / f"{module.replace('.', '/')}.py").is_file()] == []
    assert set(groups) <= set(known)


def test_the_machine_check_is_one_command_on_a_line_of_its_own() -> None:
    assert "uv run python -m helpers.panels.machine_check\n" in fences("WORKSHOP.md")


def test_the_wheel_folder_gets_what_builds_the_project() -> None:
    (command,) = [fence for fence in fences("WORKSHOP.md") if "pip wheel" in fence]
    assert [f'"{needed}"' in command for needed in project("build-system")["requires"]] == [True]
    assert "wheels/" in text(".gitignore").splitlines()


def project(table: str) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(text("pyproject.toml"))[table]
    return found


def test_the_devcontainer_sets_up_as_the_readme_does() -> None:
    container = json.loads(text(".devcontainer/devcontainer.json"))
    (minor,) = re.findall(r"python:3\.(\d+)$", container["image"])
    assert container["postCreateCommand"] == "pip install uv && uv sync"
    assert int(minor) >= int(project("project")["requires-python"].removeprefix(">=3."))
    editor = container["customizations"]["vscode"]
    assert {"ms-toolsai.jupyter", "ms-python.python"} <= set(editor["extensions"])
    assert editor["settings"]["python.defaultInterpreterPath"].endswith("/.venv/bin/python")


def test_the_binder_link_opens_a_lesson_that_exists() -> None:
    (address,) = re.findall(
        r"https://mybinder\.org/v2/gh/OWNER/NAME/HEAD\?urlpath=lab/tree/(\S+)", text("WORKSHOP.md")
    )
    assert (ROOT / address).is_file()
    assert not any((ROOT / folder).exists() for folder in ("binder", ".binder"))
