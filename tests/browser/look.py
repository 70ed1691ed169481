"""Look at a lesson as a learner sees it: run it all in JupyterLab and save pictures of it, from top to bottom.

uv run python -m tests.browser.look notebooks/02_a_thread_keeps_it_alive.ipynb --dark --width 800 --out look.png
"""

import argparse
import sys
from pathlib import Path

from tests.browser.chromium import chromium, find_chromium
from tests.browser.lab import Lab
from tests.browser.lab_server import JupyterServer


def main() -> int:
    """Save the pictures, name them, and say what went wrong in the lesson, if anything did."""
    parser = argparse.ArgumentParser(description="Run a lesson in JupyterLab and save pictures of it.")
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--dark", action="store_true", help="in the dark theme")
    parser.add_argument("--width", type=int, default=1280, help="of the window, in pixels (1280)")
    parser.add_argument(
        "--out", type=Path, default=Path("tests/artefacts/look.png"), help="(tests/artefacts/look.png)"
    )
    parser.add_argument("--as-stored", action="store_true", help="do not run it: show the stored outputs")
    chosen = parser.parse_args()
    browser = find_chromium()
    if browser is None:
        print("No Chromium or Chrome was found: install one, for example by apt-get install chromium")
        return 1
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    with (
        JupyterServer(chosen.notebook.parent) as server,
        chromium(browser) as window,
    ):
        lab = Lab(window.new_page(), server)
        lab.open(chosen.notebook.name)
        lab.width(chosen.width)
        lab.theme(dark=chosen.dark)
        if not chosen.as_stored:
            lab.run_all(limit=300)
        for file in lab.whole_lesson(chosen.out):
            print(file)
        wrong = lab.errors() + [f"console: {complaint}" for complaint in lab.complaints]
    print("\n".join(wrong) or "No error is shown.")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
