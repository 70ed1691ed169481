"""Lesson 18's exercise: right answers pass, and each usual mistake gets a hint of its own."""
# ruff: noqa: ARG001, F821 (mistakes often do not use what they are given, or use what is not there)

import multiprocessing
import threading
import time

import pytest

from helpers.panels.check_main import check_main
from helpers.workers.article import worker


def joining(trace, target):
    process = multiprocessing.Process(target=target, args=(trace,))
    process.start()
    while process.is_alive():
        trace.note("still running")
        process.join(0.2)
    return process.exitcode


def sleeping(trace, target):
    process = multiprocessing.Process(target=target, args=[trace], name="anything")
    process.start()
    while process.exitcode is None:
        time.sleep(0.1)
        trace.note("wait")
    process.join()
    code = process.exitcode
    process.close()
    return code


@pytest.mark.parametrize("answer", [joining, sleeping])
def test_right_answers(answer):
    verdict = check_main(answer, worker)
    assert verdict.good, repr(verdict)
    assert len(verdict.lines) == 4


def stub(trace, target): ...


def test_an_unedited_stub():
    assert check_main(stub, worker).heading == "Nothing to check yet."


def as_given(trace, target):
    process = processing.Process(target=job, args=(trace))
    process.start()


def one_name_right(trace, target):
    process = multiprocessing.Process(target=job, args=(trace,))
    process.start()


def no_comma(trace, target):
    process = multiprocessing.Process(target=target, args=(trace))
    process.start()


def camel_case(trace, target):
    process = multiprocessing.Process(target=target, args=(trace,))
    process.start()
    try:
        while process.isAlive():
            process.join(0.2)
    finally:
        process.join()


def return_code(trace, target):
    joining(trace, target)
    return multiprocessing.Process().returncode


def returns_nothing(trace, target):
    joining(trace, target)


def returns_join(trace, target):
    process = multiprocessing.Process(target=target, args=(trace,))
    process.start()
    return process.join()


def always_zero(trace, target):
    joining(trace, target)
    return 0


def says_nothing(trace, target):
    process = multiprocessing.Process(target=target, args=(trace,))
    process.start()
    process.join()
    return process.exitcode


def plain_call(trace, target):
    target(trace)
    return 0


def called_too_early(trace, target):
    process = multiprocessing.Process(target=target(trace))
    process.start()
    process.join()
    return process.exitcode


def in_a_thread(trace, target):
    thread = threading.Thread(target=target, args=(trace,))
    thread.start()
    thread.join()
    return 0


def never_started(trace, target):
    multiprocessing.Process(target=target, args=(trace,))
    return 0


def does_not_wait(trace, target):
    process = multiprocessing.Process(target=target, args=(trace,))
    process.start()
    return 0


def ends_the_program(trace, target):
    raise SystemExit(joining(trace, target))


def waits_for_ever(trace, target):
    joining(trace, target)
    threading.Event().wait()


def fork_only(trace, target):
    return joining(trace, lambda inner: target(inner))  # noqa: PLW0108 (a function that cannot be packed)


MISTAKES = {
    as_given: "nobody has made",
    one_name_right: "target=target",
    no_comma: "with its comma",
    camel_case: "is_alive()",
    return_code: "has an exitcode",
    returns_nothing: "gives back None",
    returns_join: "gives back None",
    always_zero: "exit code 3, and this came back: 0",
    says_nothing: "nothing was said",
    plain_call: "own process",
    called_too_early: "own process",
    in_a_thread: "own process",
    never_started: "it ran 0 times",
    does_not_wait: "join() it first",
    ends_the_program: "do not exit",
}


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.__name__)
def test_mistakes(mistake, monkeypatch):
    if mistake is says_nothing:  # it is given all the time there is
        monkeypatch.setattr("helpers.panels.check_main._TRIES", (0.5, 0.6))
    verdict = check_main(mistake, worker)
    assert not verdict.good
    assert MISTAKES[mistake] in verdict.lines[-1]
    assert "Traceback" not in repr(verdict)
    assert multiprocessing.active_children() == []


def test_one_that_hangs_is_ended(monkeypatch):
    monkeypatch.setattr("helpers.panels.check_main._LIMIT", 3.0)
    assert "what does it wait for?" in check_main(waits_for_ever, worker).lines[-1]


def test_what_only_a_fork_can_do_is_told():
    said = check_main(fork_only, worker).lines[-1]
    assert "is spawned" in said or "are spawned" in said or "pickle" in said
