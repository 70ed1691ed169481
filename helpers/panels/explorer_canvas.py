"""A picture that grows tile by tile, in whatever order they come.

canvas = Canvas(480, 320)
canvas.clear()                       # a new view: what is on it goes with the next tile
canvas.paint(tile, points)           # again and again
"""

import asyncio
from base64 import b64encode
from time import perf_counter
from typing import Final, Protocol

from ipywidgets import Image, Layout
from traitlets import Unicode

from helpers.panels.explorer_png import palette, png
from helpers.panels.markup import safe
from helpers.panels.timeline import framed

EVERY: Final = 0.06  # seconds between two pictures sent; a picture costs 3 ms and 50 kB
COLOURS: Final = palette()
NAME: Final = (
    "A picture of a fractal, the Mandelbrot set: dark where points stay for ever, and around it bands of colour, "
    "by how soon points leave"
)


class Tile(Protocol):
    """A square of the picture, in pixels."""

    @property
    def left(self) -> int:
        """Its left edge."""
        ...

    @property
    def top(self) -> int:
        """Its upper edge."""
        ...

    @property
    def size(self) -> int:
        """Its side."""
        ...

    @property
    def step(self) -> int:
        """From one computed pixel to the next."""
        ...


class Canvas(Image):
    """Shows tiles as they come, and sends at most 17 pictures a second.

    Args:
        across: the picture's width, in pixels.
        down: its height.
        name: what is said of the picture to those who cannot see it.

    A coarse tile that comes late never covers a finer one.
    """

    # The page gives a widget's tooltip, which is the picture's name for screen readers, only to one that has an empty
    # description; on one that has none at all it fails.
    description = Unicode("").tag(sync=True)

    def __init__(self, across: int, down: int, name: str = NAME) -> None:
        self._across, self._down, self._name = across, down, name
        self._sent = 0.0
        self._later: asyncio.TimerHandle | None = None
        self.clear()
        super().__init__(
            value=self._png(),
            tooltip=name,
            layout=Layout(width=f"{across}px", max_width="100%", height="auto", border="1px solid #8888"),
        )

    def __repr__(self) -> str:
        """The same in every run."""
        return f"<Canvas: {self._across} by {self._down} pixels>"

    def clear(self) -> None:
        """Begin anew. What is seen stays until the first tile is painted, so that the picture does not flicker."""
        self._pixels = bytearray(self._across * self._down)
        self._tiles: list[tuple[Tile, bytes]] = []
        self._began = perf_counter()
        self._first: float | None = None

    def paint(self, tile: Tile, points: bytes) -> None:
        """Put a tile where it belongs.

        Args:
            tile: where that is, within the picture.
            points: a byte for each computed pixel, row by row.

        Raises:
            ValueError: there are more or fewer points than the tile has.
        """
        side = tile.size // tile.step
        if len(points) != side * side:
            raise ValueError(f"points must be {side * side} bytes for {tile}, got {len(points)}")
        self._put(tile, points)
        for finer, its in self._tiles:
            if finer.step < tile.step and _overlap(finer, tile):
                self._put(finer, its)
        self._tiles.append((tile, points))
        self._deliver_soon()

    @property
    def painted(self) -> int:
        """How many tiles there are since the canvas was cleared."""
        return len(self._tiles)

    @property
    def first_after(self) -> float | None:
        """Seconds from the clearing until the first tile was sent; None before that."""
        return self._first

    @property
    def pixels(self) -> bytes:
        """A byte for each pixel, row by row; 0 where nothing is drawn yet."""
        return bytes(self._pixels)

    def picture(self) -> "Picture":
        """The picture as it is now, to stay in the notebook."""
        return Picture(self._png(), self._name)

    def _put(self, tile: Tile, points: bytes) -> None:
        side = tile.size // tile.step
        line = bytearray(tile.size)
        for row in range(side):
            for place in range(tile.step):
                line[place :: tile.step] = points[row * side : (row + 1) * side]
            for y in range(tile.top + row * tile.step, tile.top + (row + 1) * tile.step):
                start = y * self._across + tile.left
                self._pixels[start : start + tile.size] = line

    def _deliver_soon(self) -> None:
        """Send at once what follows a pause, and the rest with the next picture."""
        wait = self._sent + EVERY - perf_counter()
        if wait <= 0:
            self._deliver()
        elif self._later is None:
            self._later = asyncio.get_running_loop().call_later(wait, self._deliver)

    def _deliver(self) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if not self._tiles:  # a new view has begun meanwhile, and has nothing to show yet
            return
        self.value = self._png()
        self._sent = perf_counter()
        if self._first is None:
            self._first = self._sent - self._began

    def _png(self) -> bytes:
        return png(self._across, self._down, self._pixels, COLOURS)


class Picture:
    """A finished picture, stored with the notebook; its text is the same in every run."""

    def __init__(self, content: bytes, name: str) -> None:
        self._content, self._name = content, name

    def __repr__(self) -> str:
        """The same in every run."""
        return "<Picture>"

    def _repr_html_(self) -> str:
        address = f"data:image/png;base64,{b64encode(self._content).decode()}"
        return framed(f'<img alt="{safe(self._name)}" src="{address}">')


def _overlap(one: Tile, other: Tile) -> bool:
    return (
        one.left < other.left + other.size
        and other.left < one.left + one.size
        and one.top < other.top + other.size
        and other.top < one.top + one.size
    )
