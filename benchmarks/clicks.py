"""How soon a click is answered, while two workers run and a view shows them, and a cell awaits.

    uv run python -m benchmarks.clicks

A click is what the browser sends for one: a message of the button's comm, sent by a client of the kernel in another
process. It takes until the button's handler begins in the kernel; both read the same clock.
"""

import ast
import asyncio
import time
from statistics import median
from subprocess import DEVNULL
from typing import Any, Final

from IPython.display import display
from ipywidgets import Button
from jupyter_client.manager import start_new_kernel

from benchmarks.kernels import ROOT
from benchmarks.live_view import busy_processes
from benchmarks.report import Aim, aims_table, machine
from helpers.observe.trace import Trace
from helpers.panels.clicks import on_click
from helpers.panels.kernel_start import with_free_ports
from helpers.panels.live_view import LiveView

CLICKS: Final = 100
PAUSE: Final = 0.037  # seconds between two clicks; no whole part of the view's 0.1 s
LIMIT: Final = 120

taken: list[float] = []


def button() -> str:
    """A button, called in the kernel; gives the name by which a browser knows it."""
    made = Button(description="click")
    on_click(made, lambda: taken.append(time.perf_counter()))
    display(made)
    return str(made.model_id)


async def watch(clicks: int) -> None:
    """Two workers and their view, until so many clicks have been taken; called in the kernel."""
    with Trace() as trace:
        view = LiveView(trace, busy_processes(trace))
        display(view)
        while len(taken) < clicks:  # noqa: ASYNC110 - as a lesson's cell waits
            await asyncio.sleep(0.05)
        view.stop()
        await view


def asked(client: Any, code: str) -> Any:  # noqa: ANN401 - a string, or a list of numbers
    """The value of an expression in the kernel.

    Raises:
        RuntimeError: it raised; the kernel's traceback is in the message.
    """
    expression = {"value": code}
    reply = client.execute("", user_expressions=expression, reply=True, timeout=LIMIT)
    return _value(reply["content"])


def _value(content: dict[str, Any]) -> Any:  # noqa: ANN401 - as above
    answer = content.get("user_expressions", {}).get("value", content)
    if content["status"] != "ok" or answer["status"] != "ok":
        raise RuntimeError("\n".join(answer.get("traceback", ["the kernel gave no reason"])))
    return ast.literal_eval(answer["data"]["text/plain"])


def click(client: Any, comm: str) -> float:  # noqa: ANN401 - not annotated
    """Click the button, and give when."""
    content = {"comm_id": comm, "data": {"method": "custom", "content": {"event": "click"}}}
    message = client.session.msg("comm_msg", content)
    sent = time.perf_counter()
    client.shell_channel.send(message)
    return sent


def latencies(clicks: int) -> list[float]:
    """Milliseconds from each click to its handler."""
    manager, client = with_free_ports(lambda: start_new_kernel(kernel_name="python3", cwd=str(ROOT), stderr=DEVNULL))
    try:
        client.execute("from benchmarks import clicks", reply=True, timeout=LIMIT)
        comm = asked(client, "clicks.button()")
        client.execute(f"await clicks.watch({clicks})")
        time.sleep(1)
        sent = []
        for _ in range(clicks):
            sent.append(click(client, comm))
            time.sleep(PAUSE)
        answered = asked(client, "clicks.taken")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    return [1000 * (then - at) for at, then in zip(sent, answered, strict=True)]


def main() -> None:
    """Print the table."""
    print(f"{machine()}, {CLICKS} clicks\n")
    took = latencies(CLICKS)
    print(f"A click is answered after {median(took):.2f} ms (median), {min(took):.2f} to {max(took):.2f}.\n")
    print(aims_table([Aim("a click answered while two workers run, at most", max(took), 10.0, "ms")]))


if __name__ == "__main__":
    main()
