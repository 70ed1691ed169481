"""The net holds: notebooks that must fail do fail, each for its own reason, and a good one passes.

They run through the same plugin, nbval and settings as the lessons, in two pytests of their own. Those that hang are
in the one with a short limit, with others whose cells take no time at all.
"""

import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil
import pytest

pytestmark = pytest.mark.timeout(300)

ROOT: Final = Path(__file__).parents[2]
PLANTED: Final = ROOT / "tests" / "planted"
ARTEFACTS: Final = ROOT / "tests" / "artefacts"
MARK: Final = "PAINLESS_PLANTED_RUN"
END: Final = "nothing left"
SHORT: Final = ("hanging", "hanging_deaf", "null_count", "stale_output", "temporary_file_left", "thread_left")
SHORT_LIMIT: Final = 4
POSIX_ONLY: Final = ("orphan", "orphan_of_forkserver", "shared_memory_left")

# Which test of which notebook fails, and what it says. Those that say two things fail twice.
FAILURES: Final = [
    ("child_dies", END, "ZeroDivisionError"),
    ("orphan", END, "a process was left running"),
    ("orphan_detached", END, "a process was left running"),
    ("orphan_of_forkserver", END, "a process was left running"),
    ("thread_left", END, "a thread was left running: 'forgotten'"),
    ("executor_left_busy", END, "a thread was left running: 'asyncio_0'"),
    ("shared_memory_left", END, "shared memory was left: p"),
    ("temporary_file_left", END, "a temporary file was left: painless-"),
    ("port_left", END, "a port was left open"),
    ("hanging", "Cell 0", "Timeout of 4 seconds exceeded"),
    ("hanging_deaf", "Cell 0", "Timeout of 4 seconds exceeded"),
    ("hanging_deaf", END, "the kernel was gone before the end"),
    ("stale_output", "Cell 0", "Cell outputs differ"),
    ("null_count", END, "execution_count is None"),
]
Outcome = dict[tuple[str, str], str | None]


def outcome_of(report: Path) -> Outcome:
    """What each test of each notebook said: None if it passed."""
    cases = ET.parse(report).iter("testcase")  # noqa: S314 - written by our own pytest
    failures = {case: (case.find("failure"), case.find("error")) for case in cases}
    return {
        (case.attrib["classname"].split(".")[-2], case.attrib["name"]): next(
            ("".join(part.itertext()) for part in parts if part is not None), None
        )
        for case, parts in failures.items()
    }


def without_counts(planted: Path) -> Path:
    """A copy of a notebook as it is before it has run; it is made here, as none may be stored so."""
    ARTEFACTS.mkdir(exist_ok=True)  # within the repository, or pytest would have no name for it
    notebook = json.loads(planted.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["execution_count"] = None
    copy = ARTEFACTS / planted.name
    copy.write_text(json.dumps(notebook), encoding="utf-8")
    return copy


def start(names: list[str], report: Path, limit: int, scratch: Path) -> subprocess.Popen[bytes]:
    """Start the notebooks of these names, with `limit` seconds a cell."""
    planted = [PLANTED / f"{name}.ipynb" for name in names]
    files = [without_counts(path) if path.stem == "null_count" else path for path in planted]
    options = ["-n0", "-p", "no:cacheprovider", "--color=no", f"--junitxml={report}", f"--nbval-cell-timeout={limit}"]
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", *options, *files],
        cwd=ROOT,
        env=os.environ | {MARK: str(scratch), "TMPDIR": str(scratch)},
        stdout=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def scratch() -> Iterator[Path]:
    # Not pytest's own folder: sockets lie within it, and its path is too long for them.
    with tempfile.TemporaryDirectory(prefix="pl-") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def outcome(scratch: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    reports = tmp_path_factory.mktemp("reports")
    others = [path.stem for path in sorted(PLANTED.glob("*.ipynb")) if path.stem not in SHORT]
    runs = [
        start(list(SHORT), reports / "short.xml", SHORT_LIMIT, scratch),
        start(others, reports / "others.xml", 60, scratch),
    ]
    try:
        for run in runs:
            run.wait(timeout=250)
    finally:
        for run in runs:
            run.kill()
            run.wait()
        (ARTEFACTS / "null_count.ipynb").unlink(missing_ok=True)
    return {key: said for report in sorted(reports.glob("*.xml")) for key, said in outcome_of(report).items()}


@pytest.mark.parametrize(("name", "test", "reason"), FAILURES)
def test_fails_for_its_reason(outcome: Outcome, name: str, test: str, reason: str) -> None:
    if sys.platform == "win32" and name in POSIX_ONLY:
        pytest.skip("Windows has no sessions, no forkserver and no shared memory that outlives its users")
    if sys.platform == "darwin" and name == "shared_memory_left":
        pytest.skip("macOS does not list shared memory")
    assert reason in (outcome[name, test] or "passed")


def test_fails_for_no_other_reason(outcome: Outcome) -> None:
    # The words of a worker that died may reach its cell or come after it; the end sees them in both cases.
    failed = {key for key, said in outcome.items() if said is not None} - {("child_dies", "Cell 0")}
    if sys.platform == "linux":
        assert failed == {(name, test) for name, test, _ in FAILURES}


def test_a_good_notebook_passes(outcome: Outcome) -> None:
    assert [said for (name, _), said in outcome.items() if name == "good"] == [None] * 6


@pytest.mark.usefixtures("outcome")
def test_nothing_of_them_is_left(scratch: Path) -> None:
    def is_left(process: psutil.Process) -> bool:
        try:
            return bool(process.environ().get(MARK) == str(scratch) and process.status() != psutil.STATUS_ZOMBIE)
        except (psutil.Error, OSError):
            return False

    assert [process.cmdline() for process in psutil.process_iter() if is_left(process)] == []
    assert list(scratch.iterdir()) == []
