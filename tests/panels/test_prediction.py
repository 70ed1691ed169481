"""Predictions: committing, comparing, and every order in which cells may be run."""

import pytest

from helpers.panels.prediction import Prediction

QUESTION = "What happens to the button?"
OPTIONS = ("it answers at once", "it answers when the cell ends", "it never answers")


@pytest.fixture
def guess() -> Prediction:
    return Prediction(QUESTION, *OPTIONS)


def choose(guess: Prediction, index: int) -> None:
    guess._choice.index = index


def commit(guess: Prediction) -> None:
    guess._commit.click()


def test_its_text_is_the_question_and_the_lettered_options(guess):
    assert repr(guess) == (
        "What happens to the button?\n"
        "  a) it answers at once\n  b) it answers when the cell ends\n  c) it never answers"
    )


def test_shows_a_widget_and_the_same_text_before_and_after(guess):
    before = guess._repr_mimebundle_()
    choose(guess, 1)
    commit(guess)
    assert before == guess._repr_mimebundle_()
    assert before["text/plain"] == repr(guess)
    assert set(before) == {"text/plain", "application/vnd.jupyter.widget-view+json"}


def test_nothing_is_chosen_at_first_and_nothing_can_be_committed(guess):
    assert guess._choice.index is None
    assert guess._commit.disabled
    assert guess.answer is None


def test_committing_locks_the_choice_and_says_so(guess):
    choose(guess, 1)
    assert not guess._commit.disabled
    fresh = guess._words.value
    commit(guess)
    assert guess.answer == OPTIONS[1]
    assert guess._choice.disabled
    assert guess._commit.disabled
    assert guess._words.value != fresh
    assert "committed" in guess._words.value


def test_the_mind_can_be_changed_until_the_commit_and_not_after(guess):
    choose(guess, 0)
    choose(guess, 2)
    commit(guess)
    choose(guess, 1)
    commit(guess)
    assert guess.answer == OPTIONS[2]


def test_a_right_answer_is_shown_beside_the_result(guess):
    choose(guess, 1)
    commit(guess)
    verdict = guess.compare(OPTIONS[1], because="the kernel was busy")
    assert verdict.good
    assert repr(verdict) == (
        "✔ You saw it coming.\n"
        "  You predicted: b) it answers when the cell ends\n"
        "  The run showed: b) it answers when the cell ends\n"
        "  Why: the kernel was busy"
    )


def test_a_wrong_answer_is_shown_beside_the_result(guess):
    choose(guess, 0)
    commit(guess)
    verdict = guess.compare(OPTIONS[1])
    assert not verdict.good
    assert verdict.lines == (
        "You predicted: a) it answers at once",
        "The run showed: b) it answers when the cell ends",
    )


def test_without_a_prediction_the_result_is_told_with_an_invitation(guess):
    verdict = guess.compare(OPTIONS[1], because="the kernel was busy")
    assert verdict.heading == "You made no prediction."
    assert verdict.lines[0] == "The run showed: b) it answers when the cell ends"
    assert "Next time" in verdict.lines[-1]


def test_a_choice_without_a_commit_counts(guess):
    choose(guess, 1)
    assert guess.compare(OPTIONS[1]).good
    assert guess.answer == OPTIONS[1]


def test_a_commit_after_the_result_is_refused_and_the_way_out_named(guess):
    first = guess.compare(OPTIONS[1])
    assert "run this cell again" in guess._words.value
    choose(guess, 1)  # a click that had waited behind the busy cell
    commit(guess)
    assert guess.answer is None
    assert guess._commit.disabled
    assert guess.compare(OPTIONS[1]) == first


def test_comparing_again_tells_the_same(guess):
    choose(guess, 2)
    commit(guess)
    assert guess.compare(OPTIONS[1]) == guess.compare(OPTIONS[1])


def test_an_unknown_result_names_the_question_and_the_options(guess):
    with pytest.raises(ValueError, match="'it melts' is no answer to 'What happens") as caught:
        guess.compare("it melts")
    assert all(option in str(caught.value) for option in OPTIONS)
    assert not guess._over


@pytest.mark.parametrize("options", [(), ("one",), ("same", "same"), ("one", "")])
def test_options_must_be_a_real_choice(options):
    with pytest.raises(ValueError, match="at least two different texts"):
        Prediction(QUESTION, *options)


def test_all_text_is_escaped():
    guess = Prediction("Is <b> & bold?", "<script>alert(1)</script>", "no")
    heading = guess._box.children[0].value
    shown = guess.compare("<script>alert(1)</script>", because="<img src=x>")._repr_html_()
    assert "Is &lt;b&gt; &amp; bold?" in heading
    assert "<script>" not in shown
    assert "<img" not in shown
    assert "&lt;script&gt;" in shown


def test_the_comparison_says_in_words_what_its_colour_says(guess):
    choose(guess, 1)
    right, wrong = guess.compare(OPTIONS[1]), guess.compare(OPTIONS[0])
    assert "You saw it coming." in right._repr_html_()
    assert "Not this time" in wrong._repr_html_()
    assert "--jp-content-font-color1" in right._repr_html_()
