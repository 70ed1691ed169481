"""Functions are counted wherever they stand, and what is no Python is refused."""

import pytest

from helpers.observe.trace import Trace
from helpers.workers.parsing import count_functions

SOURCE = b"""
def one():
    def inner():
        pass

class Two:
    async def method(self):
        return lambda: None
"""


def test_every_function_counts():
    with Trace() as trace:
        assert count_functions(trace, SOURCE) == 3
        assert count_functions(trace, b"") == 0
        (lane,) = trace.lanes()
        assert lane.done == 2
        assert [span.name for span in lane.spans] == ["parsing", "parsing"]


def test_what_is_no_python_is_refused():
    with Trace() as trace, pytest.raises(SyntaxError):
        count_functions(trace, b"def")
