"""Run a command of Python's that ends with the program that started it, even when that program is killed.

    the starter ── keeps the writing end ──► standard input of: python -m helpers.observe.tied dask worker …
                   and never writes           the command runs; at the input's end it is killed

What `end_with_parent` is for processes of multiprocessing, this is for those of subprocess, which have no
sentinel: the operating system closes the starter's end, however it went. A command that leads a process group
(`start_new_session=True`) takes the group along, and with it the processes that it has started itself. One in an
endless call into C that keeps the GIL would not notice; a scheduler, or a worker's nanny, makes none.
"""

import os
import runpy
import signal
import sys
import threading

_INPUT = 0


def main() -> None:
    """Run the module named first, with the words after it as its arguments, until it or the input ends."""
    threading.Thread(target=_end_with_input, name="lifeline", daemon=True).start()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def _end_with_input() -> None:
    while os.read(_INPUT, 1):
        pass
    if sys.platform != "win32" and os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


if __name__ == "__main__":
    main()
