"""Time the first task: from nothing to the first result of a new pool of two, by start method and by what it imports.

    uv run python -m benchmarks.starting

Each is measured in a process of its own that has imported the worker's module already, as a notebook has; so the
first task under forkserver pays for the server too, as the first one in a notebook does.
"""

import multiprocessing
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.report import Aim, aims_table, machine

ROUNDS: Final = 7
LIMIT: Final = 60.0  # seconds
POOLS: Final = ("ProcessPoolExecutor", "Pool")
MODULES: Final = {"benchmarks.tasks_plain": "standard library only", "benchmarks.tasks_numpy": "imports NumPy"}
ROOT: Final = Path(__file__).parents[1]


def first_task(pool: str, method: str, module: str) -> float:
    """Milliseconds until a new pool gives its first result."""
    square = import_module(module).square
    context = multiprocessing.get_context(method)
    began = time.perf_counter()
    if pool == "Pool":
        with context.Pool(2) as workers:
            workers.apply(square, (2,))
            return 1000 * (time.perf_counter() - began)
    with ProcessPoolExecutor(2, context) as executor:
        executor.submit(square, 2).result()
        return 1000 * (time.perf_counter() - began)


def in_new_process(pool: str, method: str, module: str) -> float:
    """The same in a process of its own, whose main module is nothing that workers would import."""
    code = f"from benchmarks.starting import first_task; print(first_task({pool!r}, {method!r}, {module!r}))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=LIMIT)
    return float(done.stdout)


def measured(rounds: int) -> dict[tuple[str, str, str], list[float]]:
    """All of them in turn, round after round."""
    methods = multiprocessing.get_all_start_methods()
    found: dict[tuple[str, str, str], list[float]] = {
        (module, pool, method): [] for module in MODULES for pool in POOLS for method in methods
    }
    for _ in range(rounds):
        for (module, pool, method), took in found.items():
            took.append(in_new_process(pool, method, module))
    return found


def main() -> None:
    """Print the table."""
    print(f"{machine()}, {ROUNDS} rounds\n")
    rows = measured(ROUNDS)
    print(
        "| worker's module | pool | start method | first result after, ms | least to most |\n|---|---|---|---:|---|"
    )
    for (module, pool, method), took in rows.items():
        spread = f"{min(took):.0f} to {max(took):.0f}"
        print(f"| {MODULES[module]} | {pool} | {method} | {median(took):.0f} | {spread} |")
    figures = [
        Aim(f"first task, {pool}, {method}, {MODULES[module]}", median(took), None, "ms")
        for (module, pool, method), took in rows.items()
        if method != "fork"
    ]
    print("", aims_table(figures), sep="\n")


if __name__ == "__main__":
    main()
