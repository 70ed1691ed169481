"""Write a picture as PNG, from a byte for each pixel and a colour for each byte, with the standard library alone.

As a byte is all that a pixel takes, and the colours are sent along once, nothing is computed for each pixel here.
Source: "Portable Network Graphics (PNG) Specification", W3C, of which this is the indexed colour type, 3.
"""

import struct
import zlib
from itertools import pairwise
from typing import Final

QUICK: Final = 1  # of zlib's levels: 1 ms a picture
# From one to the next, and around: dark and light in turn, so that bands are told apart without colours too.
STOPS: Final = ((0, 32, 76), (70, 130, 180), (245, 245, 230), (230, 159, 0), (120, 50, 20), (0, 32, 76))
STEPS: Final = 12  # bytes from one stop to the next
INSIDE: Final = (8, 8, 16)
BLANK: Final = (128, 128, 128)


def palette() -> bytes:
    """Red, green and blue of 256 colours: 0 is not drawn yet, 1 inside the set, the others for points that leave."""
    legs = list(pairwise(STOPS))
    colours: list[tuple[int, ...]] = [BLANK, INSIDE]
    for place in range(254):
        leg, share = divmod(place / STEPS % len(legs), 1)
        colours.append(tuple(round(a + (b - a) * share) for a, b in zip(*legs[int(leg)], strict=True)))
    return bytes(value for colour in colours for value in colour)


def png(width: int, height: int, pixels: bytes | bytearray, colours: bytes) -> bytes:
    """The picture as a PNG file; pixels of byte 0 are transparent.

    Args:
        width: in pixels.
        height: in pixels.
        pixels: a byte for each pixel, row by row.
        colours: three bytes for each of 256 colours.

    Raises:
        ValueError: there are more or fewer pixels than that.
    """
    if len(pixels) != width * height:
        raise ValueError(f"pixels must be {width * height} bytes for {width} by {height} pixels, got {len(pixels)}")
    unfiltered = b"".join(b"\0" + pixels[start : start + width] for start in range(0, len(pixels), width))
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", colours),
            _chunk(b"tRNS", b"\0"),
            _chunk(b"IDAT", zlib.compress(unfiltered, QUICK)),
            _chunk(b"IEND", b""),
        ]
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
