"""`time.sleep` for the lab's threads: a step that takes no time. All other threads sleep as ever."""

import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from helpers.observe.lab.turns import current_turn

_REAL: Final = time.sleep
_guard: Final = threading.Lock()
_users: Counter[tuple[int, str]] = Counter()


@contextmanager
def short_naps(namespaces: Iterable[dict[str, Any]]) -> Iterator[None]:
    """While this lasts, `time.sleep`, under any name in `namespaces` too, lets the lab's threads stop instead."""
    spots = []
    for names in (vars(time), *namespaces):
        with _guard:
            for name in [name for name, value in names.items() if value is _REAL or value is _nap]:
                _users[id(names), name] += 1
                names[name] = _nap
                spots.append((names, name))
    try:
        yield
    finally:
        with _guard:
            for names, name in spots:
                _users[id(names), name] -= 1
                if not _users[id(names), name]:
                    del _users[id(names), name]
                    if names.get(name) is _nap:
                        names[name] = _REAL


def _nap(seconds: float, /) -> None:
    turn = current_turn()
    if turn is None or not seconds >= 0:  # the real one says what is wrong with the number
        _REAL(seconds)
    else:
        turn.nap(seconds)
