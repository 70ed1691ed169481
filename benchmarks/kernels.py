"""Measure inside a real kernel, as a notebook has it."""

import json
import os
from pathlib import Path
from subprocess import DEVNULL
from tempfile import TemporaryDirectory
from typing import Any, Final

from jupyter_client.manager import start_new_kernel

from helpers.panels.kernel_start import with_free_ports

ROOT: Final = Path(__file__).parents[1]


def from_kernel(module: str, call: str, limit: float) -> Any:  # noqa: ANN401 - whatever JSON can carry
    """What a coroutine gives in a kernel of its own.

    Args:
        module: what the kernel imports, as `benchmarks.peers`.
        call: the coroutine in it, as `measured(9)`.
        limit: seconds it may take.

    Raises:
        RuntimeError: it raised; the kernel's traceback is in the message.
    """
    with TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        places = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        manager, client = with_free_ports(
            lambda: start_new_kernel(
                kernel_name="python3", cwd=str(ROOT), stderr=DEVNULL, env=os.environ | {"PYTHONPATH": places}
            )
        )
        try:
            reply = client.execute_interactive(
                f"import json, pathlib, {module}\n"
                f"_answer = json.dumps(await {module}.{call})\n"
                f"_ = pathlib.Path({str(answer)!r}).write_text(_answer)",
                output_hook=lambda _: None,
                timeout=limit,
            )
            if reply["content"]["status"] != "ok":
                raise RuntimeError("\n".join(reply["content"]["traceback"]))
        finally:
            client.stop_channels()
            manager.shutdown_kernel()  # asks first: joblib deletes its folder only in a process that ends well
        return json.loads(answer.read_text())
