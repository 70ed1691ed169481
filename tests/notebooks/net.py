"""Run every lesson as a test: strict nbval, and afterwards a look at what the notebook left behind.

    pytest notebooks                          # as a learner has it: the start method is the system's
    pytest notebooks --start-method spawn     # with another default

A plugin of pytest, named in pyproject.toml. nbval makes one test of each code cell; after the last
one comes a test of ours, "nothing left". It looks while the kernel is alive (processes, threads, ports, shared
memory), shuts it down as JupyterLab would, and looks again (temporary files). Whatever happens, nothing survives.
"""

import multiprocessing
import os
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty
from typing import Any, Final
from unittest import mock

import pytest
from nbval.plugin import IPyNbCell, IPyNbFile

from helpers.panels.kernel_start import with_free_ports
from tests.notebooks.asking import KernelThread, bury, kernel_threads, name_blocks, start_processes_by
from tests.notebooks.rules import stored_run
from tests.notebooks.watch import SHARED, Watch, settled

SANITIZE: Final = Path(__file__).with_name("sanitize.cfg")
# Beside the limit of the cell itself: to start the kernel before the first, and to interrupt a cell that hangs.
AROUND_A_CELL: Final = 60.0
# Seconds for a kernel to end in, and for a cell's outputs to come in: a busy machine may be slow, and a kernel that
# is killed leaves its temporary files.
PATIENCE: Final = 30.0
START_METHOD: Final = "--start-method"


class Lesson(IPyNbFile):  # type: ignore[misc]  # nbval is not annotated
    """A notebook, with a kernel whose doings are watched."""

    def setup(self) -> None:
        self.watch = Watch()
        self.complaints: list[str] = []
        with mock.patch.dict(os.environ, self.watch.environment, clear=True):
            with_free_ports(super().setup)
        self.watch.began(self.kernel.km.provisioner.pid)
        if SHARED.is_dir():
            name_blocks(self.kernel, self.watch.block_prefix)
        if method := self.config.getoption(START_METHOD):
            start_processes_by(self.kernel, method)
        self._first_threads = {thread.ident for thread in kernel_threads(self.kernel)}

    def collect(self) -> Iterator[pytest.Item]:
        yield from super().collect()
        yield NothingLeft.from_parent(self, name="nothing left")

    def get_sanitize_files(self) -> list[str]:
        return [str(SANITIZE)]

    def get_kernel_message(self, timeout: float | None = None, stream: str = "iopub") -> dict[str, Any]:
        """The next message, with a note of every word on stderr.

        nbval passes over messages of earlier cells, and the last words of a worker may come when its cell is over.
        """
        message: dict[str, Any] = super().get_kernel_message(timeout, stream)
        if message["msg_type"] == "stream" and message["content"]["name"] == "stderr":
            self.complaints.append(f"stderr had: {message['content']['text'].strip()}")
        return message

    def new_threads(self) -> list[KernelThread]:
        """Those that the notebook started."""
        return [
            thread
            for thread in kernel_threads(self.kernel)
            if thread.ident not in self._first_threads and not thread.is_the_kernels
        ]

    def shut_down(self) -> None:
        """End the kernel as JupyterLab would, so that what it does at exit is done."""
        with suppress(TimeoutError):  # a kernel that is busy is killed
            bury(self.kernel, self.watch.end_processes())
        self.kernel.kc.stop_channels()
        self.kernel.km.shutdown_wait_time = PATIENCE
        self.kernel.km.shutdown_kernel(now=False)
        del self.kernel.km  # which is how nbval knows that it is over

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            self.watch.sweep()


class NothingLeft(pytest.Item):
    """The test of a notebook as a whole, after its last cell."""

    parent: Lesson

    def runtest(self) -> None:
        lesson = self.parent
        found = stored_run(lesson.nb)
        if lesson.kernel.is_alive():
            found += [*self._left_in_kernel(), *lesson.watch.left_while_alive()]
            self._drain()
            lesson.shut_down()
        else:
            found.append("the kernel was gone before the end")
        found += [*lesson.complaints, *lesson.watch.left_after_shutdown()]
        if found:
            pytest.fail(f"{lesson.path.name}: " + "\n".join(dict.fromkeys(found)), pytrace=False)

    def _left_in_kernel(self) -> list[str]:
        try:
            return settled(
                lambda: [f"a thread was left running: {thread}; join it" for thread in self.parent.new_threads()]
            )
        except TimeoutError as error:
            return [str(error)]

    def _drain(self) -> None:
        while True:
            try:
                self.parent.get_kernel_message(timeout=0.1)
            except Empty:
                return

    def reportinfo(self) -> tuple[Path, None, str]:
        return self.path, None, f"{self.path.name}::{self.name}"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a lesson run under each start method."""
    ways = multiprocessing.get_all_start_methods()
    parser.addoption(START_METHOD, choices=ways, help="how processes start by default (the system's way)")


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Put our `Lesson` in the place of nbval's own collector."""
    nodes = yield
    return [Lesson.from_parent(parent, path=file_path) if isinstance(node, IPyNbFile) else node for node in nodes]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give a cell's own limit the first word: it interrupts the cell, and the rest is tested. And be patient."""
    limit = config.option.nbval_cell_timeout + AROUND_A_CELL
    for item in items:
        if isinstance(item, IPyNbCell):
            item.output_timeout = PATIENCE
        if isinstance(item.parent, Lesson):
            item.add_marker(pytest.mark.timeout(limit))
