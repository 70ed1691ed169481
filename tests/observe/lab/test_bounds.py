"""What the lab cannot do it says, with the cure; and no program can hold it up or be left running in it."""

# ruff: noqa: BLE001, S110, S311, SIM105, SIM117 (programs that do what they should not are what it is about)

import functools
import queue
import random
import threading
import time
from types import SimpleNamespace

import pytest

from helpers.observe.lab.exploring import explore
from helpers.observe.lab.program import Program
from helpers.observe.lab.results import plural
from helpers.observe.lab.stage import Stage, run_schedule
from helpers.panels.sandbox import run_in_sandbox
from tests.observe.lab.programs import TWO_LOCKS


def threads_stay(test):
    """Run a test of threads that cannot be ended in a process of its own, which takes them along."""

    @functools.wraps(test)
    def run():
        outcome = run_in_sandbox(test, limit=50)
        assert outcome.kind == "finished", repr(outcome)

    return run


def write(shared):
    shared.x = 1


def write_twice(shared):
    shared.x = 1
    shared.x = 2


class Account:
    pass


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Account(), "shared.thing is of type Account, which the lab cannot watch. Share a SimpleNamespace, a list"),
        ([queue.Queue()], r"shared.thing\[0\] is of type Queue"),
        ({"a": SimpleNamespace(b=threading.Barrier(2))}, r"shared.thing\['a'\].b is of type Barrier"),
        ((1, threading.Thread()), r"shared.thing\[1\] is of type Thread"),
        (iter([1]), "shared.thing is of type list_iterator"),
    ],
)
def test_what_cannot_be_watched_is_named_with_the_cure(value, words):
    program = Program(lambda: SimpleNamespace(thing=value), [write])
    with pytest.raises(TypeError, match=words):
        explore(program)


def test_the_same_from_a_thread_is_its_error():
    def give(shared):
        shared.thing = Account()

    found = explore(Program(SimpleNamespace, [give])).bad
    assert found.kind == "error"
    assert found.words.startswith(
        "give failed: TypeError: shared.thing is of type Account, which the lab cannot watch."
    )


outer_lock = threading.Lock()
outer_count = 0
outer_list = []
CONSTANTS = [1, 2, 3]


def lock_of_the_module(shared):
    with outer_lock:
        shared.x = 1


def variable_of_the_module(_):
    global outer_count  # noqa: PLW0603 - what it is about
    outer_count += 1


def helper(shared):
    with outer_lock:
        shared.x = 1


def by_a_helper(shared):
    helper(shared)


def container_of_the_module(shared):
    shared.x = 1
    outer_list.append(1)


def constants_of_the_module(shared):
    shared.x = sum(CONSTANTS)


@pytest.mark.parametrize(
    ("work", "words"),
    [
        (
            lock_of_the_module,
            "uses outer_lock, a lock that make() has not given: let make() give it, and use shared.",
        ),
        (by_a_helper, "helper uses outer_lock, a lock that make() has not given"),
        (variable_of_the_module, "variable_of_the_module sets outer_count, a variable outside it"),
    ],
)
def test_what_is_shared_behind_the_labs_back_is_named(work, words):
    with pytest.raises(TypeError) as raised:
        explore(Program(SimpleNamespace, [work]))
    assert words in str(raised.value)


def test_a_lock_or_variable_of_the_function_around_is_named_too():
    lock, count = threading.Lock(), 0

    def use(shared):
        with lock:
            shared.x = 1

    def add(_):
        nonlocal count
        count += 1

    for work, words in [(use, "use uses lock, a lock"), (add, "add sets count, a variable")]:
        with pytest.raises(TypeError, match=words):
            Stage(Program(SimpleNamespace, [work]))


def test_a_container_outside_may_be_read_but_not_changed():
    assert explore(Program(SimpleNamespace, [constants_of_the_module] * 2)).complete
    found = explore(Program(SimpleNamespace, [container_of_the_module])).bad
    assert found.words == (
        "outer_list, which make() has not given, was changed: let make() give it, and use shared.outer_list."
    )


def test_a_change_by_an_old_name_is_named():
    def work(shared):
        mine = []
        shared.items = mine
        mine.append(1)
        shared.x = 1

    assert (
        "what was given to shared.items was changed by its old name"
        in explore(Program(SimpleNamespace, [work])).words
    )


def test_a_thread_that_the_program_starts_by_itself_is_named(monkeypatch):
    monkeypatch.setattr(threading, "excepthook", lambda _: None)

    def work(shared):
        thread = threading.Thread(target=write, args=(shared,))
        thread.start()
        thread.join()

    assert (
        "A thread that is not the program's own uses what is shared"
        in explore(Program(SimpleNamespace, [work])).words
    )


def test_a_program_that_is_not_deterministic_is_noticed():
    def by_chance(shared):
        shared.x = random.random()
        shared.x = 1

    with pytest.raises(ValueError, match=r"not deterministic, after the same 1 step .* leave out random numbers"):
        explore(Program(SimpleNamespace, [by_chance] * 2))
    with pytest.raises(ValueError, match=r"not deterministic, make\(\) has given something else"):
        explore(Program(lambda: SimpleNamespace(x=random.random()), [write] * 2))


def test_make_must_give_a_namespace_and_its_own_errors_pass():
    with pytest.raises(TypeError, match=r"make must give a types.SimpleNamespace, got {}"):
        Stage(Program(dict, [write]))
    with pytest.raises(ZeroDivisionError):
        Stage(Program(lambda: 1 / 0, [write]))


@pytest.mark.parametrize(
    ("make", "threads", "check", "error", "words"),
    [
        (SimpleNamespace, [], None, ValueError, "threads must be 1 to 8 functions, got 0"),
        (SimpleNamespace, [write] * 9, None, ValueError, "threads must be 1 to 8 functions, got 9"),
        (SimpleNamespace(), [write], None, TypeError, "make must be a function, got namespace"),
        (SimpleNamespace, [write, None], None, TypeError, "each thread must be a function, got None"),
        (SimpleNamespace, [write], True, TypeError, "check must be a function"),
    ],
)
def test_a_program_must_be_made_of_functions(make, threads, check, error, words):
    with pytest.raises(error, match=words):
        Program(make, threads, check)


def test_a_thread_that_does_not_come_back_is_named_with_its_line_and_ended():
    def hang(shared):
        shared.x = 1
        while True:
            pass

    begun = time.perf_counter()
    exploration = explore(Program(SimpleNamespace, [write, hang]), step_limit=1.0)
    line = hang.__code__.co_firstlineno + 2
    assert exploration.bad.kind == "error"
    assert f"hang has not come back from line {line}" in exploration.words.replace(f"line {line + 1}", f"line {line}")
    assert exploration.refused == 0
    assert time.perf_counter() - begun < 20


@threads_stay
def test_a_thread_that_cannot_be_ended_is_counted():
    def hang(shared):
        shared.x = 1
        end.wait(60)

    end = SimpleNamespace(wait=threading.Event().wait)  # a lock would be refused
    stage = Stage(Program(SimpleNamespace, [hang]), step_limit=1.0)
    assert stage.step(0).verdict.kind == "error"
    assert stage.situation().threads[0].state == "failed"
    stage.close()
    assert stage.refused == 1


@threads_stay
def test_a_thread_that_catches_everything_is_parked_and_counted():
    def stubborn(shared):
        while True:
            try:
                shared.x = 1
            except BaseException:
                pass

    stage = Stage(Program(SimpleNamespace, [stubborn, stubborn]))
    stage.step(0)
    begun = time.perf_counter()
    stage.close()
    assert stage.refused == 2
    assert time.perf_counter() - begun < 1.5
    stage.close()
    assert stage.refused == 2


@threads_stay
def test_exploring_ends_when_too_many_threads_cannot_be_ended():
    def stubborn(shared):
        for _ in range(3):
            try:
                shared.x = 1
            except BaseException:
                while True:
                    try:
                        shared.x = 2
                    except BaseException:
                        pass

    exploration = explore(Program(SimpleNamespace, [stubborn] * 3))
    assert not exploration.complete
    assert 20 < exploration.refused < 30
    assert "write `except Exception:`" in exploration.reason


def test_cleaning_up_code_neither_traps_the_engine_nor_does_anything():
    done = []

    def careful(shared):
        try:
            with shared.lock:
                shared.x = 1
                shared.x = 2
        except:  # noqa: E722 - what it is about
            shared.x = 3
            done.append(shared.x)
        finally:
            shared.x = 4
            done.append(shared.x)

    program = Program(lambda: SimpleNamespace(lock=threading.Lock()), [careful, careful])
    with Stage(program) as stage:
        stage.step(0)
        stage.step(0)
    assert stage.refused == 0
    assert done == []
    assert stage.situation().shared[-1] == ("x", "1")


@pytest.mark.parametrize(
    ("bounds", "reason"),
    [
        ({"most_runs": 20}, "there are more than 20 runs to do."),
        ({"most_seconds": 0.2}, "there is more to do than 0.2 s allow."),
        ({"longest": 10}, "a schedule may have more than 10 steps."),
    ],
)
def test_a_bound_that_is_met_is_told(bounds, reason):
    def count(shared):
        for n in range(8):
            shared.x = n

    exploration = explore(Program(SimpleNamespace, [count] * (2 if "longest" in bounds else 4)), **bounds)
    assert (exploration.bad, exploration.complete, exploration.reason) == (None, False, reason)
    assert exploration.words == f"Explored {plural(exploration.schedules, 'schedule')}, not all: {reason}"
    assert exploration.runs <= bounds.get("most_runs", exploration.runs)


def test_a_bad_end_within_the_bounds_is_still_found():
    assert explore(TWO_LOCKS, longest=2).bad.kind == "deadlock"
    assert explore(TWO_LOCKS, longest=1).bad is None


def test_a_loop_that_counts_its_turns_is_never_called_done():
    def wait(shared):
        turns = 0
        while not shared.done:
            turns += 1

    exploration = explore(Program(lambda: SimpleNamespace(done=False), [wait, finish]), longest=30)
    assert exploration.reason == "a schedule may have more than 30 steps."
    assert not exploration.complete


def finish(shared):
    shared.done = True


def test_waiting_for_a_thread_that_is_not_let_go_on_is_no_livelock():
    def wait(shared):
        while not shared.done:
            pass

    assert explore(Program(lambda: SimpleNamespace(done=False), [wait, finish])).bad is None
    assert explore(Program(lambda: SimpleNamespace(done=False), [wait, wait])).bad.kind == "livelock"


def test_a_deadlock_beside_a_thread_that_goes_round_is_a_deadlock():
    def again(shared):
        with shared.lock:
            with shared.lock:
                shared.done = True

    def wait(shared):
        while not shared.done:
            pass

    program = Program(lambda: SimpleNamespace(lock=threading.Lock(), done=False), [again, wait])
    found = explore(program).bad
    assert (found.kind, found.words) == ("deadlock", "Deadlock: again holds lock and waits for lock.")


def test_a_lock_that_another_thread_releases_is_no_deadlock():
    def wait(shared):
        shared.lock.acquire()
        shared.x = 1

    def signal(shared):
        shared.lock.release()

    def make():
        lock = threading.Lock()
        lock.acquire()
        return SimpleNamespace(lock=lock)

    assert explore(Program(make, [wait, signal])).words == "The only schedule ends well."


def test_sys_exit_ends_a_thread_quietly_as_it_does_outside():
    def leave(shared):
        shared.x = 1
        raise SystemExit(3)

    assert run_schedule(Program(SimpleNamespace, [leave]), [0]).verdict.good


def test_threads_without_a_step_have_ended_at_once():
    assert explore(Program(SimpleNamespace, [lambda _: None])).words == "The only schedule ends well."
    found = explore(Program(SimpleNamespace, [lambda _: {}["a"]])).bad
    assert (found.schedule, found.words) == ((), "lambda failed: KeyError: 'a'.")


def test_an_exception_that_cannot_be_shown_is_named():
    class MuteError(Exception):
        def __str__(self):
            raise ValueError

    def fail(_):
        raise MuteError

    assert explore(Program(SimpleNamespace, [fail])).bad.words == "fail failed: MuteError."


def test_a_thread_that_is_lost_before_its_first_step_is_told_once():
    def hang(_):
        while True:
            pass

    begun = time.perf_counter()
    exploration = explore(Program(SimpleNamespace, [hang, write]), step_limit=1.0)
    assert (exploration.bad.kind, exploration.bad.schedule, exploration.refused) == ("error", (), 0)
    assert time.perf_counter() - begun < 25


def test_a_namespace_with_an_attribute_called_locked_may_be_given_by_a_thread():
    def give(shared):
        shared.door = SimpleNamespace(locked=True)
        shared.door.locked = False
        shared.x = 1

    assert explore(Program(SimpleNamespace, [give])).words == "The only schedule ends well."


def test_locks_of_containers_that_change_are_refused_with_the_cure():
    def change(shared):
        shared.locks.append(threading.Lock())

    found = explore(Program(lambda: SimpleNamespace(locks=[threading.Lock()]), [change])).bad
    assert found.words == (
        "change failed: TypeError: shared.locks, which holds locks, is changed: share each of them by its own name."
    )
