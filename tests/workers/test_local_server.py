"""The local server: what it answers and counts, that only this machine reaches it, and that nothing of it is left."""

import asyncio
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

import psutil
import pytest

from helpers.observe.lifeline import end_with_parent
from helpers.workers import local_server as module
from helpers.workers import serving
from helpers.workers.local_server import FetchError, fetch, fetch_async, local_server, tally
from helpers.workers.sources import LIBRARY
from tests.observe.starting import LIMIT, METHODS, until

PARENT = Path(__file__).with_name("local_server_parent.py")
each_fetch = pytest.mark.parametrize("fetch_one", [fetch, lambda url: asyncio.run(fetch_async(url))])
each_method = pytest.mark.parametrize("method", METHODS)


@pytest.fixture(params=METHODS)
def start_method(request, monkeypatch):
    context = multiprocessing.get_context(request.param)
    monkeypatch.setattr(multiprocessing, "Process", context.Process)
    return request.param


@pytest.fixture
def quick():
    with local_server(delay=0) as url:
        yield url


def together(url, count, at_most):
    async def one(number, gate):
        async with gate:
            return await fetch_async(f"{url}/{number}")

    async def every():
        gate = asyncio.Semaphore(at_most)
        return await asyncio.gather(*(one(number, gate) for number in range(count)))

    return asyncio.run(every())


def refused(url):
    try:
        fetch(url)
    except ConnectionError:
        return True
    return False


def test_each_page_says_its_own_name_however_it_is_fetched(quick):
    assert fetch(f"{quick}/7") == b"This is the page /7.\n" == asyncio.run(fetch_async(f"{quick}/7"))
    assert fetch(quick) == b"This is the page /.\n"


def test_a_source_file_comes_whole(quick):
    wanted = Path(LIBRARY, "asyncio", "tasks.py").read_bytes()
    assert fetch(f"{quick}/asyncio/tasks.py") == wanted == asyncio.run(fetch_async(f"{quick}/asyncio/tasks.py"))


@pytest.mark.parametrize("path", ["no_such.py", ".py", "../setup.py", "/etc/x.py", "asyncio/../os.py", "a%2Fb.py"])
def test_what_is_no_source_file_is_an_error_that_names_it(quick, path):
    with pytest.raises(FetchError, match="404") as error:
        fetch(f"{quick}/{path}")
    assert f"/{path}" in str(error.value)
    with pytest.raises(FetchError, match="404"):
        asyncio.run(fetch_async(f"{quick}/{path}"))


def test_a_page_takes_as_long_as_was_set_and_others_may_wait_at_the_same_time():
    with local_server(delay=0.2) as url:
        began = time.monotonic()
        fetch(f"{url}/1")
        assert time.monotonic() - began >= 0.19
        assert tally(url) == (1, 1)


@each_fetch
def test_clients_give_up(monkeypatch, fetch_one):
    monkeypatch.setattr(module, "PATIENCE", 0.1)
    with local_server(delay=20) as url, pytest.raises(TimeoutError):
        fetch_one(f"{url}/1")


def test_250_pages_can_be_waited_for_at_once():
    most = []
    for delay in (1.0, 8.0):  # the second try is for a busy machine
        with local_server(delay) as url:
            pages = together(url, 250, at_most=250)
            assert pages == [f"This is the page /{number}.\n".encode() for number in range(250)]
            most.append(tally(url))
        if most[-1] == (250, 250):
            return
    pytest.fail(f"of 250 pages, so many at once: {most}")


def test_the_count_at_once_is_never_more_than_there_were():
    with local_server(delay=0.005) as url:
        together(url, 60, at_most=3)
        assert tally(url) == (60, 3)
        assert tally(url) == (60, 3), "asking has been counted"


def test_rude_clients_do_no_harm(quick):
    address = ("127.0.0.1", int(quick.rpartition(":")[2]))
    for words in (b"", b"\r\n\r\n", b"GET", b"x" * 1_000_000, b"\xff \xfe \xfd\r\n\r\n"):
        with closing(socket.create_connection(address, LIMIT)) as client:
            try:
                client.sendall(words)
            except ConnectionError:
                continue  # it has had enough
    assert fetch(f"{quick}/7") == b"This is the page /7.\n"


def answer_once(listener, words):
    """Play a server that sends these words to its one client, and leaves."""
    client, _ = listener.accept()
    with client:
        client.recv(10_000)
        client.sendall(words)


ENOUGH = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789"


def fetched_from(words, fetch_one):
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        listener.settimeout(LIMIT)
        server = threading.Thread(target=answer_once, args=(listener, words))
        server.start()
        try:
            return fetch_one(f"http://127.0.0.1:{listener.getsockname()[1]}/1")
        finally:
            server.join(LIMIT)


@each_fetch
def test_a_page_that_did_not_come_whole_is_an_error_that_says_how_much_did(fetch_one):
    assert fetched_from(ENOUGH, fetch_one) == b"0123456789"
    assert fetched_from(ENOUGH.replace(b"Content-Length: 10\r\n", b""), fetch_one) == b"0123456789"
    with pytest.raises(FetchError, match="/1: 4 of 10 bytes have come"):
        fetched_from(ENOUGH[:-6], fetch_one)


@each_fetch
def test_a_server_that_leaves_without_an_answer_is_a_lost_connection(fetch_one):
    with pytest.raises(ConnectionResetError):
        fetched_from(b"", fetch_one)


def test_half_a_head_is_no_page():
    with pytest.raises(ConnectionResetError):
        fetched_from(ENOUGH[:20], lambda url: asyncio.run(fetch_async(url)))


def test_a_client_that_says_nothing_is_sent_away(monkeypatch):
    monkeypatch.setattr(serving, "_PATIENCE", 0.05)

    async def wait_in_silence():
        async with await asyncio.start_server(serving._Pages(0.0).answer, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            async with asyncio.timeout(LIMIT):
                assert await reader.read() == b""
            writer.close()

    asyncio.run(wait_in_silence())


def test_proxies_of_the_environment_are_ignored(quick, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert fetch(f"{quick}/7") == asyncio.run(fetch_async(f"{quick}/7"))


def test_only_this_machine_can_reach_it_and_nothing_is_left(start_method):
    with local_server(delay=0) as url:
        (process,) = multiprocessing.active_children()
        server = psutil.Process(process.pid)
        port = int(url.rpartition(":")[2])
        listening = [c.laddr for c in server.net_connections("inet") if c.status == psutil.CONN_LISTEN]
        assert [tuple(address) for address in listening] == [("127.0.0.1", port)]
        assert fetch(f"{url}/7") == b"This is the page /7.\n", start_method
    assert multiprocessing.active_children() == []
    assert not server.is_running()
    assert refused(url)
    with closing(socket.socket()) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as a server has it, on all but Windows
        other.bind(("127.0.0.1", port))


def test_it_ends_when_the_block_fails():
    with pytest.raises(ZeroDivisionError), local_server(delay=0) as url:
        raise ZeroDivisionError
    assert refused(url)
    assert multiprocessing.active_children() == []


def test_it_is_gone_at_once_even_if_pages_are_waited_for():
    began = time.monotonic()
    with local_server(delay=20) as url, closing(socket.create_connection(("127.0.0.1", int(url[17:])))) as client:
        client.sendall(b"GET /1 HTTP/1.1\r\n\r\n")
        until(lambda: tally(url).most_at_once == 1, "the page to be waited for")
    assert time.monotonic() - began < 10
    assert refused(url)


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL and process groups")
@pytest.mark.parametrize("by", ["SIGKILL", "SIGINT"])
@each_method
def test_it_ends_with_its_parent(method, by):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, PARENT, method],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # KeyboardInterrupt's traceback
        text=True,
        env=environment,
        start_new_session=True,
    ) as parent:
        try:
            pid, url = parent.stdout.readline().split()
            assert not refused(url)
            if by == "SIGKILL":
                parent.kill()
            else:  # as from the notebook's stop button: everybody in the group gets it
                os.killpg(parent.pid, signal.SIGINT)
            parent.wait(LIMIT)
            until(lambda: refused(url), "the server to go")
            until(lambda: not alive(int(pid)), "its process to end")
        finally:
            with suppress(ProcessLookupError):
                os.killpg(parent.pid, signal.SIGKILL)


def alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("delay", [-0.1, 20.5, float("nan"), float("inf"), "1", None])
def test_a_bad_delay_is_named(delay):
    with pytest.raises(ValueError, match="delay must be 0 to 20 seconds, got") as error, local_server(delay):
        pass
    assert repr(delay) in str(error.value)


@pytest.mark.parametrize("url", ["127.0.0.1:80/1", "https://127.0.0.1/1", "http:///1", ""])
def test_a_bad_address_is_named(url):
    with pytest.raises(ValueError, match="url must begin with http:// and a host, got") as error:
        fetch(url)
    assert repr(url) in str(error.value)
    with pytest.raises(ValueError, match="url must begin with"):
        asyncio.run(fetch_async(url))


def fail_at_the_start(delay, started):
    del delay, started
    sys.exit(3)


def test_a_server_that_does_not_start_is_told(start_method, monkeypatch):
    monkeypatch.setattr(module, "serve", fail_at_the_start)
    with pytest.raises(RuntimeError, match="it ended with exit code 3"), local_server(delay=0):
        pytest.fail(f"the block began, {start_method}")
    assert multiprocessing.active_children() == []


def never_be_ready(delay, started):
    end_with_parent()
    del delay
    time.sleep(600)
    started.send(0)


def test_a_server_that_takes_too_long_is_told(monkeypatch):
    monkeypatch.setattr(module, "serve", never_be_ready)
    monkeypatch.setattr(module, "_START_LIMIT", 0.2)
    monkeypatch.setattr(module, "_LAST_WORDS", 0.0)
    with pytest.raises(RuntimeError, match="it takes too long"), local_server(delay=0):
        pytest.fail("the block began")
    assert multiprocessing.active_children() == []
