"""Lesson 14's exercise tried out: the learner's `fetch_all`, with a made-up web site and an event loop of its own.

It runs in a sandbox's process, for an answer may block its event loop for ever.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

FetchAll = Callable[[Callable[[str], Awaitable[str]], list[str], int, float], Awaitable[Any]]


class Trial(NamedTuple):
    """What an answer did."""

    kind: str
    """The type of what came back."""
    pages: dict[str, str]
    """What came back if it was a dict; what is no page is named by its type in angle brackets."""
    calls: dict[str, int]
    """How often each address was fetched."""
    most_at_once: int
    left: int
    """How many fetches were still under way when it came back."""
    error: str
    """The exception that it raised, in words; empty if none."""
    gave_up: bool
    """Whether it had to be cancelled."""


class _Site:
    """Pages that take a while, and a count of those who wait for them."""

    def __init__(self, delays: Mapping[str, float]) -> None:
        self._delays = delays
        self.calls: Counter[str] = Counter()
        self.now = self.most = 0

    async def fetch(self, url: str) -> str:
        self.calls[url] += 1
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(self._delays[url])
        finally:
            self.now -= 1
        return page(url)


def page(url: str) -> str:
    """The right page."""
    return f"the page at {url}"


def try_fetch_all(
    answer: FetchAll, delays: Mapping[str, float], at_most: int, limit: float, patience: float
) -> Trial:
    """Call `await answer(fetch, urls, at_most, limit)` once.

    Args:
        answer: the learner's function.
        delays: the addresses, and how many seconds each page takes.
        at_most: handed to the answer.
        limit: handed to the answer, in seconds.
        patience: seconds after which the answer is cancelled.
    """
    site = _Site(delays)
    return asyncio.run(_try(lambda: answer(site.fetch, list(delays), at_most, limit), site, patience))


async def _try(call: Callable[[], Awaitable[Any]], site: _Site, patience: float) -> Trial:
    given, error, gave_up = None, "", False
    try:
        async with asyncio.timeout(patience) as limit:
            given = await call()
    except Exception as raised:  # noqa: BLE001 (whatever it is, the learner is told in words)
        gave_up = limit.expired()
        error = "" if gave_up else f"{type(raised).__name__}: {raised}".rstrip(": ")
    left = site.now
    pages = {str(url): _named(text) for url, text in given.items()} if isinstance(given, dict) else {}
    return Trial(type(given).__name__, pages, dict(site.calls), site.most, left, error, gave_up)


def _named(text: object) -> str:
    if asyncio.iscoroutine(text):
        text.close()  # or Python would complain that nobody has awaited it
    return text if isinstance(text, str) else f"<{type(text).__name__}>"
