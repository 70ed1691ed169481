"""A full disk, or a folder that cannot be written: say so, and what helps.

A worker that finds no room for its lane goes on without one. It leaves an empty file, which takes no room, so that
whoever reads the trace can say that something is missing, and does not seem to have seen everything.
"""

import errno
import os
from contextlib import suppress
from time import perf_counter_ns
from typing import Final

SUFFIX: Final = ".lost"
CURE: Final = (
    "Free some room there, or set the environment variable TMPDIR to a folder that can be written to, and start "
    "JupyterLab anew."
)
_LEAST: Final = 65_536  # bytes free on a disk that is not full
_REASONS: Final = {
    errno.ENOSPC: "is on a disk that is full",
    errno.EDQUOT: "is on a disk of which your share is used up",
    errno.EFBIG: "takes no file of that size",
    errno.EROFS: "is read-only",
    errno.EACCES: "is not yours to write to",
    errno.EPERM: "is not yours to write to",
    errno.ENOENT: "is not there",
    errno.ENOTDIR: "is no folder",
}


def explained(error: OSError, folder: str) -> OSError:
    """`error`, with words that name the folder for temporary files and the cure."""
    reason = _REASONS.get(error.errno or 0, f"cannot be used ({error})")
    return OSError(error.errno or errno.EIO, f"the folder for temporary files, {folder}, {reason}. {CURE}")


def is_no_room(error: BaseException) -> bool:
    """Whether `error` says that a disk is full or read-only, or that there is nowhere to put temporary files."""
    nowhere = isinstance(error, FileNotFoundError) and "temporary" in str(error)
    full = isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
    return nowhere or full or CURE in str(error)


def note_lost(folder: str) -> None:
    """Leave word in `folder` that there was no room for a file in it, if that can be done."""
    name = f"{perf_counter_ns()}-{os.getpid()}{SUFFIX}"
    with suppress(OSError):
        os.close(os.open(f"{folder}{os.sep}{name}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def lost_words(folder: str, lost: int) -> str:
    """What `lost` such words come to, and the cure; empty if there are none and the folder can be written to."""
    if not lost and (not os.path.isdir(folder) or os.access(folder, os.W_OK)):  # noqa: PTH112 (pathlib costs 4 ms)
        return ""
    home = os.path.dirname(folder)  # noqa: PTH120 (as above)
    what = "a thread or lock" if lost == 1 else f"{lost} threads or locks" if lost else "threads or locks"
    return f"Not all is shown here: there was no room in {home} to record {what}. The work itself went on. {CURE}"


def check_room(folder: str) -> None:
    """Raise what `explained` gives if the disk with `folder` is full: to be called where something failed there.

    Raises:
        OSError: it is.
    """
    from shutil import disk_usage  # noqa: PLC0415 - no worker asks

    try:
        free = disk_usage(folder).free
    except OSError:
        return
    if free < _LEAST:
        raise explained(OSError(errno.ENOSPC, ""), os.path.dirname(folder))  # noqa: PTH120 (as above)
