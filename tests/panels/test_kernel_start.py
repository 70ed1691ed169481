"""A kernel whose port was taken in the last moment starts with others."""

import socket
from subprocess import DEVNULL

import pytest
from jupyter_client.connect import LocalPortCache
from jupyter_client.manager import start_new_kernel

from helpers.panels.kernel_start import TRIES, with_free_ports

DIED = "Kernel died before replying to kernel_info"


def test_a_kernel_whose_port_is_taken_gets_another(monkeypatch: pytest.MonkeyPatch):
    given: list[int] = []
    find = LocalPortCache.find_available_port

    def find_taken_first(self: LocalPortCache, ip: str) -> int:
        given.append(find(self, ip) if given else taken)
        return given[-1]

    monkeypatch.setattr(LocalPortCache, "find_available_port", find_taken_first)
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        manager, client = with_free_ports(lambda: start_new_kernel(kernel_name="python3", stderr=DEVNULL))
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert len(given) == 10, "five ports for each of two starts"


@pytest.mark.parametrize(("words", "tries"), [(DIED, TRIES), ("Kernel didn't respond in 60 seconds", 1)])
def test_it_gives_up(words: str, tries: int):
    tried: list[None] = []

    def start() -> None:
        tried.append(None)
        raise RuntimeError(words)

    with pytest.raises(RuntimeError, match=words):
        with_free_ports(start)
    assert len(tried) == tries
