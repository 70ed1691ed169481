"""The kinds of work do what they say, in threads and in processes, and only the first passes the GIL on."""

import multiprocessing
import os
import pickle
import sys
import threading
from collections.abc import Callable

import pytest

from helpers.observe.reading import Lane
from helpers.observe.trace import Trace
from helpers.observe.usage import cores_used
from helpers.workers.kinds import MEGABYTE, add_up, compress, on_one_core, sort, take_steps, wait
from tests.observe.starting import LIMIT, METHODS

Kind = Callable[[Trace, int], object]

KINDS: dict[Kind, tuple[int, list[str]]] = {
    add_up: (3, ["adding up"]),
    take_steps: (3, ["step"] * 3),
    compress: (1, ["zlib.compress"]),
    sort: (1000, ["sorted"]),
    wait: (0, ["waiting"]),
}


def check(lanes: list[Lane], kind: Kind) -> None:
    (lane,) = lanes
    amount, names = KINDS[kind]
    assert [span.name for span in lane.spans] == names
    assert all(span.end is not None for span in lane.spans)
    assert lane.done == lane.expected == (amount if kind in {add_up, take_steps} else 1)


@pytest.mark.parametrize("kind", KINDS)
def test_in_a_thread(kind: Kind):
    with Trace() as trace:
        thread = threading.Thread(target=kind, args=(trace, KINDS[kind][0]))
        thread.start()
        thread.join(LIMIT)
        check(trace.lanes(), kind)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", KINDS)
def test_in_a_process(kind: Kind, method: str):
    assert pickle.loads(pickle.dumps(kind)) is kind  # noqa: S301 (our own)
    with Trace() as trace:
        process = multiprocessing.get_context(method).Process(target=kind, args=(trace, KINDS[kind][0]))
        process.start()
        process.join(LIMIT)
        assert process.exitcode == 0
        check(trace.lanes(), kind)


def test_their_results():
    with Trace() as trace:
        in_order = sort(trace, 1000)
        assert in_order == sorted(in_order)
        assert len(set(in_order)) == 1000
        assert compress(trace, 2) > 1.9 * MEGABYTE  # random bytes do not shrink


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not wait])
@pytest.mark.parametrize("amount", [0, -1])
def test_they_refuse(kind: Kind, amount: int):
    with Trace() as trace, pytest.raises(ValueError, match=f"must be at least 1, got {amount}"):
        kind(trace, amount)


@pytest.mark.parametrize("seconds", [-0.1, float("nan"), float("inf")])
def test_a_wait_refuses(seconds: float):
    with Trace() as trace, pytest.raises(ValueError, match=f"seconds must be 0 or more and finite, got {seconds}"):
        wait(trace, seconds)


@pytest.mark.parametrize("method", METHODS)
def test_one_core_is_one_core(method: str):
    context = multiprocessing.get_context(method)
    before = os.sched_getaffinity(0) if sys.platform == "linux" else None
    with Trace() as trace:
        processes = [context.Process(target=on_one_core, args=(take_steps, trace, 400)) for _ in range(2)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(LIMIT)
        assert [process.exitcode for process in processes] == [0, 0]
        assert [lane.done for lane in trace.lanes()] == [400, 400]
        if before is not None:
            assert cores_used(trace) < 1.1
            assert os.sched_getaffinity(0) == before


def test_on_one_core_can_be_told_from_two():
    """Otherwise the test above could not fail. Any moment of quiet will do; there may be none."""
    if sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2:
        pytest.skip("needs two cores")
    for _ in range(10):
        with Trace() as trace:
            processes = [multiprocessing.Process(target=take_steps, args=(trace, 400)) for _ in range(2)]
            for process in processes:
                process.start()
            for process in processes:
                process.join(LIMIT)
            if cores_used(trace) > 1.2:
                return
    pytest.skip("other programs keep this machine's cores busy")
