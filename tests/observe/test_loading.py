"""Lists that tell where they were made and unpacked."""

import multiprocessing
import os
import pickle
import signal
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

from helpers.observe.loading import LENGTH, Load, Seen, numbers_of
from tests.observe.starting import LIMIT

SPAWN = multiprocessing.get_context("spawn")


def test_lists_are_always_the_same_and_each_has_its_own(tmp_path: Path):
    load = Load(str(tmp_path), home=0)
    assert load("a") == load("a") == numbers_of("a") != numbers_of("b")
    assert len(load("a")) == LENGTH


def test_it_tells_who_made_how_many_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    load = Load(str(tmp_path), home=0)
    load("a")
    assert Seen.of(str(tmp_path)) == Seen(frozenset({os.getpid()}), 1, 0, killed=False)
    monkeypatch.setattr("helpers.observe.loading._TAKES", 1.5)  # a busy machine may start the third thread late
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(load, "abc"))
    assert Seen.of(str(tmp_path)).most_at_once == 3


def test_nothing_has_happened_in_an_empty_folder(tmp_path: Path):
    assert Seen.of(str(tmp_path)) == Seen(frozenset(), 0, 0, killed=False)


@pytest.mark.parametrize(("home", "unpacked"), [(os.getpid(), 1), (0, 0)], ids=["at home", "elsewhere"])
def test_only_what_comes_home_is_told(tmp_path: Path, home: int, unpacked: int):
    with ProcessPoolExecutor(1, mp_context=SPAWN) as pool:
        numbers = pool.submit(Load(str(tmp_path), home=home), "a").result(LIMIT)
    assert numbers == numbers_of("a")
    seen = Seen.of(str(tmp_path))
    assert seen.unpacked == unpacked
    assert os.getpid() not in seen.makers
    pickle.loads(pickle.dumps(numbers))  # noqa: S301 (our own)
    assert Seen.of(str(tmp_path)).unpacked == 2 * unpacked


def test_the_deadly_list_kills_once(tmp_path: Path):
    load = Load(str(tmp_path), home=os.getpid(), deadly="z")
    assert load("z") == numbers_of("z"), "not at home"
    codes = []
    for _ in range(2):
        process = SPAWN.Process(target=load, args=("z",))
        process.start()
        process.join(LIMIT)
        codes.append(process.exitcode)
    assert codes == [-(signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL), 0]
    assert Seen.of(str(tmp_path)).killed
