"""Price the explorer: how soon after a new view its first tile is sent, and how long the interface freezes meanwhile.

    uv run python -m benchmarks.explorer

Inside a real kernel, as a notebook has it: this file starts one, and has it import this file. The same user, a new
view every 0.2 s, meets the explorer with processes and the one with threads, again and again in turn. A freeze is how
late a 5 ms sleep on the kernel's loop comes back: a click would be as late.
"""

import asyncio
import multiprocessing
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from statistics import median
from typing import Any, Final, NamedTuple

from IPython.display import display

from benchmarks.kernels import from_kernel
from benchmarks.report import Aim, aims_table, machine
from helpers.panels.explorer import Explorer
from helpers.panels.explorer_canvas import Canvas
from helpers.workers import fractal

ROUNDS: Final = 5
VIEWS: Final = 12
PAUSE: Final = 0.2
BEAT: Final = 0.005
PLACE: Final = fractal.View(-0.7436, 0.1318, 0.02, 300)
KINDS: Final[dict[str, Callable[..., Executor]]] = {"processes": ProcessPoolExecutor, "threads": ThreadPoolExecutor}

newest: Any = multiprocessing.RawValue("q", 0)


class Round(NamedTuple):
    """What one user met, in milliseconds."""

    first_tiles: list[float]
    freezes: list[float]
    whole: float


async def paint(canvas: Canvas, tile: fractal.Tile, future: Future[bytes | None], number: int) -> None:
    """As the lesson has it."""
    points = await asyncio.wrap_future(future)
    if number == newest.value and points is not None:
        canvas.paint(tile, points)


async def draw(pool: Executor, view: fractal.View, canvas: Canvas) -> None:
    """As the lesson has it."""
    number = newest.value + 1
    newest.value = number
    canvas.clear()
    tiles = fractal.tiles()
    futures = [pool.submit(fractal.draw_tile, None, view, tile, number) for tile in tiles]
    await asyncio.gather(*(paint(canvas, *pair, number) for pair in zip(tiles, futures, strict=True)))


async def stop(pool: Executor) -> None:
    """As the lesson has it."""
    newest.value += 1
    await asyncio.to_thread(pool.shutdown, cancel_futures=True)


async def beat(late: list[float]) -> None:
    """Note how late the loop comes back, again and again, until cancelled."""
    while True:
        began = time.perf_counter()
        await asyncio.sleep(BEAT)
        late.append(1000 * (time.perf_counter() - began - BEAT))


async def one_round(kind: Callable[..., Executor]) -> Round:
    """A user in a hurry, who lets the last view be drawn."""
    canvas = Canvas(fractal.WIDTH, fractal.HEIGHT)

    def start(workers: int) -> Executor:
        return kind(workers, initializer=fractal.follow, initargs=(newest,))

    explorer = Explorer(fractal.View(), start, draw, stop, canvas)
    display(explorer)
    await explorer.drawn()
    firsts: list[float] = []
    late: list[float] = []
    heart = asyncio.create_task(beat(late))
    for place in range(VIEWS):
        explorer.go(PLACE.moved(0.05 * place, 0))
        await asyncio.sleep(PAUSE)
        if canvas.first_after is not None:
            firsts.append(1000 * canvas.first_after)
    began = time.perf_counter()
    explorer.go(fractal.View())
    await explorer.drawn()
    whole = 1000 * (time.perf_counter() - began)
    heart.cancel()
    await explorer.stop()
    return Round(firsts, late, whole)


async def measured() -> dict[str, list[Round]]:
    """Both kinds of explorer in turn; called in the kernel."""
    rounds: dict[str, list[Round]] = {name: [] for name in KINDS}
    for _ in range(ROUNDS):
        for name, kind in KINDS.items():
            rounds[name].append(await one_round(kind))
    return rounds


def row(what: str, of: Callable[[Round], Sequence[float]], rounds: dict[str, list[Round]], aim: str = "") -> str:
    """A line of the table: median and worst of both, and the ratio of the medians and of the worst."""
    numbers = {name: [value for each in its for value in of(each)] for name, its in rounds.items()}
    middle = {name: median(its) for name, its in numbers.items()}
    worst = {name: max(its) for name, its in numbers.items()}
    cells = [f"{middle[name]:.1f} / {worst[name]:.1f}" for name in KINDS]
    ratios = f"{middle['threads'] / middle['processes']:.1f} / {worst['threads'] / worst['processes']:.1f}"
    return f"| {what} | {' | '.join(cells)} | {ratios} | {aim} |"


def main() -> None:
    """Measure, and print a Markdown table."""
    kinds = from_kernel("benchmarks.explorer", "measured()", 300)
    rounds = {name: [Round(*each) for each in its] for name, its in kinds.items()}
    print(f"{machine()}\n")
    print(f"{ROUNDS} rounds of {VIEWS} views; each cell: median / worst; threads ÷ processes, of both\n")
    print("| ms | processes | threads | ratio | aim, worst |")
    print("|---|---:|---:|---:|---|")
    print(row("view change to first tile sent", lambda each: each.first_tiles, rounds, "≤ 150"))
    print(row("a beat late, all beats", lambda each: each.freezes, rounds, "≤ 50"))
    print(row("longest freeze of a round", lambda each: [max(each.freezes)], rounds))
    print(row("the whole first view", lambda each: [each.whole], rounds))
    missed = sum(VIEWS - len(each.first_tiles) for each in rounds["processes"])
    print(f"\nviews left before their first tile: {missed} with processes, ", end="")
    print(f"{sum(VIEWS - len(each.first_tiles) for each in rounds['threads'])} with threads\n")
    first = max(value for each in rounds["processes"] for value in each.first_tiles)
    freeze = max(value for each in rounds["processes"] for value in each.freezes)
    figures = [Aim("explorer: view change to first tile sent, worst", first, 150.0, "ms")]
    print(aims_table([*figures, Aim("explorer: the interface frozen, worst", freeze, 50.0, "ms")]))


if __name__ == "__main__":
    main()
