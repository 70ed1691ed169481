"""Lesson 16: what it says of a cluster, tried on a real scheduler and real workers, and on their ends."""

import ipaddress
import operator
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from distributed import Client
from distributed.client import FutureCancelledError
from distributed.scheduler import KilledWorker

from helpers.observe.trace import Trace
from helpers.panels.hosts import Hosts, hosts
from helpers.workers.sources import index_sources, source_files
from tests.observe.starting import LIMIT, until

PARENT = Path(__file__).with_name("cluster_parent.py")
ROUNDS = 20
posix = pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL and a process's descendants")

SCRIPT = """
import os
from distributed import Client

if __name__ == "__main__":
    with Client() as client:
        print(client.scheduler.address, client.submit(os.getpid).result(30))
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Hosts]:
    with hosts(workers=2) as running:
        yield running


@pytest.fixture
def client(cluster: Hosts) -> Iterator[Client]:
    with Client(cluster.scheduler_address) as connected:
        connected.wait_for_workers(2, timeout=LIMIT)
        yield connected


def family() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def listening(processes: list[psutil.Process]) -> list[tuple[str, int]]:
    found = [each.net_connections(kind="tcp") for each in processes if not gone(each)]
    return [one.laddr for some in found for one in some if one.status == psutil.CONN_LISTEN]


def assert_loopback_and_closed(ports: list[tuple[str, int]], at_least: int) -> None:
    assert len(ports) >= at_least, "a scheduler's, and for each worker its own and others; each a page too"
    assert all(ipaddress.ip_address(address).is_loopback for address, _ in ports)
    # A killed process whose threads are still ending counts as gone, and has its ports yet.
    until(lambda: not any(map(answers, ports)), "the cluster's ports to close")


def answers(place: tuple[str, int]) -> bool:
    line = HTTPConnection(*place, timeout=5)
    try:
        line.connect()
    except OSError:
        return False
    line.close()
    return True


# A killed worker


@posix
@pytest.mark.timeout(170)  # it starts four processes and kills twenty; under a minute where the machine is free
def test_a_killed_worker_costs_no_result_twenty_times_in_a_row(monkeypatch: pytest.MonkeyPatch):
    # Its workers are forked from a server that has imported Dask: a dead one is replaced in a fraction of a second.
    monkeypatch.setenv("DASK_DISTRIBUTED__WORKER__MULTIPROCESSING_METHOD", "forkserver")
    paths = source_files(limit=80)
    pieces = [paths[start::10] for start in range(10)]
    with Trace() as trace:
        right = [index_sources(trace, piece) for piece in pieces]
    before = set(family())
    with hosts(workers=2) as running, Client(running.scheduler_address) as client:
        killed = []
        for _ in range(ROUNDS):
            client.wait_for_workers(2, timeout=LIMIT)
            with Trace() as trace:
                futures = client.map(index_sources, [trace] * len(pieces), pieces)
                until(lambda: sum(lane.done for lane in trace.lanes()) >= 20, "the work to be in full swing")
                victim = max(trace.lanes(), key=lambda lane: lane.done)
                os.kill(victim.pid, signal.SIGKILL)
                assert not all(future.done() for future in futures), "it came too late"
                assert client.gather(futures) == right
                assert sum(lane.done for lane in trace.lanes()) > len(paths), "what was lost was done again"
            killed.append(victim.pid)
        assert len(set(killed)) == ROUNDS
        started = [process for process in family() if process not in before]
        ports = listening(started)
    assert len(started) >= 5
    until(lambda: all(map(gone, started)), "the cluster's processes to end")
    assert_loopback_and_closed(ports, at_least=8)


@posix
def test_a_task_that_kills_its_workers_is_blamed_after_four_deaths(client: Client):
    with pytest.raises(KilledWorker, match="on 4 different workers"):
        client.submit(os._exit, 1).result(LIMIT)


@posix
def test_scattered_data_dies_with_its_worker_unless_others_have_a_copy(client: Client):
    first = next(iter(client.nthreads()))
    alone = client.scatter(["alone"], workers=[first], hash=False)
    copied = client.scatter(["copied"], broadcast=True, hash=False)
    os.kill(client.run(os.getpid, workers=[first])[first], signal.SIGKILL)
    until(lambda: first not in client.nthreads(), "the worker to be missed")
    with pytest.raises(FutureCancelledError, match="lost dependencies"):
        client.submit(str.upper, alone[0]).result(LIMIT)
    assert client.submit(str.upper, copied[0]).result(LIMIT) == "COPIED"


# The ends of a cluster


@posix
@pytest.mark.parametrize("kind", ["hosts", "local"])
def test_nothing_is_left_when_the_parent_is_killed(kind: str, tmp_path: Path):
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, PARENT, kind], stdout=subprocess.PIPE, text=True, env=environment
    ) as parent:
        try:
            assert parent.stdout.readline() == "ready\n"
            started = psutil.Process(parent.pid).children(recursive=True)
            ports = listening([psutil.Process(parent.pid), *started])
        finally:
            parent.kill()
    assert len(started) >= 3
    until(lambda: all(map(gone, started)), "the processes of a killed parent to end")
    assert_loopback_and_closed(ports, at_least=8)


def test_a_forked_child_does_not_keep_the_cluster(cluster: Hosts):
    if not hasattr(os, "fork"):
        pytest.skip("this system has no fork")
    ends = [command.stdin.fileno() for command in cluster._commands]
    child = os.fork()
    if child == 0:
        os._exit(sum(is_open(end) for end in ends))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert all(map(is_open, ends))


def is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def test_the_dashboard_answers(cluster: Hosts):
    place = urlsplit(cluster.dashboard_link)
    page = HTTPConnection(place.hostname, place.port, timeout=LIMIT)
    page.request("GET", place.path)
    assert page.getresponse().status == 200
    page.close()


# Addresses, code and data


def test_a_script_finds_the_cluster_in_its_environment(cluster: Hosts, tmp_path: Path):
    (tmp_path / "script.py").write_text(SCRIPT)
    environment = {**os.environ, "DASK_SCHEDULER_ADDRESS": cluster.scheduler_address}
    said = subprocess.check_output([sys.executable, tmp_path / "script.py"], text=True, env=environment, timeout=50)
    address, pid = said.split()
    assert address == cluster.scheduler_address
    assert int(pid) in {process.pid for process in family()}


@posix
def test_an_uploaded_file_reaches_workers_that_come_later_too(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "only_here.py").write_text("def twice(number):\n    return 2 * number\n")
    monkeypatch.syspath_prepend(tmp_path)
    from only_here import twice  # type: ignore[import-not-found] # noqa: PLC0415 (it has just been written)

    with pytest.raises(RuntimeError) as caught:
        client.submit(twice, 1).result(LIMIT)
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)
    client.upload_file(str(tmp_path / "only_here.py"))
    assert client.submit(twice, 2).result(LIMIT) == 4
    before = set(client.nthreads())
    os.kill(client.run(os.getpid, workers=[next(iter(before))]).popitem()[1], signal.SIGKILL)
    until(lambda: len(set(client.nthreads()) - before) == 1, "a worker in its place")
    new = (set(client.nthreads()) - before).pop()
    assert client.submit(twice, 3, workers=[new]).result(LIMIT) == 6


def test_a_function_without_a_module_travels_with_what_it_uses(client: Client):
    names: dict[str, object] = {"__name__": "__main__"}
    exec("factor = 7\ndef times(number):\n    return factor * number", names)  # noqa: S102 (as a cell does it)
    assert client.submit(names["times"], 6).result(LIMIT) == 42


def test_a_known_task_is_answered_from_memory(client: Client):
    first = client.submit(time.perf_counter_ns)
    assert client.submit(time.perf_counter_ns).result(LIMIT) == first.result(LIMIT)
    assert client.submit(time.perf_counter_ns, pure=False).result(LIMIT) != first.result(LIMIT)


def test_a_value_lives_as_long_as_its_client_holds_the_future(cluster: Hosts, client: Client):
    def known(dask_scheduler: Any) -> bool:
        return key in dask_scheduler.tasks

    with Client(cluster.scheduler_address, set_as_default=False) as other:
        future = other.submit(bytes, 1_000)
        future.result(LIMIT)
        key = future.key
        assert client.run_on_scheduler(known)
    until(lambda: not client.run_on_scheduler(known), "the value to be dropped")


def test_a_task_runs_where_its_data_is(client: Client):
    homes = client.map(bytes, [10_000_000 + extra for extra in range(4)])
    client.gather(client.map(len, homes))
    on = client.run(os.getpid)
    used = {pid: address for address, pid in on.items()}
    for home in homes:
        pid = client.submit(_pid_beside, home).result(LIMIT)
        assert used[pid] in client.who_has([home])[home.key]


def _pid_beside(_: bytes) -> int:
    return os.getpid()


def test_workers_go_by_the_names_of_their_hosts(client: Client):
    with Trace() as trace:
        client.gather(client.map(index_sources, [trace] * 6, [source_files(limit=6)[n : n + 1] for n in range(6)]))
        assert Counter(lane.title for lane in trace.lanes()) == {"host 1 / tasks": 1, "host 2 / tasks": 1}


def test_a_task_through_dask_costs_a_hundred_plain_calls(client: Client):
    client.gather(client.map(operator.neg, range(10), pure=False))
    began = time.perf_counter()
    client.gather(client.map(operator.neg, range(200), pure=False))
    through_dask = time.perf_counter() - began
    began = time.perf_counter()
    assert [operator.neg(number) for number in range(200)]
    assert through_dask > 100 * (time.perf_counter() - began)
