"""The exercise of lesson 16: right answers pass though a worker dies, and each likely mistake has its hint."""

import functools
import os
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import psutil
import pytest
from distributed import Client

from helpers.observe.leftovers import started_threads
from helpers.panels import check_total_on as module
from helpers.panels.check_total_on import check_total_on
from helpers.panels.guard import Answer, guarded
from helpers.panels.hosts import Hosts, hosts
from helpers.panels.verdict import Verdict
from tests.observe.starting import LIMIT, until

pytestmark = pytest.mark.timeout(200)  # a cluster starts within seconds, but within a minute on a busy machine


@pytest.fixture(scope="module")
def cluster() -> Iterator[Hosts]:
    """One for all tries; its workers are forked from a server that has imported Dask, for a quick replacement."""
    before = set(family())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("helpers.panels.hosts.START_LIMIT", 140)
        patch.setenv("DASK_DISTRIBUTED__WORKER__MULTIPROCESSING_METHOD", "forkserver")
        running = hosts(workers=2)
    with running:
        yield running
        started = set(family()) - before
    assert len(started) >= 5, "a scheduler, two commands, two workers"
    until(lambda: not any(map(psutil.Process.is_running, started)), "the cluster's processes to end")


def family() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


@pytest.fixture
def check(cluster: Hosts) -> Callable[[Answer], Verdict]:
    return functools.partial(check_total_on, cluster=cluster)


def by_map(client, load, names):
    return sum(client.gather(client.map(sum, client.map(load, names))))


def by_submit(client, load, names):
    sums = [client.submit(sum, client.submit(load, name)) for name in names]
    return client.submit(sum, sums).result()


@pytest.mark.parametrize("answer", [by_map, by_submit])
def test_right_answers(check, answer):
    verdict = check(answer)
    assert verdict.good, repr(verdict)
    assert len(verdict.lines) == 3


def unedited(client, load, names): ...


def test_an_unedited_stub_needs_no_cluster():
    assert check_total_on(unedited, None).heading == "Nothing to check yet."


def test_a_cluster_that_is_closed_is_said():
    verdict = check_total_on(by_map, SimpleNamespace(scheduler_address="tcp://127.0.0.1:1"))
    assert verdict.heading == "Not checked."
    assert "run the cell with hosts(workers=2) once more" in verdict.lines[0]
    assert started_threads() == []


def test_a_worker_that_is_busy_is_said(check, cluster, monkeypatch, tmp_path):
    gate = tmp_path / "gate"

    def wait_for_gate(path):  # a function in a function: it travels as code
        end = time.monotonic() + LIMIT
        while not os.path.exists(path) and time.monotonic() < end:  # noqa: PTH110 (a plain path is enough)
            time.sleep(0.01)

    with Client(cluster.scheduler_address) as client:
        busy = client.submit(wait_for_gate, str(gate))
        monkeypatch.setattr(module, "FREE_LIMIT", 1)
        assert check(by_map).heading == "Not checked."
        gate.touch()
        busy.result(LIMIT)


def test_both_workers_are_there_and_free_afterwards(check, cluster):
    with Client(cluster.scheduler_address) as client:
        before = set(client.nthreads())
        assert check(by_map).good
        assert len(client.nthreads()) == 2
        assert set(client.nthreads()) != before, "one was killed"
        assert not any(client.processing().values())


def here(_client, load, names):
    return sum(sum(load(name)) for name in names)


def scatters(client, load, names):
    return sum(client.gather(client.map(sum, client.scatter([load(name) for name in names]))))


def gathers_lists(client, load, names):
    return sum(map(sum, client.gather(client.map(load, names))))


def one_by_one(client, load, names):
    return sum(client.submit(sum, client.submit(load, name)).result() for name in names)


def gives_a_future(client, load, names):
    return client.submit(sum, client.map(sum, client.map(load, names)))


def gives_a_list(client, load, names):
    return client.gather(client.map(sum, client.map(load, names)))


def forgets_to_return(client, load, names):
    sum(client.gather(client.map(sum, client.map(load, names))))


def forgets_the_last(client, load, names):
    return by_map(client, load, names[:-1] or names)


def adds_futures(client, load, names):
    return sum(client.map(sum, client.map(load, names)))


def holds_on_to_its_workers(client, load, names):
    first, second = client.nthreads()
    lists = [client.submit(load, name, workers=[[first, second][place % 2]]) for place, name in enumerate(names)]
    return sum(client.gather(client.map(sum, lists)))


MISTAKES = {
    "here": (here, "load was called in the notebook"),
    "scatters": (scatters, "load was called in the notebook"),
    "gathers lists": (gathers_lists, "6 lists came to the notebook"),
    "one by one": (one_by_one, "made one after the other"),
    "a future": (gives_a_future, "ask for its result()"),
    "a list": (gives_a_list, "add the lists' sums up too"),
    "no return": (forgets_to_return, "does it end with return?"),
    "one too few": (forgets_the_last, "For 6 lists the sum is"),
    "adds futures": (adds_futures, "raised TypeError"),
    "holds on": (holds_on_to_its_workers, "was interrupted after 5 seconds"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes(check, mistake, monkeypatch, capfd):
    answer, words = MISTAKES[mistake]
    if mistake == "holds on":
        monkeypatch.setattr("helpers.panels.exercise.guarded", functools.partial(guarded, limit=5))
    verdict = check(answer)
    assert not verdict.good
    assert "Traceback" not in repr(verdict)
    assert verdict.lines[-1].startswith("Hint: ")
    assert words in verdict.lines[-1], verdict
    if mistake == "holds on":
        assert len(verdict.lines) == 3, "it is right as long as no worker dies"
    assert capfd.readouterr().err == ""
