"""Faults on the way to a worker and back: arguments, results and exceptions that cannot be pickled or unpickled."""

from typing import Final

from helpers.observe.faults import Fault, plain

_PLAIN_DATA: Final = "Return plain data: numbers, texts, lists, dicts."


def exception_not_unpickled(task: str, raised: str, why: str, worker: str) -> Fault:
    """An exception that did not survive the way to this process; `raised` is it, as "Type: message"."""
    cause = f"{task!r} raised {plain(raised)}, but the exception cannot be put together again here: {plain(why)}."
    name = raised.partition(":")[0]
    cure = f"Let {name} hand all its arguments to super().__init__(): it is made again from just these."
    return Fault("exception cannot be unpickled", task, worker, cause, cure)


def result_not_unpickled(task: str | None, why: str, worker: str | None) -> Fault:
    """A result that did not survive the way to this process."""
    who = f"What {task!r} returned" if task else "What a task returned"
    cause = f"{who} was pickled, but it cannot be put together again here: {plain(why)}."
    return Fault("result cannot be unpickled", task, worker, cause, _PLAIN_DATA)


def result_not_pickled(task: str, why: str) -> Fault:
    """A result that could not be sent; the pool goes on."""
    cause = f"{task!r} has run, but what it returned cannot be pickled: {plain(why)}."
    return Fault("result cannot be pickled", task, None, cause, _PLAIN_DATA)


def exception_not_pickled(task: str, raised: str, why: str, worker: str) -> Fault:
    """An exception that could not be sent; the pool goes on."""
    cause = f"{task!r} raised {plain(raised)}, but the exception cannot be pickled: {plain(why)}."
    return Fault("exception cannot be pickled", task, worker, cause, "Keep only plain data in an exception.")


def arguments_not_pickled(task: str, why: str) -> Fault:
    """A task that could not be sent to any worker; the pool goes on."""
    cause = f"{task!r} was never sent to a worker, as it or its arguments cannot be pickled: {plain(why)}."
    cure = "Hand in plain data and functions of a module; open files, locks and connections inside the task."
    return Fault("arguments cannot be pickled", task, None, cause, cure)
