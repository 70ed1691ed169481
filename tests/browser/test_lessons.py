"""Every lesson runs from top to bottom in JupyterLab, as it does when a learner chooses Run All Cells."""

import pytest

from tests.browser.conftest import NOTEBOOKS
from tests.browser.lab import Lab


@pytest.mark.parametrize("lesson", sorted(path.name for path in NOTEBOOKS.glob("*.ipynb")))
def test_the_lesson_runs_and_shows_no_error(lab: Lab, lesson: str) -> None:
    lab.open(lesson)
    lab.run_all(limit=150)
    assert lab.errors() == []
    assert [cell.source for cell in lab.cells() if cell.source and cell.count is None] == []
    assert lab.complaints == []
