"""The real job of the lessons: index the source files of the learner's own Python.

Every machine has them, and they answer real questions: which is the longest function? All of them, some 1,700
with Python's own tests, take 7 to 10 seconds of a core; 500 take 2 to 3. Some of those among the tests do not
parse, on purpose.

    index_sources(trace, source_files(limit=500)).longest
"""

import os
from contextlib import nullcontext
from typing import TYPE_CHECKING, Final, NamedTuple

from helpers.observe.lifeline import Answers, StopRequest, end_with_parent, stop_asked
from helpers.observe.trace import Trace
from helpers.workers.parsing import syntax_tree

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator, Sequence

LIBRARY: Final = os.__file__.rpartition(os.sep)[0]
"""The folder of the standard library."""

_NOT_OURS: Final = {"site-packages", "dist-packages", "__pycache__"}


class Function(NamedTuple):
    """A function of a source file."""

    name: str
    """With the classes and functions it stands in: `Thread.join`."""
    path: str
    """Of its file, as `name_of` gives it."""
    lines: int
    """How many lines it has, decorators not counted."""


class Index(NamedTuple):
    """What `index_sources` found."""

    files: int
    """How many files were read, the unreadable ones included."""
    functions: int
    unreadable: tuple[str, ...]
    """The paths of the files that did not parse, as `Function.path` has them."""
    longest: Function | None
    """The function with the most lines, the first of these; None if there is no function."""


def source_files(limit: int | None = None) -> list[str]:
    """The paths of the standard library's source files, in alphabetical order, installed packages left out.

    Args:
        limit: how many at most; they are picked evenly from all, so that any number is a fair sample. None
            gives all.

    Raises:
        ValueError: `limit` is less than 1.
        FileNotFoundError: this Python keeps no source files.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"limit must be at least 1, or None for all files, got {limit!r}")
    found = []
    for folder, subfolders, names in os.walk(LIBRARY):
        subfolders[:] = set(subfolders) - _NOT_OURS
        found += [f"{folder}{os.sep}{name}" for name in names if name.endswith(".py")]
    if not found:
        raise FileNotFoundError(f"no source files in {LIBRARY}: use a Python that keeps them")
    found.sort(key=name_of)
    count = min(limit or len(found), len(found))
    return [found[place * len(found) // count] for place in range(count)]


def functions_in(path: str) -> list[Function]:
    """All functions of a source file, methods and inner functions too, in the order they begin.

    Raises:
        SyntaxError: the file is not Python, or not of this version.
        ValueError: it holds a zero byte (before 3.12; later a SyntaxError).
        OSError: it cannot be read.
        RecursionError, MemoryError: it is nested too deeply for the parser.
    """
    with open(path, "rb") as file:  # noqa: PTH123 (importing pathlib costs a worker 4 ms)
        source = file.read()
    tree = syntax_tree(source)
    shown = name_of(path)
    found = sorted(_definitions(tree), key=lambda pair: (pair[1].lineno, pair[1].col_offset))
    return [Function(name, shown, (node.end_lineno or node.lineno) - node.lineno + 1) for name, node in found]


def index_sources(
    trace: Trace, paths: "Sequence[str]", answers: Answers[Index] | None = None, stop: StopRequest | None = None
) -> Index:
    """Index source files. A file that does not parse is noted and counted, and the others go on.

    Args:
        trace: where it says what it does: a span and a step of progress for every file.
        paths: the files, as `source_files` gives them.
        answers: where the index is put, for a caller that cannot see what a function returns.
        stop: ends the work early when set.

    Returns:
        The index of all files read, which is what it also puts into `answers`.

    Raises:
        TypeError: `paths` is a single path.
    """
    end_with_parent()
    if isinstance(paths, str):
        raise TypeError(f"paths must be a list of paths, got {paths!r}: write [{paths!r}]")
    trace.expect(len(paths))
    index = index_files(trace, paths, stop, each="parsing")
    if answers is not None:
        answers.put(index)
    return index


def index_files(
    trace: Trace, paths: "Sequence[str]", stop: StopRequest | None = None, *, each: str | None = None
) -> Index:
    """Do what `index_sources` does with files that are a part of the work, without saying how many they are.

    Args:
        trace: where each file is a step of progress.
        paths: the files, as `source_files` gives them.
        stop: ends the work early when set.
        each: the name of a span around each file; without it there is none.
    """
    files, found, unreadable = 0, [], []
    for path in paths:
        if stop_asked(stop):
            trace.note(f"stopped after {files} of {len(paths)} files")
            break
        with trace.span(each) if each else nullcontext():
            functions = _parsed(trace, path)
        if functions is None:
            unreadable.append(name_of(path))
        found += functions or []
        files += 1
        trace.advance()
    return Index(files, len(found), tuple(unreadable), max(found, key=lambda function: function.lines, default=None))


def name_of(path: str) -> str:
    """A file's path from the folder of the standard library, with forward slashes."""
    return path.removeprefix(LIBRARY + os.sep).replace(os.sep, "/")


def _parsed(trace: Trace, path: str) -> list[Function] | None:
    try:
        return functions_in(path)
    except (OSError, SyntaxError, ValueError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
    except (RecursionError, MemoryError):  # either, by version
        reason = "nested too deeply"
    trace.note(f"{name_of(path)}: {reason}")
    return None


def _definitions(tree: "ast.Module") -> "Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]":
    """Give functions with their full names.

    It keeps a list instead of calling itself, because a long chain of elif is a deep tree.
    """
    import ast  # noqa: PLC0415 (takes milliseconds that only those who parse should pay)

    left: list[tuple[ast.AST, str]] = [(tree, "")]
    while left:
        node, prefix = left.pop()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                yield prefix + child.name, child
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                left.append((child, f"{prefix}{child.name}."))
            elif not isinstance(child, ast.expr):  # no function is defined within an expression
                left.append((child, prefix))
