"""A worker's module is cheap to import: a spawned worker pays for it at every start.

One of them, `arrays`, needs numpy. It may cost as much more as numpy does, with all that numpy imports.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

if sys.platform != "win32":
    import resource

ROOT = Path(__file__).parents[2]
MODULES = sorted(path.stem for path in (ROOT / "helpers" / "workers").glob("[!_]*.py"))
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
# What stands before the import of a module, and is not put down to it; "pass" for most.
GIVEN = {"arrays": "import numpy, numpy.random, multiprocessing.shared_memory"}


def first_run(module: str, then: str) -> set[str]:
    """The modules that are imported by `then`, beside those that `module` is given."""
    code = (
        f"import json, sys; {GIVEN.get(module, 'pass')}; before = set(sys.modules); {then}; "
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    return set(json.loads(subprocess.check_output([sys.executable, "-c", code], env=ENVIRONMENT, timeout=30)))


def clock() -> float:
    if sys.platform == "win32":
        return time.perf_counter()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def seconds(code: str, compiled: Path) -> float:
    """Time to run a program whose modules are compiled, as they are from their second use on.

    Time on a core, where that can be had: it hardly grows when other programs want the cores too.
    """
    environment = {**ENVIRONMENT, "PYTHONPYCACHEPREFIX": str(compiled), "PYTHONDONTWRITEBYTECODE": ""}
    started = clock()
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, timeout=120)
    return clock() - started


def test_there_are_modules_to_price():
    assert {"article", "computing", "sources"} <= set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_it_imports_the_standard_library_only_and_little_of_it(module: str):
    new = first_run(module, f"import helpers.workers.{module}")
    tops = {name.partition(".")[0] for name in new}
    assert tops <= {*sys.stdlib_module_names, "helpers"}
    assert not any(name.startswith("helpers.panels") for name in new)
    # These would each cost a spawned worker several milliseconds for nothing.
    assert not {"ast", "multiprocessing", "pathlib", "shutil", "tempfile", "socket", "ctypes"} & tops
    assert len(new) <= 60


@pytest.mark.timeout(300)
@pytest.mark.parametrize("module", MODULES)
def test_it_costs_25_ms_at_most(module: str, tmp_path: Path):
    """More than bare Python, that is, which takes 10 ms on the machine of that figure; slower ones get more.

    Python with what the module is given takes ten times as long, so that a smaller part of it tells a slower machine.
    """
    given = GIVEN.get(module, "pass")
    part = 0.25 if module in GIVEN else 2.5
    bare, loaded = [], []
    for _ in range(20):  # as often as it takes to meet a quiet moment
        bare.append(seconds(given, tmp_path))
        loaded.append(seconds(f"{given}; import helpers.workers.{module}", tmp_path))
        if len(bare) >= 5 and min(loaded) - min(bare) <= max(0.025, part * min(bare)):
            return
    pytest.fail(f"{module} costs {min(loaded) - min(bare):.3f} s more than bare Python, {min(bare):.3f} s")


def test_a_module_that_imports_numpy_is_noticed():
    """The planted case: only `arrays` is given numpy."""
    assert "numpy" in first_run("article", "import helpers.workers.arrays")
    assert "numpy" not in first_run("arrays", "import helpers.workers.arrays")
    assert not any(
        name.partition(".")[0] == "threadpoolctl" for name in first_run("arrays", "import helpers.workers.arrays")
    )
