"""Pictures of the explorer, looked at as a reader of the PNG would: which view does each belong to?"""

import struct
import zlib
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from helpers.workers.fractal import HEIGHT, WIDTH, Tile, View, draw_tile, tiles

CELL = min(tile.size for tile in tiles())
BLANK = [bytes(CELL)] * CELL


class Png(NamedTuple):
    """What a PNG of the indexed kind holds."""

    width: int
    height: int
    rows: list[bytes]
    colours: bytes
    clear: bytes


def read_png(file: bytes) -> Png:
    """Read it by the book."""
    assert file[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, place = {}, 8
    while place < len(file):
        (length,) = struct.unpack(">I", file[place : place + 4])
        kind, content = file[place + 4 : place + 8], file[place + 8 : place + 8 + length]
        assert file[place + 8 + length : place + 12 + length] == struct.pack(">I", zlib.crc32(kind + content))
        chunks[kind] = content
        place += 12 + length
    assert list(chunks) == [b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"]
    width, height, *kind = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert kind == [8, 3, 0, 0, 0]
    raw = zlib.decompress(chunks[b"IDAT"])
    rows = [raw[start : start + width + 1] for start in range(0, len(raw), width + 1)]
    assert {row[0] for row in rows} == {0}
    return Png(width, height, [row[1:] for row in rows], chunks[b"PLTE"], chunks[b"tRNS"])


@cache
def _drawn(view: View, tile: Tile) -> list[bytes]:
    """The tile's rows, a byte for each pixel, computed here."""
    points, side = draw_tile(None, view, tile), tile.size // tile.step
    assert points is not None
    lines = [points[start : start + side] for start in range(0, side * side, side)]
    return [bytes(point for point in line for _ in range(tile.step)) for line in lines for _ in range(tile.step)]


@cache
def whole(view: View, step: int) -> list[bytes]:
    """The view's rows, computed here, all of one step."""
    rows = [bytearray(WIDTH) for _ in range(HEIGHT)]
    for tile in (tile for tile in tiles() if tile.step == step):
        for y, line in enumerate(_drawn(view, tile), tile.top):
            rows[y][tile.left : tile.left + tile.size] = line
    return [bytes(row) for row in rows]


def _cell(rows: Sequence[bytes], left: int, top: int) -> list[bytes]:
    return [row[left : left + CELL] for row in rows[top : top + CELL]]


def _tiles_at(left: int, top: int) -> list[Tile]:
    """The tiles that cover this cell, coarse first: they are the quick ones."""
    return [
        tile
        for tile in tiles()
        if tile.left <= left < tile.left + tile.size and tile.top <= top < tile.top + tile.size
    ]


def shows(rows: Sequence[bytes], view: View) -> bool:
    """Whether every cell of the picture is blank, or the view's, coarse or fine."""
    return all(
        (mine := _cell(rows, left, top)) == BLANK
        or any(mine == _cell(_drawn(view, tile), left - tile.left, top - tile.top) for tile in _tiles_at(left, top))
        for top in range(0, HEIGHT, CELL)
        for left in range(0, WIDTH, CELL)
    )


def views_shown(frames: Sequence[Sequence[bytes]], views: Sequence[View]) -> list[int]:
    """For each picture, but those without any tile, the number of the view that it shows; -1 for none.

    Where the views repeat, the first that is not older than the one before it counts.
    """
    found = [0]
    for rows in frames:
        if any(map(any, rows)):
            numbers = [number for number, view in enumerate(views) if shows(rows, view)]
            found.append(next((number for number in numbers if number >= found[-1]), -1))
    return found[1:]
