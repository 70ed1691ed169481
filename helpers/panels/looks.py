"""Layouts and styles that widgets share.

A widget of one's own layout and style is three objects in the browser, each made by a message of its own, for 0.2 to
0.3 ms of the kernel's time. A view has some twenty widgets, and most of them look alike.
"""

from typing import Any

from ipywidgets import ButtonStyle, Layout
from ipywidgets.widgets.widget_int import ProgressStyle
from ipywidgets.widgets.widget_string import HTMLStyle

_kept: dict[tuple[object, ...], Any] = {}


def layout(**traits: str) -> Layout:
    """The layout with these traits, for all that have it; nobody may change it."""
    return _shared(Layout, traits)


def plain_html() -> HTMLStyle:
    """The style of all our HTML."""
    return _shared(HTMLStyle, {})


def plain_bar() -> ProgressStyle:
    """The style of all our progress bars."""
    return _shared(ProgressStyle, {})


def plain_button() -> ButtonStyle:
    """The style of all our Stop buttons."""
    return _shared(ButtonStyle, {})


def _shared(kind: Any, traits: dict[str, str]) -> Any:  # noqa: ANN401 - ipywidgets is not annotated
    key = (kind, *sorted(traits.items()))
    known = _kept.get(key)
    if known is None or known.comm is None:  # somebody has closed all widgets
        known = _kept[key] = kind(**traits)
    return known
