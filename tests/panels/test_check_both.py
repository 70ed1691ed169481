"""Lesson 08's exercise: right answers of every kind pass, and each usual mistake gets a hint of its own."""
# ruff: noqa: ARG001 (mistakes often do not use what they are given)

import functools
import multiprocessing
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import Process

import pytest

from helpers.panels.check_both import check_both
from helpers.panels.guard import guarded
from helpers.workers.copies import f1, f2, put_result, send_result


@pytest.fixture(autouse=True)
def nothing_is_left(capfd):
    threads = set(threading.enumerate())
    method = multiprocessing.get_start_method()
    yield
    assert multiprocessing.active_children() == []
    assert set(threading.enumerate()) <= threads
    assert multiprocessing.get_start_method() == method
    assert capfd.readouterr().err == ""


@pytest.fixture
def impatient(monkeypatch):
    """One after the other is found out in no time, at least where processes are forked."""
    monkeypatch.setattr("helpers.observe.together.PATIENCE", 0.5)


def hint(verdict):
    assert not verdict.good
    assert "Traceback" not in repr(verdict)
    assert verdict.lines[-1].startswith("Hint: ")
    return verdict.lines[-1]


def by_executor(first, second, x, y):
    with ProcessPoolExecutor(2) as pool:
        futures = [pool.submit(function, x, y) for function in (first, second)]
        return tuple(future.result() for future in futures)


def by_queue(first, second, x, y):
    answers = multiprocessing.Queue()
    processes = [Process(target=put_result, args=(answers, function, x, y)) for function in (first, second)]
    for process in processes:
        process.start()
    found = dict(answers.get() for _ in processes)
    for process in processes:
        process.join()
    return [found[first.__name__], found[second.__name__]]


def by_pipe(first, second, x, y):
    receivers, processes = [], []
    for function in (first, second):
        receiver, sender = multiprocessing.Pipe(duplex=False)
        process = Process(target=send_result, args=(sender, function, x, y))
        process.start()
        sender.close()
        receivers.append(receiver)
        processes.append(process)
    results = [receiver.recv() for receiver in receivers]
    for process in processes:
        process.join()
    return results


@pytest.mark.parametrize("answer", [by_executor, by_queue, by_pipe])
def test_right_answers(answer):
    verdict = check_both(answer, f1, f2)
    assert verdict.good, repr(verdict)
    assert len(verdict.lines) == 4


def unedited(first, second, x, y): ...


def test_an_unedited_stub():
    assert check_both(unedited, f1, f2).heading == "Nothing to check yet."


def returns_nothing(first, second, x, y):
    by_executor(first, second, x, y)


def returns_a_sum(first, second, x, y):
    return sum(by_executor(first, second, x, y))


def returns_futures(first, second, x, y):
    with ProcessPoolExecutor(2) as pool:
        return [pool.submit(function, x, y) for function in (first, second)]


def in_plain_processes(first, second, x, y, of=lambda process: process.join()):
    processes = [Process(target=function, args=(x, y)) for function in (first, second)]
    for process in processes:
        process.start()
    return [of(process) for process in processes]


def returns_joins(first, second, x, y):
    return in_plain_processes(first, second, x, y)


def returns_exit_codes(first, second, x, y):
    return in_plain_processes(first, second, x, y, lambda process: process.join() or process.exitcode)


def swapped(first, second, x, y):
    return by_executor(second, first, x, y)


def learnt_by_heart(first, second, x, y):
    return [x + y, x - y]


def wrong_arguments(first, second, x, y):
    return by_executor(first, second, y, x)


def plain_calls(first, second, x, y):
    return [first(x, y), second(x, y)]


def by_threads(first, second, x, y):
    with ThreadPoolExecutor(2) as pool:
        return [future.result() for future in [pool.submit(first, x, y), pool.submit(second, x, y)]]


def one_after_the_other(first, second, x, y):
    with ProcessPoolExecutor(2) as pool:
        return [pool.submit(first, x, y).result(), pool.submit(second, x, y).result()]


def twice(first, second, x, y):
    by_executor(first, second, x, y)
    return by_executor(first, second, x, y)


def by_lambda(first, second, x, y):
    with ProcessPoolExecutor(2) as pool:
        return list(pool.map(lambda function: function(x, y), (first, second)))


def by_forked_lambda(first, second, x, y):
    answers = multiprocessing.Queue()
    for place, function in enumerate((first, second)):
        Process(target=lambda place, function: answers.put((place, function(x, y))), args=(place, function)).start()
    found = dict(answers.get() for _ in range(2))
    for child in multiprocessing.active_children():
        child.join()
    return [found[0], found[1]]


def leaves_a_process(first, second, x, y):
    results = by_executor(first, second, x, y)
    Process(target=time.sleep, args=(60,)).start()
    return results


def raises(first, second, x, y):
    return by_executor(first(x, y), second(x, y), x, y)


def fails_over_there(first, second, x, y):
    processes = [Process(target=put_result, args=(first, second)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return [process.exitcode for process in processes]


MISTAKES = {
    "returns nothing": (returns_nothing, "does it end with return"),
    "returns a sum": (returns_a_sum, "Two results in a list"),
    "returns futures": (returns_futures, "promise of a result"),
    "returns joins": (returns_joins, "throws away"),
    "returns exit codes": (returns_exit_codes, "exit codes? A process of multiprocessing throws away"),
    "swapped": (swapped, "are swapped"),
    "learnt by heart": (learnt_by_heart, "are swapped"),
    "wrong arguments": (wrong_arguments, "should be [10, -2]; yours are [10, 2]"),
    "plain calls": (plain_calls, "ran in this process"),
    "threads": (by_threads, "ran in this process"),
    "one after the other": (one_after_the_other, "only when the other had ended"),
    "twice": (twice, "there were 4"),
    "a lambda in an executor": (by_lambda, "in the line: return list(pool.map(lambda"),
    "leaves a process": (leaves_a_process, "running, which the check has stopped"),
    "raises": (raises, "raised TypeError"),
    "fails over there": (fails_over_there, "its last words were: TypeError"),
}


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes(mistake):
    answer, words = MISTAKES[mistake]
    assert words in hint(check_both(answer, f1, f2))


@pytest.mark.skipif(multiprocessing.get_all_start_methods()[0] != "fork", reason="no fork by default here")
def test_a_forked_lambda_works_here_and_not_by_spawn():
    said = hint(check_both(by_forked_lambda, f1, f2))
    assert "but not where processes are spawned" in said
    assert "Can't" in said
    assert "in a module" in said


def from_a_cell(answers, function, x, y):
    answers.put((function.__name__, function(x, y)))


@pytest.fixture
def cell(monkeypatch):
    """A function of the main module, as those in a notebook's cells are; a fresh Python has no such."""
    monkeypatch.setattr(from_a_cell, "__module__", "__main__")
    monkeypatch.setattr(sys.modules["__main__"], "from_a_cell", from_a_cell, raising=False)
    return from_a_cell


@pytest.mark.skipif(multiprocessing.get_all_start_methods()[0] != "fork", reason="no fork by default here")
def test_a_cells_function_as_a_target_waits_for_ever_and_is_told_why(cell, monkeypatch):
    def answer(first, second, x, y):
        answers = multiprocessing.Queue()
        processes = [Process(target=cell, args=(answers, function, x, y)) for function in (first, second)]
        for process in processes:
            process.start()
        found = dict(answers.get() for _ in processes)
        for process in processes:
            process.join()
        return [found[first.__name__], found[second.__name__]]

    for limit in (3.0, 20.0):  # by then both have to have told why
        monkeypatch.setattr("helpers.panels.exercise.guarded", functools.partial(guarded, limit=limit))
        said = hint(check_both(answer, f1, f2))
        if "Can't get attribute 'from_a_cell'" in said:
            break
    assert "but not where processes are spawned" in said
    assert "Can't get attribute 'from_a_cell'" in said


def test_one_that_waits_for_nothing_is_interrupted(monkeypatch):
    monkeypatch.setattr("helpers.panels.exercise.guarded", functools.partial(guarded, limit=1.0))
    said = hint(check_both(lambda *_: multiprocessing.SimpleQueue().get(), f1, f2))
    assert "interrupted after 1 seconds" in said


@pytest.mark.usefixtures("impatient")
def test_one_process_for_both_is_told():
    def answer(first, second, x, y):
        with ProcessPoolExecutor(1) as pool:
            return [future.result() for future in [pool.submit(first, x, y), pool.submit(second, x, y)]]

    assert "only when the other had ended" in hint(check_both(answer, f1, f2))
