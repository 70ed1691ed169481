"""The exercises that are checked in every schedule: right answers pass, and each usual mistake gets its hint."""
# ruff: noqa: ARG001 (mistakes often do not use what they are given)

import threading
from contextlib import ExitStack

import pytest

from helpers.panels.check_take_ticket import check_take_ticket
from helpers.panels.check_transfer import check_transfer


def hint(verdict):
    assert not verdict.good
    assert "Traceback" not in repr(verdict)
    assert verdict.lines[-1].startswith("Hint: ")
    return verdict.lines[-1]


# Lesson 06


def in_order(source, target, amount):
    first, second = sorted([source, target], key=lambda account: account.number)
    with first.lock, second.lock:
        source.balance -= amount
        target.balance += amount


def in_the_other_order(source, target, amount):
    with ExitStack() as stack:
        for account in sorted((source, target), key=lambda account: -account.number):
            stack.enter_context(account.lock)
        source.balance = source.balance - amount
        target.balance = target.balance + amount


def one_after_the_other(source, target, amount):
    """Right too, in the end: nobody checks what others see in between."""
    with source.lock:
        source.balance -= amount
    with target.lock:
        target.balance += amount


@pytest.mark.parametrize("answer", [in_order, in_the_other_order, one_after_the_other])
def test_a_right_transfer_passes(answer):
    assert check_transfer(answer).good


def as_given(source, target, amount):
    with source.lock, target.lock:
        source.balance -= amount
        target.balance += amount


def unlocked(source, target, amount):
    source.balance -= amount
    target.balance += amount


def half_locked(source, target, amount):
    with source.lock:
        source.balance -= amount
        target.balance += amount


def unreleased(source, target, amount):
    source.lock.acquire()
    target.lock.acquire()
    source.balance -= amount
    target.balance += amount


def backwards(source, target, amount):
    with source.lock:
        source.balance += amount
    with target.lock:
        target.balance -= amount


def twice_the_same(source, target, amount):
    with source.lock, source.lock:
        source.balance -= amount


def wrong_name(source, target, amount):
    source.saldo -= amount


OUTER = threading.Lock()


def with_a_global_lock(source, target, amount):
    with OUTER:
        source.balance -= amount
        target.balance += amount


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (as_given, "Deadlock: "),
        (unlocked, "Wrong result: "),
        (half_locked, "Wrong result: "),
        (unreleased, "A lock is still held"),
        (backwards, "yours leaves 130 and 20"),
        (twice_the_same, "Already one transfer alone goes wrong. After 1 step: Deadlock"),
        (wrong_name, "saldo"),
        (with_a_global_lock, "has not come back"),
    ],
)
def test_a_wrong_transfer_gets_a_hint(answer, words):
    assert words in hint(check_transfer(answer))


# Lesson 07


def locked(shared):
    with shared.lock:
        ticket = shared.next
        shared.next = ticket + 1
    return ticket


def acquired_and_released(shared):
    shared.lock.acquire()
    try:
        shared.next += 1
        return shared.next - 1
    finally:
        shared.lock.release()


@pytest.mark.parametrize("answer", [locked, acquired_and_released])
def test_a_right_ticket_passes(answer):
    assert check_take_ticket(answer).good


def unlocked_ticket(shared):
    ticket = shared.next
    shared.next = ticket + 1
    return ticket


def locked_too_late(shared):
    ticket = shared.next
    with shared.lock:
        shared.next = ticket + 1
    return ticket


def read_after_the_lock(shared):
    with shared.lock:
        shared.next += 1
    return shared.next - 1


def returns_nothing(shared):
    with shared.lock:
        shared.next += 1


def from_two(shared):
    with shared.lock:
        shared.next += 1
        return shared.next


def keeps_the_lock(shared):
    shared.lock.acquire()
    shared.next += 1
    return shared.next - 1


def for_ever(shared):
    while True:
        pass


def always_one(shared):
    return 1 if shared.next else 0


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (unlocked_ticket, "There is a schedule that goes wrong"),
        (locked_too_late, "There is a schedule that goes wrong"),
        (read_after_the_lock, "There is a schedule that goes wrong"),
        (returns_nothing, "does your function return the number"),
        (from_two, "[2, 3, 4]"),
        (keeps_the_lock, "Deadlock"),
        (for_ever, "has not come back"),
        (always_one, "[1, 1, 1]"),
    ],
)
def test_a_wrong_ticket_gets_a_hint(answer, words):
    assert words in hint(check_take_ticket(answer))


@pytest.mark.parametrize("check", [check_transfer, check_take_ticket])
def test_the_stub_gets_a_friendly_word(check):
    def stub(*args): ...

    assert check(stub).heading == "Nothing to check yet."
