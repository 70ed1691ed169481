"""The watch blames a notebook for what it did, and not for what other programs do meanwhile."""

import os
import subprocess
import sys
from collections.abc import Iterator
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory

import pytest

from tests.notebooks.watch import SHARED, Watch


@pytest.fixture
def watch() -> Iterator[Watch]:
    watch = Watch()
    yield watch
    watch.sweep()


@pytest.mark.skipif(not SHARED.is_dir(), reason="this system does not list shared memory")
def test_shared_memory_of_others_is_neither_blamed_nor_deleted(watch: Watch) -> None:
    block = SharedMemory(create=True, size=16)
    try:
        assert watch.left_while_alive() + watch.left_after_shutdown() == []
        watch.sweep()
        assert (SHARED / block.name).exists()
    finally:
        block.close()
        block.unlink()


@pytest.mark.skipif(not SHARED.is_dir(), reason="this system does not list shared memory")
def test_shared_memory_of_the_notebook_is_blamed_and_deleted(watch: Watch) -> None:
    block = SharedMemory(f"{watch.block_prefix}1", create=True, size=16)
    resource_tracker.unregister(f"/{block.name}", "shared_memory")
    block.close()
    assert watch.left_while_alive() == [f"shared memory was left: {block.name}; unlink it"]
    watch.sweep()
    assert not (SHARED / block.name).exists()


@pytest.mark.skipif(not SHARED.is_dir(), reason="this system does not list shared memory")
def test_semaphores_of_the_notebook_are_deleted_without_blame(watch: Watch) -> None:
    ours, other = SHARED / f"sem.{watch.block_prefix}-1", SHARED / f"sem.mp-test-{watch.block_prefix}"
    try:
        for semaphore in (ours, other):
            semaphore.touch()
        assert watch.left_while_alive() + watch.left_after_shutdown() == []
        watch.sweep()
        assert (ours.exists(), other.exists()) == (False, True)
    finally:
        other.unlink()


def test_sweep_ends_what_is_marked_and_nothing_else(watch: Watch) -> None:
    sleep = [sys.executable, "-c", "print('here', flush=True); input()"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with (
        subprocess.Popen(sleep, env=watch.environment, **pipes) as ours,
        subprocess.Popen(sleep, env=dict(os.environ), **pipes) as other,
    ):
        for process in (ours, other):  # which has no environment before it has begun
            assert process.stdout is not None
            process.stdout.readline()
        watch.sweep()
        assert ours.wait(timeout=30) != 0
        assert other.poll() is None
        other.communicate(b"\n", timeout=30)
    assert other.returncode == 0
    assert not watch.folder.exists()


def test_the_kernel_does_not_know_that_it_is_tested(watch: Watch) -> None:
    assert "PYTEST_CURRENT_TEST" in os.environ
    assert "PYTEST_CURRENT_TEST" not in watch.environment
