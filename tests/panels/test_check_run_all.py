"""Lesson 12's exercise: right answers of every kind pass, and each usual mistake gets a hint of its own."""
# ruff: noqa: ARG001 (mistakes often do not use what they are given)

import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed, wait
from concurrent.futures import TimeoutError as TimeIsUp

import cloudpickle
import pytest

from helpers.observe.pools import kill_pool
from helpers.panels.check_run_all import _in_time, _try, check_run_all
from helpers.workers import faulty

pytestmark = pytest.mark.usefixtures("left_as_found")

FAULTS = {
    "raising": faulty.fail,
    "unpicklable": faulty.give_generator,
    "killed": faulty.be_killed,
    "endless": faulty.never_end,
}


@pytest.fixture(autouse=True)
def as_from_a_cell():
    """Functions of this module are sent by value, as those of a cell are."""
    module = sys.modules[__name__]
    cloudpickle.register_pickle_by_value(module)
    yield
    cloudpickle.unregister_pickle_by_value(module)


def verdict(answer):
    return check_run_all(answer, faulty.work, FAULTS)


def sorted_out(futures, results, failures):
    for name, future in futures.items():
        if not future.done():
            failures[name] = "time is up"
        elif future.exception():
            failures[name] = future.exception()
        else:
            results[name] = future.result()
    return results, failures


def with_wait(tasks, limit):
    pool = ProcessPoolExecutor(2)
    futures = {name: pool.submit(*task) for name, task in tasks.items()}
    wait(futures.values(), timeout=limit)
    both = sorted_out(futures, {}, {})
    kill_pool(pool)
    return both


def as_they_come(tasks, limit):
    results, failures = {}, {}
    with ProcessPoolExecutor(2) as pool:
        futures = {pool.submit(*task): name for name, task in tasks.items()}
        try:
            for future in as_completed(futures, timeout=limit):
                try:
                    results[futures[future]] = future.result()
                except Exception as error:  # noqa: BLE001 (whatever it is)
                    failures[futures[future]] = error
        except TimeIsUp:
            kill_pool(pool)
    for name in tasks:
        if name not in results:
            failures.setdefault(name, "time is up")
    return results, failures


def with_the_older_pool(tasks, limit):
    results, failures = {}, {}
    end = time.monotonic() + limit
    with multiprocessing.Pool(2) as pool:
        jobs = {name: pool.apply_async(task, args) for name, (task, *args) in tasks.items()}
        for name, job in jobs.items():
            try:
                results[name] = job.get(timeout=max(0, end - time.monotonic()))
            except Exception as error:  # noqa: BLE001 (whatever it is)
                failures[name] = error
    return results, failures


def by_spawn(tasks, limit):
    multiprocessing.set_start_method("spawn", force=True)  # in the sandbox
    return with_wait(tasks, limit)


@pytest.mark.parametrize("answer", [by_spawn, as_they_come, with_the_older_pool])
def test_right_answers(answer, monkeypatch):
    if answer is by_spawn:  # their start is part of the time
        monkeypatch.setattr("helpers.panels.check_run_all._SHORT", 8.0)
        monkeypatch.setattr("helpers.panels.check_run_all._SANDBOX", 20.0)
        monkeypatch.setitem(_try.__kwdefaults__, "limit", 8.0)
    found = verdict(answer)
    assert found.good, found
    assert len(found.lines) == 5


def stub(tasks, limit): ...


def test_the_stub_gets_a_friendly_first_word():
    assert verdict(stub).heading == "Nothing to check yet."


def forgets_to_return(tasks, limit):
    with_wait(tasks, limit)


def gives_one_dict(tasks, limit):
    return with_wait(tasks, limit)[0]


def lets_errors_out(tasks, limit):
    with ProcessPoolExecutor(2) as pool:
        futures = {name: pool.submit(*task) for name, task in tasks.items()}
    return {name: future.result(timeout=limit) for name, future in futures.items()}, {}


def forgets_failures(tasks, limit):
    return with_wait(tasks, limit)[0], {}


def puts_all_into_one(tasks, limit):
    results, failures = with_wait(tasks, limit)
    return results | failures, {}


def puts_them_into_both(tasks, limit):
    results, failures = with_wait(tasks, limit)
    return results, failures | dict.fromkeys(results)


def gives_futures(tasks, limit):
    results, failures = with_wait(tasks, limit)
    return dict.fromkeys(results, "future"), failures


def gives_up_at_the_first(tasks, limit):
    results, failures = with_wait(tasks, limit)
    return ({}, dict.fromkeys(tasks, "failed")) if failures else (results, failures)


def leaves_with(tasks, limit):
    with ProcessPoolExecutor(2) as pool:
        futures = {name: pool.submit(*task) for name, task in tasks.items()}
        wait(futures.values(), timeout=limit)
        return sorted_out(futures, {}, {})


def never_looks_at_the_limit(tasks, limit):
    with multiprocessing.Pool(2) as pool:
        jobs = {name: pool.apply_async(task, args) for name, (task, *args) in tasks.items()}
        results, failures = {}, {}
        for name, job in jobs.items():
            try:
                results[name] = job.get()
            except Exception as error:  # noqa: BLE001 (whatever it is)
                failures[name] = error
    return results, failures


def a_limit_for_each(tasks, limit):
    pool = ProcessPoolExecutor(2)
    futures = {name: pool.submit(*task) for name, task in tasks.items()}
    for future in futures.values():
        wait([future], timeout=limit)
    both = sorted_out(futures, {}, {})
    kill_pool(pool)
    return both


def leaves_them_running(tasks, limit):
    pool = ProcessPoolExecutor(2)
    futures = {name: pool.submit(*task) for name, task in tasks.items()}
    wait(futures.values(), timeout=limit)
    pool.shutdown(wait=False, cancel_futures=True)
    futures = {name: future for name, future in futures.items() if not future.cancelled()}
    results, _ = sorted_out(futures, {}, {})
    return results, dict.fromkeys(tasks.keys() - results.keys(), "failed")


def sleeps(tasks, limit):
    with_wait(tasks, limit)
    time.sleep(4)
    return with_wait(tasks, limit)


def in_threads(tasks, limit):
    pool = ThreadPoolExecutor(2)
    futures = {name: pool.submit(*task) for name, task in tasks.items()}
    wait(futures.values(), timeout=limit)
    return sorted_out(futures, {}, {})


def without_a_pool(tasks, limit):
    results, failures = {}, {}
    for name, (task, *args) in tasks.items():
        try:
            result = task(*args)
            results[name] = result
        except Exception as error:  # noqa: BLE001 (whatever it is)
            failures[name] = error
    return results, failures


def takes_tasks_for_functions(tasks, limit):
    with ProcessPoolExecutor(2) as pool:
        futures = {name: pool.submit(task) for name, task in tasks.items()}
    return sorted_out(futures, {}, {})


def leaves_by_exit(tasks, limit):
    sys.exit(3)


MISTAKES = {
    "forgets to return": (forgets_to_return, "does it end with return"),
    "one dict": (gives_one_dict, "Two dicts are asked for"),
    "lets errors out": (lets_errors_out, "Your function raised BrokenProcessPool"),
    "forgets failures": (forgets_failures, "Nothing is said of ['c'"),
    "all into one": (puts_all_into_one, "failed, and stand among the results"),
    "into both": (puts_them_into_both, "stand in both dicts"),
    "futures": (gives_futures, "take it from future.result()"),
    "gives up": (gives_up_at_the_first, "['a', 'b'] had finished, and count as failures"),
    "no limit": (never_looks_at_the_limit, "What does it wait for?"),
    "sleeps": (sleeps, "with a limit of"),
    "in threads": (in_threads, "hand the tasks to a pool of processes"),
    "no pool": (without_a_pool, "hand the tasks to a pool of processes"),
    "functions": (takes_tasks_for_functions, "count as failures"),
    "sys.exit": (leaves_by_exit, "ended"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes(mistake, capfd):
    answer, words = MISTAKES[mistake]
    found = verdict(answer)
    assert not found.good
    assert "Traceback" not in repr(found)
    assert found.lines[-1].startswith("Hint: ")
    assert words in found.lines[-1], found
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (leaves_with, "Leaving a with block waits for every task"),
        (a_limit_for_each, "the limit is for all tasks together"),
        (leaves_them_running, "A worker process still ran"),
    ],
)
def test_mistakes_with_tasks_that_never_end(answer, words):
    assert words in (_in_time(answer, faulty.work, FAULTS) or "nothing")
