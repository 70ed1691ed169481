"""Evidence that needs a whole program: a script that is started, and how it ends."""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

LIMIT: Final = 20.0
"""Seconds after which something that should have happened long ago will not happen any more."""
_UNGUARDED: Final = """
import multiprocessing
if multiprocessing.get_start_method(allow_none=True) is None:
    multiprocessing.set_start_method("spawn")
process = multiprocessing.Process(target=abs, args=(1,))
process.start()
process.join()
print(process.exitcode)
"""
_KEPT_WAITING: Final = """
import threading
lock = threading.Lock()
lock.acquire()
threading.Thread(target=lock.acquire).start()
print("the main program has ended", flush=True)
"""


def a_waiting_thread_keeps_the_program() -> bool:
    """The main program has ended, one thread waits for a lock, and the process goes on."""
    with subprocess.Popen([sys.executable, "-c", _KEPT_WAITING], stdout=subprocess.PIPE) as program:  # noqa: S603 (ours)
        try:
            said = program.stdout is not None and program.stdout.readline().strip()
            program.wait(1.0)
        except subprocess.TimeoutExpired:
            return said == b"the main program has ended"
        finally:
            program.kill()
    return False


def a_spawned_process_needs_the_guard() -> bool:
    """Without `if __name__ == "__main__"` a script that spawns a process makes that process fail."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "unguarded.py")
        script.write_text(_UNGUARDED, encoding="utf-8")
        told = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=LIMIT, check=False)  # noqa: S603 (ours)
    return told.stdout.strip() == "1" and "bootstrapping phase" in told.stderr
