"""The exercises: right answers pass, each usual mistake gets a hint of its own, and nothing is left running."""
# ruff: noqa: ARG001, ARG005 (mistakes often do not use what they are given)

import multiprocessing
import sys
import threading
import time
from itertools import pairwise
from multiprocessing import Process
from threading import Thread

import pytest

from helpers.panels.check_longest_gap import check_longest_gap
from helpers.panels.check_run_two import check_run_two
from helpers.panels.check_wait_at_most import check_wait_at_most
from helpers.panels.exercise import Exercise, Property
from helpers.workers.article import worker


@pytest.fixture(autouse=True)
def nothing_is_left():
    threads = set(threading.enumerate())
    yield
    assert multiprocessing.active_children() == []
    assert set(threading.enumerate()) <= threads


def hint(verdict):
    assert not verdict.good
    assert "Traceback" not in repr(verdict)
    assert verdict.lines[-1].startswith("Hint: ")
    return verdict.lines[-1]


async def answer_later(seconds):
    return seconds


check_double = Exercise(
    Property("a number comes back doubled", lambda answer: None if answer(2) == 4 else "Twice 2 is 4."),
    Property("so does 0", lambda answer: None if answer(0) == 0 else "Twice 0 is 0."),
)


def stub(number): ...


def stub_with_docstring(number):
    """Give back twice the number."""
    # Write your code here.


def stub_that_passes(number):
    pass


def stub_that_returns(number):
    return ...


@pytest.mark.parametrize("answer", [stub, stub_with_docstring, stub_that_passes, stub_that_returns])
@pytest.mark.parametrize(
    "check", [check_double, check_longest_gap, check_wait_at_most, lambda answer: check_run_two(answer, worker)]
)
def test_an_unedited_stub_gets_a_friendly_first_word(check, answer):
    verdict = check(answer)
    assert verdict.heading == "Nothing to check yet."
    assert "write its body" in verdict.lines[0]


def test_a_value_instead_of_the_function_is_told():
    assert "without brackets" in check_double(4).lines[0]


def test_an_async_function_is_told():
    async def answer(number):
        return number * 2

    assert "plain def" in check_double(answer).lines[0]


check_nap = Exercise(Property("it can be called", lambda answer: answer(0).close()), asynchronous=True)


def test_where_a_coroutine_function_is_wanted_a_plain_one_and_a_stub_are_told():
    async def stub(seconds): ...

    async def stub_that_returns(seconds):
        """Wait."""
        return

    async def nap(seconds):
        await answer_later(seconds)

    assert "async def" in check_nap(lambda seconds: None).lines[0]
    assert "write its body" in check_nap(stub).lines[0]
    assert "write its body" in check_nap(stub_that_returns).lines[0]
    assert check_nap(nap).good


def test_a_right_answer_is_told_what_was_verified():
    assert repr(check_double(lambda number: number * 2)) == (
        "✔ Right. This was verified:\n  ✔ a number comes back doubled\n  ✔ so does 0"
    )


def test_a_nearly_right_answer_is_told_what_holds_and_one_hint():
    verdict = check_double(lambda number: number * 2 or 1)
    assert verdict.lines == ("✔ a number comes back doubled", "Hint: Twice 0 is 0.")


def test_a_callable_object_is_welcome():
    class Double:
        def __call__(self, number):
            return number * 2

    assert check_double(Double()).good


# Lesson 01


def gaps(ticks):
    return [b - a for a, b in pairwise(ticks)]


def longest_gap(ticks):
    longest = 0.0
    for earlier, later in pairwise(ticks):
        longest = max(longest, later - earlier)
    return longest


@pytest.mark.parametrize("answer", [longest_gap, lambda ticks: max(gaps(ticks), default=0)])
def test_longest_gap_right(answer):
    verdict = check_longest_gap(answer)
    assert verdict.good, verdict
    assert len(verdict.lines) == 4


def forgets_to_return(ticks):
    max(gaps(ticks))


def sorts_in_place(ticks):
    ticks.sort(reverse=True)
    return max((a - b for a, b in pairwise(ticks)), default=0)


LONGEST_GAP_MISTAKES = {
    "forgets to return": (forgets_to_return, "does it end with return"),
    "sum of gaps": (lambda ticks: sum(gaps(ticks)), "the whole time"),
    "sum of ticks": (sum, "sum of the ticks"),
    "maximum of ticks": (max, "the last tick"),
    "number of ticks": (len, "how many ticks"),
    "number of gaps": (lambda ticks: len(gaps(ticks)), "how many gaps"),
    "shortest": (lambda ticks: min(gaps(ticks)), "shortest"),
    "average": (lambda ticks: sum(gaps(ticks)) / len(gaps(ticks)), "average"),
    "turned round": (lambda ticks: min(a - b for a, b in pairwise(ticks)), "negative"),
    "milliseconds": (lambda ticks: 1000 * max(gaps(ticks)), "milliseconds"),
    "all gaps": (gaps, "one number is asked for"),
    "text": (lambda ticks: f"{max(gaps(ticks))} s", "one number is asked for"),
    "index": (lambda ticks: gaps(ticks).index(max(gaps(ticks))) + 1, "from 5.2 to 7.2"),
    "misses the first": (lambda ticks: max(gaps(ticks)[1:], default=0), "at the start"),
    "misses the last": (lambda ticks: max(gaps(ticks)[:-1], default=0), "at the end"),
    "raises on no ticks": (lambda ticks: max(gaps(ticks)), "For [] it raises ValueError"),
    "None on no ticks": (lambda ticks: max(gaps(ticks), default=None), "For [] it gives back None"),
    "changes its list": (sorts_in_place, "changes the list"),
    "always raises": (lambda ticks: ticks[99], "raised IndexError"),
    "leaves": (lambda ticks: sys.exit(), "sys.exit()"),
    "wrong arguments": (lambda: 2.0 + len(sys.argv), "positional argument"),
}


@pytest.mark.parametrize("mistake", LONGEST_GAP_MISTAKES)
def test_longest_gap_mistakes(mistake):
    answer, words = LONGEST_GAP_MISTAKES[mistake]
    assert words in hint(check_longest_gap(answer))


# Lesson 02


def wait_at_most(thread, seconds):
    thread.join(seconds)
    return not thread.is_alive()


def wait_in_turns(thread, seconds):
    end = time.monotonic() + seconds
    while thread.is_alive() and time.monotonic() < end:
        thread.join(min(0.05, max(0, end - time.monotonic())))
    return not thread.is_alive()


@pytest.mark.parametrize("answer", [wait_at_most, wait_in_turns])
def test_wait_at_most_right(answer):
    verdict = check_wait_at_most(answer)
    assert verdict.good, verdict
    assert len(verdict.lines) == 4


def turned_round(thread, seconds):
    thread.join(seconds)
    return thread.is_alive()


def waits_for_ever(thread, seconds):
    thread.join()
    return not thread.is_alive()


def keeps_a_core_busy(thread, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not thread.is_alive():
            return True
    return not thread.is_alive()


def always_sleeps_it_all(thread, seconds):
    time.sleep(seconds if thread.is_alive() else 0)
    return not thread.is_alive()


def takes_zero_for_none(thread, seconds):
    thread.join(seconds or None)
    return not thread.is_alive()


def always_true(thread, seconds):
    return thread.join(seconds) is None


WAIT_MISTAKES = {
    "returns join": (lambda thread, seconds: thread.join(seconds), "ask is_alive()"),
    "turned round": (turned_round, "put not before it"),
    "waits for ever": (waits_for_ever, "give join() its timeout"),
    "always true": (always_true, "says True while the thread still runs"),
    "does not wait": (lambda thread, seconds: not thread.is_alive(), "came back at once"),
    "keeps a core busy": (keeps_a_core_busy, "keeps a core busy"),
    "sleeps it all": (always_sleeps_it_all, "still waited all the time"),
    "takes zero for none": (takes_zero_for_none, "only None means for ever"),
    "gives a text": (lambda thread, seconds: str(wait_at_most(thread, seconds)), "True or False"),
    "calls a wrong name": (lambda thread, seconds: not thread.isAlive(), "isAlive"),
}


@pytest.mark.parametrize("mistake", WAIT_MISTAKES)
def test_wait_at_most_mistakes(mistake):
    answer, words = WAIT_MISTAKES[mistake]
    tries = 3 if mistake == "keeps a core busy" else 1  # where many programs want it, it gets little of one
    assert any(words in hint(check_wait_at_most(answer)) for _ in range(tries))


def test_wait_at_most_tells_of_a_thread_left_behind(monkeypatch):
    monkeypatch.setattr("helpers.panels.guard._GRACE", 0.05)
    end = threading.Event()
    helper = Thread(target=end.wait, args=(60,))

    def leaves_a_thread(thread, seconds):
        helper.start()
        return wait_at_most(thread, seconds)

    try:
        assert "left a thread running" in hint(check_wait_at_most(leaves_a_thread))
    finally:
        end.set()
        helper.join()


# Lesson 05


def run_two_by(method):
    context = multiprocessing.get_context(method)

    def run_two(target, args):
        both = [context.Process(target=target, args=args) for _ in range(2)]
        for process in both:
            process.start()
        for process in both:
            process.join()
        return [process.exitcode for process in both]

    return run_two


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_run_two_right(method):
    verdict = check_run_two(run_two_by(method), worker)
    assert verdict.good, verdict
    assert len(verdict.lines) == 3


def two(target, args, kind=Process):
    return [kind(target=target, args=args) for _ in range(2)]


def one_after_the_other(target, args):
    both = two(target, args)
    for process in both:
        process.start()
        process.join()
    return [process.exitcode for process in both]


def runs_here(target, args):
    target(*args)
    target(*args)
    return [0, 0]


def calls_while_making(target, args):
    both = [Process(target=target(*args)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    return [process.exitcode for process in both]


def uses_run(target, args):
    both = two(target, args)
    for process in both:
        process.run()
    return [process.exitcode for process in both]


def uses_threads(target, args):
    both = two(target, args, Thread)
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    return [0, 0]


def forgets_join(target, args):
    both = two(target, args)
    for process in both:
        process.start()
    return [process.exitcode for process in both]


def joins_only_the_first(target, args):
    both = two(target, args)
    for process in both:
        process.start()
    both[0].join()
    both[1].join(2)
    extra = Process(target=time.sleep, args=(60,))
    extra.start()
    return [process.exitcode for process in both]


def starts_one(target, args):
    process = Process(target=target, args=args)
    process.start()
    process.join()
    return [process.exitcode, 0]


def nests_the_arguments(target, args):
    both = two(target, (args,))
    for process in both:
        process.start()
    for process in both:
        process.join()
    return [process.exitcode for process in both]


def tells_of_a_signal(target, args):
    run_two_by(None)(target, args)
    return [-15, -15]


def always_zero(target, args):
    run_two_by(None)(target, args)
    return [0, 0]


def gives_join(target, args):
    both = two(target, args)
    for process in both:
        process.start()
    return [process.join() for process in both]


def returns_nothing(target, args):
    run_two_by(None)(target, args)


def returns_one_number(target, args):
    return sum(run_two_by(None)(target, args))


def makes_it_by_position(target, args):
    return Process(target, args)


RUN_TWO_MISTAKES = {
    "one after the other": (one_after_the_other, "only when the first had ended"),
    "runs here": (runs_here, "ran in this process"),
    "calls while making": (calls_while_making, "ran in this process"),
    "uses run": (uses_run, "ran in this process"),
    "uses threads": (uses_threads, "ran in this process"),
    "forgets join": (
        forgets_join,
        "join() both, then read. It left 2 processes running, which the check has stopped",
    ),
    "leaves another": (joins_only_the_first, "left a process running, which the check has stopped"),
    "starts one": (starts_one, "and 1 did"),
    "nests the arguments": (nests_the_arguments, "with AttributeError: 'tuple' object"),
    "tells of a signal": (tells_of_a_signal, "tells of a signal"),
    "always zero": (always_zero, "[3, 3]"),
    "gives join": (gives_join, "join() itself gives back None"),
    "returns nothing": (returns_nothing, "does it end with return"),
    "returns one number": (returns_one_number, "Two numbers in a list"),
    "raises": (makes_it_by_position, "raised AssertionError"),
}


@pytest.mark.parametrize("mistake", RUN_TWO_MISTAKES)
def test_run_two_mistakes(mistake, capfd, monkeypatch):
    tries = (5.0, 5.0) if mistake == "forgets join" else (0.4, 0.5)  # both are to run on when the guard looks
    monkeypatch.setattr("helpers.panels.check_run_two._TRIES", tries)
    answer, words = RUN_TWO_MISTAKES[mistake]
    assert words in hint(check_run_two(answer, worker))
    assert capfd.readouterr().err == ""
