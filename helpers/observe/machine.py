"""Check the machine that the lessons are to run on, and say what to do about anything amiss."""

import asyncio
import multiprocessing
import platform
import re
import shutil
import sys
import sysconfig
import tempfile
from importlib.metadata import PackageNotFoundError, version
from typing import Final, NamedTuple

from helpers.observe.cores import Cores, count_cores
from helpers.observe.starts import start_errors
from helpers.observe.trace import Trace

OLDEST_PYTHON: Final = (3, 11)
OLDEST_IPYKERNEL: Final = (7, 4)  # older ones deliver a click only when the cell has ended
ROOM: Final = 100_000_000  # bytes; the largest lesson's traces take about a tenth of it
SHARED: Final = "/dev/shm"  # noqa: S108 - where Linux keeps shared memory, and named locks; nothing is written there
SHARED_ROOM: Final = 32_000_000  # bytes; lesson 13 takes half of it, and a container mostly has 64 MB


class Finding(NamedTuple):
    """One thing that was looked at."""

    name: str
    found: str
    good: bool
    """Whether the lessons can work with it."""
    advice: str = ""
    """What to do about it if it is not good, or what it means for the lessons."""


def check_machine() -> list[Finding]:
    """Look at all that the lessons depend on. Call it in a notebook: the kernel's loop is part of it."""
    return [
        _python(),
        *_cores(count_cores()),
        _start_method(),
        _starts(),
        _ipykernel(),
        _gil(),
        _event_loop(),
        _temporary_folder(),
        *_shared_memory(),
        _recording(),
    ]


def _python() -> Finding:
    good = sys.version_info >= OLDEST_PYTHON
    found = f"{platform.python_version()} ({platform.python_implementation()})"
    return Finding(
        "Python", found, good, "" if good else "The lessons need Python 3.11 or later: install a newer one."
    )


def _cores(cores: Cores) -> list[Finding]:
    few = (
        "Everything runs, but two workers take turns on one core: processes will be no faster than threads here."
        if cores.at_once == 1
        else ""
    )
    found = f"{cores.usable} of {cores.exist}"
    findings = [Finding("Cores you may use", found, good=True, advice=few)]
    if cores.quota is not None and cores.quota < cores.usable:
        granted = f"time for {cores.quota:g} of them"
        meaning = f"Python does not see this limit: choose {cores.at_once} as the number of workers."
        findings.append(Finding("The container's limit", granted, good=True, advice=meaning))
    return findings


def _start_method() -> Finding:
    # Asked in this way, so that nothing is settled yet: a later set_start_method still works.
    ways = multiprocessing.get_all_start_methods()
    default = multiprocessing.get_start_method(allow_none=True) or ways[0]
    good = sys.platform not in {"emscripten", "wasi"}
    advice = (
        "" if good else "A Python inside a browser can start no process: run the lessons on a computer of your own."
    )
    others = ", ".join(way for way in ways if way != default)
    return Finding("How processes start", default + (f" (also there: {others})" if others else ""), good, advice)


def _starts() -> Finding:
    results = start_errors()
    wrong = "; ".join(f"{way}: {error}" for way, error in results.items() if error)
    advice = (
        "The lessons start processes in each of these ways. Look for a program that forbids it, such as a virus "
        "scanner, or run the lessons on another computer."
    )
    found = wrong or f"works ({', '.join(results)})"
    return Finding("Starting a process", found, not wrong, advice if wrong else "")


def _ipykernel() -> Finding:
    cure = 'Run: python -m pip install --upgrade "ipykernel>=7.4", then restart the kernel.'
    try:
        found = version("ipykernel")
    except PackageNotFoundError:
        return Finding("ipykernel", "not installed", good=False, advice=cure)
    numbers = tuple(int(number) for number in re.findall(r"\d+", found)[:2])
    good = numbers >= OLDEST_IPYKERNEL
    return Finding("ipykernel", found, good, "" if good else f"Older ones answer clicks too late. {cure}")


def _gil() -> Finding:
    if not getattr(sys, "_is_gil_enabled", lambda: True)():  # there from Python 3.13 on
        advice = "Threads run side by side here: where a lesson says that they take turns, yours will not."
        return Finding("The GIL", "off (free-threaded build)", good=True, advice=advice)
    built_free = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    found = "on (in a free-threaded build)" if built_free else "on"
    advice = "Something switched it on; start Python with -X gil=0 to have it off." if built_free else ""
    return Finding("The GIL", found, good=True, advice=advice)


def _event_loop() -> Finding:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        advice = "Run this in a cell of a notebook, in JupyterLab: the lessons' panels need the kernel's loop."
        return Finding("The kernel's event loop", "not running", good=False, advice=advice)
    return Finding("The kernel's event loop", "running", good=True)


def _temporary_folder() -> Finding:
    name = "Room for temporary files"
    try:
        with tempfile.TemporaryFile() as file:
            file.write(b"written")
        free = shutil.disk_usage(tempfile.gettempdir()).free
    except OSError as error:
        advice = "Set the environment variable TMPDIR to a folder you may write to, then restart JupyterLab."
        return Finding(name, f"cannot be written ({error.strerror})", good=False, advice=advice)
    good = free >= ROOM
    advice = "" if good else "Free at least 100 MB there, or set TMPDIR to a folder on another disk."
    return Finding(name, f"{free / 1e9:.1f} GB", good, advice)


def _shared_memory() -> list[Finding]:
    if sys.platform != "linux":
        return []  # elsewhere it has no limit of its own
    try:
        free = shutil.disk_usage(SHARED).free
    except OSError as error:
        found = f"{SHARED}: {error.strerror}"
    else:
        found = f"{free / 1e6:.0f} MB"
        if free >= SHARED_ROOM:
            return [Finding("Room for shared memory", found, good=True)]
    advice = f"Lesson 13 would crash. Free some of {SHARED}, or start the container with --shm-size=256m."
    return [Finding("Room for shared memory", found, good=False, advice=advice)]


def _recording() -> Finding:
    name = "Recording what workers do"
    advice = "Nothing can be drawn: free some room for temporary files, or set TMPDIR to a folder on a local disk."
    try:
        with Trace() as trace:
            trace.note("heard")
            works = [note.text for lane in trace.lanes() for note in lane.notes] == ["heard"]
    except OSError:
        works = False
    return Finding(name, "works" if works else "does not work", works, "" if works else advice)
