"""The explorer without a browser: pictures that are right at every moment, views that give way, nothing left.

Widgets work without a kernel, where their messages go nowhere.
"""

import asyncio
import gc
import threading
from collections.abc import Callable, Coroutine
from itertools import pairwise
from typing import Any

import pytest
from ipywidgets import HTML, BoundedIntText, Button, Widget

from helpers.panels import explorer_canvas
from helpers.panels.explorer import CLOSED, Explorer
from helpers.panels.explorer_beat import Beat
from helpers.panels.explorer_canvas import Canvas
from helpers.panels.explorer_png import palette, png
from helpers.workers.fractal import Tile, View
from tests.observe.pool_making import soon
from tests.panels.frames import Png, read_png

pytestmark = pytest.mark.usefixtures("left_as_found")
LIMIT = 50.0
ACROSS, DOWN = 8, 4
COARSE, FINE, LAST = Tile(0, 0, 4, 2), Tile(0, 0, 2, 1), Tile(6, 2, 2, 1)


def play(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(scene(), LIMIT))


def rows(canvas: Canvas) -> list[bytes]:
    return [canvas.pixels[start : start + ACROSS] for start in range(0, ACROSS * DOWN, ACROSS)]


# The picture


def test_a_png_holds_the_pixels_and_the_colours():
    pixels = bytes(range(6))
    read = read_png(png(3, 2, pixels, palette()))
    assert read == Png(3, 2, [pixels[:3], pixels[3:]], palette(), b"\0")


def test_a_png_of_the_wrong_size_is_refused():
    with pytest.raises(ValueError, match="pixels must be 6 bytes for 3 by 2 pixels, got 5"):
        png(3, 2, bytes(5), palette())


def test_the_colours_are_told_apart():
    colours = palette()
    each = [tuple(colours[n : n + 3]) for n in range(0, 768, 3)]
    assert len(each) == 256
    assert all(before != after for before, after in pairwise(each))
    assert each[1] not in each[2:]
    brightness = [sum(colour) for colour in each[2:]]
    assert min(brightness) < 200
    assert max(brightness) > 600


def test_tiles_are_put_in_their_places():
    async def scene() -> None:
        canvas = Canvas(ACROSS, DOWN)
        canvas.paint(COARSE, bytes([1, 2, 3, 4]))
        canvas.paint(LAST, bytes([5, 6, 7, 8]))
        assert rows(canvas) == [
            bytes([1, 1, 2, 2, 0, 0, 0, 0]),
            bytes([1, 1, 2, 2, 0, 0, 0, 0]),
            bytes([3, 3, 4, 4, 0, 0, 5, 6]),
            bytes([3, 3, 4, 4, 0, 0, 7, 8]),
        ]
        assert canvas.painted == 2

    play(scene)


def test_a_coarse_tile_that_comes_late_does_not_cover_a_fine_one():
    async def scene() -> None:
        canvas = Canvas(ACROSS, DOWN)
        canvas.paint(FINE, bytes([5, 6, 7, 8]))
        canvas.paint(COARSE, bytes([1, 2, 3, 4]))
        assert rows(canvas)[0] == bytes([5, 6, 2, 2, 0, 0, 0, 0])
        assert rows(canvas)[2] == bytes([3, 3, 4, 4, 0, 0, 0, 0])

    play(scene)


def test_points_of_the_wrong_number_are_refused():
    async def scene() -> None:
        with pytest.raises(ValueError, match=r"points must be 4 bytes for Tile\(left=0.*got 3"):
            Canvas(ACROSS, DOWN).paint(FINE, bytes(3))

    play(scene)


def test_it_sends_the_first_tile_at_once_then_at_most_17_pictures_a_second(monkeypatch: pytest.MonkeyPatch):
    now = [100.0]
    monkeypatch.setattr(explorer_canvas, "perf_counter", lambda: now[0])

    async def scene() -> None:
        canvas = Canvas(ACROSS, DOWN)
        sent: list[bytes] = []
        canvas.observe(lambda change: sent.append(bytes(change.new)), "value")
        canvas.paint(COARSE, bytes([1, 2, 3, 4]))
        assert len(sent) == 1
        for value in range(20):
            canvas.paint(FINE, bytes([value] * 4))
        assert len(sent) == 1
        await asyncio.sleep(2 * explorer_canvas.EVERY)
        assert len(sent) == 2
        assert b"".join(read_png(sent[-1]).rows) == canvas.pixels
        now[0] += 1
        canvas.paint(LAST, bytes([5, 6, 7, 8]))
        assert len(sent) == 3

    play(scene)


def test_after_clearing_the_old_picture_stays_until_the_first_new_tile(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(explorer_canvas, "EVERY", 0.02)

    async def scene() -> None:
        canvas = Canvas(ACROSS, DOWN)
        canvas.paint(COARSE, bytes([1, 2, 3, 4]))
        canvas.paint(FINE, bytes(4))  # its picture is still to be sent
        seen = bytes(canvas.value)
        canvas.clear()
        assert canvas.first_after is None
        await asyncio.sleep(0.06)
        assert bytes(canvas.value) == seen
        canvas.paint(LAST, bytes([5, 6, 7, 8]))
        assert read_png(bytes(canvas.value)).rows[0] == bytes(ACROSS)
        assert canvas.painted == 1
        assert canvas.first_after is not None

    play(scene)


def test_the_picture_has_a_name_and_a_text():
    async def scene() -> None:
        canvas = Canvas(ACROSS, DOWN, "A <map>")
        assert repr(canvas) == "<Canvas: 8 by 4 pixels>"
        assert (canvas.tooltip, canvas.description) == ("A <map>", "")
        picture = canvas.picture()
        assert repr(picture) == "<Picture>"
        assert 'alt="A &lt;map&gt;" src="data:image/png;base64,' in picture._repr_html_()

    play(scene)


# The explorer


class Drawer:
    """Three functions for an explorer, and what was asked of them."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.go_on = asyncio.Event()
        self.open: set[str] = set()
        self.error: Exception | None = None

    def start(self, workers: int) -> str:
        pool = f"pool {len([word for word in self.log if word.startswith('start')]) + 1} of {workers}"
        self.log.append(f"start {pool}")
        self.open.add(pool)
        return pool

    async def draw(self, pool: str, view: View, canvas: Canvas) -> None:
        assert pool in self.open
        canvas.clear()
        self.log.append(f"draw {view.x:g} {view.width:g} {view.iterations}")
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.log.append(f"cancelled {view.x:g}")
            raise
        if self.error is not None:
            raise self.error
        canvas.paint(FINE, bytes(4))
        self.log.append(f"drawn {view.x:g}")

    async def stop(self, pool: str) -> None:
        self.log.append(f"stop {pool}")
        await asyncio.sleep(0.01)
        self.open.remove(pool)


HOME = View(0.0, 0.0, 4.0, 200)


def all_in(widget: Widget) -> list[Widget]:
    return [widget, *(below for child in getattr(widget, "children", ()) for below in all_in(child))]


def buttons(explorer: Explorer) -> dict[str, Button]:
    return {widget.description: widget for widget in all_in(explorer) if isinstance(widget, Button)}


def number(explorer: Explorer, name: str) -> BoundedIntText:
    return next(w for w in all_in(explorer) if isinstance(w, BoundedIntText) and w.description == name)


def said(explorer: Explorer) -> str:
    return " ".join(widget.value for widget in all_in(explorer) if isinstance(widget, HTML))


async def a_moment() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def explored(scene: Callable[[Explorer, Drawer], Coroutine[Any, Any, None]]) -> None:
    """Play `scene` with an explorer, whose last drawing nobody lets go on; then close it: no pool is left."""

    async def whole() -> None:
        before, drawer = asyncio.all_tasks(), Drawer()
        explorer = Explorer(HOME, drawer.start, drawer.draw, drawer.stop, Canvas(ACROSS, DOWN))
        await a_moment()
        await scene(explorer, drawer)
        await explorer.stop()
        assert drawer.open == set()
        assert asyncio.all_tasks() == before

    play(whole)


def test_it_needs_an_event_loop():
    with pytest.raises(RuntimeError, match="needs a running event loop"):
        Explorer(HOME, int, int, int, None)  # type: ignore[arg-type] # it does not come to that


def test_it_draws_the_first_view_and_says_how_it_went():
    async def scene(explorer: Explorer, drawer: Drawer) -> None:
        assert repr(explorer) == "<Explorer>"
        assert "Drawing" in said(explorer)
        drawer.go_on.set()
        await explorer.drawn()
        assert drawer.log == ["start pool 1 of 2", "draw 0 4 200", "drawn 0"]
        for words in ("First tile after", "All drawn in", "Longest freeze", "x = 0.00, y = 0.00, 4.00 wide"):
            assert words in said(explorer)

    explored(scene)


def test_each_button_shows_another_view():
    async def scene(explorer: Explorer, drawer: Drawer) -> None:
        drawer.go_on.set()
        for name, view in [
            ("Right", HOME._replace(x=1.0)),
            ("Left", HOME),
            ("Down", HOME.moved(0, 0.25)),
            ("Up", HOME),
            ("Zoom in", HOME._replace(width=2.0)),
            ("Zoom out", HOME),
            ("Zoom out", HOME._replace(width=8.0)),
            ("Reset", HOME),
        ]:
            buttons(explorer)[name].click()
            await a_moment()
            await explorer.drawn()
            assert explorer.view == view

    explored(scene)


def test_the_search_for_rubbish_is_kept_short_while_there_is_a_pool():
    async def scene(explorer: Explorer, drawer: Drawer) -> None:
        del drawer
        assert gc.get_freeze_count() > before + 1000
        await explorer.stop()
        assert gc.get_freeze_count() <= before

    before = gc.get_freeze_count()
    explored(scene)


def test_a_new_view_cancels_the_old_one():
    async def scene(explorer: Explorer, drawer: Drawer) -> None:
        for _ in range(3):
            buttons(explorer)["Right"].click()
            await a_moment()
        drawer.go_on.set()
        await explorer.drawn()
        assert [word for word in drawer.log if word.startswith(("cancelled", "drawn"))] == [
            *("cancelled 0", "cancelled 1", "cancelled 2", "drawn 3")
        ]
        assert len(drawer.open) == 1

    explored(scene)


def test_views_that_come_faster_than_the_loop_turns_leave_the_last():
    async def scene(explorer: Explorer, drawer: Drawer) -> None:
        for x in range(50):
            explorer.go(HOME._replace(x=float(x)))
        drawer.go_on.set()
        await explorer.drawn()
        assert [word for word in drawer.log if word.startswith("drawn")] == ["drawn 49"]
        assert explorer.view.x == 49

    explored(scene)


def test_a_click_in_another_thread_is_handed_to_the_loop():
    async def scene(explorer: Explorer, drawer: Drawer) -> None:
        drawer.go_on.set()
        click = threading.Thread(target=buttons(explorer)["Right"].click)
        click.start()
        click.join(LIMIT)
        assert explorer.view == HOME  # nothing happens in that thread
        await a_moment()
        await explorer.drawn()
        assert drawer.log[-1] == "drawn 1"

    explored(scene)


def test_iterations_are_set_by_the_learner_and_by_a_view():
    async def scene(explorer: Explorer, drawer: Drawer) -> None:
        drawer.go_on.set()
        number(explorer, "iterations").value = 450
        await a_moment()
        await explorer.drawn()
        assert explorer.view == HOME.tried(450)
        for iterations in (5000, 7):
            explorer.go(HOME.tried(iterations))
            await a_moment()
            assert number(explorer, "iterations").value == explorer.view.iterations == iterations
        buttons(explorer)["Reset"].click()
        await a_moment()
        assert explorer.view == HOME.tried(7)
        await explorer.drawn()
        assert [word for word in drawer.log if word.startswith("draw ")] == [
            *("draw 0 4 200", "draw 0 4 450", "draw 0 4 5000", "draw 0 4 7", "draw 0 4 7")
        ]

    explored(scene)


def test_another_number_of_workers_is_another_pool_once_the_old_one_has_ended():
    async def scene(explorer: Explorer, drawer: Drawer) -> None:
        number(explorer, "workers").value = 3
        await a_moment()
        assert drawer.log[2:] == ["cancelled 0", "stop pool 1 of 2"]
        drawer.go_on.set()
        await explorer.drawn()
        assert drawer.log[4:] == ["start pool 2 of 3", "draw 0 4 200", "drawn 0"]
        assert drawer.open == {"pool 2 of 3"}

    explored(scene)


def test_views_chosen_while_the_pool_is_exchanged_are_drawn_by_the_new_one():
    async def scene(explorer: Explorer, drawer: Drawer) -> None:
        drawer.go_on.set()
        number(explorer, "workers").value = 3
        for _ in range(5):
            buttons(explorer)["Right"].click()
            await a_moment()
        await explorer.drawn()
        assert drawer.log[-1] == "drawn 5"
        await asyncio.sleep(0.05)
        assert drawer.open == {"pool 2 of 3"}

    explored(scene)


def test_close_ends_the_pool_and_any_button_starts_another():
    async def scene(explorer: Explorer, drawer: Drawer) -> None:
        buttons(explorer)["Close"].click()
        await a_moment()
        assert drawer.log[2:] == ["cancelled 0", "stop pool 1 of 2"]
        assert "Closing …" in said(explorer)
        await soon(lambda: CLOSED in said(explorer), "the end")
        buttons(explorer)["Close"].click()  # a second time does nothing
        number(explorer, "workers").value = 3  # nor does this, until there is something to draw
        await asyncio.sleep(0.05)
        assert drawer.open == set()
        drawer.go_on.set()
        buttons(explorer)["Right"].click()
        await a_moment()
        await explorer.drawn()
        assert drawer.log[4:] == ["start pool 2 of 3", "draw 1 4 200", "drawn 1"]

    explored(scene)


def test_a_click_right_after_close_is_not_lost():
    async def scene(explorer: Explorer, drawer: Drawer) -> None:
        drawer.go_on.set()
        buttons(explorer)["Close"].click()
        buttons(explorer)["Right"].click()
        await a_moment()
        await explorer.drawn()
        assert drawer.log[-1] == "drawn 1"
        await asyncio.sleep(0.05)
        assert drawer.open == {"pool 2 of 2"}

    explored(scene)


def test_a_closing_that_fails_is_told():
    async def scene(explorer: Explorer, drawer: Drawer) -> None:
        async def fails(_: str) -> None:
            raise ValueError("<b>not</b> closed")

        other = Explorer(HOME, drawer.start, drawer.draw, fails, Canvas(ACROSS, DOWN))
        await a_moment()
        await other.stop()
        assert "Closing has failed: ValueError: &lt;b&gt;not&lt;/b&gt; closed" in said(other)
        assert CLOSED in said(explorer)
        drawer.open.remove("pool 2 of 2")  # which this stop left open

    explored(scene)


def test_a_second_explorer_closes_the_first_and_its_stop_waits_for_both():
    async def scene(explorer: Explorer, drawer: Drawer) -> None:
        other = Explorer(HOME, drawer.start, drawer.draw, drawer.stop, Canvas(ACROSS, DOWN))
        await a_moment()
        assert drawer.log[2:] == ["cancelled 0", "stop pool 1 of 2", "start pool 2 of 2", "draw 0 4 200"]
        await other.stop()
        assert drawer.open == set()
        assert CLOSED in said(explorer)
        assert CLOSED in said(other)

    explored(scene)


def test_a_click_in_the_first_explorer_closes_the_second():
    async def scene(explorer: Explorer, drawer: Drawer) -> None:
        other = Explorer(HOME, drawer.start, drawer.draw, drawer.stop, Canvas(ACROSS, DOWN))
        await a_moment()
        drawer.go_on.set()
        buttons(explorer)["Right"].click()
        await a_moment()
        await explorer.drawn()
        await soon(lambda: CLOSED in said(other), "the other's end")
        assert drawer.log[-1] == "drawn 1"
        assert drawer.open == {"pool 3 of 2"}

    explored(scene)


def test_an_error_is_told_and_the_pool_given_up():
    async def scene(explorer: Explorer, drawer: Drawer) -> None:
        drawer.error = ExceptionGroup("many", [ValueError("<b>not</b> this")])
        drawer.go_on.set()
        await explorer.drawn()
        await asyncio.sleep(0.05)
        assert drawer.open == set()
        assert "ValueError: &lt;b&gt;not&lt;/b&gt; this. Any button starts new workers." in said(explorer)
        drawer.error = None
        buttons(explorer)["Reset"].click()
        await a_moment()
        await explorer.drawn()
        assert drawer.log[-2:] == ["draw 0 4 200", "drawn 0"]

    explored(scene)


def test_an_error_of_an_old_view_leaves_the_new_one_alone():
    async def scene(explorer: Explorer, drawer: Drawer) -> None:
        class Stubborn(Drawer):
            async def draw(self, pool: str, view: View, canvas: Canvas) -> None:
                try:
                    await super().draw(pool, view, canvas)
                except asyncio.CancelledError:
                    raise ValueError("too late") from None

        stubborn = Stubborn()
        other = Explorer(HOME, stubborn.start, stubborn.draw, stubborn.stop, Canvas(ACROSS, DOWN))
        await a_moment()
        other.go(HOME.moved(1, 0))
        stubborn.go_on.set()
        await other.drawn()
        assert stubborn.log[-1] == "drawn 4"
        assert stubborn.open == {"pool 1 of 2"}
        assert "too late" not in said(other)
        await other.stop()
        del explorer, drawer

    explored(scene)


def test_waiting_for_it_and_being_interrupted_closes_it():
    async def scene(explorer: Explorer, drawer: Drawer) -> None:
        waiting = asyncio.create_task(explorer.drawn())
        await a_moment()
        waiting.cancel()
        await asyncio.wait([waiting])
        await asyncio.sleep(0.05)
        assert waiting.cancelled()
        assert drawer.open == set()

    explored(scene)


def test_everything_has_a_name_and_is_reached_by_keyboard():
    async def scene(explorer: Explorer, drawer: Drawer) -> None:
        del drawer
        assert list(buttons(explorer)) == ["Left", "Up", "Down", "Right", "Zoom in", "Zoom out", "Reset", "Close"]
        assert all(button.tooltip and button.tabbable is not False for button in buttons(explorer).values())
        assert all(number(explorer, name).tabbable is not False for name in ("iterations", "workers"))
        assert 'role="status"' in said(explorer)

    explored(scene)


# The heartbeat


def test_a_freeze_is_measured():
    async def scene() -> None:
        with Beat() as beat:
            await asyncio.sleep(0.05)
            threading.Event().wait(0.3)  # what freezes a loop
            await asyncio.sleep(0.05)
        assert beat.longest_freeze > 0.28
        with Beat() as beat:
            threading.Event().wait(0.1)
        assert beat.longest_freeze > 0.08

    play(scene)
