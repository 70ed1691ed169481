"""Say what threads were doing in the words of whoever wrote the program: the line of theirs that each was at.

A thread that waits for a lock is, to Python, somewhere in `threading`. What helps is the line that led there, so
frames of the standard library, of installed packages and of our own are skipped.

    current_stacks() in the process ────────► reports(stacks, …) ──► one ThreadReport a thread, with the line's text:
    faulthandler's dump ──► dumped_stacks() ──────▲                  only the kernel has that of a cell
"""

import linecache
import os
import re
import sysconfig
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from helpers.observe.stacks import MAIN, STRANGER, Frame, Stack

_OBSERVE: Final = f"{Path(__file__).parent}{os.sep}"
_PANELS: Final = f"{Path(__file__).parents[1] / 'panels'}{os.sep}"
_OURS: Final = f"{Path(__file__).parents[1]}{os.sep}"
_STANDARD: Final = tuple(f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "platstdlib"))
_INSTALLED: Final = re.compile(r"[/\\](site|dist)-packages[/\\]")
_SANDBOX: Final = f"{_OBSERVE}sandboxed.py"
_SERVANTS: Final = (_SANDBOX, f"{_OBSERVE}lifeline.py")
# As faulthandler writes them; from 3.14 on with the thread's name.
_DUMPED_THREAD: Final = re.compile(
    r"(?:Current thread|Thread) (0x[0-9a-f]+)(?: \[(.*)\])? \(most recent call first\):"
)
_DUMPED_FRAME: Final = re.compile(r'  File "(.*)", line (\d+|\?\?\?) in (.*)')
_DUMPED_CHARACTER: Final = re.compile(r"\\x([0-9a-f]{2})|\\u([0-9a-f]{4})|\\U([0-9a-f]{8})")


class ThreadReport(NamedTuple):
    """What a thread was doing.

    Attributes:
        name: the thread's.
        function: the learner's that it was in; if there is none, the standard library's, as "queue.get".
        line: in the learner's file or cell; None if it was in none.
        source: the text of that line, if it can be had.
        calls: the learner's functions that it was in, outermost first.
    """

    name: str
    function: str
    line: int | None
    source: str
    calls: tuple[str, ...]

    @property
    def words(self) -> str:
        """All that in a line."""
        where = f"{self.name}: in {self.function}"
        if self.line is not None:
            where += f", line {self.line}"
        return f"{where}: {self.source}" if self.source else where


def reports(stacks: Iterable[Stack], called: str) -> tuple[ThreadReport, ...]:
    """Say what threads were doing, but not those that serve the sandbox.

    Args:
        stacks: of the threads, in the order wanted.
        called: the name of the function in the sandbox, in case that it is written in C.
    """
    return tuple(_report(stack, called) for stack in stacks if stack.thread == MAIN or not _is_servant(stack))


def dumped_stacks(dump: str, main: int) -> list[Stack]:
    """What faulthandler wrote of a process's threads, the main thread first.

    Args:
        dump: all that it wrote; of each thread, the first stack counts.
        main: the identifier of the main thread.

    Up to Python 3.13 it does not write the threads' names: they are named after the function they run.
    """
    threads: dict[int, tuple[str, list[Frame]]] = {}
    frames: list[Frame] = []
    for line in dump.splitlines():
        if thread := _DUMPED_THREAD.fullmatch(line):
            frames = []
            ident = int(thread[1], 16)
            if not threads.get(ident, ("", []))[
                1
            ]:  # a thread just starting has its starter's identifier, and no stack
                threads[ident] = (thread[2] or "", frames)
        elif frame := _DUMPED_FRAME.fullmatch(_readable(line)):
            frames.insert(0, Frame(frame[1], None if frame[2] == "???" else int(frame[2]), frame[3]))
    return [
        Stack(MAIN if ident == main else name or _named_after(calls), tuple(calls))
        for ident, (name, calls) in sorted(threads.items(), key=lambda item: item[0] != main)
        if calls or ident == main
    ]


def _report(stack: Stack, called: str) -> ThreadReport:
    start = max((place for place, frame in enumerate(stack.frames) if frame.file == _SANDBOX), default=-1) + 1
    calls = stack.frames[start:]
    theirs = [frame for frame in calls if _is_learners(frame)]
    if not theirs:
        return ThreadReport(stack.thread, _standard_function(calls, called), None, "", ())
    file, line, function = theirs[-1]
    linecache.checkcache(file)
    source = linecache.getline(file, line).strip() if line else ""
    return ThreadReport(stack.thread, function, line, source, tuple(frame.function for frame in theirs))


def _is_servant(stack: Stack) -> bool:
    """Whether it is a thread of ours, which answers the kernel or waits for the kernel's end."""
    return next((frame.file for frame in stack.frames if frame.file != threading.__file__), "") in _SERVANTS


def _is_learners(frame: Frame) -> bool:
    file = frame.file
    if file.startswith(_OURS):
        return not file.startswith((_OBSERVE, _PANELS))
    if file.startswith((*_STANDARD, "<frozen ")) or _INSTALLED.search(file):
        return False
    return frame[::2] != ("<string>", "<module>")  # a spawned process starts there


def _standard_function(calls: tuple[Frame, ...], called: str) -> str:
    """The innermost function, where none is the learner's."""
    if not calls:
        return called
    file, _, function = calls[-1]
    if file == threading.__file__ and function == "run":
        return "a function written in C"
    path = Path(file)
    return f"{path.parent.name if path.stem == '__init__' else path.stem}.{function}"


def _named_after(frames: list[Frame]) -> str:
    function = next((frame.function for frame in frames if _is_learners(frame)), None)
    return f"a thread that runs {function}" if function else STRANGER


def _readable(line: str) -> str:
    """A line with its letters: faulthandler writes whatever is not ASCII as a number."""
    return _DUMPED_CHARACTER.sub(lambda found: chr(int("".join(filter(None, found.groups())), 16)), line)
