"""Files that are read once, kept where they were read, and asked again and again: the work of lesson 16.

What `read_texts` gives is large and stays on its worker; the answers of the others are small, and travel.
"""

from typing import TYPE_CHECKING

from helpers.observe.lifeline import end_with_parent

if TYPE_CHECKING:
    from collections.abc import Sequence


def read_text(path: str) -> str:
    """What stands in the file; bytes that are no text become a sign that says so.

    Raises:
        OSError: it cannot be read.
    """
    with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 (pathlib costs a worker 4 ms)
        return file.read()


def read_texts(paths: "Sequence[str]") -> list[str]:
    """What stands in the files, in their order, as `read_text` reads it."""
    end_with_parent()
    return [read_text(path) for path in paths]


def count_word(texts: "Sequence[str]", word: str) -> int:
    """How often `word` stands in the texts, within other words too."""
    end_with_parent()
    return sum(text.count(word) for text in texts)


def letters_in(texts: "Sequence[str]") -> int:
    """How many letters the texts have in all."""
    end_with_parent()
    return sum(map(len, texts))
