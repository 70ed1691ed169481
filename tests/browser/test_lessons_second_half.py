"""The other lessons in JupyterLab: they run and show no error, and everybody can read and work them."""

import pytest

from tests.browser.lab import Lab
from tests.browser.lessons import LESSONS, SECOND_HALF, check


@pytest.mark.parametrize("lesson", [name for name in LESSONS if name >= SECOND_HALF])
def test_the_lesson_runs_and_is_open_to_everybody(lab: Lab, lesson: str) -> None:
    check(lab, lesson)
