"""The life of a disposable process, up to its end: the other side of `helpers.observe.disposable`.

It imports nothing that the process may not need, for it is what a sandbox waits for.
"""

import multiprocessing
import os
import pickle
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import Any, Final, NamedTuple

from helpers.observe.lifeline import end_with_parent

OUTPUT: Final = "output"
"""The name of the file for what is printed."""


def _dumps(content: object) -> bytes:
    """Pickle as multiprocessing does: plain pickle takes a connection's number for all there is to it."""
    return bytes(ForkingPickler.dumps(content))


class Parcel:
    """Something for a process: packed when that is started, opened there when asked.

    Args:
        content: what to send.
        dumps: makes bytes of it that `pickle.loads` understands. Under fork there is no need to.
    """

    def __init__(self, content: object, dumps: Callable[[object], bytes] = _dumps) -> None:
        self._content = content
        self._dumps = dumps

    def __reduce__(self) -> "tuple[type[_Packed], tuple[bytes]]":
        """Pack it, at the one moment when multiprocessing lets its locks and queues be pickled."""
        return _Packed, (self._dumps(self._content),)

    def open(self) -> Any:  # noqa: ANN401 (whatever was put in)
        """The content. In the process this may import modules, and raises what they raise."""
        return self._content

    def reply(self, value: object) -> bytes:
        """Pickle `value` in the process so that whoever sent the parcel can open it."""
        return pickle.dumps(value)


class _Packed(NamedTuple):
    packed: bytes

    def open(self) -> Any:  # noqa: ANN401 (whatever was put in)
        """The content."""
        return pickle.loads(self.packed)  # noqa: S301 (our own parent packed it)

    def reply(self, value: object) -> bytes:
        # It is loaded if the parcel needed it. Then classes of a cell came by value, and go back in the same way.
        packed: bytes = sys.modules.get("cloudpickle", pickle).dumps(value)
        return packed


Target = Callable[[Connection, str, Parcel], object]


def live(target: Target, connection: Connection, folder: str, parcel: Parcel) -> None:
    """Call `target(connection, folder, parcel)` in a process that can be ended with all that it starts and writes.

    Args:
        target: a function of a module.
        connection: leads to the parent.
        folder: gets the file `OUTPUT` with all that is printed from now on, and all temporary files.
        parcel: what `target` works on.
    """
    if sys.platform != "win32":
        os.setsid()
    end_with_parent()
    # A program finds itself as if it had been started alone, and in a trace its main thread is "main thread".
    multiprocessing.current_process().name = "MainProcess"
    # A forked process would wait for its parent's server, which is no child of its own.
    if "multiprocessing.forkserver" in sys.modules:
        sys.modules["multiprocessing.forkserver"]._forkserver._forkserver_pid = None  # noqa: SLF001 (it has no public name)
    _print_into(f"{folder}{os.sep}{OUTPUT}")
    os.environ.update(dict.fromkeys(("TMPDIR", "TEMP", "TMP"), folder))
    if "tempfile" in sys.modules:
        vars(sys.modules["tempfile"])["tempdir"] = folder
    target(connection, folder, parcel)


def _print_into(path: str) -> None:
    """Lead what is printed, by whatever means, into a new file."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o600)
    for descriptor in (1, 2):
        os.dup2(file, descriptor)
    os.close(file)
    # Line by line: what still stands in a buffer is lost when the process is killed.
    sys.stdout, sys.stderr = (
        open(descriptor, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
        for descriptor in (1, 2)
    )
