"""What the workers of a Dask cluster do first in these lessons: be silent, and go by a name of their own.

Dask imports it in each worker process (the setting `distributed.worker.preload`, or `dask worker --preload`), and
calls `dask_setup`. The name stands before the worker's lane in a picture: "worker 1".
"""

import logging
import threading
from typing import Any


def dask_setup(worker: Any) -> None:  # noqa: ANN401 (distributed's Worker: workers import the standard library alone)
    """Name the process after the worker, and its one thread for tasks "tasks".

    Dask's workers log what goes wrong to the error output, a failed task too, which the client is told of anyway.
    """
    import multiprocessing  # noqa: PLC0415 (a worker of Dask's has it by then)

    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    name = str(worker.name)
    multiprocessing.current_process().name = f"worker {name}" if name.isdigit() else name
    worker.executors["default"].submit(_be_brief)


def _be_brief() -> None:
    threading.current_thread().name = "tasks"
