"""Lesson 09's exercise: right answers of every kind pass, and each usual mistake gets a hint of its own."""

import functools
import multiprocessing
import sys
import threading
import time

import cloudpickle
import pytest

from helpers.panels.check_withdraw import check_withdraw
from helpers.panels.guard import guarded
from tests.observe.starting import METHODS

pytestmark = pytest.mark.usefixtures("left_as_found")


@pytest.fixture(autouse=True)
def as_from_a_cell():
    """Functions of this module are sent by value, as those of a cell are."""
    module = sys.modules[__name__]
    cloudpickle.register_pickle_by_value(module)
    yield
    cloudpickle.unregister_pickle_by_value(module)


@pytest.fixture(params=METHODS)
def method(request):
    before = multiprocessing.get_start_method()
    multiprocessing.set_start_method(request.param, force=True)
    yield request.param
    multiprocessing.set_start_method(before, force=True)


def unsafe(account, amount):
    if account.value < amount:
        return False
    account.value -= amount
    return True


def under_get_lock(account, amount):
    with account.get_lock():
        return unsafe(account, amount)


def under_the_account(account, amount):
    with account:
        enough = account.value >= amount
        if enough:
            account.value = account.value - amount
    return enough


def by_acquire(account, amount):
    account.acquire()
    try:
        return unsafe(account, amount)
    finally:
        account.release()


@pytest.mark.usefixtures("method")
@pytest.mark.parametrize("answer", [under_get_lock, under_the_account, by_acquire])
def test_right_answers(answer):
    verdict = check_withdraw(answer)
    assert verdict.good, repr(verdict)
    assert len(verdict.lines) == 3


def unedited(account, amount): ...


def test_an_unedited_stub():
    assert check_withdraw(unedited).heading == "Nothing to check yet."


def locks_too_late(account, amount):
    if account.value < amount:
        return False
    with account.get_lock():
        account.value -= amount
    return True


def locks_twice(account, amount):
    with account.get_lock():
        balance = account.value
    if balance < amount:
        return False
    with account.get_lock():
        account.value = balance - amount
    return True


def keeps_the_lock(account, amount):
    account.get_lock().acquire()
    if account.value < amount:
        return False
    account.value -= amount
    account.get_lock().release()
    return True


def forgets_to_return(account, amount):  # noqa: RET503 (that is the mistake)
    with account.get_lock():
        if account.value >= amount:
            account.value -= amount
            return True


def never_refuses(account, amount):
    with account.get_lock():
        account.value -= amount
    return True


def refuses_the_last(account, amount):
    with account.get_lock():
        if account.value <= amount:
            return False
        account.value -= amount
    return True


def makes_a_lock(account, amount):
    with multiprocessing.Lock():
        return unsafe(account, amount)


THREADS_LOCK, OWN_LOCK = threading.Lock(), multiprocessing.Lock()


def takes_a_lock_of_threading(account, amount):
    with THREADS_LOCK:
        return unsafe(account, amount)


def takes_a_lock_of_its_own(account, amount):
    with OWN_LOCK:
        return unsafe(account, amount)


def treats_it_as_a_number(account, amount):
    return account >= amount


def releases_too_often(account, amount):
    with account.get_lock():
        account.release()
        return unsafe(account, amount)


MISTAKES = {
    "no lock": (unsafe, "There is a schedule that goes wrong"),
    "locks too late": (locks_too_late, "-1 were left"),
    "locks twice": (locks_twice, "True and True, and 2 were left"),
    "keeps the lock": (keeps_the_lock, "After withdrawing 6 from 5 the lock is still held"),
    "forgets to return": (forgets_to_return, "withdraw(account, 6) gives back None"),
    "never refuses": (never_refuses, "Withdrawing 6 from 5 should give False and leave 5; yours gives True"),
    "refuses the last": (refuses_the_last, "Withdrawing 5 from 5 should give True and leave 0"),
    "makes a lock": (makes_a_lock, "There is a schedule that goes wrong"),
    "a lock of threading": (takes_a_lock_of_threading, "account.get_lock()"),
    "a lock of its own": (takes_a_lock_of_its_own, "account.get_lock()"),
    "a number": (treats_it_as_a_number, "raised TypeError"),
    "releases too often": (releases_too_often, "raised AssertionError"),
    "sys.exit": (lambda *_: sys.exit(3), "return instead"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes(mistake, capfd):
    answer, words = MISTAKES[mistake]
    verdict = check_withdraw(answer)
    assert not verdict.good
    assert "Traceback" not in repr(verdict)
    assert verdict.lines[-1].startswith("Hint: ")
    assert words in verdict.lines[-1], verdict
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (unsafe, "were given"),
        (lambda *_: 1 / 0, "A process failed with exit code 1; its last words were: ZeroDivisionError"),
        (lambda *_: sys.exit(3), "failed with exit code 3"),
        (lambda *_: time.sleep(30), "had not ended after 1 seconds"),
        (never_refuses, "were given 180 in all, and -150 are left"),
    ],
)
def test_between_processes_alone(answer, words, method, monkeypatch):
    if method == "forkserver":  # the server's children speak where the server does, unheard
        words = words.partition("; its last words")[0]
    monkeypatch.setattr("helpers.panels.check_withdraw._PATIENCE", 1.0 if "1 seconds" in words else 8.0)
    from helpers.panels.check_withdraw import _between_processes  # noqa: PLC0415 (what no other check lets through)

    assert words in (_between_processes(answer) or "nothing")


def test_one_that_never_comes_back_is_interrupted(monkeypatch):
    monkeypatch.setattr("helpers.panels.exercise.guarded", functools.partial(guarded, limit=0.5))
    verdict = check_withdraw(lambda *_: threading.Event().wait(30))
    assert "was interrupted after 0.5 seconds" in verdict.lines[-1]
