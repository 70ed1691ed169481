"""Note every address on which a kernel, or a process that it started, listens while it lives.

Linux lists the machine's listening sockets in one small file, so they are looked at ten times a second; only when
there is a new one it is asked whose it is. Elsewhere nothing is noted.

That the system chose a port is seen in two ways. It lies in the range from which the system gives them away, where
servers with a fixed port do not lie (8787, 8888); and no port comes back in run after run, see `same_again`.
"""

import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from tests.notebooks.watch import Watch

LOOK_EVERY: Final = 0.1
LOOPBACK: Final = ("127.0.0.1", "::1", "::ffff:127.0.0.1")
LISTS: Final = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
RANGE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
LISTENS: Final = "0A"  # the state TCP_LISTEN
INODE: Final = 9  # the place of a socket's number in a line


class Address(NamedTuple):
    """Where a server listens."""

    host: str
    port: int


class ServerLog:
    """All servers of one kernel, from now until `stop`."""

    def __init__(self, watch: Watch) -> None:
        self.seen: set[Address] = set()
        self._watch = watch
        self._stop = threading.Event()
        self._known = _listening_now()
        self._thread = threading.Thread(target=self._look, name="server log", daemon=True)
        self._thread.start()

    def faults(self) -> list[str]:
        """What is wrong with the servers seen so far, a sentence each."""
        low, high = _given_away()
        open_wide = [
            f"a server listened on {host}:{port}, not on loopback"
            for host, port in sorted(self.seen)
            if host not in LOOPBACK
        ]
        fixed = [
            f"a server listened on port {port}, which the system did not choose"
            for _, port in sorted(self.seen)
            if not low <= port <= high
        ]
        return open_wide + fixed

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(LOOK_EVERY):
            now = _listening_now()
            if now - self._known:
                self.seen |= {Address(*address) for address in self._watch.new_servers()}
            self._known = now


def same_again(runs: Sequence[set[Address]]) -> list[str]:
    """The ports that half of the runs, and three at least, have in common, a sentence each."""
    often = Counter(port for run in runs for port in {address.port for address in run})
    return [
        f"port {port} was used in {count} of {len(runs)} runs: it is fixed"
        for port, count in often.items()
        if count >= max(3, len(runs) / 2)
    ]


def _listening_now() -> set[str]:
    found: set[str] = set()
    for path in LISTS:
        with suppress(OSError):
            lines = (line.split() for line in path.read_text().splitlines()[1:])
            found |= {words[INODE] for words in lines if words[3] == LISTENS}
    return found


def _given_away() -> tuple[int, int]:
    try:
        low, high = map(int, RANGE.read_text().split())
    except OSError:
        return 49152, 65535
    return low, high
