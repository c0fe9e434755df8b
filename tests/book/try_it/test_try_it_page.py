"""The page in a browser, from a file: examples, pictures of the reader's own, drawing, keyboard, accessibility."""

import base64
import io
import re

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

from helpers import images
from helpers.book.try_it import page as page_module
from helpers.models import predict_masks
from helpers.segmentation import find_cell

EMPTY_PNG = base64.b64decode(  # 1 x 1 pixel
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def encode(image, kind="PNG", **options):
    buffer = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(buffer, kind, **options)
    return buffer.getvalue()


def readout(page):
    """What the page says once it has computed."""
    page.wait_for_function("!document.querySelector('[data-part=readout]').textContent.endsWith('computing …')")
    return page.get_by_role("status").inner_text()


def give(page, content, name="cell.png"):
    page.get_by_label("Or your own picture").set_input_files({"name": name, "mimeType": "image/png", "buffer": content})
    return readout(page)


def areas(model, image):
    """Areas of cell and nucleus in the pixels of an image, as the segment command measures them."""
    small = images.resize_pad(image, 48)
    mask = find_cell(small, predict_masks(model, small[None], tta=True)[0], 48 * 48)
    restored = images.undo_resize_pad(mask, *image.shape[:2])
    return np.count_nonzero(restored), np.count_nonzero(restored == 2)


@pytest.mark.parametrize(("height", "width"), [(128, 128), (150, 200), (90, 64)])
def test_areas_and_ratio_of_a_picture_are_those_of_the_segment_command(open_page, cells, colour_unet, height, width):
    image = np.asarray(Image.fromarray(cells.load_images(128)[0]).resize((width, height), Image.Resampling.BICUBIC))
    cell, nucleus = areas(colour_unet, image)
    shown = give(open_page(), encode(image))
    own = re.search(r"Cell ([\d,]+) pixels, nucleus ([\d,]+): N:C ratio ([\d.]+)\.", shown)
    assert int(own[1].replace(",", "")) == pytest.approx(cell, rel=0.02)
    assert int(own[2].replace(",", "")) == pytest.approx(nucleus, rel=0.02)
    assert float(own[3]) == pytest.approx(nucleus / cell, abs=0.01)


def test_an_example_is_chosen_by_keyboard_and_its_ground_truth_stands_below(open_page):
    page = open_page()
    for _ in range(2):
        page.keyboard.press("Tab")
    first = page.get_by_role("button", name="Cell 1")
    assert first.evaluate("button => button === document.activeElement")
    outline = first.evaluate("button => getComputedStyle(button).outlineWidth")
    assert outline == "3px"
    page.keyboard.press("Enter")
    assert re.match(r"Cell 1\. Cell [\d,]+ pixels, .* Class: \w+, probability ", readout(page))
    assert first.get_attribute("aria-pressed") == "true"
    assert re.search(r"Drawn as: neutrophil, N:C ratio 0\.\d\d\. Distance .* 128 × 128 ", page.inner_text("main"))
    assert page.locator("path[data-part=marked]").get_attribute("d").startswith("M")


def test_there_are_six_cells_and_something_else(open_page):
    page = open_page()
    names = page.locator("[data-part=examples] button").all_inner_texts()
    assert names == [*(f"Cell {k}" for k in range(1, 7)), "Something else"]
    page.get_by_role("button", name="Something else").click()
    assert "No white blood cell is found." in readout(page)


def test_a_picture_unlike_the_training_cells_is_called_so(open_page):
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[::2, :, 1] = 255
    shown = give(open_page(), encode(stripes))
    assert re.search(r"Unlike anything I know: it lies at a distance of [\d.]+ .* beyond the limit of 0\.4\.", shown)


def test_a_cell_of_unusual_size_is_reported(open_page, cells):
    page, image = open_page(), cells.load_images(128)[0]
    far = np.pad(image, ((150, 150), (150, 150), (0, 0)), constant_values=int(np.median(image)))
    shown = give(page, encode(far))
    assert re.search(r"The cell fills \d % of the square, in training 5 % to 35 %: crop the picture closer\.", shown)
    rows, columns = np.nonzero(cells.load_masks(128)[0] == 2)
    near = image[rows.min() : rows.max(), columns.min() : columns.max()]
    assert "in training 5 % to 35 %: leave more room around it." in give(page, encode(near))


def test_probabilities_and_sets_stand_in_a_table(open_page, cells):
    page = open_page()
    shown = give(page, encode(cells.load_images(128)[0]))
    rows = page.locator("tbody tr").all_inner_texts()
    assert [row.split()[0] for row in rows] in (["pale", "dark"], ["dark", "pale"])
    inside = [row.split()[0] for row in rows if row.endswith("yes")]
    assert f"Prediction set at 90 %: {' or '.join(sorted(inside, reverse=True))}." in shown


ANIMATION = [Image.fromarray(np.full((40, 40, 3), value, np.uint8)) for value in (10, 200)]
LARGE = np.zeros((4001, 4000), np.uint8)
LARGE[0, 0] = 255


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty. Choose another file."),
        (b"cells, in words", "is not a picture in PNG, JPEG, GIF, WebP, BMP. Save it as PNG."),
        (encode(np.eye(64, dtype=np.uint8))[:60], "cannot be decoded: it is damaged or far too large."),
        (EMPTY_PNG, "has 1 × 1 pixels; no side may have fewer than 24. Take a larger picture."),
        (encode(LARGE), "has 4000 × 4001 pixels, and at most 16 million fit. Crop it to one cell."),
        (encode(np.full((40, 40, 3), 7, np.uint8)), "has one single colour, so there is no cell on it."),
        (encode(np.eye(40, dtype=np.uint16)), "has 16 bits per channel. Save it with 8 bits."),
        *[
            (encode(ANIMATION[0], kind, save_all=True, append_images=ANIMATION[1:]), "has several frames.")
            for kind in ("GIF", "PNG", "WEBP")
        ],
    ],
    ids=["empty", "text", "cut", "tiny", "huge", "plain", "16-bit", "gif", "apng", "webp"],
)
def test_what_is_no_picture_of_a_cell_is_refused_with_a_remedy(open_page, cells, content, message):
    page = open_page()
    give(page, encode(cells.load_images(128)[0]))
    assert page.locator("[data-part=result]").is_visible()
    shown = give(page, content, "odd.png")
    assert shown.startswith(f"odd.png {message}")
    assert not page.locator("[data-part=result]").is_visible()


def test_a_long_file_is_refused_before_it_is_read(open_page, tmp_path):
    page = open_page()
    with (tmp_path / "long.png").open("wb") as file:
        file.truncate(31_000_000)
    page.get_by_label("Or your own picture").set_input_files(tmp_path / "long.png")
    assert readout(page) == "long.png has 31 MB, and at most 30 fit. Crop it to one cell."


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "BMP", "JPEG"])
def test_other_formats_with_one_frame_are_read(open_page, cells, kind):
    assert "N:C ratio" in give(open_page(), encode(cells.load_images(128)[0], kind))


def test_a_photograph_is_turned_upright_and_transparency_is_white(open_page, cells):
    page, image = open_page(), Image.fromarray(cells.load_images(128)[0]).crop((0, 10, 128, 118))
    exif = Image.Exif()
    exif[0x0112] = 6
    give(page, encode(image, "JPEG", exif=exif), "turned.jpg")
    assert "The picture has 108 × 128 pixels" in page.inner_text("main")
    image.putalpha(0)
    assert give(page, encode(image), "clear.png").startswith("clear.png has one single colour")


def test_a_picture_is_dropped_anywhere_in_the_explorer(open_page, cells):
    page = open_page()
    transfer = page.evaluate_handle(
        """text => {
            const transfer = new DataTransfer(), content = Uint8Array.from(atob(text), c => c.charCodeAt(0));
            transfer.items.add(new File([content], "dropped.png", { type: "image/png" }));
            return transfer;
        }""",
        base64.b64encode(encode(cells.load_images(128)[0])).decode(),
    )
    page.dispatch_event(".lbx-title", "drop", {"dataTransfer": transfer})
    assert readout(page).startswith("dropped.png. Cell ")
    page.dispatch_event(".lbx-title", "drop", {"dataTransfer": page.evaluate_handle("new DataTransfer()")})
    assert readout(page) == "That is not a file. Save the picture first, then drop its file here."


def test_of_two_pictures_the_later_is_shown(open_page):
    page = open_page()
    page.evaluate("""() => {
        const buttons = document.querySelectorAll("[data-part=examples] button");
        buttons[0].click();
        buttons[2].click();
    }""")
    assert readout(page).startswith("Cell 3. ")
    page.wait_for_timeout(500)
    assert readout(page).startswith("Cell 3. ")


def test_a_cell_is_drawn_by_keyboard(open_page):
    page = open_page()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    draw = page.get_by_role("tab", name="Draw a cell")
    assert draw.get_attribute("aria-selected") == "true"
    assert draw.evaluate("tab => tab === document.activeElement")
    assert not page.get_by_label("Or your own picture").is_visible()
    assert readout(page).startswith("Drawn cell. Cell ")
    assert "Drawn with: diameter 12 µm, N:C ratio 0.5." in page.inner_text("main")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowLeft")
    slider = page.get_by_role("slider", name="Diameter")
    assert slider.get_attribute("aria-valuetext") == "9 µm"
    readout(page)
    assert "Drawn with: diameter 9 µm" in page.inner_text("main")
    page.get_by_role("combobox", name="Stain").select_option("Giemsa")
    assert readout(page).startswith("Drawn cell. ")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_both_tabs_are_accessible_and_fit(open_page, width, theme):
    page = open_page(width, theme)
    assert "Not for diagnosis." in page.get_by_text("Both networks have seen synthetic cells only").inner_text()
    for tab in ("Choose a picture", "Draw a cell"):
        page.get_by_role("tab", name=tab).click()
        if tab.startswith("Choose"):
            page.get_by_role("button", name="Cell 1").click()
        readout(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        violations = Axe().run(page).response["violations"]
        assert [f"{v['id']}: {v['help']}: {v['nodes'][0]['html'][:160]}" for v in violations] == []


def test_without_its_script_the_page_says_where_it_belongs(browser, models, tmp_path):
    alone = tmp_path / "try-it.html"
    alone.write_text(f"<!DOCTYPE html><meta charset='utf-8'>{page_module.explorer_html(models)}", encoding="utf-8")
    page = browser.new_page()
    page.goto(alone.as_uri())
    shown = "The networks are not beside this page. Open it in the folder of the whole book."
    assert page.get_by_role("status").inner_text() == shown
    page.close()
