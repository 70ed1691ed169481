"""The heartbeat stops when the interface is frozen, and only then."""

import asyncio
import time
from itertools import pairwise

import pytest

from helpers.observe.reading import Lane
from helpers.observe.trace import Trace
from helpers.panels.pulse import Pulse
from helpers.panels.words import seconds

pytestmark = pytest.mark.usefixtures("left_as_found")
FREEZE = 0.5


def interface(trace: Trace) -> Lane:
    (lane,) = (lane for lane in trace.lanes() if lane.title == "the interface")
    return lane


def said(pulse: Pulse) -> str:
    return pulse.children[2].value


async def beating(trace: Trace, seconds: float) -> Pulse:
    with Pulse(trace) as pulse:
        await asyncio.sleep(seconds)
    return pulse


def test_ticks_are_recorded_in_a_lane_of_its_own():
    with Trace() as trace:
        asyncio.run(beating(trace, 0.5))
        lane = interface(trace)
        assert 3 <= len(lane.ticks) <= 2 + 0.5 / 0.02 * 4
        assert all(a < b for a, b in pairwise(lane.ticks))
        assert lane.ticks[-1] - lane.ticks[0] >= 0.5e9
        assert not lane.spans
        assert not lane.notes


def test_a_blocking_call_is_a_freeze_as_long_as_it_took():
    async def main(trace: Trace) -> Pulse:
        with Pulse(trace) as pulse:
            await asyncio.sleep(0.1)
            time.sleep(FREEZE)  # noqa: ASYNC251 - this is what freezes an interface
            await asyncio.sleep(0.1)
        return pulse

    with Trace() as trace:
        pulse = asyncio.run(main(trace))
        recorded = max(b - a for a, b in pairwise(interface(trace).ticks)) / 1e9
    assert pulse.longest_freeze >= FREEZE
    assert recorded == pytest.approx(pulse.longest_freeze, abs=0.1)
    assert said(pulse).endswith(f"longest freeze: {seconds(pulse.longest_freeze * 1e9)}")


def test_awaiting_is_no_freeze():
    """A loaded machine may hold anybody up for a moment: one quiet try in five is enough to see that it beats."""
    with Trace() as trace:
        assert any(asyncio.run(beating(trace, FREEZE)).longest_freeze < FREEZE / 3 for _ in range(5))


def test_a_block_that_never_awaits_is_one_freeze():
    async def main(trace: Trace) -> Pulse:
        with Pulse(trace) as pulse:
            time.sleep(0.3)  # noqa: ASYNC251 - as above
        return pulse

    with Trace() as trace:
        assert asyncio.run(main(trace)).longest_freeze >= 0.3
        assert len(interface(trace).ticks) == 2


def test_clicks_are_counted_noted_and_put_into_words():
    async def main(trace: Trace) -> Pulse:
        with Pulse(trace) as pulse:
            button = pulse.children[0]
            assert (pulse.clicks, said(pulse)) == (0, "not clicked yet")
            button.click()
            assert pulse.clicks == 1
            assert said(pulse).startswith("1 click answered, the last 0.")
            button.click()
            assert not button.disabled
        assert button.disabled
        return pulse

    with Trace() as trace:
        pulse = asyncio.run(main(trace))
        assert [note.text for note in interface(trace).notes] == ["answered a click"] * 2
    assert pulse.clicks == 2
    assert said(pulse).startswith("2 clicks answered")


def test_no_click_is_said_too():
    with Trace() as trace:
        assert said(asyncio.run(beating(trace, 0))).startswith("no click answered; longest freeze: ")


def test_the_sign_moves_while_it_beats_and_stands_still_after():
    async def main(trace: Trace) -> tuple[set[str], str]:
        signs = set()
        with Pulse(trace) as pulse:
            deadline = time.monotonic() + 20
            while len(signs) < 4 and time.monotonic() < deadline:
                await asyncio.sleep(0.01)
                signs.add(pulse.children[1].value)
        await asyncio.sleep(0.3)
        return signs, pulse.children[1].value

    with Trace() as trace:
        signs, last = asyncio.run(main(trace))
    assert len(signs) >= 4
    assert last == "stopped"


def test_it_needs_a_running_loop():
    words = "needs a running event loop: use it in a notebook"
    with Trace() as trace, pytest.raises(RuntimeError, match=words), Pulse(trace):
        pass


def test_an_exception_in_the_block_goes_on_its_way_and_nothing_is_left():
    async def failing(pulse: Pulse) -> None:
        with pulse:
            await asyncio.sleep(0)
            raise ZeroDivisionError

    async def main(trace: Trace) -> None:
        pulse = Pulse(trace)
        with pytest.raises(ZeroDivisionError):
            await failing(pulse)
        beats = len(interface(trace).ticks)
        assert pulse.children[0].disabled
        await asyncio.sleep(0.1)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert len(interface(trace).ticks) == beats

    with Trace() as trace:
        asyncio.run(main(trace))


def test_its_text_is_the_same_in_every_run():
    with Trace() as trace:
        assert repr(Pulse(trace)) == "<Pulse>"
