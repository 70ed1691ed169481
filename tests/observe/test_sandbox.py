"""Whatever a function does in a sandbox: what became of it is told in words, and nothing of it is left."""

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from helpers.observe import reports as reporting
from helpers.observe.confined import Parcel
from helpers.observe.disposable import LONGEST_OUTPUT, Disposable, exit_words
from helpers.observe.reports import ThreadReport, dumped_stacks, reports
from helpers.observe.sandbox import Ending, Stopped, run
from helpers.observe.stacks import MAIN, Frame, Stack
from tests.observe import dangers, deadlock
from tests.observe.starting import METHODS, until

SHORT = 0.2
LONG = 30.0
SEMAPHORES = Path("/dev/shm")  # noqa: S108 (where Linux has their names)
each_method = pytest.mark.parametrize("method", METHODS)
posix = pytest.mark.skipif(os.name != "posix", reason="needs signals and process groups")
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc and /dev/shm")


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    threads = set(threading.enumerate())
    yield
    assert multiprocessing.active_children() == []
    assert set(threading.enumerate()) <= threads
    assert list(tmp_path.glob("painless-*")) == []


def ended(function, *args, limit: float = LONG, method: str | None = None) -> Ending:
    return run(Parcel((function, args, limit)), limit, function.__name__, method)


def told(expected: list[str], function, *args, method: str | None = None) -> Ending:
    """How it ended: with these words, unless it had too little time for it three times, on however busy a machine."""
    for limit in (SHORT, 10 * SHORT, 50 * SHORT):
        ending = ended(function, *args, limit=limit, method=method)
        if words(ending) == expected:
            break
    assert words(ending) == expected
    return ending


def words(ending: Ending) -> list[str]:
    return [thread.words for thread in ending.threads]


def line_of(text: str, module=dangers) -> int:
    lines = Path(module.__file__).read_text(encoding="utf-8").splitlines()
    (number,) = [number for number, line in enumerate(lines, 1) if line.strip() == text]
    return number


@each_method
def test_a_function_that_returns(method: str):
    assert ended(dangers.add, 1, 2, method=method) == Ending("finished", 3)


@each_method
def test_a_deadlock_is_told_line_by_line(method: str):
    joining, held = line_of("first.join()", deadlock), line_of("with other:", deadlock)
    expected = [
        f"main thread: in two_locks, line {joining}: first.join()",
        f"f1: in take, line {held}: with other:",
        f"f2: in take, line {held}: with other:",
    ]
    ending = told(expected, deadlock.two_locks, method=method)
    assert ending.kind == "out of time"
    assert ending.threads[1] == ThreadReport("f1", "take", held, "with other:", ("take",))


@each_method
def test_an_exception(method: str):
    ending = ended(dangers.fail, "some words", method=method)
    assert (ending.kind, ending.error, ending.value) == ("failed", "ValueError: some words", None)
    assert words(ending) == [
        f"main thread: in fail, line {line_of('raise ValueError(words)')}: raise ValueError(words)"
    ]


@posix
@each_method
def test_a_crash_leaves_no_core_file(method: str):
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    try:
        assert ended(resource.getrlimit, resource.RLIMIT_CORE, method=method).value == (0, before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)


@posix
@each_method
def test_a_crash_is_named_with_its_line(method: str):
    ending = ended(dangers.crash, method=method)
    assert (ending.kind, ending.exitcode) == ("died", "killed by SIGSEGV")
    assert words(ending) == [f"main thread: in crash, line {line_of('ctypes.string_at(0)')}: ctypes.string_at(0)"]


@each_method
def test_deaths(method: str):
    assert ended(sys.exit, 3, method=method) == Ending("died", exitcode="exit code 3")
    assert ended(sys.exit, "why", method=method) == Ending("died", exitcode="exit code 1", output="why\n")
    assert ended(dangers.leave, 4, method=method) == Ending("died", exitcode="exit code 4")
    if os.name == "posix":
        assert ended(dangers.be_killed, method=method) == Ending("died", exitcode="killed by SIGKILL")


@posix
@each_method
def test_a_death_is_noticed_though_a_child_lives_on(method: str):
    start = time.monotonic()
    assert ended(dangers.leave_with_child, method=method) == Ending("died", exitcode="exit code 3")
    assert time.monotonic() - start < LONG / 2


def test_words_for_exit_codes():
    assert exit_words(3) == "exit code 3"
    assert exit_words(-64) == "killed by SIGRTMAX" or sys.platform != "linux"
    assert exit_words(-99) == "killed by signal 99"


def test_an_exit_that_a_thread_holds_up():
    expected = ["main thread: in threading._shutdown", "rest: in a function written in C"]
    assert told(expected, dangers.exit_with_thread).kind == "out of time"


@each_method
def test_what_cannot_be_sent_back(method: str):
    lock, bomb, picky = (
        ended(function, method=method) for function in (dangers.give_lock, dangers.give_bomb, dangers.fail_picky)
    )
    assert [lock.kind, bomb.kind, picky.kind] == ["failed"] * 3
    assert lock.error == "its value cannot be sent to the kernel: TypeError: cannot pickle '_thread.lock' object"
    assert bomb.error == (
        "its value cannot be opened in the kernel: ValueError: invalid literal for int() with base 10: 'seven'"
    )
    assert picky.error == "PickyError"


def test_a_recursion_and_a_large_value():
    endless = ended(dangers.recurse)
    assert endless.error.startswith("RecursionError: maximum recursion depth exceeded")
    assert len(endless.threads[0].calls) > 500
    assert ended(dangers.give_much, 50_000_000).value == bytes(50_000_000)


def test_a_function_that_its_process_cannot_import():
    ending = run(Parcel("not this", lambda _: b"chelpers.nowhere\nfunction\n."), LONG, "function")
    assert (ending.kind, ending.error) == ("failed", "ModuleNotFoundError: No module named 'helpers.nowhere'")


@each_method
def test_what_is_printed_is_kept(method: str, capfd: pytest.CaptureFixture[str]):
    ending = ended(dangers.say, "Grüße", method=method)
    assert ending.output == "Grüße\nby the error stream\nby the descriptor\nby a child\nno end of line"
    assert capfd.readouterr() == ("", "")


def test_what_a_hanging_function_printed_is_kept_too():
    waiting = line_of("threading.Event().wait()")
    expected = [f"main thread: in wait_for_ever, line {waiting}: threading.Event().wait()"]
    assert told(expected, dangers.say_and_hang, "no end").output == "no end"


def test_much_output_is_cut():
    output = ended(dangers.say_much, 10_000).output
    assert output == "".join(f"{number:09}\n" for number in range(LONGEST_OUTPUT // 10)) + "… and 80,000 bytes more"


def test_a_thread_that_fails_is_named():
    assert ended(dangers.fail_in_thread) == Ending("finished", output="f1 failed: ValueError: words\n")


def test_threads_left_behind_are_listed():
    line = line_of("threading.Event().wait()")
    ending = told([f"left: in wait_for_ever, line {line}: threading.Event().wait()"], dangers.leave_threads)
    assert (ending.kind, ending.value) == ("finished", "value")


def test_a_program_finds_its_own_threads_only():
    assert ended(dangers.count_threads).value == (1, "MainProcess")


def test_threads_without_a_line_of_the_learners():
    line = line_of("threading.Event().wait()")
    expected = [
        f"main thread: in wait_for_ever, line {line}: threading.Event().wait()",
        "getter: in threading.wait",
        "sleeper: in a function written in C",
        f"a thread: in wait_for_ever, line {line}: threading.Event().wait()",
    ]
    told(expected, dangers.wait_in_the_library)
    told(["main thread: in sleep"], time.sleep, 600)


@each_method
def test_where_no_thread_can_answer_faulthandler_does(method: str):
    keeping, waiting = line_of('re.match(r"(a+)+$", "a" * 60 + "b")'), line_of("threading.Event().wait()")
    name = "other" if sys.version_info >= (3, 14) else "a thread that runs wait_for_ever"
    expected = [
        f'main thread: in keep_the_lock, line {keeping}: re.match(r"(a+)+$", "a" * 60 + "b")',
        f"{name}: in wait_for_ever, line {waiting}: threading.Event().wait()",
    ]
    assert told(expected, dangers.keep_the_lock, method=method).kind == "out of time"


@posix
@pytest.mark.parametrize("function", [dangers.close_everything, dangers.stop_itself])
def test_a_process_that_cannot_be_asked_is_ended_too(function):
    assert ended(function, limit=SHORT).kind == "out of time"


def running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def stopped(call: Parcel, method: str, stop: threading.Event) -> None:
    with pytest.raises(Stopped):
        run(call, LONG, "", method, stop)


@posix
@each_method
def test_children_are_ended_too(method: str, tmp_path: Path):
    for start in METHODS:
        stop, file = threading.Event(), tmp_path / f"numbers-{start}"
        call = Parcel((dangers.start_children, (str(file), start), LONG))
        runner = threading.Thread(target=stopped, args=(call, method, stop))
        runner.start()
        until(lambda file=file: file.exists() and file.read_text(encoding="ascii").count(" ") == 4, "the children")
        numbers = [int(number) for number in file.read_text(encoding="ascii").split()]
        assert all(map(running, numbers))
        stop.set()
        runner.join(LONG)
        until(lambda numbers=numbers: not any(map(running, numbers)), "the children to be gone")


@each_method
def test_a_deadlock_of_processes(method: str):
    ending = ended(dangers.two_locks_of_processes, "spawn", limit=SHORT, method=method)
    assert (ending.kind, [thread.name for thread in ending.threads]) == ("out of time", [MAIN])


def kept(limit: float, start: str, method: str) -> list[str]:
    """Which of the files and semaphores that it makes are still there afterwards."""
    ending = ended(dangers.litter, start, limit=limit, method=method)
    assert ending.kind == "out of time"
    folder, *semaphores = ending.output.split() or [tempfile.tempdir]
    assert Path(folder).parent == Path(tempfile.tempdir) or not semaphores
    return [
        name for name in (folder, *(f"{SEMAPHORES}/sem.{name[1:]}" for name in semaphores)) if Path(name).exists()
    ]


@linux
@each_method
def test_its_litter_is_cleared_away(method: str):
    for start in METHODS:
        # The first limit is too short where the machine is so busy that it has not made anything yet.
        assert [] in (kept(limit, start, method) for limit in (SHORT, 10 * SHORT, 50 * SHORT))


@each_method
def test_what_was_put_into_a_queue_arrives(method: str):
    queue = multiprocessing.get_context(method).Queue()
    assert ended(dangers.put_many, queue, 1000, method=method) == Ending("finished", 1000)
    assert [queue.get(timeout=LONG) for _ in range(1000)] == list(range(1000))
    queue.close()


def test_it_imports_next_to_nothing():
    value = ended(eval, "sorted(__import__('sys').modules)", method="spawn").value
    assert "helpers.observe.sandboxed" in value
    kernels = {
        "IPython",
        "ipywidgets",
        "cloudpickle",
        "pathlib",
        "dataclasses",
        "helpers.panels",
        "helpers.observe.trace",
    }
    assert kernels & set(value) == set()


@pytest.mark.parametrize("delay", [0.0, 0.02, 0.3])
def test_it_can_be_stopped_at_any_moment(delay: float):
    stop = threading.Event()
    timer = threading.Timer(delay, stop.set)
    timer.start()
    start = time.monotonic()
    with pytest.raises(Stopped):
        run(Parcel((time.sleep, (600,), LONG)), LONG, "sleep", stop=stop)
    assert time.monotonic() - start < LONG / 2
    timer.join()


@each_method
def test_what_cannot_be_pickled_is_not_started(method: str):
    call = Parcel((dangers.add, (threading.Lock(),), LONG))
    if method == "fork":
        assert run(call, LONG, "add", method).error.startswith("TypeError: unsupported operand")
    else:
        with pytest.raises(TypeError, match=r"cannot pickle '_thread\.lock' object"):
            run(call, LONG, "add", method)


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="cannot find context for 'teleport'"):
        run(Parcel((dangers.add, (), LONG)), LONG, "add", "teleport")


SCRIPT = """
import sys
sys.modules["__main__"].__spec__ = None
del sys.modules["__main__"].__file__
from helpers.observe.confined import Parcel
from helpers.observe.sandbox import run
from tests.observe import dangers, deadlock
run(Parcel((dangers.start_children, (sys.argv[1], "spawn"), 600)), 600, "f")
"""


@linux
def test_it_ends_with_a_killed_kernel(tmp_path: Path):
    script, numbers = tmp_path / "script.py", tmp_path / "numbers"
    script.write_text(SCRIPT, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, script, numbers], env=environment) as kernel:
        until(
            lambda: numbers.exists() and numbers.read_text(encoding="ascii").count(" ") == 4, "the sandbox to start"
        )
        sandbox, *children = map(int, numbers.read_text(encoding="ascii").split())
        kernel.kill()
    try:
        until(lambda: not running(sandbox), "the sandbox to end")
    finally:
        for pid in filter(running, children):
            os.kill(pid, signal.SIGKILL)
        for left in tmp_path.glob("painless-*"):
            left.rename(tmp_path / f"was-{left.name}")


def echo(connection, _folder, parcel):
    while True:
        connection.send_bytes(connection.recv_bytes() + parcel.open())


def test_a_disposable_process_answers_until_it_is_ended():
    with Disposable(echo, Parcel(b"!")) as process:
        for word in (b"one", b"two"):
            process.connection.send_bytes(word)
            assert process.receive(LONG) == word + b"!"
        assert process.receive(0) is None
        assert process.exitcode is None
        assert Path(process.folder).is_dir()
    process.end()
    assert process.exitcode == -signal.SIGKILL or os.name != "posix"
    assert process.output == ""
    assert not Path(process.folder).exists()


DUMP = r"""Fatal Python error: Segmentation fault

Thread 0x00000000000000aa [f1] (most recent call first):
  File "/cells/gr\xfc\xdfe.py", line 4 in gr\xfc\xdfe
  File "/cells/\u65e5.py", line ??? in outer

Current thread 0x00000000000000bb (most recent call first):
  <no Python frame>

Thread 0x00000000000000cc (most recent call first):
  File "/cells/1.py", line 7 in work

Current thread's C stack trace (most recent call first):
  Binary file "/usr/bin/python3", at _Py_DumpStack+0x31 [0x5a]

Extension modules: numpy (total: 1)

Thread 0x00000000000000cc (most recent call first):
  File "/cells/1.py", line 8 in again
"""


def test_what_faulthandler_writes_is_understood():
    assert dumped_stacks(DUMP, 0xBB) == [
        Stack(MAIN, ()),
        Stack("f1", (Frame("/cells/日.py", None, "outer"), Frame("/cells/grüße.py", 4, "grüße"))),
        Stack("a thread that runs work", (Frame("/cells/1.py", 7, "work"),)),
    ]
    assert dumped_stacks("", 1) == []


def test_the_learners_line_is_found_above_our_own_and_the_librarys():
    observe = Path(reporting.__file__).parent
    servant = (Frame(threading.__file__, 1, "run"), Frame(str(observe / "sandboxed.py"), 1, "_be_servant"))
    frames = (
        Frame("/cells/kernel.py", 1, "not of the sandbox"),
        Frame(str(observe / "sandboxed.py"), 1, "serve"),
        Frame("/cells/1.py", 1, "f1"),
        Frame(str(observe.parent / "workers" / "article.py"), 10**6, "worker"),
        Frame(str(observe / "locks.py"), 1, "acquire"),
        Frame("/usr/lib/python3/dist-packages/numpy/core.py", 1, "dot"),
        Frame("<frozen importlib._bootstrap>", 1, "_find_and_load"),
        Frame(threading.__file__, 1, "wait"),
    )
    found = reports([Stack(MAIN, frames), Stack("lifeline", servant)], "f")
    assert found == (ThreadReport(MAIN, "worker", 10**6, "", ("f1", "worker")),)
    assert found[0].words == "main thread: in worker, line 1000000"
