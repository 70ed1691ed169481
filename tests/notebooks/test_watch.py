"""The watch blames a notebook for what it did, and not for what other programs do meanwhile."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.notebooks.watch import SHARED, Watch

SHARES = """
from multiprocessing import get_context
from multiprocessing.shared_memory import SharedMemory
lock, block = get_context("spawn").Lock(), SharedMemory(create=True, size=16)
print(flush=True)
input()
block.close()
block.unlink()
"""


@pytest.fixture
def watch() -> Iterator[Watch]:
    watch = Watch()
    yield watch
    watch.sweep()


@pytest.mark.skipif(not SHARED.is_dir(), reason="this system does not list shared memory")
def test_shared_memory_in_use_elsewhere_is_not_ours(watch: Watch) -> None:
    with subprocess.Popen([sys.executable, "-c", SHARES], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        said = watch.left_while_alive() + watch.left_after_shutdown()
        other.communicate(b"\n")
    assert said == []


@pytest.mark.skipif(not SHARED.is_dir(), reason="this system does not list shared memory")
def test_shared_memory_in_use_by_the_notebook_is_ours(watch: Watch) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SHARES], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=watch.environment
    ) as kernel:
        assert kernel.stdout is not None
        kernel.stdout.readline()
        watch.began(kernel.pid)
        found = watch._new_shared()
        kernel.communicate(b"\n")
    assert sorted({name[:4] for name in found}) == ["psm_", "sem."]


def test_sweep_ends_what_is_marked_and_nothing_else(watch: Watch) -> None:
    sleep = [sys.executable, "-c", "input()"]
    with (
        subprocess.Popen(sleep, stdin=subprocess.PIPE, env=watch.environment) as ours,
        subprocess.Popen(sleep, stdin=subprocess.PIPE, env=dict(os.environ)) as other,
    ):
        watch.sweep()
        assert ours.wait(timeout=10) != 0
        assert other.poll() is None
        other.communicate(b"\n", timeout=30)
    assert other.returncode == 0
    assert not watch.folder.exists()


def test_the_kernel_does_not_know_that_it_is_tested(watch: Watch) -> None:
    assert "PYTEST_CURRENT_TEST" in os.environ
    assert "PYTEST_CURRENT_TEST" not in watch.environment
