"""The accounts of lesson 09's exercise look like a `Value`, and are emptied by processes of any start method."""

import multiprocessing
import threading

import pytest

from helpers.observe.withdrawing import TOO_MUCH, LabAccount, SlowAccount, withdraw_all
from tests.observe.starting import LIMIT, METHODS

each_method = pytest.mark.parametrize("method", METHODS)


class Sent:
    """What a check would send."""

    def __init__(self, content):
        self.content = content

    def open(self):
        return self.content


def withdraw(account, amount):
    with account:
        if account.value < amount:
            return False
        account.value -= amount
        return True


@each_method
def test_withdrawing_ends_when_it_is_refused(method):
    context = multiprocessing.get_context(method)
    balance, start, taken = context.Value("i", 5), context.Barrier(1), context.Array("i", 2, lock=False)
    account = SlowAccount(balance)
    process = context.Process(target=withdraw_all, args=(start, Sent(withdraw), account, taken, 1))
    process.start()
    process.join(LIMIT)
    assert process.exitcode == 0
    assert (balance.value, list(taken)) == (0, [0, 5])


def test_withdrawing_ends_when_it_is_never_refused():
    taken = [0]
    withdraw_all(threading.Barrier(1), Sent(lambda *_: True), SlowAccount(multiprocessing.Value("i")), taken, 0)
    assert taken == [TOO_MUCH]


@pytest.mark.parametrize("make", [LabAccount, SlowAccount])
def test_accounts_look_like_a_value(make):
    class Shared:
        value, lock = 5, threading.RLock()

        def get_lock(self):
            return self.lock

    account, real = make(Shared()), multiprocessing.Value("i", 5)
    for each in (account, real):
        each.value -= 2
        assert each.value == 3
        with each, each.get_lock():
            assert each.acquire()
            each.release()
