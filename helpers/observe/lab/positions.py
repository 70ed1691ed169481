"""Where a thread stands, as far as its future depends on it.

What a thread will do is decided by the results of all its operations so far: its *history*. In a loop that tries
again and again the history grows for ever, though the thread may be where it was. So a history is cut off where the
thread has come round a loop: from there its future depends on its place and its local variables alone, provided that
Python's stack held nothing at the head of the loop (no `for`, no `with` around it), and that all these variables can
be seen through.
"""

import dis
from collections.abc import Hashable
from itertools import pairwise
from sys import _getframe
from types import CodeType, FrameType
from typing import Final, NamedTuple

from helpers.observe.lab.keys import NoKeyError, key_of
from helpers.observe.lab.turns import Turn

_HERE: Final = __file__.rpartition("positions")[0]
_NOT_BEGUN: Final = -1
_RUNS_A_THREAD: Final = Turn._run.__code__  # noqa: SLF001 (what stands below it is ours)
_JUMPS: Final = frozenset({*dis.hasjrel, *dis.hasjabs})

Interned = dict[Hashable, int]


class _Place(NamedTuple):
    frame: FrameType
    instruction: int
    before: int  # the history with which it was entered


class Position:
    """The history of one thread.

    Args:
        interned: gives each history a number, the same in all runs that share it.

    Attributes:
        history: equal numbers mean an equal future, if all that is shared is equal too.
    """

    def __init__(self, interned: Interned) -> None:
        self.history = -1
        self._interned = interned
        self._places: list[_Place] = []

    def did(self, what: str, outcome: Hashable) -> None:
        """An operation has had this outcome."""
        self._become((self.history, what, outcome))

    def stops(self) -> None:
        """The thread is about to stop; called in it."""
        frames = _frames()
        known = self._places
        common = 0
        for place, frame in zip(known, frames, strict=False):
            if place.frame is not frame:
                break
            common += 1
        if common:
            self._cut(known[common - 1], is_direct=common < len(known) and _is_ours(known[common].frame))
        places = known[:common]
        for frame in frames[common:]:
            places.append(_Place(frame, _NOT_BEGUN, self.history))
            self._cut(places[-1], is_direct=False)
        self._places = [
            _Place(place.frame, instruction_of(frame), place.before)
            for place, frame in zip(places, frames, strict=True)
        ]

    def forget(self) -> None:
        """Let go of the frames."""
        self._places = []

    def _cut(self, place: _Place, *, is_direct: bool) -> None:
        """Forget what was before the last round of a loop, if this is a new one.

        One instruction may call several functions that stop, as `max(…, key=f)` does: being there again tells of a
        new round only if the operation was called directly.
        """
        frame, before = place.frame, place.instruction
        now = instruction_of(frame)
        heads = _map_of(frame.f_code).loops.get(now, ())
        is_new_round = now < before or (now == before and is_direct) or any(head > before for head in heads)
        if heads and is_new_round:
            try:
                variables = tuple((name, key_of(value)) for name, value in frame.f_locals.items())
            except NoKeyError:
                return
            self._become(("round", place.before, frame.f_code, now, variables))

    def _become(self, key: Hashable) -> None:
        self.history = self._interned.setdefault(key, len(self._interned))


def instruction_of(frame: FrameType) -> int:
    """Where the instruction starts that `frame` is in; once Python has specialised it, frames stand in its cache."""
    return _map_of(frame.f_code).starts[frame.f_lasti >> 1]


class _Map(NamedTuple):
    code: CodeType  # kept, so that no other can have its id
    starts: list[int]
    loops: dict[int, tuple[int, ...]]


_maps: Final[dict[int, _Map]] = {}


def _map_of(code: CodeType) -> _Map:
    """What there is to know about a function's instructions; by id, since to hash code takes long."""
    known = _maps.get(id(code))
    if known is None:
        instructions = list(dis.get_instructions(code))
        starts = [0] * (len(code.co_code) >> 1)
        for instruction in instructions:
            starts[instruction.offset >> 1] = instruction.offset
        for place, start in enumerate(starts):
            starts[place] = start or starts[max(place - 1, 0)]
        known = _maps[id(code)] = _Map(code, starts, {} if _is_our_code(code) else clean_loops(instructions))
    return known


def clean_loops(instructions: list[dis.Instruction]) -> dict[int, tuple[int, ...]]:
    """For the instructions inside loops: where these loops start, if each starts with nothing on Python's stack."""
    depths = _stack_depths(instructions)
    jumps = [(i.argval, i.offset) for i in instructions if i.opcode in _JUMPS and i.argval <= i.offset]
    clean: dict[int, tuple[int, ...]] = {}
    for at in depths:
        heads = tuple(head for head, last in jumps if head <= at <= last)
        if heads and all(depths.get(head) == 0 for head in heads):
            clean[at] = heads
    return clean


def _stack_depths(instructions: list[dis.Instruction]) -> dict[int, int]:
    """How many values are on the stack before each instruction that is reached without an exception."""
    following = {a.offset: b.offset for a, b in pairwise(instructions)}
    by_offset = {i.offset: i for i in instructions}
    depths = {0: 0}
    open_ends = [0]
    while open_ends:
        at = open_ends.pop()
        instruction = by_offset[at]
        for target, jumps in _next(instruction, following):
            depth = depths[at] + dis.stack_effect(instruction.opcode, instruction.arg, jump=jumps)
            if target not in depths:
                depths[target] = depth
                open_ends.append(target)
    return depths


def _next(instruction: dis.Instruction, following: dict[int, int]) -> list[tuple[int, bool]]:
    name = instruction.opname
    ways: list[tuple[int, bool]] = []
    if instruction.opcode in _JUMPS:
        ways.append((int(instruction.argval), True))
        if name.startswith("JUMP"):
            return ways
    if not name.startswith(("RETURN_", "RAISE", "RERAISE")) and instruction.offset in following:
        ways.append((following[instruction.offset], False))
    return ways


def _is_ours(frame: FrameType) -> bool:
    return _is_our_code(frame.f_code)


def _is_our_code(code: CodeType) -> bool:
    return code.co_filename.startswith(_HERE)


def _frames() -> list[FrameType]:
    """The thread's frames from its own function on to the operation, without those of this module and its caller."""
    frames: list[FrameType] = []
    frame: FrameType | None = _getframe(3)
    while frame is not None and frame.f_code is not _RUNS_A_THREAD:
        frames.append(frame)
        frame = frame.f_back
    return frames[::-1]
