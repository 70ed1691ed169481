"""Find what a notebook left behind on the machine: processes, ports, shared memory, temporary files.

    watch = Watch()                       # notes what is there already, makes a temporary folder
    ... start a kernel in watch.environment ...
    watch.began(pid)                      # notes the kernel's own ports
    ... run the notebook ...
    watch.left_while_alive()              # sentences, one for each thing left
    watch.end_processes()                 # so that the kernel has nobody to wait for
    ... shut the kernel down ...
    watch.left_after_shutdown()
    watch.sweep()                         # ends and deletes whatever is left

Every process the notebook starts inherits one variable of the environment, so it is found even when its parent has
died or it has a session of its own. Ports are looked for before shutdown, since they go with their process, and
shared memory too, since multiprocessing's resource tracker deletes what was forgotten as it ends.
"""

import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import psutil

MARK: Final = "PAINLESS_NOTEBOOK_RUN"
# What a lesson has ended may take this long, in seconds, to be gone on a busy machine.
GRACE: Final = 2.0
# Multiprocessing keeps the first two as long as the kernel lives, loky and joblib the third; they are children of the
# kernel itself.
SERVANTS: Final = (
    "from multiprocessing.resource_tracker import",
    "from multiprocessing.forkserver import",
    "loky.backend.resource_tracker import",
)
SHARED: Final = Path("/dev/shm")  # noqa: S108 - where Linux shows shared memory; nothing is written there


def settled(look: Callable[[], list[str]], limit: float = GRACE) -> list[str]:
    """What `look` still finds once `limit` seconds have passed, or nothing as soon as it finds nothing."""
    end = time.monotonic() + limit
    while (found := look()) and time.monotonic() < end:
        time.sleep(0.05)
    return found


class Watch:
    """What one run of a notebook does to the machine."""

    def __init__(self) -> None:
        # A short name: the forkserver's socket lies within it, and its path has 104 characters at most.
        self.folder = Path(tempfile.mkdtemp(prefix="nb-"))
        self.kernel: int | None = None
        self._mark = secrets.token_hex(8)
        # The kernel and its children name their shared memory and semaphores so. Who made a block cannot be seen
        # otherwise, and nobody else's may be blamed on the notebook, or deleted.
        self.block_prefix = f"p{self._mark[:4]}_"
        self._ports: set[int] = set()

    @property
    def environment(self) -> dict[str, str]:
        """The environment to start the kernel in.

        Without pytest's variable: ipykernel does not show what processes write to stderr where it sees that, and a
        worker that dies would pass.
        """
        ours = {key: value for key, value in os.environ.items() if key != "PYTEST_CURRENT_TEST"}
        return ours | {"TMPDIR": str(self.folder), MARK: self._mark}

    def began(self, kernel: int) -> None:
        """Note the kernel's process id, and its own ports."""
        self.kernel = kernel
        self._ports = {port for _, port, _ in self._listening()}

    def new_servers(self) -> set[tuple[str, int]]:
        """Where the kernel and its processes listen now, but for the kernel's own ports: hosts and ports."""
        return {(host, port) for host, port, _ in self._listening() if port not in self._ports}

    def left_while_alive(self) -> list[str]:
        """What the notebook should have ended itself, looked at before its kernel ends."""
        found = settled(
            lambda: [_left_process(process) for process in self._processes() if not self._serves(process)]
        )
        found += settled(
            lambda: [
                f"a port was left open: {port}, by process {pid}; close its socket"
                for _, port, pid in self._listening()
                if port not in self._ports
            ]
        )
        return found + self._left_blocks()

    def left_after_shutdown(self) -> list[str]:
        """What outlives the kernel."""
        return self.left_running() + settled(
            lambda: [
                f"a temporary file was left: {path.name}; delete it, or close what made it"
                for path in sorted(self.folder.iterdir())
            ]
        )

    def left_running(self) -> list[str]:
        """The processes and shared memory that outlive the kernel."""
        return settled(lambda: [_left_process(process) for process in self._processes()]) + self._left_blocks()

    def pids(self) -> list[int]:
        """The ids of all processes but the kernel's own."""
        return [process.pid for process in self._processes()]

    def end_processes(self) -> list[int]:
        """End every process but the kernel, multiprocessing's own too. Gives their ids."""
        processes = self._processes()
        for process in processes:
            with suppress(psutil.Error):
                process.kill()
        settled(lambda: [str(process.pid) for process in self._processes()])
        return [process.pid for process in processes]

    def sweep(self) -> None:
        """End and delete whatever is left, the kernel too; nothing happens if nothing is.

        Semaphores are deleted without blame: whoever holds one when the kernel ends leaves its name to
        multiprocessing's resource tracker, which is ended here before it can do its work.
        """
        for kernel in self._kernel_itself():
            with suppress(psutil.NoSuchProcess):
                kernel.kill()
        self.end_processes()
        for named in (*self._blocks(), *self._semaphores()):
            named.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _processes(self) -> list[psutil.Process]:
        return [process for process in psutil.process_iter() if process.pid != self.kernel and self._is_ours(process)]

    def _kernel_itself(self) -> Iterator[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            if self.kernel is not None and self._is_ours(kernel := psutil.Process(self.kernel)):
                yield kernel

    def _is_ours(self, process: psutil.Process) -> bool:
        with suppress(psutil.Error, OSError):
            # A zombie has ended; only its parent has not asked yet.
            if process.status() != psutil.STATUS_ZOMBIE:
                return self._in_session(process.pid) or process.environ().get(MARK) == self._mark
        return False

    def _in_session(self, pid: int) -> bool:
        # Finds those that were started with an environment of their own. Not on Windows, which has no sessions.
        return hasattr(os, "getsid") and self.kernel is not None and os.getsid(pid) == self.kernel

    def _serves(self, process: psutil.Process) -> bool:
        # A worker forked by the forkserver has the server's command line, but not its parent.
        with suppress(psutil.Error):
            return process.ppid() == self.kernel and any(name in " ".join(process.cmdline()) for name in SERVANTS)
        return True  # it has just ended

    def _listening(self) -> list[tuple[str, int, int]]:
        return [
            (connection.laddr.ip, connection.laddr.port, process.pid)
            for process in (*self._kernel_itself(), *self._processes())
            for connection in _connections(process)
            if connection.status == psutil.CONN_LISTEN
        ]

    def _left_blocks(self) -> list[str]:
        return settled(lambda: [f"shared memory was left: {block.name}; unlink it" for block in self._blocks()])

    def _blocks(self) -> list[Path]:
        # Where the system does not list them (macOS, Windows) none is found.
        return sorted(SHARED.glob(f"{self.block_prefix}*")) if SHARED.is_dir() else []

    def _semaphores(self) -> Iterator[Path]:
        """Multiprocessing's, and those of loky's in the kernel, which has their names begin with its process's id."""
        if SHARED.is_dir():
            yield from SHARED.glob(f"sem.{self.block_prefix}*")
            yield from SHARED.glob(f"sem.loky-{self.kernel}-*") if self.kernel is not None else ()


def _connections(process: psutil.Process) -> list[Any]:
    with suppress(psutil.Error):
        return list(process.net_connections(kind="tcp"))
    return []


def _left_process(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return f"a process was left running: {process.pid} ({' '.join(process.cmdline())[:80]}); join or terminate it"
    return f"a process was left running: {process.pid}, and ended while it was looked at"
