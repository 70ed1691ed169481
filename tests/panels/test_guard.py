"""Nothing that a learner's function does can hurt the kernel."""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time

import pytest

from helpers.panels.guard import OutOfTimeError, guarded, is_number

needs_timer = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no such timer")


def call(answer):
    answer()


def test_a_good_call_gives_no_hint_and_a_hint_is_passed_on():
    assert guarded(call, lambda: None) is None
    assert guarded(lambda _: "think again", lambda: None) == "think again"


def test_an_exception_becomes_words_with_the_line():
    def answer():
        return {}["gone"]

    hint = guarded(call, answer)
    assert hint == "Your function raised KeyError: 'gone' (in the line: return {}[\"gone\"])."


def test_an_exception_without_words_and_without_code():
    assert guarded(lambda _: next(iter([])), print) == "Your function raised StopIteration."


def test_a_wrong_number_of_arguments_is_told():
    assert "takes 1 positional argument but 2 were given" in guarded(lambda f: f(1, 2), lambda x: x)


@pytest.mark.parametrize("leave", [sys.exit, lambda: sys.exit("bye"), exit])
def test_leaving_the_program_is_stopped(leave):
    assert "return instead" in guarded(call, leave)


def test_an_interrupt_ends_the_check_in_words():
    def answer():
        raise KeyboardInterrupt

    assert guarded(call, answer) == "You interrupted the check."


def test_a_stub_that_raises_not_implemented_is_told_to_be_written():
    def answer():
        raise NotImplementedError

    assert guarded(call, answer).startswith("Nothing to check yet")


def never_ends():
    while True:
        pass


def never_ends_and_catches():
    while True:
        with contextlib.suppress(Exception):
            time.sleep(60)


def never_stops_waiting():
    threading.Event().wait()


@needs_timer
@pytest.mark.parametrize("answer", [never_ends, never_ends_and_catches, never_stops_waiting])
def test_an_endless_function_is_interrupted(answer):
    hint = guarded(call, answer, limit=0.2)
    assert hint == "Your function was interrupted after 0.2 seconds: what does it wait for?"


@needs_timer
def test_a_function_that_catches_everything_is_interrupted_by_the_next_alarm(monkeypatch):
    monkeypatch.setattr("helpers.panels.guard._AGAIN", 0.1)

    def answer():
        with contextlib.suppress(BaseException):
            time.sleep(60)
        time.sleep(60)

    assert "interrupted" in guarded(call, answer, limit=0.1)


@needs_timer
def test_the_alarm_of_others_goes_on_as_before():
    rung = []
    handler = signal.signal(signal.SIGALRM, lambda *_: rung.append("theirs"))
    timer = signal.setitimer(signal.ITIMER_REAL, 40.0, 3.0)
    try:
        assert guarded(call, lambda: time.sleep(0.05)) is None
        left, interval = signal.getitimer(signal.ITIMER_REAL)
        assert 1 < left < 40
        assert interval == 3.0
        signal.raise_signal(signal.SIGALRM)
        assert rung == ["theirs"]
    finally:
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, *timer)


def test_outside_the_main_thread_it_works_without_a_limit():
    hints = []
    thread = threading.Thread(target=lambda: hints.append(guarded(lambda _: "heard", print)))
    thread.start()
    thread.join(30)
    assert hints == ["heard"]


def test_out_of_time_is_not_caught_by_except_exception():
    assert not issubclass(OutOfTimeError, Exception)


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_processes_left_running_are_stopped_and_told(method):
    context = multiprocessing.get_context(method)
    started = []

    def answer():
        for _ in range(2):
            started.append(context.Process(target=time.sleep, args=(60,)))
            started[-1].start()

    hint = guarded(call, answer)
    assert "2 processes running, which the check has stopped" in hint
    assert [child.is_alive() for child in started] == [False, False]


def test_processes_of_others_are_left_alone():
    child = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(60,))
    child.start()
    try:
        assert guarded(call, lambda: None) is None
        assert child.is_alive()
    finally:
        child.kill()
        child.join(10)


def test_a_thread_left_running_is_told(monkeypatch):
    monkeypatch.setattr("helpers.panels.guard._GRACE", 0.05)
    end = threading.Event()
    try:
        hint = guarded(call, lambda: threading.Thread(target=end.wait, args=(60,)).start())
    finally:
        end.set()
    assert "a thread running" in hint


def test_a_thread_that_is_just_ending_is_not():
    assert guarded(call, lambda: threading.Thread(target=time.sleep, args=(0.05,)).start()) is None


@pytest.mark.parametrize(
    ("value", "expected"), [(1, True), (0.5, True), (True, False), ("1", False), (float("nan"), False), (None, False)]
)
def test_what_a_number_is(value, expected):
    assert is_number(value) is expected


def test_this_process_is_still_the_same():
    pid = os.getpid()
    guarded(call, sys.exit)
    assert os.getpid() == pid
