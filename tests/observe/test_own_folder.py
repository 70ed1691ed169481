"""An owner's folder goes with it; one that was killed is swept after, and nobody else's ever is."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from helpers.observe import own_folder
from helpers.observe.own_folder import abandoned, delete_folder, make_folder

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no flock: nothing is swept")
MAKE: Final = """
import os, signal, sys
from helpers.observe.own_folder import make_folder
print(make_folder(), flush=True)
{then}
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(own_folder, "_swept", False)
    return tmp_path


def run(home: Path, then: str) -> subprocess.CompletedProcess[str]:
    """Make a folder in a program of its own, and go on with `then`."""
    return subprocess.run(
        [sys.executable, "-c", MAKE.format(then=then)],
        env=os.environ | {"TMPDIR": str(home), "TEMP": str(home), "TMP": str(home)},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def test_a_folder_is_empty_to_its_user_and_deleted(home: Path) -> None:
    folder = Path(make_folder())
    assert folder.parent == home
    (folder / "file").write_text("words")
    delete_folder(str(folder))
    delete_folder(str(folder))
    assert not folder.exists()


def test_what_was_not_deleted_goes_at_the_exit(home: Path) -> None:
    assert run(home, "").returncode == 0
    assert list(home.iterdir()) == []


def test_an_interrupted_deletion_is_made_good_at_the_exit(home: Path) -> None:
    then = """
import shutil
from helpers.observe.own_folder import _made, delete_folder
real = shutil.rmtree
def interrupted(*_, **__): raise KeyboardInterrupt
shutil.rmtree = interrupted
try: delete_folder(next(iter(_made)))
except KeyboardInterrupt: print("interrupted")
shutil.rmtree = real
"""
    program = run(home, then)
    assert "interrupted" in program.stdout
    assert list(home.iterdir()) == []


@posix
def test_the_folder_of_a_killed_owner_is_swept_by_the_next(home: Path) -> None:
    killed = run(home, "os.kill(os.getpid(), signal.SIGKILL)")
    left = Path(killed.stdout.strip())
    assert killed.returncode == -signal.SIGKILL
    assert left.exists()
    assert abandoned(str(left))
    delete_folder(make_folder())
    assert not left.exists()


@posix
def test_a_living_owners_folder_is_not_swept(home: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", MAKE.format(then="input()")],
        env=os.environ | {"TMPDIR": str(home)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        assert owner.stdout is not None
        folder = Path(owner.stdout.readline().strip())
        assert not abandoned(str(folder))
        delete_folder(make_folder())
        assert folder.exists()
        owner.communicate("\n", timeout=50)
    assert not folder.exists()


@posix
def test_nothing_is_swept_that_has_no_owners_file_or_is_another_machines(home: Path) -> None:
    bare, foreign = home / "painless-bare", home / "painless-foreign"
    for folder in (bare, foreign):
        folder.mkdir()
    (foreign / "owner").write_text("another machine")
    delete_folder(make_folder())
    assert bare.exists()
    assert foreign.exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.usefixtures("home")
def test_a_forked_child_neither_deletes_nor_holds_it() -> None:
    folder = Path(make_folder())
    child = os.fork()
    if child == 0:
        delete_folder(str(folder))
        os._exit(3 if own_folder._made else 0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert folder.exists()
    assert not abandoned(str(folder))
    delete_folder(str(folder))


def test_a_folder_that_cannot_be_made_is_said(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(home / "missing"))
    with pytest.raises(OSError, match="missing"):
        make_folder()
