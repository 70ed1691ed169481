"""Map small files into memory, so that what one process stores there every other one sees at once.

writer ─ reserved_map(path, size) ─► file ◄─ Maps(folder).read(name, …) ─ reader
further writer ─ shared_map(path) ───►
"""

import os
from collections import OrderedDict
from collections.abc import Callable
from mmap import ACCESS_READ, mmap
from typing import Final

# A map holds a file descriptor open, of which a process may often have no more than 256 (macOS) or 1024.
MOST_MAPS: Final = 100
_BINARY: Final = getattr(os, "O_BINARY", 0)


def reserved_map(path: str, size: int) -> mmap:
    """Map a new file of `size` bytes whose blocks are all on the disk.

    A store into a sparse map on a full disk would kill the worker by SIGBUS, so blocks are taken first.

    Raises:
        FileExistsError: there is a file at `path`.
        OSError: there is no folder or no room for it.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file, 0, size)
        else:
            left = size
            while left:
                left -= os.write(file, bytes(left))
        return mmap(file, size)
    except OSError:
        os.unlink(path)  # noqa: PTH108 - importing pathlib costs a worker 4 ms
        raise
    finally:
        os.close(file)


def shared_map(path: str) -> mmap:
    """Map a file that `reserved_map` made, to write into it too.

    Raises:
        OSError: it is not there.
    """
    file = os.open(path, os.O_RDWR | _BINARY)
    try:
        return mmap(file, 0)
    finally:
        os.close(file)


class Maps:
    """The files of a folder, mapped to be read; the least used are let go of when they are many."""

    def __init__(self, folder: str) -> None:
        """Map nothing yet."""
        self._folder = folder
        self._maps: OrderedDict[str, mmap] = OrderedDict()

    def names(self) -> list[str]:
        """The names of all files in the folder; none if it is gone."""
        try:
            return os.listdir(self._folder)  # noqa: PTH208 - importing pathlib costs a worker 4 ms
        except FileNotFoundError:
            return []

    def read(self, name: str, take: Callable[[memoryview], bool]) -> None:
        """Hand one file's bytes to `take`, unless it is gone or empty; false means that it is still growing."""
        mapped = self._get(name)
        if mapped is not None:
            with memoryview(mapped) as view:
                whole = take(view)
            if not whole:
                self._maps.pop(name).close()

    def forget(self, name: str) -> None:
        """Let go of one file, if it is mapped."""
        mapped = self._maps.pop(name, None)
        if mapped is not None:
            mapped.close()

    def close(self) -> None:
        """Let go of all files."""
        while self._maps:
            self._maps.popitem()[1].close()

    def _get(self, name: str) -> mmap | None:
        mapped = self._maps.get(name)
        if mapped is None:
            try:
                with open(f"{self._folder}{os.sep}{name}", "rb") as file:  # noqa: PTH123 - as above
                    mapped = mmap(file.fileno(), 0, access=ACCESS_READ)
            except (OSError, ValueError):  # gone, or still empty
                return None
            self._maps[name] = mapped
            if len(self._maps) > MOST_MAPS:
                self._maps.popitem(last=False)[1].close()
        return mapped
