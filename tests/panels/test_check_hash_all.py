"""Lesson 03's exercise: right answers pass, usual mistakes get a hint of their own, and nothing is left running."""

import asyncio
import hashlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from helpers.panels.check_hash_all import CONTENTS, check_hash_all
from tests.observe.starting import until

Answers = dict[str, str]


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    threads, hook = set(threading.enumerate()), threading.excepthook
    yield
    until(lambda: set(threading.enumerate()) <= threads, "the end of all threads")
    assert threading.excepthook is hook


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def in_threads(
    paths: list[Path], digest: Callable[[Path], Any] = digest_of, key: Callable[[Path], Any] = lambda path: path.name
) -> dict[Any, Any]:
    digests = {}

    def work(path: Path) -> None:
        digests[key(path)] = digest(path)

    threads = [Thread(target=work, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return digests


def in_a_pool(paths: list[Path]) -> Answers:
    with ThreadPoolExecutor() as pool:
        return dict(zip([path.name for path in paths], pool.map(digest_of, paths), strict=True))


def by_open(path: Path) -> str:
    with open(path, "rb") as file:  # noqa: PTH123 - learners do
        return hashlib.file_digest(file, "sha256").hexdigest()


def by_path_open(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def two_share_the_files(paths: list[Path]) -> Answers:
    digests = {}

    def work(mine: list[Path]) -> None:
        for path in mine:
            digests[path.name] = digest_of(path)

    other = Thread(target=work, args=(paths[1::2],))
    other.start()
    work(paths[::2])
    other.join()
    return digests


@pytest.mark.parametrize(
    "answer",
    [
        in_threads,
        in_a_pool,
        two_share_the_files,
        lambda paths: in_threads(paths, by_open),
        lambda paths: in_threads(paths, by_path_open),
    ],
)
def test_right_answers(answer: Callable[..., object], capfd: pytest.CaptureFixture[str]):
    verdict = check_hash_all(answer)
    assert verdict.good, verdict
    assert len(verdict.lines) == 4
    assert capfd.readouterr().err == ""


def one_after_the_other(paths: list[Path]) -> Answers:
    return {path.name: digest_of(path) for path in paths}


def joins_in_the_same_loop(paths: list[Path]) -> Answers:
    digests: Answers = {}
    for path in paths:
        thread = Thread(target=lambda path=path: digests.update({path.name: digest_of(path)}))
        thread.start()
        thread.join()
    return digests


def forgets_join(paths: list[Path]) -> Answers:
    digests: Answers = {}
    for path in paths:
        Thread(target=lambda path=path: digests.update({path.name: digest_of(path)})).start()
    if digests.keys() >= {"file3.bin"}:
        until(lambda: len(digests) == len(CONTENTS), "the small files' digests, which are often in time")
    return digests


def joins_only_the_last(paths: list[Path]) -> Answers:
    digests: Answers = {}
    slow = threading.Event()

    def work(path: Path) -> None:
        digest = digest_of(path)
        if path is paths[0]:
            slow.wait(0.5)
        elif path is paths[-1]:
            until(lambda: len(digests) >= len(paths) - 2, "those in between")
        digests[path.name] = digest

    threads = [Thread(target=work, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads[-1:]:
        thread.join()
    return digests


def as_text(path: Path) -> str:
    return hashlib.sha256(path.read_text().encode()).hexdigest()


def as_latin_text(path: Path) -> str:
    return hashlib.sha256(path.read_text("latin-1").encode("latin-1")).hexdigest()


def in_processes(paths: list[Path]) -> Answers:
    if not paths:
        return {}
    with ProcessPoolExecutor(1) as pool:
        return dict(zip([path.name for path in paths], pool.map(digest_of, map(Path, map(str, paths))), strict=True))


def leaves_one_running(paths: list[Path]) -> Answers:
    global helper_thread  # noqa: PLW0603 - to be ended by the test
    helper_thread = Thread(target=let_go.wait, args=(20,))
    helper_thread.start()
    return in_threads(paths)


let_go = threading.Event()
MISTAKES = {
    "one after the other": (one_after_the_other, "No two threads had a file open at the same time"),
    "start and join in one loop": (joins_in_the_same_loop, "start() them all, and only then join()"),
    "no join": (forgets_join, "join() every thread first"),
    "only the last joined": (joins_only_the_last, "1 of 4 files were not in the dict"),
    "nothing returned": (lambda paths: in_threads(paths) and None, "does it end with return?"),
    "a list": (lambda paths: list(in_threads(paths).values()), "A dict is asked for"),
    "paths for keys": (lambda paths: in_threads(paths, key=lambda path: path), "path.name"),
    "hash objects": (lambda paths: in_threads(paths, lambda path: hashlib.sha256(path.read_bytes())), "hexdigest()"),
    "digests as bytes": (
        lambda paths: in_threads(paths, lambda path: hashlib.sha256(path.read_bytes()).digest()),
        "hexdigest()",
    ),
    "another hash": (
        lambda paths: in_threads(paths, lambda path: hashlib.sha512(path.read_bytes()).hexdigest()),
        "with sha256",
    ),
    "the name hashed": (
        lambda paths: in_threads(paths, lambda path: hashlib.sha256(path.name.encode()).hexdigest()),
        "hash its bytes",
    ),
    "read as text": (lambda paths: in_threads(paths, as_text), "A thread failed with UnicodeDecodeError"),
    "line ends changed": (lambda paths: in_threads(paths, as_latin_text), "hash its bytes"),
    "text given": (
        lambda paths: in_threads(paths, lambda path: hashlib.sha256(path.name)),
        "A thread failed with TypeError",
    ),
    "the first only": (lambda paths: in_threads(paths[:1]), "3 of 4 files were not in the dict"),
    "fails for no files": (lambda paths: in_threads(paths) or None, "an empty dict"),
    "raises for no files": (lambda paths: paths[0] and in_threads(paths), "IndexError"),
    "in processes": (in_processes, "Nobody in this process opened the files"),
    "str(path) opened": (
        lambda paths: in_threads(paths, lambda path: by_open(Path(str(path)))),
        "Nobody in this process opened the files",
    ),
    "asyncio.run in a cell": (lambda paths: asyncio.run(asyncio.to_thread(in_threads, paths, 0)), "TypeError"),
    "sys.exit": (lambda _: sys.exit(3), "return instead"),
    "a thread left": (leaves_one_running, "It left a thread running"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes(mistake: str, capfd: pytest.CaptureFixture[str]):
    let_go.clear()
    answer, words = MISTAKES[mistake]
    try:
        verdict = check_hash_all(answer)
    finally:
        let_go.set()
    assert not verdict.good
    assert "Traceback" not in repr(verdict)
    assert verdict.lines[-1].startswith("Hint: ")
    assert words in verdict.lines[-1], verdict
    assert capfd.readouterr().err == ""


def test_one_that_never_comes_back_is_interrupted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("helpers.panels.exercise.guarded", short_guard)
    verdict = check_hash_all(lambda _: threading.Event().wait(30))
    assert "was interrupted after 0.3 seconds" in verdict.lines[-1]


def short_guard(attempt: Callable[..., str | None], answer: Callable[..., object]) -> str | None:
    from helpers.panels.guard import guarded  # noqa: PLC0415 - the other name is replaced

    return guarded(attempt, answer, 0.3)


def test_no_file_is_left():
    seen: list[Path] = []
    check_hash_all(lambda paths: seen.extend(paths) or in_threads(paths))
    assert seen
    assert not any(os.path.exists(str(path)) for path in seen)  # noqa: PTH110 - watched paths wait when asked
