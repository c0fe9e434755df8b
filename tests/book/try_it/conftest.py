"""Small networks for the page *Try it*, and the page in a browser, which makes no error and loads two files only."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from helpers.backend import keras, layers
from helpers.book.try_it import drawing
from helpers.book.try_it import page as page_module
from helpers.book.try_it.exporting import export_network


@pytest.fixture(scope="session")
def colour_unet(cells):
    """A network that tells background, cytoplasm and nucleus by the colour of a pixel, for images of 48 pixels."""
    colours, labels = cells.load_images(48).reshape(-1, 3) / 127.5 - 1, cells.load_masks(48).ravel()
    fitted = LogisticRegression(max_iter=1000).fit(colours, labels)
    inputs = keras.Input((None, None, 3))
    last = layers.Conv2D(3, 1, activation="softmax")
    model = keras.Model(inputs, last(layers.Rescaling(1 / 127.5, -1)(inputs)))
    last.set_weights([fitted.coef_.T.reshape(1, 1, 3, 3), fitted.intercept_])
    return model


@pytest.fixture(scope="session")
def models(colour_unet):
    """Data of the page: networks of colours, two examples, and a grid of two synthetic cells."""
    inputs = keras.Input((None, None, 3))
    mean = layers.GlobalAveragePooling2D()(layers.Rescaling(1 / 255)(inputs))
    classify, place = layers.Dense(2, activation="softmax"), layers.Dense(3, use_bias=False)
    classifier = keras.Model(inputs, [classify(mean), place(mean)])
    classify.set_weights([np.array([[0, 0], [9.0, -9], [0, 0]]), np.array([-7.0, 7])])
    place.set_weights([np.eye(3)])
    examples = drawing.example_cells()
    picture = drawing.drawn_jpeg(12, 0.5, 1, "none", "Wright-Giemsa")
    return {
        "segmenter": export_network(colour_unet, 48)
        | {"minNucleusShare": 0.006, "minContrast": 0.15, "cellShare": [0.05, 0.35]},
        "classifier": export_network(classifier, 64)
        | {
            "classes": ["pale", "dark"],
            "coverage": 0.9,
            "thresholds": [0.8, 0.8],
            "means": [[0.8, 0.7, 0.8], [0.6, 0.4, 0.6]],
            "limit": 0.4,
        },
        "examples": examples,
        "drawn": {
            "axes": {"diameter": [9, 12], "ratio": [0.5], "lobes": [1], "granules": ["none"], "stain": ["Giemsa"]},
            "pictures": [picture, picture],
        },
    }


@pytest.fixture
def scripts(browser, function_scripts):
    """A page with these functions."""
    page = browser.new_page()
    page.add_script_tag(content=function_scripts)
    yield page
    page.close()


@pytest.fixture
def open_page(browser, tmp_path, models):
    """A function that opens the page from a folder; it must make no error and load nothing but its script."""
    folder = tmp_path / "book"
    (tmp_path / "_static").mkdir()
    folder.mkdir()
    (tmp_path / page_module.SCRIPT).write_text(page_module.models_script(models), encoding="utf-8")
    pages, troubles = [], []

    def open_it(width=1280, theme="light"):
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=theme)
        pages.append(page)
        page.on("console", lambda message: message.type == "error" and troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        colours = "color: #ced6dd; background: #14181e" if theme == "dark" else ""
        viewport = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        head = f"<head>{viewport}<title>Try it</title><style>body {{ {colours} }}</style></head>"
        body = f"<body><main><h1>Try it</h1>{page_module.explorer_html(models)}</main></body>"
        html = f'<!DOCTYPE html><html lang="en" data-theme="{theme}">{head}{body}</html>'
        (folder / "try-it.html").write_text(html, encoding="utf-8")
        requests = []
        page.on("request", lambda request: requests.append(request.url.partition(":")[0]))
        page.goto((folder / "try-it.html").as_uri())
        page.requests = requests
        return page

    yield open_it
    for page in pages:
        assert set(page.requests) <= {"file", "data", "blob"}
        assert page.requests.count("file") == 2
        page.close()
    assert troubles == []
