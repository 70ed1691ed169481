"""What threads and processes do in the tests of the panels."""

import os
import signal
import sys
import threading
import time
from typing import Any, Never

from helpers.observe.lifeline import end_with_parent
from helpers.observe.locks import named
from helpers.observe.trace import Trace


def count(trace: Trace, items: int, step: int = 1) -> None:
    """Finish `items`, without a pause."""
    end_with_parent()
    trace.expect(items)
    with trace.span("counting"):
        for _ in range(0, items, step):
            trace.advance(step)


def count_slowly(trace: Trace, items: int, pause: float) -> None:
    """Finish `items`, with a pause after each."""
    end_with_parent()
    trace.expect(items)
    with trace.span("counting"):
        for _ in range(items):
            trace.advance()
            time.sleep(pause)


def wait_for(trace: Trace, event: threading.Event) -> None:
    """Make no progress at all until told to end."""
    with trace.span("waiting"):
        event.wait(60)


def finish_anyway(trace: Trace, event: threading.Event) -> None:
    """Wait until told to stop, and then do all of the work."""
    trace.expect(5)
    with trace.span("waiting"):
        event.wait(60)
    trace.advance(5)


def sleep_in_a_span(trace: Trace) -> None:
    end_with_parent()
    with trace.span("sleeping"):
        time.sleep(60)


def be_silent(seconds: float) -> None:
    """Say nothing to any trace."""
    end_with_parent()
    time.sleep(seconds)


def fail_in_a_span(trace: Trace) -> Never:
    end_with_parent()
    with trace.span("working"):
        raise ValueError("<b>broken</b> on purpose")


def exit_with(code: int) -> Never:
    sys.exit(code)


def be_deaf(trace: Trace) -> Never:
    """Ignore the polite way of being ended, and compute for ever."""
    end_with_parent()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with trace.span("deaf"):
        while True:
            pass


def kill_itself(trace: Trace) -> None:
    with trace.span("about to be killed"):
        os.kill(os.getpid(), signal.SIGKILL)


def take_both(trace: Trace, first: Any, second: Any, both: Any) -> None:
    """Take two locks; whoever does so in another order at the same time is met in a deadlock."""
    if threading.current_thread() is threading.main_thread():
        end_with_parent()
    with trace.span("taking both"), first:
        both.wait(60)
        with second:
            pass


def deadlock_threads(trace: Trace) -> None:
    """Two threads of this process in a deadlock."""
    end_with_parent()
    lock_x, lock_y = (named(name, threading.Lock(), trace) for name in ("lock_x", "lock_y"))
    both = threading.Barrier(2)
    threading.Thread(target=take_both, args=(trace, lock_y, lock_x, both), name="f2").start()
    thread = threading.Thread(target=take_both, args=(trace, lock_x, lock_y, both), name="f1")
    thread.start()
    with trace.span("waiting"):
        thread.join()


def hold_until(trace: Trace, lock: Any, event: threading.Event) -> None:
    with trace.span("holding"), lock:
        event.wait(60)
