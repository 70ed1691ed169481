"""How long an event loop was frozen, at the worst, while something went on."""

import asyncio
from time import perf_counter
from types import TracebackType
from typing import Final, Self

BEAT: Final = 0.01  # seconds


class Beat:
    """The heartbeat of the running event loop, during a `with` block: how late it came, at the latest.

    A click would have been answered as late. Only a block that awaits gives it a chance to beat.
    """

    def __init__(self) -> None:
        self._worst = 0.0
        self._task: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        """Begin to beat."""
        self._last = perf_counter()
        self._task = asyncio.get_running_loop().create_task(self._run())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Beat once more, and stop."""
        if self._task is not None:
            self._task.cancel()
        self._beat()

    @property
    def longest_freeze(self) -> float:
        """The latest that a beat came so far, in seconds; 0 if each came in time."""
        return self._worst

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(BEAT)
            self._beat()

    def _beat(self) -> None:
        now = perf_counter()
        self._worst = max(self._worst, now - self._last - BEAT)
        self._last = now
