"""Try each way to start a process, in a program of its own.

    python -m helpers.observe.starts    # {"fork": "", "spawn": "", "forkserver": ""}

Why not in the kernel: to start a process by spawn settles the default for good, and the helpers that forkserver
leaves running make a kernel take ten seconds to restart. Here they end with the program.
"""

import json
import multiprocessing
import subprocess
import sys
from typing import Any, Final

LIMIT: Final = 30.0  # seconds; a fresh Python takes a tenth of one, and some on a machine that is very busy


def start_errors() -> dict[str, str]:
    """What is wrong with each way to start a process, by its name; an empty text if nothing is."""
    command = [sys.executable, "-m", "helpers.observe.starts"]
    try:
        run = subprocess.run(  # noqa: S603 - our own
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=4 * LIMIT, check=True
        )
        results: dict[str, str] = json.loads(run.stdout)
    except subprocess.CalledProcessError as error:
        return {"a program": (error.stderr.strip().splitlines() or [f"exit code {error.returncode}"])[-1]}
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        return {"a program": str(error)}
    return results


def try_each() -> dict[str, str]:
    """Start a process in each way, here; see `start_errors`."""
    # The documentation calls fork unsafe on macOS.
    ways = [way for way in multiprocessing.get_all_start_methods() if (way, sys.platform) != ("fork", "darwin")]
    return {way: _try(way) for way in ways}


def _try(way: str) -> str:
    context: Any = multiprocessing.get_context(way)
    process = context.Process(target=_do_nothing, daemon=True)
    try:
        process.start()
        process.join(LIMIT)
        if process.is_alive():
            process.kill()
            process.join()
            return f"not ended after {LIMIT:g} s"
    except OSError as error:
        return str(error)
    return "" if process.exitcode == 0 else f"exit code {process.exitcode}"


def _do_nothing() -> None:
    """What the process does: to get here, it has found and imported this module."""


if __name__ == "__main__":
    sys.stdout.write(json.dumps(try_each()))
