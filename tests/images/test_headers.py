"""Bounds of hostile image files: refused by their header, in a second and little memory, before a pixel is decoded."""

import io
import struct
import subprocess
import sys
import time
import zlib

import numpy as np
import pytest
from PIL import Image

from helpers import images
from helpers.images import ImageError, headers


def encoded(kind, side=10, **options):
    buffer = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*chunks, width=10, height=10, colour=2):
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + chunk(b"IEND", b"")


SINGLE = {
    256: (3, 1, 10),
    257: (3, 1, 10),
    258: (3, 1, 8),
    259: (3, 1, 1),
    262: (3, 1, 1),
    277: (3, 1, 1),
    278: (3, 1, 10),
}
STRIP = {**SINGLE, 273: (4, 1, 8), 279: (4, 1, 100)}
START = 108  # behind the header and 100 pixels


def directory(tags, following=0):
    entries = b"".join(struct.pack("<HHII", tag, *tags[tag]) for tag in sorted(tags))
    return struct.pack("<H", len(tags)) + entries + struct.pack("<I", following)


def twice(tag, first, second):
    """A directory of an image in which a tag stands twice."""
    entries = sorted([*((key, value) for key, value in STRIP.items() if key != tag), (tag, first), (tag, second)])
    packed = b"".join(struct.pack("<HHII", key, *value) for key, value in entries)
    return struct.pack("<H", len(entries)) + packed + bytes(4)


def tiff(*directories):
    return b"II*\0" + struct.pack("<I", START) + bytes(range(100)) + b"".join(directories)


SIZE = len(directory(STRIP))
JPEG, PROGRESSIVE = encoded("JPEG"), encoded("JPEG", progressive=True)
LAST_SCAN = PROGRESSIVE[PROGRESSIVE.rindex(b"\xff\xda") : -2]
GIF = encoded("GIF")
TABLE_END = 13 + 3 * 2 ** ((GIF[10] & 7) + 1)
J2K = encoded("JPEG2000", no_jp2=True)
AFTER_SIZ = 4 + int.from_bytes(J2K[4:6], "big")

REFUSED = {
    "tiff of 20,000 pages": (
        tiff(*(directory(STRIP, START + SIZE * (k + 1) if k < 19_999 else 0) for k in range(20_000))),
        "more than one page",
    ),
    "tiff whose second page leads back": (
        tiff(directory(STRIP, START + SIZE), directory(STRIP, START)),
        "more than one page",
    ),
    "tiff of many tags": (tiff(directory({**STRIP, **{1000 + k: (3, 1, 0) for k in range(5000)}})), "5,009 tags"),
    "tiff of heavy tags": (
        tiff(directory({**STRIP, **{1000 + k: (1, 10_000_000, 8) for k in range(2)}}), bytes(10_000_000)),
        "bytes of tags",
    ),
    "tiff of a huge tile": (
        tiff(directory({**SINGLE, 322: (4, 1, 46336), 323: (4, 1, 46336), 324: (4, 1, 8), 325: (4, 1, 100)})),
        "46336×46336 pixels",
    ),
    "tiff of two depths": (tiff(twice(258, (3, 3, 8), (3, 3, 16))), "TIFF with tag 258 twice; save "),
    "tiff of two widths": (tiff(twice(256, (3, 1, 10), (3, 1, 5))), "TIFF with tag 256 twice"),
    "tiff of swapped bytes": (b"II\0*" + tiff(directory(STRIP))[4:], "not an image in"),
    "png whose size comes later": (png()[:8] + chunk(b"abCd", b"") + png()[8:], "does not begin with its size"),
    "png of many chunks": (png(chunk(b"abCd", b"") * 100_001), "100,000 chunks"),
    "png of many parts": (png(chunk(b"IDAT", b"") * 100_001), "100,000 chunks"),
    "png of a huge text": (png(chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(10**7)))), "header cannot be read"),
    "png of a huge profile": (png(chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(10**7)))), "header cannot be read"),
    "jpeg of many segments": (JPEG[:2] + b"\xff\xef\0\2" * 500 + JPEG[2:], "500 segments"),
    "jpeg of filling": (JPEG[:2] + b"\xff" * 70_000 + JPEG[2:], "bytes of filling"),
    "jpeg of junk": (JPEG[:3] + b"\xff" + bytes(70_000) + JPEG[2:], "bytes of filling"),
    "jpeg of many scans": (PROGRESSIVE[:-2] + LAST_SCAN * 30 + PROGRESSIVE[-2:], "33 scans"),
    "gif of a long comment": (
        GIF[:TABLE_END] + b"!\xfe" + (b"\xff" + b"a" * 255) * 5000 + b"\0" + GIF[TABLE_END:],
        "bytes of comment",
    ),
    "gif of many blocks": (GIF[:TABLE_END] + b"!\xff" + b"\1a" * 1_000_001 + b"\0" + GIF[TABLE_END:], "blocks"),
    "webp of the largest size": (
        b"RIFF\xff\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xfe\x3f\0" * 2 + b"VP8L" + bytes(100),
        "16383×16383 pixels is more than 16,000,000",
    ),
    "lossless webp of a large size": (
        b"RIFF\xff\0\0\0WEBPVP8L\xff\0\0\0\x2f" + struct.pack("<I", 4095 | 4095 << 14) + bytes(100),
        "4096×4096 pixels is more than 16,000,000",
    ),
    "lossy webp of a large size": (
        b"RIFF\xff\0\0\0WEBPVP8 \xff\0\0\0\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 5000, 4000) + bytes(100),
        "5000×4000 pixels",
    ),
    "jpeg 2000 of a large size": (J2K[:8] + struct.pack(">II", 60_000, 60_000) + J2K[16:], "60000×60000 pixels"),
    "jpeg 2000 of many segments": (J2K[:AFTER_SIZ] + b"\xff\x52\0\2" * 501 + J2K[AFTER_SIZ:], "500 segments"),
}


@pytest.mark.parametrize(("content", "words"), REFUSED.values(), ids=list(REFUSED))
def test_a_hostile_file_is_refused_before_it_costs_seconds(tmp_path, content, words):
    path = tmp_path / "hostile"
    path.write_bytes(content)
    start = time.process_time()
    for read in (images.image_size, images.read_image, images.read_mask_values):
        with pytest.raises(ImageError) as caught:
            read(path)
        assert str(caught.value).startswith(f"{path}: ")
        assert words in str(caught.value)
    assert time.process_time() - start < 10


def test_the_files_before_they_were_made_hostile_are_read(tmp_path):
    for k, content in enumerate((tiff(directory(STRIP)), JPEG, PROGRESSIVE, GIF, J2K)):
        (tmp_path / str(k)).write_bytes(content)
        assert images.read_image(tmp_path / str(k)).shape == (10, 10, 3)


def test_a_page_that_leads_back_to_itself_is_one_page(tmp_path):
    (tmp_path / "a.tif").write_bytes(tiff(directory(STRIP, START)))
    assert images.read_image(tmp_path / "a.tif")[0, :3, 0].tolist() == [0, 1, 2]


@pytest.mark.parametrize("start", [png()[:40], b"BM" + bytes(12) + b"\x28" + bytes(100)], ids=["png", "bmp"])
def test_a_file_of_more_than_300_mb_is_refused(tmp_path, start):
    with (tmp_path / "large").open("wb") as file:
        file.write(start)
        file.truncate(headers.MAX_BYTES + 1)
    with pytest.raises(ImageError, match="300,000,001 bytes are more than 300,000,000"):
        images.read_image(tmp_path / "large")


def test_a_large_run_length_coded_bmp_is_refused(tmp_path):
    head = (
        b"BM"
        + struct.pack("<IHHI", 0, 0, 0, 1078)
        + struct.pack("<IiiHHIIiiII", 40, 8000, 8000, 1, 8, 1, 0, 0, 0, 256, 0)
    )
    with (tmp_path / "runs.bmp").open("wb") as file:
        file.write(head + bytes(1024))
        file.truncate(headers.MAX_RUNS_BYTES + 1)
    with pytest.raises(ImageError, match="run-length coded BMP"):
        images.read_image(tmp_path / "runs.bmp")


def test_a_jpeg_of_as_many_scans_as_programs_write_is_read(tmp_path):
    (tmp_path / "scans.jpg").write_bytes(PROGRESSIVE[:-2] + LAST_SCAN * 20 + PROGRESSIVE[-2:])
    assert images.read_image(tmp_path / "scans.jpg").shape == (10, 10, 3)


READ = """
import re, sys
from pathlib import Path
from helpers import images
shape = images.read_image(sys.argv[1]).shape
# Not getrusage, which counts the process that has started this one, too.
print(shape, int(re.search("VmHWM:[^0-9]*([0-9]+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
@pytest.mark.parametrize("colour", [4, 6], ids=["grey", "RGB"])
def test_the_largest_transparent_picture_stays_below_1500_mb(tmp_path, colour):
    channels = {4: 2, 6: 4}[colour]
    row = b"\0" + bytes(range(200)) * (8000 * channels // 200)
    pressed = zlib.compress(row * 8000, 1)
    (tmp_path / "large.png").write_bytes(png(chunk(b"IDAT", pressed), width=8000, height=8000, colour=colour))
    done = subprocess.run(
        [sys.executable, "-c", READ, str(tmp_path / "large.png")],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    shape, _, peak = done.stdout.strip().rpartition(" ")
    assert shape == "(8000, 8000, 3)"
    assert int(peak) < 1500
