"""Listings: whose source is shown, and what stands beside which line."""

import functools
import inspect
import re
from html import unescape
from types import SimpleNamespace
from typing import Any

import pytest

from helpers.panels.listing import SIGNS, Listing, Mark, colour_of, listed, listings, pill

ROW = re.compile(r'<span class="pc-who"[^>]*>(.*?)</span><code class="pc-text">(.*?)</code>', re.DOTALL)


def take(shared: SimpleNamespace) -> None:
    """Take it <fast> & "well"."""
    with shared.lock:  # only one
        shared.x = f"{shared.x}<b>" + "two"
    if shared.x and not 4:
        shared.y = """
            <i>long</i>
        """


def other(shared: SimpleNamespace) -> None:
    shared.x = 2


def factory(number: int) -> Any:
    def run(shared: SimpleNamespace) -> None:
        shared.x = number

    return run


def words(html: str) -> str:
    return unescape(re.sub("<[^>]*>", "", html))


def texts(html: str) -> tuple[str, ...]:
    return tuple(words(text) for _, text in ROW.findall(html))


def marked(html: str) -> dict[int, str]:
    """What stands beside which line, counted from 0."""
    return {number: words(who) for number, (who, _) in enumerate(ROW.findall(html)) if who}


def test_each_function_has_one_listing_with_all_its_threads():
    shown = listings([take, other, take])
    assert [(listing.name, listing.threads) for listing in shown] == [("take", (0, 2)), ("other", (1,))]
    assert shown[0].first == inspect.getsourcelines(take)[1]
    assert shown[0].lines[0] == "def take(shared: SimpleNamespace) -> None:"


def test_functions_made_from_the_same_lines_share_a_listing():
    shown = listings([factory(1), factory(2), functools.partial(take)])
    assert [(listing.name, listing.threads) for listing in shown] == [("run", (0, 1)), ("take", (2,))]


def test_source_is_shown_as_it_is_and_nothing_of_it_is_markup():
    (listing,) = listings([take])
    html = listed(listing, [])
    assert texts(html) == listing.lines
    assert len(listing.lines) == 8
    for markup in ("<fast>", "<b>", "<i>"):
        assert markup not in html


def test_words_of_the_language_are_told_from_others():
    (listing,) = listings([take])
    html = listed(listing, [])
    assert {'<span class="keyword">with</span>', '<span class="keyword">None</span>'} <= set(
        re.findall('<span class="keyword">.*?</span>', html)
    )
    assert '<span class="comment"># only one</span>' in html
    assert '<span class="number">4</span>' in html
    assert '<span class="string">            &lt;i&gt;long&lt;/i&gt;</span>' in html


def test_an_indented_function_starts_at_the_margin():
    (listing,) = listings([factory(1)])
    assert texts(listed(listing, [])) == ("def run(shared: SimpleNamespace) -> None:", "    shared.x = number")


def test_a_lambda_within_a_statement_is_shown():
    (listing,) = listings([lambda shared: shared.x])
    assert listing.name == "lambda"
    assert "lambda shared: shared.x" in texts(listed(listing, []))[0]


def test_source_that_is_not_to_be_had_is_said_to_be_missing():
    space: dict[str, Any] = {}
    exec("def bare(shared): pass", space)  # noqa: S102 (as in a shell, which keeps no source)
    (listing,) = listings([space["bare"]])
    assert listing.lines == ()
    assert "The source of bare is not at hand" in listed(listing, [Mark("bare", 0, "ready", 1)])


def test_a_mark_stands_beside_its_line_with_name_sign_colour_and_meaning():
    listing = Listing("f", 10, ("def f(shared):", "    shared.x", "    shared.y"), (0, 1))
    html = listed(listing, [Mark("f 1", 0, "ready", 11), Mark("f 2", 1, "waiting", 12)])
    assert marked(html) == {1: "▶ f 1", 2: "❚❚ f 2"}
    assert colour_of(0) in html
    assert colour_of(1) in html
    assert 'title="f 1 runs this line next"' in html
    assert 'title="f 2 waits in this line"' in html


def test_two_threads_at_one_line_are_both_marked():
    listing = Listing("f", 1, ("def f(shared):", "    shared.x"), (0, 1))
    html = listed(listing, [Mark("f 1", 0, "ready", 2), Mark("f 2", 1, "failed", 2)])
    assert marked(html) == {1: "▶ f 1✕ f 2"}


def test_a_thread_that_has_ended_or_is_elsewhere_marks_no_line():
    listing = Listing("f", 10, ("def f(shared):",), (0,))
    for mark in (Mark("f", 0, "ended", 10), Mark("f", 0, "ready", None), Mark("f", 0, "ready", 99)):
        assert marked(listed(listing, [mark])) == {}


@pytest.mark.parametrize("state", SIGNS)
def test_names_are_escaped_in_every_state(state):
    html = pill(Mark("<b>&", 7, state, 1))
    assert "&lt;b&gt;&amp;" in html
    assert words(html) == f"{SIGNS[state]} <b>&"


def test_the_place_beside_the_lines_does_not_change_as_threads_move():
    listing = Listing("f", 1, ("def f(shared):", "    shared.x"), (0, 1))
    one = listed(listing, [Mark("f 1", 0, "ready", 1), Mark("f 2", 1, "ready", 2)])
    two = listed(listing, [Mark("f 1", 0, "waiting", 2), Mark("f 2", 1, "ended", None)])
    assert set(re.findall(r"width:\d+ch", one)) == set(re.findall(r"width:\d+ch", two)) != set()
