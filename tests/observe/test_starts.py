"""Every way to start a process is tried in a program of its own, and nothing is left of it."""

import multiprocessing
import subprocess
import sys
from collections.abc import Callable

import pytest

from helpers.observe import starts
from helpers.observe.starts import start_errors, try_each
from tests.observe.starting import METHODS, exit_badly, sleep_long


def test_every_way_works_here() -> None:
    ways = [way for way in METHODS if (way, sys.platform) != ("fork", "darwin")]
    assert start_errors() == dict.fromkeys(ways, "")


def test_nothing_is_settled_and_nothing_is_left() -> None:
    code = (
        "import multiprocessing as m; from helpers.observe.starts import start_errors\n"
        "start_errors()\n"
        "import sys; print(m.get_start_method(allow_none=True), m.active_children(), "
        "'multiprocessing.forkserver' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50, check=True)
    assert run.stdout.strip() == "None [] False"


@pytest.mark.parametrize(
    ("doing", "words"), [(exit_badly, "exit code 3"), (sleep_long, "not ended after 2 s")], ids=["badly", "never"]
)
def test_a_process_that_does_not_end_well_is_named(
    doing: Callable[[], None], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starts, "_do_nothing", doing)
    monkeypatch.setattr(starts, "LIMIT", 2.0 if doing is sleep_long else 30.0)
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    assert try_each() == {"spawn": words}
    assert multiprocessing.active_children() == []


def test_a_process_that_may_not_be_started_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(multiprocessing.get_context("spawn").Process, "_Popen", staticmethod(refuse))
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    assert try_each() == {"spawn": "[Errno 1] Operation not permitted"}


def test_nothing_is_forked_on_macos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starts, "_try", lambda _: "")
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: ["spawn", "fork", "forkserver"])
    assert list(try_each()) == ["spawn", "forkserver"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (subprocess.CalledProcessError(1, "python", stderr="Traceback…\nImportError: no multiprocessing\n"), "Impor"),
        (subprocess.CalledProcessError(-9, "python", stderr=""), "exit code -9"),
        (subprocess.TimeoutExpired("python", 120), "timed out after 120"),
        (FileNotFoundError(2, "No such file"), "No such file"),
    ],
    ids=["raises", "killed", "hangs", "gone"],
)
def test_a_program_that_cannot_even_try_is_named(
    error: Exception, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(subprocess, "run", fail)
    assert words in start_errors()["a program"]
