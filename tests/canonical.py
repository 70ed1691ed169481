"""Run notebooks and store them in canonical form, or check that they are stored so.

    python tests/canonical.py notebooks/*.ipynb             # run, rewrite what changed
    python tests/canonical.py --check notebooks/*.ipynb     # run, change nothing, exit 1 where something would

What the canonical form is stands in tests/notebooks/stored.py.
"""

import argparse
import asyncio
import difflib
import json
import sys
from copy import deepcopy
from pathlib import Path
from subprocess import DEVNULL
from typing import Any, Final

from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, NbvalKernelspecManager

from helpers.panels.kernel_start import TRIES, died_at_start
from tests.notebooks.stored import Notebook, merged, read, text_of
from tests.notebooks.watch import Watch

CELL_LIMIT: Final = 60
LONGEST_DIFF: Final = 30


class CellError(Exception):
    """A cell did not run through."""


class _Kernels(AsyncKernelManager):
    """Starts the kernel nbval starts: that of this Python."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(kernel_spec_manager=NbvalKernelspecManager(), **settings)


async def executed(notebook: Notebook, folder: Path) -> Notebook:
    """A copy of the notebook with the outputs of a run in `folder`.

    Raises:
        CellError: a cell raised what it should not, or took longer than a minute, or ended the kernel.
    """
    for _ in range(TRIES - 1):
        try:
            return await _executed(notebook, folder)
        except RuntimeError as error:
            if not died_at_start(error):
                raise
    return await _executed(notebook, folder)


async def _executed(notebook: Notebook, folder: Path) -> Notebook:
    running: list[int] = []
    watch = Watch()
    client = NotebookClient(
        deepcopy(notebook),
        timeout=CELL_LIMIT,
        kernel_name=CURRENT_ENV_KERNEL_NAME,
        kernel_manager_class=_Kernels,
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        store_widget_state=False,
        skip_cells_with_tag="nbval-skip",
        on_cell_execute=lambda cell, cell_index: running.append(cell_index + 1),  # noqa: ARG005 - called by name
    )
    try:
        # What reaches the kernel's own stderr the notebook has shown already.
        return await client.async_execute(env=watch.environment, stderr=DEVNULL)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise CellError(f"cell {running[-1]}: {error}") from error
    finally:
        watch.sweep()


def differences(stored: Notebook, wanted: Notebook) -> list[str]:
    """Which cells differ, each with the lines that do."""
    pairs = zip(stored.cells, wanted.cells, strict=True)
    found = [f"cell {place}:\n{_diff(old, new)}" for place, (old, new) in enumerate(pairs, 1) if old != new]
    if stored.metadata != wanted.metadata:
        found.append(f"metadata:\n{_diff(stored.metadata, wanted.metadata)}")
    return found or ["the file is not as nbformat writes it"]


def _diff(old: Notebook, new: Notebook) -> str:
    stored, run = (json.dumps(part, indent=1, sort_keys=True, ensure_ascii=False).splitlines() for part in (old, new))
    changed = list(difflib.unified_diff(stored, run, "stored", "run", lineterm="", n=1))
    return "\n".join(changed[:LONGEST_DIFF])


def store(path: Path, stored: Notebook, wanted: Notebook, *, check: bool) -> bool:
    """Rewrite the file if it has to change, or only say so. Gives whether all is well."""
    if path.read_text(encoding="utf-8") == text_of(wanted):
        return True
    if check:
        print(f"{path}: not in canonical form", *differences(stored, wanted), sep="\n")
        return False
    path.write_text(text_of(wanted), encoding="utf-8", newline="\n")
    print(f"{path}: rewritten")
    return True


async def settle(path: Path, *, check: bool) -> bool:
    """Run one notebook, and rewrite it, or only check it. Gives whether all is well."""
    stored = read(path)
    try:
        fresh = await executed(stored, path.parent)
    except CellError as error:
        print(f"{path}: {error}")
        return False
    return store(path, stored, merged(stored, fresh), check=check)


async def settle_all(paths: list[Path], jobs: int, *, check: bool) -> bool:
    """Run all, `jobs` at a time. Gives whether all is well."""
    free = asyncio.Semaphore(jobs)

    async def one(path: Path) -> bool:
        async with free:
            return await settle(path, check=check)

    return all(await asyncio.gather(*map(one, paths)))


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description="Run notebooks and store them in canonical form.")
    parser.add_argument("notebooks", nargs="*", type=Path)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where something would change")
    parser.add_argument("-j", dest="jobs", type=int, default=2, help="how many run at a time (2)")
    chosen = parser.parse_args()
    return 0 if asyncio.run(settle_all(chosen.notebooks, chosen.jobs, check=chosen.check)) else 1


if __name__ == "__main__":
    sys.exit(main())
