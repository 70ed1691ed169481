"""What the local server's process does: answer each question for a page after a set delay, and count.

    GET /anything          "This is the page /anything."
    GET /asyncio/tasks.py  that source file of this Python's own library
    GET /no_such.py        404, without delay
    GET /tally             how many pages were answered so far, and the most of them at once; at once, and not counted

One thread with one event loop answers all of them: a page that waits costs nothing but a little memory.
"""

import os
import re
import sys
from typing import TYPE_CHECKING, Final

from helpers.observe.lifeline import end_with_parent
from helpers.workers.sources import LIBRARY

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from multiprocessing.connection import Connection

TALLY: Final = "/tally"
_BACKLOG: Final = 1024  # connections that may wait until they are taken; the system may allow fewer
_OPEN_FILES: Final = 2048  # each connection is one; macOS grants 256 until asked for more
_PATIENCE: Final = 10.0  # seconds that a client may take to say what it wants, or to take its answer
_SOURCE: Final = re.compile(r"/((?:\w+/)*\w+\.py)", re.ASCII)  # no dots but one: it cannot lead out of the folder


def serve(delay: float, started: "Connection[int, int]") -> None:
    """Serve pages on a free port of 127.0.0.1 until the process is killed.

    Args:
        delay: seconds that each page takes.
        started: gets the port's number once the server listens.
    """
    end_with_parent()
    import asyncio  # noqa: PLC0415 (its import takes 40 ms, which only the server's own process needs to pay)

    allow_many_files()
    asyncio.run(_serve(_Pages(delay), started))


def allow_many_files() -> None:
    """Raise this process's limit of open files and connections, where there is one and it is low."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 (not on Windows)

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


async def _serve(pages: "_Pages", started: "Connection[int, int]") -> None:
    import asyncio  # noqa: PLC0415 (as above)

    server = await asyncio.start_server(pages.answer, "127.0.0.1", 0, backlog=_BACKLOG)
    started.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


class _Pages:
    """Answers clients, and counts them. One thread does it all, so the counts need no lock."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._answered = self._now = self._most = 0

    async def answer(self, reader: "StreamReader", writer: "StreamWriter") -> None:
        """Answer one client; one that leaves, or says nothing sensible, gets nothing."""
        import asyncio  # noqa: PLC0415 (as above)

        try:
            async with asyncio.timeout(_PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
            _, path, _ = head.decode("latin-1").split(" ", 2)
            writer.write(await self._response(path))
            async with asyncio.timeout(_PATIENCE):
                await writer.drain()
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError):  # TimeoutError is an OSError
            pass
        finally:
            writer.close()

    async def _response(self, path: str) -> bytes:
        import asyncio  # noqa: PLC0415 (as above)

        if path == TALLY:
            return _http("200 OK", f"{self._answered} {self._most}".encode())
        response = _page(path)
        if response is None:
            return _http("404 Not Found", b"There is no such source file.")
        self._now += 1
        self._most = max(self._most, self._now)
        await asyncio.sleep(self._delay)
        # Before the answer is sent: a client that has it, and comes back at once, does not count twice.
        self._now -= 1
        self._answered += 1
        return response


def _page(path: str) -> bytes | None:
    if not path.endswith(".py"):
        return _http("200 OK", f"This is the page {path}.\n".encode())
    source = _SOURCE.fullmatch(path)
    try:
        with open(os.path.join(LIBRARY, source[1] if source else ""), "rb") as file:  # noqa: PTH118, PTH123 (as below)
            return _http("200 OK", file.read())
    except OSError:
        return None


def _http(status: str, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
