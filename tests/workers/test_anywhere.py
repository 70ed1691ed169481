"""The tasks of lesson 15 give the same on every engine, and are what their names say."""

import gc
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from helpers.workers.anywhere import ADDITIONS, PAUSE, call_each, compute, increment, longest_in, pause, squeeze
from helpers.workers.sources import source_files

ROOT = Path(__file__).parents[2]


def test_what_they_give() -> None:
    assert compute(2) == 2 * ADDITIONS
    assert [pause(3), squeeze(4), increment(5)] == [3, 4, 6]
    assert call_each(increment, range(3)) == [1, 2, 3]


def test_the_longest_function_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "some.py"
    file.write_text("def short(): ...\nclass C:\n    def long(self):\n        a = 1\n        return a\n")
    found = longest_in(str(file))
    assert found is not None
    assert (found.name, found.lines) == ("C.long", 3)
    file.write_text("x = 1\n")
    assert longest_in(str(file)) is None
    file.write_text("def broken(:\n")
    assert longest_in(str(file)) is None
    with pytest.raises(FileNotFoundError):
        longest_in(str(tmp_path / "none.py"))


def used(work: Callable[[int], object]) -> float:
    before = time.thread_time()
    work(1)
    return time.thread_time() - before


def test_waiting_takes_no_core_and_computing_does() -> None:
    assert used(pause) < PAUSE / 2
    assert used(compute) > 10 * used(increment)


def test_compressing_lets_go_of_the_gil() -> None:
    turns, stop = [0], threading.Event()

    def count() -> None:
        while not stop.is_set():
            turns[0] += 1
            time.sleep(0.0005)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(20)  # so that it is given, not taken
    thread = threading.Thread(target=count)
    thread.start()
    try:
        before = turns[0]
        for _ in range(5):
            squeeze(1)
        given = turns[0] - before
    finally:
        stop.set()
        sys.setswitchinterval(interval)
        thread.join(20)
    assert given >= 2


def test_threads_that_parse_at_the_same_time_do_not_disturb_each_other() -> None:
    # Python 3.11 switches threads in the middle of it if the garbage collection calls Python code, as Dask has it do.
    def called(_phase: str, _info: dict[str, int]) -> None:
        sum(range(50))

    paths = source_files(60)
    right = [longest_in(path) for path in paths]
    gc.callbacks.append(called)
    try:
        with ThreadPoolExecutor(3) as pool:
            assert list(pool.map(longest_in, paths)) == right
    finally:
        gc.callbacks.remove(called)


INTERPRETER = """
import json, sys
try:
    import _interpreters as low
except ImportError:
    import _xxsubinterpreters as low
code = '''
import json, sys
sys.path[:0] = {path!r}
from helpers.observe.trace import Trace
from helpers.workers import anywhere, sources
with Trace() as trace, trace.span("there"):
    found = anywhere.call_each(anywhere.increment, [1, 2])
longest = anywhere.longest_in(sources.source_files(1)[0])
with open({out!r}, "w") as file:
    json.dump(found, file)
'''
made = low.create() if sys.version_info < (3, 13) else low.create("isolated")
run = low.run_string if sys.version_info < (3, 13) else low.exec
failed = run(made, code.format(path=[sys.argv[1]], out=sys.argv[2]))
low.destroy(made)
sys.exit(failed and str(failed))
"""


@pytest.mark.skipif(sys.version_info < (3, 12), reason="interpreters have no GIL of their own before 3.12")
def test_they_run_in_an_interpreter_of_its_own(tmp_path: Path) -> None:
    script, out = tmp_path / "script.py", tmp_path / "out.json"
    script.write_text(INTERPRETER)
    done = subprocess.run(
        [sys.executable, script, str(ROOT), str(out)], capture_output=True, text=True, timeout=50, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(out.read_text()) == [2, 3]
