"""Functions are counted wherever they stand, and what is no Python is refused."""

import ast
import sys
import warnings

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


def test_other_peoples_odd_strings_are_no_reason_to_complain():
    with Trace() as trace, warnings.catch_warnings():
        warnings.simplefilter("error")
        assert count_functions(trace, b'def f():\n    return "\\d"') == 1


def test_a_parser_that_was_disturbed_tries_again(monkeypatch):
    tries, parse = [], ast.parse

    def disturbed(*args):
        tries.append(args)
        if len(tries) == 1:
            raise SystemError("AST constructor recursion depth mismatch")
        return parse(*args)

    monkeypatch.setattr(ast, "parse", disturbed)
    with Trace() as trace:
        if sys.version_info < (3, 12):
            assert count_functions(trace, SOURCE) == 3
        else:
            with pytest.raises(SystemError):
                count_functions(trace, SOURCE)
