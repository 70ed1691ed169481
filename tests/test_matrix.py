"""The matrix of lessons, Pythons and start methods says what happened, and what did not."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import nbformat
import pytest
from nbformat import v4

from tests import matrix

ARTEFACTS: Final = Path(__file__).with_name("artefacts")
KERNEL: Final = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
REPORT: Final = """<testsuites><testsuite>
<testcase classname="notebooks.06_x.ipynb" name="Cell 0"/>
<testcase classname="notebooks.06_x.ipynb" name="nothing left"/>
<testcase classname="notebooks.07_y.ipynb" name="Cell 0"><failure message="differs"/></testcase>
<testcase classname="notebooks.07_y.ipynb" name="Cell 1"/>
<testcase classname="notebooks.08_z.ipynb" name="Cell 0"><skipped/></testcase>
</testsuite></testsuites>"""


def test_a_lesson_fails_with_any_of_its_cells_and_passes_with_all(tmp_path: Path) -> None:
    (tmp_path / "report.xml").write_text(REPORT, encoding="utf-8")
    assert matrix.outcome(tmp_path / "report.xml") == {"06_x": "✔", "07_y": "✘", "08_z": "✘"}
    assert matrix.outcome(tmp_path / "none.xml") == {}


def test_what_was_not_tried_is_said() -> None:
    found = {("3.11", method): {"06_x": "✔"} for method in matrix.METHODS}
    head, _, row = matrix.table([Path("06_x.ipynb")], found).splitlines()
    assert [cell.strip() for cell in head.strip("|").split("|")] == [
        *("lesson", "3.11 fork", "3.11 forkserver", "3.11 spawn", "3.12", "3.13", "3.14")
    ]
    assert row == "| 06_x | ✔ | ✔ | ✔ | not tried | not tried | not tried |"


def test_a_run_without_a_report_is_a_failure_of_every_lesson(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV", "false")  # a command that takes anything, and fails
    assert matrix.run("3.11", "fork", [Path("06_x.ipynb")]) == {"06_x": "✘"}


@pytest.mark.timeout(150)
@pytest.mark.parametrize(("method", "passes"), [("spawn", True), ("forkserver", False)])
def test_a_lesson_gets_the_start_method_that_was_asked_for(method: str, passes: bool) -> None:  # noqa: FBT001 - a table
    cell = v4.new_code_cell("__import__('multiprocessing').get_start_method()", execution_count=1)
    cell.outputs = [v4.new_output("execute_result", {"text/plain": "'spawn'"}, execution_count=1)]
    ARTEFACTS.mkdir(exist_ok=True)
    file = ARTEFACTS / f"asks_for_{method}.ipynb"
    nbformat.write(v4.new_notebook(cells=[cell], metadata={"kernelspec": KERNEL}), file)
    command = [sys.executable, "-m", "pytest", str(file), "-n", "0", "--start-method", method]
    done = subprocess.run(command, cwd=matrix.ROOT, capture_output=True, text=True, check=False, timeout=120)
    file.unlink()
    assert ("1 failed, 1 passed" in done.stdout, "2 passed" in done.stdout) == (not passes, passes), done.stdout
