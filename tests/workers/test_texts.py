"""Texts that are read once and asked again."""

import pickle
from pathlib import Path

import pytest

from helpers.workers import on_cluster, texts


def test_texts_are_read_in_order_and_bytes_that_are_no_text_are_survived(tmp_path: Path):
    for name, content in {"a": b"for four", "b": b"", "c": b"\xff for"}.items():
        (tmp_path / name).write_bytes(content)
    read = texts.read_texts([str(tmp_path / name) for name in "abc"])
    assert read == ["for four", "", "\N{REPLACEMENT CHARACTER} for"]
    assert texts.count_word(read, "for") == 2
    assert texts.letters_in(read) == 8 + 0 + 5


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        texts.read_text(str(tmp_path / "none"))


@pytest.mark.parametrize("function", [texts.read_text, texts.read_texts, texts.count_word, texts.letters_in])
def test_they_travel_by_name(function):
    assert pickle.loads(pickle.dumps(function)) is function  # noqa: S301 (our own)


def test_dask_finds_what_it_calls_at_a_workers_start():
    assert callable(on_cluster.dask_setup)
