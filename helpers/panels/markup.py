"""Make words fit to stand in HTML and SVG: names, notes and errors come from learners and from exceptions."""

from html import escape
from typing import Final

SHORT: Final = 80  # characters of a name or note that a picture shows; its text twin has all of them

# XML has no way at all to write these: one of them, and a stored picture cannot be drawn. Unicode has pictures of the
# controls ("Control Pictures", U+2400 to U+2421).
_UNWRITABLE: Final = {
    **{code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n"},
    0x7F: 0x2421,
    **dict.fromkeys([*range(0x80, 0xA0), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF], 0xFFFD),
}


def safe(text: str) -> str:
    """`text` as HTML and as SVG: shown as it is, never taken for markup; a control character as its picture."""
    return escape(text.translate(_UNWRITABLE))


def short(text: str) -> str:
    """The first `SHORT` characters of `text`, as `safe` gives them; an ellipsis says that there are more."""
    return safe(text if len(text) <= SHORT else text[: SHORT - 1] + "…")
