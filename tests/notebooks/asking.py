"""Ask a running kernel about itself, beside its notebook: which threads it has, whether its children are buried."""

import ast
import sys
import time
from collections.abc import Iterable, Mapping
from queue import Empty
from typing import Any, Final, NamedTuple

from nbval.kernel import RunningKernel

ANSWER_LIMIT: Final = 10.0
# pyzmq, for one, starts a thread of its own when a message of 64 kB or more is sent first.
MACHINERY: Final = ("zmq", "ipykernel", "IPython", "tornado")
# One expression of builtins only: the lesson may have given any other name a meaning of its own.
THREADS: Final = (
    "[(thread.ident, thread.name, type(thread).__module__, *(lambda frame:"
    " (frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name) if frame else ('', 0, ''))"
    "(__import__('sys')._current_frames().get(thread.ident)))"
    " for thread in __import__('threading').enumerate()]"
)


class KernelThread(NamedTuple):
    """A thread of a kernel, and where it is."""

    ident: int
    name: str
    module: str  # that its class comes from
    file: str
    line: int
    function: str

    @property
    def is_the_kernels(self) -> bool:
        """Whether it is not the notebook's: those of the kernel's own machinery start when they are first needed."""
        return self.module.partition(".")[0] in MACHINERY or self._is_spare

    @property
    def _is_spare(self) -> bool:
        # asyncio keeps a thread for the next `to_thread`, Dask one for the next large message. While one waits it
        # is in `_worker`, while it works deeper.
        in_pool = self.file.replace("\\", "/").endswith("concurrent/futures/thread.py") and self.function == "_worker"
        return in_pool and self.name.startswith(("asyncio_", "Dask-Offload"))

    def __str__(self) -> str:
        """Its name, and where it is, without this machine's folders."""
        return f"{self.name!r} at {self.file.replace(chr(92), '/').rpartition('/')[2]}:{self.line} in {self.function}"


def kernel_threads(kernel: RunningKernel) -> list[KernelThread]:
    """The threads of the kernel.

    Raises:
        TimeoutError: the kernel did not answer: something keeps it busy.
    """
    told = _answers(kernel, {"threads": THREADS})["threads"]
    return [KernelThread(*thread) for thread in ast.literal_eval(told["data"]["text/plain"])]


def name_blocks(kernel: RunningKernel, prefix: str) -> None:
    """Make the names of all shared memory and semaphores that the kernel will create begin with `prefix`.

    Raises:
        TimeoutError: the kernel did not answer: something keeps it busy.
    """
    module = "__import__('multiprocessing.shared_memory', fromlist=['SharedMemory'])"
    process = "__import__('multiprocessing').current_process()"
    _answers(
        kernel,
        {
            "blocks": f"setattr({module}, '_SHM_NAME_PREFIX', '/{prefix}')",
            "semaphores": f"{process}._config.update(semprefix='/{prefix}')",
        },
    )


def start_processes_by(kernel: RunningKernel, method: str) -> None:
    """Make `method` the default start method of the kernel.

    Raises:
        TimeoutError: the kernel did not answer: something keeps it busy.
    """
    _answers(kernel, {"method": f"__import__('multiprocessing').set_start_method({method!r}, force=True)"})


def bury(kernel: RunningKernel, pids: Iterable[int]) -> None:
    """Make the kernel ask how its ended children ended.

    Until then they count as running for ipykernel, whose shutdown would wait for them longer than anybody waits for
    the kernel.

    Raises:
        TimeoutError: the kernel did not answer: something keeps it busy.
    """
    if sys.platform != "win32":  # nobody has to bury there
        # Those that are not the kernel's own children answer with an error, and that is that.
        _answers(kernel, {str(pid): f"__import__('os').waitpid({pid}, 0)" for pid in pids})


def _answers(kernel: RunningKernel, questions: Mapping[str, str]) -> dict[str, Any]:
    asked = kernel.kc.execute("", silent=True, store_history=False, user_expressions=dict(questions))
    end = time.monotonic() + ANSWER_LIMIT
    while (left := end - time.monotonic()) > 0:
        try:
            message = kernel.kc.get_shell_msg(timeout=left)
        except Empty:
            break
        if message["parent_header"].get("msg_id") == asked:
            answers: dict[str, Any] = message["content"]["user_expressions"]
            return answers
    raise TimeoutError(f"the kernel did not answer within {ANSWER_LIMIT:g} s: a cell left it busy")
