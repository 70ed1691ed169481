"""Run a function in a process of its own, up to a time limit, and learn how it ended, whatever it does.

    ending = run(Parcel((function, args, limit)), limit, "f")
    ending.kind         # "finished", "failed", "out of time" or "died"
    ending.threads      # what each thread was doing when it was ended

`helpers.panels.sandbox` is what lessons use: it sends a cell's own functions too. What goes on in the process is in
`sandboxed`.
"""

import pickle
import threading
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Final, Literal, NamedTuple

from helpers.observe.confined import Parcel
from helpers.observe.disposable import Disposable, exit_words
from helpers.observe.no_room import check_room
from helpers.observe.reports import ThreadReport, dumped_stacks, reports
from helpers.observe.sandboxed import ANSWER, DUMP, DUMP_SIGNAL, STACKS, Answer, in_words, serve

Kind = Literal["finished", "failed", "out of time", "died"]
START_LIMIT: Final = 60.0  # seconds until the function is called: its modules are imported first
# Seconds for the process to say what it was doing, before and after faulthandler is asked to.
_FIRST_LIMIT: Final = 0.3
_SECOND_LIMIT: Final = 0.5
_DUMP_LIMIT: Final = 1.0
_LOOK_EVERY: Final = 0.02


class Ending(NamedTuple):
    """How it ended; see `helpers.panels.sandbox.Outcome`."""

    kind: Kind
    value: Any = None
    error: str | None = None
    threads: tuple[ThreadReport, ...] = ()
    exitcode: str | None = None
    output: str = ""


class Stopped(Exception):  # noqa: N818 (nothing went wrong)
    """Nobody waits for the ending any more."""


def run(
    call: Parcel, limit: float, called: str, method: str | None = None, stop: threading.Event | None = None
) -> Ending:
    """Run a function in a process of its own; returns when that is gone, with all that it started.

    Args:
        call: the function, a tuple of its arguments, and `limit`.
        limit: seconds that the function may take, counted from its call.
        called: the function's name.
        method: how to start the process, as for `Disposable`.
        stop: set by another thread to end it at once.

    Raises:
        Stopped: it was.

    What pickling the call raises goes through, and so does an `OSError` if there is no room for another process, or
    on the disk for its answer.
    """
    with Disposable(serve, call, method) as process:
        ending = _watch(process, limit, called, stop or threading.Event())
        if ending.kind == "died":
            check_room(process.folder)  # its answer comes in a file
    return ending._replace(output=process.output)


def _watch(process: Disposable, limit: float, called: str, stop: threading.Event) -> Ending:
    """Wait for the answer; without one, learn what can be learnt."""
    main = -1
    message = _next(process, START_LIMIT, stop)
    if message is not None and message.isdigit():
        main = int(message)
        message = _next(process, limit, stop)
    dump = ""
    if message is None and process.exitcode is None:
        message = _ask(process, stop)
    if message is None:
        dump = _dump(process, asked=main >= 0)
        # Was it only kept waiting by a busy machine? Then it can say more than faulthandler, which knows no names.
        message = _next(process, _SECOND_LIMIT, stop)
    if message == ANSWER.encode():
        return _answered(_load(process, ANSWER), called)
    stacks = _load(process, STACKS) if message == STACKS.encode() else dumped_stacks(dump, main)
    code = process.exitcode
    if code is None:
        return Ending("out of time", threads=reports(stacks, called))
    return Ending("died", threads=reports(stacks, called), exitcode=exit_words(code))


def _ask(process: Disposable, stop: threading.Event) -> bytes | None:
    """Ask what the threads are doing; the answer may also be the function's, just in time."""
    with suppress(OSError):  # the function may have closed everything
        process.connection.send_bytes(b"?")
    return _next(process, _FIRST_LIMIT, stop)


def _next(process: Disposable, seconds: float, stop: threading.Event) -> bytes | None:
    deadline = monotonic() + seconds
    while not stop.is_set():
        left = deadline - monotonic()
        message = process.receive(max(0.0, min(left, _LOOK_EVERY)))
        if message is not None or left <= 0 or process.exitcode is not None:
            return message
    raise Stopped


def _answered(answer: Answer, called: str) -> Ending:
    threads = reports(answer.stacks, called)
    if answer.packed is None:
        return Ending("failed", error=answer.error, threads=threads)
    try:
        return Ending("finished", pickle.loads(answer.packed), threads=threads)  # noqa: S301 (our own child packed it)
    except Exception as error:  # noqa: BLE001 (a value's own code may raise anything)
        return Ending("failed", error=f"its value cannot be opened in the kernel: {in_words(error)}", threads=threads)


def _load(process: Disposable, name: str) -> Any:  # noqa: ANN401 (what was pickled)
    return pickle.loads((Path(process.folder) / name).read_bytes())  # noqa: S301 (our own child packed it)


def _dump(process: Disposable, *, asked: bool) -> str:
    """What faulthandler has written, or is about to write."""
    if asked and DUMP_SIGNAL is not None:
        process.send_signal(DUMP_SIGNAL)
    file, deadline, seen = Path(process.folder) / DUMP, monotonic() + _DUMP_LIMIT, ""
    while True:
        dead = process.exitcode is not None
        text = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
        if dead or (text and text == seen) or monotonic() > deadline:
            return text
        seen = text
        sleep(_LOOK_EVERY)
