"""A picture of a trace, to be shown in a cell: swim lanes, what was said, and the same in words.

JupyterLab takes SVG and style out of a notebook that it has not run itself, and so does GitHub. There an image of the
same SVG is seen instead: the style that would hide it is gone too.
"""

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from helpers.observe.reading import Lane
from helpers.observe.trace import Trace
from helpers.panels.drawing import drawing
from helpers.panels.markup import passage, plain, safe
from helpers.panels.theme import DRAWN_STYLE, FAINT_INK, INK, LETTERS, LINE, PAPER, STYLE, WIDTH
from helpers.panels.words import described, said

UNQUOTED: Final = " =:;,/()'-.!{}"  # what may stand in an image's address as it is

# An image knows none of the page's variables.
_ON_WHITE: Final = {
    INK: "currentColor",
    FAINT_INK: "currentColor",
    PAPER: "white",
    LINE: "#8888",
    LETTERS: "sans-serif",
}


class Timeline:
    """A picture of what `trace` holds at the moment it is shown.

    Args:
        trace: open or closed.

    Its text is the same in every run, so that strict nbval compares it; the picture is not compared.
    """

    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    def __repr__(self) -> str:
        """The same in every run."""
        return "<Timeline>"

    def _repr_html_(self) -> str:
        lanes = _telling(self._trace.lanes())
        picture = drawing(lanes)
        image = stored_image(picture.svg, WIDTH, picture.height, "Timeline")
        live = f'<div class="pc-live" style="display:none">{picture.svg}</div>'
        return framed(f"{_warning(self._trace.trouble())}{image}{live}{picture.legend}{_words(lanes)}")

    @property
    def text(self) -> str:
        """The same in words."""
        told = described(_telling(self._trace.lanes()))
        words = "\n\n".join(filter(None, [self._trace.trouble(), told]))
        return plain(words, len(words))


def figure(lanes: Sequence[Lane], trouble: str = "") -> str:
    """`lanes` as HTML, without the words: for a view that is redrawn while its readers look on.

    Args:
        lanes: what is shown.
        trouble: what is said above it, as `Trace.trouble` gives it.
    """
    picture = drawing(_telling(lanes))
    return framed(_warning(trouble) + picture.svg + picture.legend)


def framed(parts: str) -> str:
    """`parts`, which are HTML, as a figure in our style."""
    return f'<figure class="pc-picture">{STYLE}{parts}</figure>'


def stored_image(svg: str, width: int, height: int, name: str) -> str:
    """The SVG as an image on white that needs nothing around it, without what only a live picture has use for."""
    still = re.sub(r"<title>.*?</title>| role=\"img\" aria-label=\"[^\"]*\"| text-anchor=\"start\"", "", svg)
    alone = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width + 20}" height="{height}">{DRAWN_STYLE}'
        f'<rect width="100%" height="100%" fill="white"/>'
        f'<svg class="pc-picture" x="10" width="{width}">{still}</svg></svg>'
    )
    for colour, here in _ON_WHITE.items():
        alone = alone.replace(colour, here)
    # A double quote takes three characters in an address, a single one takes one.
    alone = re.sub(r"=\"([^\"']*)\"", r"='\1'", alone)
    return f'<img class="pc-stored" alt="{name}" src="data:image/svg+xml,{quote(alone, safe=UNQUOTED)}">'


def _telling(lanes: Sequence[Lane]) -> list[Lane]:
    """Those that have anything to show: a thread that has only said how much others are to do has not."""
    return [
        lane
        for lane in lanes
        if lane.spans or lane.notes or lane.ticks or lane.held or lane.holding or lane.done or not lane.expected
    ]


def _warning(trouble: str) -> str:
    return f"<p><strong>{passage(trouble)}</strong></p>" if trouble else ""


def _words(lanes: Sequence[Lane]) -> str:
    notes = safe(said(lanes))
    heard = f"<details open><summary>What was said</summary><pre>{notes}</pre></details>" if notes else ""
    twin = safe(described(lanes))
    return f"{heard}<details><summary>The picture in words</summary><pre>{twin}</pre></details>"
