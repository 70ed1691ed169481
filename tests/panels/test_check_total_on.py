"""The exercise of lesson 16: right answers pass though a worker dies, and each likely mistake has its hint."""

import functools
from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from helpers.panels import check_total_on as module
from helpers.panels.check_total_on import check_total_on
from helpers.panels.guard import guarded
from helpers.panels.hosts import Hosts, hosts


@pytest.fixture(scope="module")
def cluster() -> Iterator[Hosts]:
    with hosts(workers=2) as running:
        yield running


@pytest.fixture(autouse=True)
def shared(cluster: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    """One cluster for all tries; the lesson's own runs start theirs."""
    monkeypatch.setattr(module, "hosts", lambda **_: nullcontext(cluster))


def by_map(client, load, names):
    return sum(client.gather(client.map(sum, client.map(load, names))))


def by_submit(client, load, names):
    sums = [client.submit(sum, client.submit(load, name)) for name in names]
    return client.submit(sum, sums).result()


@pytest.mark.parametrize("answer", [by_map, by_submit])
def test_right_answers(answer):
    verdict = check_total_on(answer)
    assert verdict.good, repr(verdict)
    assert len(verdict.lines) == 3


def unedited(client, load, names): ...


def test_an_unedited_stub_needs_no_cluster(monkeypatch):
    monkeypatch.setattr(module, "hosts", None)
    assert check_total_on(unedited).heading == "Nothing to check yet."


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
    "holds on": (holds_on_to_its_workers, "was interrupted after 3 seconds"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes(mistake, monkeypatch, capfd):
    answer, words = MISTAKES[mistake]
    if mistake == "holds on":
        monkeypatch.setattr("helpers.panels.exercise.guarded", functools.partial(guarded, limit=3))
    verdict = check_total_on(answer)
    assert not verdict.good
    assert "Traceback" not in repr(verdict)
    assert verdict.lines[-1].startswith("Hint: ")
    assert words in verdict.lines[-1], verdict
    assert capfd.readouterr().err == ""
