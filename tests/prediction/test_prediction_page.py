"""The page on predictions: its numbers, its bounded pictures and tables, and the page in a browser."""

import re

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from factories import write
from red_cells import CARD, red_model, save_cells, save_model
from typer.testing import CliRunner

from helpers import datasets, prediction
from helpers.cli import app
from helpers.prediction.page import MAX_CELLS, certainty, prediction_page

HOSTILE = "<script>alert('x')</script>"


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """Forty images of probabilities 0.01 to 0.985 in four groups, one damaged image, and names that are markup."""
    root = tmp_path_factory.mktemp("page") / "my cells"
    names = {f"a <b>/{k:02}.png": k / 40 + 0.01 for k in range(40)}
    save_cells(root, names)
    write(root / "broken.png", "no image")
    rows = [f"{name},{f'P{k % 4}' if k % 4 else HOSTILE}" for k, name in enumerate(names)]
    write(root.parent / "groups.csv", "\n".join(["image,group", *rows, "broken.png,P1"]))
    return root


@pytest.fixture(scope="module")
def result(cells):
    paths, table = datasets.find_images(cells), cells.parent / "groups.csv"
    return prediction.predict(paths, red_model(), CARD, cells.parent / "p.csv", folder=cells, groups_table=table)


@pytest.fixture(scope="module")
def html(cells, result):
    return prediction_page(result, CARD, cells)


def words_of(html):
    html = re.sub(r"<(style|script)>.*?</\1>", "", html, flags=re.DOTALL)
    return " ".join(re.sub("<[^>]+>", " ", html).split())


def test_the_page_names_the_model_counts_and_loads_nothing(html):
    words = words_of(html)
    assert words.startswith("Predictions: my cells Predictions: my cells 40 images classified by encoder.")
    assert words.count("Not for diagnosis.") == 2
    assert "ill is predicted from a probability of 0.600" in words
    assert "Test AUC 0.812 [0.700, 0.900] (n=200, groups=20)" in words
    assert "ill 16 0.400 well 24 0.600" in words
    assert "input shift" in words  # the images are red
    assert "The threshold was chosen for single images" in words
    assert re.findall(r'(?:src|href)="(?!data:image/png;base64,|#)', html) == []
    assert "Content-Security-Policy" in html


def test_cells_are_the_nearest_to_the_threshold_and_the_farthest_from_it(html, result):
    least, most = html.split("<h2>Least certain</h2>")[1].split("<h2>Most certain</h2>")
    shown = [re.findall(r'alt="Cell a &lt;b&gt;/(\d\d)\.png', half) for half in (least, most)]
    assert [len(names) for names in shown] == [MAX_CELLS, MAX_CELLS]
    assert set(shown[0]) == {f"{k:02}" for k in range(18, 30)}  # 0.46 to 0.735, around 0.6
    assert shown[1][0] == "00"
    assert certainty(result.table, CARD).round(2).min() == 0.01


def test_no_cell_is_shown_twice_where_there_are_few(cells):
    for n in (1, 3):
        few = prediction.predict(
            datasets.find_images(cells)[:n], red_model(), CARD, cells.parent / "few.csv", folder=cells
        )
        html = prediction_page(few, CARD, cells)
        assert html.count('alt="Cell') == n
        assert "<h2>Groups</h2>" not in html


def test_without_a_threshold_certainty_is_the_margin_of_the_most_probable_class():
    table = pd.DataFrame({"p_ill": [0.5, 0.2], "p_pale": [0.3, 0.2], "p_well": [0.2, 0.6]})
    card = CARD.model_copy(update={"classes": ["ill", "pale", "well"]})
    assert certainty(table, card).round(6).tolist() == [0.2, 0.4]


def test_names_are_escaped_and_local_paths_left_out(html, cells):
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html
    assert "<b>" not in html
    assert str(cells.parent) not in html
    assert "broken.png: not an image" in words_of(html)


def test_long_tables_are_cut_and_the_page_says_so(result, cells, monkeypatch):
    monkeypatch.setattr("helpers.prediction.page.MAX_ROWS", 3)
    words = words_of(prediction_page(result, CARD, cells))
    assert "Predictions, 3 of 40 rows; the CSV file has all." in words
    assert "Groups, the highest mean probability of ill first, 3 of 4 rows; the CSV file has all." in words


def test_the_command_writes_the_page_beside_the_table(cells, tmp_path):
    words = ["predict", str(cells), "--model", str(save_model(tmp_path)), "--out", str(tmp_path / "p.csv"), "--html"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 1  # an image is damaged, and the others have their page
    assert f"{tmp_path / 'p.html'} shows them" in done.output
    assert "Predictions: my cells" in (tmp_path / "p.html").read_text(encoding="utf-8")
    (tmp_path / "p.html").unlink()
    (tmp_path / "p.html").mkdir()
    refused = CliRunner().invoke(app, words)
    assert "p.html: is a folder; give the name of a file" in refused.output


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_is_accessible_and_does_not_scroll_sideways(browser, html, width):
    page = browser.new_page(viewport={"width": width, "height": 844})
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.set_content(html, wait_until="load")
    page.evaluate("document.querySelectorAll('details').forEach(block => block.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    violations = Axe().run(page).response["violations"]
    assert [f"{v['id']}: {v['help']}: {v['nodes'][0]['html'][:160]}" for v in violations] == []
    assert [url for url in requests if not url.startswith("data:")] == []
    page.close()
