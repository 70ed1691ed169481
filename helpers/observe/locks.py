"""Locks with a name: they behave as the locks they are made from, and say who holds them and who waits.

    lock_x = named("lock_x", threading.Lock(), trace)
    with lock_x:
        ...
    who_waits(trace)                        # helpers.observe.lock_states: who waits for whom, from any process

They have the methods and the errors of the lock within, work in a `Condition`, and travel to where it does. What a
trace shows of them: waits, as spans; holds of a millisecond or more; and, by a note of whoever closed it, a circle of
waits that nothing will open.
"""

import sys
import threading
from typing import Any

from helpers.observe.lock_file import EXCLUSIVE, Mark, make_lock_file
from helpers.observe.named_locks import NamedLock, NamedRLock
from helpers.observe.named_semaphores import NamedSemaphore, permits_left
from helpers.observe.trace import Trace

_LOCK, _RLOCK = type(threading.Lock()), type(threading.RLock())


def named(name: str, lock: Any, trace: Trace) -> NamedLock | NamedRLock | NamedSemaphore:  # noqa: ANN401 (it is checked)
    """Give `lock` a name, under which it reports to `trace`.

    Args:
        name: what people call it.
        lock: a Lock, RLock, Semaphore or BoundedSemaphore of threading or multiprocessing, held by nobody. From now
            on use what this function gives, and not the lock itself.
        trace: who is told.

    Raises:
        TypeError: one of them is something else.
    """
    if not isinstance(name, str):
        raise TypeError(f"name must be a string, got {name!r}: write {str(name)!r}")
    if not isinstance(trace, Trace):
        raise TypeError(f"trace must be a Trace, got {trace!r}: make one by `with Trace() as trace:`")
    # Whoever has a lock of multiprocessing has this module; its import would cost others 20 ms.
    module = sys.modules.get("multiprocessing.synchronize")
    shared = module is not None and isinstance(lock, module.SemLock)
    kind = _kind(lock, module)
    permits = permits_left(lock) if kind is NamedSemaphore else EXCLUSIVE
    place = make_lock_file(trace.folder, name, permits or 0)
    place[1][Mark.UNKNOWN] = permits is None
    return kind(name, lock, trace, shared=shared, place=place)


def _kind(lock: object, module: Any) -> type[NamedLock] | type[NamedRLock] | type[NamedSemaphore]:  # noqa: ANN401 (a module)
    if isinstance(lock, _LOCK) or (module and isinstance(lock, module.Lock)):
        return NamedLock
    if isinstance(lock, _RLOCK) or (module and isinstance(lock, module.RLock)):
        return NamedRLock
    if isinstance(lock, threading.Semaphore) or (module and isinstance(lock, module.Semaphore)):
        return NamedSemaphore
    raise TypeError(
        "lock must be a Lock, RLock, Semaphore or BoundedSemaphore of threading or multiprocessing, "
        f"got {lock!r}: name a lock when it is made, and build anything else on it"
    )
