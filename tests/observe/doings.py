"""What threads and processes do in the tests of the trace."""

import gc
import os
import threading
import time

from helpers.observe.trace import Trace


def advance(trace: Trace, times: int) -> int:
    for _ in range(times):
        trace.advance()
    return times


def speak(trace: Trace) -> None:
    with trace.span("outer"), trace.span("inner"):
        trace.note("hello")
        trace.advance(3)


def speak_in_threads(trace: Trace, times: int) -> None:
    threads = [threading.Thread(target=advance, args=(trace, times)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def end_in_mid_span(trace: Trace) -> None:
    with trace.span("finished"):
        trace.note("before")
    trace.advance(7)
    with trace.span("never finished"):
        trace.note("within")
        time.sleep(600)


def hammered_span(number: int) -> str:
    return f"span {number % 400}"


def hammered_note(number: int) -> str:
    kept = number % 3000
    return f"note {kept} {chr(97 + kept % 26) * (kept % 300)}"


def hammer(trace: Trace, rounds: int) -> None:
    """Write what a reader can check: every name says which it is, and where it belongs."""
    for number in range(rounds):
        with trace.span(name := hammered_span(number)):
            trace.note(hammered_note(number))
            with trace.span(name):
                trace.advance()


def hammer_flat(trace: Trace, rounds: int) -> None:
    """Write spans of which none lies in another."""
    for _ in range(rounds):
        with trace.span("flat"):
            pass


def go_on_after(trace: Trace, told: threading.Event, done: threading.Event) -> None:
    """Speak, wait for the trace to be closed, and go on speaking."""
    trace.advance()
    told.wait(30)
    speak(trace)
    threading.Thread(target=speak, args=(trace,)).start()
    done.set()


def be_the_same(first: Trace, second: Trace) -> None:
    if first is not second:
        os._exit(3)


def forget(trace: Trace) -> None:
    """End without closing the trace that was handed over."""
    trace.advance()
    del trace
    gc.collect()


def close(trace: Trace) -> None:
    trace.advance()
    trace.close()
