"""Figures that the lessons state and no cell of theirs shows."""

import subprocess
import sys


def test_the_gil_is_passed_on_every_5_milliseconds() -> None:
    """Lesson 02. In a Python of its own, as a test beside this one may have set another interval."""
    code = "import sys; print(sys.getswitchinterval())"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50, check=True)
    assert float(told.stdout) == 0.005
