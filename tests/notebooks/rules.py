"""The rules of a lesson that a program can hold; each takes a notebook and gives one sentence for each breach.

Cells are named by their place in the notebook, counted from 1, prose included.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from IPython.core.inputtransformer2 import TransformerManager

Notebook = Any  # nbformat's NotebookNode has an attribute for everything
Cell = Any

LONGEST_CODE: Final = 20
LONGEST_PROSE: Final = 120
MOST_UNCOMPARED: Final = 2
REASON: Final = "# Not compared: "
# A cell with this tag shows what goes wrong with a function that is defined in a cell.
WHY_NOT: Final = "why-not"
UNCOMPARED_TAGS: Final = {"nbval-ignore-output", "nbval-skip"}
BANNED: Final = {
    r"\bclear_output\b": "an output that clears itself cannot be compared",
    r"\bdisplay_id\b": "an output that changes later cannot be compared",
    r"\bwidgets\.Output\b|\bimport\b.*\bOutput\b": "what an Output widget shows cannot be compared",
    r"^\s*%%?time": "print claims, not clocks",
    r"\binput\(": "nobody answers in a test",
    r"\b(?:urlopen|requests|httpx|urllib3)\b": "a lesson works without the network",
    r"^\s*#.*\b(?:NBVAL_|PYTEST_VALIDATE_)": "use a tag, which learners do not read",
}
# How a flowchart and a sequence diagram are told the colour of their arrows.
# Arrows in grey; the words at those of a sequence dark on a white outline, whatever the page's colour.
ARROWS: Final = (
    "linkStyle default stroke:#808080",
    (
        '"signalColor": "#808080", "signalTextColor": "#222222"}, '
        '"themeCSS": ".messageText { paint-order: stroke; stroke: #ffffff; '
    ),
)


def code_cells(notebook: Notebook) -> Iterator[tuple[int, Cell]]:
    """The code cells, each with its place."""
    return ((place, cell) for place, cell in enumerate(notebook.cells, 1) if cell.cell_type == "code")


def tags(cell: Cell) -> set[str]:
    """A cell's tags."""
    return set(cell.metadata.get("tags", []))


def parsed(cell: Cell) -> ast.Module:
    """A cell's code as Python, with IPython's own notation translated."""
    return ast.parse(TransformerManager().transform_cell(cell.source))


def stored_run(notebook: Notebook) -> list[str]:
    """Each code cell has run, in order, without a word on stderr and without an error that is not meant."""
    # nbval does not compare a cell whose count is null: it would pass with any output.
    found = [
        f"cell {place}: execution_count is {cell.execution_count}, must be {count}: run tests/canonical.py"
        for count, (place, cell) in enumerate(code_cells(notebook), 1)
        if cell.execution_count != count
    ]
    for place, cell in code_cells(notebook):
        if any(output.get("name") == "stderr" for output in cell.outputs):
            found.append(f"cell {place}: stderr is stored")
        raised = any(output.output_type == "error" for output in cell.outputs)
        if raised != ("raises-exception" in tags(cell)):
            found.append(f"cell {place}: an error must be stored exactly where the tag raises-exception is")
    return found


def opening(notebook: Notebook) -> list[str]:
    """The first cell has the title, what the learner will be able to do, and how long it takes."""
    first = notebook.cells[0]
    wanted = {r"\A# \S": "start with '# '", "You will be able to": "say it", r"\d+ minutes": "say how many"}
    if first.cell_type != "markdown":
        return ["cell 1: must be prose"]
    return [f"cell 1: no {want!r}: {cure}" for want, cure in wanted.items() if not re.search(want, first.source)]


def imports(notebook: Notebook) -> list[str]:
    """The second cell is the only one that imports."""
    places = [
        place
        for place, cell in code_cells(notebook)
        if any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(parsed(cell)))
    ]
    return [] if places == [2] else [f"cells that import: {places}, must be [2]"]


def lengths(notebook: Notebook) -> list[str]:
    """Cells are short."""
    found = []
    for place, cell in enumerate(notebook.cells, 1):
        # Diagrams and tables are not read as prose.
        prose = re.sub(r"(?ms)^```mermaid$.*?^```$|^\|[^\n]*$", "", cell.source)
        if cell.cell_type == "code" and (lines := len(cell.source.splitlines())) > LONGEST_CODE:
            found.append(f"cell {place}: {lines} lines of code, must be {LONGEST_CODE} or fewer")
        if cell.cell_type == "markdown" and (words := len(prose.split())) > LONGEST_PROSE:
            found.append(f"cell {place}: {words} words, must be {LONGEST_PROSE} or fewer")
    return found


def banned(notebook: Notebook) -> list[str]:
    """Names that do not work in a lesson are not used."""
    return [
        f"cell {place}: {match.group().strip()}: {reason}"
        for place, cell in code_cells(notebook)
        for pattern, reason in BANNED.items()
        if (match := re.search(pattern, cell.source, re.MULTILINE))
    ]


def diagrams(notebook: Notebook) -> list[str]:
    """A diagram gives its arrows a colour that is seen in the dark theme too; mermaid's own is not."""
    return [
        f"cell {place}: the diagram needs {' or '.join(ARROWS)}, or its arrows are not seen in the dark theme"
        for place, cell in enumerate(notebook.cells, 1)
        for diagram in re.findall(r"(?ms)^```mermaid$.*?^```$", cell.source)
        if not any(words in diagram for words in ARROWS)
    ]


def diagrams_in_words(notebook: Notebook) -> list[str]:
    """A diagram has a name and a description, for those who cannot see it."""
    return [
        f"cell {place}: the diagram needs a line that begins with {words}"
        for place, cell in enumerate(notebook.cells, 1)
        for diagram in re.findall(r"(?ms)^```mermaid$.*?^```$", cell.source)
        for words in ("accTitle: ", "accDescr: ")
        if not re.search(rf"(?m)^ *{words}\w", diagram)
    ]


def uncompared(notebook: Notebook) -> list[str]:
    """At most two cells are not compared, and each says why."""
    cells = [(place, cell) for place, cell in code_cells(notebook) if tags(cell) & UNCOMPARED_TAGS]
    found = [f"cell {place}: say why, {REASON + '…'!r}" for place, cell in cells if REASON not in cell.source]
    if len(cells) > MOST_UNCOMPARED:
        found.append(f"{len(cells)} cells are not compared, must be {MOST_UNCOMPARED} or fewer")
    return found


def functions_for_processes(notebook: Notebook) -> list[str]:
    """What a Process runs is not defined in a cell, except to show why not."""
    trees = [(place, cell, parsed(cell)) for place, cell in code_cells(notebook)]
    own = {node.name for *_, tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return [
        f"cell {place}: a Process runs {target}, defined in a cell: move it to helpers/workers, or tag it {WHY_NOT}"
        for place, cell, tree in trees
        if WHY_NOT not in tags(cell)
        for target in _process_targets(tree)
        if target in own
    ]


def _process_targets(tree: ast.Module) -> Iterator[str]:
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if ast.unparse(call.func).endswith("Process"):
            yield from (keyword.value.id for keyword in call.keywords if isinstance(keyword.value, ast.Name))


def ending(notebook: Notebook) -> list[str]:
    """The last code cell proves that nothing is left, and prose follows it."""
    cells = list(code_cells(notebook))
    found = (
        [] if cells and "nothing_left(" in cells[-1][1].source else ["the last code cell must call nothing_left()"]
    )
    return found if notebook.cells[-1].cell_type == "markdown" else [*found, "the last cell must be prose"]


def links(notebook: Notebook, folder: Path) -> list[str]:
    """Links to other files lead to files that exist."""
    return [
        f"cell {place}: the link to {target} leads nowhere: until the lesson exists, name it without a link"
        for place, cell in enumerate(notebook.cells, 1)
        if cell.cell_type == "markdown"
        for target in re.findall(r"\]\(([^)#\s]+)", cell.source)
        if "://" not in target and not (folder / target).exists()
    ]


RULES: Final = (
    stored_run,
    opening,
    imports,
    lengths,
    banned,
    diagrams,
    diagrams_in_words,
    uncompared,
    functions_for_processes,
    ending,
)
