"""Show the source of functions, and which thread stands at which line of it.

Threads that run the same function share one listing. A thread's mark is its name, a colour and a sign: the line it
will run next, the line it waits in, or the line it failed in.
"""

import inspect
import io
import keyword
import textwrap
import tokenize
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from helpers.observe.lab.program import function_name, own_function
from helpers.panels.markup import safe, short
from helpers.panels.theme import COLOURS, FAINT_INK, INK, LINE, PAPER

SIGNS: Final = {"ready": "▶", "waiting": "❚❚", "ended": "✔", "failed": "✕"}
_MEANINGS: Final = {"ready": "runs this line next", "waiting": "waits in this line", "failed": "failed in this line"}
_WIDEST: Final = 24  # characters that the marks beside a line may take; more of them stand below each other
_MARK: Final = 4  # characters that a mark takes beside its name, which is in smaller letters than the listing
_INKS: Final = {tokenize.STRING: "string", tokenize.NUMBER: "number", tokenize.COMMENT: "comment"}
_SPLIT_STRINGS: Final = {"FSTRING_START", "FSTRING_MIDDLE", "FSTRING_END"}  # from Python 3.12 on

LISTING_STYLE: Final = f"""<style>
.pc-code {{ overflow-x: auto; border: 1px solid {LINE}; border-radius: 4px; padding: 4px 0; color: {INK};
  background: {PAPER}; font: 13px/20px var(--jp-code-font-family, monospace); }}
.pc-code .pc-line {{ display: flex; min-height: 20px; width: max-content; min-width: 100%; }}
.pc-code .pc-who {{ flex: none; position: sticky; left: 0; text-align: right; padding-right: 6px; }}
.pc-code .pc-text {{ white-space: pre; padding-right: 8px; font: inherit; }}
.pc-mark {{ display: inline-block; border: 2px solid; border-radius: 9px; padding: 0 5px; margin-left: 3px;
  font: bold 11px/14px var(--jp-ui-font-family, sans-serif); background: {PAPER}; white-space: nowrap;
  max-width: 100%; box-sizing: border-box; overflow: hidden; text-overflow: ellipsis; vertical-align: bottom; }}
.pc-mark.waiting {{ border-style: dashed; }}
.pc-mark b {{ color: {INK}; }}
.pc-code .keyword {{ color: var(--jp-mirror-editor-keyword-color, currentColor); font-weight: bold; }}
.pc-code .string {{ color: var(--jp-mirror-editor-string-color, currentColor); }}
.pc-code .number {{ color: var(--jp-mirror-editor-number-color, currentColor); }}
.pc-code .comment {{ color: var(--jp-mirror-editor-comment-color, {FAINT_INK}); font-style: italic; }}
.pc-code .pc-line[style] span {{ color: inherit; }}
.pc-code .pc-none {{ padding: 0 8px; }}
</style>"""


class Mark(NamedTuple):
    """Where a thread is."""

    thread: str
    """Its name."""
    place: int
    """Its number among all threads, from 0, which chooses its colour."""
    state: str
    """One of `SIGNS`."""
    line: int | None
    """In its file, from 1; None while it is at none."""


class Listing(NamedTuple):
    """The source of one function, and the numbers of the threads that run it."""

    name: str
    first: int
    """The number of its first line in its file, from 1."""
    lines: tuple[str, ...]
    """Without the indentation that they share; none where the source is not to be had."""
    threads: tuple[int, ...]


def listings(functions: Sequence[Callable[..., Any]]) -> list[Listing]:
    """A listing for each different function of `functions`, in their order; `functions[i]` is thread i's."""
    runners: dict[object, list[int]] = {}
    for place, function in enumerate(functions):
        runners.setdefault(getattr(own_function(function), "__code__", function), []).append(place)
    return [_listing(functions[places[0]], tuple(places)) for places in runners.values()]


def listed(listing: Listing, marks: Sequence[Mark]) -> str:
    """`listing` as HTML, with `marks` beside their lines. `LISTING_STYLE` belongs on the same page, once."""
    if not listing.lines:
        words = f"The source of {short(listing.name)} is not at hand: define it in a cell or in a module."
        return f'<div class="pc-code"><div class="pc-none">{words}</div></div>'
    widths = [_MARK + round(0.85 * len(mark.thread)) for mark in marks]
    width = sum(widths) if sum(widths) <= _WIDEST else min(_WIDEST, max(widths))
    at: dict[int, list[Mark]] = {}
    for mark in marks:
        if mark.line is not None and mark.state in _MEANINGS:
            at.setdefault(mark.line - listing.first, []).append(mark)
    texts = _coloured(listing.lines)
    rows = (_row(text, at.get(number, []), width) for number, text in enumerate(texts))
    return f'<div class="pc-code" role="group" aria-label="{short(listing.name)}">{"".join(rows)}</div>'


def pill(mark: Mark, *, named: bool = True) -> str:
    """A thread's mark as HTML: the sign of its state in its colour, and its name, unless that stands beside it."""
    colour = colour_of(mark.place)
    meaning = f"{short(mark.thread)} {_MEANINGS.get(mark.state, mark.state)}"
    return (
        f'<span class="pc-mark {mark.state}" style="border-color:{colour};color:{colour}" title="{meaning}">'
        f"{SIGNS[mark.state]}{f' <b>{short(mark.thread)}</b>' if named else ''}</span>"
    )


def colour_of(place: int) -> str:
    """The colour of thread number `place`; after a few they repeat, and names tell them apart."""
    return COLOURS[place % len(COLOURS)]


def _listing(function: Callable[..., Any], threads: tuple[int, ...]) -> Listing:
    name, own = function_name(function), own_function(function)
    if own and own.__code__.co_filename == "<string>":  # Python 3.13 takes the text of `python -c` for its source
        return Listing(name, 1, (), threads)
    try:
        lines, first = inspect.getsourcelines(own or function)
    except (OSError, TypeError):
        return Listing(name, 1, (), threads)
    return Listing(name, max(1, first), tuple(textwrap.dedent("".join(lines)).rstrip().split("\n")), threads)


def _row(text: str, marks: Sequence[Mark], width: int) -> str:
    tint = f' style="background:{colour_of(marks[0].place)}40"' if marks else ""
    who = "".join(map(pill, marks))
    return (
        f'<div class="pc-line"{tint}><span class="pc-who" style="width:{width}ch">{who}</span>'
        f'<code class="pc-text">{text}</code></div>'
    )


def _coloured(lines: Sequence[str]) -> list[str]:
    """Each line as HTML, its words in the colours of the cells above."""
    inks: dict[int, list[tuple[int, int, str]]] = {}
    for row, start, end, ink in _inked(lines):
        inks.setdefault(row, []).append((start, end, ink))
    return [_spans(line, inks.get(row, [])) for row, line in enumerate(lines)]


def _spans(line: str, inks: Sequence[tuple[int, int, str]]) -> str:
    parts, done = [], 0
    for start, end, ink in inks:
        parts += [safe(line[done:start]), f'<span class="{ink}">{safe(line[start:end])}</span>']
        done = end
    return "".join(parts) + safe(line[done:])


def _inked(lines: Sequence[str]) -> Iterator[tuple[int, int, int, str]]:
    """Row, first and last column, and ink of all that is not in the usual one."""
    for token in _tokens(lines):
        ink = "keyword" if keyword.iskeyword(token.string) else _INKS.get(token.type)
        if tokenize.tok_name[token.type] in _SPLIT_STRINGS:
            ink = "string"
        if ink is None:
            continue
        (row, start), (last, end) = token.start, token.end
        for number in range(row, last + 1):
            line = lines[number - 1]
            yield number - 1, start if number == row else 0, end if number == last else len(line), ink


def _tokens(lines: Sequence[str]) -> list[tokenize.TokenInfo]:
    """The tokens of `lines`; none where they are a part of a statement, as a lambda's may be."""
    try:
        return list(tokenize.generate_tokens(io.StringIO("\n".join(lines)).readline))
    except (tokenize.TokenError, SyntaxError, UnicodeError):  # the last from 3.12 on, of half a surrogate pair
        return []
