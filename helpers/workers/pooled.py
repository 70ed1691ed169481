"""Tasks for a pool: parts of the real job of `sources`, each small enough to be one call of many.

    index_file       one file             a few milliseconds
    index_package    all files of one     unequal, as packages are
    count_lines      one file             so little that handing it over costs more than doing it
    index_counted    one file             counts itself in memory that all workers share, see `start_counting`

A task that takes a trace opens a span by its own name around all it does, so that whoever looks at a lane sees which
task its worker is at.
"""

from typing import TYPE_CHECKING

from helpers.observe.lifeline import end_with_parent
from helpers.observe.trace import Trace
from helpers.workers.sources import Index, index_files, name_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.sharedctypes import Synchronized

_shared: "tuple[Trace, Synchronized[int]] | None" = None


def package_of(path: str) -> str:
    """The package of the standard library that a file belongs to; "(no package)" for a module of its own."""
    package, slash, _ = name_of(path).partition("/")
    return package if slash else "(no package)"


def by_package(paths: "Sequence[str]", most: int) -> dict[str, list[str]]:
    """The files of each package, that with most files first.

    Args:
        paths: as `source_files` gives them.
        most: how many packages at most, 1 or more. If there are more, the smallest count as one, "(small ones)".
    """
    packages: dict[str, list[str]] = {}
    for path in paths:
        packages.setdefault(package_of(path), []).append(path)
    if len(packages) > most:
        small = sorted(packages, key=lambda name: len(packages[name]))[: len(packages) - most + 1]
        packages["(small ones)"] = [path for name in small for path in packages.pop(name)]
    return dict(sorted(packages.items(), key=lambda package: len(package[1]), reverse=True))


def index_file(trace: Trace, path: str) -> Index:
    """Index one source file, as a task by the name of the file.

    Args:
        trace: where it says what it does, and counts the file.
        path: as `source_files` gives it.
    """
    return index_package(trace, name_of(path), [path])


def index_package(trace: Trace, name: str, paths: "Sequence[str]") -> Index:
    """Index some source files, as a task by that name.

    Args:
        trace: where it says what it does, and counts the files.
        name: of the package, or whatever the files have in common.
        paths: as `source_files` gives them.
    """
    end_with_parent()
    with trace.span(name):
        return index_files(trace, paths)


def count_lines(path: str) -> int:
    """How many lines a file has: less than a tenth of a millisecond's work."""
    end_with_parent()
    with open(path, "rb") as file:  # noqa: PTH123 (importing pathlib costs a worker 4 ms)
        return file.read().count(b"\n")


def start_counting(trace: Trace, counter: "Synchronized[int]") -> None:
    """Keep what `index_counted` needs: the initializer of a pool, called once in each worker.

    Args:
        trace: where it says that it was called, and where the tasks say what they do.
        counter: in shared memory. It cannot travel with a task, only with a process that is being started.
    """
    global _shared  # noqa: PLW0603 (an initializer has nowhere else to leave anything)
    end_with_parent()
    with trace.span("initializer"):
        _shared = trace, counter


def index_counted(path: str) -> Index:
    """Do what `index_file` does, and add one to the counter that all workers share.

    Raises:
        RuntimeError: `start_counting` was not called in this process.
    """
    if _shared is None:
        raise RuntimeError("no counter in this process: give the pool initializer=start_counting and its initargs")
    trace, counter = _shared
    index = index_file(trace, path)
    with counter.get_lock():
        counter.value += 1
    return index
