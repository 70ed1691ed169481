"""Which task an answer belongs to that could not be put together again, and which exceptions were a task's own."""

from helpers.observe.answers import not_unpickled, of_error
from helpers.observe.lane_tasks import ended_tasks, failed_tasks, open_task
from helpers.observe.reading import Note
from tests.panels.made import MS, lane, span

WHY = "Traceback (most recent call last):\n  ...\nTypeError: Torn.__init__() missing 1 required argument: 'b'\n"


def error(at: float, words: str) -> Note:
    return Note(words, round(at * MS), error=True)


def test_the_task_a_worker_is_at_is_its_outermost_open_span():
    first = lane(span(0, 5, "done"), span(6, None, "task"), span(7, None, "a part", depth=1))
    assert open_task([lane(span(8, None, "helper")), first]) == "task"
    assert open_task([lane(span(0, 5, "done"))]) is None
    assert open_task([]) is None


def test_an_exception_that_was_caught_has_failed_no_task():
    caught = lane(
        span(0, 10, "good"), span(1, 4, "part", depth=1), span(20, 30, "bad"), span(40, None, "open"),
        notes=[error(4.1, "ValueError: caught"), error(30.1, "KeyError: 3"), error(41, "ValueError: caught")],
        title="w",
    )  # fmt: skip
    assert [(failed.task, failed.words, failed.worker) for failed in failed_tasks([caught])] == [
        ("bad", "KeyError: 3", "w")
    ]
    assert [done.task for done in ended_tasks([caught])] == ["good", "bad"]


def test_of_several_answers_it_is_the_first_that_did_not_come():
    lanes = [
        lane(
            span(0, 10, "a"), span(11, 20, "c"), notes=[error(10.1, "Torn: a"), error(20.1, "Torn: c")], title="one"
        ),
        lane(span(0, 15, "b"), span(16, 30, "d"), notes=[error(15.1, "Torn: b")], title="two"),
    ]
    fault = not_unpickled(WHY, lanes, ["a"])
    assert (fault.kind, fault.task, fault.worker) == ("exception cannot be unpickled", "b", "two")
    assert "raised Torn: b, but" in fault.words
    assert "TypeError: Torn.__init__() missing 1 required argument: 'b'." in fault.words


def test_the_exception_that_the_traceback_names_goes_before_another_that_came_first():
    lanes = [
        lane(span(0, 10, "a"), notes=[error(10.1, "ValueError: a")], title="one"),
        lane(span(0, 15, "b"), notes=[error(15.1, "Torn: b")], title="two"),
    ]
    assert not_unpickled(WHY, lanes, []).task == "b"
    unnamed = not_unpickled("RuntimeError: nobody knows", lanes, [])
    assert (unnamed.kind, unnamed.task) == ("exception cannot be unpickled", "a")


def test_without_an_exception_it_is_a_result():
    lanes = [lane(span(0, 10, "a"), title="one"), lane(span(0, 15, "b"), span(16, None, "c"), title="two")]
    fault = not_unpickled(WHY, lanes, ["a"])
    assert (fault.kind, fault.task, fault.worker) == ("result cannot be unpickled", "b", "two")
    assert not_unpickled("", [], []).task is None


def test_an_error_of_a_task_that_only_sounds_like_the_pools():
    """Only the traceback tells: a task may itself have failed to pickle something."""
    fault = of_error("a", TypeError("cannot pickle '_thread.lock' object"), [])
    assert fault.kind == "task failed"
