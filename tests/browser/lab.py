"""Drive a lesson in JupyterLab as a learner would, and read what the learner would see.

    lab = Lab(page, server)
    lab.open("02_a_thread_keeps_it_alive.ipynb")
    lab.run_all()
    assert lab.errors() == []

Cells are numbered from 0 and only code cells count. What is asked of JupyterLab itself goes through
`window.jupyterapp`, which the server is told to expose; the page's half of the work stands in `lab.js`.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import ConsoleMessage, Locator, Page

from tests.browser.lab_server import JupyterServer

WAIT: Final = 60.0
SOON: Final = 30.0  # seconds; on a machine with nothing else to do it is a fraction of one
# Errors of JupyterLab's own that say nothing of a lesson.
HARMLESS: Final = ("favicon", "Failed to load resource")

PAGE_HALF: Final = Path(__file__).with_name("lab.js").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Cell:
    """A code cell as the page shows it; `errors` holds "ValueError: why" for each traceback."""

    source: str
    tags: list[str]
    text: str
    errors: list[str]
    count: int | None


class Lab:
    """A browser's page with one lesson open.

    Args:
        page: an empty page.
        server: where the lessons are.
    """

    def __init__(self, page: Page, server: JupyterServer) -> None:
        self.page = page
        self._server = server
        self.complaints: list[str] = []
        page.set_default_timeout(WAIT * 1000)
        page.on("console", self._take_console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    @property
    def panel(self) -> Locator:
        """The lesson in front."""
        return self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")

    def open(self, notebook: str) -> None:
        """Open `notebook` with a kernel of its own, the side bars closed, and wait until it can be run."""
        self._server.end_kernels()
        self.page.goto(self._server.url(notebook))
        self.page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.isReady")
        self.page.evaluate(PAGE_HALF)
        self.wait_until_idle()

    def run_all(self, limit: float = WAIT) -> None:
        """Run all cells and wait at most `limit` seconds until the kernel is idle again."""
        self.page.evaluate("() => { window.lesson.runAll(); }")
        self.wait_until_idle(limit)

    def run_cell(self, index: int, *, wait: bool = True) -> None:
        """Run one code cell; `wait=False` goes on while it still runs."""
        self.page.evaluate("index => { window.lesson.runCell(index); }", index)
        if wait:
            self.wait_until_idle()

    def change(self, index: int, old: str, new: str) -> None:
        """Write `new` in the place of the first `old` in a code cell."""
        self.page.evaluate("([index, old, other]) => window.lesson.change(index, old, other)", [index, old, new])

    def wait_until_idle(self, limit: float = WAIT) -> None:
        """Wait at most `limit` seconds until nothing runs."""
        self.page.wait_for_function("() => window.lesson.idle()", timeout=limit * 1000, polling=50)
        self.wait_until_drawn()

    def wait_until_drawn(self) -> None:
        """Wait until the page shows what has changed last, with room for it."""
        self.page.evaluate("() => window.lesson.drawn()")

    def cells(self) -> list[Cell]:
        """All code cells, with what they show now."""
        return [Cell(**cell) for cell in self.page.evaluate("() => window.lesson.cells()")]

    def errors(self) -> list[str]:
        """Errors that are shown where the lesson expects none: tracebacks, broken widgets, diagrams."""
        found = []
        for index, cell in enumerate(self.cells()):
            if "raises-exception" not in cell.tags:
                found += [f"cell {index}: {error}" for error in cell.errors]
            if "Error displaying widget" in cell.text:
                found.append(f"cell {index}: Error displaying widget")
        diagrams = self.panel.locator(".jp-RenderedMermaid.jp-mod-warning").count()
        return found + ["a diagram cannot be drawn"] * diagrams

    def button(self, name: str) -> Locator:
        """The buttons in the lesson's outputs that are called `name`."""
        return self.panel.locator(".jp-OutputArea").get_by_role("button", name=name, exact=True)

    def click(self, name: str) -> None:
        """Click the first button in the lesson's outputs that is called `name`."""
        self.button(name).first.click()

    def theme(self, *, dark: bool) -> None:
        """Show JupyterLab in its dark or its light theme."""
        name = "JupyterLab Dark" if dark else "JupyterLab Light"
        self.page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", name)
        self.page.wait_for_function("theme => document.body.dataset.jpThemeName === theme", arg=name)
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")  # it covers the page meanwhile

    def width(self, pixels: int) -> None:
        """Make the window `pixels` wide."""
        size = self.page.viewport_size or {"width": 0, "height": 900}
        self.page.set_viewport_size({"width": pixels, "height": size["height"]})

    def screenshot(self, file: Path) -> None:
        """Save what is in sight."""
        file.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=file)

    def whole_lesson(self, file: Path, piece: int = 1600) -> list[Path]:
        """Save all of the lesson, from top to bottom, as pictures of at most `piece` pixels in height."""
        size = self.page.viewport_size or {"width": 1280, "height": 900}
        frame = size["height"] - self._measure("shown")
        self.page.set_viewport_size({"width": size["width"], "height": piece + frame})
        self.wait_until_drawn()
        files = []
        for part in range(math.ceil(self._measure("height") / piece)):
            files.append(file.with_stem(f"{file.stem}-{part + 1}"))
            self.page.evaluate("top => window.lesson.scrollTo(top)", part * piece)
            self.page.screenshot(path=files[-1])
        self.page.set_viewport_size(size)
        return files

    def _measure(self, what: str) -> int:
        answer: Any = self.page.evaluate(f"() => window.lesson.{what}()")
        return int(answer)

    def _take_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(word in message.text for word in HARMLESS):
            self.complaints.append(message.text)
