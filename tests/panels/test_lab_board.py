"""What stands beside the listings: states, what is shared, the steps, and how things stand."""

import re
from html import unescape
from typing import Any

import pytest

from helpers.observe.lab.results import Ending, Exploration, Finding, Situation, ThreadView
from helpers.observe.waits import Hold, Wait, Waits
from helpers.panels.lab_board import FOUND, FRESH, board, marks, picture, state, state_words, status

READY = ThreadView("f1", "ready", "acquire lock_x", "f1", 3, "")
WAITING = ThreadView("f2", "waiting", "acquire lock_y", "f2", 8, "")
ENDED = ThreadView("f3", "ended", "", "f3", None, "")
FAILED = ThreadView("f4", "failed", "", "f4", 12, "KeyError: '<b>'")
DEADLOCK = Finding("deadlock", (0, 1), ("a", "b"), "Deadlock: all of them.")
WELL = Exploration(None, 20, 9, 5, 0, complete=True)


def situation(*threads: ThreadView, **others: Any) -> Situation:
    bare = Situation(threads, (("lock_y", "held by f1"), ("x", "4")), Waits(), (), (), None)
    return bare._replace(**others)


def words(html: str) -> str:
    return " ".join(unescape(re.sub("<style>.*?</style>|<[^>]*>", " ", html, flags=re.DOTALL)).split())


def test_each_state_is_said_in_words():
    now = situation(READY, WAITING, ENDED, FAILED)
    assert [state_words(now, view) for view in now.threads] == [
        "next: acquire lock_x",
        "waits: acquire lock_y",
        "ended",
        "failed: KeyError: '<b>'",
    ]


def test_a_wait_names_who_holds():
    one = Waits((Hold("f1", "lock_y"),), (Wait("f2", "lock_y"),))
    two = Waits((Hold("f1", "lock_y"), Hold("f3", "lock_y")), (Wait("f2", "lock_y"),))
    assert state_words(situation(READY, WAITING, waits=one), WAITING) == "waits for lock_y, which f1 holds"
    assert state_words(situation(READY, WAITING, waits=two), WAITING) == "waits for lock_y, which f1 and f3 hold"


def test_a_state_is_escaped_and_has_its_sign():
    html = state(situation(READY, FAILED), 1)
    assert words(html) == "✕ failed: KeyError: '<b>'"
    assert 'title="f4 failed in this line"' in html


def test_marks_are_numbered_as_the_threads_are():
    now = situation(READY, WAITING)
    assert [(mark.thread, mark.place, mark.state, mark.line) for mark in marks(now)] == [
        ("f1", 0, "ready", 3),
        ("f2", 1, "waiting", 8),
    ]


def test_the_board_shows_what_is_shared_and_what_is_new():
    before = situation(READY)
    now = situation(READY, shared=(("lock_y", "held by f1"), ("x", "<10>"), ("z", "1")))
    html = board(now, before)
    assert re.findall(r'<tr class="new"><th scope="row">(.*?)</th>', html) == ["x", "z"]
    assert "<td>&lt;10&gt;</td>" in html
    assert 'class="new"' not in board(now, None)
    assert 'class="new"' not in board(now, now)


def test_steps_are_numbered_and_escaped():
    assert "none yet" in board(situation(READY), None)
    html = board(situation(READY, WAITING, steps=(0, 1), log=("f1 reads x", "f2 writes x = '<i>'")), None)
    assert "1. ■ f1 reads x 2. ■ f2 writes x = '<i>'" in words(html)
    assert "<i>" not in html


def test_there_is_a_picture_as_soon_as_somebody_holds_or_waits():
    assert picture(situation(READY)) == ""
    assert "<svg" in picture(situation(READY, waits=Waits((Hold("f1", "lock_x"),))))
    assert "<svg" in picture(situation(READY, WAITING, waits=Waits((), (Wait("f2", "ready"),))))


def test_how_things_stand_before_between_and_after_the_steps():
    fresh, later = situation(READY), situation(READY, steps=(0,), log=("f1 reads x",))
    bad = situation(ENDED, verdict=Ending("deadlock", "Deadlock: <all>."))
    good = situation(ENDED, verdict=Ending("ended well", "All threads ended."))
    assert words(status([], None, "", "")) == "The program is being started …"
    assert words(status([fresh], None, "", "")) == FRESH
    assert words(status([fresh, later], None, "", "")) == "1 step taken. Who goes next?"
    assert words(status([fresh, later, bad], None, "", "")) == "✖ Deadlock: <all>."
    assert words(status([fresh, later, good], None, "", "")) == "✔ All threads ended."


def test_what_goes_on_and_what_went_wrong_is_said():
    fresh = situation(READY)
    assert words(status([fresh], WELL, "Trying …", "")) == f"{FRESH} Trying …"
    assert words(status([fresh], None, "", "no <b>")) == "✖ The lab cannot go on. no <b>"


def test_what_all_schedules_lead_to_is_said():
    fresh = situation(READY)
    assert "✔ All 20 schedules end well." in words(status([fresh], WELL, "", ""))
    found = words(status([fresh], WELL._replace(bad=DEADLOCK, complete=False), "", ""))
    assert found == f"{FRESH} ✖ Found: a deadlock after 2 steps. Press Replay to watch it happen."
    some = words(status([fresh], WELL._replace(complete=False, reason="enough."), "", ""))
    assert "➜ Explored 20 schedules, not all: enough." in some


@pytest.mark.parametrize("kind", FOUND)
def test_every_kind_of_bad_end_has_words(kind):
    found = DEADLOCK._replace(kind=kind)
    assert FOUND[kind] in words(status([situation(READY)], WELL._replace(bad=found), "", ""))
