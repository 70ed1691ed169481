"""Start a kernel, once more where another program was faster to one of its ports.

jupyter_client finds five free ports and lets go of them; the kernel takes them a second later, and ends if one is
gone by then. JupyterLab tries again by itself (`jupyter_client.restarter`); who starts a kernel without it has to.
"""

from collections.abc import Callable
from typing import Final, TypeVar

TRIES: Final = 3
_Started = TypeVar("_Started")


def with_free_ports(start: Callable[[], _Started]) -> _Started:
    """What `start` gives, which starts a kernel and waits until it answers.

    It is called up to `TRIES` times.

    Raises:
        RuntimeError: `start` raised it, the last time or for another reason.
    """
    for _ in range(TRIES - 1):
        try:
            return start()
        except RuntimeError as error:
            if not died_at_start(error):
                raise
    return start()


def died_at_start(error: RuntimeError) -> bool:
    """Whether jupyter_client raised it because the kernel ended before it had answered once."""
    return str(error).startswith("Kernel died before replying")
