"""The room's machine check: one verdict from a lesson's own kernel, whatever is amiss, and nothing is left."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from helpers.observe.machine import Finding
from helpers.panels import lesson_kernel, machine_check
from helpers.panels.lesson_kernel import KernelError, findings_here, findings_of_kernel
from helpers.panels.machine_check import report
from tests.notebooks.watch import Watch

pytestmark = pytest.mark.timeout(150)  # a kernel starts within seconds, but not on every machine
ROOT = Path(__file__).parents[2]
CHECK = [sys.executable, "-m", "helpers.panels.machine_check"]
GOOD = Finding("Python", "3.13.0", good=True)
AMISS = Finding("ipykernel", "6.0", good=False, advice="Install a newer one.")


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Fails if a process or a temporary file is left; a kernel's connection file is one of these."""
    watch = Watch()
    try:
        yield watch
        assert watch.left_after_shutdown() == []
    finally:
        watch.sweep()


def check(watch: Watch, **variables: str) -> tuple[int, list[str]]:
    """The exit code and the lines of the command, run as a learner runs it."""
    environment = watch.environment | variables
    run = subprocess.run(CHECK, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert "Traceback" not in run.stderr
    return run.returncode, run.stdout.splitlines()


def plant_kernel(folder: Path, *command: str) -> str:
    """A kernel that jupyter finds before our own; gives the JUPYTER_PATH to it."""
    spec = folder / "kernels" / "python3"
    spec.mkdir(parents=True)
    described = {"argv": [*command], "display_name": "planted", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(described), encoding="utf-8")
    return str(folder)


def test_this_machine_is_ready(watch: Watch) -> None:
    code, lines = check(watch)
    assert (code, lines[-1]) == (0, "READY"), lines
    named = [line[4:].partition("  ")[0] for line in lines if line.startswith("ok  ")]
    assert {"Python", "The kernel's event loop", "Starting a process", "JupyterLab", "Widgets"} <= set(named)
    assert not any(line.startswith("NO  ") for line in lines)


def test_what_is_amiss_in_the_kernel_makes_the_verdict(watch: Watch, tmp_path: Path) -> None:
    planted = tmp_path / "ipykernel-6.29.0.dist-info"
    planted.mkdir()
    (planted / "METADATA").write_text("Metadata-Version: 2.1\nName: ipykernel\nVersion: 6.29.0\n", encoding="utf-8")
    code, lines = check(watch, PYTHONPATH=str(tmp_path))
    assert code == 1
    assert lines[-1].startswith("NOT READY: ipykernel: 6.29.0. Older ones answer clicks too late. Run: ")
    assert sum(line.startswith("NO  ") for line in lines) == 1


def test_a_kernel_that_ends_at_once_is_told_with_its_last_words(watch: Watch, tmp_path: Path) -> None:
    path = plant_kernel(tmp_path, sys.executable, "-c", "import sys; sys.exit('\\x1b[31mno such library\\x1b[0m')")
    code, lines = check(watch, JUPYTER_PATH=path)
    assert code == 1
    assert lines[-1].startswith("NOT READY: the kernel did not start: no such library. To mend it, ")


def test_a_kernel_whose_python_is_gone_is_told(watch: Watch, tmp_path: Path) -> None:
    path = plant_kernel(tmp_path, str(tmp_path / "gone"), "-f", "{connection_file}")
    code, lines = check(watch, JUPYTER_PATH=path)
    assert code == 1
    assert lines[-1].startswith("NOT READY: the kernel did not start: ")


def test_a_kernel_of_another_python_is_told(watch: Watch, tmp_path: Path) -> None:
    stranger = (
        "import sys; sys.modules['helpers'] = None; from ipykernel.kernelapp import launch_new_instance as go; go()"
    )
    path = plant_kernel(tmp_path, sys.executable, "-c", stranger, "-f", "{connection_file}")
    code, lines = check(watch, JUPYTER_PATH=path)
    assert code == 1
    assert lines[-1].startswith("NOT READY: the kernel cannot look (ModuleNotFoundError: ")
    assert "jupyter kernelspec list" in lines[-1]


def test_a_python_without_jupyter_gets_its_verdict_too() -> None:
    bare = (
        "import sys; sys.modules['ipykernel'] = None; from helpers.panels.machine_check import main; sys.exit(main())"
    )
    run = subprocess.run(
        [sys.executable, "-c", bare], cwd=ROOT, capture_output=True, text=True, timeout=50, check=False
    )
    assert run.returncode == 1
    assert run.stdout.startswith(f"NOT READY: this Python ({sys.executable}) lacks something (")
    assert "uv run" in run.stdout
    assert run.stderr == ""


def test_a_kernel_that_never_gets_ready_is_ended(
    watch: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in watch.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("JUPYTER_PATH", plant_kernel(tmp_path, sys.executable, "-c", "import time; time.sleep(300)"))
    with pytest.raises(KernelError, match=r"did not start: .*2 seconds"):
        findings_of_kernel(2)


def test_no_answer_in_time_is_told() -> None:
    def execute_interactive(*_: object, **__: object) -> None:
        raise TimeoutError

    with pytest.raises(KernelError, match=r"no answer in 3 s: close other programs"):
        lesson_kernel._ask(SimpleNamespace(execute_interactive=execute_interactive), 3)


def test_outside_a_kernel_no_widget_can_be_made() -> None:
    amiss = {each.name: each.found for each in findings_here() if not each.good}
    assert amiss.keys() == {"The kernel's event loop", "Widgets"}
    assert amiss["Widgets"].endswith("cannot be made")


def test_widgets_that_jupyterlab_cannot_draw_are_amiss(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lesson_kernel, "BaseComm", object)
    assert lesson_kernel._widgets().good
    monkeypatch.setattr(lesson_kernel, "jupyter_path", lambda _: [str(tmp_path)])
    assert lesson_kernel._widgets().found.endswith("cannot be drawn")


@pytest.mark.parametrize(("version", "good"), [("4.4.1", True), ("4.10.0", True), ("5.0", True), ("4.3.9", False)])
def test_jupyterlab_s_version(version: str, good: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001 - a parameter of the test
    monkeypatch.setattr(lesson_kernel, "version", lambda _: version)
    assert lesson_kernel._jupyterlab().good is good


def test_the_verdict_is_the_last_line() -> None:
    assert report([GOOD]).splitlines() == ["ok  Python  3.13.0", "", "READY"]
    two = report([GOOD, AMISS, AMISS._replace(name="Room", advice="Free some.")]).splitlines()
    assert two[-1] == "NOT READY: ipykernel: 6.0. Install a newer one. Room: 6.0. Free some."
    assert "NO  ipykernel  6.0" in two


def test_advice_about_what_is_good_stands_above_a_good_verdict() -> None:
    lines = report([GOOD._replace(advice="long " * 40)]).splitlines()
    assert lines[-1] == "READY"
    assert max(map(len, lines)) <= machine_check.WIDTH


def test_jupyterlab_s_floor_is_that_of_the_project() -> None:
    floor = ".".join(map(str, lesson_kernel._OLDEST_JUPYTERLAB))
    assert f"jupyterlab>={floor}," in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_the_check_runs_where_the_lessons_are() -> None:
    assert (lesson_kernel.LESSONS / "00_start_here.ipynb").is_file()
    assert lesson_kernel.LESSONS.parent.samefile(ROOT)
