"""No acknowledged row is lost, whoever dies; and the two ways to get stuck do get stuck."""

import multiprocessing
import time
from functools import partial

import pytest

from helpers.observe.trace import Trace
from helpers.panels.sandbox import run_in_sandbox
from helpers.workers.full_pipes import MESSAGES, get_before_join, join_before_get, two_writers
from helpers.workers.ledger import (
    PARCEL,
    Row,
    make_ledger,
    own_with_pipes,
    own_with_queue,
    rows_in,
    send_by_pipe,
    send_by_queue,
    write_directly,
)
from tests.observe.starting import LIMIT, METHODS, until


@pytest.fixture
def file(tmp_path):
    name = str(tmp_path / "ledger.sqlite")
    make_ledger(name)
    return name


def end(processes):
    for process in processes:
        if process.pid is not None:
            process.kill()
            process.join(LIMIT)


def done(trace):
    return {lane.title: lane.done for lane in trace.lanes()}


@pytest.mark.parametrize(("patience", "refusals"), [(0.0, True), (LIMIT, False)])
def test_writers_that_do_not_wait_are_refused_and_those_that_do_are_not(file, patience, refusals):
    with Trace() as trace:
        writers = [
            multiprocessing.Process(target=write_directly, args=(trace, file, name, 20, patience), name=name)
            for name in ("ann", "ben", "cleo")
        ]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join(LIMIT)
        refused = [n.text for lane in trace.lanes() for n in lane.notes if not n.error]
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert set(refused) == ({"refused: database is locked"} if refusals else set())
    assert len(rows_in(file)) == 60 - len(refused) == sum(done(trace).values())


@pytest.mark.parametrize("method", METHODS)
def test_an_owner_with_a_queue_writes_every_row_and_ends_when_told(file, method):
    context = multiprocessing.get_context(method)
    requests, pipes = context.Queue(), {name: context.Pipe() for name in ("ann", "ben")}
    replies = {name: ours for name, (ours, _) in pipes.items()}
    with Trace() as trace:
        owner = context.Process(target=own_with_queue, args=(trace, file, requests, replies), name="owner")
        senders = [
            context.Process(target=send_by_queue, args=(trace, name, 50, requests, pipes[name][1]), name=name)
            for name in pipes
        ]
        try:
            for process in (owner, *senders):
                process.start()
            for sender in senders:
                sender.join(LIMIT)
            assert rows_in(file) == {Row(name, number) for name in pipes for number in range(50)}
            requests.put(None)
            owner.join(LIMIT)
            assert [process.exitcode for process in (owner, *senders)] == [0, 0, 0]
        finally:
            end([owner, *senders])
            requests.close()
            requests.join_thread()
    assert done(trace) == {"owner": 100, "ann": 50, "ben": 50}


@pytest.mark.parametrize("method", METHODS)
def test_ten_thousand_rows_of_eight_senders_one_killed_and_no_acknowledged_row_is_lost(file, method):
    context = multiprocessing.get_context(method)
    names = [f"sender {number}" for number in range(8)]
    # The one to be killed has so many that it cannot be through by then.
    rows = {name: 100_000 if name == names[3] else 1250 for name in names}
    ends, senders = [], []
    with Trace() as trace:
        try:
            for name in names:
                ours, theirs = context.Pipe()
                ends.append(ours)
                sender = context.Process(target=send_by_pipe, args=(trace, name, rows[name], theirs), name=name)
                senders.append(sender)
                sender.start()
                theirs.close()
            owner = context.Process(target=own_with_pipes, args=(trace, file, ends), name="owner")
            senders.append(owner)
            owner.start()
            until(lambda: done(trace).get(names[3], 0) >= 200, "a few rows of the one to be killed")
            senders[3].kill()
            for process in senders:
                process.join(LIMIT)
            codes = [process.exitcode for process in senders]
        finally:
            end(senders)
            for pipe in ends:
                pipe.close()
    acknowledged = done(trace)
    written = rows_in(file)
    assert codes[3] != 0
    assert codes[:3] + codes[4:] == [0] * 8
    for name in names:
        numbers = {row.number for row in written if row.sender == name}
        assert numbers >= set(range(acknowledged[name]))
        assert len(numbers) - acknowledged[name] in {0, PARCEL}, (
            "at most one message was written and not yet acknowledged"
        )
    assert sum(acknowledged[name] for name in names) + PARCEL >= len(written) == acknowledged["owner"]
    assert {acknowledged[name] for name in names if name != names[3]} == {1250}
    assert 200 <= acknowledged[names[3]] < 100_000


def test_a_sender_without_acknowledgement_does_not_wait_for_the_owner(file):
    requests = multiprocessing.Queue()
    with Trace() as trace:
        owner = multiprocessing.Process(target=own_with_queue, args=(trace, file, requests, {}, 0.2), name="owner")
        sender = multiprocessing.Process(target=send_by_queue, args=(trace, "ann", 1000, requests), name="ann")
        try:
            owner.start()
            sender.start()
            sender.join(LIMIT)
            requests.put(None)
            owner.join(LIMIT)
        finally:
            end([owner, sender])
            requests.close()
            requests.join_thread()
    assert len(rows_in(file)) == 1000


def test_joining_before_getting_hangs_with_much_and_getting_first_does_not():
    assert run_in_sandbox(join_before_get, 10, limit=LIMIT).value == 10
    stuck = run_in_sandbox(join_before_get, 1_000_000, limit=1.5)
    assert stuck.kind == "out of time"
    assert "process.join()" in repr(stuck)
    assert run_in_sandbox(get_before_join, 1_000_000, limit=LIMIT).value == 1_000_000


def test_two_writers_on_one_end_spoil_large_messages_unless_they_take_turns():
    spoilt = run_in_sandbox(partial(two_writers, locked=False), 1_000_000, limit=5)
    assert (spoilt.kind, spoilt.value) != ("finished", 2 * MESSAGES)
    assert run_in_sandbox(partial(two_writers, locked=True), 1_000_000, limit=LIMIT).value == 2 * MESSAGES


def test_the_sandbox_leaves_nothing_of_them():
    began = time.monotonic()
    run_in_sandbox(join_before_get, 1_000_000, limit=0.5)
    assert multiprocessing.active_children() == []
    assert time.monotonic() - began < LIMIT
