"""A cluster of commands: what it says when it cannot start, and that it ends whatever happens."""

import gc
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from distributed import utils

from helpers.observe.leftovers import leftovers
from helpers.panels import hosts as module
from helpers.panels.hosts import Hosts, hosts
from tests.observe.starting import LIMIT, until


def running() -> list[int]:
    return [each.pid for each in psutil.Process().children() if each.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture(autouse=True)
def nothing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = set(running())
    yield
    until(lambda: set(running()) <= before, "the commands to end")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands start, and nobody waits until they serve."""
    monkeypatch.setattr(Hosts, "_wait_until_ready", lambda *_: ("tcp://127.0.0.1:1", "http://127.0.0.1:2/status"))


@pytest.mark.parametrize("workers", [0, -1])
def test_there_must_be_a_worker(workers: int):
    with pytest.raises(ValueError, match=f"workers must be at least 1, got {workers}"):
        hosts(workers=workers)


def test_a_command_that_fails_is_quoted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_WORKER", ("--nthreads=many",))
    with pytest.raises(RuntimeError, match=r"(?s)a command ended .*\[host 1\].*many"):
        hosts(workers=1)


def test_a_start_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "START_LIMIT", 0.1)
    with pytest.raises(TimeoutError, match=r"did not start within 0\.1 s"):
        hosts(workers=1)


def test_a_scheduler_that_does_not_answer_in_time_is_ended(monkeypatch: pytest.MonkeyPatch):
    def no_answer(address: str, timeout: float) -> None:
        assert timeout <= module.START_LIMIT
        raise OSError(f"Timed out trying to connect to {address}")

    monkeypatch.setattr(Hosts, "_address_in_file", lambda _: "tcp://127.0.0.1:1")
    monkeypatch.setattr(module, "Client", no_answer)
    with pytest.raises(TimeoutError, match="did not start within 50 s"):
        hosts(workers=1)


def test_an_address_is_read_when_its_file_is_whole(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Hosts, "_start", lambda *_: None)
    monkeypatch.setattr(Hosts, "_wait_until_ready", lambda *_: ("tcp://127.0.0.1:1", "http://127.0.0.1:2/status"))
    with hosts(workers=1) as cluster:
        file = cluster._folder / "scheduler.json"
        found = [cluster._address_in_file()]
        for words in ("", '{"address": ', '{"address": "tcp://127.0.0.1:3"}'):
            file.write_text(words)
            found.append(cluster._address_in_file())
    assert found == [None, None, None, "tcp://127.0.0.1:3"]


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="this system does not say what a process has open")
@pytest.mark.timeout(200)
def test_closing_leaves_no_semaphore(monkeypatch: pytest.MonkeyPatch):
    """A killed process leaves their names to multiprocessing's resource tracker, which needs a moment for it."""
    monkeypatch.setattr(module, "START_LIMIT", 140)
    monkeypatch.setattr(module, "_FOLLOWED", 3)  # a busy machine needs more of a moment
    with hosts(workers=1) as cluster:
        names = set().union(*(semaphores(each) for command in cluster._commands for each in family(command.pid)))
    assert len(names) >= 6
    assert [name for name in names if Path(name).exists()] == []


def family(pid: int) -> list[int]:
    return [pid, *(each.pid for each in psutil.Process(pid).children(recursive=True))]


def semaphores(pid: int) -> set[str]:
    maps = Path(f"/proc/{pid}/maps").read_text().splitlines()
    return {line.split()[-1] for line in maps if "/sem.mp-" in line}


def test_an_interrupt_while_it_starts_leaves_nothing(monkeypatch: pytest.MonkeyPatch):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Hosts, "_look_after", interrupt)
    with pytest.raises(KeyboardInterrupt):
        hosts(workers=2)


@pytest.mark.usefixtures("no_wait")
def test_it_ends_with_its_block_and_twice_is_no_harm():
    with hosts(workers=2) as cluster:
        assert len(running()) >= 3
        assert repr(cluster) == "<Hosts>"
    cluster.close()
    assert repr(cluster) == "<Hosts, closed>"
    with pytest.raises(ConnectionError, match=r"closed: start another with hosts\(workers=2\)"):
        _ = cluster.scheduler_address
    assert all(command.poll() is not None for command in cluster._commands)


@pytest.mark.usefixtures("no_wait")
def test_one_that_is_forgotten_ends():
    cluster = hosts(workers=1)
    commands = cluster._commands
    del cluster
    gc.collect()
    assert all(command.poll() is not None for command in commands)


@pytest.mark.usefixtures("no_wait")
@pytest.mark.skipif(os.name != "posix", reason="needs process groups")
def test_an_interrupt_of_the_cell_does_not_reach_the_commands():
    with hosts(workers=1) as cluster:
        for command in cluster._commands:
            assert os.getpgid(command.pid) == command.pid != os.getpgrp()


# What Dask keeps in the kernel


def test_its_idle_thread_is_not_a_leftover_but_a_busy_one_is():
    begun, busy = threading.Event(), threading.Event()
    pool = utils._offload_executor
    pool.submit(int).result(LIMIT)
    assert any(thread.name.startswith("Dask-Offload") for thread in threading.enumerate())
    assert leftovers() == []
    pool.submit(lambda: (begun.set(), busy.wait(LIMIT)))
    try:
        assert begun.wait(LIMIT)
        assert len(left := leftovers()) == 1
        assert "Dask-Offload" in left[0]
    finally:
        busy.set()
