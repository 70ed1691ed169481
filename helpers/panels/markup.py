"""Make words fit to be shown: names, notes and errors come from learners and from exceptions, and may be anything.

    safe(text)              HTML and SVG, all of it
    short(name)             the same, at most `SHORT` characters: a name
    passage(sentence)       the same, at most `LONG` characters: what went wrong, what is being done
    plain(text, most)       no HTML: for a text twin, a `repr`, a button

What is cut ends in an ellipsis, and the rest is not sent at all: nobody reads it, and a browser would choke on it.
"""

from html import escape
from typing import Final

SHORT: Final = 80  # characters of a name or note that a picture shows; its text twin has more of them
LONG: Final = 2_000  # characters of a sentence, which may repeat what an exception says

# XML has no way at all to write these: one of them, and a stored picture cannot be drawn. Unicode has pictures of the
# controls ("Control Pictures", U+2400 to U+2421). Half a pair cannot be written in UTF-8 either.
_UNWRITABLE: Final = {
    **{code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n"},
    0x7F: 0x2421,
    **dict.fromkeys([*range(0x80, 0xA0), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF], 0xFFFD),
}
# These turn the direction of what stands after them on the same line, which is ours.
_TURNING: Final = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)], 0xFFFD)
_SHOWN: Final = _UNWRITABLE | _TURNING


def safe(text: str) -> str:
    """`text` as HTML and as SVG: shown as it is, never taken for markup; a control character as its picture."""
    return escape(text.translate(_SHOWN))


def short(text: str) -> str:
    """The first `SHORT` characters of `text`, as `safe` gives them; an ellipsis says that there are more."""
    return safe(cut(text, SHORT))


def passage(text: str, most: int = LONG) -> str:
    """The first `most` characters of `text`, likewise."""
    return safe(cut(text, most))


def plain(text: str, most: int = LONG) -> str:
    """The first `most` characters of `text`, likewise, but as they are where no markup is read."""
    return cut(text, most).translate(_SHOWN)


def cut(text: str, most: int) -> str:
    """`text`, or as much of it as leaves room for an ellipsis within `most` characters."""
    return text if len(text) <= most else text[: max(0, most - 1)] + "…"
