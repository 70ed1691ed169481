"""The fractal: tiles that cover the picture, bytes that are right everywhere, and a worker that stops."""

import multiprocessing
import threading
import zlib
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from helpers.observe.trace import Trace
from helpers.workers import fractal
from helpers.workers.fractal import HEIGHT, INSIDE, WIDTH, Tile, View, draw_tile, follow, tiles
from tests.observe.starting import LIMIT, METHODS, until

ALL_INSIDE = View(x=-0.15, width=0.2, iterations=200)
SLOW = ALL_INSIDE.tried(300_000)  # a row takes a third of a second


@pytest.fixture(autouse=True)
def nobody_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fractal, "_newest", None)


def steps_by_complex_numbers(c: complex, iterations: int) -> int:
    """The byte of a point, computed another way."""
    z = 0j
    for done in range(iterations):
        z = z * z + c
        if abs(z) > 2:
            return 2 + done % fractal.COLOURS
    return INSIDE


def test_each_pass_covers_every_pixel_once():
    for step in {tile.step for tile in tiles()}:
        covered = bytearray(WIDTH * HEIGHT)
        for tile in tiles():
            if tile.step == step:
                for y in range(tile.top, tile.top + tile.size):
                    for x in range(tile.left, tile.left + tile.size):
                        covered[y * WIDTH + x] += 1
        assert set(covered) == {1}


def test_coarse_tiles_come_first_and_are_a_small_part_of_the_work():
    steps = [tile.step for tile in tiles()]
    assert steps == sorted(steps, reverse=True)
    points = [(tile.size // tile.step) ** 2 for tile in tiles()]
    coarse = sum(count for count, step in zip(points, steps, strict=True) if step > 1)
    assert sum(points) - coarse == WIDTH * HEIGHT
    assert coarse < 0.02 * WIDTH * HEIGHT


def test_known_points():
    assert set(draw_tile(None, ALL_INSIDE, tiles()[0])) == {INSIDE}
    assert set(draw_tile(None, View(x=3, y=3, width=0.1), tiles()[0])) == {2}  # out after one step


@pytest.mark.parametrize("tile", [Tile(160, 0, 160, 8), Tile(240, 160, 40, 1)])
def test_bytes_are_those_of_the_plain_formula(tile: Tile):
    view = View(-0.7436, 0.1318, 0.02, 100)
    points = draw_tile(None, view, tile)
    side, pixel, half = tile.size // tile.step, view.width / WIDTH, (tile.step - 1) / 2
    wanted = [
        steps_by_complex_numbers(
            complex(
                view.x + (tile.left + half + across * tile.step - WIDTH / 2) * pixel,
                view.y + (tile.top + half + down * tile.step - HEIGHT / 2) * pixel,
            ),
            view.iterations,
        )
        for down in range(side)
        for across in range(side)
    ]
    # Rounded a little differently, a point on the very edge may leave a step sooner or later.
    assert sum(a != b for a, b in zip(points, wanted, strict=True)) < 0.02 * len(points)


def test_every_machine_draws_the_same_bytes():
    whole = b"".join(draw_tile(None, View(-0.7436, 0.1318, 0.02, 100), tile) for tile in tiles()[:6])
    assert zlib.crc32(whole) == 0xA070A8AF


def test_views_move_and_zoom():
    view = View(0.0, 0.0, 3.0, 100)
    assert view.moved(0.5, 0) == View(1.5, 0.0, 3.0, 100)
    assert view.moved(0, -1) == View(0.0, -2.0, 3.0, 100)
    assert view.zoomed(0.5).zoomed(2) == view
    assert view.zoomed(1e-30).width == fractal.NARROWEST
    assert view.tried(7).iterations == 7


def test_a_view_says_where_it_is_to_a_hundredth_of_the_picture():
    assert View().in_words() == "x = -0.65, y = 0.00, 3.60 wide"
    assert View(-0.743644, 0.131826, 0.0045).in_words() == "x = -0.74364, y = 0.13183, 0.00450 wide"
    assert View(width=fractal.NARROWEST).in_words().endswith("0.00000000000100 wide")


def test_a_coarse_point_stands_for_the_middle_of_its_pixels():
    coarse = draw_tile(None, View(), Tile(0, 0, 160, 160))
    around = [draw_tile(None, View(), Tile(x, y, 1, 1)) for x in (79, 80) for y in (79, 80)]
    assert coarse in around


@pytest.mark.parametrize("iterations", [0, -3])
def test_no_iterations_are_refused(iterations: int):
    with pytest.raises(ValueError, match=f"iterations must be at least 1, got {iterations}"):
        draw_tile(None, View().tried(iterations), tiles()[0])


def test_a_tile_that_cannot_be_cut_is_refused():
    with pytest.raises(ValueError, match="must be a multiple of its step, got 40 and 3"):
        draw_tile(None, View(), Tile(0, 0, 40, 3))


def test_only_the_newest_view_is_drawn():
    newest = SimpleNamespace(value=7)
    follow(newest)
    tile = tiles()[0]
    assert draw_tile(None, View(), tile, 7) == draw_tile(None, View(), tile)
    assert draw_tile(None, View(), tile, 6) is None
    assert draw_tile(None, View(), tile, 8) is None


def test_it_looks_before_each_row():
    class Counted:
        looks = 0

        @property
        def value(self) -> int:
            self.looks += 1
            return 1 if self.looks <= 5 else 2

    newest = Counted()
    follow(newest)
    assert draw_tile(None, View(), tiles()[0], 1) is None
    assert newest.looks == 6
    newest.looks = -100
    assert draw_tile(None, View(), tiles()[0], 1) is not None
    assert newest.looks == -100 + 20


def test_the_trace_tells_coarse_from_fine():
    with Trace() as trace:
        draw_tile(trace, View(), tiles()[0])
        draw_tile(trace, View(), tiles()[-1])
        (lane,) = trace.lanes()
    assert [span.name for span in lane.spans] == ["coarse", "fine"]


def pool_of(method: str, newest: object) -> ProcessPoolExecutor:
    context = multiprocessing.get_context(method)
    return ProcessPoolExecutor(1, mp_context=context, initializer=follow, initargs=(newest,))


@pytest.mark.parametrize("method", METHODS)
def test_processes_draw_the_same_and_stop_when_the_number_changes(method: str):
    newest = multiprocessing.get_context(method).RawValue("q", 1)
    with Trace() as trace, pool_of(method, newest) as pool:
        tile = tiles()[0]
        assert pool.submit(draw_tile, None, View(), tile, 1).result(LIMIT) == draw_tile(None, View(), tile)
        running = pool.submit(draw_tile, trace, SLOW, tile, 1)
        until(lambda: any(lane.spans for lane in trace.lanes()), "the tile to be begun")
        newest.value += 1
        assert running.result(LIMIT) is None
        assert pool.submit(draw_tile, None, SLOW, tile, 1).result(LIMIT) is None
    assert multiprocessing.active_children() == []


def test_threads_stop_too():
    newest = SimpleNamespace(value=1)
    begun = threading.Event()

    class Told:
        @property
        def value(self) -> int:
            begun.set()
            return newest.value

    with ThreadPoolExecutor(1, initializer=follow, initargs=(Told(),)) as pool:
        running = pool.submit(draw_tile, None, ALL_INSIDE.tried(20_000), tiles()[0], 1)
        assert begun.wait(LIMIT)
        newest.value = 2
        assert running.result(LIMIT) is None
