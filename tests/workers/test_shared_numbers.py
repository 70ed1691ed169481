"""Numbers that processes share come out right with their lock, and wrong without, under every start method."""

import multiprocessing
import threading
import time

import pytest

from helpers.observe.trace import Trace
from helpers.workers.shared_numbers import (
    NO_MORE,
    Buffer,
    count_up,
    count_up_locked,
    make_parts,
    move_to_and_fro,
    use_parts,
)
from tests.observe.starting import LIMIT, METHODS

each_method = pytest.mark.parametrize("method", METHODS)


def finished(*processes):
    for process in processes:
        process.start()
    for process in processes:
        process.join(LIMIT)
    codes = [process.exitcode for process in processes]
    for process in processes:
        process.kill()
        process.join()
    assert codes == [0] * len(processes)


def made(context, places):
    return Buffer(context.Condition(), context.Array("i", places, lock=False), context.Array("i", 2, lock=False))


def counted(context, target):
    counter, start = context.Value("i", 0), context.Barrier(2)
    finished(*(context.Process(target=target, args=(start, counter, 20_000)) for _ in range(2)))
    return counter.value


@each_method
def test_only_a_lock_around_read_and_write_counts_right(method):
    context = multiprocessing.get_context(method)
    assert counted(context, count_up_locked) == 40_000
    # On one core two processes meet seldom, but in one of many runs they do.
    assert any(counted(context, count_up) < 40_000 for _ in range(10))


@each_method
@pytest.mark.parametrize("locked", [True, False])
def test_a_reader_sees_half_a_move_only_without_the_lock(method, locked):
    context = multiprocessing.get_context(method)
    accounts, start, stop = context.Array("i", [100, 50]), context.Barrier(2), context.Event()
    mover = context.Process(target=move_to_and_fro, args=(start, stop, accounts), kwargs={"locked": locked})
    mover.start()
    start.wait(LIMIT)
    seen, deadline = set(), time.monotonic() + (0.5 if locked else LIMIT)
    while time.monotonic() < deadline and len(seen) < 2:
        seen.add(sum(accounts[:]))
    stop.set()
    mover.join(LIMIT)
    assert mover.exitcode == 0
    assert seen == ({150} if locked else {149, 150})
    assert accounts[:] == [100, 50]


@each_method
def test_every_part_goes_through_the_buffer_once(method):
    context = multiprocessing.get_context(method)
    with Trace() as trace:
        buffer = made(context, 3)
        finished(
            context.Process(target=make_parts, args=(trace, buffer, 40, 2)),
            *(context.Process(target=use_parts, args=(trace, buffer, 0.001)) for _ in range(2)),
        )
        notes = [note.text for lane in trace.lanes() for note in lane.notes]
    used = [int(number) for note in notes for number in note.removeprefix("used parts").split()]
    assert sorted(used) == list(range(1, 41))


def test_a_buffer_keeps_the_order_and_makes_the_hasty_wait():
    buffer = made(multiprocessing, 2)
    buffer.put(1)
    buffer.put(2)
    hasty = threading.Thread(target=buffer.put, args=(3,))
    hasty.start()
    hasty.join(0.1)
    assert hasty.is_alive()
    assert [buffer.take(), buffer.take(), buffer.take()] == [1, 2, 3]
    hasty.join(LIMIT)
    assert not hasty.is_alive()
    early = threading.Thread(target=buffer.take)
    early.start()
    early.join(0.1)
    assert early.is_alive()
    buffer.put(NO_MORE)
    early.join(LIMIT)
    assert not early.is_alive()
