"""A JupyterLab of the tests' own: a copy of the lessons, settings of its own, and nothing left behind.

    with JupyterServer(notebooks) as server:
        server.url("02_a_thread_keeps_it_alive.ipynb")     # open this in a browser

The learner's own settings, workspaces and running servers are neither read nor touched. Everything that the server
starts, kernels and their workers too, inherits one variable of the environment; by it all of them are found and
ended, also those whose parent has died before them.
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, Self
from urllib.request import Request, urlopen

import psutil

MARK: Final = "PAINLESS_TEST_SERVER"
START_LIMIT: Final = 60.0
STOP_LIMIT: Final = 10.0
SETTINGS: Final = {
    # All cells stay in the page, so that the outputs of those out of sight can be read too.
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension/notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
}


class JupyterServer:
    """JupyterLab on a free port of the loopback interface, while the `with` block lasts.

    Args:
        notebooks: the folder of lessons, of which the server gets a copy.

    Raises:
        RuntimeError: the server does not answer within a minute; its log is in the message.
    """

    def __init__(self, notebooks: Path) -> None:
        # A short name: the sockets of multiprocessing lie within it, and their paths have 104 characters at most.
        self._scratch = Path(tempfile.mkdtemp(prefix="lab-"))
        self.folder = self._scratch / "notebooks"
        self._token = secrets.token_hex(16)
        self._log = self._scratch / "server.log"
        ignored = shutil.ignore_patterns(".*", "__pycache__", "my_*")
        shutil.copytree(notebooks, self.folder, ignore=ignored)
        (self._scratch / "tmp").mkdir()

    def __enter__(self) -> Self:
        for plugin, settings in SETTINGS.items():
            file = self._scratch / "settings" / f"{plugin}.jupyterlab-settings"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(settings), encoding="utf-8")
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command(), env=self._environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()  # a server that is asked ends its kernels itself
        try:
            self._process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_LIMIT)
        left = self.processes()
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, STOP_LIMIT)
        shutil.rmtree(self._scratch, ignore_errors=True)

    def url(self, notebook: str) -> str:
        """Where a browser finds `notebook`, with no trace of what was open before."""
        return f"{self._root}lab/tree/{notebook}?reset&token={self._token}"

    def end_kernels(self) -> None:
        """End all kernels, so that the next lesson opened gets a new one."""
        for kernel in json.loads(self._ask("GET", "api/kernels")):
            self._ask("DELETE", f"api/kernels/{kernel['id']}")

    def processes(self) -> list[psutil.Process]:
        """The server and all that it has started, near and far."""
        return [process for process in psutil.process_iter() if _mark_of(process) == self._token]

    def _ask(self, method: str, path: str) -> bytes:
        request = Request(f"{self._root}{path}?token={self._token}", method=method)  # noqa: S310 - our own server, over http
        with urlopen(request, timeout=START_LIMIT) as answer:  # noqa: S310 - the same
            return bytes(answer.read())

    def _command(self) -> list[str]:
        return [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", f"--ServerApp.root_dir={self.folder}"),
            *("--ServerApp.ip=127.0.0.1", "--ServerApp.port=0", "--ServerApp.allow_root=True"),
            *("--ServerApp.quit_button=False", "--ServerApp.terminals_enabled=False"),
            *("--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly"),
            "--LabApp.news_url=None",
            # Between the server and its kernels, sockets with names: a port may be taken before the kernel takes it
            # (helpers/panels/kernel_start.py). Where paths of temporary files are long, the names would be too long.
            *(["--KernelManager.transport=ipc"] if sys.platform == "linux" else []),
        ]

    def _environment(self) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            # With PYTEST_CURRENT_TEST in its environment a kernel does not show what its workers print.
            if not name.startswith(("JUPYTER", "PYTEST"))
        }
        places = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "IPYTHONDIR": "ipython",
            **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), "tmp"),
        }
        own = {name: str(self._scratch / folder) for name, folder in places.items()}
        return inherited | own | {"JUPYTER_TOKEN": self._token, MARK: self._token}

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_LIMIT
        while time.monotonic() < deadline and self._process.poll() is None:
            for file in (self._scratch / "runtime").glob("jpserver-*.json"):
                try:
                    self._root = str(json.loads(file.read_text(encoding="utf-8"))["url"])
                    self._ask("GET", "api/status")
                except (OSError, ValueError):
                    continue  # the file is half written, or nobody listens yet
                return
            time.sleep(0.1)
        log = self._log.read_text(encoding="utf-8", errors="replace")
        raise RuntimeError(f"JupyterLab did not answer within {START_LIMIT:.0f} s; its log:\n{log}")


def _mark_of(process: psutil.Process) -> str | None:
    try:
        mark: str | None = process.environ().get(MARK)
    except (psutil.Error, OSError):  # it has just ended, or belongs to somebody else
        return None
    return mark
