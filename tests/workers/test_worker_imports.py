"""A worker's module is cheap to import: a spawned worker pays for it at every start."""

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
FIRST_RUN = "import json, sys; before = set(sys.modules); "


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
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, timeout=30)
    return clock() - started


def test_there_are_modules_to_price():
    assert {"article", "computing", "sources"} <= set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_it_imports_the_standard_library_only_and_little_of_it(module: str):
    code = FIRST_RUN + f"import helpers.workers.{module}; print(json.dumps(sorted(set(sys.modules) - before)))"
    new = json.loads(subprocess.check_output([sys.executable, "-c", code], env=ENVIRONMENT, timeout=30))
    tops = {name.partition(".")[0] for name in new}
    assert tops <= {*sys.stdlib_module_names, "helpers"}
    assert not any(name.startswith("helpers.panels") for name in new)
    # These would each cost a spawned worker several milliseconds for nothing.
    assert not {"ast", "multiprocessing", "pathlib", "shutil", "tempfile", "socket", "ctypes"} & tops
    assert len(new) <= 60


@pytest.mark.parametrize("module", MODULES)
def test_it_costs_25_ms_at_most(module: str, tmp_path: Path):
    """More than bare Python, that is, which takes 10 ms on the machine of that figure; slower ones get more."""
    bare, loaded = [], []
    for _ in range(20):  # as often as it takes to meet a quiet moment
        bare.append(seconds("pass", tmp_path))
        loaded.append(seconds(f"import helpers.workers.{module}", tmp_path))
        if len(bare) >= 5 and min(loaded) - min(bare) <= max(0.025, 2.5 * min(bare)):
            return
    pytest.fail(f"{module} costs {min(loaded) - min(bare):.3f} s more than bare Python, {min(bare):.3f} s")
