"""A page to pin to the wall: which engine for which work, with what each charged on this machine.

    DecisionGuide({"threads": Charge(start=0.8, task=25.0)})

The page stands in a frame of its own: so its button prints the page alone, and not the notebook around it.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from helpers.panels.charts import checked, written
from helpers.panels.markup import safe

HEIGHT: Final = 730  # pixels
WIDTH: Final = 860


class Charge(NamedTuple):
    """What an engine charges."""

    start: float
    """Milliseconds from nothing to the first results."""
    task: float
    """Microseconds for each task, beside the work itself."""


class DecisionGuide:
    """The guide, one printed page long.

    Args:
        charges: what was measured, by the names of the engines; shown in this order.

    Raises:
        ValueError: a number is negative or not finite.

    Its text is the same in every run, so that strict nbval compares it; the page is not compared.
    """

    def __init__(self, charges: Mapping[str, Charge]) -> None:
        checked("charges", (number for charge in charges.values() for number in charge))
        self._charges = dict(charges)

    def __repr__(self) -> str:
        """The same in every run."""
        return "<DecisionGuide>"

    @property
    def page(self) -> str:
        """The page, as a whole HTML document."""
        questions = "".join(f"<li>{question} <b>{answer}</b></li>" for question, answer in _QUESTIONS)
        rows = "".join(map(self._row, _ENGINES))
        head = "".join(f"<th>{name}</th>" for name in ("", *_COLUMNS, "a start*", "a task*"))
        return (
            f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Which engine?</title>{_STYLE}</head>'
            f'<body><button onclick="print()">Print this page</button><h1>Which engine?</h1>'
            f"<p>Go down the list. The first line that fits is your answer.</p><ol>{questions}</ol>"
            f"<table><tr>{head}</tr>{rows}</table><p>{_NOTE}</p><ul>{_RULES}</ul></body></html>"
        )

    def _repr_html_(self) -> str:
        frame = (
            f'<iframe title="Which engine? A page to print" srcdoc="{safe(self.page)}" '
            f'style="width: 100%; max-width: {WIDTH}px; height: {HEIGHT}px; border: 1px solid #8888"></iframe>'
        )
        return f'<figure class="pc-picture" style="margin: 4px 8px">{frame}</figure>'

    def _row(self, engine: "tuple[str, ...]") -> str:
        name, *facts = engine
        charge = self._charges.get(name)
        measured = ("", "") if charge is None else (written(charge.start, "ms"), written(charge.task, "µs"))
        return f"<tr><th>{name}</th>{''.join(f'<td>{fact}</td>' for fact in (*facts, *map(safe, measured)))}</tr>"


_QUESTIONS: Final = (
    ("Is it fast enough already, or could a better algorithm make it so?", "serial"),
    ("Is one machine too small for it, or do its tasks form a network, each needing results of others?", "dask"),
    ("Does it mostly wait (network, disk, other programs)?", "threads; for hundreds of waits at once, asyncio"),
    ("Is it mostly calls into C that let go of the GIL (zlib, hashlib, NumPy)?", "threads"),
    ("Does it compute in Python, on a free-threaded build (lesson 03)?", "threads"),
    ("Does it compute in Python, with functions defined in a notebook?", "joblib, which runs on loky"),
    ("Does it compute in Python, with functions defined in modules?", "processes; from 3.14 on also interpreters"),
)
_COLUMNS: Final = ("works in", "finds your function", "good at")
_ENGINES: Final = (
    ("serial", "this thread", "as it is", "being right; finding bugs"),
    ("threads", "this process", "as it is", "waiting; C code without the GIL"),
    ("processes", "new processes", "by its name in a module", "computing in Python"),
    ("interpreters", "this process, a GIL each", "pickled, as for processes", "computing in Python, from 3.14 on"),
    (
        "loky",
        "new processes",
        "by name; a notebook's own by value",
        "the same, from a notebook too; joblib bundles tiny tasks",
    ),
    (
        "dask",
        "processes, on any machine",
        "by name; a notebook's own by value",
        "many machines; tasks that need each other",
    ),
)
_NOTE: Final = "* Measured on the machine that showed this page, with two workers. Empty: not measured there."
_RULES: Final = "".join(
    f"<li>{rule}</li>"
    for rule in (
        "A task should last a hundred times what its engine charges for it. If not, bundle items into larger tasks.",
        "Pass what a worker needs as arguments; give back results, do not store them elsewhere.",
        "As many workers as cores you may use; more only for waiting.",
        "Leave the pool with <code>with</code>. Ask every future for its result, or its error is never seen.",
        "In a script, start processes or Dask below <code>if __name__ == &quot;__main__&quot;:</code>.",
        "First right in serial, then fast: changing the engine is one word.",
    )
)
_STYLE: Final = """<style>
@page { size: A4; margin: 14mm }
@media print { button { display: none } body { margin: 0; font-size: 10.5pt } }
body { background: white; color: black; font: 14px/1.4 sans-serif; margin: 12px 20px }
h1 { font-size: 1.6em; margin: 0 0 .2em } p { margin: .4em 0 } li { margin: .15em 0 }
button { float: right; font: inherit; padding: 4px 12px }
table { border-collapse: collapse; width: 100%; margin: .8em 0; font-size: .92em }
th, td { border: 1px solid #999; padding: 3px 6px; text-align: left; vertical-align: top }
</style>"""
