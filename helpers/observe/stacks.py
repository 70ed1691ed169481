"""What every thread of this process is calling at the moment, in a form that can be sent to another process.

`helpers.observe.reports` puts it into words, there.
"""

import sys
import threading
from collections.abc import Collection
from types import FrameType, TracebackType
from typing import Final, NamedTuple

MAIN: Final = "main thread"
STRANGER: Final = "a thread"
"""A thread that `threading` does not know."""


class Frame(NamedTuple):
    """A call that is going on."""

    file: str
    line: int | None
    function: str


class Stack(NamedTuple):
    """A thread's calls, outermost first."""

    thread: str
    frames: tuple[Frame, ...]


def current_stacks(only: Collection[int | None] | None = None) -> list[Stack]:
    """Of all threads, the main thread first and then by age; or only of those with these identifiers."""
    frames = sys._current_frames()  # noqa: SLF001 (documented)
    main = threading.main_thread()
    names: dict[int | None, str] = {main.ident: MAIN}
    names.update((thread.ident, thread.name) for thread in threading.enumerate() if thread is not main)
    names.update((ident, STRANGER) for ident in frames if ident not in names)
    return [
        Stack(name, _frames_of(frames[ident]))
        for ident, name in names.items()
        if ident in frames and (only is None or ident in only)
    ]


def stack_of_error(thread: str, traceback: TracebackType | None) -> Stack:
    """The calls that an exception has passed through in `thread`."""
    frames: list[Frame] = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append(Frame(code.co_filename, traceback.tb_lineno, code.co_name))
        traceback = traceback.tb_next
    return Stack(thread, tuple(frames))


def _frames_of(innermost: FrameType | None) -> tuple[Frame, ...]:
    frames: list[Frame] = []
    while innermost is not None:
        code = innermost.f_code
        frames.append(Frame(code.co_filename, innermost.f_lineno, code.co_name))
        innermost = innermost.f_back
    return tuple(reversed(frames))
