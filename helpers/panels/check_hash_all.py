"""Lesson 03's exercise: hash files in threads that work at the same time, wait for all, give back what they found."""

import hashlib
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from helpers.observe.thread_errors import described_error
from helpers.panels.exercise import Exercise, Property
from helpers.panels.guard import Answer

CONTENTS: Final = (b"one line\n", b"", b"\xff\x00 no text \r\n", bytes(100_000))
_PATIENCE: Final = 1.0  # for a second thread to come; no more than 10 s for all files together
_HOLD: Final = 0.3  # so long that a function which does not wait for its threads has returned


class _Meeting:
    """Learns whether two threads open files at the same time: the first waits a while for the second."""

    def __init__(self) -> None:
        self.came = False
        self.met = threading.Event()
        self._lock = threading.Lock()
        self._inside: set[int] = set()

    def attend(self) -> None:
        """Called by whoever opens a file."""
        with self._lock:
            self.came = True
            self._inside.add(threading.get_ident())
            if len(self._inside) > 1:
                self.met.set()
        if self.met.wait(_PATIENCE):
            sleep(_HOLD)
        with self._lock:
            self._inside.discard(threading.get_ident())


class _WatchedPath(type(Path())):  # type: ignore[misc] # Path itself cannot be subclassed before 3.12
    """A path that tells a meeting when it is opened, in whatever way."""

    meeting: _Meeting | None = None

    def __fspath__(self) -> str:
        if self.meeting is not None:
            self.meeting.attend()
        return str(self)


@contextmanager
def _files(*contents: bytes) -> Iterator[list[Path]]:
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"file{number}.bin") for number in range(len(contents))]
        for path, content in zip(paths, contents, strict=True):
            path.write_bytes(content)
        yield paths


@contextmanager
def _failures() -> Iterator[list[str]]:
    """How threads failed, in words; meanwhile nothing is printed of it. Waits a while for those left behind."""
    said: list[str] = []
    hook, threads = threading.excepthook, set(threading.enumerate())
    threading.excepthook = lambda args: said.append(described_error(args.exc_type, args.exc_value))
    try:
        yield said
    finally:
        deadline = monotonic() + _PATIENCE
        for thread in set(threading.enumerate()) - threads:
            thread.join(max(0.0, deadline - monotonic()))
        threading.excepthook = hook


def _digests(paths: list[Path], contents: tuple[bytes, ...]) -> dict[str, str]:
    return {path.name: hashlib.sha256(content).hexdigest() for path, content in zip(paths, contents, strict=True)}


def _wrong(said: object, right: Mapping[str, str], failed: list[str]) -> str | None:
    if failed:
        return f"A thread failed with {failed[0]}. (Its error ends the thread, and nobody else hears of it.)"
    if said is None:
        return "It gives back None: does it end with return?"
    if not isinstance(said, dict):
        return f"A dict is asked for, from each file's name to its digest; this is of type {type(said).__name__}."
    if any(isinstance(key, Path) for key in said):
        return "The keys should be the files' names, as path.name gives them, not the paths."
    return _wrong_digests(said, right)


def _wrong_digests(said: Mapping[str, object], right: Mapping[str, str]) -> str | None:
    if missing := right.keys() - said.keys():
        return (
            f"{len(missing)} of {len(right)} files were not in the dict when it came back: join() every thread first."
        )
    wrong = [name for name in right if said[name] != right[name]]
    if any(not isinstance(said[name], str) for name in wrong):
        return "The digests should be strings: call hexdigest()."
    return f"The digest of {wrong[0]} is wrong: hash its bytes, all of them, with sha256." if wrong else None


def _right_digests(answer: Answer) -> str | None:
    with _files(*CONTENTS) as paths, _failures() as failed:
        said = answer(list(paths))
        return _wrong(said, _digests(paths, CONTENTS), failed)


def _nothing_to_do(answer: Answer) -> str | None:
    return None if answer([]) == {} else "For no files at all it should give back an empty dict."


def _at_the_same_time(answer: Answer) -> str | None:
    meeting, contents = _Meeting(), CONTENTS[:3]
    with _files(*contents) as paths, _failures() as failed:
        watched = [_WatchedPath(path) for path in paths]
        for path in watched:
            path.meeting = meeting
        said = answer(watched)
        said = dict(said) if isinstance(said, dict) else said  # threads may still add to it
    if not meeting.came:
        return "Nobody in this process opened the files by their paths: read them in threads, with path.read_bytes()."
    if not meeting.met.is_set():
        return "No two threads had a file open at the same time: start() them all, and only then join() them all."
    return _wrong(said, _digests(paths, contents), failed)


check_hash_all: Final = Exercise(
    Property("the digests are right, for empty files and for bytes that are no text too", _right_digests),
    Property("no files give an empty dict", _nothing_to_do),
    Property("at least two threads were at work at the same time, and it waited for all of them", _at_the_same_time),
    Property("no thread was left running", lambda _: None),  # the guard has looked after each try
)
