"""How workers end is said in words, and Stop ends what can be ended."""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.process import BaseProcess

import pytest

from helpers.observe.thread_errors import ThreadErrors
from helpers.observe.trace import Trace
from helpers.observe.waits import Hold, Wait, Waits
from helpers.panels.outcome import NOBODY, Worker, all_lanes_of, ask_to_stop, is_over, state
from helpers.workers.computing import call_without_end, compute_without_end
from tests.observe.starting import METHODS, until
from tests.panels import doings
from tests.panels.made import lane

pytestmark = pytest.mark.usefixtures("left_as_found")
posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
# On a loaded machine a process may have had no time to go when asked, and is killed as well.
STOPPED = ("stopped (ended by SIGTERM)", "stopped (ended by SIGKILL)")
methods = pytest.mark.parametrize("method", METHODS)


@pytest.fixture
def trace() -> Iterator[Trace]:
    with Trace() as made:
        yield made


@pytest.fixture
def printed() -> Iterator[list[str]]:
    """What would be printed of threads' errors. Ask for it before `errors`, which hands them on."""
    said: list[str] = []
    before = threading.excepthook
    threading.excepthook = lambda args: said.append(str(args.exc_value))
    yield said
    threading.excepthook = before


@pytest.fixture
def errors() -> Iterator[ThreadErrors]:
    watching = ThreadErrors()
    yield watching
    watching.close()


def ended(process: BaseProcess) -> BaseProcess:
    process.start()
    process.join(30)
    assert process.exitcode is not None
    return process


def begun(trace: Trace, processes: Sequence[BaseProcess]) -> None:
    """Start them, and wait until each is in its span."""
    for process in processes:
        process.start()
    for process in processes:
        until(
            lambda own=process: any(lane.spans for lane in all_lanes_of([own], trace.lanes())[own]),
            f"{process.name} to begin",
        )


def words(worker: Worker, trace: Trace, errors: ThreadErrors, *, asked: bool = False) -> str:
    return state(worker, all_lanes_of([worker], trace.lanes())[worker], errors, asked=asked)


def test_the_states_of_a_thread_that_is_asked_and_stops(trace: Trace, errors: ThreadErrors):
    event, silent = threading.Event(), threading.Event()
    thread = threading.Thread(target=doings.wait_for, args=(trace, event))
    quiet = threading.Thread(target=silent.wait, args=(30,))
    assert words(thread, trace, errors) == "not started"
    assert not is_over(thread)
    quiet.start()
    assert words(quiet, trace, errors) == "starting"
    thread.start()
    until(lambda: all_lanes_of([thread], trace.lanes())[thread], "the thread's lane")
    assert words(thread, trace, errors) == "working"
    assert words(thread, trace, errors, asked=True) == "asked to stop, still working"
    ask_to_stop([thread, quiet], event)
    thread.join(30)
    silent.set()
    quiet.join(30)
    assert is_over(thread)
    assert words(thread, trace, errors, asked=True) == "stopped (as it was asked to)"
    assert words(thread, trace, errors) == "finished"


def test_a_thread_that_finishes_although_asked_is_told_from_one_that_stopped(trace: Trace, errors: ThreadErrors):
    event = threading.Event()
    thread = threading.Thread(target=doings.finish_anyway, args=(trace, event))
    thread.start()
    ask_to_stop([thread], event)
    thread.join(30)
    assert words(thread, trace, errors, asked=True) == "finished (it did not stop when asked)"


def test_asking_a_thread_without_an_event_does_no_harm(trace: Trace, errors: ThreadErrors):
    thread = threading.Thread(target=doings.count, args=(trace, 5))
    ask_to_stop([thread], None)
    assert words(thread, trace, errors) == "not started"
    thread.start()
    thread.join(30)
    ask_to_stop([thread], None)
    assert words(thread, trace, errors) == "finished"


def test_a_thread_that_fails_says_how_and_its_error_is_still_printed(
    trace: Trace, printed: list[str], errors: ThreadErrors
):
    thread = threading.Thread(target=doings.fail_in_a_span, args=(trace,))
    thread.start()
    thread.join(30)
    assert words(thread, trace, errors) == "failed: ValueError: <b>broken</b> on purpose"
    assert words(thread, trace, errors, asked=True) == "failed: ValueError: <b>broken</b> on purpose"
    assert printed == ["<b>broken</b> on purpose"]


def test_a_thread_that_leaves_by_sys_exit_has_not_failed(trace: Trace, printed: list[str], errors: ThreadErrors):
    thread = threading.Thread(target=doings.exit_with, args=(3,))
    thread.start()
    thread.join(30)
    assert words(thread, trace, errors) == "finished"
    assert printed == ["3"]  # handed on: Python's own hook prints nothing of it


def raise_without_words() -> None:
    raise KeyError


@pytest.mark.usefixtures("printed")
def test_an_error_without_words_goes_by_its_kind(trace: Trace, errors: ThreadErrors):
    thread = threading.Thread(target=raise_without_words)
    thread.start()
    thread.join(30)
    assert words(thread, trace, errors) == "failed: KeyError"


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0)])
def test_watching_for_errors_stops_in_any_order(order: tuple[int, ...]):
    before = threading.excepthook
    watching = [ThreadErrors() for _ in order]
    for place in order:
        assert threading.excepthook != before
        watching[place].close()
    assert threading.excepthook == before
    watching[0].close()
    assert threading.excepthook == before


def test_a_hook_that_somebody_else_has_set_meanwhile_stays(printed: list[str]):
    watching = ThreadErrors()
    threading.excepthook = other = lambda _: None
    watching.close()
    assert threading.excepthook is other
    assert printed == []


@methods
def test_a_process_that_finishes(method: str, trace: Trace, errors: ThreadErrors):
    process = multiprocessing.get_context(method).Process(target=doings.count, args=(trace, 5))
    assert words(process, trace, errors) == "not started"
    assert not is_over(process)
    ended(process)
    assert is_over(process)
    assert words(process, trace, errors) == words(process, trace, errors, asked=True) == "finished"


@methods
def test_a_process_that_fails_in_a_span_says_with_which_error(
    method: str, trace: Trace, errors: ThreadErrors, capfd: pytest.CaptureFixture[str]
):
    process = ended(multiprocessing.get_context(method).Process(target=doings.fail_in_a_span, args=(trace,)))
    assert words(process, trace, errors) == "failed: ValueError: <b>broken</b> on purpose"
    assert "broken" in capfd.readouterr().err or method == "forkserver"  # whose server has its own stderr


@methods
def test_a_process_that_only_leaves_a_code(method: str, trace: Trace, errors: ThreadErrors):
    process = ended(multiprocessing.get_context(method).Process(target=doings.exit_with, args=(3,)))
    assert words(process, trace, errors) == "failed: exit code 3"


@posix
@methods
def test_a_process_that_somebody_killed(method: str, trace: Trace, errors: ThreadErrors):
    process = ended(multiprocessing.get_context(method).Process(target=doings.kill_itself, args=(trace,)))
    assert words(process, trace, errors) == "killed by SIGKILL"


@methods
def test_a_process_that_was_stopped(method: str, trace: Trace, errors: ThreadErrors):
    process = multiprocessing.get_context(method).Process(target=doings.sleep_in_a_span, args=(trace,))
    begun(trace, [process])
    assert words(process, trace, errors) == "working"
    ask_to_stop([process], None)
    assert words(process, trace, errors, asked=True) in STOPPED


def test_a_silent_process_is_starting(trace: Trace, errors: ThreadErrors):
    process = multiprocessing.Process(target=doings.be_silent, args=(60,))
    process.start()
    assert words(process, trace, errors) == "starting"
    ask_to_stop([process], None)
    assert is_over(process)


@posix
def test_a_signal_without_a_name_goes_by_its_number(trace: Trace, errors: ThreadErrors):
    process = multiprocessing.Process(target=doings.be_silent, args=(60,))
    process.start()
    if not hasattr(signal, "SIGRTMIN") or signal.SIGRTMIN + 5 in set(signal.Signals):
        number = signal.SIGUSR1
        expected = "killed by SIGUSR1"
    else:
        number = signal.SIGRTMIN + 5
        expected = f"killed by signal {number}"
    os.kill(process.pid, number)
    process.join(30)
    assert words(process, trace, errors) == expected


ENDLESS = {
    "a loop in Python": compute_without_end,
    "one call into C": call_without_end,
    "deaf to SIGTERM": doings.be_deaf,
    "asleep": doings.sleep_in_a_span,
}


@methods
@pytest.mark.parametrize("target", ENDLESS.values(), ids=ENDLESS)
def test_stop_ends_whatever_a_process_does(
    target: Callable[[Trace], None], method: str, trace: Trace, errors: ThreadErrors
):
    """It aims at 0.1 s; benchmarks/live_view.py measures that. A loaded machine gets ten times as long here."""
    if target is doings.be_deaf and sys.platform == "win32":
        pytest.skip("nobody can be deaf to the end of a process on Windows")
    context = multiprocessing.get_context(method)
    took: list[float] = []
    while not took or (took[-1] >= 1.0 and len(took) < 3):
        processes = [context.Process(target=target, args=(trace,), name=f"{len(took)} {n}") for n in range(2)]
        begun(trace, processes)
        event = threading.Event()
        began = time.perf_counter()
        ask_to_stop(processes, event)
        took.append(time.perf_counter() - began)
        assert [is_over(process) for process in processes] == [True, True]
        assert event.is_set()
        endings = {words(process, trace, errors, asked=True) for process in processes}
        assert endings <= set(STOPPED[1:] if target is doings.be_deaf else STOPPED)
    assert took[-1] < 1.0, took


def test_stop_leaves_those_alone_that_have_not_started_or_are_over(trace: Trace, errors: ThreadErrors):
    never = multiprocessing.Process(target=doings.count, args=(trace, 5), name="never")
    over = ended(multiprocessing.Process(target=doings.count, args=(trace, 5), name="over"))
    ask_to_stop([never, over], None)
    assert [words(p, trace, errors, asked=True) for p in (never, over)] == ["not started", "finished"]


def test_each_worker_has_its_own_lanes(trace: Trace):
    event = threading.Event()
    threads = [threading.Thread(target=doings.wait_for, args=(trace, event)) for _ in range(2)]
    process = ended(multiprocessing.Process(target=doings.count, args=(trace, 5)))
    for thread in threads:
        thread.start()
    until(lambda: len(trace.lanes()) == 3, "three lanes")
    lanes = trace.lanes()
    found = [[lane.thread for lane in all_lanes_of([thread], lanes)[thread]] for thread in threads]
    assert found == [[thread.native_id] for thread in threads]
    assert [lane.pid for lane in all_lanes_of([process], lanes)[process]] == [process.pid]
    event.set()
    for thread in threads:
        thread.join(30)


HOLDS = (Hold("f1", "lock_x"), Hold("f2", "lock_y"))
FIRST, SECOND = Wait("f1", "lock_y"), Wait("f2", "lock_x")


@pytest.mark.parametrize(
    ("waits", "titles", "said"),
    [
        (NOBODY, ["f1"], "working"),
        (NOBODY, [], "starting"),
        (Waits(HOLDS, (SECOND,)), ["f1"], "working"),
        (Waits(HOLDS, (FIRST,)), ["f1"], "waits for lock_y, which f2 holds"),
        (Waits((), (FIRST,)), ["f1"], "waits for lock_y"),
        (Waits((*HOLDS, Hold("f3", "lock_y")), (FIRST,)), ["f1"], "waits for lock_y, which f2 and f3 hold"),
        (Waits(HOLDS, (FIRST, SECOND)), ["f1"], "deadlocked: waits for lock_y, which f2 holds"),
        (Waits(HOLDS, (FIRST, SECOND)), ["main", "f2", "f1"], "deadlocked: f1, f2"),
        (Waits(HOLDS, (FIRST, SECOND)), ["main", "f2"], "deadlocked: f2"),
        (Waits(HOLDS, (FIRST,)), ["main", "f1"], "f1 waits for lock_y, which f2 holds"),
        (Waits(HOLDS, (Wait("f1", "lock_y", gives_up=True), SECOND)), ["f1"], "waits for lock_y, which f2 holds"),
        (Waits((), (Wait("f1 (process 4321)", "l"),)), ["f1"], "waits for l"),
        (Waits((), (Wait("f1 (process 4321) (thread 7)", "l"),)), ["f1"], "waits for l"),
        (Waits((), (Wait("f1 (process 99)", "l"),)), ["f1"], "working"),
    ],
)
def test_who_waits_says_for_what(waits: Waits, titles: list[str], said: str, errors: ThreadErrors):
    thread = threading.Thread(target=time.sleep, args=(0.3,))
    thread.start()
    lanes = [lane(title=title) for title in titles]
    for each in lanes:
        each.thread = 7
    assert state(thread, lanes, errors, waits, asked=False) == said
    still = said if lanes else "working"
    assert state(thread, lanes, errors, waits, asked=True) == f"asked to stop, still {still}"
    thread.join()
