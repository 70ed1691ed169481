"""A task's lane says when it had its turn, when it waited and how it ended; and the task notices nothing of it."""

import asyncio
import gc
import time
import warnings

import pytest

from helpers.observe.tasks import TURN, WAITING, in_lane
from helpers.observe.trace import Trace
from helpers.observe.usage import cores_used

LIMIT = 20


def run(main):
    async def limited():
        async with asyncio.timeout(LIMIT):
            return await main

    return asyncio.run(limited())


def lane_of(trace, title):
    (lane,) = [lane for lane in trace.lanes() if lane.title == title]
    return lane


async def sleep_twice(seconds):
    await asyncio.sleep(seconds)
    await asyncio.sleep(seconds)
    return "rested"


def test_turns_and_waits_follow_each_other():
    with Trace() as trace:
        assert run(in_lane(trace, "nap", sleep_twice, 0.05)) == "rested"
        spans = lane_of(trace, "nap").spans
    assert [span.name for span in spans] == [TURN, WAITING, TURN, WAITING, TURN]
    assert all(span.depth == 0 and span.end is not None for span in spans)
    assert all(span.end - span.start >= 45_000_000 for span in spans if span.name == WAITING)
    assert all(span.cpu == 0 for span in spans if span.name == WAITING)


def test_tasks_side_by_side_have_lanes_of_their_own_and_share_a_thread():
    async def three(trace):
        await asyncio.gather(*(in_lane(trace, f"task {n}", asyncio.sleep, 0.1) for n in range(3)))

    with Trace(records=100, text=4000) as trace:
        run(three(trace))
        lanes = trace.lanes()
    assert [lane.title for lane in lanes] == ["task 0", "task 1", "task 2"]
    assert len({lane.thread for lane in lanes}) == 1
    assert max(lane.spans[0].start for lane in lanes) < min(lane.spans[-1].start for lane in lanes)


def test_only_the_tasks_own_turn_counts_as_running():
    async def compute():
        end = time.perf_counter() + 0.2
        while time.perf_counter() < end:
            sum(range(1000))

    async def both(trace):
        await asyncio.gather(in_lane(trace, "waits", asyncio.sleep, 0.01), in_lane(trace, "computes", compute))

    with Trace() as trace:
        run(both(trace))
        waits, computes = lane_of(trace, "waits"), lane_of(trace, "computes")
        assert cores_used(trace) <= 1.01
    assert sum(span.cpu for span in waits.spans) < 0.2 * sum(span.cpu for span in computes.spans)
    held_up = next(span for span in waits.spans if span.name == WAITING)
    assert held_up.end - held_up.start >= 190_000_000, "the computation has held it up"


def test_an_exception_goes_on_its_way_and_is_recorded():
    async def fail():
        await asyncio.sleep(0)
        raise ValueError("broken on purpose")

    with Trace() as trace:
        with pytest.raises(ValueError, match="broken on purpose"):
            run(in_lane(trace, "task", fail))
        lane = lane_of(trace, "task")
    assert [(note.text, note.error) for note in lane.notes] == [("ValueError: broken on purpose", True)]
    assert all(span.end is not None for span in lane.spans)


def test_a_cancellation_reaches_the_function_at_its_await():
    told = []

    async def work():
        try:
            await asyncio.sleep(LIMIT)
        finally:
            told.append("tidied up")

    async def cancel(trace):
        task = asyncio.create_task(in_lane(trace, "task", work))
        await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    with Trace() as trace:
        assert run(cancel(trace))
        assert [note.text for note in lane_of(trace, "task").notes] == ["CancelledError"]
    assert told == ["tidied up"]


def test_a_function_may_catch_what_is_thrown_into_it():
    async def limited():
        try:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(LIMIT)
        except TimeoutError:
            await asyncio.sleep(0.01)
            return "gave up"

    with Trace() as trace:
        assert run(in_lane(trace, "task", limited)) == "gave up"
        assert lane_of(trace, "task").notes == []


def test_a_task_that_never_begins_leaves_no_coroutine_behind():
    async def cancel_at_once(trace):
        task = asyncio.create_task(in_lane(trace, "task", asyncio.sleep, LIMIT))
        task.cancel()
        await asyncio.wait([task])

    with warnings.catch_warnings(), Trace() as trace:
        warnings.simplefilter("error")
        run(cancel_at_once(trace))
        gc.collect()
        assert trace.lanes() == []


def test_what_a_shut_down_loop_leaves_is_closed():
    async def endless():
        for _ in range(LIMIT):
            await asyncio.sleep(0)

    with Trace() as trace:
        coroutine = in_lane(trace, "task", endless)
        coroutine.send(None)
        coroutine.close()
        assert all(span.end is not None for span in lane_of(trace, "task").spans)
