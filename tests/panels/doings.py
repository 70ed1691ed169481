"""What threads and processes do in the tests of the panels."""

import os
import signal
import sys
import threading
import time
from typing import Never

from helpers.observe.lifeline import end_with_parent
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
