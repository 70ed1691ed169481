"""The early lessons, interrupted, killed, and run in the wrong order: nothing hangs, and nothing is left."""

import sys

import pytest

from tests.chaos.runs import Lesson
from tests.chaos.sample import LESSONS, LIMIT, MIDDLE, check, kinds, lessons

pytestmark = [LIMIT, pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")]


@lessons(LESSONS[:MIDDLE])
@kinds
def test_nothing_hangs_and_nothing_is_left(lesson: Lesson, kind: str) -> None:
    check(lesson, kind)
