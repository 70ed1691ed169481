"""A process that may be thrown away at any moment, with all that it started and wrote.

    kernel                                        the process
    Disposable(target, parcel) ── starts ───────► tied to the kernel's life, in a group of its own
      .connection, .receive() ◄─ messages ──────► target(connection, folder, parcel)
      .output      ◄───────── a file ──────────── what it and its children print
      .end()       ──── SIGKILL to the group ───► gone, and its folder with it

The folder is also where its temporary files lie. Not reached is a process that has left the group, say by
`subprocess.Popen(start_new_session=True)`. Windows has no groups: there, only the process itself is ended.
"""

import multiprocessing
import os
import signal
import sys
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Self

from helpers.observe.confined import OUTPUT, Parcel, Target, live
from helpers.observe.own_folder import delete_folder, make_folder

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

LONGEST_OUTPUT: Final = 20_000  # bytes of what it prints that are kept
_LOOK_EVERY: Final = 0.05  # seconds; under fork and spawn its children hold the sentinel too, and may keep it silent
_PATIENCE: Final = 5.0  # seconds for a killed process to go; nearly all are gone in 2 ms


class Disposable:
    """A process that runs `target(connection, folder, parcel)`; it is started at once.

    Args:
        target: a function of a module. When it returns, the process ends.
        parcel: what it works on; opened by it.
        method: "fork", "forkserver" or "spawn"; if None, forkserver where there is one, else spawn.

    Raises:
        ValueError: this system has no such method.

    What the parcel's `dumps` raises goes through. Use it in a `with` block, or call `end`.

    Attributes:
        connection: leads to the process.
        folder: its own; deleted as it is ended.
    """

    def __init__(self, target: Target, parcel: Parcel, method: str | None = None) -> None:
        context: Any = multiprocessing.get_context(method or _best_method())
        self.connection: Connection
        self.connection, theirs = context.Pipe()
        self.folder = make_folder()
        self._process: BaseProcess = context.Process(
            target=live, args=(target, theirs, self.folder, parcel), name="sandbox"
        )
        self._deaf = False
        self._exitcode: int | None = None
        self._output: str | None = None
        try:
            self._process.start()
        except BaseException:
            self.end()
            raise
        finally:
            theirs.close()

    def __enter__(self) -> Self:
        """Give the process itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.end()

    @property
    def exitcode(self) -> int | None:
        """As multiprocessing has it: None while the process runs, negative if a signal ended it."""
        if self._output is None and self._process.pid is not None:
            self._exitcode = self._process.exitcode
        return self._exitcode

    @property
    def output(self) -> str:
        """What it and its children have printed, up to 20,000 bytes, and how many more there were."""
        return _start_of(f"{self.folder}{os.sep}{OUTPUT}") if self._output is None else self._output

    def receive(self, seconds: float) -> bytes | None:
        """Wait up to `seconds` for what it sends with `send_bytes`; None if nothing came, or it has ended."""
        deadline = monotonic() + seconds
        while True:
            left = deadline - monotonic()
            if self._has_message(max(0.0, min(left, _LOOK_EVERY))):
                try:
                    return self.connection.recv_bytes()
                except (EOFError, OSError):  # it has ended, or closed its end
                    self._deaf = True
            elif left <= 0 or self.exitcode is not None:
                return None

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        if self._process.pid is not None and self.exitcode is None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, number)

    def end(self) -> None:
        """End the process, its children and theirs, and delete its folder. A second call does nothing."""
        if self._output is not None:
            return
        if self._process.pid is not None:
            _kill(self._process)
        # What it printed is read, and how it ended noted, as long as that can be done.
        _, self._output = self.exitcode, self.output
        self.connection.close()
        with suppress(ValueError):  # it did not go
            self._process.close()
        delete_folder(self.folder)

    def _has_message(self, seconds: float) -> bool:
        if self._deaf:
            wait([self._process.sentinel], seconds)
            return False
        return self.connection in wait([self.connection, self._process.sentinel], seconds)


def exit_words(code: int) -> str:
    """How a process ended, by its exit code: "exit code 3" or "killed by SIGSEGV"."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def _best_method() -> str:
    return "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


def _kill(process: "BaseProcess") -> None:
    """End `process` and its group."""
    if sys.platform != "win32" and process.pid is not None:
        # No stranger has this number: it is not given to another process while the group has a member.
        with suppress(ProcessLookupError, PermissionError):  # it has no group yet, or nobody is left in it
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.join(_PATIENCE)


def _start_of(path: str) -> str:
    """The first bytes of a file as text."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - beside os.sep, which spares the process the import of pathlib
            text = file.read(LONGEST_OUTPUT).decode("utf-8", "replace").replace("\r\n", "\n")
            more = os.fstat(file.fileno()).st_size - LONGEST_OUTPUT
    except FileNotFoundError:
        return ""
    return text if more <= 0 else f"{text}… and {more:,} bytes more"
