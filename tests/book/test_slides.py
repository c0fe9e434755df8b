"""Slides of tagged cells: what is on them, that they need nothing else, and that a keyboard turns them."""

import base64
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers.book import slides
from helpers.runs import provenance, records

PNG = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
        "1f15c4890000000d4944415478da63f8ffff3f030008fc02fe3b9d4c7e0000000049454e44ae426082"
    )
).decode()
SLIDE = {"tags": ["slide"]}
TITLE = """# 42 Learn from cells

[Open in Colab](https://example.org) · {download}`Download <x.ipynb>`

:::{admonition} You will learn
:class: tip
- what a {term}`nucleus <Nucleus>` is, see [Start here](00-start-here.ipynb) and [Bain](https://doi.org/1).
:::"""


@pytest.fixture
def notebook():
    image = {"image/png": {"alt": "A <round> nucleus.", "caption": "Larger & rounder."}}
    shown = [
        new_output("display_data", {"image/png": PNG, "text/plain": "figure"}, metadata=image),
        new_output("display_data", {"text/plain": "Larger & rounder."}),  # the caption, for JupyterLab
        new_output("execute_result", {"text/markdown": "Dice is **0.9**, $d < 1$.", "text/plain": "Dice"}),
        new_output("stream", name="stdout", text="3 < 4\n"),
    ]
    return new_notebook(
        cells=[
            new_markdown_cell(TITLE, metadata=SLIDE),
            new_markdown_cell("## How large is `x`?\n\nNot tagged."),
            new_code_cell("plot()", outputs=shown, metadata=SLIDE, execution_count=1),
            new_code_cell("model.fit(x < 1)", metadata=SLIDE, execution_count=2),
            new_code_cell("print('not tagged')", execution_count=3),
            new_markdown_cell(
                "```{exercise-start} Predict: the area\n:label: a\n```\nTry\n\n```python\n# 1\n```\n", metadata=SLIDE
            ),
            new_markdown_cell(
                "## Take-aways\n\n- Count patients.\n\n## Further reading\n\n- A book.\n\n## Appendix: more\n\nA book.",
                metadata=SLIDE,
            ),
        ]
    )


def test_slides_have_the_titles_of_their_sections_and_only_tagged_cells(notebook):
    made = slides.make_slides(notebook)
    titles = ["42 Learn from cells", *["How large is x?"] * 3, "Take-aways"]
    assert [slide.title for slide in made] == titles
    text = "".join(slide.content for slide in made)
    assert not any(hidden in text for hidden in ("Not tagged", "not tagged", "A book"))


def test_a_slide_of_text_has_no_directives_no_roles_and_no_links_into_the_book(notebook):
    first, *_, exercise, _ = slides.make_slides(notebook)
    assert first.content.split("\n") == [
        "<p><strong>You will learn</strong></p>",
        "<ul>",
        '<li>what a nucleus is, see Start here and <a href="https://doi.org/1">Bain</a>.</li>',
        "</ul>",
        "",
    ]
    assert exercise.content.startswith("<p><strong>Predict: the area</strong></p>\n<p>Try</p>")
    assert '<code class="language-python"># 1\n</code>' in exercise.content


def test_a_slide_of_a_cell_has_its_figure_sentence_and_text_or_its_code(notebook):
    _, shown, code, *_ = slides.make_slides(notebook)
    figure = f'<figure><img src="data:image/png;base64,{PNG}" alt="A &lt;round&gt; nucleus.">'
    assert shown.content.startswith(f"{figure}<figcaption>Larger &amp; rounder.</figcaption></figure>")
    assert shown.content.count("rounder") == 1
    assert '<p>Dice is <strong>0.9</strong>, <span class="math inline"><math alttext="d &lt; 1"' in shown.content
    assert shown.content.endswith("<pre>3 &lt; 4\n</pre>")
    assert code.content == '<pre class="code">model.fit(x &lt; 1)</pre>'


def record(name, status="done"):
    origin = provenance.Provenance("none", "2 cores", {"OpenMP": "1", "TensorFlow": "1"}, "3.11", {})
    return records.Record(name, status, 1.0, {}, "2026", origin)


@pytest.fixture
def page(notebook, empty_build):
    executed = records.RunFolder(empty_build / "try", "42-learn").executed
    executed.parent.mkdir(parents=True)
    nbformat.write(notebook, executed)
    (path,) = slides.write_slides("try", [record("42-learn"), record("43-failed", "failed")])
    assert path == empty_build / "try" / "slides" / "42-learn.html"
    return path


def test_a_run_without_tagged_cells_says_what_to_do(notebook, page, empty_build):
    for cell in notebook.cells:
        cell.metadata.pop("tags", None)
    nbformat.write(notebook, records.RunFolder(empty_build / "try", "42-learn").executed)
    with pytest.raises(slides.SlideError, match="no chapter of try has slides: give the tag 'slide'"):
        slides.write_slides("try", [record("42-learn")])


@pytest.mark.slow
def test_slides_turn_by_key_and_by_click_load_nothing_and_print_one_a_page(page, browser):
    opened = browser.new_page(viewport={"width": 390, "height": 700})
    loaded = []
    opened.on("request", lambda request: loaded.append(request.url))
    opened.goto(page.as_uri())
    number, seen = opened.locator("#number"), []
    for key in ("ArrowRight", " ", "PageDown", "End", "ArrowRight", "ArrowLeft", "Home"):
        opened.keyboard.press(key)
        seen.append(number.evaluate("output => output.value"))
    assert seen == [f"{n} / 5" for n in (2, 3, 4, 5, 5, 4, 1)]
    opened.locator("#next").click()
    assert number.evaluate("output => output.value") == "2 / 5"
    assert opened.locator("img").evaluate("image => image.naturalWidth") == 1
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390
    assert [url for url in loaded if not url.startswith("data:")] == [page.as_uri()]
    assert len(re.findall(rb"/Type\s*/Page\b", opened.pdf(prefer_css_page_size=True))) == 5
    opened.close()
