"""The explorer: buttons that choose a view, and a picture of it, drawn by functions that the notebook gives.

    Explorer(view, start, draw, stop, canvas)

    click ──► go(view) ──► cancels the drawing of the old view
                     └──► pool = start(workers), if there is none; await draw(pool, view, canvas)
    Close ──► stop() ──► cancels the drawing, await stop(pool)

It knows nothing of threads or processes: what a pool is, and how a view is drawn with it, those functions say.
One explorer draws at a time: a second one, made when a cell is run again, closes the first.
It all runs on the kernel's event loop, so it works as long as no cell blocks the loop.
"""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Coroutine
from time import perf_counter
from typing import Any, ClassVar, Final

from ipywidgets import HTML, VBox

from helpers.panels.explorer_beat import Beat
from helpers.panels.explorer_canvas import Canvas
from helpers.panels.explorer_controls import Controls, View
from helpers.panels.markup import passage

STEP: Final = 0.25  # of the picture, that a click moves it
ZOOM: Final = 0.5
CLOSED: Final = "Closed: no worker is left. Any other button starts new ones."

Pool = Any  # whatever `start` gives
_ending: Final[dict[asyncio.Task[object], "Explorer"]] = {}  # the pools that are being stopped, and whose they are


class Explorer(VBox):
    """A panel that draws a view, and another as soon as one is chosen. Closes the one that drew before it.

    Args:
        view: the first one, to which Reset leads back.
        start: gives a pool of so many workers.
        draw: draws a view on the canvas with a pool; is cancelled when another view is chosen.
        stop: ends a pool; when it has, nothing of the pool is left.
        canvas: shows the picture.
        workers: how many at first.

    Raises:
        RuntimeError: no event loop is running, as in a script.
    """

    _latest: ClassVar["Explorer | None"] = None

    def __init__(  # noqa: PLR0913 (three functions and what they are called with)
        self,
        view: View,
        start: Callable[[int], Pool],
        draw: Callable[[Pool, Any, Canvas], Awaitable[object]],
        stop: Callable[[Pool], Coroutine[Any, Any, object]],
        canvas: Canvas,
        *,
        workers: int = 2,
    ) -> None:
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            raise RuntimeError("Explorer needs a running event loop: use it in a notebook") from None
        self._home = self._view = view
        self._start, self._draw, self._stop = start, draw, stop
        self._canvas = canvas
        self._pool: Pool = None
        self._size = 0
        self._drawing: asyncio.Task[None] | None = None
        self._controls = Controls(self._clicks(), self._changed, view.iterations, workers)
        self._status = HTML()
        super().__init__([self._controls, canvas, self._status])
        self.add_class("pc-explorer")
        self.go(view)

    def __repr__(self) -> str:
        """The same in every run."""
        return "<Explorer>"

    @property
    def canvas(self) -> Canvas:
        """Where the view is drawn."""
        return self._canvas

    @property
    def view(self) -> Any:  # noqa: ANN401 - of the class that was given
        """The view that is shown, or being drawn."""
        return self._view

    def go(self, view: View) -> None:
        """Show another view. The drawing of the last one is cancelled at once."""
        latest, Explorer._latest = Explorer._latest, self
        if latest is not None and latest is not self:
            latest._close()  # noqa: SLF001 - of the same class
        if self._drawing is not None:
            self._drawing.cancel()
        self._view = view
        self._controls.set_iterations(view.iterations)
        self._drawing = self._loop.create_task(self._show(view))

    async def drawn(self) -> None:
        """Wait until the view is drawn; one that is chosen meanwhile, too. If that is interrupted, all is stopped."""
        try:
            while self._drawing is not None and not self._drawing.done():
                await asyncio.wait([self._drawing])
        except BaseException:
            self._close()
            raise

    async def stop(self) -> None:
        """What Close does: when it is done, no worker is left, nor any of an explorer before it."""
        self._close()
        while _ending:
            await asyncio.wait(_ending)

    def _clicks(self) -> dict[str, Callable[[], object]]:
        return {
            "Left": lambda: self.go(self._view.moved(-STEP, 0)),
            "Up": lambda: self.go(self._view.moved(0, -STEP)),
            "Down": lambda: self.go(self._view.moved(0, STEP)),
            "Right": lambda: self.go(self._view.moved(STEP, 0)),
            "Zoom in": lambda: self.go(self._view.zoomed(ZOOM)),
            "Zoom out": lambda: self.go(self._view.zoomed(1 / ZOOM)),
            "Reset": lambda: self.go(self._home.tried(self._controls.iterations)),
            "Close": self._close,
        }

    def _changed(self) -> None:
        """Draw anew, if a number is new; a view may have set it, too."""
        iterations, workers = self._controls.iterations, self._controls.workers
        if iterations != self._view.iterations or (self._pool is not None and workers != self._size):
            self.go(self._view.tried(iterations))

    async def _show(self, view: View) -> None:
        self._say("Drawing …")
        began = perf_counter()
        try:
            with Beat() as beat:
                await self._draw(await self._pool_of(self._controls.workers), view, self._canvas)
        except Exception as error:  # noqa: BLE001 (nobody but the learner could be told)
            if asyncio.current_task() is self._drawing:
                self._let_go()
                self._say(f"The drawing has failed: {_words(error)}. Any button starts new workers.")
        else:
            self._say(self._outcome(view, perf_counter() - began, beat.longest_freeze))

    async def _pool_of(self, size: int) -> Pool:
        """The pool, of so many workers: started, if need be, once one of another size has ended."""
        if self._pool is not None and size != self._size:
            self._let_go()
            await asyncio.wait(_ending)
        if self._pool is None:
            self._pool, self._size = self._start(size), size
            # Now and then Python searches all objects for garbage, 50 ms in a kernel: leave out the old ones.
            gc.freeze()
        return self._pool

    def _let_go(self) -> None:
        """Have the pool ended, and forget it."""
        pool, self._pool = self._pool, None
        if pool is not None:
            gc.unfreeze()
            task = self._loop.create_task(self._stop(pool))
            _ending[task] = self
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[object]) -> None:
        del _ending[task]
        if self._drawing is None and not task.cancelled():  # nothing has begun since Close
            error = task.exception()
            self._say(f"Closing has failed: {_words(error)}" if error else CLOSED)

    def _close(self) -> None:
        drawing, self._drawing = self._drawing, None
        if drawing is not None:
            drawing.cancel()
        self._let_go()
        if drawing is not None:
            self._say("Closing …" if self in _ending.values() else CLOSED)

    def _outcome(self, view: View, took: float, freeze: float) -> str:
        first = self._canvas.first_after
        said = f"First tile after {1000 * first:.0f} ms. " if first is not None else ""
        freezes = f"Longest freeze of the interface: {1000 * freeze:.0f} ms."
        return f"{said}All drawn in {took:.2f} s. {freezes} Shown: {view.in_words()}."

    def _say(self, words: str) -> None:
        self._status.value = f'<div role="status">{passage(words)}</div>'


def _words(error: BaseException) -> str:
    """What went wrong first, in a group of errors."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}".rstrip(": ")
