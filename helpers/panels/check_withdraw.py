"""Lesson 09's exercise: withdraw from a shared account what is there, in every schedule and between processes."""

import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from types import SimpleNamespace
from typing import Any, Final

from helpers.observe.child_errors import error_output
from helpers.observe.confined import Parcel
from helpers.observe.lab.program import Program
from helpers.observe.withdrawing import LabAccount, SlowAccount, withdraw_all
from helpers.panels.exercise import Exercise, Property
from helpers.panels.guard import Answer
from helpers.panels.schedules import try_all
from helpers.panels.sending import by_value

BALANCE: Final = 5
_PROCESSES: Final = 3
_IN_THE_BANK: Final = 30
_PATIENCE: Final = 8.0  # seconds for all of them together; the guard's limit is 10


def _alone(answer: Answer) -> str | None:
    for amount, gives, leaves in ((3, True, 2), (BALANCE, True, 0), (BALANCE + 1, False, BALANCE)):
        account = multiprocessing.Value("i", BALANCE)
        given = answer(account, amount)
        if hint := _wrong(account, amount, given, (gives, leaves)):
            return hint
        if not _is_free(account.get_lock()):
            return f"After withdrawing {amount} from {BALANCE} the lock is still held: take it in a with statement."
    return None


def _wrong(account: Any, amount: int, given: object, right: tuple[bool, int]) -> str | None:  # noqa: ANN401 (a Value)
    if given is None:
        return f"withdraw(account, {amount}) gives back None: is there a return on every way out?"
    if (given, account.value) == right:
        return None
    return (
        f"Withdrawing {amount} from {BALANCE} should give {right[0]} and leave {right[1]}; "
        f"yours gives {given!r:.80} and leaves {account.value}."
    )


def _is_free(lock: Any) -> bool:  # noqa: ANN401 (an RLock of multiprocessing)
    """Whether another thread, and so another process, could take it."""

    def take() -> bool:
        free: bool = lock.acquire(False)  # noqa: FBT003 (threading and multiprocessing name it differently)
        if free:
            lock.release()
        return free

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(take).result()


def _bank() -> SimpleNamespace:
    return SimpleNamespace(value=BALANCE, lock=threading.RLock(), given=[])


def _in_every_schedule(answer: Answer) -> str | None:
    def withdraw(shared: Any) -> None:  # noqa: ANN401 (the lab's namespace)
        shared.given.append(answer(LabAccount(shared), 3))

    def one_is_refused(shared: Any) -> str | None:  # noqa: ANN401 (the same)
        given, left = [bool(each) for each in shared.given], shared.value
        if sorted(given) == [False, True] and left == 2:
            return None
        return f"withdraw gave {given[0]} and {given[1]}, and {left} were left"

    try:
        hint = try_all(Program(_bank, [withdraw, withdraw], check=one_is_refused)).hint
    except TypeError as error:
        if "lock" not in str(error).lower():
            raise
        return "Your function uses a lock of its own. The account brings the one that all share: account.get_lock()."
    return f"Two withdraw 3 each, from {BALANCE}. {hint}" if hint else None


def _between_processes(answer: Answer) -> str | None:
    balance = multiprocessing.Value("i", _IN_THE_BANK)
    taken = multiprocessing.Array("i", _PROCESSES, lock=False)
    start, sent, account = multiprocessing.Barrier(_PROCESSES), Parcel(answer, by_value), SlowAccount(balance)
    with error_output() as errors:
        processes = [
            multiprocessing.Process(target=withdraw_all, args=(start, sent, account, taken, place))
            for place in range(_PROCESSES)
        ]
        for process in processes:
            process.start()
        failed = _failed(processes)
    if failed:
        return f"A process {failed}" + (f"; its last words were: {errors.last_line}" if errors.last_line else ".")
    if sum(taken) == _IN_THE_BANK and balance.value == 0:
        return None
    return (
        f"{_PROCESSES} processes withdrew 1 at a time from {_IN_THE_BANK}. They were given {sum(taken)} in all, and "
        f"{balance.value} are left: read, compare and write under account.get_lock(), the one lock that all share."
    )


def _failed(processes: list[Any]) -> str | None:
    """How the first of them went wrong; all have ended afterwards."""
    deadline = monotonic() + _PATIENCE
    try:
        for process in processes:
            process.join(max(0.0, deadline - monotonic()))
        codes = [process.exitcode for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.join()
    if None in codes:
        return f"had not ended after {_PATIENCE:g} seconds"
    return f"failed with exit code {bad[0]}" if (bad := [code for code in codes if code]) else None


check_withdraw: Final = Exercise(
    Property("what is there is given, what is not is refused, and the lock is free again", _alone),
    Property("two withdrawals at once never take more than there is, in any schedule", _in_every_schedule),
    Property(f"{_PROCESSES} processes emptied an account, and each coin was given once", _between_processes),
)
