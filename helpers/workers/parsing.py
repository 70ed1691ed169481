"""Work that computes: parse the text of a source file, and count its functions."""

import sys
import warnings
from typing import TYPE_CHECKING, Final

from helpers.observe.lifeline import end_with_parent
from helpers.observe.trace import Trace

if TYPE_CHECKING:
    import ast

_PARSED_AS: Final = "source-being-indexed"


def count_functions(trace: Trace, source: bytes) -> int:
    """Count the functions that a source file defines, methods and inner functions too.

    Args:
        trace: gets a span "parsing", and a step of progress.
        source: the file's bytes; a thousand lines take about 10 ms of a core.

    Raises:
        SyntaxError: it is not Python, or not of this version.
        ValueError: it holds a zero byte (before 3.12; later a SyntaxError).
        RecursionError, MemoryError: it is nested too deeply for the parser.
    """
    end_with_parent()
    import ast  # noqa: PLC0415 (it takes 10 ms, which only those who parse should pay)

    with trace.span("parsing"):
        nodes = ast.walk(syntax_tree(source))
        found = sum(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in nodes)
    trace.advance()
    return found


def syntax_tree(source: bytes) -> "ast.Module":
    """Parse source code, without a warning; raises what `count_functions` does.

    In Python 3.11 threads that parse at the same time share a count of how deep they are, and one that finds it wrong
    at the end raises a SystemError. Nothing is wrong with the source: another try succeeds.
    """
    import ast  # noqa: PLC0415 (as above)

    _silence_parser()
    while True:
        try:
            return ast.parse(source, _PARSED_AS)
        except SystemError:
            if sys.version_info >= (3, 12):
                raise


def _silence_parser() -> None:
    r"""Keep the parser from complaining aloud about other people's files, as it does of "\d".

    `warnings.catch_warnings` would change the filters of every thread while it lasts (until 3.14). This
    filter stays, but fits nothing but the made-up file name under which we parse. It has to be the first,
    because a filter that turns warnings into errors would make such a file unreadable.
    """
    first = warnings.filters[0] if warnings.filters else None
    if first is None or getattr(first[3], "pattern", None) != _PARSED_AS:
        warnings.filterwarnings("ignore", module=_PARSED_AS)
