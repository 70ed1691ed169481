"""Lesson 17's exercise: right answers pass, and each usual mistake gets a hint of its own."""

from collections.abc import Callable
from math import dist, hypot
from typing import Any

import pytest

from helpers.panels.check_order import check_order
from helpers.workers.fractal import tiles as real_tiles

Tiles = list[Any]


def middle(tile: Any) -> tuple[float, float]:
    return tile.left + tile.size / 2, tile.top + tile.size / 2


def right(tiles: Tiles, x: float, y: float) -> Tiles:
    return sorted(tiles, key=lambda tile: (-tile.step, dist(middle(tile), (x, y))))


def by_two_sorts(tiles: Tiles, x: float, y: float) -> Tiles:
    near = sorted(tiles, key=lambda tile: hypot(middle(tile)[0] - x, middle(tile)[1] - y), reverse=True)
    near.reverse()
    return sorted(near, key=lambda tile: tile.step, reverse=True)


def by_squares(tiles: Tiles, x: float, y: float) -> tuple[Any, ...]:
    def key(tile: Any) -> tuple[float, float]:
        across, down = middle(tile)
        return -tile.step, (across - x) ** 2 + (down - y) ** 2

    return tuple(sorted(tiles, key=key))


@pytest.mark.parametrize("answer", [right, by_two_sorts, by_squares])
def test_right_answers(answer: Callable[..., object]):
    assert check_order(answer).good


def test_the_tiles_of_the_check_are_those_of_the_lesson():
    seen: Tiles = []

    def answer(tiles: Tiles, x: float, y: float) -> Tiles:
        seen[:] = tiles
        return right(tiles, x, y)

    assert check_order(answer).good
    assert [tuple(tile) for tile in seen] == [tuple(tile) for tile in real_tiles()]


def sorts_in_place(tiles: Tiles, x: float, y: float) -> Tiles:
    tiles.sort(key=lambda tile: (-tile.step, dist(middle(tile), (x, y))))
    return tiles


def sort_by(key: Callable[..., object]) -> Callable[[Tiles, float, float], Tiles]:
    return lambda tiles, x, y: sorted(tiles, key=lambda tile: key(tile, x, y))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda tiles, x, y: tiles.sort(), "gives back None"),  # noqa: ARG005 (a mistake that is made)
        (lambda tiles, x, y: reversed(right(tiles, x, y)), "a list of tiles is asked for"),
        (lambda tiles, x, y: [dist(middle(tile), (x, y)) for tile in tiles], "no tile"),
        (lambda tiles, x, y: [tile for tile in right(tiles, x, y) if tile.step == 1], "6 of 102 tiles are missing"),
        (lambda tiles, x, y: right(tiles, x, y) + right(tiles, x, y)[:3], "3 tiles stand in your list twice"),
        (sort_by(lambda tile, x, y: (tile.step, dist(middle(tile), (x, y)))), "fine tiles first"),
        (sort_by(lambda tile, x, y: dist(middle(tile), (x, y))), "A fine tile stands before a coarse one"),
        (sort_by(lambda tile, x, y: (-tile.step, -dist(middle(tile), (x, y)))), "farthest"),
        (sort_by(lambda tile, x, y: (-tile.step, dist((tile.left, tile.top), (x, y)))), "corner"),
        (sort_by(lambda tile, x, _: (-tile.step, abs(middle(tile)[0] - x))), "x alone"),
        (sort_by(lambda tile, _, y: (-tile.step, abs(middle(tile)[1] - y))), "y alone"),
        (lambda tiles, _x, _y: tiles, "a nearer one has to come before"),
        (lambda tiles, _x, _y: right(tiles, 240, 160), "With the point in a corner"),
        (sort_by(lambda t, x, y: (-t.step, t.step == 1 and dist(middle(t), (x, y)))), "The coarse tiles, too"),
        (sorts_in_place, "It changes the list"),
        (lambda tiles: tiles, "raised TypeError"),
    ],
)
def test_wrong_answers(answer: Callable[..., object], words: str):
    verdict = check_order(answer)
    assert not verdict.good
    assert verdict.lines[-1].startswith("Hint: ")
    assert words in verdict.lines[-1]
    assert "Traceback" not in repr(verdict)


def test_the_stub_is_known():
    def order(tiles: Tiles, x: float, y: float) -> Any: ...

    assert "nothing yet" in repr(check_order(order))
