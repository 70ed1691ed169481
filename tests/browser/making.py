"""Make small lessons for the tests of this folder, in the server's own copy of the lessons."""

import json
from typing import Any

from tests.browser.lab_server import JupyterServer


def code(source: str, *tags: str) -> dict[str, Any]:
    """A code cell that has not run."""
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {"tags": list(tags)},
        "outputs": [],
        "source": source,
    }


def prose(source: str) -> dict[str, Any]:
    """A markdown cell."""
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def made(server: JupyterServer, *cells: dict[str, Any]) -> str:
    """The name of a new lesson with these cells, to be opened."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    lesson = {"cells": list(cells), "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 4}
    (server.folder / "my_lesson.ipynb").write_text(json.dumps(lesson), encoding="utf-8")
    return "my_lesson.ipynb"
