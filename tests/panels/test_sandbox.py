"""A cell's own functions can be run in a sandbox; the kernel stays alive, is told in words, and has nothing left."""

import _thread
import asyncio
import gc
import linecache
import multiprocessing
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from helpers.observe.leftovers import leftovers
from helpers.observe.reports import ThreadReport
from helpers.observe.trace import Trace
from helpers.panels.sandbox import MOST_LINES, Outcome, in_sandbox, run_in_sandbox
from helpers.panels.sending import by_value
from tests.observe.deadlock import two_locks
from tests.observe.starting import METHODS

SHORT = 0.2
LONG = 30.0
each_method = pytest.mark.parametrize("method", METHODS)
pytestmark = pytest.mark.usefixtures("left_as_found")

CELL = """import sys
import threading
import multiprocessing


class Pair:
    def __init__(self, left, right):
        self.left, self.right = left, right


def f1(first, second, both):
    with first:
        both.wait(10)
        with second:
            pass


def two_locks():
    lock_x, lock_y, both = threading.Lock(), threading.Lock(), threading.Barrier(2)
    threads = [
        threading.Thread(target=f1, args=(lock_x, lock_y, both), name="f1"),
        threading.Thread(target=f1, args=(lock_y, lock_x, both), name="f2"),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def add_five(value):
    with value.get_lock():
        value.value += 5


def swap(pair):
    return Pair(pair.right, pair.left)


def loaded():
    return sorted(sys.modules)


shared_lock = threading.Lock()


def use_lock():
    with shared_lock:
        pass


def use_it_deeper():
    return [use_lock() for _ in range(2)]


def tell(trace, queue, connection, lock):
    with lock, trace.span("telling"):
        queue.put("through the queue")
        connection.send("through the connection")
    return trace
"""


@pytest.fixture(autouse=True)
def no_files_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield
    assert list(tmp_path.glob("painless-*")) == []


@pytest.fixture
def cell() -> Iterator[dict[str, object]]:
    """What `CELL` defines in the module __main__, as a notebook's cell does; its text is where a kernel keeps it."""
    main = sys.modules["__main__"]
    before = set(vars(main))
    linecache.cache["<cell 1>"] = (len(CELL), None, CELL.splitlines(keepends=True), "<cell 1>")
    exec(compile(CELL, "<cell 1>", "exec"), vars(main))  # noqa: S102 (ours)
    yield vars(main)
    for name in set(vars(main)) - before:
        delattr(main, name)
    del linecache.cache["<cell 1>"]


@each_method
def test_a_deadlock_of_a_cells_functions(cell, method: str):
    text = (
        "➜ Out of time: it was ended.\n"
        "  main thread: in two_locks, line 27: thread.join()\n"
        "  f1: in f1, line 14: with second:\n"
        "  f2: in f1, line 14: with second:"
    )
    for limit in (SHORT, 10 * SHORT, 50 * SHORT):  # a busy machine may take its time to get there
        outcome = run_in_sandbox(cell["two_locks"], limit=limit, method=method)
        if repr(outcome) == text:
            break
    assert repr(outcome) == text
    assert outcome.threads[1] == ThreadReport("f1", "f1", 14, "with second:", ("f1",))


@each_method
def test_a_cells_classes_go_there_and_back(cell, method: str):
    value = run_in_sandbox(cell["swap"], cell["Pair"](1, 2), method=method).value
    assert type(value) is cell["Pair"]
    assert (value.left, value.right) == (2, 1)


@pytest.mark.parametrize("method", [method for method in METHODS if method != "fork"])
def test_the_process_knows_nothing_of_the_panels(cell, method: str):
    value = run_in_sandbox(cell["loaded"], method=method).value
    assert "cloudpickle" in value
    assert [name for name in value if name.startswith(("IPython", "ipywidgets", "helpers.panels", "numpy"))] == []


@each_method
def test_traces_queues_connections_and_locks_are_shared(cell, method: str):
    context = multiprocessing.get_context(method)
    queue, lock, (ours, theirs) = context.Queue(), context.Lock(), context.Pipe()
    with Trace() as trace:
        outcome = run_in_sandbox(cell["tell"], trace, queue, theirs, lock, method=method)
        assert outcome.value is trace
        assert (queue.get(timeout=LONG), ours.recv()) == ("through the queue", "through the connection")
        (lane,) = trace.lanes()
        assert (lane.title, [span.name for span in lane.spans]) == ("main thread", ["telling"])
    for thing in (queue, ours, theirs):
        thing.close()


@each_method
def test_a_value_is_shared(cell, method: str):
    value = multiprocessing.get_context(method).Value("i", 3)
    outcome = run_in_sandbox(cell["add_five"], value, method=method)
    assert (outcome.kind, value.value) == ("finished", 8)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("use_lock", "use_lock uses shared_lock, which cannot be sent to another process: cannot pickle"),
        ("use_it_deeper", "use_it_deeper uses use_lock, use_lock uses shared_lock, which cannot be sent"),
    ],
)
def test_what_cannot_be_sent_is_named(cell, name: str, words: str):
    with pytest.raises(TypeError) as raised:
        run_in_sandbox(cell[name], method="spawn")
    assert str(raised.value).startswith(words)
    assert str(raised.value).endswith("'_thread.lock' object. Make it inside the function instead.")


class Holder:
    def __init__(self) -> None:
        self.lock = threading.Lock()

    def work(self) -> None: ...


def closed_over():
    lock, later = threading.Lock(), None

    def inner(first=len):
        return first, lock, later

    return inner


def unset():
    def inner():
        return missing, threading.Lock

    def lock_in_default(lock=threading.Lock()):  # noqa: B008 (on purpose)
        return lock, inner

    if not callable(inner):
        missing = 1
    return lock_in_default


def itself():
    ring = [threading.Lock()]
    ring.append(ring)
    return ring


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (threading.Lock(), "an object of type lock cannot"),
        ([1, (2, threading.Lock())], "an object of type lock cannot"),
        ({"key": threading.Lock()}, "the value of 'key' cannot"),
        (Holder().work, "Holder uses lock, which cannot"),
        (partial(print, Holder()), "an object of type Holder uses lock, which cannot"),
        (partial(print, end=Holder()), "end uses lock, which cannot"),
        (closed_over(), "lock cannot"),
        (unset(), "an object of type lock cannot"),
        (itself(), "an object of type lock cannot"),
        ((i for i in "generator"), "an object of type generator cannot"),
    ],
)
def test_everything_is_searched_for_it(content: object, words: str):
    with pytest.raises(TypeError) as raised:
        by_value(content)
    assert str(raised.value).startswith(f"{words} be sent to another process: ")


def test_wrong_arguments_name_the_value_and_the_cure():
    with pytest.raises(TypeError, match="function must be callable, got 3: hand in its name, without brackets"):
        run_in_sandbox(3)
    for limit in (0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=f"limit must be a number of seconds above 0, got {limit!r}"):
            run_in_sandbox(len, "abc", limit=limit)
    with pytest.raises(ValueError, match="cannot find context for 'teleport'"):
        run_in_sandbox(len, "abc", method="teleport")


def test_other_things_that_can_be_called():
    assert run_in_sandbox(len, "abc") == Outcome("finished", 3)
    assert run_in_sandbox(partial(int, base=2), "101") == Outcome("finished", 5)
    assert run_in_sandbox(lambda: 7) == Outcome("finished", 7)
    assert run_in_sandbox("abc".upper) == Outcome("finished", "ABC")


async def beats_of(coroutine) -> tuple[object, list[float]]:
    """What a coroutine gives, and the pauses of the event loop meanwhile."""
    task = asyncio.ensure_future(coroutine)
    moments = [time.perf_counter()]
    while not task.done():
        await asyncio.sleep(0.005)
        moments.append(time.perf_counter())
    return await task, [after - before for before, after in pairwise(moments)]


@each_method
def test_the_event_loop_stays_alive(cell, method: str):
    for _ in range(5):  # a busy machine may keep any program waiting, but not each time
        outcome, pauses = asyncio.run(beats_of(in_sandbox(cell["two_locks"], limit=0.5, method=method)))
        assert outcome.kind == "out of time"
        if max(pauses) < 0.25 and len(pauses) > 20:
            break
    assert max(pauses) < 0.25  # on an idle machine 0.01; it would be 0.5 if the loop had to wait
    assert len(pauses) > 20


def test_several_at_a_time():
    async def all_of_them() -> list[Outcome]:
        return await asyncio.gather(*(in_sandbox(pow, 2, number) for number in range(5)))

    assert [outcome.value for outcome in asyncio.run(all_of_them())] == [1, 2, 4, 8, 16]


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.5])
def test_a_cancelled_cell_ends_the_process(delay: float):
    async def cancelled() -> None:
        await asyncio.wait_for(in_sandbox(two_locks, limit=LONG), delay)

    start = time.monotonic()
    with pytest.raises(TimeoutError):
        asyncio.run(cancelled())
    assert time.monotonic() - start < LONG / 2
    assert multiprocessing.active_children() == []


def test_an_error_reaches_who_awaits():
    with pytest.raises(ValueError, match="cannot find context"):
        asyncio.run(in_sandbox(len, "abc", method="teleport"))


def test_an_interrupt_ends_the_process():
    timer = threading.Timer(0.5, _thread.interrupt_main)
    timer.start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_in_sandbox(two_locks, limit=LONG)
    assert time.monotonic() - start < LONG / 2
    assert multiprocessing.active_children() == []
    timer.join()


def count_open() -> int:
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir())) if sys.platform == "linux" else 0


@pytest.mark.timeout(240)
def test_two_hundred_deadlocks_leave_nothing(tmp_path: Path):
    run_in_sandbox(two_locks, limit=0.05)
    descriptors, files = count_open(), set(tmp_path.iterdir())
    for _ in range(200):
        outcome = run_in_sandbox(two_locks, limit=0.05)
        assert outcome.kind == "out of time"
    assert count_open() == descriptors
    assert set(tmp_path.iterdir()) == files
    assert multiprocessing.active_children() == []
    assert leftovers() == []


REPORT = ThreadReport("f1", "f1", 3, "if a < b: wait()", ("f1",))


@pytest.mark.parametrize(
    ("outcome", "text"),
    [
        (Outcome("finished"), "✔ Finished."),
        (Outcome("finished", [1, 2]), "✔ Finished: [1, 2]"),
        (Outcome("finished", "x" * 600), f"✔ Finished: '{'x' * 499}…"),
        (
            Outcome("finished", threads=(REPORT,)),
            "✔ Finished.\n  Still running when it returned:\n  f1: in f1, line 3: if a < b: wait()",
        ),
        (Outcome("failed", error="KeyError: 'a'"), "➜ Failed: KeyError: 'a'"),
        (Outcome("out of time"), "➜ Out of time: it was ended.\n  It could not be asked what it was doing."),
        (Outcome("died", exitcode="exit code 3"), "➜ Died: exit code 3."),
        (Outcome("finished", output="one\ntwo\n"), "✔ Finished.\n  It printed:\n  one\n  two"),
        (
            Outcome("finished", output="line\n" * (MOST_LINES + 2)),
            "✔ Finished.\n  It printed:" + "\n  line" * MOST_LINES + "\n  … and 2 lines more",
        ),
    ],
)
def test_an_outcome_in_words(outcome: Outcome, text: str):
    assert repr(outcome) == text


def test_an_outcome_in_colours_is_escaped():
    outcome = Outcome("out of time", threads=(REPORT,), output="<script>")
    html = outcome._repr_html_()
    assert "f1: in f1, line 3: if a &lt; b: wait()" in html
    assert "&lt;script&gt;" in html
    assert "<script" not in html
    assert html.startswith('<div class="pc-verdict"')


NOTEBOOK = (
    """import threading
from helpers.observe.leftovers import nothing_left
from helpers.panels.sandbox import in_sandbox""",
    """def stuck():
    lock = threading.Lock()
    lock.acquire()
    print("once <b>more</b>")
    lock.acquire()""",
    "await in_sandbox(stuck, limit=2.0)",
    "nothing_left()",
)


def test_in_a_notebook():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in NOTEBOOK])
    root = str(Path(__file__).parents[2])
    NotebookClient(notebook, timeout=50, kernel_name="python3", resources={"metadata": {"path": root}}).execute()
    shown, left = (cell.outputs[0]["data"] for cell in notebook.cells[2:])
    assert shown["text/plain"] == (
        "➜ Out of time: it was ended.\n"
        "  main thread: in stuck, line 5: lock.acquire()\n"
        "  It printed:\n"
        "  once <b>more</b>"
    )
    assert "once &lt;b&gt;more&lt;/b&gt;" in shown["text/html"]
    assert left["text/plain"] == "'Nothing is left: no process, no thread, no open trace.'"
