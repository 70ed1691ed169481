"""The canonical form of a notebook's file, and what of an earlier run is kept in it.

Counts are 1..n; metadata name the kernel and nothing else; of a cell's metadata only `tags` and `jupyter` stay; a
widget has no model, which JupyterLab hides. What differs from run to run only in what `sanitize.cfg` lets differ is
kept as it was, so that running an unchanged notebook changes no byte.

A picture holds measured times, so it is never compared; but it must not outlive what it shows. So the metadata of
its output carry a fingerprint of all code and all other outputs down to its cell, and a picture whose fingerprint is
not that of the new run is replaced. To have a picture drawn anew, clear its cell's output.
"""

import hashlib
import json
import re
from collections import defaultdict
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import nbformat
from nbval.plugin import coalesce_streams, get_sanitize_patterns

Notebook = Any  # nbformat's NotebookNode has an attribute for everything
Cell = Any
Output = Any

PATTERNS: Final = get_sanitize_patterns(Path(__file__).with_name("sanitize.cfg").read_text(encoding="utf-8"))
METADATA: Final = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
WIDGET: Final = "application/vnd.jupyter.widget-view+json"
FIGURE: Final = '<figure class="pc-picture"'
FINGERPRINT: Final = "shows"
COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")


def read(path: Path) -> Notebook:
    """The notebook in a file; cells without an id of their own get one that the next reading gives again."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    taken: set[str] = set()
    for place, cell in enumerate(raw["cells"], 1):
        if cell.get("id", "") in taken | {""}:
            cell["id"] = f"cell-{place}"
        taken.add(cell["id"])
    return nbformat.reads(json.dumps(raw | {"nbformat": 4, "nbformat_minor": 5}), as_version=4)


def text_of(notebook: Notebook) -> str:
    """The file's text."""
    return str(nbformat.writes(notebook)).rstrip("\n") + "\n"


def tidied(notebook: Notebook) -> Notebook:
    """A copy in canonical form, all but the outputs that only a run can tell."""
    tidy = deepcopy(notebook)
    tidy.metadata = nbformat.from_dict(METADATA)
    count = 0
    for cell in tidy.cells:
        cell.metadata = nbformat.from_dict({k: v for k, v in cell.metadata.items() if k in ("tags", "jupyter")})
        if cell.cell_type == "code":
            count += 1
            cell.execution_count = count
            cell.outputs = [_tidied_output(output, count) for output in coalesce_streams(cell.outputs)]
    return tidy


def merged(stored: Notebook, fresh: Notebook) -> Notebook:
    """What to store after a run: `fresh`, with what `stored` has where the two say the same."""
    new, old = tidied(fresh), tidied(stored)
    so_far = hashlib.sha256()
    for cell, before in zip(new.cells, old.cells, strict=True):
        if cell.cell_type == "code":
            if "nbval-ignore-output" in cell.metadata.get("tags", []) and before.outputs:
                cell.outputs = before.outputs
            so_far.update(json.dumps([cell.source, comparable(cell.outputs)], sort_keys=True).encode())
            _stamp(cell.outputs, so_far.hexdigest()[:16])
            if comparable(cell.outputs) == comparable(before.outputs) and _shown(cell) == _shown(before):
                cell.outputs = before.outputs
    return new


def comparable(outputs: list[Output]) -> dict[str, list[Any]]:
    """What nbval compares: all values of a kind in order, cleaned of what may differ."""
    found: dict[str, list[Any]] = defaultdict(list)
    for output in outputs:
        parts = {output.name: output.text} if output.output_type == "stream" else output.get("data", {})
        if output.output_type == "error":
            parts = {"ename": output.ename, "evalue": output.evalue}
        for kind, value in parts.items():
            if kind != WIDGET:
                found[kind].append("PICTURE" if kind in ("image/png", "image/jpeg") else _sanitized(value))
    return dict(found)


def _sanitized(value: Any) -> Any:
    for pattern, replacement in PATTERNS if isinstance(value, str) else ():
        value = re.sub(pattern, replacement, value)
    return value


def _tidied_output(output: Output, count: int) -> Output:
    if output.output_type == "execute_result":
        output.execution_count = count
    if output.output_type == "error":
        output.traceback = [_portable(part) for part in output.traceback if not _of_a_file(part)]
    if WIDGET in output.get("data", {}):
        output.data[WIDGET] = {"model_id": "", "version_major": 2, "version_minor": 0}
    return output


def _of_a_file(part: str) -> bool:
    """Whether this part of a traceback shows a frame outside the notebook: its path is this machine's own."""
    return COLOURS.sub("", part).startswith("File ")


def _portable(part: str) -> str:
    """A part of a traceback without this machine's folders and addresses."""
    part = re.sub(r'File "[^"]*[/\\]', 'File "', part)
    return re.sub(r"\b0x[0-9a-f]{6,}", "0x…", part)


def _pictures(outputs: list[Output]) -> list[Output]:
    return [
        output
        for output in outputs
        if any(
            kind.startswith("image/") or (kind == "text/html" and FIGURE in value)
            for kind, value in output.get("data", {}).items()
        )
    ]


def _stamp(outputs: list[Output], fingerprint: str) -> None:
    for output in _pictures(outputs):
        output.metadata[FINGERPRINT] = fingerprint


def _shown(cell: Cell) -> list[str | None]:
    return [output.metadata.get(FINGERPRINT) for output in _pictures(cell.outputs)]
