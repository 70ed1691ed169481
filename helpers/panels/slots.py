"""Rows for as many workers as can be looked at: of many, a few at a time have one, and hand it on.

A row costs a browser a dozen objects and as many messages, so that workers who come and go share a few rows.
"""

from collections.abc import Sequence

from ipywidgets import HTML

from helpers.panels.looks import layout, plain_html
from helpers.panels.rows import Row, update


class Slots:
    """Rows by their workers' names; made when they are needed, and used again.

    Attributes:
        more: says in words what has no row; empty if everything has.
    """

    def __init__(self) -> None:
        """Have no row yet."""
        self.more = HTML(layout=layout(), style=plain_html())
        self._rows: dict[str, Row] = {}
        self._free: list[Row] = []

    def give(self, names: Sequence[str], more: str) -> list[Row]:
        """A row for each of `names`, the one that it had if it had one; those with none of these names are free.

        Args:
            names: of the workers to be shown.
            more: what there is besides, in plain words; empty if there is nothing.
        """
        wanted = set(names)
        for name in [name for name in self._rows if name not in wanted]:
            self._free.append(self._rows.pop(name))
        update(self.more, "value", more)
        return [self._rows.get(name) or self._rows.setdefault(name, self._new(name)) for name in names]

    def children(self, rows: Sequence[Row]) -> tuple[Row | HTML, ...]:
        """What is to be seen: `rows`, and the words below them, if there are any."""
        return (*dict.fromkeys(rows), *([self.more] if self.more.value else []))

    def _new(self, name: str) -> Row:
        if not self._free:
            return Row(name)
        row = self._free.pop()
        row.rename(name)
        return row
