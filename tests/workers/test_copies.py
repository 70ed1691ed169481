"""The article's functions compute on copies, and their results come back, under every start method."""

import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest

from helpers.observe.together import Together
from helpers.observe.trace import Trace
from helpers.workers import copies
from helpers.workers.copies import (
    Account,
    append_sum,
    deposit,
    f1,
    f2,
    note_price,
    note_result,
    put_result,
    send_result,
    unpack_error,
)
from tests.observe.starting import LIMIT, METHODS

each_method = pytest.mark.parametrize("method", METHODS)


def run(method, target, *args):
    process = multiprocessing.get_context(method).Process(target=target, args=args)
    process.start()
    process.join(LIMIT)
    assert process.exitcode == 0


def words(trace):
    return [note.text for lane in trace.lanes() for note in lane.notes]


def test_they_give_the_sum_and_the_difference():
    assert (f1(4, 6), f2(4, 6)) == (10, -2)


@each_method
def test_a_note_tells_the_result(method):
    with Trace() as trace:
        run(method, note_result, trace, f2, 4, 6)
        assert words(trace) == ["f2 gives -2"]


@each_method
def test_a_queue_brings_names_and_results(method):
    answers = multiprocessing.get_context(method).SimpleQueue()
    run(method, put_result, answers, f1, 4, 6)
    run(method, put_result, answers, f2, 4, 6)
    assert [answers.get(), answers.get()] == [("f1", 10), ("f2", -2)]
    answers.close()


@each_method
def test_a_pipe_brings_the_result_and_is_closed(method):
    context = multiprocessing.get_context(method)
    receiver, sender = context.Pipe(duplex=False)
    with receiver:
        process = context.Process(target=send_result, args=(sender, f1, 4, 6))
        process.start()
        sender.close()
        assert receiver.recv() == 10
        with pytest.raises(EOFError):
            receiver.recv()
        process.join(LIMIT)
    assert process.exitcode == 0


@each_method
def test_a_list_is_changed_in_the_process_only(method):
    numbers = [1, 2]
    with Trace() as trace:
        run(method, append_sum, trace, numbers)
        assert words(trace) == ["my list is [1, 2, 3]"]
    assert numbers == [1, 2]


def test_a_list_is_changed_by_a_call():
    numbers = [1, 2]
    with Trace() as trace:
        append_sum(trace, numbers)
    assert numbers == [1, 2, 3]


@each_method
def test_only_a_forked_process_finds_a_changed_price(method, monkeypatch):
    monkeypatch.setitem(copies.PRICES, "tea", 4)
    with Trace() as trace:
        run(method, note_price, trace)
        assert words(trace) == ["tea costs 4" if method == "fork" else "tea costs 3"]


def test_unpacking_is_told_by_its_error():
    assert unpack_error(pickle.dumps([1, f1])) is None
    assert unpack_error(pickle.dumps(f1).replace(b"f1", b"f9")) == "AttributeError"
    assert unpack_error(pickle.dumps(f1)[:-1]) in {"EOFError", "UnpicklingError"}


@each_method
def test_an_account_travels_without_its_lock(method):
    account = Account(0)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as pool, account.lock:
        returned = pool.submit(deposit, account, 5).result(LIMIT)
    assert (account.balance, returned.balance) == (0, 5)
    assert not returned.lock.locked()


def test_together_waits_for_a_second_call_and_tells_of_both():
    with Trace() as trace, ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(Together(trace, function), 4, 6) for function in (f1, f2)]
        assert [call.result(LIMIT) for call in calls] == [10, -2]
        (first,), (second,) = (lane.spans for lane in trace.lanes())
    assert first.start < second.end
    assert second.start < first.end


@each_method
def test_together_travels_and_goes_by_its_functions_name(method):
    with Trace() as trace, Trace() as notes:
        together = Together(trace, f1)
        assert together.__name__ == "f1"
        with trace.span("another has begun"):
            run(method, note_result, notes, together, 4, 6)
        assert words(notes) == ["f1 gives 10"]


def test_together_does_not_wait_for_ever(monkeypatch):
    monkeypatch.setattr("helpers.observe.together.PATIENCE", 0.05)
    with Trace() as trace:
        assert Together(trace, f2)(4, 6) == -2
