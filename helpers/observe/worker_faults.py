"""Faults that end a worker: "worker killed", "worker left", "worker lost", "function not found", and others."""

from typing import Final

from helpers.observe.faults import Fault, plain, signal_name

_HAND_IN: Final = "Hand the tasks that have no result to a new pool."
_KILLED_CURES: Final = {
    "SIGKILL": f"The system does that when memory runs out: let fewer workers run, or give each less. {_HAND_IN}",
    "SIGSEGV": f"C code in it touched memory that was not its own: look at the extensions it uses. {_HAND_IN}",
    "SIGTERM": f"Somebody asked it to end. {_HAND_IN}",
    "SIGINT": f"That is an interrupt, as Ctrl-C sends it. {_HAND_IN}",
}


def worker_ended(code: int | None, task: str | None, worker: str | None) -> Fault:
    """A worker that is gone in the middle of something; `code` is its exit code, negative for a signal."""
    who = f"The worker that ran {task!r}" if task else "A worker"
    if code is None:
        cure = "Watch a pool from the moment its tasks are handed in: it forgets how its workers ended."
        return Fault("worker lost", task, worker, f"{who} is gone, and nobody knows how it ended.", cure)
    if code < 0:
        name = signal_name(-code)
        return Fault("worker killed", task, worker, f"{who} was killed by {name}.", _KILLED_CURES.get(name, _HAND_IN))
    cause = f"{who} ended its process with exit code {code}."
    return Fault("worker left", task, worker, cause, "Return or raise in a task: os._exit and sys.exit end a worker.")


def not_loaded(function: str | None, task: str | None, worker: str | None, *, forked: bool) -> Fault:
    """A worker that could not load what it was to do, and ended before it began."""
    what = f"the function {function!r}" if function else "a task's function or one of its arguments"
    why = (
        "it was defined after the pool had started its workers"
        if forked
        else "what is defined in a cell does not exist in a process that was started afresh"
    )
    cause = f"A worker could not load {what}: {why}."
    return Fault("function not found", task, worker, cause, "Put it into a module, and import it from there.")


def initializer_failed(worker: str | None) -> Fault:
    """A worker that ended in the pool's initializer."""
    cause = "A worker ended in the pool's initializer, before it had any task."
    cure = "Call the initializer yourself, with the same arguments, to see what it raises."
    return Fault("initializer failed", None, worker, cause, cure)


def arguments_not_unpickled(task: str, why: str, worker: str) -> Fault:
    """A task that was sent, but that the worker could not put together again, and ended."""
    cause = f"{task!r} was pickled, but a worker cannot put it or its arguments together again: {plain(why)}."
    return Fault("arguments cannot be unpickled", task, worker, cause, "Hand in plain data.")
