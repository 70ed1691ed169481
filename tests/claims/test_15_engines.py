"""What lesson 15 says beside what its cells print, measured."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Executor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import cloudpickle
import pytest

from helpers.panels.engines import engine
from helpers.workers.anywhere import increment

ROOT = Path(__file__).parents[2]
OTHERS = ("threads", "processes", "loky")
pytestmark = pytest.mark.timeout(150)  # a cluster starts in two seconds, but on a very busy machine in sixty


def until(file: Path) -> None:
    deadline = monotonic() + 40
    while not file.exists():
        assert monotonic() < deadline, f"waited 40 s for {file.name}"
        sleep(0.01)


def touch_and_wait(folder: str) -> str:
    """Say that it runs, and wait until it may end."""
    (Path(folder) / "runs").touch()
    until(Path(folder) / "may end")
    (Path(folder) / "ended").touch()
    return "ended"


def die_once(file: str) -> str:
    """Be killed, but not if that has happened before."""
    if not Path(file).exists():
        Path(file).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


@pytest.fixture(scope="module")
def dask() -> Iterator[Executor]:
    with engine("dask", 2) as pool:
        yield pool


@pytest.mark.parametrize(("name", "bundles"), [("threads", False), ("processes", True), ("loky", True)])
def test_chunksize_makes_bundles_in_processes_and_loky(name: str, bundles: bool) -> None:  # noqa: FBT001 (pytest's)
    with engine(name, 1) as pool:
        submitted, submit = [], pool.submit
        pool.submit = lambda *args, **kwargs: submitted.append(args) or submit(*args, **kwargs)  # type: ignore[method-assign, func-returns-value]
        assert list(pool.map(increment, range(12), chunksize=6)) == list(range(1, 13))
        assert len(submitted) == (2 if bundles else 12)


def test_chunksize_is_ignored_by_dask_in_our_executor_and_its_own(
    dask: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted, submit = [], dask.submit
    monkeypatch.setattr(dask, "submit", lambda *args: submitted.append(args) or submit(*args))  # type: ignore[func-returns-value]
    assert list(dask.map(increment, range(12), chunksize=6, timeout=40)) == list(range(1, 13))
    assert len(submitted) == 12
    stored = dask._executor._client.futures  # type: ignore[attr-defined]
    before = set(stored)
    results = dask._executor.map(increment, range(12), chunksize=6)  # type: ignore[attr-defined]
    assert len(set(stored) - before) == 12
    assert list(results) == list(range(1, 13))


@pytest.mark.parametrize("name", OTHERS)
def test_cancel_does_not_stop_what_runs(name: str, tmp_path: Path) -> None:
    with engine(name, 1) as pool:
        future = pool.submit(touch_and_wait, str(tmp_path))
        until(tmp_path / "runs")
        assert not future.cancel()
        (tmp_path / "may end").touch()
        assert future.result(timeout=40) == "ended"


def test_cancel_does_not_stop_what_runs_in_dask_though_it_says_so(dask: Executor, tmp_path: Path) -> None:
    future = dask.submit(touch_and_wait, str(tmp_path))
    until(tmp_path / "runs")
    assert future.cancel()
    (tmp_path / "may end").touch()
    until(tmp_path / "ended")


@pytest.mark.skipif(sys.platform == "win32", reason="it has no SIGKILL")
def test_a_killed_worker_breaks_these_pools(tmp_path: Path) -> None:
    for name, error in {"processes": "BrokenProcessPool", "loky": "TerminatedWorkerError"}.items():
        with engine(name, 2) as pool:
            raised = pool.submit(die_once, str(tmp_path / name)).exception(timeout=40)
            assert type(raised).__name__ == error
            with pytest.raises(BrokenProcessPool):
                pool.submit(increment, 1).result(timeout=40)


@pytest.mark.skipif(sys.platform == "win32", reason="it has no SIGKILL")
def test_dask_repeats_the_task_of_a_killed_worker(dask: Executor, tmp_path: Path) -> None:
    assert dask.submit(die_once, str(tmp_path / "dask")).result(timeout=50) == "done"


def test_loky_has_kill_workers_in_the_place_of_cancel_futures() -> None:
    pool: Any = engine("loky", 1)
    with pytest.raises(TypeError, match="cancel_futures"):
        pool.shutdown(cancel_futures=True)
    pool.shutdown(kill_workers=True)


def test_dask_takes_functions_for_pure_unless_told(dask: Executor) -> None:
    client = dask._executor._client  # type: ignore[attr-defined]
    own = client.get_executor()
    kept = [own.submit(os.urandom, 8) for _ in range(3)]
    assert len({future.result(timeout=40) for future in kept}) == 1
    assert len({dask.submit(os.urandom, 8).result(timeout=40) for _ in range(3)}) == 3


def test_dasks_own_executor_leaves_the_cluster_open_and_cancels_nothing(dask: Executor) -> None:
    client = dask._executor._client  # type: ignore[attr-defined]
    own = client.get_executor()
    with pytest.raises(TypeError, match="cancel_futures"):
        own.shutdown(cancel_futures=True)
    own.shutdown()
    assert client.submit(abs, -1).result(timeout=40) == 1


def test_a_function_of_a_module_travels_by_name_even_with_cloudpickle() -> None:
    here = cloudpickle.dumps(increment)
    assert b"helpers.workers.anywhere" in here
    assert len(here) < 100 < len(cloudpickle.dumps(lambda number: number + 1))


def test_what_a_lambda_uses_travels_with_it_as_a_copy(dask: Executor) -> None:
    step = [10]
    with engine("loky", 1) as loky:
        for pool in (dask, loky):
            assert pool.submit(lambda number: (step.append(1), number + step[0])[1], 1).result(timeout=40) == 11
    assert step == [10]


JOBLIB = """
from joblib import Parallel, delayed
from joblib._parallel_backends import AutoBatchingMixin
from joblib.externals.loky import get_reusable_executor
from helpers.workers.anywhere import increment

sizes, chosen = [], AutoBatchingMixin.compute_batch_size
AutoBatchingMixin.compute_batch_size = lambda backend: sizes.append(chosen(backend)) or sizes[-1]
with Parallel(n_jobs=2) as calls:
    print(calls(delayed(increment)(number) for number in range(300)) == list(range(1, 301)))
    print("stay for", calls._backend._workers._timeout, "s")
    workers = list(calls._backend._workers._processes.values())
print("bundled:", max(sizes) > 1, "stayed:", all(worker.is_alive() for worker in workers))
get_reusable_executor().shutdown(wait=True)
print("ended:", not any(worker.is_alive() for worker in workers))
"""


def test_joblib_bundles_tiny_tasks_and_keeps_its_workers_for_five_minutes(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(JOBLIB)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, script], env=environment, capture_output=True, text=True, timeout=55, check=False
    )
    assert done.stdout.splitlines() == [
        "True",
        "stay for 300 s",
        "bundled: True stayed: True",
        "ended: True",
    ], done.stderr


GUARDLESS = """
import multiprocessing
from {module} import ProcessPoolExecutor
with ProcessPoolExecutor(1, {option}) as pool:
    print(pool.submit(abs, -1).result())
"""


@pytest.mark.parametrize(
    ("module", "option", "works"),
    [("loky", "timeout=9", True), ("concurrent.futures", "multiprocessing.get_context('spawn')", False)],
)
def test_in_a_script_processes_need_the_guard_and_loky_does_not(
    module: str,
    option: str,
    works: bool,  # noqa: FBT001 (pytest's)
    tmp_path: Path,
) -> None:
    script = tmp_path / "script.py"
    script.write_text(GUARDLESS.format(module=module, option=option))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=55, check=False)
    assert (done.stdout, done.returncode == 0) == (("1\n", True) if works else ("", False)), done.stderr
    assert works or "bootstrapping phase" in done.stderr
