"""What the README promises about setting up, held to the files that do it."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).parents[1]
OPEN_COMMAND: Final = "pip install uv && uv run jupyter lab notebooks/00_start_here.ipynb"
TEST_COMMAND: Final = "pip install uv && uv run pytest"
# In pieces, so that this file does not hold what it looks for.
HOSTS: Final = (
    "pypi" + ".org",
    "python" + "hosted.org",
    "npmjs" + ".org",
    "deb.debian" + ".org",
    "conda.anaconda" + ".org",
)
DOCUMENTS: Final = {"README.md", "WORKSHOP.md", "CONTRIBUTING.md"}
TOP: Final = DOCUMENTS | {"environment.yml", "pyproject.toml", "notebooks", "helpers", "tests", "benchmarks"}
MACHINE_PATHS: Final = ("/root" + "/", "/work" + "/")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def project() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(text("pyproject.toml"))["project"]
    return found


def kept_files() -> list[Path]:
    """What git keeps, or would keep if all were added."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("not a clone, or no git")
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=30,
    )
    paths = [ROOT / name for name in listing.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


def test_conda_installs_python_and_pip_and_leaves_the_rest_to_the_project() -> None:
    items = re.findall(r"^\s*- (.*)$", text("environment.yml").partition("dependencies:")[2], re.MULTILINE)
    assert items[1:] == ["pip", "pip:", "-e ."]
    # Binder (repo2docker) looks for "python=3.x"; of "python>=3.x" it takes no notice, and begins with 3.10.
    (minor,) = re.findall(r"python=3\.(\d+)", items[0])
    floor = re.fullmatch(r">=3\.(\d+)", project()["requires-python"])
    assert floor is not None
    assert int(minor) >= int(floor[1])


def test_every_dependency_has_a_floor_and_a_ceiling() -> None:
    settings = tomllib.loads(text("pyproject.toml"))
    named = [*project()["dependencies"], *(one for group in settings["dependency-groups"].values() for one in group)]
    bounded = re.compile(r"[\w.-]+>=[\d.]+,<[\d.]+(; python_version >= '[\d.]+')?")
    assert [one for one in named if not bounded.fullmatch(one)] == []


def test_the_kernel_answers_clicks_while_a_cell_awaits() -> None:
    (floor,) = re.findall(r"ipykernel>=(\d+)\.(\d+)", " ".join(project()["dependencies"]))
    assert tuple(map(int, floor)) >= (7, 4)


@pytest.mark.parametrize("command", [OPEN_COMMAND, TEST_COMMAND])
def test_the_readme_has_the_command_on_a_line_of_its_own(command: str) -> None:
    assert command in text("README.md").splitlines()


def test_the_first_lesson_is_where_the_command_looks_for_it() -> None:
    assert (ROOT / OPEN_COMMAND.split()[-1]).is_file()


@pytest.mark.parametrize("name", [".ci/run", ".github/workflows/test.yml"])
def test_ci_runs_the_command_of_the_readme(name: str) -> None:
    assert re.search(rf"(run: |')({re.escape(TEST_COMMAND)})('|$)", text(name), re.MULTILINE)


def test_nothing_else_lies_at_the_top() -> None:
    tops = {path.relative_to(ROOT).parts[0] for path in kept_files()}
    assert {top for top in tops if not top.startswith(".")} <= TOP


def test_versions_found_on_one_machine_are_not_kept() -> None:
    assert "uv.lock" in text(".gitignore").splitlines()
    assert ROOT / "uv.lock" not in kept_files()


@pytest.mark.parametrize("words", [HOSTS, MACHINE_PATHS], ids=["registry", "path"])
def test_no_file_names_one_machine_s_surroundings(words: tuple[str, ...]) -> None:
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in kept_files()
        for word in words
        if word.encode() in path.read_bytes()
    ]
    assert found == []
