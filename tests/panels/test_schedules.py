"""`try_all` answers in the same words every time, and its errors name the cure."""

import threading
from types import SimpleNamespace

import pytest

from helpers.observe.lab.program import Program
from helpers.observe.lab.results import Exploration, Finding
from helpers.panels import schedules
from helpers.panels.exercise import Exercise, Property
from helpers.panels.schedules import Bad, Schedules, try_all
from helpers.panels.verdict import Verdict
from tests.panels.lab_programs import DEADLOCK, FIXED, LOST_UPDATE, add, fail, make, make_a_queue

pytestmark = pytest.mark.usefixtures("left_as_found")


def made(bad: Finding | None = None, *, complete: bool = True, reason: str = "") -> Schedules:
    return Schedules(Exploration(bad, 1234, 10, 5, 0, complete, reason=reason))


def test_a_right_program_is_proved_in_one_line():
    tried = try_all(FIXED)
    assert tried.good
    assert tried.kind == "ended well"
    assert tried.steps == ()
    assert tried.hint is None
    assert repr(tried) == f"✔ All {tried.exploration.schedules} schedules end well."


def test_a_deadlock_is_told_step_by_step():
    tried = try_all(DEADLOCK)
    assert not tried.good
    assert tried.kind == "deadlock"
    assert tried.steps == ("f1 acquires lock_x", "f2 acquires lock_y")
    assert repr(tried) == (
        "✖ Deadlock after 2 steps:\n"
        "  1. f1 acquires lock_x\n"
        "  2. f2 acquires lock_y\n"
        "  Deadlock: f1 holds lock_x and waits for lock_y; f2 holds lock_y and waits for lock_x."
    )
    assert tried.hint == (
        "There is a schedule that goes wrong: f1 acquires lock_x; f2 acquires lock_y. "
        "Deadlock: f1 holds lock_x and waits for lock_y; f2 holds lock_y and waits for lock_x."
    )
    assert repr(tried) == repr(try_all(DEADLOCK))


def test_a_wrong_result_and_an_error_are_found():
    assert try_all(LOST_UPDATE).kind == "wrong result"
    failed = try_all(Program(make, [fail]))
    assert failed.kind == "error"
    assert "KeyError" in failed.words
    assert "<b>" not in failed._repr_html_()
    assert "&lt;b&gt;" in failed._repr_html_()


def test_what_was_not_tried_to_the_end_is_not_good():
    tried = made(complete=False, reason="there is more to do than 1 s allow.")
    assert not tried.good
    assert tried.kind == "not all"
    assert repr(tried) == "➜ Explored 1,234 schedules, not all: there is more to do than 1 s allow."
    assert tried.hint == tried.words


def test_the_last_steps_of_a_long_schedule_are_in_the_hint():
    long = Finding("deadlock", (0,) * 30, tuple(f"step {n}" for n in range(30)), "Deadlock: all.")
    hint = made(long).hint
    assert hint is not None
    assert hint.startswith("There is a schedule that goes wrong: …; step 18; ")
    assert hint.endswith("; step 29. Deadlock: all.")
    assert len(made(long).steps) == 30


def test_the_limit_reaches_the_engine(monkeypatch):
    asked = []
    monkeypatch.setattr(schedules, "explored_now", lambda _, limit: asked.append(limit))
    try_all(FIXED, limit=3.0)
    try_all(FIXED)
    assert asked == [3.0, 10.0]


def test_what_the_lab_does_not_know_is_a_type_error():
    with pytest.raises(TypeError, match="items"):
        try_all(Program(make_a_queue, [add]))


def test_in_a_check_errors_are_hints():
    outside = threading.Lock()

    def answer(shared: SimpleNamespace) -> None:
        with outside:
            shared.x = 1

    check = Exercise(Property("all schedules end well", lambda a: try_all(Program(make, [a])).hint))
    verdict = check(answer)
    assert not verdict.good
    assert "cannot be sent to another process" in repr(verdict)
    assert check(add).good


def test_the_sign_tells_bad_from_not_yet_in_html_too():
    assert "✖" in Bad(good=False, heading="h")._repr_html_()
    assert "➜" in Verdict(good=False, heading="h")._repr_html_()
