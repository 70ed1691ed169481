"""Have the machine checked by the kernel that a lesson gets, from outside.

    findings_of_kernel() ── starts, asks, ends ──> kernel: findings_here()

What lesson 00 looks at (`check_machine`) is looked at there, for the kernel's event loop is part of it; and what the
page needs besides: JupyterLab, and widgets that can be made and drawn.
"""

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, Any, Final

from ipykernel.comm.comm import BaseComm
from ipywidgets import Button
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager
from jupyter_core.paths import jupyter_path

from helpers.observe.machine import Finding, check_machine
from helpers.panels.kernel_start import died_at_start, with_free_ports

LIMIT: Final = 120.0  # seconds; it takes two or three
LESSONS: Final = Path(__file__).parents[2] / "notebooks"
SETUP: Final = "set up again as the README says, and start JupyterLab from this folder"
_OLDEST_JUPYTERLAB: Final = (4, 4)
_WIDGETS: Final = "@jupyter-widgets/jupyterlab-manager"  # what draws widgets in JupyterLab
_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")
_ASK: Final = """
import json
from helpers.panels.lesson_kernel import findings_here
print(json.dumps(findings_here()))
"""


class KernelError(Exception):
    """The kernel did not start, or gave no findings; the message says why, and what to do."""


def findings_here() -> list[Finding]:
    """Look at all that a lesson needs; call it in the kernel of a lesson."""
    return [*check_machine(), _jupyterlab(), _widgets()]


def findings_of_kernel(limit: float = LIMIT) -> list[Finding]:
    """Start the kernel that JupyterLab would start, let it look, and end it, whatever happens.

    Args:
        limit: seconds for the kernel to start, and again as many for it to look.

    Raises:
        KernelError: it did not start or did not answer, within the limit or at all.
    """
    with tempfile.TemporaryFile() as words, _kernel(limit, words) as client:
        return _ask(client, limit)


def _jupyterlab() -> Finding:
    try:
        found = version("jupyterlab")
    except PackageNotFoundError:
        return Finding("JupyterLab", "not installed", good=False, advice=f"There is no page: {SETUP}.")
    good = tuple(int(number) for number in re.findall(r"\d+", found)[:2]) >= _OLDEST_JUPYTERLAB
    return Finding("JupyterLab", found, good, "" if good else f"The lessons need 4.4 or later: {SETUP}.")


def _widgets() -> Finding:
    button = Button()
    made = isinstance(button.comm, BaseComm)  # elsewhere than in a kernel it is a dummy
    button.close()
    drawn = any(Path(folder, _WIDGETS).is_dir() for folder in jupyter_path("labextensions"))
    found = f"ipywidgets {version('ipywidgets')}"
    if not made:
        return Finding("Widgets", f"{found}, cannot be made", good=False, advice="Look for them in a kernel.")
    if not drawn:
        advice = f"JupyterLab would show no button: {SETUP}."
        return Finding("Widgets", f"{found}, cannot be drawn", good=False, advice=advice)
    return Finding("Widgets", f"{found}, can be made", good=True)


@contextmanager
def _kernel(limit: float, words: IO[bytes]) -> Iterator[BlockingKernelClient]:
    """The kernel, while the block lasts; what it says goes to `words`."""
    try:
        manager, client = with_free_ports(lambda: _started(limit, words))
    except (OSError, RuntimeError) as error:
        died = isinstance(error, RuntimeError) and died_at_start(error)
        why = ((_last_words(words) if died else "") or str(error)).rstrip(".")
        raise KernelError(f"the kernel did not start: {why}. To mend it, {SETUP}.") from error
    try:
        yield client
    finally:
        client.stop_channels()
        _end(manager)


def _started(limit: float, words: IO[bytes]) -> tuple[KernelManager, BlockingKernelClient]:
    manager = KernelManager(kernel_name="python3")
    folder = LESSONS if LESSONS.is_dir() else Path.cwd()
    try:
        manager.start_kernel(cwd=str(folder), stdout=words, stderr=words)
        client = manager.client()
        client.start_channels()
        try:
            client.wait_for_ready(limit)
        except BaseException:
            client.stop_channels()
            raise
    except BaseException:
        _end(manager)
        raise
    return manager, client


def _end(manager: KernelManager) -> None:
    if manager.has_kernel:
        manager.shutdown_kernel()  # it is asked first, so that it ends what it has started
    manager.cleanup_connection_file()


def _ask(client: BlockingKernelClient, limit: float) -> list[Finding]:
    said: list[str] = []

    def hear(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
            said.append(message["content"]["text"])

    try:
        reply = client.execute_interactive(_ASK, timeout=limit, output_hook=hear, store_history=False)
    except TimeoutError as error:
        advice = "close other programs, and try again"
        raise KernelError(f"the kernel gave no answer in {limit:g} s: {advice}.") from error
    answer = reply["content"]
    if answer["status"] != "ok":
        raise KernelError(
            f"the kernel cannot look ({answer.get('ename')}: {answer.get('evalue')}). It may belong to another "
            f"Python: `jupyter kernelspec list` names its folder. Remove a python3 that is not of this project, or "
            f"{SETUP}."
        )
    return [Finding(*fields) for fields in json.loads("".join(said).splitlines()[-1])]


def _last_words(words: IO[bytes]) -> str:
    words.seek(0)
    plain = _COLOURS.sub("", words.read().decode(errors="replace"))
    return next((line.strip() for line in reversed(plain.splitlines()) if line.strip()), "")
