"""A click that comes in another thread is answered in the loop's own, and not before the loop is free."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from helpers.observe.trace import Trace
from helpers.panels.clicks import in_this_thread
from helpers.panels.live_view import LiveView
from helpers.panels.pool_view import PoolView
from helpers.panels.prediction import Prediction
from helpers.panels.pulse import Pulse
from tests.observe import pool_doings
from tests.observe.pool_making import made_pool, soon, submit, within
from tests.observe.starting import METHODS
from tests.panels import doings

pytestmark = pytest.mark.usefixtures("left_as_found")


def elsewhere(act: Callable[[], object]) -> None:
    """Do `act` in a thread such as ipykernel's subshells have, and wait until it is back."""
    thread = threading.Thread(target=act, name="subshell-1")
    thread.start()
    thread.join(30)
    assert not thread.is_alive()


def test_where_it_is_done():
    async def main() -> None:
        seen: list[int] = []
        act = in_this_thread(lambda: seen.append(threading.get_ident()))
        act()
        assert seen == [threading.get_ident()], "in its own thread at once"
        elsewhere(act)
        assert len(seen) == 1, "not before the loop is free"
        await soon(lambda: len(seen) == 2, "the loop to do it")
        assert seen[1] == threading.get_ident()

    asyncio.run(main())


def test_without_a_loop_or_after_it_nothing_breaks():
    seen: list[object] = []
    act = in_this_thread(lambda: seen.append(1))
    elsewhere(act)
    assert seen == [1]

    async def main() -> Callable[[], None]:
        return in_this_thread(lambda: seen.append(2))

    elsewhere(asyncio.run(main()))
    assert seen == [1], "a closed loop answers no click"


def test_a_pulse_answers_when_it_is_not_frozen_and_in_its_own_lane():
    async def main(trace: Trace) -> None:
        with Pulse(trace) as pulse:
            elsewhere(pulse.children[0].click)
            time.sleep(0.05)  # noqa: ASYNC251 - frozen
            assert pulse.clicks == 0
            await soon(lambda: pulse.clicks == 1, "the answer")
            threads = [threading.Thread(target=pulse.children[0].click) for _ in range(20)]
            for thread in threads:
                thread.start()
            await soon(lambda: pulse.clicks == 21, "all answers")
            for thread in threads:
                thread.join()
        (lane,) = trace.lanes()
        assert sum(note.text == "answered a click" for note in lane.notes) == 21

    with Trace() as trace:
        asyncio.run(main(trace))


def test_a_prediction_is_committed_to_by_the_loop():
    async def main() -> None:
        guess = Prediction("What?", "this", "that")
        box: Any = guess._box
        choice, commit = box.children[1], box.children[2].children[0]
        elsewhere(lambda: setattr(choice, "index", 1))
        await soon(lambda: not commit.disabled, "the button to be enabled")
        elsewhere(commit.click)
        assert guess.answer is None
        await soon(lambda: guess.answer == "that", "the answer")

    asyncio.run(main())


def test_a_live_view_is_stopped_by_the_loop():
    async def main(trace: Trace) -> None:
        stop = threading.Event()
        worker = threading.Thread(target=doings.wait_for, args=(trace, stop), name="worker")
        worker.start()
        view = LiveView(trace, [worker], stop=stop)
        elsewhere(view.children[0].button.click)
        assert not stop.is_set()
        assert await within(view) == {"worker": "stopped (as it was asked to)"}

    with Trace() as trace:
        asyncio.run(main(trace))


def test_a_pool_view_is_stopped_by_the_loop():
    async def main(trace: Trace) -> None:
        with made_pool("executor", METHODS[0]) as pool:
            view = PoolView(trace, pool, [submit(pool, pool_doings.deaf, trace, "deaf")])
            elsewhere(view.children[0].button.click)
            assert view.fault is None
            ending = await within(view)
            assert repr(ending) == "<Ending: stopped>"

    with Trace() as trace:
        asyncio.run(main(trace))
