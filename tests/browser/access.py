"""Whether everybody can see, read and work a lesson: what axe-core finds in it, and what looks of our own find.

    access = Access(lab)
    assert access.findings() == []          # in the light and the dark theme, and at twice the size
    access.looked["axe"]                    # how many elements that were

Only what is ours is looked at: what cells put out, widgets among it, and what our markdown has become. The looks:

    axe         axe-core's rules of serious and critical impact
    contrasts   each piece of text against what it stands on, pictures too, where axe-core gives no answer: WCAG's AA
    reach       what can be clicked has a name, is reached by Tab, and is seen to have the focus
    pictures    each has a name, and is told in words beside it
    fits        at 200 %, nothing is cut off, lies on other words, or makes the page scroll sideways

The page's half of the work stands in `access.js`.
"""

from collections import Counter
from pathlib import Path
from typing import Final

from axe_playwright_python.base import AXE_SCRIPT

from tests.browser.excepted import EXCEPTED
from tests.browser.lab import Lab

PAGE_HALF: Final = Path(__file__).with_name("access.js").read_text(encoding="utf-8")
MAGNIFIED: Final = 640  # pixels: what a window of 1280 has left at 200 %


class Access:
    """Looks at the lesson that is open in `lab`.

    Attributes:
        looked: how many elements each look was at, the themes together.
        excepted: the numbers of the known exceptions that were met.
    """

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self.looked: Counter[str] = Counter()
        self.excepted: set[int] = set()
        for frame in lab.page.frames:
            frame.evaluate(AXE_SCRIPT)
        lab.page.evaluate(PAGE_HALF)

    def findings(self) -> list[str]:
        """All that is found, but known exceptions, as "rule: why: where"."""
        found = []
        for dark in (True, False):  # JupyterLab remembers the last
            self._lab.theme(dark=dark)
            found += [f"{'dark' if dark else 'light'}: {each}" for each in self.look("axe") + self.look("contrasts")]
        return found + self.look("pictures") + self.look("reach") + self.magnified()

    def look(self, name: str) -> list[str]:
        """What one of the looks finds in the page as it is now."""
        known = [{"rule": each.rule, "selector": each.selector} for each in EXCEPTED]
        answer = self._lab.page.evaluate("([look, known]) => window.access(look, known)", [name, known])
        self.looked[name] += answer["looked"]
        self.excepted |= {each["excepted"] for each in answer["found"]} - {-1}
        new = [each for each in answer["found"] if each["excepted"] == -1]
        return [f"{each['rule']}: {each['why']}: {each['html']}" for each in new]

    def magnified(self) -> list[str]:
        """What does not fit when the page is shown at 200 %."""
        size = self._lab.page.viewport_size or {"width": 1280}
        self._lab.width(MAGNIFIED)
        self._lab.wait_until_drawn()
        found = self.look("fits")
        self._lab.width(size["width"])
        return found
