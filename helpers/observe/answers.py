"""Tell from an exception that came back instead of a result where on its way something went wrong.

    submit ── pickle ──► worker: unpickle, run, pickle the answer ── ► unpickle: future
              arguments          the task      result, exception       result, exception

The standard library raises much the same for all of these; the traceback that comes with it shows the place.
"""

from ast import literal_eval
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from helpers.observe import answer_faults
from helpers.observe.faults import Fault, plain, task_failed
from helpers.observe.lane_tasks import ended_tasks, failed_tasks
from helpers.observe.reading import Lane


def of_error(task: str, error: BaseException, lanes: Sequence[Lane]) -> Fault:
    """The fault of one task that has come back with an exception, while its pool goes on."""
    remote = str(error.__cause__ or "")
    if type(error).__name__ == "MaybeEncodingError":  # a Pool's
        return _of_unsent(task, _from_repr(str(error.args[0])), lanes)
    if "in _sendback_result\n" in remote:  # an executor's, in the worker
        return _of_unsent(task, plain(error), lanes)
    if "in _feed\n" in remote:  # an executor's, in a thread of this process; loky tells the reason only there
        return answer_faults.arguments_not_pickled(task, _last_line(remote))
    if _raised_in(error, "_handle_tasks"):  # a Pool's, likewise
        return answer_faults.arguments_not_pickled(task, plain(error))
    return task_failed(task, error)


def not_unpickled(why: str, lanes: Sequence[Lane], answered: Iterable[str]) -> Fault:
    """The fault of an answer that cannot be put together again; `why` is the traceback of that."""
    known, last = set(answered), _last_line(why)
    # Answers come in the order in which tasks end: it is the first that did not come. But others may end at that very
    # moment, and the class that cannot be made is nearly always named.
    raised = [failed for failed in failed_tasks(lanes) if failed.task not in known]
    named = [failed for failed in raised if failed.words.partition(":")[0] in why] or raised
    if named:
        return answer_faults.exception_not_unpickled(named[0].task, named[0].words, last, named[0].worker)
    returned = [done for done in ended_tasks(lanes) if done.task not in known]
    if returned:
        return answer_faults.result_not_unpickled(returned[0].task, last, returned[0].worker)
    return answer_faults.result_not_unpickled(None, last, None)


def _of_unsent(task: str, why: str, lanes: Sequence[Lane]) -> Fault:
    for failed in failed_tasks(lanes):
        if failed.task == task:
            return answer_faults.exception_not_pickled(task, failed.words, why, failed.worker)
    return answer_faults.result_not_pickled(task, why)


def _last_line(text: str) -> str:
    """The last line of a traceback, which may stand in three quotes."""
    lines = text.strip().removesuffix("'''").removesuffix('"""').strip().splitlines()
    return lines[-1] if lines else "the reason is not known"


def _from_repr(told: str) -> str:
    """`TypeError: no`, from the text `TypeError('no')`, or that of this text: on its way it was put into quotes."""
    with suppress(ValueError, SyntaxError):
        told = str(literal_eval(told))
    kind, _, words = told.removesuffix(")").partition("(")
    with suppress(ValueError, SyntaxError):
        words = str(literal_eval(words))
    return f"{kind}: {words}"


def _raised_in(error: BaseException, function: str) -> bool:
    at: Any = error.__traceback__
    while at is not None and at.tb_frame.f_code.co_name != function:
        at = at.tb_next
    return at is not None
