"""A function that tells where and when it is called, and lets two calls prove that they run side by side."""

from collections.abc import Callable
from time import monotonic, sleep
from typing import Final

from helpers.observe.lifeline import end_with_parent
from helpers.observe.trace import Trace

PATIENCE: Final = 6.0
"""Seconds that a call waits for another to begin; long enough for a fresh Python to start on a busy machine."""

_LOOK_EVERY: Final = 0.005


class Together:
    """`function`, with a span around each call; a call computes once a second one has begun, wherever that is.

    It can be sent to a process, and goes by the name of its function. If no second call comes within 6 s, the first
    goes on alone.

    Args:
        trace: records the calls, and tells one of the other. Only calls of this purpose may be in it.
        function: a function of a module.
    """

    def __init__(self, trace: Trace, function: Callable[[int, int], int]) -> None:
        self._trace = trace
        self._function = function
        self.__name__ = function.__name__

    def __call__(self, x: int, y: int) -> int:
        """Give `function(x, y)`."""
        end_with_parent()
        with self._trace.span(self.__name__):
            deadline = monotonic() + PATIENCE
            while self._begun() < 2 and monotonic() < deadline:
                sleep(_LOOK_EVERY)
            return self._function(x, y)

    def _begun(self) -> int:
        return sum(len(lane.spans) for lane in self._trace.lanes())
