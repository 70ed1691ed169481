"""The shapes of a graph as SVG: workers are rounded boxes, locks hexagons with a padlock, arrows solid or dashed.

An arrow of a circle is a thick double line, so that it is told from the others without colour too.
"""

from collections.abc import Iterator, Sequence
from math import atan2, cos, hypot, pi, sin
from typing import Final
from unicodedata import east_asian_width

from helpers.panels.graph_parts import Thing
from helpers.panels.markup import cut, safe, short
from helpers.panels.ring import Arc, Box

LONGEST: Final = 20  # letters of a line in a box
HEAD: Final = 15.0  # pixels: the head of an arrow in a circle
SMALL_HEAD: Final = 9.0
LABEL: Final = 42.0  # pixels that an arrow goes straight on below its words
AIR: Final = 4.0  # pixels between an arrow and a box
LETTER: Final = 7.2  # pixels: the width of one, and of one in small print
SMALL_LETTER: Final = 6.0


def lines(thing: Thing, about: str) -> list[str]:
    """What stands in a thing's box: its name, what its name has in brackets, and what there is to say about it."""
    name, bracket, rest = thing.name.partition(" (")
    all_lines = [name, bracket[1:] + rest, about] if name else [thing.name, about]
    return [cut(line, LONGEST) for line in all_lines if line]


def size(thing: Thing, about: str) -> tuple[float, float]:
    """How wide and how high a thing's box is, in pixels."""
    first, *rest = lines(thing, about) or [""]
    wide = max([LETTER * _columns(first), *(SMALL_LETTER * _columns(line) for line in rest)])
    return max(72.0, wide + (62 if thing.is_lock else 32)), 38.0 + 13 * len(rest)


def thing(what: Thing, box: Box, about: str, looks: str) -> Iterator[str]:
    """A worker or a lock.

    Args:
        what: which.
        box: where.
        about: a few words below its name.
        looks: further classes for its style.
    """
    x, y, width, height = box
    yield f'<g class="{"pc-lock" if what.is_lock else "pc-worker"} {looks}"><title>{short(what.name)}</title>'
    left, top = x - width / 2, y - height / 2
    if what.is_lock:
        yield f'<path d="M{left:.1f} {y:.1f}l14 {-height / 2:.1f}h{width - 28:.1f}l14 {height / 2:.1f}'
        yield f'l-14 {height / 2:.1f}h{28 - width:.1f}z"/>{_padlock(left + 18, y, is_open="pc-open" in looks)}'
    else:
        yield f'<rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" rx="9"/>'
    yield from _words(lines(what, about), x + (9 if what.is_lock else 0), y)
    yield "</g>"


def across(start: Box, end: Box, looks: str, words: str, *, to_worker: bool) -> Iterator[str]:
    """An arrow between two columns; the words stand at the worker: a lock may have many arrows."""
    way = 1 if end.x > start.x else -1
    x, tip = start.x + way * (start.width / 2 + AIR), end.x - way * (end.width / 2 + AIR)
    foot = tip - way * SMALL_HEAD
    run = way * LABEL if words and start.y != end.y else 0
    first, last = (x, foot - run) if to_worker else (x + run, foot)
    bend = (first + last) / 2
    yield f'<g class="{looks}"><path d="M{x:.1f} {start.y:.1f}H{first:.1f}C{bend:.1f} {start.y:.1f} '
    yield f'{bend:.1f} {end.y:.1f} {last:.1f} {end.y:.1f}H{foot:.1f}"/>'
    yield f"{_head((tip, end.y), 0 if way > 0 else pi, SMALL_HEAD)}</g>"
    if start.y == end.y:
        yield from _label(words, (x + foot) / 2, start.y - 6, "middle")
    elif to_worker:
        yield from _label(words, foot - way * 3, end.y - 6, "end" if way > 0 else "start")
    else:
        yield from _label(words, x, start.y - 6, "start" if way > 0 else "end")


def straight(start: Box, end: Box, looks: str, words: str, *, aside: float) -> Iterator[str]:
    """An arrow straight from box to box, `aside` pixels to the right as one who walks along it sees it."""
    length = hypot(end.x - start.x, end.y - start.y) or 1.0
    along, down = (end.x - start.x) / length, (end.y - start.y) / length
    x, y = start.x - down * aside, start.y + along * aside
    first = _way_out(start, along, down) + AIR
    last = length - _way_out(end, along, down) - AIR
    foot = last - SMALL_HEAD
    yield f'<g class="{looks}"><path d="M{x + along * first:.1f} {y + down * first:.1f}'
    yield f'L{x + along * foot:.1f} {y + down * foot:.1f}"/>'
    yield f"{_head((x + along * last, y + down * last), atan2(down, along), SMALL_HEAD)}</g>"
    x, y = x + along * (first + foot) / 2, y + down * (first + foot) / 2
    if abs(along) > abs(down):
        yield from _label(words, x, y + (14 if aside and along > 0 else -6 - 8 * abs(down)), "middle")
    else:
        yield from _label(words, x + 8, y + 4, "start")


def around(arc: Arc, start: Box, end: Box, looks: str, words: str) -> Iterator[str]:
    """An arrow of a circle, along its ring; the words stand outside."""
    ellipse, first, last = arc.between(start, end, AIR)
    base = last
    tip = ellipse.at(last)
    while base > first and hypot(ellipse.at(base)[0] - tip[0], ellipse.at(base)[1] - tip[1]) < HEAD - 2:
        base -= 0.002
    foot, tail = ellipse.at(base), ellipse.at(first)
    path = f"M{tail[0]:.1f} {tail[1]:.1f}A{ellipse.across:.1f} {ellipse.down:.1f} 0 0 1 {foot[0]:.1f} {foot[1]:.1f}"
    yield f'<g class="{looks}"><path d="{path}"/><path class="pc-inner" d="{path}"/>'
    yield f"{_head(tip, atan2(tip[1] - foot[1], tip[0] - foot[0]), HEAD)}</g>"
    x, y = ellipse.at((first + base) / 2)
    lean = x / ellipse.across
    anchor = "middle" if abs(lean) < 0.3 else "end" if lean < 0 else "start"
    yield from _label(words, x + 15 * lean, y + 16 * (y / ellipse.down) + 4, anchor)


def _words(all_lines: Sequence[str], x: float, y: float) -> Iterator[str]:
    for place, line in enumerate(all_lines):
        baseline = y + 4.5 - 6.5 * (len(all_lines) - 1) + 14 * place
        looks = "faint" if place else "pc-name"
        yield f'<text class="{looks}" x="{x:.1f}" y="{baseline:.1f}" text-anchor="middle">{safe(line)}</text>'


def _label(words: str, x: float, y: float, anchor: str) -> Iterator[str]:
    if words:
        yield f'<text class="in faint" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{words}</text>'


def _padlock(x: float, y: float, *, is_open: bool) -> str:
    """A padlock of 13 pixels, its shackle closed or not; `x` is its left side, `y` its middle."""
    shackle = f"M{x + 2.5:.1f} {y - 1:.1f}v-3a4 4 0 0 1 8 0v{0.5 if is_open else 3}"
    return (
        f'<path class="pc-shackle" d="{shackle}"/>'
        f'<rect class="pc-padlock" x="{x:.1f}" y="{y - 1:.1f}" width="13" height="9" rx="1.5"/>'
    )


def _head(tip: tuple[float, float], angle: float, length: float) -> str:
    corners = [tip] + [
        (tip[0] - length * cos(angle + turn) / cos(0.45), tip[1] - length * sin(angle + turn) / cos(0.45))
        for turn in (-0.45, 0.45)
    ]
    return f'<polygon points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in corners)}"/>'


def _way_out(box: Box, along: float, across: float) -> float:
    """How far it is from the middle of a box to its side, in a direction."""
    return min(
        box.width / 2 / abs(along) if along else float("inf"),
        box.height / 2 / abs(across) if across else float("inf"),
    )


def _columns(line: str) -> int:
    """How many letters wide `line` is."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in line)
