"""Lesson 06: what it says of hanging programs."""

import faulthandler
import multiprocessing
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
from pathlib import Path

import psutil
import pytest

from helpers.observe.lock_states import who_waits
from helpers.observe.trace import Trace
from helpers.workers.two_locks import f1, f2, run_together, two_locks
from tests.observe.starting import LIMIT, until

HANGS = """
import threading
lock_x, lock_y, each_has_one = threading.Lock(), threading.Lock(), threading.Barrier(3)

def wait_for_both(first, second):
    with first:
        each_has_one.wait()
        with second:
            pass

threads = [threading.Thread(target=wait_for_both, args=pair) for pair in ((lock_x, lock_y), (lock_y, lock_x))]
for thread in threads:
    thread.start()
each_has_one.wait()
print("started", flush=True)
threads[0].join()
"""


@pytest.fixture
def hanging():
    """A process whose two threads have locked each other out."""
    context = multiprocessing.get_context("spawn")
    with Trace() as trace:
        process = context.Process(target=run_together, args=(trace, two_locks, [f1, f2]))
        process.start()
        try:
            until(lambda: who_waits(trace).is_deadlock, "the deadlock")
            yield process
        finally:
            process.kill()
            process.join(LIMIT)


def test_a_plain_lock_does_not_tell_who_holds_it():
    lock = threading.Lock()
    with lock:
        words = repr(lock)
        assert "locked" in words
        assert str(threading.get_ident()) not in words
        assert not hasattr(lock, "owner")


def test_a_deadlock_uses_no_processor(hanging):
    process = psutil.Process(hanging.pid)
    before = sum(process.cpu_times()[:2])
    with pytest.raises(psutil.TimeoutExpired):
        process.wait(0.5)
    assert sum(process.cpu_times()[:2]) - before <= 0.05


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_the_first_interrupt_does_not_end_a_deadlocked_script(tmp_path: Path):
    file = tmp_path / "hangs.py"
    file.write_text(HANGS, encoding="utf-8")
    with subprocess.Popen([sys.executable, file], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as script:
        try:
            assert script.stdout
            assert script.stdout.readline() == b"started\n"
            script.send_signal(signal.SIGINT)
            with pytest.raises(subprocess.TimeoutExpired):
                script.wait(1.5)
        finally:
            script.kill()
        assert script.stderr
        assert b"KeyboardInterrupt" in script.stderr.read()


@pytest.mark.skipif(not hasattr(faulthandler, "register"), reason="faulthandler.register needs POSIX")
def test_faulthandler_answers_to_a_signal(tmp_path: Path):
    file = tmp_path / "registered.py"
    file.write_text("import faulthandler, signal\nfaulthandler.register(signal.SIGUSR1)\n" + HANGS, encoding="utf-8")
    with subprocess.Popen([sys.executable, file], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as script:
        try:
            assert script.stdout
            assert script.stderr
            assert script.stdout.readline() == b"started\n"
            script.send_signal(signal.SIGUSR1)
            words = b""
            while b"<module>" not in words:
                words += script.stderr.readline()
        finally:
            script.kill()
    assert words.count(b"in wait_for_both") == 2
    assert b"lock_x" not in words


def test_py_spy_shows_the_lines_and_not_the_circle(hanging):
    spy = shutil.which("py-spy", path=sysconfig.get_path("scripts"))
    if spy is None:
        pytest.skip("py-spy is not installed")
    command = [spy, "dump", "--pid", str(hanging.pid)]
    told = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    if told.returncode:
        pytest.skip(f"py-spy may not look into processes here: {told.stderr.strip()[:200]}")
    assert "f1 (" in told.stdout
    assert "f2 (" in told.stdout
    assert "two_locks.py" in told.stdout
    assert "lock_y" not in told.stdout
