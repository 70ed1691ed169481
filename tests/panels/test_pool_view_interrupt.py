"""An interrupted cell leaves nothing of its pool, in a real kernel."""

import threading
from subprocess import DEVNULL
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel

from helpers.panels.kernel_start import with_free_ports
from tests.observe.starting import METHODS

CELL = """
import asyncio, multiprocessing
from concurrent.futures import ProcessPoolExecutor
from helpers.observe.trace import Trace
from helpers.panels.pool_view import PoolView
from tests.observe import pool_doings
from tests.observe.pool_making import submit
context, trace = multiprocessing.get_context({method!r}), Trace()
pool = ProcessPoolExecutor(2, context) if {kind!r} == "executor" else context.Pool(2)
view = PoolView(trace, pool, [submit(pool, pool_doings.deaf, trace, f"deaf {{n}}") for n in range(3)])
while not any(lane.spans for lane in trace.lanes()):
    pass
asyncio.get_running_loop().call_soon(lambda: print("at work", flush=True))  # when the cell waits
await view
"""
AFTER = """
import asyncio, threading
await asyncio.sleep(0.2)
names = [t.name for t in threading.enumerate() if t.name == "deaths" or "handle_" in t.name or "Executor" in t.name]
print(view.fault is not None, multiprocessing.active_children(), names, len(view._watch.errors), flush=True)
trace.close()
"""


@pytest.mark.parametrize("method", METHODS[:1] + METHODS[2:])
def test_an_interrupt_leaves_nothing(method: str):
    manager, client = with_free_ports(lambda: start_new_kernel(kernel_name="python3", stderr=DEVNULL))
    said: list[str] = []

    def listen(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream":
            said.append(message["content"]["text"])
            if "at work" in said[-1]:
                threading.Timer(0.2, manager.interrupt_kernel).start()

    try:
        for kind in ("executor", "pool"):
            reply = client.execute_interactive(
                CELL.format(kind=kind, method=method), output_hook=listen, timeout=50, stop_on_error=False
            )
            assert reply["content"]["status"] == "error", said
            client.execute_interactive(AFTER, output_hook=listen, timeout=30)
            assert said[-1].strip() == "True [] [] 3", said
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
