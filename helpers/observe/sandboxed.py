"""Inside a sandbox: call the function, and tell the kernel what became of it. The other side of `sandbox`.

    main thread   ── "started" ─► the function ── its answer into a file ── "answer" ──► waits for its end
    servant       waits for a request ── what all threads are doing into a file ── "stacks" ──►
    faulthandler  on a signal, the same into a file: one call into C may keep the servant waiting, with all threads

What is long goes through files: so the kernel reads messages of a few bytes, which are there whole or not at all.
"""

import _thread
import contextlib
import faulthandler
import os
import pickle
import signal
import sys
import threading
from multiprocessing import util
from multiprocessing.connection import Connection
from time import monotonic, sleep
from typing import Final, NamedTuple

from helpers.observe.confined import Parcel
from helpers.observe.stacks import MAIN, Stack, current_stacks, stack_of_error

if sys.platform != "win32":
    import resource

ANSWER: Final = "answer"
STACKS: Final = "stacks"
DUMP: Final = "dump"
"""Names of files, and of the messages which say that they are written."""
DUMP_SIGNAL: Final = getattr(signal, "SIGUSR2", None)
"""Makes faulthandler write; where there is no such signal, it writes when the time is over."""
_DUMPED_AFTER: Final = 0.25  # seconds after the time limit
_PATIENCE: Final = 0.1  # seconds for threads that are just ending


class Answer(NamedTuple):
    """What became of the function."""

    packed: bytes | None
    """Its value, pickled."""
    error: str | None
    """In words, if there is no value."""
    stacks: list[Stack]
    """Where the error was raised, and threads that still run."""


def serve(connection: Connection, folder: str, parcel: Parcel) -> None:
    """Call the function in `parcel`, (function, arguments, time limit in seconds), and wait to be ended."""
    threading.excepthook = _say_failure
    _leave_no_core_file()
    # No thread of `threading`, so that a program which counts its threads finds its own.
    _thread.start_new_thread(_be_servant, (connection, folder))
    # Never closed: faulthandler writes until the end.
    dump = os.open(f"{folder}{os.sep}{DUMP}", os.O_WRONLY | os.O_CREAT, 0o600)
    faulthandler.enable(dump)
    if DUMP_SIGNAL is not None:
        faulthandler.register(DUMP_SIGNAL, dump)
    answer = _answer(connection, parcel, dump)
    # What was put into queues is still on its way. Nobody takes it out? Then this hangs, and so would a program.
    _finalize("Queue._finalize_close", "Queue._finalize_join")
    _hand_in(answer, ANSWER, connection, folder)
    while True:
        sleep(3600)


def _answer(connection: Connection, parcel: Parcel, dump: int) -> Answer:
    try:
        function, args, limit = parcel.open()
        if DUMP_SIGNAL is None:  # where there is fork, this hangs if the parent was using it too
            faulthandler.dump_traceback_later(limit + _DUMPED_AFTER, file=dump)
        connection.send_bytes(f"{threading.get_ident()}".encode())
        value = function(*args)
    except SystemExit:
        raise  # multiprocessing ends the process as Python ends a program
    except BaseException as error:  # noqa: BLE001 (whatever it is, the kernel is told in words)
        return Answer(None, in_words(error), [stack_of_error(MAIN, error.__traceback__), *_still_running()])
    try:
        packed = parcel.reply(value)
    except Exception as error:  # noqa: BLE001 (a value's own code may raise anything)
        return Answer(None, f"its value cannot be sent to the kernel: {in_words(error)}", _still_running())
    return Answer(packed, None, _still_running())


def in_words(error: BaseException) -> str:
    """An exception as the last line of its traceback has it."""
    try:
        words = str(error)
    except Exception:  # noqa: BLE001 (a learner's class)
        words = ""
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def _still_running() -> list[Stack]:
    """Threads that would keep a program from ending."""
    deadline = monotonic() + _PATIENCE
    left = [thread for thread in threading.enumerate() if not thread.daemon and thread is not threading.main_thread()]
    for thread in left:
        thread.join(max(0.0, deadline - monotonic()))
    return current_stacks([thread.ident for thread in left if thread.is_alive()])


def _be_servant(connection: Connection, folder: str) -> None:
    with contextlib.suppress(EOFError, OSError):  # the kernel has gone, or the function closed everything
        connection.recv_bytes()
        _hand_in(current_stacks(), STACKS, connection, folder)


def _hand_in(content: object, name: str, connection: Connection, folder: str) -> None:
    """Write the last that the kernel will want to know, and tell it so."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # the function may have put anything there
            stream.flush()
    with open(f"{folder}{os.sep}{name}", "wb") as file:  # noqa: PTH123 - as above
        pickle.dump(content, file)
    # Locks of multiprocessing have names, but for fork's: a killed process leaves them to whoever started it.
    _finalize("SemLock._cleanup")
    connection.send_bytes(name.encode())


def _finalize(*names: str) -> None:
    """Do what multiprocessing does at the end of a process, but only what these functions of its do."""
    registry = vars(util)["_finalizer_registry"]
    for key in sorted((key for key in list(registry) if key[0] is not None), reverse=True):
        finalizer = registry.get(key)
        callback = getattr(finalizer, "_callback", None)
        if finalizer is not None and getattr(callback, "__qualname__", "") in names:
            finalizer()


def _leave_no_core_file() -> None:
    """Let a crash write no core file: as large as the process, in the learner's folder, and nobody asked for it."""
    if sys.platform != "win32":
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def _say_failure(args: threading.ExceptHookArgs) -> None:
    """Say in a line which thread failed; a traceback is full of paths that differ from machine to machine."""
    if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
        name = args.thread.name if args.thread else "a thread"
        sys.stderr.write(f"{name} failed: {in_words(args.exc_value)}\n")
