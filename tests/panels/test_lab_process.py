"""The lab's processes: they answer, they are refused in words, and none is left, whatever the program does."""

import asyncio
import multiprocessing
import threading
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any, TypeVar

import pytest

from helpers.observe.lab.program import Program
from helpers.panels import lab_process
from helpers.panels.lab_process import explored, explored_now, walked
from tests.panels import lab_programs
from tests.panels.lab_programs import DEADLOCK, FIXED, LOST_UPDATE, f1, f2, in_a_cell, leave_the_process, make

pytestmark = pytest.mark.usefixtures("left_as_found")
T = TypeVar("T")


def answer_of(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(coroutine, 50))


def test_a_walk_gives_the_situations_that_are_not_known():
    first, second, third = answer_of(walked(DEADLOCK, (0, 1), known=-1))
    assert (first.steps, second.steps, third.steps) == ((), (0,), (0, 1))
    assert third.log == ("f1 acquires lock_x", "f2 acquires lock_y")
    assert third.verdict is not None
    assert third.verdict.kind == "deadlock"
    assert answer_of(walked(DEADLOCK, (0, 1), known=1)) == [third]


def test_all_schedules_are_explored():
    bad = answer_of(explored(DEADLOCK, 10)).bad
    assert bad is not None
    assert (bad.kind, len(bad.schedule)) == ("deadlock", 2)
    assert answer_of(explored(FIXED, 10)).complete
    assert answer_of(explored(FIXED, 10)) == explored_now(FIXED, 10)


def test_functions_of_a_cell_are_sent_by_value():
    program = Program(in_a_cell(make), [in_a_cell(f1), in_a_cell(f2)])
    assert len(answer_of(walked(program, (0,), known=-1))) == 2


def test_other_things_go_on_while_a_process_works():
    async def count() -> int:
        task = asyncio.ensure_future(explored(LOST_UPDATE, 10))
        beats = 0
        while not task.done():
            await asyncio.sleep(0)
            beats += 1
        assert (await task).bad is not None
        return beats

    assert answer_of(count()) > 100


def test_what_the_lab_does_not_know_is_a_type_error_with_the_engine_s_words():
    program = Program(lab_programs.make_a_queue, [lab_programs.add])
    with pytest.raises(TypeError, match="items") as caught:
        answer_of(walked(program, (), known=-1))
    assert "Queue" in str(caught.value)


def test_what_cannot_be_sent_is_a_type_error_with_the_cure():
    lock = threading.Lock()

    def use(shared: SimpleNamespace) -> None:
        with lock:
            shared.x = 1

    with pytest.raises(TypeError, match=r"cannot be sent .* what make\(\) makes"):
        explored_now(Program(make, [use]), 10)


def test_an_error_in_make_is_told():
    def broken() -> SimpleNamespace:
        raise LookupError("nothing here")

    with pytest.raises(ValueError, match="LookupError: nothing here"):
        answer_of(walked(Program(broken, [f1]), (), known=-1))


def test_a_program_that_ends_its_process_is_told_so():
    program = Program(make, [leave_the_process])
    with pytest.raises(ValueError, match=r"ended the process it ran in \(exit code 3\)"):
        answer_of(walked(program, (0,), known=-1))
    with pytest.raises(ValueError, match="exit code 3"):
        explored_now(program, 10)


def test_a_program_that_never_answers_is_ended(monkeypatch):
    monkeypatch.setattr(lab_process, "START_LIMIT", 0.2)
    program = Program(lab_programs.make_endlessly, [f1])
    with pytest.raises(ValueError, match=r"no answer within 0\.2 s"):
        answer_of(walked(program, (), known=-1))
    with pytest.raises(ValueError, match=r"no answer within 0\.3 s"):
        explored_now(program, 0.1)


def test_a_question_that_is_cancelled_leaves_no_process():
    async def cancel() -> int:
        task = asyncio.ensure_future(walked(Program(lab_programs.make_endlessly, [f1]), (), known=-1))
        await asyncio.sleep(0.01)
        assert len(multiprocessing.active_children()) == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return len(multiprocessing.active_children())

    assert answer_of(cancel()) == 0
