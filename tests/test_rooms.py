"""The rooms of helpers/ are named after where their code runs, and imports between them go one way.

    workers -> observe <- panels

A spawned worker starts quickly only if its module imports nothing but the standard library. One module may import
more: see EXCEPTIONS.
"""

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]


def is_standard(module: str) -> bool:
    return module.partition(".")[0] in sys.stdlib_module_names


def is_in(module: str, *rooms: str) -> bool:
    return any(f"{module}.".startswith(f"helpers.{room}.") for room in rooms)


MAY_IMPORT: Final[dict[str, Callable[[str], bool]]] = {
    "workers": lambda module: is_standard(module) or is_in(module, "observe", "workers"),
    "observe": lambda module: is_standard(module) or is_in(module, "observe"),
    "panels": lambda module: is_in(module, "observe", "panels") or not module.startswith(("helpers", "tests")),
}

# By module. Lesson 13 is about arrays of numpy, which nobody can use without numpy; and who limits the threads that
# numpy brings along must be in the process that has them.
EXCEPTIONS: Final = {"helpers/workers/arrays.py": {"numpy", "threadpoolctl"}}


def imported(source: str) -> Iterator[str]:
    """Every module that `source` imports anywhere; "from a import b" counts as "a.b", for b may be a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = "." * node.level + (node.module or "")
            yield from (f"{start}.{name.name}" for name in node.names)


def strangers(room: str, source: str, path: str = "") -> list[str]:
    """What code in `room` must not import and does, in the module at `path` from the root."""
    allowed = EXCEPTIONS.get(path, set())
    return [
        module
        for module in imported(source)
        if not MAY_IMPORT[room](module) and module.partition(".")[0] not in allowed
    ]


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    modules = list((ROOT / "helpers" / room).rglob("*.py"))
    assert modules
    found = {
        module.name: strangers(room, module.read_text(encoding="utf-8"), module.relative_to(ROOT).as_posix())
        for module in modules
    }
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_there_is_no_fourth_room() -> None:
    rooms = {path.parent.name for path in (ROOT / "helpers").glob("*/*.py")}
    assert rooms == set(MAY_IMPORT)


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("workers", "import numpy"),
        ("workers", "from helpers.panels.timeline import Timeline"),
        ("workers", "def work():\n    from helpers import panels"),
        ("observe", "from helpers.workers.article import worker"),
        ("observe", "from ..workers import article"),
        ("panels", "import helpers.workers.article"),
        ("panels", "from tests import canonical"),
    ],
)
def test_a_wrong_import_is_noticed(room: str, source: str) -> None:
    assert len(strangers(room, source)) == 1


@pytest.mark.parametrize(
    ("path", "source", "wrong"),
    [
        ("helpers/workers/arrays.py", "import numpy as np", []),
        ("helpers/workers/arrays.py", "def work():\n    from threadpoolctl import threadpool_info", []),
        ("helpers/workers/arrays.py", "import pandas", ["pandas"]),
        ("helpers/workers/arrays.py", "import numpy_financial", ["numpy_financial"]),
        ("helpers/workers/arrays.py", "import helpers.panels.timeline", ["helpers.panels.timeline"]),
        ("helpers/workers/article.py", "import numpy as np", ["numpy"]),
    ],
)
def test_one_module_may_import_numpy(path: str, source: str, wrong: list[str]) -> None:
    assert strangers("workers", source, path) == wrong


def test_each_exception_is_needed() -> None:
    for path, allowed in EXCEPTIONS.items():
        tops = {module.partition(".")[0] for module in imported((ROOT / path).read_text(encoding="utf-8"))}
        assert allowed <= tops
