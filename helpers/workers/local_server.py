"""A web server on this machine, in a process of its own, whose pages take as long as one likes.

    with local_server(delay=0.05) as url:           # http://127.0.0.1:PORT
        fetch(f"{url}/1")                           # blocks the thread for 0.05 s
        await fetch_async(f"{url}/asyncio/tasks.py")     # lets others go on; a source file of Python's library
        tally(url)                                  # Tally(answered=2, most_at_once=1), by the server's own count

It waits for its clients on the loopback interface alone: nobody outside this machine can reach it, and no network is
needed. What its pages are stands in `serving`.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from helpers.workers.serving import TALLY, allow_many_files, serve

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

LONGEST_DELAY: Final = 20.0
PATIENCE: Final = 30.0
"""Seconds until a client gives up; more than any delay."""
_START_LIMIT: Final = 60.0  # seconds: a fresh Python on a busy machine
_LAST_WORDS: Final = 2.0  # seconds from closing its pipe to being gone


class FetchError(OSError):
    """The server has answered, and not with the page, or not with all of it."""


class Tally(NamedTuple):
    """What the server has counted."""

    answered: int
    """Pages it has sent."""
    most_at_once: int
    """The most pages that were waited for at the same moment. A client that has given up counts until its page is
    due: the server does not know."""


@contextmanager
def local_server(delay: float) -> Iterator[str]:
    """Run a server during a `with` block, and give its address, such as `http://127.0.0.1:51432`.

    It listens when the block begins, and is gone when that ends. It also ends with this process, however that goes,
    and at an interrupt. Where this process may open fewer than 2,048 files and connections, that limit is raised, and
    stays so after the block: connections of the block may live longer than it.

    Args:
        delay: seconds that each page takes, 0 to 20.

    Raises:
        ValueError: `delay` is out of these limits.
        RuntimeError: the server did not start.
    """
    if not isinstance(delay, int | float) or not 0 <= delay <= LONGEST_DELAY:
        raise ValueError(f"delay must be 0 to {LONGEST_DELAY:g} seconds, got {delay!r}")
    import multiprocessing  # noqa: PLC0415 (it takes 14 ms, which a worker that only fetches need not pay)

    allow_many_files()  # for this end of the connections
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=serve, args=(delay, theirs), name="local server", daemon=True)
    try:
        process.start()
        theirs.close()
        yield f"http://127.0.0.1:{_port(ours, process)}"
    finally:
        ours.close()
        theirs.close()
        _end(process)


def fetch(url: str) -> bytes:
    """Fetch one page; the thread waits until it is here.

    Args:
        url: such as `http://127.0.0.1:51432/1`.

    Raises:
        FetchError: the server has no such page, or has sent a part of it only.
        OSError: there is no server, or it has not answered within 30 s.
    """
    from http.client import HTTPConnection, IncompleteRead  # noqa: PLC0415 (its import takes 30 ms)

    # Unlike urllib.request it takes no notice of the environment's proxies, which could not reach the server.
    host, path = _parts(url)
    connection = HTTPConnection(host, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return _checked(path, response.status, response.read())
    except IncompleteRead as error:  # it is no OSError
        come = len(error.partial)
        raise FetchError(f"{path}: {come} of {come + (error.expected or 0)} bytes have come") from error
    finally:
        connection.close()


async def fetch_async(url: str) -> bytes:
    """Fetch one page; the event loop goes on with others until it is here.

    Args:
        url: as in `fetch`.

    Raises:
        FetchError: the server has no such page, or has sent a part of it only.
        OSError: there is no server, or it has not answered within 30 s.
    """
    import asyncio  # noqa: PLC0415 (whoever calls this has it)

    host, path = _parts(url)
    name, _, port = host.partition(":")
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection(name, int(port or 80))
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            answer = await reader.read()  # the server closes the connection behind its answer
        finally:
            writer.close()
    head, blank_line, body = answer.partition(b"\r\n\r\n")
    if not blank_line:
        raise ConnectionResetError(f"{path}: the server has ended in the middle")
    if len(body) < (wanted := _length(head)):
        raise FetchError(f"{path}: {len(body)} of {wanted} bytes have come")
    return _checked(path, int(head.split(b" ", 2)[1]), body)


def tally(url: str) -> Tally:
    """Ask the server at `url` what it has counted so far; asking does not count.

    Raises:
        OSError: there is no server.
    """
    answered, most = fetch(url + TALLY).split()
    return Tally(int(answered), int(most))


def _port(started: "Connection[int, int]", process: "BaseProcess") -> int:
    """Wait until the server listens."""
    from multiprocessing.connection import wait  # noqa: PLC0415 (as in local_server)

    if started in wait([started, process.sentinel], _START_LIMIT):
        with suppress(EOFError):
            return started.recv()
    process.join(_LAST_WORDS)
    how = f"it ended with exit code {process.exitcode}" if process.exitcode is not None else "it takes too long"
    raise RuntimeError(f'the local server did not start: {how}. A script needs if __name__ == "__main__".')


def _parts(url: str) -> tuple[str, str]:
    """The host with its port, and the path, of `http://host:port/path`."""
    scheme, _, rest = url.partition("://")
    host, _, path = rest.partition("/")
    if scheme != "http" or not host:
        raise ValueError(f"url must begin with http:// and a host, got {url!r}")
    return host, f"/{path}"


def _length(head: bytes) -> int:
    """The length of the body, by its head; 0 if that does not say."""
    fields = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    return next((int(value) for name, _, value in fields if name.lower() == b"content-length"), 0)


def _checked(path: str, status: int, body: bytes) -> bytes:
    if status != 200:
        raise FetchError(f"{path}: {status}, {body.decode(errors='replace').strip()}")
    return body


def _end(process: "BaseProcess") -> None:
    if process.pid is not None:
        process.kill()  # it has nothing to tidy up
        process.join(PATIENCE)
