"""Lesson 16: what it says of a cluster, tried on a real scheduler and real workers, and on their ends."""

import ipaddress
import operator
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from inspect import signature
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from distributed import Client, LocalCluster, wait
from distributed.client import FutureCancelledError
from distributed.scheduler import KilledWorker

from helpers.observe.trace import Trace
from helpers.panels.hosts import Hosts, hosts
from helpers.workers.sources import index_sources, source_files
from tests.observe.starting import LIMIT, until

pytestmark = pytest.mark.timeout(170)  # a cluster starts within seconds, but within a minute on a busy machine
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

HOLDER = """
import time
from distributed import Client

if __name__ == "__main__":
    future = Client().submit(bytes, 1_001)
    future.result(30)
    print(future.key, flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Hosts]:
    """One for all tests.

    Its workers are forked from a server that has imported Dask: a dead one is replaced in a fraction of a second.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DASK_DISTRIBUTED__WORKER__MULTIPROCESSING_METHOD", "forkserver")
        running = hosts(workers=2)
    with running:
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


def test_a_cluster_that_a_client_starts_shows_its_pages_to_the_network():
    assert signature(LocalCluster).parameters["dashboard_address"].default == ":8787"


@posix
@pytest.mark.timeout(170)  # it kills twenty workers; some twenty seconds where the machine is free
def test_a_killed_worker_costs_no_result_twenty_times_in_a_row(client: Client, tmp_path: Path):
    paths = source_files(limit=20)
    pieces = [paths[start::5] for start in range(5)]
    with Trace() as trace:
        right = [index_sources(trace, piece) for piece in pieces]
    killed = []
    for number in range(ROUNDS):
        client.wait_for_workers(2, timeout=LIMIT)
        kept, doomed = client.run(os.getpid).items()
        gate = tmp_path / str(number)
        with Trace() as trace:
            held = client.submit(gated(), str(gate), workers=[kept[0]])
            futures = client.map(index_sources, [trace] * len(pieces), pieces)
            until(lambda: sum(map(operator.methodcaller("done"), futures)) >= 3, "three pieces")  # noqa: B023 (at once)
            os.kill(doomed[1], signal.SIGKILL)
            gate.touch()
            assert client.gather([held, *futures]) == [True, *right]
            assert sum(lane.done for lane in trace.lanes()) > len(paths), "what was lost was done again"
        killed.append(doomed[1])
    assert len(set(killed)) == ROUNDS


def gated() -> Callable[[str], bool]:
    """A task that keeps its worker from others until a file is there. A function in a function travels as code."""

    def wait_for(gate: str) -> bool:
        end = time.monotonic() + LIMIT
        while not (opened := os.path.exists(gate)) and time.monotonic() < end:  # noqa: PTH110 (pathlib stays here)
            time.sleep(0.005)
        return opened

    return wait_for


@posix
def test_a_task_that_kills_its_workers_is_blamed_after_four_deaths(client: Client):
    with pytest.raises(KilledWorker, match="on 4 different workers"):
        client.submit(os._exit, 1).result(3 * LIMIT)


@posix
def test_scattered_data_dies_with_its_worker_and_broadcast_does_not_help(client: Client):
    first = next(iter(client.nthreads()))
    alone = client.scatter(["alone"], workers=[first], hash=False)
    copied = client.scatter(["copied"], broadcast=True, hash=False)
    until(lambda: len(client.who_has(copied)[copied[0].key]) == 1, "the copies to be dropped")
    os.kill(client.run(os.getpid, workers=[first])[first], signal.SIGKILL)
    until(lambda: first not in client.nthreads(), "the worker to be missed")
    with pytest.raises(FutureCancelledError, match="lost dependencies"):
        client.submit(str.upper, alone[0]).result(LIMIT)


# The ends of a cluster


@posix
def test_nothing_is_left_when_the_parent_is_killed(tmp_path: Path):
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen([sys.executable, PARENT], stdout=subprocess.PIPE, text=True, env=environment) as parent:
        try:
            assert parent.stdout.readline() == "ready\n"
            started = psutil.Process(parent.pid).children(recursive=True)
            ports = listening([psutil.Process(parent.pid), *started])
        finally:
            parent.kill()
    assert len(started) >= 4, "a scheduler, a worker's command, and two workers"
    until(lambda: all(map(gone, started)), "the processes of a killed parent to end")
    assert_loopback_and_closed(ports, at_least=10)


@posix
def test_a_killed_client_loses_its_futures_and_no_others(cluster: Hosts, client: Client):
    mine = client.submit(operator.neg, 5)
    environment = {**os.environ, "DASK_SCHEDULER_ADDRESS": cluster.scheduler_address}
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True, env=environment
    ) as holder:
        try:
            key = holder.stdout.readline().strip()
            assert is_known(client, key)
        finally:
            holder.kill()
    until(lambda: not is_known(client, key), "the futures of a killed client to be forgotten")
    assert is_known(client, mine.key)
    assert client.submit(operator.add, mine, 1).result(LIMIT) == -4


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

    with pytest.raises(RuntimeError, match="Error during deserialization of the task graph") as caught:
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
    with Client(cluster.scheduler_address, set_as_default=False) as other:
        future = other.submit(bytes, 1_000)
        future.result(LIMIT)
        key = future.key
        assert is_known(client, key)
    until(lambda: not is_known(client, key), "the value to be dropped")


def is_known(client: Client, key: str) -> bool:
    """Whether the scheduler has heard of that task and not forgotten it."""

    def known(dask_scheduler: Any) -> bool:
        return key in dask_scheduler.tasks

    return client.run_on_scheduler(known)


def test_a_task_runs_where_its_data_is(client: Client):
    places = [address for address in client.nthreads() for _ in range(2)]
    homes = [client.submit(bytes, 10_000_000 + n, workers=[place]) for n, place in enumerate(places)]
    wait(homes, timeout=LIMIT)
    before = client.who_has(homes)
    used = {pid: address for address, pid in client.run(os.getpid).items()}
    for home, place in zip(homes, places, strict=True):
        assert before[home.key] == (place,)
        pid = client.submit(_pid_beside, home).result(LIMIT)
        assert used[pid] in before[home.key]


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
    assert through_dask > 100 * min(plain_calls(200) for _ in range(5))


def plain_calls(count: int) -> float:
    began = time.perf_counter()
    assert [operator.neg(number) for number in range(count)]
    return time.perf_counter() - began


# The last test: it ends the cluster


@posix
def test_without_its_scheduler_all_is_lost_and_the_workers_end(cluster: Hosts, client: Client):
    held = client.submit(bytes, 10)
    held.result(LIMIT)
    scheduler, *workers = [psutil.Process(command.pid) for command in cluster._commands]
    started = [scheduler, *(each for worker in workers for each in (worker, *worker.children(recursive=True)))]
    ports = listening(started)
    scheduler.kill()
    until(lambda: all(map(gone, started)), "the workers to end with their scheduler")
    with pytest.raises(FutureCancelledError, match="scheduler-connection-lost"):
        held.result(LIMIT)
    assert_loopback_and_closed(ports, at_least=8)
