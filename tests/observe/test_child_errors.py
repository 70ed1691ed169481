"""What children write to standard error is caught, and standard error is itself again afterwards."""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from helpers.observe.child_errors import error_output

POSIX = sys.platform != "win32"
# Under forkserver children write where the server does, and on Windows where the program did at its start.
CAUGHT = [way for way in multiprocessing.get_all_start_methods() if POSIX and way != "forkserver"]


def shout(words):
    os.write(2, words)


def fail_inside(caught):
    with error_output() as words:
        caught.append(words)
        shout(b"before it\n")
        raise ZeroDivisionError


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def stderr_files():
    return set(Path(tempfile.gettempdir()).glob("painless-*/stderr"))


@pytest.mark.parametrize("method", CAUGHT)
def test_a_dying_childs_traceback_is_caught(method, capfd):
    child = multiprocessing.get_context(method).Process(target=int, args=("seven",))
    with error_output() as words:
        child.start()
        child.join(30)
    assert child.exitcode == 1
    assert "Traceback (most recent call last)" in words.text
    assert words.last_line == "ValueError: invalid literal for int() with base 10: 'seven'"
    assert repr(words) == f"<error output: {words.last_line}>"
    assert capfd.readouterr().err == ""


def test_a_function_from_a_cell_is_named_by_the_spawned_child():
    code = """
import multiprocessing
from helpers.observe.child_errors import error_output
def greet(): pass
child = multiprocessing.get_context("spawn").Process(target=greet)
with error_output() as words:
    child.start()
    child.join()
print(child.exitcode, words.last_line)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50, check=False)
    assert run.stdout.startswith("1 AttributeError: Can't get attribute 'greet' on <module '__main__'") or not POSIX
    assert run.stderr == ""
    assert run.returncode == 0


def test_what_is_written_here_is_caught_by_every_way(capfd):
    with error_output() as words:
        sys.stderr.write("by print\n")
        os.write(2, b"by the descriptor\n")
        subprocess.run([sys.executable, "-c", "import os; os.write(2, b'by a child\\n')"], check=True, timeout=30)
        assert words.text.split("\n")[:2] == ["by print", "by the descriptor"]
    assert [line.strip() for line in words.text.splitlines()][:2] == ["by print", "by the descriptor"]
    assert words.last_line == "by a child"
    assert capfd.readouterr().err == ""


def test_afterwards_standard_error_is_itself_again(capfd):
    stream = sys.stderr
    with error_output():
        assert sys.stderr is not stream
    assert sys.stderr is stream
    os.write(2, b"descriptor ")
    sys.stderr.write("stream")
    said = capfd.readouterr().err
    assert "descriptor" in said
    assert "stream" in said


def test_it_is_itself_again_after_an_exception_too(capfd):
    with pytest.raises(ZeroDivisionError):
        fail_inside(caught := [])
    (words,) = caught
    assert words.text == "before it\n"
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"


def test_nothing_is_left():
    before = stderr_files()
    descriptors = len(list(Path("/proc/self/fd").iterdir())) if sys.platform == "linux" else 0
    with error_output():
        assert len(stderr_files() - before) == 1
    assert stderr_files() == before
    if descriptors:
        assert len(list(Path("/proc/self/fd").iterdir())) == descriptors


def test_nested_blocks_each_catch_their_own():
    with error_output() as outer:
        os.write(2, b"one\n")
        with error_output() as inner:
            os.write(2, b"two\n")
        os.write(2, b"three\n")
    assert inner.text == "two\n"
    assert outer.text.replace("\r", "") == "one\nthree\n"


@pytest.mark.parametrize("stream", [None, object()])
def test_a_standard_error_without_a_descriptor_does_not_matter(stream, monkeypatch):
    class Deaf:
        def flush(self):
            raise ValueError("closed")

    monkeypatch.setattr(sys, "stderr", None if stream is None else Deaf())
    with error_output() as words:
        os.write(2, b"heard\n")
    assert words.last_line == "heard"


def test_a_program_without_descriptor_2_works_too():
    code = """
import os
os.close(2)
from helpers.observe.child_errors import error_output
with error_output() as words:
    os.write(2, b"heard\\n")
print(words.last_line, words.text == "heard\\n")
"""
    run = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, timeout=50, check=True)
    assert run.stdout.strip() == "heard True"


def test_silence_and_blank_lines_and_bad_bytes():
    with error_output() as nothing:
        pass
    with error_output() as odd:
        os.write(2, b"\xff odd\n\n  \n")
    assert (nothing.text, nothing.last_line, repr(nothing)) == ("", "", "<error output: none>")
    assert odd.last_line == "\ufffd odd"
