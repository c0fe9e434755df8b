"""What a file may be (the table in helpers.images), what is refused, and that shapes and masks stay as promised."""

import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from helpers import images
from helpers.images import ImageError


def cell(height=40, width=60, channels=3):
    """A smooth picture: dark disc on a pale ground, so that JPEG changes it little."""
    y, x = np.mgrid[:height, :width]
    disc = np.hypot(y - height / 2, x - width / 2) < min(height, width) / 4
    picture = np.where(disc[..., None], (90, 40, 130, 255), (230, 220, 225, 255)).astype(np.uint8)
    return picture[..., :channels]


def save(path, picture, **options):
    Image.fromarray(picture).save(path, **options)
    return path


def refused(path, *words):
    """Both ways in refuse the file with a message that names it."""
    for call in (images.image_size, images.read_image):
        with pytest.raises(ImageError) as caught:
            call(path)
        assert str(path) in str(caught.value)
        for word in words:
            assert word in str(caught.value)


# --- what is read


@pytest.mark.parametrize("suffix", [".bmp", ".png", ".tif", ".tiff"])
def test_lossless_rgb_is_read_as_it_is(tmp_path, suffix):
    path = save(tmp_path / f"cell{suffix}", cell())
    picture = images.read_image(path)
    assert picture.dtype == np.uint8
    assert np.array_equal(picture, cell())
    assert images.image_size(path) == (40, 60)


@pytest.mark.parametrize("suffix", [".webp", ".jp2", ".j2k"])
def test_other_lossless_rgb_is_read_as_it_is(tmp_path, suffix):
    path = save(tmp_path / f"cell{suffix}", cell(), **({"lossless": True} if suffix == ".webp" else {}))
    assert np.array_equal(images.read_image(path), cell())
    assert images.image_size(path) == (40, 60)


def test_a_gif_of_one_frame_is_read_by_its_colours(tmp_path):
    picture = images.read_image(save(tmp_path / "cell.gif", cell()))
    assert np.array_equal(picture, cell())


def test_a_jfif_is_a_jpeg(tmp_path):
    path = save(tmp_path / "cell.jfif", cell(), format="JPEG", quality=95)
    assert np.abs(images.read_image(path).astype(int) - cell()).mean() < 5


def test_the_first_frame_of_a_telephone_photograph_is_read(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    frames = [Image.fromarray(cell()), Image.fromarray(255 - cell())]
    frames[0].save(tmp_path / "phone.jpg", format="MPO", save_all=True, append_images=frames[1:], exif=exif, quality=95)
    with Image.open(tmp_path / "phone.jpg") as stored:
        assert (stored.format, stored.n_frames) == ("MPO", 2)
    assert images.image_size(tmp_path / "phone.jpg") == (60, 40)
    assert np.abs(images.read_image(tmp_path / "phone.jpg").astype(int) - np.rot90(cell(), -1)).mean() < 5


def test_an_8_bit_tiff_in_planes_is_read_as_it_is(tmp_path):
    path = tmp_path / "planes.tif"
    path.write_bytes(tiff(cell(), 8, planes=True))
    assert np.array_equal(images.read_image(path), cell())


def test_jpeg_is_read_in_the_order_red_green_blue(tmp_path):
    picture = images.read_image(save(tmp_path / "cell.jpg", cell(), quality=95))
    assert picture.shape == (40, 60, 3)
    assert np.abs(picture[20, 30].astype(int) - (90, 40, 130)).max() <= 6
    assert np.abs(picture.astype(int) - cell()).mean() < 5


def test_a_suffix_that_does_not_match_the_content_does_no_harm(tmp_path):
    path = tmp_path / "cell.jpg"
    Image.fromarray(cell()).save(path, format="PNG")
    assert np.array_equal(images.read_image(path), cell())


def test_grey_becomes_three_equal_channels(tmp_path):
    grey = np.arange(2400, dtype=np.uint32).reshape(40, 60).astype(np.uint8)
    picture = images.read_image(save(tmp_path / "grey.png", grey))
    assert np.array_equal(picture, np.stack([grey] * 3, axis=-1))


def test_one_bit_becomes_black_and_white(tmp_path):
    bits = np.zeros((8, 10), bool)
    bits[2:5, 3:7] = True
    Image.fromarray(bits).save(tmp_path / "bits.png")
    picture = images.read_image(tmp_path / "bits.png")
    assert np.array_equal(picture[..., 1], np.where(bits, 255, 0))


def test_palette_becomes_its_colours(tmp_path):
    Image.fromarray(cell()).quantize(4).save(tmp_path / "palette.png")
    with Image.open(tmp_path / "palette.png") as stored:
        assert stored.mode == "P"
    assert np.abs(images.read_image(tmp_path / "palette.png").astype(int) - cell()).max() <= 2


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_laid_over_white(tmp_path, mode):
    picture = np.full((4, 6, 4), 100, np.uint8)
    picture[:, :2, 3], picture[:, 2:4, 3], picture[:, 4:, 3] = 0, 128, 255
    Image.fromarray(picture).convert(mode).save(tmp_path / "clear.png")
    with Image.open(tmp_path / "clear.png") as stored:
        assert stored.mode == mode
    row = images.read_image(tmp_path / "clear.png")[0, :, 0].astype(int)
    assert (row[:2] == 255).all()
    assert np.abs(row[2:4] - (100 * 128 + 255 * 127) / 255).max() <= 1
    assert (row[4:] == 100).all()


@pytest.mark.parametrize("transparency", [0, bytes([0, 255, 255, 255])])
def test_a_clear_palette_colour_becomes_white(tmp_path, transparency):
    indexed = Image.new("P", (6, 4), 1)
    indexed.putpalette([10, 20, 30, 90, 40, 130] + [0] * 6)
    indexed.paste(0, (0, 0, 3, 4))
    indexed.save(tmp_path / "palette.png", transparency=transparency)
    picture = images.read_image(tmp_path / "palette.png")
    assert (picture[:, :3] == 255).all()
    assert (picture[:, 3:] == (90, 40, 130)).all()


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_turned_upright(tmp_path, suffix, orientation):
    upright = np.zeros((32, 64, 3), np.uint8)
    upright[:16, :32] = 255  # one white corner tells all eight orientations but the mirrored pairs apart
    upright[16:, :32] = 128
    undo = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(undo[orientation](upright))
    path = save(tmp_path / f"phone{suffix}", stored, exif=exif)
    assert images.image_size(path) == (32, 64)
    assert np.abs(images.read_image(path).astype(int) - upright).max() <= 12


def test_a_path_outside_ascii_works(tmp_path):
    folder = tmp_path / "Blutausstrich – лейкоз 白血病"
    folder.mkdir()
    assert np.array_equal(images.read_image(save(folder / "Zelle_ä.png", cell())), cell())


def test_a_path_may_be_text(tmp_path):
    assert np.array_equal(images.read_image(str(save(tmp_path / "cell.png", cell()))), cell())


def test_read_grey_gives_one_channel(tmp_path):
    grey = np.array([[0, 128], [255, 1]], np.uint8)
    assert np.array_equal(images.read_mask(save(tmp_path / "mask.png", grey)), grey)


# --- what is refused


def test_cmyk_is_refused(tmp_path):
    Image.fromarray(cell()).convert("CMYK").save(tmp_path / "print.jpg")
    refused(tmp_path / "print.jpg", "CMYK", "8-bit RGB")


@pytest.mark.parametrize("mode", ["YCbCr", "LAB"])
def test_ycbcr_and_lab_tiff_are_refused(tmp_path, mode):
    Image.new(mode, (6, 4)).save(tmp_path / "colour.tif")
    refused(tmp_path / "colour.tif", "8-bit RGB")


def tiff(picture, bits, planes=False, sample_format=1):
    """An uncompressed TIFF, whose values are those of a picture."""
    height, width, channels = picture.shape
    values = picture.astype(f"<u{bits // 8}")
    data = (np.moveaxis(values, 2, 0) if planes else values).tobytes()
    places = [8 + k * len(data) // channels for k in range(channels)] if planes else [8]
    after = 8 + len(data)
    arrays = {
        258: [bits] * channels,
        273: places,
        279: [len(data) // len(places)] * len(places),
        339: [sample_format] * 3,
    }
    single = {256: width, 257: height, 259: 1, 262: 2, 277: channels, 278: height, 284: 2 if planes else 1}
    extra, entries = b"", []
    for tag, found in sorted({**{tag: [value] for tag, value in single.items()}, **arrays}.items()):
        value = struct.pack(f"<{len(found)}I", *found)
        if len(value) > 4:
            entries.append(struct.pack("<HHII", tag, 4, len(found), after + len(extra)))
            extra += value
        else:
            entries.append(struct.pack("<HHI", tag, 4, 1) + value)
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    return b"II*\0" + struct.pack("<I", after + len(extra)) + data + extra + directory


def deep_png(channels, depth=16):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixels = np.random.default_rng(0).integers(0, 4096, (8, 8 * channels)).astype(">u2")  # 12 bits in 16
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    head = struct.pack(">IIBBBBB", 8, 8, depth, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("channels", "name"), [(1, "greyscale"), (2, "greyscale with alpha"), (3, "RGB"), (4, "RGBA")])
def test_a_16_bit_png_is_refused_whatever_its_channels(tmp_path, channels, name):
    path = tmp_path / "deep.png"
    path.write_bytes(deep_png(channels))
    refused(path, f"16-bit {name} is not supported; save it as 8-bit RGB")


@pytest.mark.parametrize("planes", [False, True])
@pytest.mark.parametrize("top", [4096, 65536])
def test_a_16_bit_tiff_is_refused_whatever_its_layout(tmp_path, planes, top):
    path = tmp_path / "deep.tif"
    path.write_bytes(tiff(np.random.default_rng(0).integers(0, top, (8, 8, 3)), 16, planes))
    refused(path, "16-bit RGB is not supported; save it as 8-bit RGB")


def test_a_signed_tiff_is_refused(tmp_path):
    path = tmp_path / "signed.tif"
    path.write_bytes(tiff(cell(), 8, sample_format=2))
    refused(path, "8-bit signed RGB is not supported")


def test_a_16_bit_jpeg_2000_is_refused(tmp_path):
    Image.fromarray(np.full((32, 32), 40_000, np.uint16)).save(tmp_path / "deep.jp2")
    refused(tmp_path / "deep.jp2", "16-bit greyscale is not supported")


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_a_wholly_transparent_picture_is_refused(tmp_path, mode):
    """It would become white."""
    clear = np.dstack([cell(), np.zeros((40, 60), np.uint8)])
    Image.fromarray(clear).convert(mode).save(tmp_path / "clear.png")
    with pytest.raises(ImageError, match=r"clear\.png: wholly transparent"):
        images.read_image(tmp_path / "clear.png")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tif", ".webp"])
def test_a_picture_of_one_single_colour_is_refused(tmp_path, suffix):
    path = save(tmp_path / f"blank{suffix}", np.full((40, 60, 3), 128, np.uint8))
    with pytest.raises(ImageError, match=r"blank\.\w+: one single colour \(128, 128, 128\), so there is no cell"):
        images.read_image(path)


def test_a_picture_whose_corners_are_equal_is_read(tmp_path):
    assert np.array_equal(images.read_image(save(tmp_path / "cell.png", cell())), cell())


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_16_bit_is_refused(tmp_path, suffix):
    path = save(tmp_path / f"deep{suffix}", np.full((8, 8), 40_000, np.uint16))
    refused(path, "16-bit")


def test_floating_point_tiff_is_refused(tmp_path):
    refused(save(tmp_path / "float.tif", np.ones((8, 8), np.float32)), "float")


def test_an_animated_png_is_refused(tmp_path):
    frames = [Image.fromarray(cell()), Image.fromarray(255 - cell())]
    frames[0].save(tmp_path / "moving.png", save_all=True, append_images=frames[1:])
    refused(tmp_path / "moving.png", "more than one frame")


def test_a_tiff_of_several_pages_is_refused(tmp_path):
    pages = [Image.fromarray(cell())] * 3
    pages[0].save(tmp_path / "pages.tif", save_all=True, append_images=pages[1:])
    refused(tmp_path / "pages.tif", "more than one page")


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_an_animation_is_refused(tmp_path, suffix):
    frames = [Image.fromarray(cell()), Image.fromarray(255 - cell())]
    frames[0].save(tmp_path / f"moving{suffix}", save_all=True, append_images=frames[1:])
    refused(tmp_path / f"moving{suffix}", "more than one frame")


def png_header(width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


def bmp_header(width, height):
    return (
        b"BM"
        + struct.pack("<IHHI", 54 + 100, 0, 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 100, 0, 0, 0, 0)
        + b"\0" * 100
    )


@pytest.mark.parametrize("header", [png_header, bmp_header])
@pytest.mark.parametrize("size", [(8001, 8000), (12_000, 12_000), (60_000, 60_000)])
def test_a_bomb_is_refused_by_its_header(tmp_path, header, size):
    path = tmp_path / "bomb"
    path.write_bytes(header(*size))
    refused(path, "64,000,000")


def test_exactly_the_largest_size_is_accepted_by_its_header(tmp_path):
    (tmp_path / "large.png").write_bytes(png_header(8000, 8000))
    assert images.image_size(tmp_path / "large.png") == (8000, 8000)


def test_a_picture_without_pixels_is_refused(tmp_path):
    (tmp_path / "flat.bmp").write_bytes(bmp_header(10, 0))
    refused(tmp_path / "flat.bmp")


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "empty.png").write_bytes(b"")
    refused(tmp_path / "empty.png", "empty")


@pytest.mark.parametrize("content", [b"<html>404 Not Found</html>", b"\0" * 64, b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_image_is_refused(tmp_path, content):
    (tmp_path / "page.png").write_bytes(content)
    refused(tmp_path / "page.png")


def test_a_folder_is_refused(tmp_path):
    (tmp_path / "folder.png").mkdir()
    refused(tmp_path / "folder.png", "a folder, not an image file")


@pytest.mark.parametrize("read", [images.image_size, images.read_image, images.read_mask_values])
def test_a_pipe_is_refused_at_once(tmp_path, read):
    """To open it would wait for a writer."""
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(ImageError, match=r"pipe\.png: a named pipe, not an image file"):
        read(tmp_path / "pipe.png")
    assert not images.is_image(tmp_path / "pipe.png")


def test_a_device_and_a_loop_of_links_are_refused(tmp_path):
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    (tmp_path / "loop.png").symlink_to("loop.png")
    refused(tmp_path / "zero.png", "a device, not an image file")
    refused(tmp_path / "loop.png", "a loop of links, not an image file")


@pytest.mark.parametrize("suffix", sorted({".bmp", ".gif", ".jp2", ".j2k", ".jpg", ".png", ".tif", ".webp"}))
def test_an_image_is_known_by_its_first_bytes(tmp_path, suffix):
    path = save(tmp_path / f"cell{suffix}", cell()).rename(tmp_path / "cell")
    assert images.is_image(path)
    assert images.read_image(path).shape == (40, 60, 3)


@pytest.mark.parametrize(
    "content", [b"", b"BM", b"BMW is a car, not a picture", b"GIF", b"II", b"RIFF....WAVE", b"\0" * 40]
)
def test_other_files_are_no_images(tmp_path, content):
    (tmp_path / "cell.png").write_bytes(content)
    assert not images.is_image(tmp_path / "cell.png")
    assert not images.is_image(tmp_path / "gone.png")
    assert not images.is_image(tmp_path)


def test_a_missing_file_is_refused(tmp_path):
    refused(tmp_path / "gone.png", "no such file")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".tif"])
@pytest.mark.parametrize("kept", [0.5, 0.9])
def test_truncated_pixels_are_refused(tmp_path, suffix, kept):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    path = save(tmp_path / f"cell{suffix}", noise)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(ImageError) as caught:
        images.read_image(path)
    assert str(path) in str(caught.value)
    assert "fetch the file again" in str(caught.value) or "not an image" in str(caught.value)


def test_a_damaged_compressed_png_is_refused(tmp_path):
    path = save(tmp_path / "cell.png", np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(ImageError, match="truncated or corrupt"):
        images.read_image(path)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".tif"])
def test_random_damage_gives_an_image_or_an_image_error(tmp_path, suffix):
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {"exif": exif} if suffix in (".jpg", ".tif") else {}
    whole = save(tmp_path / f"cell{suffix}", cell(), **options).read_bytes()
    random = np.random.default_rng(1)
    path = tmp_path / f"damaged{suffix}"
    refusals = 0
    for _ in range(300):
        content = bytearray(whole)
        near_end = random.random() < 0.3
        where = random.integers(max(0, len(whole) - 250) if near_end else 0, len(whole), 4)
        for k in where if near_end else where % min(200, len(whole)):
            content[k] = random.integers(256)
        path.write_bytes(content)
        try:
            picture = images.read_image(path)
        except ImageError:
            refusals += 1
        else:
            assert picture.dtype == np.uint8
            assert picture.ndim == 3
    assert refusals > 10


def test_a_second_page_with_a_damaged_header_is_refused(tmp_path):
    path = tmp_path / "pages.tif"
    pages = [Image.fromarray(cell())] * 2
    pages[0].save(path, save_all=True, append_images=pages[1:])
    content = bytearray(path.read_bytes())
    first = struct.unpack("<I", content[4:8])[0]
    tags = struct.unpack("<H", content[first : first + 2])[0]
    link = first + 2 + 12 * tags
    content[link : link + 4] = struct.pack("<I", len(content))
    without_dimensions = struct.pack("<HHHIHHI", 1, 284, 3, 1, 1, 0, 0)
    path.write_bytes(content + without_dimensions)
    refused(path)


def test_an_unreadable_file_is_refused(tmp_path, monkeypatch):
    path = save(tmp_path / "locked.png", cell())

    def deny(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", deny)
    refused(path, "read permission")


def test_a_folder_that_may_not_be_entered_is_refused(tmp_path, monkeypatch):
    path = save(tmp_path / "locked.png", cell())

    def deny(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "stat", deny)
    with pytest.raises(ImageError, match="read permission"):
        images.image_size(path)


# --- scaling


@pytest.mark.parametrize("min_size", [16, 100, 150, 400])
@pytest.mark.parametrize("shape", [(400, 600), (600, 400)])
def test_a_minimum_size_gives_at_least_that_size_or_the_whole_image(tmp_path, min_size, shape):
    path = save(tmp_path / "large.jpg", cell(*shape))
    height, width = images.read_image(path, min_size=min_size).shape[:2]
    assert min(height, width) >= min_size
    assert height / width == pytest.approx(shape[0] / shape[1], rel=0.05)


def test_a_minimum_size_saves_work_on_a_large_jpeg(tmp_path):
    path = save(tmp_path / "large.jpg", cell(400, 600))
    assert images.read_image(path, min_size=100).shape == (100, 150, 3)
    assert images.read_image(path).shape == (400, 600, 3)


def test_a_minimum_size_does_not_change_a_png(tmp_path):
    assert np.array_equal(images.read_image(save(tmp_path / "cell.png", cell()), min_size=8), cell())


@pytest.mark.parametrize("shape", [(100, 50), (50, 100), (13, 7), (64, 64), (300, 1)])
@pytest.mark.parametrize("size", [32, 96])
def test_resize_keeps_the_aspect(shape, size):
    inside = np.zeros((*shape, 3), np.uint8)
    inside[...] = (200, 10, 10)
    inside[0, 0] = (0, 0, 0)  # so that padding and picture can be told apart by the border's median
    result = images.resize_pad(inside, size)
    assert result.shape == (size, size, 3)
    rows, columns = np.nonzero(images.resize_pad_mask(np.ones(shape, np.uint8), size))
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert max(height, width) == size
    assert height == pytest.approx(max(1, size * shape[0] / max(shape)), abs=0.51)
    assert width == pytest.approx(max(1, size * shape[1] / max(shape)), abs=0.51)


def test_resize_of_the_right_size_changes_nothing():
    square = cell(48, 48)
    assert np.array_equal(images.resize_pad(square, 48), square)


def test_resize_pads_with_the_median_of_the_border():
    picture = cell(20, 60)
    picture[0, :5] = 0  # a minority of the border
    result = images.resize_pad(picture, 60)
    assert (result[:20] == (230, 220, 225)).all()
    assert (result[40:] == (230, 220, 225)).all()
    assert np.array_equal(result[20:40], picture)


def test_a_removed_background_is_padded_with_black():
    picture = np.zeros((20, 60, 3), np.uint8)
    picture[8:12, 20:40] = 180
    assert (images.resize_pad(picture, 60)[:20] == 0).all()


def test_shrinking_averages_instead_of_picking_pixels():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 200
    assert np.abs(images.resize_pad(stripes, 16).astype(int) - 100).max() <= 1


@pytest.mark.parametrize("shape", [(100, 150), (150, 100), (30, 20), (64, 64)])
@pytest.mark.parametrize("size", [48, 97, 160])
def test_a_mask_keeps_its_labels_and_stays_on_its_cell(shape, size):
    labels = np.zeros(shape, np.uint8)
    height, width = shape
    labels[height // 5 : height // 2, width // 4 : width // 2] = 1
    labels[height // 2 : 4 * height // 5, width // 4 : width // 2] = 2
    scaled = images.resize_pad_mask(labels, size)
    assert scaled.dtype == np.uint8
    assert scaled.shape == (size, size)
    assert set(np.unique(scaled)) == {0, 1, 2}
    for value in (1, 2):
        picture = np.repeat(np.where(labels == value, 200, 0).astype(np.uint8)[..., None], 3, axis=2)
        there, drawn = images.resize_pad(picture, size)[..., 0] > 100, scaled == value
        assert 2 * (there & drawn).sum() / (there.sum() + drawn.sum()) > 0.9


def test_a_mask_is_padded_with_background():
    scaled = images.resize_pad_mask(np.full((10, 30), 2, np.uint8), 30)
    assert (scaled[:10] == 0).all()
    assert (scaled[10:20] == 2).all()
    assert (scaled[20:] == 0).all()


def test_a_montage_lays_images_out_in_reading_order():
    pictures = np.stack([np.full((4, 5, 3), 10 * k, np.uint8) for k in range(5)])
    sheet = images.montage(pictures, columns=3, gap=2)
    assert sheet.shape == (2 * (4 + 2) - 2, 3 * (5 + 2) - 2, 3)
    assert (sheet[:4, 7:12] == 10).all()
    assert (sheet[6:, :5] == 30).all()
    assert (sheet[4:6] == 255).all()
    assert (sheet[:, 5:7] == 255).all()
    assert (sheet[6:, 14:] == 255).all()  # the empty place


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3), (5, 7, 4)])
def test_a_picture_is_written_whole_and_in_its_own_order_of_channels(tmp_path, shape):
    picture = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    images.write_png(tmp_path / "a.png", picture)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a.png")), picture)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_a_picture_that_cannot_be_written_leaves_nothing_behind(tmp_path):
    (tmp_path / "a.png").mkdir()
    with pytest.raises(OSError):
        images.write_png(tmp_path / "a.png", np.zeros((4, 4), np.uint8))
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_a_mask_comes_back_to_the_size_of_its_image():
    for height, width in ((90, 60), (60, 90), (128, 128), (300, 40)):
        mask = np.zeros((height, width), np.uint8)
        mask[height // 4 : height // 2, width // 4 : width // 2] = 1
        back = images.undo_resize_pad(images.resize_pad_mask(mask, 128), height, width)
        assert back.shape == mask.shape
        assert (back == mask).mean() > 0.97
