"""What a browser is sent, read strictly: its elements, its words, and whether any of it could hurt."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import NoReturn
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from ipywidgets import HTML, Widget

VOID = {"br", "hr", "img", "input"}
FORBIDDEN = re.compile(  # what XML cannot hold, and what turns the direction of the words after it
    "[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|[\u202a-\u202e\u2066-\u2069]"
)


class Page(HTMLParser):
    """Some HTML; fails if it is not well formed.

    Attributes:
        parts: its elements, and each one's attributes, as `("b", "title")`.
        words: all its text and all that its attributes say, style left out.
        styles: what its attributes `style` say.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.parts: set[tuple[str, ...]] = set()
        self.words = ""
        self.styles: set[str] = set()
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open, f"left open: {self._open}"
        for svg in [*re.findall(r"<svg\b.*</svg>", html, re.DOTALL), *map(unquote, stored(html))]:
            ET.fromstring(f"<all>{svg}</all>")  # noqa: S314 - we wrote it

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(tag, attrs)
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._note(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> ends nothing"
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open[-1:]:
            self.words += data

    def handle_comment(self, data: str) -> NoReturn:
        raise AssertionError(f"a comment: {data[:80]!r}")

    def handle_decl(self, decl: str) -> NoReturn:
        raise AssertionError(f"a declaration: {decl[:80]!r}")

    def handle_pi(self, data: str) -> NoReturn:
        raise AssertionError(f"an instruction: {data[:80]!r}")

    def unknown_decl(self, data: str) -> NoReturn:
        raise AssertionError(f"a section: {data[:80]!r}")

    def _note(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names)
        assert not any(name.startswith("on") for name in names)
        self.parts |= {(tag,), *((tag, name) for name in names)}
        for name, value in attrs:
            if name in {"href", "src"}:
                assert re.match(r"https://|data:image/svg\+xml,|\d\d_\w+\.ipynb$", value or ""), value
            if name == "style":
                self.styles.add(value or "")
            else:
                self.words += f" {value} "


class Sent:
    """All that is sent to show something; fails if it could hurt.

    Attributes:
        name: of its class.
        parts: the elements of its HTML, as `Page` has them.
        words: all that a reader can find.
        styles: as `Page` has them.
        size: characters in all.
    """

    def __init__(self, shown: object) -> None:
        self.name = type(shown).__name__
        self.parts: set[tuple[str, ...]] = set()
        self.styles: set[str] = set()
        self.words = ""
        self.size = 0
        for text in _plain(shown):
            self._take(text)
            self.words += text + "\n"
        for html in _html(shown):
            self._take(html)
            page = Page(html)
            self.parts |= page.parts
            self.styles |= page.styles
            self.words += page.words + "\n"

    def _take(self, text: str) -> None:
        assert not (found := FORBIDDEN.findall(text)), f"not to be sent: {found[:5]!r}"
        json.dumps(text, ensure_ascii=False).encode()
        self.size += len(text)


def stored(html: str) -> list[str]:
    """The pictures for viewers that take SVG out, still quoted."""
    found = re.findall(r'<img class="pc-stored" alt="[^"]*" src="data:image/svg\+xml,([^"]*)">', html)
    assert all(not set(address) & set('<>"#&\n\t') for address in found)
    return found


def _widgets(widget: Widget) -> Iterator[Widget]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _widgets(child)


def _html(shown: object) -> Iterator[str]:
    if isinstance(shown, Widget):
        yield from (widget.value for widget in _widgets(shown) if isinstance(widget, HTML))
    elif isinstance(shown, str):
        yield shown
    elif hasattr(shown, "_repr_html_"):
        yield shown._repr_html_()


def _plain(shown: object) -> Iterator[str]:
    if isinstance(shown, str):
        return
    yield repr(shown)
    text = getattr(shown, "text", None)
    if isinstance(text, str):
        yield text
    box = getattr(shown, "_box", shown)
    for widget in _widgets(box) if isinstance(box, Widget) else ():
        for name in ("description", "tooltip", "placeholder"):
            yield getattr(widget, name, None) or ""
        yield from map(str, getattr(widget, "_options_labels", ()))
