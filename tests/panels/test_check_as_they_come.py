"""Lesson 11's exercise: right answers of every kind pass, and each usual mistake gets a hint of its own."""
# ruff: noqa: ARG001 (mistakes often do not use what they are given)

import functools
import multiprocessing
import os
import sys
import threading
import time
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, ThreadPoolExecutor, as_completed, wait

import pytest

from helpers.panels.check_as_they_come import check_as_they_come
from helpers.panels.guard import guarded


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
    monkeypatch.setattr("helpers.observe.last_to_end.PATIENCE", 1.0)


def hint(answer):
    verdict = check_as_they_come(answer)
    assert not verdict.good
    assert "Traceback" not in repr(verdict)
    assert verdict.lines[-1].startswith("Hint: ")
    return verdict.lines[-1]


def submitted(pool, function, items):
    return {pool.submit(function, item): item for item in items}


def as_the_solution(function, items):
    with ProcessPoolExecutor(2) as pool:
        futures = submitted(pool, function, items)
        return [(futures[future], future.result()) for future in as_completed(futures)]


def by_wait(function, items):
    pairs = []
    with ProcessPoolExecutor(max_workers=2) as pool:
        futures = submitted(pool, function, items)
        left = set(futures)
        while left:
            done, left = wait(left, return_when=FIRST_COMPLETED)
            pairs += [[futures[future], future.result()] for future in done]
    return pairs


class Paired:
    def __init__(self, function):
        self.function = function

    def __call__(self, item):
        return item, self.function(item)


def by_the_other_pool(function, items):
    with multiprocessing.Pool(2) as pool:
        return list(pool.imap_unordered(Paired(function), items))


@pytest.mark.parametrize("answer", [as_the_solution, by_wait, by_the_other_pool])
def test_right_answers(answer):
    verdict = check_as_they_come(answer)
    assert verdict.good, repr(verdict)
    assert len(verdict.lines) == 4


def unedited(function, items): ...


def test_an_unedited_stub():
    assert check_as_they_come(unedited).heading == "Nothing to check yet."


def returns_nothing(function, items):
    as_the_solution(function, items)


def a_dict(function, items):
    return dict(as_the_solution(function, items))


def results_alone(function, items):
    return [result for _, result in as_the_solution(function, items)]


def futures_unasked(function, items):
    with ProcessPoolExecutor(2) as pool:
        return [(item, future) for future, item in submitted(pool, function, items).items()]


def the_wrong_way_round(function, items):
    return [(result, item) for item, result in as_the_solution(function, items)]


def by_item(function, items):
    with ProcessPoolExecutor(2) as pool:
        futures = {item: pool.submit(function, item) for item in items}
        return [(item, future.result()) for item, future in futures.items()]


def the_first_only(function, items):
    return as_the_solution(function, items)[:1]


def made_up(function, items):
    return [(item, 7) for item in items]


def in_this_process(function, items):
    return [(item, function(item)) for item in items]


def in_threads(function, items):
    with ThreadPoolExecutor(2) as pool:
        futures = submitted(pool, function, items)
        return [(futures[future], future.result()) for future in as_completed(futures)]


def four_workers(function, items):
    with ProcessPoolExecutor(4) as pool:
        futures = submitted(pool, function, items)
        return [(futures[future], future.result()) for future in as_completed(futures)]


def twice(function, items):
    as_the_solution(function, items)
    return as_the_solution(function, items)


def in_the_order_of_items(function, items):
    with ProcessPoolExecutor(2) as pool:
        return list(zip(items, pool.map(function, items), strict=True))


def too_late(function, items):
    with ProcessPoolExecutor(2) as pool:
        futures = submitted(pool, function, items)
    return [(futures[future], future.result()) for future in as_completed(futures)]


def fails(function, items):
    raise RuntimeError("not today")


def leaves(function, items):
    code = sys.modules["__main__"]
    del code
    sys.exit(3)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (returns_nothing, "gives back None"),
        (a_dict, "of type dict"),
        (results_alone, "should be a pair"),
        (futures_unasked, "ask each for its result()"),
        (the_wrong_way_round, "first the item, then its result"),
        (by_item, "Two equal items"),
        (the_first_only, "3 items should give as many pairs; yours are 1"),
        (made_up, "a pair is (3, -3)"),
        (in_threads, "pools of threads stay here"),
        (four_workers, "processes were at work: give the pool its number of workers, two"),
        (in_the_order_of_items, "in the order of the items: as_completed()"),
        (fails, "raised RuntimeError: not today"),
        (leaves, "sys.exit()"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_mistakes(answer, words):
    assert words in hint(answer)


def test_too_late():
    """What has ended already comes in any order, one in some hundreds of which is nearly the right one."""
    assert any("inside the with block" in check_as_they_come(too_late).lines[-1] for _ in range(3))


def test_the_plain_loop(impatient):
    assert "plain calls" in hint(in_this_process)


def test_handed_in_twice():
    assert "8 calls in all; there were 16" in hint(twice)


def one_worker(function, items):
    with ProcessPoolExecutor(1) as pool:
        futures = submitted(pool, function, items)
        return [(futures[future], future.result()) for future in as_completed(futures)]


def one_at_a_time(function, items):
    with ProcessPoolExecutor(2) as pool:
        return [(item, pool.submit(function, item).result()) for item in items]


def test_one_worker(impatient):
    assert "Only one process was at work" in hint(one_worker)


def test_one_at_a_time(impatient):
    assert "Submit all items, and only then ask for results." in hint(one_at_a_time)


def test_what_a_spawned_process_cannot_find():
    """A function from a cell goes to a forked process, but to no other."""

    def inner(function, items):
        class Local(Paired):
            pass

        with ProcessPoolExecutor(2) as pool:
            return list(pool.map(Local(function), items))

    assert "Local" in hint(inner)


def never_ends(function, items):
    time.sleep(60)


def test_an_endless_answer(monkeypatch):
    monkeypatch.setattr("helpers.panels.exercise.guarded", functools.partial(guarded, limit=0.5))
    if not hasattr(os, "fork"):
        pytest.skip("nothing is interrupted on Windows")
    assert "was interrupted" in hint(never_ends)


def leaves_a_pool(function, items):
    pool = ProcessPoolExecutor(2)
    futures = submitted(pool, function, items)
    return [(futures[future], future.result()) for future in as_completed(futures)]


def test_a_pool_left_open_is_found_or_has_ended():
    """Nobody refers to it any more, so it may have shut itself down by the time the check looks."""
    verdict = check_as_they_come(leaves_a_pool)
    assert verdict.good or "left" in verdict.lines[-1]
