"""The machine's check: what is there is found, and what is amiss comes with a cure."""

import asyncio
import multiprocessing
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError

import pytest

from helpers.observe import machine
from helpers.observe.cores import Cores, _quota, count_cores
from helpers.observe.machine import Finding, check_machine
from helpers.panels.machine_card import MachineCard

GOOD_START = Finding("Starting a process", "works", good=True)
STARTS = machine._starts


@pytest.fixture
def real_starts():
    return STARTS


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """No process is started: that is test_starts' matter, and takes half a second each time."""
    monkeypatch.setattr(machine, "_starts", lambda: GOOD_START)


async def check_in_a_loop():
    return check_machine()


def finding(name):
    found = {f.name: f for f in asyncio.run(check_in_a_loop())}
    return found[name]


def test_this_machine_is_ready():
    findings = asyncio.run(check_in_a_loop())
    assert [f for f in findings if not f.good] == []
    assert len(findings) >= 8
    assert repr(MachineCard(findings)) == "<Machine: ready>"


def test_python_is_found():
    assert platform.python_version() in finding("Python").found


def test_an_old_python_is_amiss(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    assert not finding("Python").good
    assert "3.11" in finding("Python").advice


def test_cores_are_those_that_exist_and_may_be_used():
    cores = count_cores()
    assert cores.exist == os.cpu_count()
    assert 1 <= cores.at_once <= cores.usable <= cores.exist
    assert finding("Cores you may use").found == f"{cores.usable} of {cores.exist}"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_cores_taken_away_by_affinity_are_not_counted():
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from helpers.observe.cores import count_cores; print(count_cores().usable)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50, check=True)
    assert run.stdout.strip() == "1"


def test_one_core_is_good_but_says_what_cannot_be_seen(monkeypatch):
    monkeypatch.setattr(machine, "count_cores", lambda: Cores(1, 1, None))
    one = finding("Cores you may use")
    assert one.good
    assert "no faster" in one.advice


def test_a_containers_limit_is_told(monkeypatch):
    monkeypatch.setattr(machine, "count_cores", lambda: Cores(8, 8, 2.5))
    limit = finding("The container's limit")
    assert limit.found == "time for 2.5 of them"
    assert "choose 2 as the number" in limit.advice


@pytest.mark.parametrize(
    ("cores", "at_once"),
    [(Cores(8, 4, None), 4), (Cores(8, 4, 2.5), 2), (Cores(8, 4, 0.5), 1), (Cores(8, 4, 6.0), 4)],
)
def test_how_many_run_at_once(cores, at_once):
    assert cores.at_once == at_once


def group(root, path, **files):
    folder = root / "sys/fs/cgroup" / path
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def membership(root, text):
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(text)


def test_quota_of_version_2_is_the_smallest_on_the_way_up(tmp_path):
    membership(tmp_path, "0::/jobs/mine\n")
    group(tmp_path, "jobs/mine", cpu__max="max 100000\n")
    group(tmp_path, "jobs", cpu__max="150000 100000\n")
    assert _quota(tmp_path) == 1.5
    group(tmp_path, "jobs/mine", cpu__max="50000 100000\n")
    assert _quota(tmp_path) == 0.5


def test_quota_of_version_1(tmp_path):
    membership(tmp_path, "7:memory:/x\n4:cpu,cpuacct:/docker/abc\n")
    group(tmp_path, "cpu,cpuacct", cpu__cfs_quota_us="200000\n", cpu__cfs_period_us="100000\n")
    assert _quota(tmp_path) == 2.0


@pytest.mark.parametrize("text", ["-1\n", "0\n"])
def test_version_1_without_a_limit(tmp_path, text):
    membership(tmp_path, "4:cpu:/\n")
    group(tmp_path, "cpu", cpu__cfs_quota_us=text, cpu__cfs_period_us="100000\n")
    assert _quota(tmp_path) is None


def test_no_control_groups_at_all(tmp_path):
    assert _quota(tmp_path) is None


def test_the_start_method_is_the_platforms_and_nothing_is_settled_by_asking():
    code = (
        "from helpers.observe.machine import check_machine; import multiprocessing as m\n"
        "print(*[f.found.split(' ')[0] for f in check_machine() if f.name == 'How processes start'])\n"
        "print(m.get_start_method(allow_none=True)); print(m.get_start_method())"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50, check=True)
    found, settled, default = run.stdout.split()
    assert found == default
    assert settled == "None"


def test_all_start_methods_are_named():
    assert all(way in finding("How processes start").found for way in multiprocessing.get_all_start_methods())


def test_ways_to_start_are_named(monkeypatch, real_starts):
    monkeypatch.setattr(machine, "start_errors", lambda: {"fork": "", "spawn": ""})
    assert real_starts() == Finding("Starting a process", "works (fork, spawn)", good=True)


def test_a_way_that_does_not_work_is_amiss(monkeypatch, real_starts):
    monkeypatch.setattr(machine, "start_errors", lambda: {"fork": "", "spawn": "exit code 3"})
    amiss = real_starts()
    assert not amiss.good
    assert amiss.found == "spawn: exit code 3"
    assert "virus scanner" in amiss.advice


@pytest.mark.parametrize(
    ("version", "good"), [("7.4.0", True), ("7.10.1", True), ("8.0", True), ("7.3.9", False), ("6.29.5", False)]
)
def test_ipykernel_versions(version, good, monkeypatch):
    monkeypatch.setattr(machine, "version", lambda _: version)
    assert finding("ipykernel").good is good
    assert ("pip install --upgrade" in finding("ipykernel").advice) is not good


def test_no_ipykernel(monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(machine, "version", missing)
    assert finding("ipykernel").found == "not installed"
    assert not finding("ipykernel").good


@pytest.mark.parametrize(("enabled", "words"), [(True, "on"), (False, "off")])
def test_the_gil(enabled, words, monkeypatch):
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: enabled, raising=False)
    assert finding("The GIL").found.startswith(words)
    assert finding("The GIL").good


def test_a_free_threaded_build_with_its_gil_on_is_told(monkeypatch):
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: True, raising=False)
    monkeypatch.setattr(machine.sysconfig, "get_config_var", lambda _: 1)
    assert "-X gil=0" in finding("The GIL").advice


def test_outside_a_notebook_the_missing_loop_is_amiss():
    amiss = [f for f in check_machine() if not f.good]
    assert [f.name for f in amiss] == ["The kernel's event loop"]
    assert "JupyterLab" in amiss[0].advice


def test_a_full_disk_is_amiss(monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 5_000_000))
    room = finding("Room for temporary files")
    assert not room.good
    assert "100 MB" in room.advice


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it has no limit of its own")
@pytest.mark.parametrize(("free", "good"), [(32_000_000, True), (31_999_999, False)])
def test_little_shared_memory_is_amiss(free, good, monkeypatch):
    def usage(path):
        return shutil._ntuple_diskusage(10**9, 10**9, free if path == machine.SHARED else 10**9)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    assert finding("Room for shared memory").good is good
    assert ("--shm-size" in finding("Room for shared memory").advice) is not good


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it has no limit of its own")
def test_no_shared_memory_at_all_is_amiss(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "SHARED", str(tmp_path / "gone"))
    assert finding("Room for shared memory").found.endswith("gone: No such file or directory")
    assert not finding("Room for shared memory").good


def test_elsewhere_shared_memory_is_not_looked_for(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert machine._shared_memory() == []


def test_a_folder_that_cannot_be_written_is_amiss_and_nothing_is_raised(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    assert not finding("Room for temporary files").good
    assert "TMPDIR" in finding("Room for temporary files").advice
    assert not finding("Recording what workers do").good


def test_a_trace_that_cannot_be_mapped_is_amiss(monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("helpers.observe.lane._reserved_map", full)
    assert finding("Recording what workers do").found == "does not work"


def test_the_card_says_what_to_put_right_in_words():
    card = MachineCard(
        [Finding("Python", "3.9", good=False, advice="Install a newer one."), Finding("GIL", "on", good=True)]
    )
    assert repr(card) == "<Machine: one thing to put right>\n  Python: 3.9. Install a newer one."
    shown = card._repr_html_()
    assert shown.index("✘ to put right") < shown.index("✔ good")
    assert '<figure class="pc-picture">' in shown
    assert "Install a newer one." in shown
    assert "What it means" not in MachineCard([Finding("GIL", "on", good=True)])._repr_html_()
    assert "2 things" in repr(MachineCard([Finding("a", "b", good=False)] * 2))


def test_the_card_escapes_what_it_found():
    shown = MachineCard([Finding("<a>", "<b>", good=True, advice="<i>")])._repr_html_()
    assert not any(tag in shown for tag in ("<a>", "<b>", "<i>"))
