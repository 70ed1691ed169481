"""A temporary folder that is gone when its owner is: deleted by it, at its exit at the latest, or swept after it.

    owner ── make_folder() ──► painless-…/owner         locked (flock) for as long as the owner lives
    owner ── delete_folder()   gone; an interrupt in the middle only puts it off until the owner's exit
    owner ── killed            the system drops the lock, and the next owner of a folder on this machine sweeps

A forked child gives up its copy of the lock, so it is free as soon as the owner itself is gone, and whoever works for
that owner can know: `abandoned`. Where there is no flock, as on Windows, nothing is ever swept. Folders without the
file `owner`, and those of another machine (on a shared disk its locks may not show here), are left alone.
"""

import atexit
import os
import sys
from contextlib import suppress
from typing import Final

from helpers.observe.no_room import explained

if sys.platform != "win32":
    import fcntl

PREFIX: Final = "painless-"
_OWNER: Final = "owner"

# Each with the descriptor that holds the lock, None where there is no lock.
_made: dict[str, int | None] = {}
_swept = False


def make_folder() -> str:
    """Make an empty folder in the folder for temporary files, and give its path.

    The first time in a program, those of owners that were killed are deleted.

    Raises:
        OSError: the folder for temporary files cannot be written; says what helps.
    """
    global _swept  # noqa: PLW0603 (once in a program is enough)
    from tempfile import gettempdir  # noqa: PLC0415 - 7 ms that only the owner needs to pay

    try:
        home = gettempdir()
    except OSError as error:
        raise explained(error, os.environ.get("TMPDIR", "TMPDIR")) from error
    folder = f"{home}{os.sep}{PREFIX}{os.urandom(6).hex()}"
    # Noted first: wherever an interrupt comes, what is made is deleted.
    _made[folder] = None
    try:
        os.mkdir(folder, 0o700)  # noqa: PTH102 (pathlib takes milliseconds that few owners have paid already)
    except OSError as error:
        del _made[folder]
        raise explained(error, home) from error
    _made[folder] = _locked(folder)
    if not _swept:
        _swept = True
        _sweep(home)
    return folder


def delete_folder(folder: str) -> None:
    """Delete a folder with all that is in it. Does nothing in a process that has not made it, or twice."""
    if folder in _made:
        from shutil import rmtree  # noqa: PLC0415 - as above

        rmtree(folder, ignore_errors=True)
        if os.path.exists(folder):  # noqa: PTH110 (as above)
            return  # a worker has just put a file there, or holds one open on Windows: another try at the exit
        descriptor = _made.pop(folder, None)
        if descriptor is not None:
            os.close(descriptor)


def abandoned(folder: str) -> bool:
    """Whether the folder's owner is certainly gone, and was killed; False where that cannot be known."""
    if sys.platform == "win32":
        return False
    try:
        descriptor = os.open(f"{folder}{os.sep}{_OWNER}", os.O_RDWR)
    except OSError:  # there is none, or it is another user's
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return os.read(descriptor, 1_000) == _machine()
    except OSError:  # the owner holds the lock
        return False
    finally:
        os.close(descriptor)


def _locked(folder: str) -> int | None:
    """Lock the folder; the descriptor that holds the lock."""
    if sys.platform == "win32":
        return None
    descriptor = None
    try:
        # It gets its name when it is locked: under that name nobody ever finds it free while the owner lives.
        descriptor = os.open(f"{folder}{os.sep}{_OWNER}.new", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(descriptor, _machine())
        os.rename(f"{folder}{os.sep}{_OWNER}.new", f"{folder}{os.sep}{_OWNER}")  # noqa: PTH104 (as above)
    except OSError:  # a disk that is full or knows no locks: the folder is only never swept
        if descriptor is not None:
            os.close(descriptor)
        return None
    return descriptor


def _machine() -> bytes:
    return b"" if sys.platform == "win32" else os.uname().nodename.encode()


def _sweep(home: str) -> None:
    from shutil import rmtree  # noqa: PLC0415 - as above

    with suppress(OSError), os.scandir(home) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX) and abandoned(entry.path):
                rmtree(entry.path, ignore_errors=True)


def _delete_all() -> None:
    for folder in list(_made):
        delete_folder(folder)


def _after_fork_in_child() -> None:
    """A forked child owns nothing of its parent's. Its parent holds the lock all the same."""
    for descriptor in _made.values():
        if descriptor is not None:
            os.close(descriptor)
    _made.clear()


atexit.register(_delete_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
