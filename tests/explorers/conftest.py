"""A browser, and pages with explorers in it that make no error and no request."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from helpers import datasets

# What the dark theme of the book does to the colours; its rules are in the tests of the book.
DARK = "body { color: #ced6dd; background: #14181e; }"


@pytest.fixture(scope="session")
def cell():
    """Image and nucleus of a synthetic cell of 48 x 40 pixels."""
    dataset = datasets.load("synthetic", n_images=1, n_patients=1)
    image, mask = dataset.load_images(48)[0][4:44], dataset.load_masks(48)[0][4:44]
    assert (mask == 2).sum() > 50
    return image, mask == 2


@pytest.fixture
def show(browser):
    """A function that opens a page with explorers; the page must make no error and no request."""
    pages, troubles = [], []

    def open_page(*explorers, width=1280, dark=False, motion="no-preference"):
        page = browser.new_page(viewport={"width": width, "height": 900}, reduced_motion=motion)
        pages.append(page)
        page.on("console", lambda message: message.type == "error" and troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: troubles.append(request.url))
        style = f"<style>body {{ font-family: sans-serif; }} {DARK if dark else ''}</style>"
        shown = "".join(f'<div class="output text_html">{explorer.html}</div>' for explorer in explorers)
        head = '<meta name="viewport" content="width=device-width"><title>Explorers</title>'
        page.set_content(f'<html lang="en"><head>{head}{style}</head><body><main><h1>Test</h1>{shown}</main></body>')
        return page

    yield open_page
    for page in pages:
        page.close()
    assert troubles == []


@pytest.fixture
def accessible(show):
    """A function that checks two explorers of one kind on a page: axe, width, and no id that could clash."""

    def check(explorer, width, dark):
        page = show(explorer, explorer, width=width, dark=dark)
        assert page.locator(".lbx-body:visible").count() == 2
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("main [id]").count() == 0
        violations = Axe().run(page).response["violations"]
        assert [f"{v['id']}: {v['help']}: {v['nodes'][0]['html'][:160]}" for v in violations] == []
        assert page.locator(".lbx-readout[role=status]").count() == 2

    return check
