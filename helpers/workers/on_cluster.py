"""What the workers of a Dask cluster do first in these lessons: be silent, go by their own names, ignore interrupts.

Dask imports it in each worker process (the setting `distributed.worker.preload`, or `dask worker --preload`), and
calls `dask_setup`. The name stands before the worker's lane in a picture: "worker 1".
"""

import logging
import signal
import threading
from typing import Any


def dask_setup(worker: Any) -> None:  # noqa: ANN401 (distributed's Worker: workers import the standard library alone)
    """Name the process after the worker, and its one thread for tasks "tasks"; ignore interrupts from now on.

    An interrupt is for the cell, but reaches the workers of a `LocalCluster` too, as they are in the kernel's process
    group. It would end them for good, and whatever is submitted later would wait for ever.

    Dask's workers log what goes wrong to the error output, a failed task too, which the client is told of anyway.
    """
    import multiprocessing  # noqa: PLC0415 (a worker of Dask's has it by then)

    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    name = str(worker.name)
    multiprocessing.current_process().name = f"worker {name}" if name.isdigit() else name
    worker.executors["default"].submit(_be_brief)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _be_brief() -> None:
    threading.current_thread().name = "tasks"
