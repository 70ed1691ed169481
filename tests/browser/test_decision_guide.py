"""The guide of lesson 15 is printed by its button, alone, and on one sheet."""

from playwright.sync_api import BrowserContext, expect

from helpers.panels.decision_guide import Charge, DecisionGuide
from helpers.panels.engines import ENGINES

GUIDE = DecisionGuide(dict.fromkeys(ENGINES, Charge(start=12_345.0, task=12_345.0)))


def test_its_button_prints_the_page_alone(browser: BrowserContext) -> None:
    page = browser.new_page()
    page.set_content(f"<p>A notebook</p>{GUIDE._repr_html_()}")
    frame = page.frames[1]
    frame.evaluate("window.print = () => { document.title = 'printed' }")
    page.frame_locator("iframe").get_by_role("button", name="Print this page").click()
    frame.wait_for_function("document.title === 'printed'", timeout=30_000)
    expect(page.frame_locator("iframe").get_by_role("heading", name="Which engine?")).to_be_visible()
    page.close()


def test_it_fits_on_one_sheet(browser: BrowserContext) -> None:
    page = browser.new_page()
    page.set_content(GUIDE.page)
    for paper in ("A4", "Letter"):
        sheets = page.pdf(format=paper)
        assert sheets.count(b"/Type /Page\n") + sheets.count(b"/Type/Page\n") == 1
    page.close()
