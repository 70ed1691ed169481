"""The lab: the learner is the scheduler, and lets one thread of a program take one step at a time.

    Lab(program)                    # steps, back, all schedules tried, the bad one replayed
    Lab(program, fix=corrected)     # and the corrected program beside it, proved

    Walk ── asks processes ──► situations ──► Columns (listings, Step buttons), lab_board (all else)

A click starts a task on the kernel's event loop, so the lab works as long as no cell blocks the loop, and never
blocks it. The program itself runs in processes that are gone with their answers: an open lab that nobody clicks holds
nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from ipywidgets import HTML, Button, HBox, Layout, ToggleButtons, VBox

from helpers.observe.lab.program import Program
from helpers.panels.lab_board import BOARD_STYLE, board, picture, status
from helpers.panels.lab_columns import Columns, update
from helpers.panels.lab_walk import Walk
from helpers.panels.listing import LISTING_STYLE
from helpers.panels.markup import SHORT, plain

PACE: Final = 0.7  # seconds a step of a replay
EXPLORE_LIMIT: Final = 10.0  # seconds
VERSIONS: Final = ("the program", "the fix")
TRYING: Final = "Trying all schedules … Reset stops it."

Job = Callable[[], Awaitable[None]]


class Lab(VBox):
    """A panel in which the learner decides which thread of `program` goes on.

    Args:
        program: what is on the stage.
        fix: a corrected version, which can be put there instead, and proved.

    Raises:
        TypeError: one of them is no `Program`.
        RuntimeError: no event loop is running, as in a script.
    """

    def __init__(self, program: Program, *, fix: Program | None = None) -> None:
        versions = [program] if fix is None else [program, fix]
        for version in versions:
            if not isinstance(version, Program):
                raise TypeError(f"Lab shows a Program, got {version!r}: give it Program(make, [f1, f2])")
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            raise RuntimeError("Lab needs a running event loop: use it in a notebook") from None
        self._turn = asyncio.Lock()  # one job at a time; clicks meanwhile wait in their order
        self._tasks: set[asyncio.Task[None]] = set()
        self._long: asyncio.Task[None] | None = None
        self._doing = self._trouble = ""
        self._walks = [Walk(version) for version in versions]
        self._columns = [Columns(version, self._hand_over(self._step)) for version in versions]
        self._walk = self._walks[0]
        super().__init__(self._parts())
        self.add_class("pc-lab")
        self._refresh()
        self._do(self._walk.begin)

    def __repr__(self) -> str:
        """The same in every run."""
        names = (plain(name, SHORT) for name in self._walks[0].program.names)
        return f"<Lab: {', '.join(names)}>"

    def _parts(self) -> list[VBox | HBox | HTML]:
        """All that is seen, from top to bottom: what a click changes stands below what is clicked."""
        self._versions = ToggleButtons(options=VERSIONS[: len(self._walks)], tooltips=["As it is", "Corrected"])
        self._versions.observe(self._hand_over(lambda change: self._switch(change.new)), "index")
        self._stage = VBox([self._columns[0]])
        self._back = self._button("Back", "Take the last step back", lambda: self._do(self._take_back))
        self._replay = self._button("Replay", "Walk through the bad schedule that was found", self._start_replay)
        tools = [
            self._back,
            self._button("Reset", "Take all steps back, and stop whatever goes on", self._reset),
            self._button(
                "Find a bad schedule", "Try all orders in which the threads can take steps", self._start_search
            ),
            self._replay,
        ]
        fixed = len(self._walks) > 1
        if fixed:
            tools.append(self._button("Prove the fix", "Try all schedules of the corrected program", self._prove))
        self._status, self._board = HTML(), HTML(layout=Layout(flex="1 1 260px", min_width="0"))
        self._picture = HTML(layout=Layout(flex="2 1 380px", min_width="0"))
        return [
            HTML(LISTING_STYLE + BOARD_STYLE, layout=Layout(display="none")),
            *([self._versions] if fixed else []),
            self._stage,
            HBox(tools, layout=Layout(flex_flow="row wrap")),
            self._status,
            HBox([self._board, self._picture], layout=Layout(flex_flow="row wrap", grid_gap="4px 16px")),
        ]

    def _refresh(self) -> None:
        walk = self._walk
        update(self._back, "disabled", len(walk.path) < 2)
        update(self._replay, "disabled", not walk.bad)
        update(self._status, "value", status(walk.path, walk.exploration, self._doing, self._trouble))
        if walk.path:
            now, before = walk.path[-1], walk.path[-2] if len(walk.path) > 1 else None
            self._columns[self._walks.index(walk)].show(now)
            update(self._board, "value", board(now, before))
            update(self._picture, "value", picture(now))

    def _do(self, job: Job) -> asyncio.Task[None]:
        """Do `job` when those before it are done; a long one is ended for it."""
        if self._long is not None:
            self._long.cancel()
        task = self._loop.create_task(self._run(job))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _run(self, job: Job) -> None:
        async with self._turn:
            self._trouble = ""
            try:
                await job()
            except Exception as error:  # noqa: BLE001 (nobody but the learner could be told)
                self._trouble = str(error) or type(error).__name__
            finally:
                self._doing = ""
                self._refresh()

    def _step(self, thread: int) -> None:
        walk = self._walk
        self._do(lambda: walk.step(thread))

    async def _take_back(self) -> None:
        self._walk.back()

    def _reset(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._do(self._start_over)

    async def _start_over(self) -> None:
        await self._walk.begin()
        self._walk.reset()

    def _switch(self, version: int) -> None:
        """Put a version on the stage, as it was left; if it is not there already."""
        if self._walk is self._walks[version]:
            return
        for task in self._tasks:
            task.cancel()
        self._walk = self._walks[version]
        self._stage.children = [self._columns[version]]
        self._refresh()
        self._do(self._walk.begin)

    def _start_search(self) -> None:
        self._long = self._do(self._search)

    def _start_replay(self) -> None:
        self._long = self._do(self._play)

    def _prove(self) -> None:
        self._versions.index = 1
        self._switch(1)
        self._start_search()

    async def _search(self) -> None:
        self._say(TRYING)
        await self._walk.explore(EXPLORE_LIMIT)

    async def _play(self) -> None:
        walk, whole = self._walk, len(self._walk.bad)
        walk.reset()
        self._say(f"Replay: {whole} steps to go. Reset stops it.")
        for situation in await walk.ahead(walk.bad):
            await asyncio.sleep(PACE)
            walk.path.append(situation)
            self._say(f"Replay: step {len(situation.steps)} of {whole}. Reset stops it.")

    def _say(self, doing: str) -> None:
        self._doing = doing
        self._refresh()

    def _button(self, words: str, about: str, do: Callable[[], object]) -> Button:
        button = Button(description=words, tooltip=about, layout=Layout(width="auto"))
        button.on_click(self._hand_over(lambda _: do()))
        return button

    def _hand_over(self, handle: Callable[[Any], object]) -> Callable[[Any], None]:
        """`handle`, called by the event loop; a click may come in another thread, in a subshell of the kernel."""

        def hand_over(what: Any) -> None:  # noqa: ANN401 - a button, or a change
            self._loop.call_soon_threadsafe(handle, what)

        return hand_over
