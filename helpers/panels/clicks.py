"""Clicks are answered where everything else happens: in the thread of the kernel's event loop.

ipykernel 7.4 may call a widget's callback in a thread of its own ("subshell-…"), even while a cell keeps the loop
busy. Lanes and panels have one writer, and a frozen interface is one that does not answer.
"""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress

from ipywidgets import Button


def on_click(button: Button, act: Callable[[], object]) -> None:
    """Do `act` at each click on `button`, in the thread and the event loop in which this is called."""
    act_there = in_this_thread(act)
    button.on_click(lambda _: act_there())


def in_this_thread(act: Callable[[], object]) -> Callable[[], None]:
    """`act`, to be called in any thread, but done in the one in which this is called, by its running event loop.

    Called in that very thread, or where no loop was running, it is done at once.
    """
    thread = threading.get_ident()
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        loop = None

    def hand_over() -> None:
        if loop is None or threading.get_ident() == thread:
            act()
        else:
            with suppress(RuntimeError):  # the loop is closed: there is no interface any more
                loop.call_soon_threadsafe(act)

    return hand_over
