"""A Dask cluster as one starts it on several hosts, with every host played by this machine.

    hosts(workers=2)
      │  python -m dask scheduler --host 127.0.0.1 …           a process
      │  python -m dask worker    --host 127.0.0.1 …  (twice)  a process each, which starts the worker proper
      │                                                        and starts another should that one die
      └─ the commands end with the block, with `close`, or with the program that called it

Nothing but the commands' options differs from real hosts: loopback for the host, any free port, and a file that
tells the workers the scheduler's address, where on real hosts one would write the address down.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Final, Self
from weakref import WeakSet, finalize

from distributed import Client

from helpers.observe.no_room import check_room
from helpers.observe.own_folder import delete_folder, make_folder

LOOPBACK: Final = "127.0.0.1"
START_LIMIT: Final = 50.0  # seconds; a quiet machine needs three, and the cells of a lesson have sixty
_LOOK_EVERY: Final = 0.02
_FOLLOWED: Final = 0.5  # seconds; a worker takes a tenth of that, unless it is in one long call of C
_LONGEST_LOG: Final = 2_000  # letters of it that an error repeats
# Even without a dashboard it opens that port, and would do so for everybody.
_PAGES: Final = f"--dashboard-address={LOOPBACK}:0"
_WORKER: Final = ("--nthreads=1", "--no-dashboard", _PAGES, "--preload=helpers.workers.on_cluster")
_ADDRESS_FILE: Final = "scheduler.json"
# Each command ends with this program, even a killed one.
_TIED: Final = (sys.executable, "-m", "helpers.observe.tied", "dask")
_running: "WeakSet[Hosts]" = WeakSet()


class Hosts:
    """A running scheduler and its workers; made by `hosts`.

    Use it in a `with` block, or call `close`.

    Attributes:
        dashboard_link: the page to open in a browser.
    """

    def __init__(self, workers: int) -> None:
        self._folder = Path(make_folder())
        self._commands: list[subprocess.Popen[bytes]] = []
        _running.add(self)
        self._end = finalize(self, _end, self._commands, self._folder, os.getpid())
        try:
            self._start("scheduler", "scheduler", "--port=0", _PAGES)
            for name in (f"host {number}" for number in range(1, workers + 1)):
                self._start(name, "worker", f"--name={name}", *_WORKER)
            self._address, self.dashboard_link = self._wait_until_ready(workers)
        except BaseException:
            self.close()
            raise

    def __repr__(self) -> str:
        """The same in every run."""
        return "<Hosts>" if self._end.alive else "<Hosts, closed>"

    def __enter__(self) -> Self:
        """Give the cluster itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    @property
    def scheduler_address(self) -> str:
        """Where a client finds it, "tcp://127.0.0.1:…".

        Raises:
            ConnectionError: it is closed. (Dask would look for it for half a minute, and leave a thread.)
        """
        if not self._end.alive:
            raise ConnectionError("this cluster is closed: start another with hosts(workers=2)")
        return self._address

    def close(self) -> None:
        """End the scheduler, the workers and whatever these have started, and delete their files."""
        self._end()

    def _start(self, name: str, *words: str) -> None:
        shared = (f"--host={LOOPBACK}", f"--scheduler-file={self._folder / _ADDRESS_FILE}")
        with (self._folder / f"{name}.log").open("wb") as log:
            command = subprocess.Popen(  # noqa: S603 (our own words)
                [*_TIED, *words, *shared],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env=os.environ | {"DASK_TEMPORARY_DIRECTORY": str(self._folder)},
                # A group of its own: an interrupt is for the cell, not for the cluster.
                start_new_session=True,
            )
        self._commands.append(command)

    def _wait_until_ready(self, workers: int) -> tuple[str, str]:
        limit = monotonic() + START_LIMIT
        while (address := self._address_in_file()) is None:
            self._look_after(limit)
        try:
            client = Client(address, timeout=max(1, limit - monotonic()))  # type: ignore[no-untyped-call] # in part
        except OSError as error:  # it does not answer
            raise self._too_late() from error
        with client as connected:
            while len(connected.nthreads()) < workers:
                self._look_after(limit)
            return address, connected.dashboard_link

    def _address_in_file(self) -> str | None:
        """The scheduler's, once its file is there, and whole."""
        with suppress(OSError, ValueError):
            address: str = json.loads((self._folder / _ADDRESS_FILE).read_text())["address"]
            return address
        return None

    def _look_after(self, limit: float) -> None:
        sleep(_LOOK_EVERY)
        for command in self._commands:
            if command.poll() is not None:
                check_room(str(self._folder))
                raise RuntimeError(f"a command ended instead of serving: {self._last_words()}")
        if monotonic() > limit:
            raise self._too_late()

    def _too_late(self) -> TimeoutError:
        return TimeoutError(f"the cluster did not start within {START_LIMIT:g} s: {self._last_words()}")

    def _last_words(self) -> str:
        logs = (f"[{file.stem}] {file.read_text(errors='replace').strip()}" for file in self._folder.glob("*.log"))
        return "\n".join(words[-_LONGEST_LOG:] for words in logs)


def hosts(*, workers: int) -> Hosts:
    """Start a scheduler and `workers` workers, and wait until all of them serve.

    Every port is bound to 127.0.0.1. A worker has one thread for tasks.

    Raises:
        ValueError: `workers` is less than 1.
        RuntimeError: a command failed; the error has the last words of its log.
        OSError: there is no room for its temporary files.
        TimeoutError: they were not ready after 50 s; the same.
    """
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers!r}")
    return Hosts(workers)


def _end(commands: Sequence["subprocess.Popen[bytes]"], folder: Path, owner: int) -> None:
    if os.getpid() != owner:  # a forked child must not end its parent's cluster
        return
    # Asking them nicely (SIGTERM) took up to 8 s a worker, and their files are ours to delete.
    for command in commands:
        command.kill()
    try:
        # Dask's workers end when they see that, and then multiprocessing's resource trackers, which delete the names
        # of their semaphores.
        sleep(_FOLLOWED)
    finally:
        for command in commands:
            _kill_followers(command)
            command.wait()
            if command.stdin is not None:
                command.stdin.close()
        delete_folder(str(folder))


def _kill_followers(command: "subprocess.Popen[bytes]") -> None:
    """Kill what a dead command has started, and what has not followed it; on Windows Dask's workers always do."""
    if sys.platform != "win32":
        with suppress(ProcessLookupError, PermissionError):  # the second on macOS, where all of them have ended
            os.killpg(command.pid, signal.SIGKILL)


def _after_fork_in_child() -> None:
    """A forked child must not hold the commands' input open: they would outlive this program with it."""
    for command in [command for cluster in _running for command in cluster._commands]:  # noqa: SLF001 (our own)
        if command.stdin is not None:
            command.stdin.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
