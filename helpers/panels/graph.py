"""Draw who waits for whom: workers, the locks that they hold, and the circle, if they wait in one.

HTML(graph(waits))

waits -> graph_parts: what hangs together -> graph_layout: places -> graph_shapes: SVG -> a figure with its words
"""

from collections.abc import Iterator, Sequence
from math import tau
from typing import Final, NamedTuple

from helpers.observe.waits import Waits
from helpers.panels.graph_layout import Layout, laid_out
from helpers.panels.graph_parts import MOST_WORKERS, Arrow, Thing, parts, shown, workers
from helpers.panels.graph_shapes import across, around, size, straight, thing
from helpers.panels.markup import passage
from helpers.panels.ring import Arc
from helpers.panels.theme import GRAPH_STYLE, STYLE

PAGE: Final = 780.0  # pixels: parts stand beside each other as far as they fit
BESIDE: Final = 48.0  # between parts
MARGIN: Final = 12.0
MOST_WORDS: Final = 20_000  # characters, of all the waits there are


class Picture(NamedTuple):
    """Waits as SVG, with its size in pixels, and their words and the meaning of the signs as HTML."""

    svg: str
    width: int
    height: int
    words: str


def graph(waits: Waits) -> str:
    """`waits` as an HTML figure: a picture, and the same in words."""
    drawn = picture(waits)
    return f'<figure class="pc-picture">{STYLE}{GRAPH_STYLE}{drawn.svg}{drawn.words}</figure>'


def picture(waits: Waits) -> Picture:
    """Draw `waits`: all of it, or of more than `MOST_WORKERS` workers the circle, or without one the first."""
    some = shown(waits)
    drawable = parts(some) if len(some.circle) <= MOST_WORKERS else []
    layouts = [laid_out(part, lambda what: size(what, _about(what, some))) for part in drawable]
    parts_drawn: list[str] = []
    x = y = width = bottom = 0.0
    for layout in layouts:
        left, top, right, low = layout.extent
        if x and x + right - left > PAGE:
            x, y = 0.0, bottom + BESIDE
        shift = f"{x - left + MARGIN:.1f} {y - top + MARGIN:.1f}"
        looks = "" if layout.part.waits.is_deadlock else ' class="pc-timed"'
        parts_drawn.append(f'<g{looks} transform="translate({shift})">{"".join(_drawn(layout))}</g>')
        width, bottom, x = max(width, x + right - left), max(bottom, y + low - top), x + right - left + BESIDE
    wide, high = round(width + 2 * MARGIN), round(bottom + 2 * MARGIN)
    svg = (
        f'<svg role="img" aria-label="{passage(some.words)}" viewBox="0 0 {wide} {high}" '
        f'style="max-width:{wide}px">{"".join(parts_drawn)}</svg>'
    )
    return Picture(svg if parts_drawn else "", wide, high, _words(waits, some, layouts))


def _drawn(layout: Layout) -> Iterator[str]:
    """One part as SVG: its ring, then arrows, then its things."""
    if layout.ellipse is not None:
        yield f'<ellipse class="pc-ring" rx="{layout.ellipse.across:.1f}" ry="{layout.ellipse.down:.1f}"/>'
        yield from _middle(layout.part.waits)
    for arrow in layout.part.arrows:
        yield from _arrow(arrow, layout)
    for what, box in layout.boxes.items():
        waits = layout.part.waits
        looks = [
            "pc-stuck" if what in layout.angles else "",
            "pc-gone" if not what.is_lock and what.name in waits.ended else "",
            "pc-open" if what.is_lock and (what.name in waits.open or not waits.holders(what.name)) else "",
        ]
        yield from thing(what, box, _about(what, waits), " ".join(filter(None, looks)))


def _arrow(arrow: Arrow, layout: Layout) -> Iterator[str]:
    start, end, gives_up = arrow
    first, last, circle = layout.boxes[start], layout.boxes[end], layout.part.circle
    looks = "pc-holds" if start.is_lock else "pc-waits"
    words = "held by" if start.is_lock else "waits a while" if gives_up else "waits for"
    words = words if layout.labelled else ""
    if layout.ellipse and start in circle and end == circle[(circle.index(start) + 1) % len(circle)]:
        begin, stop = layout.angles[start], layout.angles[end]
        arc = Arc(layout.ellipse, begin, stop if stop > begin else stop + tau)
        yield from around(arc, first, last, f"{looks} pc-circle", words)
        return
    both = any((end, start) == other[:2] for other in layout.part.arrows)
    beside = abs(first.x - last.x) > (first.width + last.width) / 2
    if both or not beside or {start, end} & layout.angles.keys():
        yield from straight(first, last, looks, words, aside=7.0 if both else 0.0)
    else:
        yield from across(first, last, looks, words, to_worker=start.is_lock)


def _middle(waits: Waits) -> Iterator[str]:
    """The words in the middle of a ring."""
    others = {1: "it waits for itself", 2: "each waits for the other"}.get(
        len(waits.circle), "each waits for the next"
    )
    word, reason = ("deadlock", others) if waits.is_deadlock else ("a circle, for now", "a time-out will open it")
    yield f'<text class="pc-word" y="3" text-anchor="middle">{word}</text>'
    yield f'<text class="faint" y="21" text-anchor="middle">{reason}</text>'


def _about(what: Thing, waits: Waits) -> str:
    """A few words below a thing's name, where there is something to say that arrows do not."""
    if not what.is_lock:
        return "has ended" if what.name in waits.ended else ""
    return "" if waits.holders(what.name) else "nobody holds it"


def _words(waits: Waits, some: Waits, layouts: Sequence[Layout]) -> str:
    """The picture's words, what its signs mean where it does not say so itself, and what it leaves out."""
    more = len(workers(waits)) - len(workers(some))
    notes = [] if all(layout.labelled for layout in layouts) else ["→ is held by", "⇢ waits for"]
    notes += [f"{more} more {'worker is' if more == 1 else 'workers are'} not drawn"] if more else []
    items = "".join(f"<li>{note}</li>" for note in notes)
    twin = (
        f"<details><summary>All of it in words</summary><pre>{passage(waits.words, MOST_WORDS)}</pre></details>"
        if more
        else ""
    )
    return f"<figcaption>{passage(some.words)}</figcaption>" + (f"<ul>{items}</ul>" if items else "") + twin
