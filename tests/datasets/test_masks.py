"""Mask files: read by their values, whatever their mode and colours; refused where the values do not say enough."""

import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from helpers import datasets, images
from helpers.datasets import BACKGROUND, CYTOPLASM, NUCLEUS, DatasetError, masks

LABELS = np.zeros((24, 30), np.uint8)
LABELS[4:20, 5:25], LABELS[8:16, 10:20] = CYTOPLASM, NUCLEUS


def valued(*values):
    """The labels, written as these values."""
    return np.asarray(values, np.uint8)[LABELS]


def picture(k=0):
    pixels = np.full((*LABELS.shape, 3), 220 - k, np.uint8)
    pixels[LABELS > 0] = (150, 90, 160)
    return Image.fromarray(pixels)


def palette(indices, colours):
    image = Image.fromarray(indices).convert("L")
    image = Image.frombytes("P", image.size, image.tobytes())
    image.putpalette([part for colour in colours for part in colour])
    return image


def two_bits(labels):
    """A grey PNG of two bits per pixel."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    bits = np.unpackbits(labels[..., None], axis=2)[..., 6:].reshape(len(labels), -1)
    rows = b"".join(b"\0" + np.packbits(row).tobytes() for row in bits)
    head = struct.pack(">IIBBBBB", labels.shape[1], len(labels), 2, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.fixture
def cells(tmp_path):
    """A function that makes a folder of two classes from the masks of its images, and loads it."""

    def make(*written, suffix=".png", table=None, **options):
        for k, mask in enumerate(written):
            label = ("blast", "healthy")[k % 2]
            for folder in (tmp_path / label, tmp_path / "masks" / label):
                folder.mkdir(parents=True, exist_ok=True)
            picture(k).save(tmp_path / label / f"{k}.png")
            mask = mask if isinstance(mask, Image.Image) else Image.fromarray(mask)
            mask.save(tmp_path / "masks" / label / f"{k}{suffix}", **options)
        if table is not None:
            (tmp_path / "masks" / "values.csv").write_text(table)
        return datasets.load(f"folder:{tmp_path}")

    return make


def refused(make, *args, **options):
    with pytest.raises(DatasetError) as caught:
        make(*args, **options)
    return str(caught.value)


def assert_read(dataset):
    for image_id in dataset.frame.index:
        assert np.array_equal(dataset.load_mask(image_id), LABELS)


# --- what is read


COLOURS = [[(255, 255, 255), (255, 0, 0), (0, 0, 255)], [(0, 0, 0), (0, 128, 0), (128, 0, 0)], [(9, 9, 9)] * 3]


@pytest.mark.parametrize("colours", COLOURS, ids=["white first", "as annotation tools do", "one colour for all"])
def test_a_palette_mask_is_read_by_its_indices(cells, colours):
    assert_read(cells(*[palette(LABELS, colours)] * 2))


@pytest.mark.parametrize("suffix", [".png", ".gif", ".tif", ".bmp"])
def test_a_palette_mask_is_read_from_every_format(cells, suffix):
    assert_read(cells(*[palette(LABELS, COLOURS[0])] * 2, suffix=suffix))


@pytest.mark.parametrize(
    "values",
    [(0, 1, 2), (0, 85, 170), (0, 127, 255), (0, 128, 255), (0, 127, 254), (0, 100, 200)],
    ids=lambda values: "-".join(map(str, values)),
)
def test_three_evenly_spaced_greys_are_background_cytoplasm_and_nucleus(cells, values):
    assert_read(cells(*[valued(*values)] * 2))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
def test_greys_in_equal_channels_are_greys(cells, mode):
    assert_read(cells(*[Image.fromarray(valued(0, 128, 255)).convert(mode)] * 2))


def test_two_bit_greys_are_read(cells):
    """Pillow gives the labels 0, 1, 2 of a two-bit grey PNG as 0, 85, 170."""
    dataset = cells(LABELS, LABELS)
    for path in dataset.reader.root.glob("masks/*/*.png"):
        path.write_bytes(two_bits(LABELS))
    again = datasets.load(dataset.name)
    assert set(np.unique(images.read_mask(path))) == {0, 85, 170}
    assert_read(again)


def test_a_clear_background_is_background(cells):
    grey = valued(77, 128, 255)
    drawn = np.dstack([grey, grey, grey, np.where(LABELS > 0, 255, 0).astype(np.uint8)])
    assert_read(cells(drawn, drawn))


def test_a_mask_in_the_transparency_alone_is_read(cells):
    drawn = np.dstack([np.full((*LABELS.shape, 3), 40, np.uint8), valued(0, 128, 255)])
    assert_read(cells(drawn, drawn))


def test_a_mask_of_one_class_is_judged_with_the_others(cells):
    """The values of a dataset are judged together: 0 and 255 alone would not say enough."""
    dataset = cells(valued(0, 128, 255), valued(0, 0, 255), np.zeros_like(LABELS))
    assert set(np.unique(dataset.load_mask("healthy/1.png"))) == {BACKGROUND, NUCLEUS}
    assert not dataset.load_mask("blast/2.png").any()


# --- what is refused


@pytest.mark.parametrize("values", [(0, 0, 255), (0, 255, 255), (0, 1, 1), (0, 0, 1), (0, 128, 128)])
def test_two_values_are_refused_because_the_second_may_be_cell_or_nucleus(cells, tmp_path, values):
    message = refused(cells, *[valued(*values)] * 2)
    assert f"masks hold values 0, {max(values)}, which do not determine" in message
    assert str(tmp_path / "masks" / "values.csv") in message
    assert "blast/0.png: 0 (" in message


def test_one_bit_masks_are_refused(cells):
    message = refused(cells, *[Image.fromarray(LABELS > 0)] * 2)
    assert "values 0, 255," in message


def test_labels_from_1_are_refused(cells):
    assert "values 1, 2, 3," in refused(cells, *[valued(1, 2, 3)] * 2)


def test_one_pixel_of_another_value_is_refused_by_its_file(cells, tmp_path):
    """It used to turn the whole mask into background."""
    odd = LABELS.copy()
    odd[10, 12] = 3
    message = refused(cells, LABELS, odd, LABELS)
    assert "masks hold values other than 0, 1, 2" in message
    assert f"{tmp_path / 'masks/healthy/1.png'}: 3 (1 pixels)" in message
    assert "blast/0.png" not in message


def test_colours_are_refused(cells):
    colours = np.asarray([(0, 0, 0), (0, 255, 0), (255, 0, 0)], np.uint8)[LABELS]
    message = refused(cells, colours, colours)
    assert "values 0, #00ff00, #ff0000," in message


def test_inverted_greys_are_refused(cells):
    message = refused(cells, *[valued(255, 128, 0)] * 2)
    assert "border is mostly nucleus" in message
    assert "blast/0.png" in message


def test_a_palette_whose_order_is_another_is_refused(cells):
    message = refused(cells, *[palette(valued(1, 0, 2), COLOURS[0])] * 3)
    assert "masks whose border is mostly no background, so their values may be in another order (0, 1, 2)" in message
    assert message.count("\n  - ") == 3


def test_another_order_can_be_declared(cells):
    table = "value,class\n0,cytoplasm\n1,background\n2,nucleus\n"
    assert_read(cells(*[palette(valued(1, 0, 2), COLOURS[0])] * 3, table=table))


def test_cells_that_fill_a_few_images_are_read(cells):
    filled = np.maximum(LABELS, CYTOPLASM)
    assert np.array_equal(cells(LABELS, filled, LABELS).load_mask("healthy/1.png"), filled)


def test_noise_of_jpeg_is_refused_with_a_few_of_its_values(cells):
    message = refused(cells, *[valued(0, 128, 255)] * 2, suffix=".jpg", quality=40)
    assert "more" in message
    assert len(max(message.splitlines(), key=len)) < 500


def test_values_in_colour_and_transparency_are_refused(cells, tmp_path):
    drawn = np.dstack([valued(0, 128, 255)] * 3 + [np.where(LABELS > 0, 255, 77).astype(np.uint8)])
    dataset = cells(drawn, drawn)
    with pytest.raises(DatasetError, match="values in the colours and in the transparency"):
        dataset.load_masks(24)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_the_remedy_for_a_16_bit_mask_is_no_picture(cells, suffix):
    message = refused(cells, *[LABELS.astype(np.uint16)] * 2, suffix=suffix)
    assert "16-bit" in message
    assert "save the labels as 8-bit greyscale" in message
    assert "RGB" not in message


# --- what is declared


@pytest.mark.parametrize(
    ("written", "table"),
    [
        (valued(1, 2, 3), "value,class\n1,background\n2,cytoplasm\n3,nucleus\n"),
        (valued(255, 128, 0), "value,class\n255,background\n128,cytoplasm\n0,nucleus\n"),
        (
            np.asarray([(0, 0, 0), (0, 255, 0), (255, 0, 0)], np.uint8)[LABELS],
            "value,class\n#000000,background\n#00FF00,cytoplasm\n#ff0000,nucleus\n",
        ),
        (
            np.where(np.indices(LABELS.shape)[0] > 20, 7, LABELS).astype(np.uint8),
            "value,class\n0,background\n7,background\n1,cytoplasm\n2,nucleus\n",
        ),
    ],
    ids=["from 1", "inverted", "colours", "a platelet"],
)
def test_declared_values_are_read(cells, written, table):
    assert_read(cells(written, written, table=table))


@pytest.mark.parametrize("name", ["Values.csv", "VALUES.CSV", "values.tsv", "values.csv.txt", "Values.TXT"])
def test_the_table_of_values_is_found_whatever_its_case(cells, tmp_path, name):
    cells(*[LABELS] * 2)
    for k, label in enumerate(("blast", "healthy")):
        Image.fromarray(valued(3, 1, 2)).save(tmp_path / "masks" / label / f"{k}.png")
    (tmp_path / "masks" / name).write_text("value,class\n1,cytoplasm\n2,nucleus\n3,background\n")
    assert_read(datasets.load(f"folder:{tmp_path}"))


def test_a_table_of_values_of_a_kind_that_is_not_read_is_named(cells, tmp_path):
    cells(*[LABELS] * 2)
    (tmp_path / "masks" / "Values.xls").write_text("a spreadsheet")
    message = refused(datasets.load, f"folder:{tmp_path}")
    assert "Values.xls: not read as a table of the values of masks; save it as values.csv or values.xlsx" in message
    (tmp_path / "masks" / "Values.xls").unlink()
    for name in ("values.csv", "Values.csv"):
        (tmp_path / "masks" / name).write_text("value,class\n0,background\n")
    assert "more than one table of the values of masks; keep one" in refused(datasets.load, f"folder:{tmp_path}")


def test_a_mask_may_be_called_values(cells, tmp_path):
    cells(*[LABELS] * 2)
    (tmp_path / "blast" / "0.png").rename(tmp_path / "blast" / "values.png")
    (tmp_path / "masks" / "blast" / "0.png").rename(tmp_path / "masks" / "values.png")
    assert_read(datasets.load(f"folder:{tmp_path}"))


def test_a_declared_range_of_greys_is_read(cells):
    noise = np.random.default_rng(0).integers(0, 40, LABELS.shape, dtype=np.uint8)
    table = "value,class\n0-63,background\n64 - 191,cytoplasm\n192-255,nucleus\n"
    assert_read(cells(*[valued(0, 128, 215) + noise] * 2, table=table))


def test_a_declared_binary_mask_is_read_and_the_missing_class_is_a_warning(cells):
    with pytest.warns(UserWarning, match=r"no mask holds cytoplasm \(values 0, 255\)") as found:
        dataset = cells(*[valued(0, 0, 255)] * 2, table="value,class\n0,background\n255,nucleus\n")
    assert len(found) == 1
    assert set(np.unique(dataset.load_mask("blast/0.png"))) == {BACKGROUND, NUCLEUS}


def test_a_class_that_no_mask_has_is_a_warning(cells):
    with pytest.warns(UserWarning, match="no mask holds cytoplasm"):
        cells(*[valued(0, 0, 2)] * 2)


def test_a_value_that_the_table_does_not_declare_is_refused(cells, tmp_path):
    message = refused(cells, LABELS, LABELS, table="value,class\n0,background\n1,cytoplasm\n")
    assert "values.csv does not declare" in message
    assert f"{tmp_path / 'masks/blast/0.png'}: 2 (80 pixels)" in message


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ("value,class\n300,nucleus\n", "value '300': neither 0 to 255, a range"),
        ("value,class\nred,nucleus\n", "value 'red'"),
        ("value,class\n9-3,nucleus\n", "value '9-3'"),
        ("value,class\n0-9,nucleus\n7,background\n", "value 7: occurs more than once"),
        ("value,class\n1,kern\n", "class 'kern' of 1: not one of background, cytoplasm, nucleus"),
        ("value,class\n1,nucleus\n#010101,nucleus\n", "value #010101: occurs more than once"),
        ("value,class\n", "one class for each value"),
        ("value\n1\n", "lacks the column(s) class"),
    ],
)
def test_a_wrong_table_of_values_is_refused(cells, table, problem):
    message = refused(cells, LABELS, LABELS, table=table)
    assert "values.csv" in message
    assert problem in message


def test_what_is_declared_belongs_to_the_fingerprint(cells):
    table = "value,class\n0,background\n1,cytoplasm\n2,nucleus\n"
    plain, declared = cells(LABELS, LABELS).fingerprint(), cells(LABELS, LABELS, table=table).fingerprint()
    assert plain != declared
    assert declared != cells(LABELS, LABELS, table=table + "9,nucleus\n").fingerprint()


def test_a_value_that_appears_after_loading_is_refused_when_it_is_read(cells):
    dataset = cells(LABELS, LABELS)
    Image.fromarray(valued(0, 1, 9)).save(dataset.reader.root / "masks/blast/0.png")
    with pytest.raises(images.ImageError, match=r"0\.png: holds 9 \(80 pixels\); the masks .* hold 0, 1, 2"):
        dataset.load_mask("blast/0.png")


# --- which file


def test_a_mask_may_have_another_suffix_than_png(cells):
    assert_read(cells(LABELS, LABELS, suffix=".TIF", format="TIFF"))


def test_folders_of_masks_are_read_as_deep_as_those_of_images(cells, tmp_path):
    cells(*[LABELS] * 2)
    (tmp_path / "masks" / "again").symlink_to(tmp_path / "masks")  # a loop
    assert_read(datasets.load(f"folder:{tmp_path}"))
    deep = tmp_path.joinpath("masks", *"abcdefghi")
    deep.mkdir(parents=True)
    assert "more than 8 folders deep" in refused(datasets.load, f"folder:{tmp_path}")


def test_a_mask_without_a_suffix_is_found_by_what_it_holds(cells, tmp_path):
    cells(*[LABELS] * 2)
    (tmp_path / "masks" / "blast" / "0.png").rename(tmp_path / "masks" / "blast" / "0")
    assert_read(datasets.load(f"folder:{tmp_path}"))


def test_a_mask_is_found_whichever_way_its_letters_are_composed(tmp_path):
    for folder in ("a", "masks/a"):
        (tmp_path / folder).mkdir(parents=True)
    picture().save(tmp_path / "a" / "Zelle_a\u0308.png")
    Image.fromarray(LABELS).save(tmp_path / "masks" / "a" / "Zelle_\u00e4.png")
    assert_read(datasets.load(f"folder:{tmp_path}"))


def test_a_mask_is_found_whatever_the_case_of_its_name(cells, tmp_path):
    root = cells(LABELS, LABELS).reader.root
    (root / "masks" / "blast" / "0.png").rename(root / "masks" / "0.PNG")
    (root / "blast" / "0.png").rename(root / "blast" / "Cell.png")
    (root / "masks" / "0.PNG").rename(root / "masks" / "cell.png")
    assert_read(datasets.load(f"folder:{tmp_path}"))


def test_masks_that_differ_in_case_only_are_told_apart(tmp_path):
    for folder in ("a", "masks/a"):
        (tmp_path / folder).mkdir(parents=True)
    for k, name in enumerate(("x.png", "X.png")):
        picture(k).save(tmp_path / "a" / name)
        Image.fromarray(np.roll(LABELS, k)).save(tmp_path / "masks" / "a" / name)
    dataset = datasets.load(f"folder:{tmp_path}")
    assert dataset.frame.loc["a/X.png", "mask_path"] == "masks/a/X.png"
    assert np.array_equal(dataset.load_mask("a/x.png"), LABELS)


def test_two_masks_of_one_image_are_refused(cells, tmp_path):
    cells(LABELS, LABELS)
    Image.fromarray(LABELS).save(tmp_path / "masks" / "blast" / "0.tif")
    message = refused(datasets.load, f"folder:{tmp_path}")
    assert "blast/0.png: masks/blast/0.png, masks/blast/0.tif; which one is meant?" in message


# --- published masks


@pytest.mark.parametrize(("name", "values"), [("wbc1", 3), ("wbc2", 14)])
def test_published_masks_are_cut_at_64_and_192(real, name, values):
    dataset = real(name)
    seen = set()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for image_id, row in dataset.frame.iterrows():
            grey = images.read_mask(dataset.reader.root / row["mask_path"])
            seen |= set(np.unique(grey).tolist())
            assert np.array_equal(dataset.load_mask(image_id), np.digitize(grey, [64, 192]))
    assert len(seen) == values


def test_noisy_greys_refuse_colours(tmp_path):
    colours = np.asarray([(0, 0, 0), (0, 255, 0), (255, 0, 0)], np.uint8)[LABELS]
    Image.fromarray(colours).save(tmp_path / "m.png")
    with pytest.raises(images.ImageError, match=r"m\.png: holds colours"):
        masks.read_grey_levels(tmp_path / "m.png")
