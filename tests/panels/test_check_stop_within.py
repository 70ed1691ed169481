"""Lesson 04's exercise: right answers pass, usual mistakes get a hint of their own, and nothing is left running."""
# ruff: noqa: ARG001 (mistakes often do not use what they are given)

import os
import sys
import time

import pytest

from helpers.panels.check_stop_within import check_stop_within
from helpers.workers.stopping import be_deaf, work_in_steps, work_tied

pytestmark = [
    pytest.mark.usefixtures("left_as_found"),
    pytest.mark.skipif(os.name != "posix", reason="Windows knows only one way of ending a process"),
]


def verdict(answer):
    return check_stop_within(answer, work_in_steps, work_tied, be_deaf)


def right(process, stop, seconds):
    stop.set()
    process.join(seconds)
    if not process.is_alive():
        return "asked"
    process.terminate()
    process.join(seconds)
    if not process.is_alive():
        return "terminated"
    process.kill()
    process.join()
    return "killed"


def right_by_looking_again_and_again(process, stop, seconds):
    for word, end in (("asked", stop.set), ("terminated", process.terminate), ("killed", process.kill)):
        end()
        deadline = time.monotonic() + max(seconds, 1)
        while time.monotonic() < deadline:
            if process.exitcode is not None:
                return word
            time.sleep(0.01)
    return None


@pytest.mark.parametrize("answer", [right, right_by_looking_again_and_again])
def test_right(answer):
    found = verdict(answer)
    assert found.good, found
    assert len(found.lines) == 4


def test_the_stub_gets_a_friendly_first_word():
    def stop_within(process, stop, seconds): ...

    assert verdict(stop_within).heading == "Nothing to check yet."


def never_asks(process, stop, seconds):
    process.terminate()
    process.join()
    return "terminated"


def only_asks(process, stop, seconds):
    stop.set()
    return "asked"


def does_not_wait(process, stop, seconds):
    stop.set()
    process.kill()
    process.join()
    return "killed"


def sleeps_it_all(process, stop, seconds):
    stop.set()
    time.sleep(seconds)
    return "asked" if not process.is_alive() else never_asks(process, stop, seconds)


def forgets_to_return(process, stop, seconds):
    right(process, stop, seconds)


def always_says_killed(process, stop, seconds):
    right(process, stop, seconds)
    return "killed"


def waits_for_good_will(process, stop, seconds):
    stop.set()
    process.join(seconds)
    return "asked"


def kills_at_once(process, stop, seconds):
    stop.set()
    process.join(seconds)
    if not process.is_alive():
        return "asked"
    process.kill()
    process.join()
    return "killed"


def stops_at_terminate(process, stop, seconds):
    stop.set()
    process.join(seconds)
    if not process.is_alive():
        return "asked"
    process.terminate()
    process.join(seconds)
    return "terminated"


def has_its_own_idea_of_time(process, stop, seconds):
    stop.set()
    process.join(5.5)
    if not process.is_alive():
        return "asked"
    return never_asks(process, stop, seconds)


def waits_for_ever(process, stop, seconds):
    stop.set()
    process.join()
    return "asked"


def calls_the_event(process, stop, seconds):
    stop()


def gives_up(process, stop, seconds):
    sys.exit("it does not stop")


MISTAKES = {
    "never asks": (never_asks, "stop.set() comes first"),
    "only asks": (only_asks, "wait for it with join(seconds)"),
    "does not wait": (does_not_wait, "about to stop by itself"),
    "sleeps it all": (sleeps_it_all, "join(seconds) returns as soon as it can"),
    "forgets to return": (forgets_to_return, "does it end with return"),
    "always says killed": (always_says_killed, "'asked' should come back"),
    "waits for good will": (waits_for_good_will, "terminate() it, and join() again"),
    "kills at once": (kills_at_once, "a chance to tidy up"),
    "stops at terminate": (stops_at_terminate, "kill() it and join() it"),
    "has its own idea of time": (has_its_own_idea_of_time, "give `seconds` to each join()"),
    "waits for ever": (waits_for_ever, "what does it wait for?"),
    "calls the event": (calls_the_event, "raised TypeError"),
    "gives up": (gives_up, "sys.exit()"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes(mistake):
    answer, words = MISTAKES[mistake]
    found = verdict(answer)
    assert not found.good
    assert "Traceback" not in repr(found)
    assert found.lines[-1].startswith("Hint: ")
    assert words in found.lines[-1]
