"""Who waits for whom: circles, deadlocks, and the words for them."""

import pickle

import pytest

from helpers.observe.waits import Hold, Wait, Waits


def waits(holds: str, waiting: str, *, ended: str = "", free: str = "", quitters: str = "") -> Waits:
    """Made from words such as "f1:x f2:y"."""
    pairs = [word.split(":") for word in waiting.split()]
    return Waits(
        holds=tuple(Hold(*word.split(":")) for word in holds.split()),
        waits=tuple(Wait(worker, lock, worker in quitters.split()) for worker, lock in pairs),
        ended=frozenset(ended.split()),
        open=frozenset(free.split()),
    )


@pytest.mark.parametrize(
    ("state", "circle"),
    [
        (waits("", ""), ()),
        (waits("f1:x f2:y", "f1:y"), ()),
        (waits("f1:x f2:y", "f1:y f2:x"), ("f1", "f2")),
        (waits("f1:x f2:y f3:z", "f1:y f2:z f3:x"), ("f1", "f2", "f3")),
        (waits("f1:x f2:y", "f2:x f1:y f3:x f4:y"), ("f1", "f2")),
        (waits("f1:x", "f1:x"), ("f1",)),
        (waits("f1:x f2:y", "f1:y f2:z"), ()),
        # A semaphore: all who hold a permit must be stuck.
        (waits("f1:x f2:s f3:s", "f1:s f2:x"), ()),
        (waits("f1:x f2:s f3:s", "f1:s f2:x f3:x"), ("f1", "f2")),
        (waits("f1:x f2:s f3:s", "f1:s f2:x", ended="f3"), ("f1", "f2")),
        (waits("f1:x f2:s", "f1:s f2:x", free="s"), ()),
        (waits("f1:x", "f2:x", ended="f1"), ()),
    ],
)
def test_a_circle(state: Waits, circle: tuple[str, ...]):
    assert state.circle == circle
    assert state.is_deadlock == bool(circle)
    assert Waits(state.holds[::-1], state.waits[::-1], state.ended, state.open).circle == circle


def test_a_circle_with_a_time_out_is_no_deadlock():
    state = waits("f1:x f2:y", "f1:y f2:x", quitters="f2")
    assert (state.circle, state.is_deadlock) == (("f1", "f2"), False)
    assert state.words == (
        "A circle, for now: f1 holds x and waits for y; f2 holds y and waits for x. "
        "The wait of f2 has a time-out, which will open it."
    )


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (waits("f1:x", ""), "Nobody waits."),
        (waits("f1:x f2:y", "f1:y f2:x"), "Deadlock: f1 holds x and waits for y; f2 holds y and waits for x."),
        (waits("f1:x", "f1:x"), "Deadlock: f1 holds x and waits for x."),
        (
            waits("f1:x f1:z f2:y", "f1:y f2:x"),
            "Deadlock: f1 holds x and z and waits for y; f2 holds y and waits for x.",
        ),
        (waits("f1:x", "f2:x"), "f2 waits for x, which f1 holds."),
        (waits("f1:x f3:x", "f2:x"), "f2 waits for x, which f1 and f3 hold."),
        (waits("f1:x", "f2:x", quitters="f2"), "f2 waits for x, with a time-out, which f1 holds."),
        (waits("", "f2:x"), "f2 waits for x."),
        (waits("f1:x", "f2:x", ended="f1"), "f2 waits for x; f1 held it and ended: nobody will release it."),
        (
            waits("f1:x f2:y", "f1:y f2:x f3:x"),
            "Deadlock: f1 holds x and waits for y; f2 holds y and waits for x. f3 waits for x, which f1 holds.",
        ),
    ],
)
def test_words(state: Waits, words: str):
    assert state.words == words
    assert Waits(state.holds[::-1], state.waits[::-1], state.ended, state.open).words == words


def test_who_holds_what():
    state = waits("f2:s f1:s f1:x f1:s", "")
    assert (state.holders("s"), state.holders("none")) == (["f1", "f2"], [])
    assert (state.held_by("f1"), state.held_by("nobody")) == (["s", "x"], [])


def test_it_travels_and_compares():
    state = waits("f1:x f2:y", "f1:y f2:x")
    assert state.is_deadlock
    again = pickle.loads(pickle.dumps(state))  # noqa: S301 (our own)
    assert again == state
    assert type(again) is Waits
    assert again.words == state.words
    assert hash(again) == hash(state)
    assert state != waits("f1:x f2:y", "f1:y")
