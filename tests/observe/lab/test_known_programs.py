"""Programs known to be bad are found bad, those known to be good are proved good, and both for the right reason."""

import pytest

from helpers.observe.lab.exploring import explore
from helpers.observe.lab.stage import run_schedule
from tests.observe.lab import programs

bad = pytest.mark.parametrize(("program", "kind", "steps"), programs.BAD.values(), ids=programs.BAD)
good = pytest.mark.parametrize("program", programs.GOOD.values(), ids=programs.GOOD)


@bad
def test_a_bad_program_is_found_bad(program, kind, steps):
    found = explore(program, most_seconds=40).bad
    assert found is not None
    assert found.kind == kind
    assert len(found.schedule) == len(found.steps)
    assert steps in {None, len(found.schedule)}


@pytest.mark.parametrize(("program", "kind"), [row[:2] for row in programs.BAD.values()], ids=programs.BAD)
def test_the_schedule_found_replays_to_the_same_end(program, kind):
    found = explore(program, most_seconds=40).bad
    situation = run_schedule(program, found.schedule)
    assert situation.log == found.steps
    assert situation.steps == found.schedule
    if kind == "livelock":
        assert situation.verdict is None
    else:
        assert (situation.verdict.kind, situation.verdict.words) == (kind, found.words)


@good
def test_a_good_program_is_proved_good(program):
    exploration = explore(program, most_seconds=40)
    assert exploration.bad is None
    assert exploration.complete
    assert exploration.words.startswith(("All ", "The only "))


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (
            programs.TWO_LOCKS,
            (
                "After 2 steps: Deadlock: first holds lock_x and waits for lock_y; second holds lock_y and waits "
                "for lock_x."
            ),
        ),
        (programs.LOST_UPDATE, "After 4 steps: Wrong result: count is 1."),
        (programs.CHECK_THEN_SET, "After 8 steps: Wrong result: computed 2 times"),
        (programs.MISSED_NOTIFY, "After 6 steps: Nobody can go on: await_notify waits for a notify of ready."),
        (
            programs.BACK_OFF,
            "After 8 steps: Livelock: after step 8 everything is as after step 0; these 8 steps can go on for ever.",
        ),
        (
            programs.HOLDER_FAILED,
            (
                "After 2 steps: Nobody can go on: needs_the_lock waits for lock; fail_with_the_lock held it and "
                "ended: nobody will release it. fail_with_the_lock failed: KeyError: 'missing'."
            ),
        ),
        (
            programs.WAIT_WITHOUT_LOCK,
            "After 5 steps: wait_without_lock failed: RuntimeError: cannot wait on un-acquired lock.",
        ),
        (programs.IN_ORDER, "All 2 schedules end well."),
        (programs.GIVING_UP, "All 3,042 schedules end well."),
        (
            programs.ONE_BACKS_OFF,
            (
                "All schedules end well. A loop that may repeat makes them endless, but every thread that is let go "
                "on comes to its end."
            ),
        ),
    ],
)
def test_what_is_found_is_told_in_words(program, words):
    assert explore(program, most_seconds=40).words == words


def test_a_dict_that_grows_under_a_loop_is_pythons_own_error():
    found = explore(programs.LOOP_WHILE_INSERTING).bad
    assert found.words == "add_up failed: RuntimeError: dictionary changed size during iteration."
    assert found.steps[-1].startswith("add_up reads the next of stock: RuntimeError")


def test_all_interleavings_of_two_updates_are_counted():
    """Two reads and two writes, each read before its write: 4! / (2! * 2!)."""
    assert explore(_unchecked(programs.LOST_UPDATE)).schedules == 6
    assert explore(_unchecked(programs.LOST_UPDATE_OF_3)).schedules == 90


def _unchecked(program):
    return programs.Program(program.make, program.threads)
