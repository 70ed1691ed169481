"""What tests that start processes share."""

import copyreg
import multiprocessing
import sys
import time
from collections.abc import Callable

import psutil
import pytest

METHODS = [m for m in ("fork", "forkserver", "spawn") if m in multiprocessing.get_all_start_methods()]
LIMIT = 30.0


@pytest.fixture(autouse=True)
def plain_pickle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exceptions are pickled as Python does it.

    Dask teaches pickle another way for every class of exception that is there when it is imported (`tblib`), which
    another test of this process may have done, and which forked workers inherit.
    """
    for kind in list(copyreg.dispatch_table):
        if isinstance(kind, type) and issubclass(kind, BaseException):
            monkeypatch.delitem(copyreg.dispatch_table, kind)


@pytest.fixture(autouse=True)
def plain_main(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers import the main module again under spawn and forkserver; pytest's would cost 0.3 s each time."""
    main = sys.modules["__main__"]
    monkeypatch.setattr(main, "__spec__", None)
    monkeypatch.delattr(main, "__file__", raising=False)


def until(condition: Callable[[], object], what: str) -> None:
    """Wait for the condition; fail when it does not come."""
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline, f"waited {LIMIT:.0f} s for {what}"
        time.sleep(0.002)


def exit_badly() -> None:
    """What a process does that fails."""
    sys.exit(3)


def sleep_long() -> None:
    """What a process does that must be ended."""
    time.sleep(300)


def gone(process: psutil.Process) -> bool:
    """Whether it has ended; a zombie has."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
