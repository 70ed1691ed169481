"""What the waiting tasks of an executor call: whether a process started afresh can find it."""

import pickle
from collections.abc import Iterable, Mapping
from typing import Any

from helpers.observe.faults import plain
from helpers.observe.pools import AnyPool

Call = tuple[Any, tuple[Any, ...], dict[str, Any]]
"""A function, and what it is called with."""


class Calls:
    """What each task of `open_tasks` calls, as far as `pool` tells: executors do, a `multiprocessing.Pool` does not.

    Args:
        pool: where the tasks wait.
        open_tasks: futures by the tasks' names.
    """

    def __init__(self, pool: AnyPool, open_tasks: Mapping[str, object]) -> None:
        items: object = getattr(pool, "_pending_work_items", None)  # private; a Pool's are nowhere to be seen
        waiting: dict[object, Call] = {}
        if isinstance(items, dict):
            waiting = {item.future: (item.fn, item.args, item.kwargs) for item in list(items.values())}
        self._calls = {name: waiting[task] for name, task in open_tasks.items() if task in waiting}
        self.known = bool(self._calls)

    def forget(self, name: str) -> None:
        """Let go of what a task was called with: it may be large."""
        self._calls.pop(name, None)

    def needing_main(self, names: Iterable[str]) -> tuple[str, str | None] | None:
        """The first of the tasks `names` of which a part must be looked up in this program's main module.

        A process started afresh has a main module of its own, in which nothing of a notebook's cells is.

        Returns:
            The task's name, and its function's if that is the part; None if there is no such task.
        """
        for name in names:
            if name in self._calls and needs_main(self._calls[name]):
                function = self._calls[name][0]
                own = getattr(function, "__module__", None) == "__main__"
                return name, getattr(function, "__name__", None) if own else None
        return None

    def unreadable(self, names: Iterable[str]) -> tuple[str, str] | None:
        """The first of the tasks `names` that cannot be made again from what is sent, and why; None if all can."""
        for name in names:
            try:
                pickle.loads(pickle.dumps(self._calls[name]))  # noqa: S301 (our own bytes)
            except KeyError:
                continue
            except Exception as error:  # noqa: BLE001 (as below)
                return name, plain(error)
        return None


def needs_main(thing: object) -> bool:
    """Whether another process must look up a part of `thing` in its main module."""
    try:
        return b"__main__" in pickle.dumps(thing)
    except Exception:  # noqa: BLE001 (a learner's class may raise anything)
        return False
