"""Workers take turns as their locks, semaphores and barriers tell them, under every start method."""

import contextlib
import multiprocessing

import pytest

from helpers.observe.locks import named
from helpers.observe.trace import Trace
from helpers.workers.taking_turns import (
    forecast,
    hold_both,
    render,
    whole_entries,
    write_entries,
    write_with_own_lock,
)
from tests.observe.starting import LIMIT, METHODS, until

each_method = pytest.mark.parametrize("method", METHODS)


def run(context, *jobs):
    """Run (function, arguments) in a process each."""
    processes = [
        context.Process(target=target, args=args, name=f"worker {n}") for n, (target, *args) in enumerate(jobs)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(LIMIT)
    codes = [process.exitcode for process in processes]
    for process in processes:
        process.kill()
        process.join()
    assert codes == [0] * len(jobs)


def spans(trace, name):
    return [span for lane in trace.lanes() for span in lane.spans if span.name.startswith(name)]


def notes(trace):
    return [note.text for lane in trace.lanes() for note in lane.notes]


@each_method
def test_only_a_shared_lock_keeps_entries_whole(method, tmp_path):
    context = multiprocessing.get_context(method)
    for how, target, lock in (
        ("none", write_entries, [contextlib.nullcontext()]),
        ("own", write_with_own_lock, []),
        ("shared", write_entries, [context.Lock()]),
    ):
        whole = []
        while not whole or (how != "shared" and whole[-1] == 18 and len(whole) < 5):  # they may not meet at once
            log = str(tmp_path / f"{how} {len(whole)}")
            with Trace() as trace:
                run(context, *((target, trace, log, name, 6, *lock) for name in "abc"))
                assert sum(lane.done for lane in trace.lanes()) == 3 * 6
            whole.append(whole_entries(log))
        assert (whole[-1] == 18) is (how == "shared")


@pytest.mark.parametrize(
    ("lines", "whole"),
    [
        ("", 0),
        ("a 1 begins/a 1 goes on/a 1 ends", 1),
        ("a 1 begins/a 1 goes on", 0),
        ("a 1 begins/b 1 begins/a 1 goes on/a 1 ends/b 1 goes on/b 1 ends", 0),
        ("a 1 begins/a 1 goes on/a 1 ends/a 2 begins/a 2 goes on/a 2 ends", 2),
        ("a 1 begins/a 1 goes on/a 2 ends", 0),
    ],
)
def test_whole_entries(lines, whole, tmp_path):
    log = tmp_path / "log"
    log.write_text("".join(f"{line}\n" for line in lines.split("/") if line), encoding="utf-8")
    assert whole_entries(str(log)) == whole


@each_method
def test_as_many_render_as_there_are_licences(method):
    context = multiprocessing.get_context(method)
    most: list[int] = []
    while not most or (most[-1] < 2 and len(most) < 5):  # processes that start far apart do not meet
        with Trace() as trace:
            licences = named("a licence", context.BoundedSemaphore(2), trace)
            run(context, *[(render, trace, licences, 2)] * 4)
            rendering = spans(trace, "rendering")
        at_once = [sum(other.start <= span.start < other.end for other in rendering) for span in rendering]
        assert len(at_once) == 8
        most.append(max(at_once))
    assert most[-1] == 2


@each_method
def test_hours_do_not_overlap(method):
    context = multiprocessing.get_context(method)
    with Trace() as trace:
        barrier = context.Barrier(2)
        run(context, (forecast, trace, barrier, 3, 0.0), (forecast, trace, barrier, 3, 0.1))
        hours = [spans(trace, f"hour {n}") for n in (1, 2, 3)]
    assert [len(hour) for hour in hours] == [2, 2, 2]
    assert all(a.end <= b.start for n in (0, 1) for a in hours[n] for b in hours[n + 1])


@each_method
def test_a_broken_barrier_is_told(method):
    context = multiprocessing.get_context(method)
    with Trace() as trace:
        run(context, (forecast, trace, context.Barrier(2, timeout=0.1), 3, 0.0))
        assert notes(trace) == ["BrokenBarrierError in hour 1"]
        assert sum(lane.done for lane in trace.lanes()) == 1


@each_method
def test_both_locks_in_one_order_are_had_by_both(method):
    context = multiprocessing.get_context(method)
    with Trace() as trace:
        ready, first, second = context.Barrier(2), context.Lock(), context.Lock()
        run(context, *[(hold_both, trace, ready, first, second)] * 2)
        (one, other) = spans(trace, "has both")
    assert one.end <= other.start or other.end <= one.start


def told_of_opposite_orders(context):
    with Trace() as trace:
        ready = context.Barrier(2)
        locks = [named(name, context.Lock(), trace) for name in ("lock_x", "lock_y")]
        processes = [
            context.Process(target=hold_both, args=(trace, ready, *order), name=name)
            for name, order in (("f1", locks), ("f2", locks[::-1]))
        ]
        for process in processes:
            process.start()
        try:
            until(lambda: notes(trace) or not any(each.is_alive() for each in processes), "a deadlock or the end")
            return notes(trace)
        finally:
            for process in processes:
                process.kill()
                process.join(LIMIT)


@each_method
def test_both_locks_in_opposite_order_are_a_deadlock(method):
    context = multiprocessing.get_context(method)
    # One that comes late to its first lock lets the other have both.
    told = next(filter(None, (told_of_opposite_orders(context) for _ in range(5))), [])
    assert told == ["Deadlock: f1 holds lock_x and waits for lock_y; f2 holds lock_y and waits for lock_x."]
