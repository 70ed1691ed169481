"""Lesson 17's exercise: the order in which tiles are drawn, coarse ones first and then those near a point."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import dist
from typing import Any, Final, NamedTuple

from helpers.panels.exercise import Exercise, Property
from helpers.panels.guard import Answer

_WIDTH: Final = 480
_HEIGHT: Final = 320
_MIDDLE: Final = (_WIDTH / 2, _HEIGHT / 2)
_CORNER: Final = (_WIDTH - 20, 20)
_SLACK: Final = 1e-6


class _Tile(NamedTuple):
    left: int
    top: int
    size: int
    step: int


_TILES: Final = tuple(
    _Tile(left, top, size, step)
    for size, step in ((160, 8), (40, 1))
    for top in range(0, _HEIGHT, size)
    for left in range(0, _WIDTH, size)
)


def _gives_all(answer: Answer) -> str | None:
    given = answer(list(_TILES), *_MIDDLE)
    if given is None:
        return "Your function gives back None: does it end with return? (A list's own sort() gives None, too.)"
    if not isinstance(given, Sequence):
        return f"Your function gives back {type(given).__name__}: a list of tiles is asked for; sorted() makes one."
    if not all(isinstance(tile, _Tile) for tile in given):
        return "There is something in your list that is no tile: give back the tiles themselves, in another order."
    missing, extra = _differences(given)
    if missing:
        return f"{missing} of {len(_TILES)} tiles are missing in your list: each of them has to be drawn."
    return f"{extra} tiles stand in your list twice: each is drawn once." if extra else None


def _differences(given: Iterable[_Tile]) -> tuple[int, int]:
    """How many tiles are missing, and how many there are too many."""
    counted, wanted = Counter(given), Counter(_TILES)
    return (wanted - counted).total(), (counted - wanted).total()


def _coarse_first(answer: Answer) -> str | None:
    steps = [tile.step for tile in answer(list(_TILES), *_MIDDLE)]
    if steps == sorted(steps, reverse=True):
        return None
    if steps == sorted(steps):
        return "Yours draws the fine tiles first: the larger its step, the coarser and the quicker a tile is."
    return (
        "A fine tile stands before a coarse one: whatever its place, a coarse tile comes first. (A key may be a "
        "tuple: what stands first in it counts first.)"
    )


def _near_first(answer: Answer, point: tuple[float, float] = _MIDDLE) -> str | None:
    given = answer(list(_TILES), *point)
    fine = [tile for tile in given if tile.step == 1]
    if _grows([dist(_middle(tile), point) for tile in fine]):
        return None
    return _detour(fine, point)


def _detour(fine: Sequence[_Tile], point: tuple[float, float]) -> str:
    """What to say of a wrong order, by what it is."""
    if _grows([-dist(_middle(tile), point) for tile in fine]):
        return "Yours draws the farthest tiles first: the nearest have to come first."
    if _grows([dist((tile.left, tile.top), point) for tile in fine]):
        return "Yours measures from a tile's corner, left and top: its middle is half its size away from both."
    if _grows([abs(_middle(tile)[0] - point[0]) for tile in fine]):
        return "Yours looks at x alone: a tile above the point may be far away, too."
    if _grows([abs(_middle(tile)[1] - point[1]) for tile in fine]):
        return "Yours looks at y alone: a tile beside the point may be far away, too."
    if point == _MIDDLE:
        return (
            "Among tiles of one step, a nearer one has to come before a farther one: what is the distance from a "
            "tile's middle to x, y? (math.dist or math.hypot gives it.)"
        )
    return "With the point in a corner, tiles far from it come first: are x and y what distances are measured from?"


def _coarse_near_first(answer: Answer) -> str | None:
    coarse = [tile for tile in answer(list(_TILES), *_CORNER) if tile.step > 1]
    if _grows([dist(_middle(tile), _CORNER) for tile in coarse]):
        return None
    return "The coarse tiles, too, begin with the nearest one: use one key for all tiles."


def _leaves_the_list_alone(answer: Answer) -> str | None:
    tiles: list[Any] = list(_TILES)
    answer(tiles, *_CORNER)
    return None if tiles == list(_TILES) else "It changes the list it is given: sorted(tiles) makes a new one."


def _middle(tile: _Tile) -> tuple[float, float]:
    return tile.left + tile.size / 2, tile.top + tile.size / 2


def _grows(numbers: Sequence[float]) -> bool:
    return all(before <= after + _SLACK for before, after in pairwise(numbers))


check_order: Final = Exercise(
    Property("every tile is drawn, and once", _gives_all),
    Property("coarse tiles come first", _coarse_first),
    Property("then those that are nearest to the middle", _near_first),
    Property("or to any other point", lambda answer: _near_first(answer, _CORNER) or _coarse_near_first(answer)),
    Property("the list of tiles stays as it was", _leaves_the_list_alone),
)
