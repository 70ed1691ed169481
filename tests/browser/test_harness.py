"""The harness notices what it is there to notice, and leaves nothing behind."""

import subprocess
import sys
import time
from pathlib import Path

from tests.browser.lab import Lab
from tests.browser.lab_server import JupyterServer
from tests.browser.making import code, made


def test_unexpected_errors_are_reported_and_expected_ones_are_not(lab: Lab, server: JupyterServer) -> None:
    late = code("import asyncio; await asyncio.sleep(1)")
    planted, not_reached = code("raise ValueError('planted')"), code("print('not reached')")
    lab.open(made(server, code("1 / 0", "raises-exception"), late, planted, not_reached))
    lab.run_all()
    assert lab.errors() == ["cell 2: ValueError: planted"]
    assert [cell.count for cell in lab.cells()] == [1, 2, 3, None]


def test_theme_width_and_console_of_the_page(lab: Lab, server: JupyterServer) -> None:
    lab.open(made(server))
    lab.page.evaluate("() => console.error('planted')")
    assert lab.complaints == ["planted"]
    lab.width(700)
    assert lab.page.evaluate("() => window.innerWidth") == 700
    shades = set()
    for dark in (False, True):
        lab.theme(dark=dark)
        shades.add(lab.page.evaluate("() => getComputedStyle(document.body).getPropertyValue('--jp-layout-color0')"))
    assert len(shades) == 2


def test_a_server_takes_everything_with_it(tmp_path: Path) -> None:
    with JupyterServer(tmp_path) as server:
        # As a worker that outlived its kernel: no child of the server's, and of a session of its own.
        orphan = subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(60)"], env=server._environment(), start_new_session=True
        )
        deadline = time.monotonic() + 10
        while orphan.pid not in {process.pid for process in server.processes()} and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(server.processes()) >= 2
    orphan.wait(10)  # raises if it is still there
    assert server.processes() == []
    assert not server.folder.exists()
