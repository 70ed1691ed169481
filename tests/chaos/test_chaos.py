"""The chaos itself can fail: what hangs, stays, or listens where it should not is noticed, and named."""

import socket
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final

import nbformat
import pytest

from tests.chaos import session
from tests.chaos.runs import Lesson, in_order, interrupted, killed, moment
from tests.chaos.servers import Address, same_again
from tests.chaos.table import chaos

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL"),
]
ON_LINUX: Final = pytest.mark.skipif(sys.platform != "linux", reason="servers are looked for on Linux")
Planted = Callable[..., Lesson]

DEAF: Final = """
import signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
end = time.monotonic() + 120
while time.monotonic() < end:
    time.sleep(0.1)
"""
ORPHANS: Final = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
"""
SERVER: Final = """
import socket, time
server = socket.create_server(({host!r}, {port}))
time.sleep(2.5)
server.close()
"""


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Planted:
    """Make a lesson of these cells; limits are a few seconds."""
    monkeypatch.setattr(session, "CELL_LIMIT", 5.0)
    monkeypatch.setattr(session, "END_GRACE", 1.0)
    monkeypatch.setattr(session, "KILL_GRACE", 1.0)

    def make(*cells: str) -> Lesson:
        path = tmp_path / "planted.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), path)
        return Lesson(path)

    return make


def test_a_cell_that_does_not_hear_an_interrupt_has_hung(planted: Planted) -> None:
    outcome = interrupted(planted(DEAF), "any")
    assert "code cell 1 did not end" in outcome.hung[0]
    assert "<module>" in outcome.hung[0]


def test_a_process_that_outlives_a_killed_kernel_is_noticed(planted: Planted) -> None:
    outcome = killed(planted(ORPHANS, "import time; time.sleep(60)"), "1")  # in the second cell
    assert outcome.disturbed == 1
    assert any("a process was left running" in fault for fault in outcome.left)


def test_shared_memory_that_outlives_a_killed_kernel_is_noticed(planted: Planted) -> None:
    if not session.SHARED.is_dir():
        pytest.skip("this system does not list shared memory")
    made = """
from multiprocessing import resource_tracker, shared_memory
block = shared_memory.SharedMemory(create=True, size=16)
resource_tracker.unregister("/" + block.name, "shared_memory")
"""
    outcome = killed(planted(made, "import time; time.sleep(60)"), "1")
    assert any("shared memory was left" in fault for fault in outcome.left)


def test_a_temporary_file_of_a_killed_kernel_is_told(planted: Planted) -> None:
    outcome = killed(planted("import tempfile, time; folder = tempfile.mkdtemp(); time.sleep(60)"), "any")
    assert outcome.left == []
    assert outcome.stays in (["tmp*"], [])


@ON_LINUX
def test_a_server_for_everybody_is_noticed(planted: Planted) -> None:
    outcome = in_order(planted(SERVER.format(host="0.0.0.0", port=0)), "shuffled", "any")  # noqa: S104 - planted
    assert any("listened on 0.0.0.0:" in fault for fault in outcome.left)


@ON_LINUX
def test_a_fixed_port_is_noticed(planted: Planted) -> None:
    port = _free_below_the_range()
    outcome = in_order(planted(SERVER.format(host="127.0.0.1", port=port)), "shuffled", "any")
    assert outcome.left == [f"a server listened on port {port}, which the system did not choose"]


@ON_LINUX
def test_a_server_on_loopback_on_a_free_port_is_right(planted: Planted) -> None:
    outcome = in_order(planted(SERVER.format(host="127.0.0.1", port=0)), "shuffled", "any")
    assert outcome.wrong == []
    assert {address.host for address in outcome.servers} == {"127.0.0.1"}


def test_a_port_that_comes_back_in_each_run_is_fixed() -> None:
    def run(*ports: int) -> set[Address]:
        return {Address("127.0.0.1", port) for port in ports}

    assert same_again([run(40000, 1), run(40000), run(40000, 2)]) == [
        "port 40000 was used in 3 of 3 runs: it is fixed"
    ]
    assert same_again([run(40000), run(40000)]) == []


def test_moments_are_drawn_from_the_seed() -> None:
    assert [moment(Random("7")) for _ in range(2)] == [moment(Random("7"))] * 2  # noqa: S311 - no secret


def test_the_table_says_what_went_wrong_and_its_seed(planted: Planted) -> None:
    lesson = planted(
        "print(1)", "import threading; threading.Thread(target=__import__('time').sleep, args=(9,)).start()"
    )
    line = chaos(lesson.path, interrupts=0, kills=0, seed=5)
    assert "FAILS" in str(line)
    assert any("5/planted/reversed" in fault and "a thread was left running" in fault for fault in line.wrong)


def _free_below_the_range() -> int:
    for port in range(20_000, 30_000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise AssertionError("no port is free")
