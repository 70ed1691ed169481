"""Cards of claims: what they say, how they count, and that what does not hold is seen."""

import asyncio
import re

import pytest

from helpers.panels.claim_cards import ClaimCards
from helpers.panels.claims.claim import Claim, Document


def holds():
    """It holds, `always`.

    This is not shown.
    """
    return True


def does_not():
    """It does not."""
    return False


def raises():
    """It raises."""
    raise ValueError


PAGE = Document("https://docs.python.org/3.14/library/threading.html", "threads <b>& more</b>")


def claim(*evidence, judgement="partly", lesson=6):
    return Claim(
        "key", "Example <1>", "It says & means <i>this</i>.", judgement, "Not <so>.", "any & all", evidence, lesson
    )


def test_before_anything_has_run():
    cards = ClaimCards([claim(holds, PAGE)])
    assert cards.counts == "claims checked here: 0, as the card says: 0"
    assert "It holds, always. (not tried yet)" in repr(cards)
    assert "This is not shown" not in repr(cards)


def test_counts():
    cards = ClaimCards([claim(holds, PAGE), claim(PAGE), claim(holds, does_not), claim(raises)])
    asyncio.run(cards.run_evidence())
    assert cards.counts == "claims checked here: 3, as the card says: 1"
    assert repr(cards).count("✔ tried here: it holds") == 2
    assert repr(cards).count("✘ tried here: IT DOES NOT HOLD") == 2
    assert cards._repr_html_().count("IT DOES NOT HOLD") == 2


def test_a_truthy_answer_is_no_yes():
    cards = ClaimCards([claim(len_of_two)])
    asyncio.run(cards.run_evidence())
    assert cards.counts == "claims checked here: 1, as the card says: 0"


def len_of_two():
    """It gives a number."""
    return 2


def test_judgements_are_counted_in_their_order():
    cards = ClaimCards([claim(PAGE, judgement=word) for word in ("bug", "right", "bug", "missing")])
    assert cards.judgements == "1 right, 2 bug, 1 missing"


@pytest.mark.parametrize("word", ["right", "partly", "wrong", "out of date", "bug", "missing"])
def test_the_judgement_is_said_in_words(word):
    cards = ClaimCards([claim(PAGE, judgement=word)])
    assert f" {word}</strong>" in cards._repr_html_()
    assert f" {word}. Example" in repr(cards)


def test_text_is_escaped():
    drawn = ClaimCards([claim(PAGE)])._repr_html_()
    assert not re.search(r"<(b|i|so|1)>", drawn)
    assert "It says &amp; means &lt;i&gt;this&lt;/i&gt;." in drawn
    assert "threads &lt;b&gt;&amp; more" in drawn


def test_its_lesson_is_linked():
    assert 'href="06_a_deadlock_you_can_watch.ipynb">' in ClaimCards([claim(PAGE)])._repr_html_()
    without = ClaimCards([claim(PAGE, lesson=None)])
    assert "Lesson" not in without._repr_html_() + repr(without)
