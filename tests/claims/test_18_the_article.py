"""Lesson 18: each card has evidence, what can be run is true, and nothing of the article is left out."""

import multiprocessing
import re
from pathlib import Path

import pytest

from helpers.panels.claims.claim import LESSONS, Document
from helpers.panels.claims.missing import MISSING
from helpers.panels.claims.table import ALL, THE_CLAIMS, THE_CODE
from helpers.panels.evidence import beyond, listings, locks, processes, programs, threads
from helpers.panels.evidence.sketches import NEW_PRINT, OLD_PRINT
from helpers.panels.sandbox import run_in_sandbox

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
MODULES = (beyond, listings, locks, processes, programs, threads)
FUNCTIONS = {
    name: thing
    for module in MODULES
    for name, thing in vars(module).items()
    if callable(thing) and not name.startswith("_") and getattr(thing, "__module__", "") == module.__name__
}
# Those of them that start a process of multiprocessing.
STARTING = [
    locks.two_processes_lock_each_other_out,
    locks.a_terminated_process_keeps_its_lock,
    processes.a_process_is_another_python,
    processes.arguments_are_copies,
    processes.what_a_process_returns_is_lost,
    processes.a_process_takes_longer_to_start,
    processes.a_value_needs_its_lock,
    beyond.a_future_brings_the_result,
    beyond.a_future_brings_the_error,
    beyond.memory_can_be_shared,
    beyond.a_full_queue_keeps_its_process,
]
# What is known to be wrong, doubtful or missing in the article, by the cards that say so.
KNOWN = {
    "the code": {
        "print",
        "coding line",
        "main guard",
        "isAlive of a thread",
        "output of example 1",
        "a toy that sleeps",
        "processing",
        "target",
        "isAlive of a process",
        "the only change",
        "names that mislead",
        "it locks",
        "locks that guard nothing",
        "no with",
        "order of release",
        "it cannot be interrupted",
        "results thrown away",
        "typing mistakes",
    },
    "the claims": {
        "the usual way",
        "join keeps it alive",
        "one lock for all",
        "in sequence",
        "except input and output",
        "no way to end a thread",
        "hanging in complicated ways",
        "hard to debug",
        "care does not help",
        "on one machine only",
        "dictionaries",
        "another interpreter",
        "as many cores as processes",
        "much faster",
        "no deadlocks",
        "processes can be ended",
        "no side effects",
        "copies",
        "why lock a copy",
        "the same semantics",
        "one owner",
        "Queue and Pipe",
        "all the benefits",
        "where to get it",
    },
    "what is missing": {
        "start methods",
        "a race, shown",
        "the cure for a deadlock",
        "pools",
        "futures",
        "progress",
        "errors",
        "cancellation",
        "shared memory",
        "async and await",
        "several interpreters",
        "free threading",
    },
}
DOCUMENTS = [each for claim in ALL for each in claim.evidence if isinstance(each, Document)]
ADDRESS = re.compile(
    r"https://(docs\.python\.org/3\.\d+/[\w./-]+\.html(#[\w.-]+)?|peps\.python\.org/pep-\d{4}/|"
    r"github\.com/python/cpython/(issues|pull)/\d+)"
)


@pytest.mark.parametrize(
    ("group", "claims"), [("the code", THE_CODE), ("the claims", THE_CLAIMS), ("what is missing", MISSING)]
)
def test_nothing_known_is_left_out(group, claims):
    assert [claim.key for claim in claims if claim.key not in KNOWN[group]] == []
    assert KNOWN[group] == {claim.key for claim in claims}


def test_each_key_is_there_once():
    assert len({claim.key for claim in ALL}) == len(ALL) == sum(map(len, KNOWN.values()))


@pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.key)
def test_a_card_is_complete(claim):
    assert claim.evidence
    for text in (claim.where, claim.said, claim.today, claim.pythons):
        assert text == text.strip()
        assert text
        assert "  " not in text
    assert claim.said.endswith((".", ")"))
    assert claim.today.endswith(".")
    assert not claim.pythons.endswith(".")
    assert (claim.judgement == "missing") == (claim in MISSING)
    assert claim.judgement != "bug" or claim in THE_CODE


@pytest.mark.parametrize("claim", [claim for claim in ALL if claim.lesson], ids=lambda claim: claim.key)
def test_its_lesson_exists(claim):
    stem = LESSONS[claim.lesson]
    assert (NOTEBOOKS / f"{stem}.ipynb").exists()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.address)
def test_a_document_is_one_of_pythons_own(document):
    assert ADDRESS.fullmatch(document.address)
    assert document.says
    assert not document.says.endswith(".")


@pytest.mark.parametrize(
    "address", ["http://docs.python.org/3.14/a.html", "https://example.org/", "https://peps.python.org/"]
)
def test_other_addresses_are_noticed(address):
    assert not ADDRESS.fullmatch(address)


def test_all_evidence_is_on_a_card():
    used = {each.__name__ for claim in ALL for each in claim.evidence if not isinstance(each, Document)}
    assert used == set(FUNCTIONS)


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_evidence_is_true(function):
    outcome = run_in_sandbox(function, limit=45.0)
    assert outcome.value is True, repr(outcome)
    assert outcome.output == ""


@pytest.mark.parametrize("function", STARTING, ids=lambda function: function.__name__)
def test_evidence_is_true_where_processes_are_spawned(function):
    outcome = run_in_sandbox(function, limit=45.0, method="spawn")
    assert outcome.value is True, repr(outcome)


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="there is no fork here")
def test_a_forked_clone_has_a_lock_that_nobody_releases():
    outcome = run_in_sandbox(_forked_with_a_held_lock, limit=30.0)
    assert outcome.value is True, repr(outcome)


def _forked_with_a_held_lock():
    import threading  # noqa: PLC0415 (this function is run in a process of its own)

    lock, held, end = threading.Lock(), threading.Event(), threading.Event()

    def hold():
        with lock:
            held.set()
            end.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(20)
    context = multiprocessing.get_context("fork")
    process = context.Process(target=lock.acquire)
    process.start()
    end.set()
    thread.join()
    process.join(0.5)
    hangs = process.is_alive()
    process.kill()
    process.join()
    return hangs and lock.acquire(blocking=False)


@pytest.mark.parametrize("example", OLD_PRINT)
def test_no_program_runs_as_it_is_printed(example):
    with pytest.raises(SyntaxError, match="print"):
        compile(OLD_PRINT[example], example, "exec")


def test_with_brackets_three_fail_and_one_hangs():
    ends = {name: run_in_sandbox(exec, text, {"__name__": "__main__"}, limit=3.0) for name, text in NEW_PRINT.items()}
    assert {name: outcome.kind for name, outcome in ends.items()} == {
        "example 1": "failed",
        "example 2": "failed",
        "example 3": "out of time",
        "example 4": "failed",
    }
    assert "isAlive" in (ends["example 1"].error or "")
    assert "'processing'" in (ends["example 2"].error or "")
    assert "'processing'" in (ends["example 4"].error or "")


def test_in_example_2_one_wrong_name_hides_another():
    text, found = NEW_PRINT["example 2"], []
    for wrong, right in (("processing.P", "multiprocessing.P"), ("trabajador", "worker")):
        found.append(run_in_sandbox(exec, text, {"__name__": "__main__"}, limit=10.0).error)
        text = text.replace(wrong, right)
    assert found == ["NameError: name 'processing' is not defined", "NameError: name 'trabajador' is not defined"]
    assert ".isAlive()" in text
