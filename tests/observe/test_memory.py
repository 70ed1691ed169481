"""What a process is told of its own memory is what it has, and shared pages count as they should."""

import multiprocessing

import pytest

from helpers.observe import memory
from helpers.observe.memory import Memory, own_memory

LINES = """aaaaaaaaaaaa-ffffffffffff ---p 00000000 00:00 0     [rollup]
Rss:                1000 kB
Pss:                 600 kB
Pss_Dirty:           500 kB
Shared_Clean:        700 kB
Private_Clean:        40 kB
Private_Dirty:       260 kB
Swap:                  0 kB
"""


def test_the_lines_are_read():
    assert memory._read(LINES.splitlines()) == Memory(1000 * 1024, 600 * 1024, 300 * 1024)


def test_a_difference():
    assert Memory(5, 4, 3).since(Memory(1, 2, 3)) == Memory(4, 2, 0)


def test_where_the_system_does_not_tell(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memory, "SOURCE", "/no/such/file")
    assert own_memory() is None


@pytest.mark.skipif(own_memory() is None, reason="this system does not tell")
def test_what_is_used_is_counted():
    before = own_memory()
    used = bytearray(b"x") * (32 << 20)
    grown = own_memory().since(before)
    assert all(size > 0.9 * len(used) for size in grown)
    assert all(size < 1.5 * len(used) for size in grown)
    assert multiprocessing.active_children() == []
