"""The canonical form: stable, complete, and what the tool says about notebooks that do not have it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.notebooks.stored import METADATA, merged, read, text_of, tidied

TOOL: Final = Path(__file__).parents[1] / "canonical.py"
Notebook = Any


def picture(seconds: float) -> Any:
    html = f'<figure class="pc-picture">\n<svg>{seconds}</svg></figure>'
    return new_output("display_data", data={"text/html": html, "text/plain": "<Timeline>"})


def drawn(seconds: float, code: str = "draw()", first: str = "a = 1") -> Notebook:
    cells = [new_code_cell(first, id="one"), new_code_cell(code, id="two", outputs=[picture(seconds)])]
    return new_notebook(cells=cells)


def run(*arguments: Path | str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(TOOL), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)


def test_form() -> None:
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "4f3a", "version_major": 2}}
    outputs = [
        new_output("stream", name="stdout", text="a\n"),
        new_output("display_data", data=view),
        new_output("stream", name="stdout", text="b\n"),
        new_output(
            "error", ename="E", evalue="", traceback=["\x1b[31mFile\x1b[0m /home/me/x.py", 'File "/home/me/y.py"']
        ),
    ]
    cell = new_code_cell("work()", execution_count=7, outputs=outputs, metadata={"tags": ["t"], "collapsed": True})
    tidy = tidied(
        new_notebook(cells=[cell], metadata={"widgets": {}, "language_info": {"name": "python", "version": "3"}})
    )
    assert tidy.metadata == METADATA
    assert (tidy.cells[0].execution_count, tidy.cells[0].metadata) == (1, {"tags": ["t"]})
    stream, widget, error = tidy.cells[0].outputs
    assert stream.text == "a\nb\n"
    assert [part["model_id"] for part in widget.data.values()] == [""]
    assert error.traceback == []
    assert "/home" not in text_of(tidy)


def test_no_folder_of_this_machine_stays() -> None:
    traceback = ['\x1b[31m_RemoteTraceback\x1b[0m: \n  File "/home/me/pool.py", line 1, <X at 0x7f12ab34cd56>']
    error = new_output("error", ename="E", evalue="", traceback=traceback)
    tidy = tidied(new_notebook(cells=[new_code_cell("work()", outputs=[error])]))
    assert 'File "pool.py", line 1, <X at 0x…>' in tidy.cells[0].outputs[0].traceback[0]


def test_cells_without_ids_get_the_same_ones_each_time(tmp_path: Path) -> None:
    path = tmp_path / "old.ipynb"
    old = new_notebook(cells=[new_markdown_cell("# a", id="kept"), new_markdown_cell("b"), new_markdown_cell("c")])
    raw = json.loads(nbformat.writes(old))
    del raw["cells"][1]["id"]
    raw["cells"][2]["id"] = "kept"
    path.write_text(json.dumps(raw), encoding="utf-8")
    assert [cell.id for cell in read(path).cells] == ["kept", "cell-2", "cell-3"]


def test_a_picture_is_kept_while_nothing_else_changes() -> None:
    stored = merged(drawn(1.0), drawn(1.0))
    assert merged(stored, drawn(2.0)) == stored


@pytest.mark.parametrize("change", [{"code": "draw(all)"}, {"first": "a = 2"}])
def test_a_picture_is_drawn_anew_when_code_changed(change: dict[str, str]) -> None:
    stored = merged(drawn(1.0), drawn(1.0))
    edited = drawn(1.0, **change)
    edited.cells[1].outputs = stored.cells[1].outputs
    after = merged(edited, drawn(2.0, **change))
    assert "2.0" in after.cells[1].outputs[0].data["text/html"]


def test_a_picture_is_drawn_anew_when_another_output_changed() -> None:
    stored, fresh = merged(drawn(1.0), drawn(1.0)), drawn(2.0)
    fresh.cells[0].outputs = [new_output("stream", text="new\n")]
    assert "2.0" in merged(stored, fresh).cells[1].outputs[0].data["text/html"]


@pytest.mark.timeout(150)
def test_the_tool_settles_and_then_finds_nothing_to_do(tmp_path: Path) -> None:
    path, broken = tmp_path / "lesson.ipynb", tmp_path / "broken.ipynb"
    draw = "from IPython.display import HTML\nfrom time import time\n"
    draw += "HTML(f'<figure class=\"pc-picture\">{time()}</figure>')"
    cells = [new_markdown_cell("# é"), new_code_cell(draw), new_code_cell("print('a'); print('b')")]
    path.write_text(nbformat.writes(new_notebook(cells=cells)), encoding="utf-8")
    broken.write_text(nbformat.writes(new_notebook(cells=[new_code_cell("1 / 0")])), encoding="utf-8")

    both = run(path, broken)
    settled = path.read_text(encoding="utf-8")
    assert both.returncode == 1
    assert f"{path}: rewritten" in both.stdout
    assert f"{broken}: cell 1" in both.stdout
    assert "é" in settled
    assert settled.endswith("}\n")

    stale = tmp_path / "stale.ipynb"
    stale.write_text(settled.replace('"b\\n"', '"c\\n"'), encoding="utf-8")
    check = run("--check", path, stale)
    assert check.returncode == 1
    assert check.stdout.startswith(f"{stale}: not in canonical form\ncell 3:")
    assert stale.read_text(encoding="utf-8") != path.read_text(encoding="utf-8") == settled
