"""Ways to run functions side by side, each as a `concurrent.futures.Executor`, by name.

    with engine("processes", 2) as pool:
        list(pool.map(functions_in, paths))

    serial        here, at once, one after the other
    threads       ThreadPoolExecutor
    processes     ProcessPoolExecutor, started in the default way
    interpreters  InterpreterPoolExecutor, from Python 3.14 on
    loky          the processes behind joblib
    dask          a scheduler of our own, and worker processes, on this machine

An executor ends with its `with` block, and nothing of it stays: Dask's traces are removed by `_Dask`. Each library is
imported when it is first asked for.
"""

import logging
import os
import sys
from collections.abc import Callable, Iterator
from concurrent import futures
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from contextvars import copy_context
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar
from weakref import WeakSet

from helpers.observe.lifeline import end_with_parent
from helpers.observe.own_folder import delete_folder, make_folder

if TYPE_CHECKING:
    from distributed import LocalCluster

ENGINES: Final = ("serial", "threads", "processes", "interpreters", "loky", "dask")

_INTERPRETERS: Final = (3, 14)
_LIBRARIES: Final = {"loky": "loky", "dask": "distributed"}
_FIRST: Final = "helpers.workers.on_cluster"  # what Dask's workers import before they work

P = ParamSpec("P")
T = TypeVar("T")


def missing() -> dict[str, str]:
    """The engines that cannot be used here, each with the reason and the cure; empty if there are all."""
    found = {}
    if sys.version_info < _INTERPRETERS:
        here = ".".join(map(str, sys.version_info[:2]))
        found["interpreters"] = f"interpreters need Python 3.14 or later, this is {here}: use processes instead"
    for name, library in _LIBRARIES.items():
        if find_spec(library) is None:
            found[name] = f"{name} needs the package {library}: run python -m pip install {library}"
    return found


def engine(name: str, workers: int) -> Executor:
    """A new executor. Use it in a `with` block, and leave that before the next one of Dask's is made.

    Args:
        name: one of `ENGINES`.
        workers: how many calls run at the same time at most. In "serial" it is one, whatever is asked for.

    Raises:
        ValueError: there is no engine of that name, or `workers` is less than 1.
        ImportError: it cannot be used here; says why, and what to do.
        OSError: there is no room for its processes or its temporary folder.

    Results, exceptions and order are the same in all of them. What a function must be like is not: processes and
    interpreters find it by its name in a module; loky and Dask take a cell's own too.
    """
    if name not in ENGINES:
        raise ValueError(f"no engine is called {name!r}: choose one of {', '.join(ENGINES)}")
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers!r}")
    if name in (reasons := missing()):
        raise ImportError(reasons[name])
    return _MAKERS[name](workers)


def _interpreters(workers: int) -> Executor:
    pool: Executor = futures.InterpreterPoolExecutor(workers)  # type: ignore[attr-defined] # from 3.14 on
    return pool


def _loky(workers: int) -> Executor:
    import loky  # type: ignore[import-untyped] # noqa: PLC0415 (only who asks for it pays)

    pool: Executor = loky.ProcessPoolExecutor(workers, initializer=end_with_parent)
    return pool


class _Serial(Executor):
    """Runs each call when it is handed in, in the thread that hands it in."""

    def __init__(self, _workers: int) -> None:
        self._over = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        if self._over:
            raise RuntimeError("cannot schedule new futures after shutdown")
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()
        try:
            future.set_result(fn(*args, **kwargs))
        except KeyboardInterrupt:  # meant for whoever waits here
            raise
        except BaseException as error:  # noqa: BLE001 (as the other executors do: it comes out of result())
            future.set_exception(error)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        self._over = True


class _Dask(Executor):
    """A cluster on this machine: made with the executor, ended with it.

    The executor that Dask gives is that of a client. It leaves the cluster running, its futures are of no use when
    that is gone, and it takes keywords such as `key` and `workers` for its own.
    """

    def __init__(self, workers: int) -> None:
        self._futures: WeakSet[Future[Any]] = WeakSet()
        self._parts = ExitStack()
        self._context = copy_context()  # a client notes in it who came before, and takes that back as it closes
        try:
            self._executor: Executor = self._undisturbed(partial(self._opened, workers))
        except BaseException:
            self._undisturbed(self._parts.close)
            raise

    def _opened(self, workers: int) -> Executor:
        self._parts.enter_context(_environment_kept())
        self._parts.enter_context(_folder_of_its_own())
        cluster = self._parts.enter_context(_cluster(workers))
        client = self._parts.enter_context(cluster.get_client())
        # Not pure: or a second call with the same arguments would be answered from the first.
        executor: Executor = client.get_executor(pure=False)
        return executor

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future = self._executor.submit(partial(fn, *args, **kwargs))
        self._futures.add(future)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002
        try:
            if wait and not cancel_futures:
                futures.wait(self._futures)
        finally:
            for future in self._futures:  # no one may wait for ever for one that is left
                future.cancel()
            self._executor.shutdown(wait=False)
            self._undisturbed(self._parts.close)

    def _undisturbed(self, call: Callable[[], T]) -> T:
        """Call `call` in a thread of its own, where no interrupt comes; one that comes meanwhile is raised after it.

        Interrupted while they are made or closed, clusters and clients of Dask leave threads and ports behind.
        """
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(self._context.run, call).result()


def _cluster(workers: int) -> "LocalCluster":
    from distributed import LocalCluster  # noqa: PLC0415 (a second that only Dask's users should pay)

    return LocalCluster(  # type: ignore[no-untyped-call] # Dask is annotated in part
        n_workers=workers,
        threads_per_worker=1,
        host="127.0.0.1",
        # Without a dashboard there is a port all the same: a free one, for 8787 may be somebody else's.
        dashboard_address="127.0.0.1:0",
        scheduler_kwargs={"dashboard": False},
        silence_logs=logging.CRITICAL,  # a task's exception comes out of its future, and need not be told twice
    )


@contextmanager
def _folder_of_its_own() -> Iterator[None]:
    """Have all that Dask writes in a folder that is deleted; it would leave `dask-scratch-space` behind.

    And have its workers prepared for a notebook.
    """
    import dask  # noqa: PLC0415 (as above)

    folder = make_folder()
    try:
        with dask.config.set({"temporary-directory": folder, "distributed.worker.preload": [_FIRST]}):
            yield
    finally:
        delete_folder(folder)


@contextmanager
def _environment_kept() -> Iterator[None]:
    """Take back what Dask sets for its workers and leaves behind: one BLAS thread each, a fixed seed of hashes.

    Every process that is started later would have them too.
    """
    import dask  # noqa: PLC0415 (as above)
    import distributed  # noqa: F401, PLC0415 (brings the settings that are asked for)

    names = {*dask.config.get("distributed.nanny.pre-spawn-environ"), "PYTHONHASHSEED"}
    before = {name: os.environ.get(name) for name in names}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


_MAKERS: Final[dict[str, Callable[[int], Executor]]] = {
    "serial": _Serial,
    "threads": ThreadPoolExecutor,
    # A worker that has had no task yet would outlive a notebook that is killed.
    "processes": partial(ProcessPoolExecutor, initializer=end_with_parent),
    "interpreters": _interpreters,
    "loky": _loky,
    "dask": _Dask,
}
