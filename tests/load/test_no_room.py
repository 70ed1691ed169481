"""A full disk and a read-only folder for temporary files: a clear message, the work unharmed, nothing left.

The folder is a disk of its own, of 128 kB, in a mount namespace that only the program under test sees (`unshare` of
util-linux). Where that is not to be had, as on macOS and Windows, a limit of the size of files, or a folder that is
not there, has to do.
"""

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest

from helpers.observe.locks import named
from helpers.observe.no_room import CURE, explained, is_no_room
from helpers.observe.trace import Trace
from helpers.panels.exercise import Exercise, Property
from helpers.panels.sandbox import run_in_sandbox
from helpers.panels.timeline import Timeline
from tests.load import doings

if sys.platform != "win32":
    import resource
    import threading

LIMIT = 110
SIZE = "128k"
ROOT = Path(__file__).parents[2]
MOUNTED = f'mount -t tmpfs -o size={SIZE} tmpfs "$0" && exec "$@"'
FULL = ("workers_of_a_trace", "tasks_of_a_pool", "named_locks", "new_trace", "sandbox", "exercise", "cluster")
READ_ONLY = ("new_trace", "sandbox", "exercise", "cluster")

pytestmark = pytest.mark.timeout(LIMIT + 20)


def namespaced(folder: Path, *command: str) -> list[str]:
    """`command`, run where `folder` is a small disk."""
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", "--mount", *user, "sh", "-c", MOUNTED, str(folder), *command]


@cache
def why_not() -> str:
    """Why no small disk can be had here; empty if one can."""
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return "needs Linux with unshare"
    with tempfile.TemporaryDirectory() as folder:
        tried = subprocess.run(namespaced(Path(folder), "true"), capture_output=True, check=False)
    return "" if tried.returncode == 0 else f"no disk may be mounted here: {tried.stderr.decode().strip()}"


def said(tmp_path: Path, kind: str, step: str) -> str:
    """What a step says on such a disk; it has ended well, and left nothing there."""
    if why_not():
        pytest.skip(why_not())
    program = [sys.executable, "-m", "tests.load.scarce", str(tmp_path), kind, step]
    ran = subprocess.run(
        namespaced(tmp_path, *program), cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.splitlines()[-1] == "left: []", ran.stdout
    assert "Traceback" not in ran.stdout
    return ran.stdout


@pytest.mark.parametrize(
    ("kind", "step"), [*(("full", step) for step in FULL), *(("read-only", step) for step in READ_ONLY)]
)
def test_it_says_where_there_is_no_room_and_what_helps(tmp_path: Path, kind: str, step: str):
    words = said(tmp_path, kind, step)
    assert str(tmp_path) in words
    assert CURE in words
    assert "Your function raised" not in words


@pytest.mark.parametrize("kind", ["full", "read-only"])
def test_what_needs_no_files_works(tmp_path: Path, kind: str):
    said(tmp_path, kind, "without_files")


@pytest.fixture(params=["not there", "a file"])
def nowhere(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files that is none."""
    folder = tmp_path / "nowhere"
    if request.param == "a file":
        folder.write_text("")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_a_trace_says_that_there_is_no_such_folder(nowhere: Path):
    with pytest.raises(OSError, match="the folder for temporary files") as caught:
        Trace()
    assert str(nowhere) in str(caught.value)
    assert CURE in str(caught.value)


def test_so_does_a_sandbox(nowhere: Path):
    with pytest.raises(OSError, match="the folder for temporary files") as caught:
        run_in_sandbox(doings.chatter)
    assert str(nowhere) in str(caught.value)


def test_a_check_does_not_blame_the_answer(nowhere: Path):  # noqa: ARG001 (used)
    verdict = Exercise(Property("files", lambda answer: run_in_sandbox(answer).error))(doings.chatter)
    assert "There was no room for the files of this check" in repr(verdict)
    assert CURE in repr(verdict)


def test_an_answer_that_fills_the_disk_itself_is_told_so():
    def answer() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    verdict = Exercise(Property("writes", lambda own: own()))(answer)
    assert "Your function raised OSError: [Errno 28] No space left on device" in repr(verdict)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of the size of files")
def test_lanes_and_locks_that_find_no_room_are_counted_and_work():
    """A limit of the size of files does what a full disk does, for whoever it is."""
    with Trace() as trace:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
        try:
            lock = named("lock", threading.Lock(), trace)
            with lock:
                assert doings.work(trace, 7) == 7
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert trace.lanes() == []
        assert "2 threads or locks" in trace.trouble()
        assert "2 threads or locks" in Timeline(trace)._repr_html_()
    assert "2 threads or locks" in Timeline(trace).text, "it is said when all is over, too"
    assert not Path(trace.folder).exists()


def test_a_trace_with_room_has_no_trouble():
    with Trace() as trace:
        trace.note("word")
        trace.lanes()
        assert trace.trouble() == ""
    assert trace.trouble() == ""
    assert "room" not in Timeline(trace).text


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.ENOENT, errno.EIO])
def test_every_reason_has_its_words(number: int):
    told = explained(OSError(number, "why"), "/some/folder")
    assert told.errno == number
    assert "/some/folder" in str(told)
    assert CURE in str(told)
    assert is_no_room(told)
    assert not is_no_room(OSError(errno.EIO, "why"))
