"""Real threads of which one at a time goes on, from one stop to the next, when it is told to.

    controller                      thread
    ----------                      ------
    start()  ---------------------> runs up to its first stop:  perform(operation, effect)
             <--------------------- parked; its operation says what it is about to do
    go_on()  ---------------------> does the effect, runs up to its next stop, or to its end
             <--------------------- parked, or ended

All hand-overs are by locks, so nothing here rests on the GIL. A run that is given up wakes its threads with an
exception that no `except Exception` catches; a thread that refuses to end even so is parked for good.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Final

from helpers.observe.lab.operations import Operation

STEP_LIMIT: Final = 2.0
OUTSIDE: Final = -1
_PATIENCE: Final = 100
_GRACE: Final = 0.5
_turns: Final[dict[int, "Turn"]] = {}  # by the idents of their threads, for as long as these run


class GivenUp(BaseException):
    """Raised at a stop of a thread whose run is given up."""


class LostThreadError(RuntimeError):
    """A thread has not come back from a step in time.

    Args:
        turn: the thread.
    """

    def __init__(self, turn: "Turn") -> None:
        self.turn = turn
        super().__init__(turn.name)


class Turn:
    """One thread, and its place in the order of the program.

    Attributes:
        operation: what it is about to do; none while it runs, and once it has ended.
        error: what it failed with.
        done: how many operations it has done.
    """

    def __init__(self, turns: "Turns", place: int, name: str, work: Callable[[], object]) -> None:
        self.place = place
        self.name = name
        self.operation: Operation | None = None
        self.error: BaseException | None = None
        self.ended = self.given_up = self.refuses = False
        self.done = 0
        self.nap: Callable[[float], None] = _no_nap
        self._turns = turns
        self._work = work
        self._wakes = 0
        self._go = threading.Lock()
        self._go.acquire()
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)

    def hand_over(self) -> None:
        """Let it go on; called by the controller only."""
        if self.thread.ident is None:
            self.thread.start()
        self._go.release()

    def park(self, operation: Operation) -> None:
        """Stop until told to go on; called in the thread itself."""
        self.leave_if_given_up()
        self.operation = operation
        self._turns.hand_back(self)
        self._go.acquire()
        self.operation = None
        self.leave_if_given_up()

    def _run(self) -> None:
        _turns[threading.get_ident()] = self
        self._go.acquire()
        try:
            self.leave_if_given_up()
            self._work()
        except (GivenUp, SystemExit):
            pass  # a thread that calls sys.exit() ends quietly outside the lab too
        except BaseException as error:  # noqa: BLE001 (what the learner's code raises is told, not raised)
            self.error = error
        self.operation = None
        self.ended = True
        del _turns[threading.get_ident()]
        self._turns.hand_back(self)

    def leave_if_given_up(self) -> None:
        """Raise `GivenUp` if the run is over; park for good a thread that has not left after many of them."""
        if not self.given_up:
            return
        self._wakes += 1
        if self._wakes > _PATIENCE:  # its code catches everything, and tries again
            self.refuses = True
            self._turns.hand_back(self)
            threading.Event().wait()
        raise GivenUp


class Turns:
    """All threads of one run.

    Args:
        works: a name and a function for each thread.
        step_limit: how many seconds a thread may take from one stop to the next.

    Attributes:
        refused: how many threads could not be ended. They sleep, or go on, until their process ends.
        running: whether a thread goes on just now.
        lost: the thread that has not come back from a step.
    """

    def __init__(self, works: Sequence[tuple[str, Callable[[], object]]], step_limit: float = STEP_LIMIT) -> None:
        self.refused = 0
        self.lost: Turn | None = None
        self.running = False
        self.all = [Turn(self, place, name, work) for place, (name, work) in enumerate(works)]
        self._step_limit = step_limit
        self._back: SimpleQueue[Turn] = SimpleQueue()

    def start(self) -> None:
        """Run each thread up to its first stop, one after the other.

        Raises:
            LostThreadError: one did not get there in time.
        """
        for turn in self.all:
            self.go_on(turn)

    def go_on(self, turn: Turn) -> None:
        """Let `turn` do what it is about to do, and run up to its next stop.

        Raises:
            LostThreadError: it did not get there in time.
        """
        self.running = True
        turn.hand_over()
        try:
            self._back.get(timeout=self._step_limit)
        except Empty:
            self.lost = turn
            raise LostThreadError(turn) from None
        finally:
            self.running = False

    def hand_back(self, turn: Turn) -> None:
        """Let the controller go on; called by `turn` in its own thread."""
        self._back.put(turn)

    def close(self) -> None:
        """End all threads, one after the other. Calling it twice does no harm."""
        for turn in self.all:
            if turn.ended or turn.given_up:
                continue
            turn.given_up = True
            turn.hand_over()
            if turn is self.lost:
                _interrupt(turn)
                turn.thread.join(_GRACE)
                self.refused += turn.thread.is_alive()
            else:
                self._end(turn)

    def _end(self, turn: Turn) -> None:
        with suppress(Empty):
            while self._back.get(timeout=self._step_limit) is not turn:
                pass  # a lost thread has come back after all
            if not turn.refuses:
                turn.thread.join()
                return
        self.refused += 1


def _interrupt(turn: Turn) -> None:
    """Raise `GivenUp` in a thread that runs; inside a call into C it will not meet it before that returns."""
    import ctypes  # noqa: PLC0415 (takes 10 ms, and few programs need it)

    if turn.thread.ident is not None:
        ident = ctypes.c_ulong(turn.thread.ident)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(GivenUp))


def current_turn() -> Turn | None:
    """The lab's thread that calls this; none for any other."""
    return _turns.get(threading.get_ident())


def here() -> int:
    """The place of the lab's thread that calls this; `OUTSIDE` for any other."""
    turn = current_turn()
    return OUTSIDE if turn is None else turn.place


def _no_nap(seconds: float) -> None:
    """Nobody has said what a nap is."""
