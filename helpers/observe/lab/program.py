"""A program for the lab: plain Python with the standard library's names.

    def make():
        return SimpleNamespace(lock_x=threading.Lock(), lock_y=threading.Lock(), x=4, y=6)

    def first(shared):
        with shared.lock_x, shared.lock_y:
            shared.x = shared.x + shared.y

    program = Program(make, [first, second], check=lambda shared: shared.x == 10)

The same functions run unchanged outside the lab: `threading.Thread(target=first, args=(make(),))`.
"""

import functools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FunctionType, MethodType, SimpleNamespace
from typing import Any, Final

Make = Callable[[], SimpleNamespace]
Work = Callable[[Any], object]
Check = Callable[[Any], object]

MOST_THREADS: Final = 8


@dataclass(frozen=True)
class Program:
    """Threads, and what they share.

    Args:
        make: gives what the threads share, anew for every run, as a `types.SimpleNamespace`.
        threads: a function for each thread, 1 to 8; it takes what `make` gave. One may stand in it several times.
        check: called with what is shared once all threads have ended. False, or an AssertionError, or words that say
            what is wrong, mean a wrong result; True or None a right one.

    Raises:
        TypeError: something that must be a function is none.
        ValueError: no thread, or more than 8.
    """

    make: Make
    threads: Sequence[Work]
    check: Check | None = None

    def __post_init__(self) -> None:
        """Check what was given."""
        object.__setattr__(self, "threads", tuple(self.threads))
        if not 1 <= len(self.threads) <= MOST_THREADS:
            raise ValueError(f"threads must be 1 to {MOST_THREADS} functions, got {len(self.threads)}")
        for role, work in [("make", self.make), *(("each thread", work) for work in self.threads)]:
            if not callable(work):
                raise TypeError(f"{role} must be a function, got {work!r}: give the function itself, without ()")
        if self.check is not None and not callable(self.check):
            raise TypeError(f"check must be a function of what is shared, or None, got {self.check!r}")

    @property
    def names(self) -> tuple[str, ...]:
        """The threads' names: those of their functions, numbered where several have the same."""
        plain = [function_name(work) for work in self.threads]
        count = Counter(plain)
        seen: Counter[str] = Counter()
        names = []
        for name in plain:
            seen[name] += 1
            names.append(f"{name} {seen[name]}" if count[name] > 1 else name)
        return tuple(names)


def own_function(work: object) -> FunctionType | None:
    """The Python function behind a thread's callable: under its decorators, partials and binding."""
    for _ in range(100):  # a ring of decorators would never end
        if isinstance(work, functools.partial):
            work = work.func
        elif isinstance(work, MethodType):
            work = work.__func__
        elif hasattr(work, "__wrapped__"):
            work = work.__wrapped__
        else:
            break
    return work if isinstance(work, FunctionType) else None


def function_name(work: object) -> str:
    """What a thread's function is called."""
    function = own_function(work)
    name = function.__name__ if function else getattr(work, "__name__", type(work).__name__)
    return "lambda" if name == "<lambda>" else str(name)
