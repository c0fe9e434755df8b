"""The page of the rendered book, from its file: its networks predict as Keras does, and no other page has them."""

import base64
import re

import numpy as np
import pytest

from helpers import segmentation
from helpers.book.try_it import page as page_module
from helpers.book.try_it.classifier import SIZE, train_classifier
from helpers.project import Project

pytestmark = pytest.mark.slow

RUN = """([name, pictures]) => {
    const run = network(leukobookTryIt[name]);
    return pictures.map(rgb => run(bytes(rgb)).map(map => [...map.values]));
}"""


@pytest.fixture
def opened(book, browser):
    """The page, opened from its file; it makes no error and asks no network."""
    page, troubles = browser.new_page(viewport={"width": 390, "height": 844}), []
    page.on("console", lambda message: message.type == "error" and troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("request", lambda request: not re.match("file:|data:|blob:", request.url) and troubles.append(request.url))
    page.goto((book / "book" / "try-it.html").as_uri())
    yield page
    assert troubles == []
    page.close()


def test_its_networks_predict_what_keras_predicts_on_ten_cells(opened, cells, function_scripts):
    folder = Project.current().build / "quick"
    segmenter = segmentation.load_model(folder / "work" / page_module.CHAPTER / "outputs" / "segment-unet.keras")
    classifier = train_classifier(segmenter.model, folder / "try-it" / "training")
    opened.add_script_tag(content=function_scripts)
    networks = {"segmenter": (segmenter.model, segmenter.note.size), "classifier": (classifier.model, SIZE)}
    for name, (model, size) in networks.items():
        pictures = cells.load_images(size)
        by_keras = model.predict_on_batch(pictures.astype(np.float32))
        by_keras = by_keras[0] if name == "classifier" else by_keras  # the first output has the probabilities
        texts = [base64.b64encode(picture.tobytes()).decode() for picture in pictures]
        by_browser = np.array([maps[0] for maps in opened.evaluate(RUN, [name, texts])])
        assert np.abs(by_browser - by_keras.reshape(by_browser.shape)).max() < 1e-3, name


def test_an_example_is_outlined_and_named_on_a_telephone(opened):
    opened.get_by_role("button", name="Cell 1").click()
    status = opened.locator("[data-part=readout]")
    opened.wait_for_function("document.querySelector('[data-part=readout]').textContent.includes('N:C ratio')")
    assert re.match(r"Cell 1\. Cell [\d,]+ pixels, nucleus [\d,]+: N:C ratio 0\.\d\d\. .*", status.inner_text())
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390
    assert opened.get_by_text("Not for diagnosis.").first.is_visible()


def test_no_other_page_loads_the_networks(book):
    loads = re.compile(r"<script[^>]+_static/try-it\.js")
    with_networks = [path.name for path in book.rglob("*.html") if loads.search(path.read_text("utf-8"))]
    assert with_networks == ["try-it.html"]
    assert (book / "_static" / "try-it.js").stat().st_size < 7_000_000
    assert (book / "book" / "try-it.html").stat().st_size < 150_000
