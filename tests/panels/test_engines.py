"""Engines are executors: what comes out is the same in all of them, and nothing stays when their block is left."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent import futures
from concurrent.futures import Executor, Future, as_completed
from importlib import util
from pathlib import Path
from typing import Any, Final

import pytest

from helpers.panels import engines
from helpers.panels.engines import ENGINES, engine, missing

HERE: Final = [name for name in ENGINES if name not in missing()]
ROOT: Final = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(150)  # a cluster starts in two seconds, but on a very busy machine in sixty


@pytest.fixture(scope="module", params=HERE)
def pool(request: pytest.FixtureRequest) -> Iterator[Executor]:
    with engine(request.param, 2) as made:
        yield made


def test_each_is_an_executor_that_maps_in_order(pool: Executor) -> None:
    assert isinstance(pool, Executor)
    assert list(pool.map(divmod, [9, 8, 7], [4, 4, 4], timeout=50)) == [(2, 1), (2, 0), (1, 3)]


def test_map_takes_iterators_one_of_which_may_be_endless(pool: Executor) -> None:
    assert list(pool.map(pow, iter([2, 3]), iter(int, 1), timeout=50)) == [1, 1]


def test_futures_are_those_of_the_standard_library(pool: Executor) -> None:
    made = {pool.submit(pow, 2, power): power for power in range(5)}
    assert all(isinstance(future, Future) for future in made)
    assert {made[future]: future.result() for future in as_completed(made, timeout=50)} == {
        power: 2**power for power in range(5)
    }


def test_an_exception_comes_out_of_result(pool: Executor) -> None:
    future = pool.submit(int, "seven")
    with pytest.raises(ValueError, match="seven"):
        future.result(timeout=50)
    assert isinstance(future.exception(), ValueError)


def test_keywords_are_the_functions_own(pool: Executor) -> None:
    # Dask's client would take key and workers for itself.
    assert pool.submit(sorted, [1, 3, 2], key=abs, reverse=True).result(timeout=50) == [3, 2, 1]
    assert pool.submit(dict, workers=["nobody"], retries=3).result(timeout=50) == {
        "workers": ["nobody"],
        "retries": 3,
    }


def test_the_same_call_twice_is_made_twice(pool: Executor) -> None:
    # Dask's client would answer the second from the first.
    first, second = pool.submit(os.urandom, 8), pool.submit(os.urandom, 8)
    assert first.result(timeout=50) != second.result(timeout=50)


@pytest.mark.parametrize("name", [name for name in HERE if name in {"serial", "threads", "loky", "dask"}])
def test_these_take_functions_of_no_module(name: str) -> None:
    with engine(name, 1) as pool:
        assert pool.submit(lambda number: number + 1, 1).result(timeout=50) == 2


@pytest.mark.skipif("interpreters" not in HERE, reason="interpreters need Python 3.14")
def test_interpreters_refuse_a_lambda_that_uses_a_variable() -> None:
    step = 10
    with engine("interpreters", 1) as pool:
        refused = pool.submit(lambda number: number + step, 1).exception(timeout=50)
    assert type(refused).__name__ == "NotShareableError"


@pytest.mark.parametrize("name", HERE)
def test_what_was_handed_in_is_done_when_the_block_is_left(name: str) -> None:
    with engine(name, 2) as pool:
        futures = [pool.submit(pow, 2, power) for power in range(20)]
        results = pool.map(pow, range(20), [2] * 20)
    assert [future.result(timeout=0) for future in futures] == [2**power for power in range(20)]
    assert list(results) == [number**2 for number in range(20)]
    with pytest.raises(RuntimeError, match="after shutdown"):
        pool.submit(abs, 1)


# loky's shutdown has another option in the place of cancel_futures.
@pytest.mark.parametrize("name", [name for name in HERE if name != "loky"])
def test_nobody_waits_for_ever_for_what_was_cancelled(name: str) -> None:
    pool = engine(name, 1)
    futures = [pool.submit(pow, 2, power) for power in range(50)]
    pool.shutdown(cancel_futures=True)
    assert all(future.cancelled() or future.result(timeout=20) for future in futures)


def test_an_interrupt_is_for_those_who_wait() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with engine("serial", 1) as pool:
        with pytest.raises(KeyboardInterrupt):
            pool.submit(interrupted)
        assert isinstance(pool.submit(sys.exit).exception(), SystemExit)


def test_what_is_wrong_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"no engine is called 'ray': choose one of serial, threads"):
        engine("ray", 2)
    with pytest.raises(ValueError, match="workers must be at least 1, got 0"):
        engine("threads", 0)
    monkeypatch.setattr(sys, "version_info", (3, 13, 1))
    with pytest.raises(ImportError, match=r"need Python 3\.14 or later, this is 3\.13: use processes instead"):
        engine("interpreters", 2)
    monkeypatch.setattr(engines, "find_spec", lambda name: None if name == "distributed" else util.find_spec(name))
    assert list(missing()) == ["interpreters", "dask"]
    with pytest.raises(
        ImportError, match="dask needs the package distributed: run python -m pip install distributed"
    ):
        engine("dask", 2)


def test_interpreters_are_there_from_python_3_14_on() -> None:
    assert ("interpreters" in missing()) == (not hasattr(futures, "InterpreterPoolExecutor"))


# In a program of its own: only there can be told what is left.
LEFT: Final = """
import os, sys, tempfile, threading
import psutil
from helpers.observe.leftovers import nothing_left
from helpers.panels.engines import engine

def ports(process):
    return {c.laddr.ip for c in process.net_connections("tcp") if c.status == psutil.CONN_LISTEN}

if __name__ == "__main__":
    if "one core" in sys.argv and sys.platform == "linux":
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    me, threads, environ = psutil.Process(), set(threading.enumerate()), dict(os.environ)
    with engine(sys.argv[1], 2) as pool:
        assert list(pool.map(abs, [-1, -2, -3], timeout=40)) == [1, 2, 3]
        failed = pool.submit(int, "no number").exception(timeout=40)
        assert isinstance(failed, ValueError), failed
        heard = set().union(*map(ports, [me, *me.children(recursive=True)]))
    print(nothing_left())  # with patience for what is just ending
    print("ports elsewhere:", heard - {"127.0.0.1"})
    environ.pop("__DASK_PARENT_PID", os.environ.pop("__DASK_PARENT_PID", None))
    changed = {key for key in {*environ, *os.environ} if environ.get(key) != os.environ.get(key)}
    print("environment:", changed - {"LOKY_PICKLER"})
    # Dask keeps one thread for large messages, idle.
    names = [t.name for t in threading.enumerate() if t not in threads]
    print("threads:", [name for name in names if name != "Dask-Offload_0"])
    print("ports:", ports(me), "files:", os.listdir(tempfile.gettempdir()))
"""


@pytest.mark.parametrize("cores", ["all cores", "one core"])
@pytest.mark.parametrize("name", HERE)
def test_nothing_stays(name: str, cores: str, tmp_path: Path) -> None:
    if cores == "one core" and (sys.platform != "linux" or name in {"serial", "threads"}):
        pytest.skip("a process's cores can be chosen on Linux, and these need no second one")
    script, temporary = tmp_path / "left.py", tmp_path / "temporary"
    script.write_text(LEFT)
    temporary.mkdir()
    environment: dict[str, Any] = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, script, name, cores],
        env=environment,
        capture_output=True,
        text=True,
        timeout=130,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "Nothing is left: no process, no thread, no open trace.",
        "ports elsewhere: set()",
        "environment: set()",
        "threads: []",
        "ports: set() files: []",
    ]
    assert list(temporary.iterdir()) == []


INTERRUPTED: Final = """
import os, signal
from helpers.panels.engines import engine

if __name__ == "__main__":
    signal.signal(signal.SIGINT, lambda *_: None)
    with engine("dask", 2) as pool:
        assert list(pool.map(abs, [-1, -2], timeout=100)) == [1, 2]
        for _ in range(3):
            os.killpg(0, signal.SIGINT)
        print(list(pool.map(abs, [-3, -4], timeout=20)))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no process groups")
@pytest.mark.skipif("dask" not in HERE, reason="Dask is not installed")
def test_an_interrupt_of_a_cell_does_not_end_dasks_workers(tmp_path: Path) -> None:
    script = tmp_path / "interrupted.py"
    script.write_text(INTERRUPTED)
    done = subprocess.run(
        [sys.executable, script],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        start_new_session=True,
        capture_output=True,
        text=True,
        timeout=140,
        check=False,
    )
    assert done.stdout == "[3, 4]\n", done.stderr
