"""One run, step by step: what is told between the steps, and that it is the same every time."""

import functools
import inspect
import pickle
import threading
import time
from time import sleep
from types import SimpleNamespace

import pytest

from helpers.observe.lab.exploring import explore
from helpers.observe.lab.program import Program
from helpers.observe.lab.stage import Stage, run_schedule
from helpers.observe.waits import Hold, Wait
from tests.observe.lab import programs


def line_in(function, text):
    lines, start = inspect.getsourcelines(function)
    return start + next(number for number, line in enumerate(lines) if text in line)


def test_before_the_first_step():
    with Stage(programs.TWO_LOCKS) as stage:
        situation = stage.situation()
    one, other = situation.threads
    assert (one.name, one.state, one.next, one.function, one.error) == (
        "first",
        "ready",
        "acquire lock_x",
        "first",
        "",
    )
    assert other.next == "acquire lock_y"
    assert one.line == line_in(programs.first, "lock_x")
    assert situation.shared == (("lock_x", "free"), ("lock_y", "free"), ("x", "4"), ("y", "6"))
    assert (situation.steps, situation.log, situation.verdict) == ((), (), None)
    assert situation.waits.words == "Nobody waits."


def test_a_step_does_what_was_announced_and_nothing_more():
    with Stage(programs.TWO_LOCKS) as stage:
        situation = stage.step(0)
        assert situation.log == ("first acquires lock_x",)
        assert situation.threads[0].next == "acquire lock_y"
        assert situation.threads[0].line == line_in(programs.first, "lock_y")
        assert situation.threads[1].next == "acquire lock_y"
        assert dict(situation.shared)["lock_x"] == "held by first"
        assert situation.waits.holds == (Hold("first", "lock_x"),)


def test_a_deadlock():
    situation = run_schedule(programs.TWO_LOCKS, [0, 1])
    assert [thread.state for thread in situation.threads] == ["waiting", "waiting"]
    assert situation.waits.is_deadlock
    assert situation.waits.waits == (Wait("first", "lock_y"), Wait("second", "lock_x"))
    assert situation.verdict.kind == "deadlock"
    assert not situation.verdict.good


def test_to_the_good_end():
    situation = run_schedule(programs.IN_ORDER, [0] * 7 + [1] * 6)
    assert [thread.state for thread in situation.threads] == ["ended", "ended"]
    assert [thread.line for thread in situation.threads] == [None, None]
    assert situation.verdict.good
    assert situation.log[2:7] == (
        "first reads x: 4",
        "first reads y: 6",
        "first writes x = 10",
        "first releases lock_y",
        "first releases lock_x",
    )


def test_who_waits_cannot_be_stepped_and_the_error_says_why():
    with Stage(programs.IN_ORDER) as stage:
        stage.step(0)
        assert stage.situation().threads[1].state == "waiting"
        with pytest.raises(ValueError, match="second_in_order cannot go on: it has to acquire lock_x"):
            stage.step(1)
        with pytest.raises(ValueError, match="there are 2 threads, 0 to 1: got -1"):
            stage.step(-1)
        assert stage.steps == [0]


def test_an_ended_run_cannot_be_stepped():
    with Stage(programs.TWO_LOCKS) as stage:
        stage.step(0)
        stage.step(1)
        with pytest.raises(ValueError, match=r"the run has ended: Deadlock: first holds lock_x"):
            stage.step(0)


def test_a_time_out_passes_when_its_thread_is_stepped():
    with Stage(programs.BACK_OFF) as stage:
        stage.step(0)
        situation = stage.step(1)
        assert [thread.state for thread in situation.threads] == ["ready", "ready"]
        assert situation.threads[0].next == "give up lock_y: the time-out has passed"
        assert situation.waits.circle
        assert not situation.waits.is_deadlock
        assert stage.step(0).log[-1] == "backing_off_first gives up lock_y: the time-out has passed"


def test_a_condition_takes_two_steps_and_gives_its_lock_back():
    with Stage(programs.PREDICATE) as stage:
        for expected in ["acquires ready", "reads len(letters): 0", "waits for ready"]:
            assert stage.step(0).log[-1] == f"await_letter {expected}"
        situation = stage.situation()
        assert situation.threads[0].state == "waiting"
        assert situation.threads[0].next == "wait for a notify of ready"
        assert dict(situation.shared)["ready"] == "free; await_letter waits"
        for _ in range(3):
            stage.step(1)
        situation = stage.situation()
        assert situation.threads[0].state == "waiting"
        assert situation.threads[0].next == "acquire ready again"
        assert situation.waits.waits == (Wait("await_letter", "ready"),)
        stage.step(1)
        assert stage.step(0).log[-1] == "await_letter acquires ready again"


def test_a_failed_thread_is_shown_with_its_line_and_words():
    situation = run_schedule(programs.HOLDER_FAILED, [0, 0])
    thread = situation.threads[0]
    assert (thread.state, thread.error) == ("failed", "KeyError: 'missing'")
    assert thread.line == line_in(programs.fail_with_the_lock, "missing")
    assert situation.threads[1].state == "waiting"


def test_the_line_is_that_of_the_threads_own_function():
    with Stage(programs.BACK_OFF_HELPED) as stage:
        assert stage.situation().threads[0].line == line_in(programs.first_helped, "take_both")
        situation = stage.step(0)
    assert situation.log == ("first_helped acquires lock_x",)
    assert situation.threads[0].line == line_in(programs.first_helped, "take_both")


def deposit(shared, amount):
    shared.balance += amount


def test_names_are_numbered_where_functions_are_used_again():
    twice = functools.partial(deposit, amount=2)
    program = Program(
        lambda: SimpleNamespace(balance=0), [twice, programs.notify, functools.partial(deposit, amount=1)]
    )
    assert program.names == ("deposit 1", "notify", "deposit 2")
    with Stage(Program(program.make, [twice])) as stage:
        assert stage.situation().threads[0].line == line_in(deposit, "+=")


@pytest.mark.parametrize("program", [programs.TWO_LOCKS, programs.LOST_UPDATE, programs.BACK_OFF, programs.LAZY])
def test_replays_are_identical_100_times_out_of_100(program):
    exploration = explore(program, most_seconds=40)
    schedule = exploration.bad.schedule
    assert {repr(run_schedule(program, schedule)) for _ in range(100)} == {repr(run_schedule(program, schedule))}


@pytest.mark.parametrize(
    "program", [programs.TWO_LOCKS, programs.BACK_OFF, programs.PHILOSOPHERS, programs.GIVING_UP]
)
def test_exploring_tells_the_same_every_time(program):
    assert len({repr(explore(program, most_seconds=40)) for _ in range(5)}) == 1


@pytest.mark.parametrize(
    "program", [programs.TWO_LOCKS, programs.HOLDER_FAILED, programs.BANK, programs.MISSED_NOTIFY]
)
def test_what_is_told_can_be_sent_to_another_process(program):
    exploration = explore(program)
    situation = run_schedule(program, exploration.bad.schedule)
    sent = pickle.dumps((exploration, situation))
    assert pickle.loads(sent) == (exploration, situation)  # noqa: S301 (our own)


def nap(shared):
    time.sleep(30)
    sleep(30)
    shared.x = 1


def test_to_sleep_is_a_step_that_takes_no_time_and_only_for_the_labs_threads():
    real = time.sleep
    begun = time.perf_counter()
    with Stage(Program(SimpleNamespace, [nap])) as stage:
        assert stage.step(0).log == ("nap sleeps 30 s",)
        assert stage.step(0).log[-1] == "nap sleeps 30 s"
        with Stage(Program(SimpleNamespace, [nap])) as other:
            other.step(0)
        stage.step(0)
        assert time.perf_counter() - begun < 25
        before = time.perf_counter()
        time.sleep(0.05)
        assert time.perf_counter() - before >= 0.045
    assert time.sleep is real is sleep


def test_the_names_of_threads_are_those_of_the_program():
    def name_it(shared):
        shared.name = threading.current_thread().name

    assert dict(run_schedule(Program(SimpleNamespace, [name_it, name_it]), [1]).shared) == {"name": "'name_it 2'"}


def test_a_name_that_the_lab_uses_itself_is_free():
    def use(shared):
        shared.name = shared.home + shared.birth
        shared.content = shared.bare

    make = functools.partial(SimpleNamespace, home=1, birth=2, bare=3)
    situation = run_schedule(
        Program(make, [use], check=lambda shared: (shared.name, shared.content) == (3, 3)), [0] * 5
    )
    assert situation.verdict.good


def test_nested_things_are_named_by_their_way():
    situation = run_schedule(programs.BANK, [0, 1])
    assert situation.shared == (
        ("ann.balance", "5"),
        ("ann.lock", "held by ann_pays"),
        ("bob.balance", "5"),
        ("bob.lock", "held by bob_pays"),
    )
    situation = run_schedule(programs.PHILOSOPHERS, [0])
    assert situation.shared[0] == ("forks[0]", "held by plato")


def test_a_condition_shares_the_lock_it_was_made_with():
    def make():
        lock = threading.Lock()
        return SimpleNamespace(ready=threading.Condition(lock), lock=lock)

    def waiter(shared):
        with shared.ready:
            shared.ready.wait()

    def holder(shared):
        with shared.lock:
            shared.ready.notify()

    situation = run_schedule(Program(make, [waiter, holder]), [0])
    assert situation.shared == (("ready", "nobody waits"), ("lock", "held by waiter"))
    assert situation.threads[1].state == "waiting"
    assert explore(Program(make, [waiter, holder])).bad.kind == "stuck"


@pytest.mark.parametrize("value", [False, "it is {shared.x}", None, True])
def test_what_a_check_may_say(value):
    def write(shared):
        shared.x = 1

    verdict = run_schedule(Program(SimpleNamespace, [write], check=lambda _: value), [0]).verdict
    words = {False: "Wrong result: x is 1.", "it is {shared.x}": "Wrong result: it is {shared.x}"}
    assert verdict.good == (value in {None, True})
    assert verdict.words == words.get(value, "All threads have ended, and the check holds.")


def test_a_check_sees_the_standard_librarys_own_values():
    def make():
        return SimpleNamespace(lock=threading.Lock(), items=[{"a": (1, [2])}], seen=set(), gate=threading.Event())

    def work(shared):
        shared.lock.acquire()
        shared.items.append(shared.items)
        shared.seen.add(3)
        shared.gate.set()

    def check(shared):
        assert type(shared.lock) is type(threading.Lock())
        assert shared.lock.locked()
        assert type(shared) is SimpleNamespace
        assert type(shared.items) is list
        assert type(shared.items[0]) is dict
        assert shared.items[0] == {"a": (1, [2])}
        assert shared.items[1] is shared.items
        assert type(shared.seen) is set
        assert shared.gate.is_set()

    assert explore(Program(make, [work], check=check)).words == "The only schedule ends well."
