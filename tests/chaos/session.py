"""One kernel, watched, whose cells can be interrupted or killed at a given moment.

    with Session(path.parent) as session:
        session.run(source, interrupt_after=0.2)    # how the cell ended
        session.finish()                            # all that is wrong at the end, a sentence each

The kernel starts as the tests of the lessons start it: in the environment of a `Watch`, which finds whatever
it leaves. A cell that does not end within its limit has hung; the complaint says where its main thread was.
"""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from queue import Empty
from subprocess import DEVNULL
from time import monotonic
from typing import Any, Final, NamedTuple, Self

import psutil
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, start_new_kernel

from helpers.panels.kernel_start import with_free_ports
from tests.chaos.servers import ServerLog
from tests.notebooks.asking import bury, kernel_threads, name_blocks
from tests.notebooks.watch import SHARED, Watch, settled

CELL_LIMIT: Final = 60.0
START_LIMIT: Final = 120.0
# Nobody stops what a cell that was cut short has started. Our own workers then end by themselves after a minute.
END_GRACE: Final = 75.0
# A killed kernel's workers end within milliseconds on a quiet machine.
KILL_GRACE: Final = 10.0
LOOK_EVERY: Final = 0.5
# Seconds from the kernel's word that it is idle to the reply that it has sent before.
REPLY_GRACE: Final = 3.0


class CellEnd(NamedTuple):
    """How a cell ended."""

    seconds: float
    error: str  # its type and text, "" if there was none
    disturbed: bool = False  # by the interrupt or the kill, which came while it ran
    hung: str = ""  # where it was


class Session:
    """A kernel and what it does to the machine.

    Args:
        folder: where it starts.
    """

    def __init__(self, folder: Path) -> None:
        self.watch = Watch()
        try:
            self.km, self.kc = with_free_ports(
                lambda: start_new_kernel(
                    START_LIMIT,
                    CURRENT_ENV_KERNEL_NAME,
                    env=self.watch.environment,
                    cwd=str(folder),
                    stdout=DEVNULL,
                    stderr=DEVNULL,
                )
            )
            self.pid = int(self.km.provisioner.pid)
            self.watch.began(self.pid)
            if SHARED.is_dir():
                name_blocks(self, self.watch.block_prefix)
            self._first_threads = {thread.ident for thread in kernel_threads(self)}
            self.servers = ServerLog(self.watch)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, source: str, *, interrupt_after: float | None = None, kill_after: float | None = None) -> CellEnd:
        """Run a cell; interrupt it, or kill the kernel, so many seconds after its start, if it still runs then."""
        after = interrupt_after if kill_after is None else kill_after
        asked = self.kc.execute(source, allow_stdin=False, stop_on_error=False)
        began = monotonic()
        if after is not None and not (reply := self._reply(asked, began + after)):
            self.kill() if kill_after is not None else self.km.interrupt_kernel()
            if kill_after is not None:
                return CellEnd(monotonic() - began, "", disturbed=True)
            disturbed = True
        else:
            disturbed = False
        reply = (None if disturbed or after is None else reply) or self._reply(asked, monotonic() + CELL_LIMIT)
        return CellEnd(monotonic() - began, _error_of(reply), disturbed, "" if reply else self._where())

    def kill(self) -> None:
        """Kill the kernel, and nothing else, with SIGKILL."""
        os.kill(self.pid, signal.SIGKILL)
        self.km.provisioner.process.wait()

    def left_after_kill(self) -> list[str]:
        """What a killed kernel left, once what it started has had time to notice."""
        return settled(self.watch.left_running, KILL_GRACE) + self.servers.faults()

    def finish(self, *, in_order: bool = True) -> list[str]:
        """End the kernel as JupyterLab would; gives all that is wrong, a sentence each.

        Args:
            in_order: whether each cell has been run once, in its place. A cell that makes a block of shared memory,
                run twice, makes a second one. The first stays until the kernel ends, as lesson 13 says, and then
                Python's resource tracker takes it away, which is ended here with all others.
        """
        if not self.km.is_alive():
            return ["the kernel was gone before the end", *self.left_after_kill()]
        found = settled(self._threads, END_GRACE) + settled(self.watch.left_while_alive, END_GRACE)
        with suppress(TimeoutError):
            bury(self, {*self.watch.end_processes(), *self._zombies()})
        self.kc.stop_channels()
        self.km.shutdown_kernel(now=False)
        found += self.watch.left_after_shutdown() + self.servers.faults()
        return [each for each in dict.fromkeys(found) if in_order or not each.startswith("shared memory")]

    def close(self) -> None:
        """End and delete whatever is left."""
        with suppress(AttributeError):
            self.servers.stop()
        with suppress(AttributeError):
            self.kc.stop_channels()
        self.watch.sweep()
        with suppress(Exception):  # it may never have started
            self.km.shutdown_kernel(now=True)

    def _zombies(self) -> list[int]:
        """Children that have ended, and that nobody has asked for: in the wrong order, the asking cell came first."""
        children = psutil.Process(self.pid).children()
        return [child.pid for child in children if child.status() == psutil.STATUS_ZOMBIE]

    def _reply(self, asked: str, limit: float) -> dict[str, Any] | None:
        """What the kernel answers before that moment; None if nothing."""
        idle_since: float | None = None
        while monotonic() < limit and self.km.is_alive():
            idle_since = idle_since or self._idle(asked)
            with suppress(Empty):
                message = self.kc.get_shell_msg(timeout=max(0.0, min(limit - monotonic(), LOOK_EVERY)))
                if message["parent_header"].get("msg_id") == asked:
                    return dict(message["content"])
            if idle_since and monotonic() - idle_since > REPLY_GRACE:
                return {"status": "interrupted before it began, or as it ended"}
        return None

    def _idle(self, asked: str) -> float | None:
        """Now, if the kernel has said that it is done with the request; passes over all else that it has said.

        An interrupt that comes between two lines of ipykernel's own takes the reply along.
        """
        with suppress(Empty):
            while message := self.kc.get_iopub_msg(timeout=0):
                ours = message["parent_header"].get("msg_id") == asked
                if ours and message["content"].get("execution_state") == "idle":
                    return monotonic()
        return None

    def _threads(self) -> list[str]:
        try:
            return [
                f"a thread was left running: {thread}"
                for thread in kernel_threads(self)
                if thread.ident not in self._first_threads and not thread.is_the_kernels
            ]
        except TimeoutError as error:
            return [str(error)]

    def _where(self) -> str:
        """Where the threads of the kernel and of its processes are, as py-spy sees them."""
        if not self.km.is_alive():
            return "the kernel is gone"
        return "\n".join(map(_stacks, (self.pid, *self.watch.pids())))


def _stacks(pid: int) -> str:
    try:
        seen = subprocess.run(
            [Path(sys.executable).with_name("py-spy"), "dump", "--nonblocking", "--pid", str(pid)],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return seen.stdout or seen.stderr


def _error_of(reply: dict[str, Any] | None) -> str:
    if reply is None or reply["status"] == "ok":
        return ""
    return f"{reply.get('ename', reply['status'])}: {reply.get('evalue', '')}"
