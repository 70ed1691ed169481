"""Catch what child processes write to standard error, where a dying worker leaves its only explanation.

A child writes its traceback to its `sys.stderr`. If it was spawned, that is file descriptor 2, inherited from its
parent: a terminal that the reader of a notebook never sees, or nowhere at all. If it was forked, it is the parent's
`sys.stderr` object, in a notebook the cell's output. So both are led into one file.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, suppress
from pathlib import Path
from typing import Final

from helpers.observe.own_folder import delete_folder, make_folder

STDERR: Final = 2

if sys.platform != "win32":
    from multiprocessing.resource_tracker import ensure_running
else:

    def ensure_running() -> None:
        """Windows has no resource tracker."""


class ErrorOutput:
    """What was written; `error_output` makes it. It can be read while the block runs, and after it."""

    def __init__(self, file: Path) -> None:
        """Read `file`."""
        self._file = file
        self._kept: str | None = None

    @property
    def text(self) -> str:
        """All of it, so far."""
        if self._kept is None:
            return self._file.read_text(encoding="utf-8", errors="replace")
        return self._kept

    @property
    def last_line(self) -> str:
        """Its last line that is not blank; of a traceback, the error itself. Empty if there is none."""
        lines = [line.strip() for line in self.text.splitlines() if line.strip()]
        return lines[-1] if lines else ""

    def __repr__(self) -> str:
        """The last line: the rest holds paths, which differ from machine to machine."""
        return f"<error output: {self.last_line or 'none'}>"

    def _keep(self) -> None:
        self._kept = self.text


@contextmanager
def error_output() -> Iterator[ErrorOutput]:
    """In the block, catch what this process and the children it starts there write to standard error.

        with error_output() as words:
            child.start()
            child.join()
        words.last_line                     # "AttributeError: Can't get attribute 'greet' on …"

    Standard error belongs to the process, so other threads' words are caught too. Under `forkserver`,
    children write to where the server's was when the server started, and on Windows to where the program's
    was at its start: theirs are not caught.

    Raises:
        OSError: the folder for temporary files cannot be written.
    """
    _make_sure_of(STDERR)
    # Started later, from within the block, the tracker would keep our file as its standard error for good.
    ensure_running()
    folder = make_folder()
    try:
        words = ErrorOutput(Path(folder, "stderr"))
        try:
            with (
                Path(folder, "stderr").open("w", buffering=1, encoding="utf-8", errors="backslashreplace") as file,
                _led_to(file.fileno()),
                redirect_stderr(file),
            ):
                yield words
        finally:
            words._keep()  # noqa: SLF001 (its other half)
    finally:
        delete_folder(folder)  # on Windows a child that still runs may hold the file


@contextmanager
def _led_to(handle: int) -> Iterator[None]:
    """Let file descriptor 2 lead where `handle` does."""
    saved = os.dup(STDERR)
    _flush()
    os.dup2(handle, STDERR)
    try:
        yield
    finally:
        _flush()
        os.dup2(saved, STDERR)
        os.close(saved)


def _make_sure_of(descriptor: int) -> None:
    """Let `descriptor` lead nowhere if it is not open, as in a program without a console."""
    try:
        os.fstat(descriptor)
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        if nowhere != descriptor:
            os.dup2(nowhere, descriptor)
            os.close(nowhere)


def _flush() -> None:
    """Send what Python still holds back where it was meant to go."""
    for stream in (sys.stderr, sys.__stderr__):
        if stream is not None:
            with suppress(OSError, ValueError):  # closed, or going nowhere
                stream.flush()
