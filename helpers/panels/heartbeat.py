"""The interface's lane of a timeline: its ticks, and a box wherever it froze."""

from collections.abc import Iterator
from typing import Final

from helpers.observe.reading import Lane
from helpers.panels.scale import Scale
from helpers.panels.theme import COLOURS, HEIGHT, WIDTH
from helpers.panels.words import freezes, seconds

MOST_TICKS: Final = 250  # lines of heartbeats, in the whole picture
MOST_FREEZES: Final = 40  # boxes in a lane: the longest


def heartbeat(lane: Lane, scale: Scale, y: int, beating: int) -> Iterator[str]:
    """The interface's ticks, as many as can be told apart, and a box for each freeze, or the longest of many.

    Args:
        lane: whose.
        scale: of time.
        y: where, in pixels.
        beating: how many lanes have ticks.
    """
    last = -1.0
    for tick in lane.ticks:
        x = scale.x(tick)
        if x - last >= 100 * beating / MOST_TICKS:
            last = x
            yield f'<rect x="{x:.1f}%" y="{y + 4}" width="1.5" height="{HEIGHT - 8}" fill="{COLOURS[2]}"/>'
    for start, end in sorted(freezes(lane.ticks), key=lambda freeze: freeze[0] - freeze[1])[:MOST_FREEZES]:
        x, width = scale.x(start), scale.x(end) - scale.x(start)
        words = f"frozen for {seconds(end - start)}"
        yield f'<rect x="{x:.2f}%" width="{width:.2f}%" y="{y}" height="{HEIGHT}" fill="none" stroke="{COLOURS[1]}"'
        yield f' stroke-width="2" stroke-dasharray="6 3"><title>{words}</title></rect>'
        if width * WIDTH / 100 > 8 * len(words):
            yield f'<text class="in" x="{x + width / 2:.2f}%" y="{y + 14}" text-anchor="middle">{words}</text>'
