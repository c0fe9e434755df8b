"""The rendered book in a real browser: every page, every image, search, dark mode, a telephone, accessibility."""

import base64
import functools
import http.server
import re
import threading
from dataclasses import dataclass

import chapter_claims
import nbformat
import numpy as np
import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe

from helpers import segmentation
from helpers.book import building
from helpers.book.try_it import page as page_module
from helpers.book.try_it.classifier import SIZE, train_classifier
from helpers.project import Project
from helpers.runs import notebooks, provenance, records

pytestmark = pytest.mark.slow


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words):
        pass


@pytest.fixture(scope="module")
def site(book):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(book)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    yield opened
    context.close()


@pytest.fixture(scope="module")
def addresses(browser, site):
    """Every page in the sidebar, and every room of the API reference."""
    opened = browser.new_page()
    links = {f"{site}/book/intro.html"}
    for page, selector in (("intro", "nav.bd-links a.reference.internal"), ("api/index", "article table a")):
        opened.goto(f"{site}/book/{page}.html")
        links |= set(opened.eval_on_selector_all(selector, "all => all.map(a => a.href.split('#')[0])"))
    opened.close()
    assert len(links) >= 45
    return sorted(links)


# What is folded is opened before blocks are measured: a block of no width never scrolls.
UNFOLD = """() => {
    document.querySelectorAll("article details").forEach(block => block.open = true);
    document.querySelectorAll("article .toggle-hidden").forEach(block => block.classList.remove("toggle-hidden"));
}"""
IMAGES = "all => all.map(i => ({alt: i.alt, wide: i.naturalWidth, src: i.getAttribute('src')}))"
BLOCKS = """all => all.filter(block => block.clientWidth && getComputedStyle(block).display !== "inline")
    .map(block => ({over: block.scrollWidth - block.clientWidth, text: block.innerText.slice(0, 200)}))"""


@dataclass
class Visit:
    """What a browser finds on a page: titles, tags for links, images, and blocks of code and printed text."""

    titles: list[str]
    tags: dict[str, str]
    images: list[dict]
    blocks: list[dict]


@pytest.fixture(scope="module")
def visits(browser, addresses):
    """Every page, loaded once: what is on it, by address; and a list of the errors of all pages."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    troubles, found = [], {}
    page.on("console", lambda m: m.type == "error" and troubles.append(f"{page.url}: {m.text}"))
    page.on("pageerror", lambda error: troubles.append(f"{page.url}: {error}"))
    # The icon comes after the page is loaded: a request for it is aborted where the next page is opened before.
    aborted = "net::ERR_ABORTED"
    page.on(
        "requestfailed",
        lambda request: request.failure != aborted and troubles.append(f"{page.url}: did not load {request.url}"),
    )
    for address in addresses:
        if not page.goto(address, wait_until="load").ok:
            troubles.append(f"{address}: not found")
            continue
        tags = page.eval_on_selector_all(
            "meta[property^='og:']", "all => all.map(t => [t.attributes[0].value, t.content])"
        )
        images = page.eval_on_selector_all("article img", IMAGES)
        titles = page.locator("article h1").all_inner_texts()
        page.evaluate(UNFOLD)
        blocks = page.eval_on_selector_all("article pre, article dl.py > dt", BLOCKS)
        found[address] = Visit(titles, dict(tags), images, blocks)
    page.close()
    return found, troubles


def test_every_page_loads_without_an_error_and_every_image_has_alt_text(visits):
    found, troubles = visits
    wrong = [address for address, visit in found.items() if not visit.titles]
    images = [(address, image) for address, visit in found.items() for image in visit.images]
    wrong += [(address, image) for address, image in images if not image["wide"]]
    wrong += [(address, image) for address, image in images if len(image["alt"]) < 20 or image["alt"].endswith(".png")]
    assert (troubles, wrong) == ([], [])
    assert len(images) >= 15


def test_the_notebooks_say_what_they_were_committed_with(book):
    """``make notebooks`` would change nothing."""
    project = Project.current()
    executed = sorted((project.build / "quick" / "notebooks").glob("*.ipynb"))
    assert [path.name for path in executed] == [path.name for path in sorted(project.notebooks.glob("*.ipynb"))]
    for path in executed:
        committed = (project.notebooks / path.name).read_text(encoding="utf-8")
        assert committed == notebooks.committed_text(path), path.name


@pytest.fixture(scope="module")
def text_of(book):
    """A function that returns all that a chapter of the book's run prints or displays as text."""
    executed = Project.current().build / "quick" / "notebooks"
    return lambda chapter: chapter_claims.displayed_text(executed / f"{chapter}.ipynb")


def test_sentences_of_the_run_fit_the_numbers_beside_them(text_of):
    learning, many_classes, trust = map(text_of, ("03-how-a-network-learns", "06-many-classes", "09-trust"))
    assert chapter_claims.wrong_learning_sentences(learning) == []
    assert "All cells here are synthetic" in learning
    assert "every one is the same, 4 columns further right" in learning
    assert "It is smallest with sigmoid" in learning
    assert "the first 8 epochs are the same to the last digit" in learning
    chapter_claims.check_averages_and_copies(many_classes, recognised=True)
    assert "All cells here are synthetic." in many_classes
    chapter_claims.check_mistakes_and_shift(trust)
    assert "for another stain (240 cells of the source, 168 of the target" in trust


def test_sentences_of_the_run_on_rules_splits_and_published_numbers_fit_them(text_of):
    text = text_of("02-preprocess")
    assert chapter_claims.preprocessing_contradictions(text) == []
    assert "The difference by group against shuffled: lower by" in text
    assert "(cnmc): the same direction." in text
    by_image, by_patient = (chapter_claims.published_auc(split) for split in ("by image", "by patient"))
    assert f"AUC **{by_image}** split by image, **{by_patient}** split by patient" in text


def test_sentences_of_the_run_on_segmentation_fit_its_tables(text_of):
    saved = Project.current().build / "quick" / "work" / "04-segment" / "outputs"

    def read_table(name):
        return pd.read_csv(saved / f"segment-{name}.csv")

    text = text_of("04-segment")
    chapter_claims.check_gain_and_ablation(text, read_table)
    chapter_claims.check_shift_and_augmentation(text, read_table)


def test_the_book_of_a_run_without_some_chapters_shows_them_as_committed_and_says_so(empty_build):
    """What is rendered; the whole book proves that such pages render, and that a note is one."""
    project, stage = Project.current(), empty_build / "one" / "book"
    executed = notebooks.read(project.notebooks / "00-start-here.ipynb")
    executed.cells[1].source = "From the run"
    executed_path = empty_build / "one" / "notebooks" / "00-start-here.ipynb"
    executed_path.parent.mkdir(parents=True)
    nbformat.write(executed, executed_path)
    chapter = records.Record("00-start-here", "done", 1.0, {"seed": 21}, "key", provenance.current())
    building._stage("one", [chapter], stage)
    left_out = [path.stem for path in sorted(project.notebooks.glob("*.ipynb")) if path.stem != "00-start-here"]
    for path in sorted((stage / "notebooks").glob("*.ipynb")):
        cells = notebooks.read(path).cells
        texts = [cell.source for cell in cells]
        if path.stem in left_out:
            assert texts[1].startswith(":::{note}\nThis chapter is not part of the run `one`."), path.stem
        else:
            assert "From the run" in texts
            assert not any("not part of the run" in text for text in texts)
    assert len(list((stage / "notebooks").glob("*.ipynb"))) == len(left_out) + 1


def test_search_finds_the_nucleus(page, site):
    page.goto(f"{site}/search.html?q=nucleus")
    page.wait_for_selector("#search-results li a", timeout=15000)
    titles = page.locator("#search-results li a").all_inner_texts()
    assert any("Explore" in title or "Glossary" in title for title in titles)


def test_dark_mode_toggles(page, site):
    page.goto(f"{site}/book/intro.html")
    shade = "getComputedStyle(document.body).backgroundColor"
    seen = {page.evaluate(shade)}
    for _ in range(3):
        page.locator("button.theme-switch-button:visible").first.click()
        seen.add(page.evaluate(shade))
    assert len(seen) == 2


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", ["notebooks/02-preprocess", "notebooks/05-classify", "book/result-tables"])
def test_wide_tables_scroll_inside_their_own_box_and_their_cells_have_room(page, site, name, width):
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{site}/{name}.html", wait_until="load")
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "the page scrolls sideways"
    boxes = page.eval_on_selector_all(
        ".result-table, .pst-scrollable-table-container",
        """all => all.map(box => ({
            wide: box.scrollWidth > box.clientWidth, overflow: getComputedStyle(box).overflowX, focus: box.tabIndex,
            inside: box.getBoundingClientRect().right <= innerWidth,
            room: Math.min(...[...box.querySelectorAll("td, th")]
                .map(cell => parseFloat(getComputedStyle(cell).paddingLeft))),
        }))""",
    )
    assert len(boxes) >= 3
    assert all(box["inside"] and box["overflow"] == "auto" and box["room"] >= 8 for box in boxes), boxes
    assert all(box["focus"] == 0 for box in boxes if box["wide"]), "a keyboard cannot scroll them"
    if name.startswith("notebooks/"):
        sides = page.eval_on_selector_all(
            ".result-table tbody tr > :last-child",
            r"all => all.filter(c => /^-?\d[\d,.]*$/.test(c.innerText)).map(c => getComputedStyle(c).textAlign)",
        )
        assert set(sides) == {"right"}  # numbers; a sentence in the last column begins at the left


def test_no_code_and_no_printed_text_scrolls_sideways(visits):
    found, _ = visits
    blocks = [(address, block) for address, visit in found.items() for block in visit.blocks]
    assert len(blocks) >= 300
    assert [(address, block) for address, block in blocks if block["over"] > 0] == []


def test_every_chapter_links_to_the_entries_of_the_functions_that_it_uses(page, site):
    targets = {}
    for path in sorted(Project.current().notebooks.glob("*.ipynb")):
        page.goto(f"{site}/notebooks/{path.stem}.html")
        links = page.eval_on_selector_all("article a[href*='/book/api/']", "all => all.map(a => a.href)")
        assert links, path.stem
        for address, _, name in (link.partition("#") for link in links):
            targets.setdefault(address, set()).add(name)
    for address, names in targets.items():
        page.goto(address)
        shown = page.eval_on_selector_all("article dt.sig", "all => all.map(entry => entry.id)")
        assert names <= set(shown), address


def test_no_page_is_wider_than_a_telephone(page, addresses):
    page.set_viewport_size({"width": 390, "height": 844})
    widths = {}
    for address in addresses:
        page.goto(address, wait_until="load")
        widths[address] = page.evaluate("document.documentElement.scrollWidth")
        assert page.locator("article h1").first.bounding_box()["width"] <= 390, address
    assert {address: width for address, width in widths.items() if width > 390} == {}


@pytest.mark.parametrize("width", [1280, 390])
def test_there_is_one_search_box_and_no_empty_bar(page, site, width):
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{site}/book/intro.html")
    searches = page.locator("button[aria-label='Search']")
    assert sum(searches.nth(number).is_visible() for number in range(searches.count())) == 1
    header = page.locator("header.bd-header")
    assert header.bounding_box()["height"] <= 1


def test_the_sidebar_numbers_the_chapters_and_shows_the_logo(page, site):
    page.goto(f"{site}/book/intro.html")
    links = page.locator("nav.bd-links a[href*='notebooks/']").all_inner_texts()
    assert [link.strip()[:3] for link in links] == [
        f"{path.stem[:2]} " for path in sorted(Project.current().notebooks.glob("*.ipynb"))
    ]
    for scheme in ("light", "dark"):
        page.evaluate(f"document.documentElement.dataset.theme = '{scheme}'")
        logos = page.locator("img.logo__image")
        (shown,) = (logos.nth(n) for n in range(logos.count()) if logos.nth(n).is_visible())
        assert f"logo-{scheme}.svg" in shown.get_attribute("src")
        assert shown.evaluate("image => image.naturalWidth") > 0


def test_a_link_to_a_page_has_title_sentence_and_picture(visits, page, site):
    (found, _), pictures = visits, set()
    for address, visit in found.items():
        tags, path = visit.tags, address.removeprefix(site)
        assert tags["og:title"] in visit.titles[0]
        assert 20 < len(tags["og:description"]) <= 200, address
        assert len(tags["og:image:alt"]) > 20
        assert tags["og:url"].endswith(path)
        pictures.add(tags["og:image"].removeprefix(tags["og:url"].removesuffix(path)))
    assert [path for path in sorted(pictures) if not page.request.get(f"{site}{path}").ok] == []


def test_an_exercise_solution_unfolds_at_a_click_on_its_title_and_a_quiz_answers(page, site):
    page.goto(f"{site}/notebooks/00-start-here.html")
    solution = page.locator("div.solution").first
    hidden = solution.locator("p", has_text="The table has one row per image")
    title = solution.locator(".admonition-title")
    box = title.bounding_box()
    for share in (0.05, 0.3, 0.6, 0.97):
        assert not hidden.is_visible()
        title.click(position={"x": share * box["width"], "y": box["height"] / 2})
        assert hidden.is_visible()
        title.click(position={"x": 5, "y": box["height"] / 2})
    assert page.url.endswith("00-start-here.html")
    question = page.locator(".leukobook-quiz form").first
    assert not question.get_by_role("status").get_by_text("right").is_visible()
    question.get_by_role("radio").first.check()
    question.get_by_role("button").click()
    assert re.match(r"That is (not )?right", question.get_by_role("status").inner_text())


@pytest.mark.parametrize(
    "name",
    [
        "book/intro",
        "book/results",
        "book/datasets",
        "book/glossary",
        "book/try-it",
        "notebooks/00-start-here",
        "notebooks/02-preprocess",
    ],
)
def test_accessibility_check_finds_no_serious_violation(page, site, name):
    page.goto(f"{site}/{name}.html", wait_until="load")
    found = Axe().run(page).response["violations"]
    serious = [
        f"{v['id']}: {v['help']}: " + "; ".join(node["html"][:160] for node in v["nodes"][:3])
        for v in found
        if v["impact"] in ("serious", "critical")
    ]
    assert serious == []


def test_the_checklist_prints_on_one_page(page, site):
    page.goto(f"{site}/book/checklist.html", wait_until="load")
    for paper in ("A4", "Letter"):
        printed = page.pdf(format=paper)
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1, paper


# --- the page that computes

RUN = """([name, pictures]) => {
    const run = network(leukobookTryIt[name]);
    return pictures.map(rgb => run(bytes(rgb)).map(map => [...map.values]));
}"""


@pytest.fixture
def try_it(book, browser):
    """The page, opened from its file; it makes no error and asks no network."""
    page, troubles = browser.new_page(viewport={"width": 390, "height": 844}), []
    page.on("console", lambda message: message.type == "error" and troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("request", lambda request: not re.match("file:|data:|blob:", request.url) and troubles.append(request.url))
    page.goto((book / "book" / "try-it.html").as_uri())
    yield page
    assert troubles == []
    page.close()


def test_its_networks_predict_what_keras_predicts_on_ten_cells(try_it, cells, function_scripts):
    folder = Project.current().build / "quick"
    segmenter = segmentation.load_model(folder / "work" / page_module.CHAPTER / "outputs" / "segment-unet.keras")
    classifier = train_classifier(segmenter.model, folder / "try-it" / "training")
    try_it.add_script_tag(content=function_scripts)
    networks = {"segmenter": (segmenter.model, segmenter.note.size), "classifier": (classifier.model, SIZE)}
    for name, (model, size) in networks.items():
        pictures = cells.load_images(size)
        by_keras = model.predict_on_batch(pictures.astype(np.float32))
        by_keras = by_keras[0] if name == "classifier" else by_keras  # the first output has the probabilities
        texts = [base64.b64encode(picture.tobytes()).decode() for picture in pictures]
        by_browser = np.array([maps[0] for maps in try_it.evaluate(RUN, [name, texts])])
        assert np.abs(by_browser - by_keras.reshape(by_browser.shape)).max() < 1e-3, name


def test_an_example_is_outlined_and_named_on_a_telephone(try_it):
    try_it.get_by_role("button", name="Cell 1").click()
    status = try_it.locator("[data-part=readout]")
    try_it.wait_for_function("document.querySelector('[data-part=readout]').textContent.includes('N:C ratio')")
    assert re.match(r"Cell 1\. Cell [\d,]+ pixels, nucleus [\d,]+: N:C ratio 0\.\d\d\. .*", status.inner_text())
    assert try_it.evaluate("document.documentElement.scrollWidth") <= 390
    assert try_it.get_by_text("Not for diagnosis.").first.is_visible()


def test_no_other_page_loads_the_networks(book):
    loads = re.compile(r"<script[^>]+_static/try-it\.js")
    with_networks = [path.name for path in book.rglob("*.html") if loads.search(path.read_text("utf-8"))]
    assert with_networks == ["try-it.html"]
    assert (book / "_static" / "try-it.js").stat().st_size < 7_000_000
    assert (book / "book" / "try-it.html").stat().st_size < 150_000
