"""The article's two functions lock each other out, and in one order they do not."""

import multiprocessing

import pytest

from helpers.observe.lock_states import who_waits
from helpers.observe.trace import Trace
from helpers.workers import two_locks as two_locks_module
from helpers.workers.two_locks import count_deadlocks, f1, f2, run_together, two_locks
from tests.observe.starting import LIMIT, METHODS, until


def in_order(shared):
    with shared.lock_x, shared.lock_y:
        shared.x += shared.y


def quick_f1(shared):
    f1(shared, 1.0)


def quick_f2(shared):
    f2(shared, 1.0)


def put_count(queue, pause, *args):
    if not pause:  # then nobody is to wait for long
        two_locks_module.PATIENCE = 5.0
    queue.put(count_deadlocks(pause, *args))


@pytest.mark.parametrize("function", [f1, f2])
def test_each_alone_takes_both_locks_and_gives_them_back(function):
    shared = two_locks()
    function(shared, 0.0)
    assert not shared.lock_x.locked()
    assert not shared.lock_y.locked()


def test_one_order_for_all_comes_to_an_end():
    with Trace() as trace:
        run_together(trace, two_locks, [in_order, in_order, in_order])
    assert not any(note.text.startswith("Deadlock") for lane in trace.lanes() for note in lane.notes)


@pytest.mark.parametrize("method", METHODS)
def test_in_opposite_orders_they_stay_and_the_trace_says_why(method):
    context = multiprocessing.get_context(method)
    with Trace() as trace:
        process = context.Process(target=run_together, args=(trace, two_locks, [quick_f1, quick_f2]), name="p")
        process.start()
        try:
            until(lambda: who_waits(trace).is_deadlock, "the deadlock")
            words = who_waits(trace).words
        finally:
            process.kill()
            process.join(LIMIT)
    first = "p / quick_f1 holds lock_x and waits for lock_y"
    second = "p / quick_f2 holds lock_y and waits for lock_x"
    assert words == f"Deadlock: {first}; {second}."


@pytest.mark.parametrize(("pause", "head_start", "fewest", "most"), [(0.0, 0.1, 0, 1), (0.2, 0.0, 3, 4)])
def test_how_often_depends_on_the_pause(pause, head_start, fewest, most):
    """Counted in a process that ends, as its threads would stay."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=put_count, args=(queue, pause, head_start, 4))
    process.start()
    try:
        assert fewest <= queue.get(timeout=LIMIT) <= most
    finally:
        process.join(LIMIT)
    assert process.exitcode == 0
