"""Time the set-up: from a fresh clone to the first lesson open in a browser, by the README's own command.

    uv run python -m benchmarks.opening

The home folder is empty and there is no uv; a new virtual environment stands for a machine that has Python and pip.
Three times: with nothing fetched yet; in another clone, with what the first has fetched in the home folder's cache;
and again there, when all is set up. "Answers" is when JupyterLab does; "open" is when its page shows the lesson with
a kernel ready, if there is a Chromium. How long the first takes hangs on the line to the package index.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

import psutil

from benchmarks.report import Aim, aims_table, machine
from tests.browser.chromium import chromium, find_chromium

ROOT: Final = Path(__file__).parents[1]
LESSON: Final = "notebooks/00_start_here.ipynb"
LIMIT: Final = 300.0  # seconds
PAGE_LIMIT: Final = 60.0
MARK: Final = "PAINLESS_OPENING"
READY: Final = "() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.isReady"


class Took(NamedTuple):
    """Seconds from the command on; 0 where there is no browser."""

    answers: float
    opened: float


def environment(python: Path, home: Path) -> dict[str, str]:
    """Of a user who has this Python, and nothing else; where packages come from stays as it is here."""
    ours = ("JUPYTER", "IPYTHON", "VIRTUAL_ENV", "PYTHON", "XDG", "UV_CACHE", "UV_PROJECT", "PIP_CACHE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    path = os.pathsep.join([str(python.parent), "/usr/local/bin", "/usr/bin", "/bin"])
    return kept | {"HOME": str(home), "PATH": path, "UV_PYTHON_DOWNLOADS": "never", MARK: str(home)}


def free_port() -> int:
    """A port of the loopback interface that nobody has now."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


def open_lesson(clone: Path, python: Path, home: Path) -> Took:
    """Run the README's command, and wait until the lesson is open; then end all it has started.

    Raises:
        RuntimeError: nothing answers in time; the end of its log is in the message.
    """
    port = free_port()
    options = f"--no-browser --port={port} --allow-root --IdentityProvider.token= --LabApp.expose_app_in_browser=True"
    command = f"pip install uv && uv run jupyter lab {options} {LESSON}"
    log = clone.with_suffix(".log")
    began = time.perf_counter()
    with log.open("wb") as words:
        run = subprocess.Popen(  # noqa: S602 - the README's line is one for a shell
            command, shell=True, cwd=clone, env=environment(python, home), stdout=words, stderr=words
        )
    try:
        while not _answers(port):
            if run.poll() is not None or time.perf_counter() - began > LIMIT:
                raise RuntimeError(f"JupyterLab does not answer: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)
        answers = time.perf_counter() - began
        shown = _show(f"http://127.0.0.1:{port}/lab/tree/{Path(LESSON).name}")  # its folder is the root
        return Took(answers, time.perf_counter() - began if shown else 0.0)
    finally:
        _end_all(str(home))
        run.wait(10)


def _answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/api/status", timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def _show(address: str) -> bool:
    """Wait until a browser shows the lesson; false if there is none."""
    path = find_chromium()
    if path is None:
        return False
    with chromium(path) as browser:
        page = browser.new_page()
        page.goto(address, timeout=1000 * PAGE_LIMIT)
        page.wait_for_function(READY, timeout=1000 * PAGE_LIMIT)
    return True


def _end_all(mark: str) -> None:
    """End every process that has our mark in its environment: the server, and the kernels it has started."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mark:
                process.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)


def clone_to(folder: Path) -> Path:
    """A clone of the last commit."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True, timeout=LIMIT)  # noqa: S607
    return folder


def python_in(folder: Path) -> Path:
    """A Python with pip and nothing else."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=LIMIT)
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def measured(scratch: Path) -> dict[str, Took]:
    """All three."""
    home = scratch / "home"
    home.mkdir()
    first, second = clone_to(scratch / "first"), clone_to(scratch / "second")
    python, other = python_in(scratch / "python"), python_in(scratch / "other")
    return {
        "nothing fetched yet": open_lesson(first, python, home),
        "another clone, packages in the cache": open_lesson(second, other, home),
        "again in that clone": open_lesson(second, other, home),
    }


def main() -> None:
    """Print the table."""
    print(f"{machine()}; one run each\n")
    scratch = Path(tempfile.mkdtemp(prefix="open-"))
    try:
        rows = measured(scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print("| set-up | JupyterLab answers, s | first lesson open, s |\n|---|---:|---:|")
    for name, took in rows.items():
        print(f"| {name} | {took.answers:.1f} | {f'{took.opened:.1f}' if took.opened else 'no browser here'} |")
    figures = [
        Aim(f"first lesson open, {name}", took.opened or took.answers, None, "s") for name, took in rows.items()
    ]
    print("", aims_table(figures), sep="\n")


if __name__ == "__main__":
    main()
