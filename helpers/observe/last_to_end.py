"""A function for a pool whose first item ends last: so the order of its results tells how they were collected."""

from time import monotonic, sleep
from typing import Final

from helpers.observe.lifeline import end_with_parent
from helpers.observe.trace import Trace

PATIENCE: Final = 5.0
"""Seconds without anything new after which the slow item ends all the same; a fresh Python takes a while to start."""
APART: Final = 0.1
"""Seconds that each of the other items takes: whoever collects what has ended sees one after the other."""

_LOOK_EVERY: Final = 0.01


class LastToEnd:
    """`item * 10`, with a span around each call; the call with item 0 ends when all the others have.

    It can be sent to a process. Where no other call gets on for 5 s, the call with item 0 ends without them.

    Args:
        trace: records the calls, by their items, and tells one of the other. Only calls of this purpose may be in it.
        count: how many calls there will be.
    """

    def __init__(self, trace: Trace, count: int) -> None:
        self._trace = trace
        self._count = count

    def __call__(self, item: int) -> int:
        """Give `item * 10`."""
        end_with_parent()
        with self._trace.span(str(item)):
            if item == 0:
                self._wait_for_the_others()
            else:
                sleep(APART)
        return item * 10

    def _wait_for_the_others(self) -> None:
        ended, deadline = 0, monotonic() + PATIENCE
        while ended < self._count - 1 and monotonic() < deadline:
            sleep(_LOOK_EVERY)
            now = sum(span.end is not None for lane in self._trace.lanes() for span in lane.spans)
            if now > ended:
                ended, deadline = now, monotonic() + PATIENCE
        sleep(APART)
