"""The article's fourth example: functions that are given copies, and the ways in which their results come back.

    f1, f2 ── return ─────────────────► an executor's future
       │
       ├─ note_result(trace, …) ──────► a note: what the article printed, and threw away
       ├─ put_result(answers, …) ─────► a queue
       └─ send_result(connection, …) ─► a pipe

The others show what a copy is: of a list, of a module's variable, of an object with a lock.
"""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from helpers.observe.lifeline import Answers, end_with_parent
from helpers.observe.trace import Trace

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

PRICES: Final = {"tea": 3}
"""Read by `note_price`, wherever that runs; the lesson changes it in the notebook."""

Function = Callable[[int, int], int]


def f1(x: int, y: int) -> int:
    """Set `x`, its own, to the sum of both, and give it back."""
    end_with_parent()
    x = x + y
    return x  # noqa: RET504 (in two lines, as the article has it: the assignment is what the lesson is about)


def f2(x: int, y: int) -> int:
    """Set `y`, its own, to what is left of `x` without it, and give it back."""
    end_with_parent()
    y = x - y
    return y  # noqa: RET504 (as in f1)


def note_result(trace: Trace, function: Function, x: int, y: int) -> None:
    """Say what `function(x, y)` gives; nobody gets it."""
    end_with_parent()
    with trace.span(function.__name__):
        trace.note(f"{function.__name__} gives {function(x, y)}")


def put_result(answers: Answers[tuple[str, int]], function: Function, x: int, y: int) -> None:
    """Put the name of `function`, and what `function(x, y)` gives, into a queue."""
    end_with_parent()
    answers.put((function.__name__, function(x, y)))


def send_result(connection: "Connection[Any, Any]", function: Function, x: int, y: int) -> None:
    """Send what `function(x, y)` gives, and close this end of the pipe."""
    end_with_parent()
    with connection:
        connection.send(function(x, y))


def append_sum(trace: Trace, numbers: list[int]) -> None:
    """Append their sum to `numbers`, in place, and say what the list is then."""
    end_with_parent()
    with trace.span("appending"):
        numbers.append(sum(numbers))
        trace.note(f"my list is {numbers}")


def note_price(trace: Trace) -> None:
    """Say what this process finds in `PRICES`."""
    end_with_parent()
    trace.note(f"tea costs {PRICES['tea']}")


def unpack_error(packed: bytes) -> str | None:
    """What unpacking `packed` raises in this process, by the error's name; None if all is well.

    Unpacking runs what the bytes say: only for bytes of one's own.
    """
    end_with_parent()
    import pickle  # noqa: PLC0415 (every process of multiprocessing has it; in any other it would cost 3 ms)

    try:
        pickle.loads(packed)  # noqa: S301 (our own notebook packed it)
    except Exception as error:  # noqa: BLE001 (whatever it is, its name is the answer)
        return type(error).__name__
    return None


class Account:
    """Money, and a lock for those threads that share it. A copy has a lock of its own.

    Args:
        balance: what is in it.
    """

    def __init__(self, balance: int) -> None:
        self.balance = balance
        self.lock = threading.Lock()

    def __getstate__(self) -> dict[str, int]:
        """Pack the balance, and leave the lock behind."""
        return {"balance": self.balance}

    def __setstate__(self, state: dict[str, int]) -> None:
        """Unpack the balance, and make a new lock."""
        self.balance = state["balance"]
        self.lock = threading.Lock()


def deposit(account: Account, amount: int) -> Account:
    """Put `amount` into `account`, and give it back."""
    end_with_parent()
    with account.lock:
        account.balance += amount
    return account
