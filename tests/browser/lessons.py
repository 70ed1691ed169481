"""What must be true of each lesson in the browser; two files of tests share it, so that they can run side by side."""

from typing import Final

from tests.browser.access import Access
from tests.browser.conftest import NOTEBOOKS
from tests.browser.lab import Lab

LESSONS: Final = sorted(path.name for path in NOTEBOOKS.glob("*.ipynb"))
SECOND_HALF: Final = "10"  # begins with this lesson; by measured time


def check(lab: Lab, lesson: str) -> None:
    """Run the lesson, as Run All Cells does: it shows no error, and everybody can read and work it."""
    lab.open(lesson)
    lab.run_all(limit=150)
    assert lab.errors() == []
    assert [cell.source for cell in lab.cells() if cell.source and cell.count is None] == []
    assert lab.complaints == []
    access = Access(lab)
    assert access.findings() == []
    # A lesson may have no picture.
    assert min(number for what, number in access.looked.items() if what != "pictures") > 0
    assert lab.complaints == []
