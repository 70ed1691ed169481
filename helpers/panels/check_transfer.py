"""Lesson 06's exercise: move money between two accounts, each with a lock of its own, in every schedule."""

import threading
from types import SimpleNamespace
from typing import Final

from helpers.observe.lab.program import Program
from helpers.panels.exercise import Exercise, Property
from helpers.panels.guard import Answer
from helpers.panels.schedules import try_all
from helpers.panels.verdict import Verdict

BALANCES: Final = (100, 50)
AMOUNTS: Final = (30, 20)


def check_transfer(answer: Answer) -> Verdict:
    """Check the learner's `transfer(source, target, amount)`.

    Args:
        answer: the learner's function; accounts have a `lock`, a `balance` and a `number`.
    """
    exercise = Exercise(
        Property("one transfer moves the amount, and releases both locks", _moves),
        Property("two transfers in the same direction lose no money, in any schedule", lambda a: _all(a, (0, 1))),
        Property("transfers in opposite directions never deadlock, in any schedule", lambda a: _all(a, (1, 0))),
    )
    return exercise(answer)


def _bank() -> SimpleNamespace:
    a, b = (SimpleNamespace(lock=threading.Lock(), balance=n, number=i) for i, n in enumerate(BALANCES, 1))
    return SimpleNamespace(a=a, b=b)


def _moves(answer: Answer) -> str | None:
    def only(shared: SimpleNamespace) -> None:
        answer(shared.a, shared.b, AMOUNTS[0])

    schedules = try_all(Program(_bank, [only]))
    if not schedules.good:
        return f"Already one transfer alone goes wrong. {schedules.words}"
    bank = _bank()
    answer(bank.a, bank.b, AMOUNTS[0])
    if bank.a.lock.locked() or bank.b.lock.locked():
        return "A lock is still held when your function has returned: take locks in a with statement."
    expected = (BALANCES[0] - AMOUNTS[0], BALANCES[1] + AMOUNTS[0])
    if (bank.a.balance, bank.b.balance) == expected:
        return None
    return (
        f"From accounts with {BALANCES[0]} and {BALANCES[1]}, moving {AMOUNTS[0]} should leave {expected[0]} and "
        f"{expected[1]}; yours leaves {bank.a.balance!r} and {bank.b.balance!r}."
    )


def _all(answer: Answer, second: tuple[int, int]) -> str | None:
    """Two transfers side by side: the first from A to B, the second between the accounts with these places."""

    def first_transfer(shared: SimpleNamespace) -> None:
        answer(shared.a, shared.b, AMOUNTS[0])

    def second_transfer(shared: SimpleNamespace) -> None:
        accounts = (shared.a, shared.b)
        answer(accounts[second[0]], accounts[second[1]], AMOUNTS[1])

    change = AMOUNTS[0] + (AMOUNTS[1] if second == (0, 1) else -AMOUNTS[1])
    expected = (BALANCES[0] - change, BALANCES[1] + change)

    def no_money_lost(shared: SimpleNamespace) -> str | None:
        found = (shared.a.balance, shared.b.balance)
        return (
            None
            if found == expected
            else f"the accounts hold {found[0]} and {found[1]}, not {expected[0]} and {expected[1]}"
        )

    return try_all(Program(_bank, [first_transfer, second_transfer], check=no_money_lost)).hint
