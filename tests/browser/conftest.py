"""What the browser tests share: one JupyterLab and one Chromium for all of them, and a page with a `Lab` for each.

Without a browser the tests are skipped and say so; where CI or PAINLESS_BROWSER is set in the environment they fail.
"""

import os
import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.chromium import chromium, find_chromium
from tests.browser.lab import SOON, Lab
from tests.browser.lab_server import JupyterServer

pytest.register_assert_rewrite("tests.browser.lessons")
HERE: Final = Path(__file__).parent
NOTEBOOKS: Final = HERE.parents[1] / "notebooks"
ARTEFACTS: Final = HERE.parent / "artefacts"
NO_BROWSER: Final = "no Chromium or Chrome on the PATH: install one to see the lessons tested in a browser"
LIMIT: Final = 240
FAILED: Final = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is a browser test, and a lesson takes longer than most tests do."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(LIMIT))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember which tests failed, so that `lab` can save what the page showed."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


# One for all tests of this folder, gone when they are over: Playwright keeps an event loop running in the main
# thread, and with it no other test could call asyncio.run.
@pytest.fixture(scope="package")
def browser() -> Iterator[BrowserContext]:
    path = find_chromium()
    if path is None and (os.environ.get("CI") or os.environ.get("PAINLESS_BROWSER")):
        pytest.fail(NO_BROWSER)
    if path is None:
        pytest.skip(NO_BROWSER)
    expect.set_options(timeout=SOON * 1000)
    with chromium(path) as window:
        yield window.new_context()  # one for all pages, so that JupyterLab is loaded from the cache


@pytest.fixture(scope="package")
def server(browser: BrowserContext) -> Iterator[JupyterServer]:
    del browser  # without one there is no need for a server
    with JupyterServer(NOTEBOOKS) as running:
        yield running


@pytest.fixture
def lab(browser: BrowserContext, server: JupyterServer, request: pytest.FixtureRequest) -> Iterator[Lab]:
    page = browser.new_page()
    page.set_viewport_size({"width": 1280, "height": 900})
    driven = Lab(page, server)
    yield driven
    if request.node.stash.get(FAILED, False):
        driven.screenshot(ARTEFACTS / (re.sub(r"\W+", "-", request.node.name) + ".png"))
    page.close()
    server.end_kernels()
