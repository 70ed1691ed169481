"""A ledger in a SQLite file: written by many processes at once, or by one that owns it and serves the others.

    write_directly (4) ─────────────► file                  "database is locked"

    send_by_queue (n) ─ Queue ─► own_with_queue ──► file
          ▲────── a Pipe each ──────────┘                    acknowledged when it is on the disk

    send_by_pipe (n) ◄─ a Pipe each ─► own_with_pipes ──► file

A row is acknowledged after its transaction is committed, so what was acknowledged is there, whoever dies.
"""

from collections.abc import Iterable, Mapping, Sequence
from time import sleep
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from helpers.observe.lifeline import end_with_parent
from helpers.observe.trace import Trace

if TYPE_CHECKING:
    import sqlite3
    from multiprocessing.connection import Connection

LONGEST_BATCH: Final = 200
"""Rows that the owner writes in one transaction, at most: a commit costs far more than a row."""
PARCEL: Final = 25
"""Rows that a sender with a pipe sends in one message."""
_THINKING: Final = 0.002


class Row(NamedTuple):
    """One row of the ledger."""

    sender: str
    number: int


class Requests(Protocol):
    """Where rows come from; None says that there will be no more. A Queue of multiprocessing fits."""

    def get(self) -> Row | None:
        """Wait for the next row."""
        ...

    def put(self, row: Row | None, /) -> object:
        """Hand over a row."""
        ...

    def empty(self) -> bool:
        """Whether nothing is there just now."""
        ...


def make_ledger(file: str) -> None:
    """Make an empty ledger."""
    with _opened(file, 5.0) as ledger:
        ledger.execute("CREATE TABLE ledger (sender TEXT, number INTEGER, UNIQUE (sender, number))")
    ledger.close()


def rows_in(file: str) -> set[Row]:
    """All rows of a ledger."""
    ledger = _opened(file, 5.0)
    try:
        return {Row(*row) for row in ledger.execute("SELECT sender, number FROM ledger")}
    finally:
        ledger.close()


def write_directly(trace: Trace, file: str, sender: str, rows: int, patience: float) -> None:
    """Write rows into the file from this very process, a transaction each.

    Args:
        trace: where it says what it does; progress counts rows written, and a note tells of each that was refused.
        file: the ledger's.
        sender: its name in the ledger.
        rows: how many to write, numbered from 0. One that is refused is not tried again.
        patience: how many seconds SQLite is told to wait for others; 0 is not at all.
    """
    end_with_parent()
    import sqlite3  # noqa: PLC0415 (takes milliseconds that only those who write should pay)

    trace.expect(rows)
    ledger = _opened(file, patience)
    for number in range(rows):
        try:
            with trace.span("writing"), ledger:
                ledger.execute("BEGIN IMMEDIATE")
                sleep(_THINKING)
                ledger.execute("INSERT INTO ledger VALUES (?, ?)", (sender, number))
        except sqlite3.OperationalError as error:
            trace.note(f"refused: {error}")
        else:
            trace.advance()
    ledger.close()


def send_by_queue(
    trace: Trace, sender: str, rows: int, requests: Requests, reply: "Connection | None" = None
) -> None:
    """Hand rows to the owner through its queue.

    Args:
        trace: where it says what it does; progress counts rows acknowledged, or handed over if nobody acknowledges.
        sender: its name in the ledger.
        rows: how many, numbered from 0.
        requests: the owner's queue.
        reply: where the owner acknowledges each row; None if nobody waits for that.
    """
    end_with_parent()
    trace.expect(rows)
    with trace.span("handing over"):
        for number in range(rows):
            requests.put(Row(sender, number))
            if reply is None:
                trace.advance()
            else:
                reply.recv()
                trace.advance()


def own_with_queue(
    trace: Trace, file: str, requests: Requests, replies: "Mapping[str, Connection]", pause: float = 0.0
) -> None:
    """Own the ledger: write all rows that come, acknowledge each, and end when None comes.

    Args:
        trace: where it says what it does; progress counts rows written.
        file: the ledger's. Nobody else writes to it.
        requests: where rows come from.
        replies: where each sender waits for its acknowledgements, by the sender's name; those not named get none.
        pause: seconds that it takes a rest after each batch, to be a slow owner.
    """
    end_with_parent()
    ledger = _opened(file, 5.0)
    more = True
    while more:
        batch = [requests.get()]
        while batch[-1] is not None and len(batch) < LONGEST_BATCH and not requests.empty():
            batch.append(requests.get())
        more = batch[-1] is not None
        rows = [row for row in batch if row is not None]
        _write(trace, ledger, rows)
        for row in rows:
            if row.sender in replies:
                replies[row.sender].send(row.number)
        sleep(pause)
    ledger.close()


def send_by_pipe(trace: Trace, sender: str, rows: int, owner: "Connection") -> None:
    """Hand rows to the owner through a pipe of this sender's own, some at a time, when those before are acknowledged.

    Args:
        trace: where it says what it does; progress counts rows acknowledged.
        sender: its name in the ledger.
        rows: how many, numbered from 0.
        owner: this sender's end of the pipe.
    """
    end_with_parent()
    trace.expect(rows)
    with trace.span("handing over"), owner:
        for first in range(0, rows, PARCEL):
            owner.send([Row(sender, number) for number in range(first, min(rows, first + PARCEL))])
            trace.advance(owner.recv())


def own_with_pipes(trace: Trace, file: str, senders: "Sequence[Connection]") -> None:
    """Own the ledger: write what comes through any pipe, and end when every sender has closed its end or died.

    Args:
        trace: where it says what it does; progress counts rows written.
        file: the ledger's. Nobody else writes to it.
        senders: a pipe for each sender.
    """
    end_with_parent()
    from multiprocessing.connection import wait  # noqa: PLC0415 (as above)

    ledger, left = _opened(file, 5.0), list(senders)
    while left:
        arrived: list[tuple[Connection, list[Row]]] = []
        ready: list[Any] = wait(left)
        for pipe in ready:
            try:
                arrived.append((pipe, pipe.recv()))
            except (EOFError, OSError):  # closed, or its sender was killed
                left.remove(pipe)
        _write(trace, ledger, [row for _, rows in arrived for row in rows])
        for pipe, rows in arrived:
            try:
                pipe.send(len(rows))
            except OSError:  # killed while it waited
                left.remove(pipe)
    ledger.close()


def _write(trace: Trace, ledger: "sqlite3.Connection", rows: Iterable[Row]) -> None:
    rows = list(rows)
    if rows:
        with trace.span("writing"), ledger:
            ledger.executemany("INSERT INTO ledger VALUES (?, ?)", rows)
        trace.advance(len(rows))


def _opened(file: str, patience: float) -> "sqlite3.Connection":
    import sqlite3  # noqa: PLC0415 (as above)

    return sqlite3.connect(file, timeout=patience)
