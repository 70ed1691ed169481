"""How much memory this process uses, told in three ways that differ in what they make of shared pages.

    resident       each page that it has in memory, whoever else has it too        (RSS)
    proportional   a page that n processes have counts as one n-th of a page       (PSS)
    private        pages that no other process has                                 (USS)

Added up over several processes, only the second gives what they use together. Linux tells all three in
/proc/self/smaps_rollup, see proc(5).
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

SOURCE: Final = "/proc/self/smaps_rollup"
_KILOBYTE: Final = 1024


class Memory(NamedTuple):
    """What a process uses, in bytes."""

    resident: int
    proportional: int
    private: int

    def since(self, before: "Memory") -> "Memory":
        """How much more it is than `before`; a number is negative where it is less."""
        return Memory(*(now - then for now, then in zip(self, before, strict=True)))


def own_memory() -> Memory | None:
    """What this process uses now; None where the system does not tell, as on macOS and Windows."""
    try:
        with open(SOURCE, encoding="ascii") as file:  # noqa: PTH123 (importing pathlib costs a worker 4 ms)
            return _read(file)
    except OSError:
        return None


def _read(lines: Iterable[str]) -> Memory:
    """Read lines such as `Pss:   123 kB`; the first one names addresses instead."""
    parts = [line.split() for line in lines]
    sizes = {part[0]: int(part[1]) * _KILOBYTE for part in parts if part[-1] == "kB"}
    return Memory(sizes["Rss:"], sizes["Pss:"], sizes["Private_Clean:"] + sizes["Private_Dirty:"])
