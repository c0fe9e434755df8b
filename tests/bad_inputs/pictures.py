"""Images that cannot be used, or that must be read although they look odd."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from bad_inputs.case import READ, Case, cells, check, encoded, endless, fifo, folder, loop, picture


def instead(write: Callable[[Path], None], name: str = "0.png") -> Callable[[Path], list[str]]:
    """A sound folder in which one image is another."""

    def make(place: Path) -> list[str]:
        root = cells(place)
        path = root / "blast" / "0.png"
        path.unlink()
        write(path.with_name(name))
        if name != path.name:
            table = root / "groups.csv"
            table.write_text(table.read_text().replace("blast/0.png", f"blast/{name}"))
        return check(root)

    return make


def content(data: bytes, name: str = "0.png") -> Callable[[Path], list[str]]:
    return instead(lambda path: path.write_bytes(data), name)


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *between: bytes) -> bytes:
    """A PNG of 8-bit RGB with that header, whose few pixels need not be as many."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + bytes(3 * min(width, 99)) for _ in range(min(height, 99))))
    ends = (chunk(b"IDAT", rows), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join([chunk(b"IHDR", header), *between, *ends])


def tiff(bits: int, samples: int, planar: int = 1, sample_format: int = 1, side: int = 40) -> bytes:
    """An uncompressed TIFF of noise, little endian."""
    pixels = np.random.default_rng(1).integers(0, 2 ** min(bits, 12), (samples, side, side))
    kind = {8: "<u1", 16: "<u2", 32: "<f4"}[bits]
    planes = pixels.astype(kind)
    data = planes.tobytes() if planar == 2 else planes.transpose(1, 2, 0).tobytes()
    plane = side * side * bits // 8
    strips = samples if planar == 2 else 1
    start = 8
    extra = start + len(data)
    tags = [
        (256, 3, 1, side), (257, 3, 1, side), (258, 3, samples, None), (259, 3, 1, 1),
        (262, 3, 1, 2 if samples >= 3 else 1), (273, 4, strips, None), (277, 3, 1, samples), (278, 3, 1, side),
        (279, 4, strips, None), (284, 3, 1, planar), (339, 3, samples, None),
    ]  # fmt: skip
    values = {
        258: struct.pack(f"<{samples}H", *[bits] * samples),
        273: struct.pack(f"<{strips}I", *[start + k * plane for k in range(strips)]),
        279: struct.pack(f"<{strips}I", *[plane if planar == 2 else len(data)] * strips),
        339: struct.pack(f"<{samples}H", *[sample_format] * samples),
    }
    entries, blob = b"", b""
    for tag, form, count, value in tags:
        if value is None and len(values[tag]) > 4:
            field = struct.pack("<I", extra + len(blob))
            blob += values[tag]
        elif value is None:
            field = values[tag].ljust(4, b"\0")
        else:
            field = struct.pack("<I", value)
        entries += struct.pack("<HHI", tag, form, count) + field
    offset = extra + len(blob)
    return b"II*\0" + struct.pack("<I", offset) + data + blob + struct.pack("<H", len(tags)) + entries + bytes(4)


def pages(count: int) -> bytes:
    """A TIFF whose pages are the same one again and again."""
    one = bytearray(encoded("TIFF", Image.fromarray(picture(1, 8, 8))))
    first = struct.unpack_from("<I", one, 4)[0]
    entries = struct.unpack_from("<H", one, first)[0]
    directory = bytes(one[first : first + 2 + 12 * entries])
    data, at = bytearray(one), first
    for _ in range(count - 1):
        following = len(data)
        struct.pack_into("<I", data, at + 2 + 12 * entries, following)
        data += directory + bytes(4)
        at = following
    return bytes(data)


def tiff_loop() -> bytes:
    """A TIFF whose only page says that it is followed by itself."""
    data = bytearray(encoded("TIFF"))
    first = struct.unpack_from("<I", data, 4)[0]
    struct.pack_into("<I", data, first + 2 + 12 * struct.unpack_from("<H", data, first)[0], first)
    return bytes(data)


def animated(kind: str) -> bytes:
    frames = [Image.fromarray(picture(k)) for k in range(3)]
    return encoded(kind, frames[0], save_all=True, append_images=frames[1:], duration=100)


def photograph() -> bytes:
    """What a telephone writes: a JPEG with a second, smaller one behind it (MPO)."""
    return encoded("MPO", Image.fromarray(picture(5)), save_all=True, append_images=[Image.fromarray(picture(6, 8, 8))])


def deep(kind: str, pixels: np.ndarray) -> bytes:
    return cv2.imencode(kind, pixels)[1].tobytes()


def cut(data: bytes, share: float) -> bytes:
    return data[: int(len(data) * share)]


def wrong_checksum() -> bytes:
    data = bytearray(encoded("PNG"))
    data[60] ^= 255
    return bytes(data)


GREY16 = np.random.default_rng(2).integers(0, 65536, (40, 36), np.uint16)
RGB16 = np.random.default_rng(2).integers(0, 65536, (40, 36, 3), np.uint16)
RGBA16 = np.dstack([RGB16, np.full((40, 36), 65535, np.uint16)])
CLEAR = np.dstack([picture(3), np.zeros((40, 36), np.uint8)])
ONE_COLOUR = np.full((40, 36, 3), 200, np.uint8)
BOMB = zlib.compress(bytes(200_000_000), 9)

CASES = [
    Case("an empty file", content(b""), ("0.png", "empty")),
    Case("text in a png", content(b"not a picture"), ("0.png", "not an image")),
    Case("a web page saved as jpg", content(b"<!DOCTYPE html><html>404</html>", "0.jpg"), ("0.jpg", "not an image")),
    Case("a pointer of git lfs", content(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"),
         ("0.png", "not an image")),
    Case("an svg", content(b'<svg xmlns="http://www.w3.org/2000/svg"/>'), ("0.png", "not an image")),
    Case("a pdf", content(b"%PDF-1.7\n1 0 obj\n"), ("0.png", "not an image")),
    Case("a postscript file", content(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"), ("0.png",)),
    Case("zeros", content(bytes(5000)), ("0.png", "not an image")),
    Case("half a png", content(cut(encoded("PNG"), 0.5)), ("0.png", "truncated")),
    Case("half a jpeg", content(cut(encoded("JPEG"), 0.5), "0.jpg"), ("0.jpg", "truncated")),
    Case("half a tiff", content(cut(encoded("TIFF"), 0.5), "0.tif"), ("0.tif",)),
    Case("half a bmp", content(cut(encoded("BMP"), 0.5), "0.bmp"), ("0.bmp", "truncated")),
    Case("a png with a wrong checksum", content(wrong_checksum()), ("0.png",)),
    Case("a png of ten thousand million pixels", content(png(100_000, 100_000)), ("0.png", "pixels")),
    Case("a png of no pixels", content(png(0, 40)), ("0.png",)),
    Case("a png with text of 200 MB", content(png(40, 36, chunk(b"zTXt", b"x\0\0" + BOMB))), ("0.png",)),
    Case("a png with a profile of 200 MB", content(png(40, 36, chunk(b"iCCP", b"x\0\0" + BOMB))), ("0.png",)),
    Case("a cmyk jpeg", content(encoded("JPEG", Image.new("CMYK", (36, 40), (9, 8, 7, 6))), "0.jpg"),
         ("0.jpg", "CMYK")),
    Case("a lab tiff", content(encoded("TIFF", Image.new("LAB", (36, 40))), "0.tif"), ("0.tif", "LAB")),
    Case("a png of 16-bit grey", content(deep(".png", GREY16)), ("0.png", "16-bit")),
    Case("a png of 16-bit rgb", content(deep(".png", RGB16)), ("0.png", "16-bit")),
    Case("a png of 16-bit rgb and alpha", content(deep(".png", RGBA16)), ("0.png", "16-bit")),
    Case("a tiff of 16-bit rgb", content(tiff(16, 3), "0.tif"), ("0.tif", "16-bit")),
    Case("a tiff of 16-bit rgb and alpha", content(tiff(16, 4), "0.tif"), ("0.tif",)),
    Case("a planar tiff of 16-bit rgb", content(tiff(16, 3, planar=2), "0.tif"), ("0.tif", "16-bit")),
    Case("a tiff of 12-bit grey in 16", content(tiff(16, 1), "0.tif"), ("0.tif", "16-bit")),
    Case("a tiff of floating point", content(tiff(32, 1, sample_format=3), "0.tif"), ("0.tif",)),
    Case("a tiff of floating-point rgb", content(tiff(32, 3, sample_format=3), "0.tif"), ("0.tif",)),
    Case("a tiff of three pages", content(pages(3), "0.tif"), ("0.tif", "page")),
    Case("a tiff of 20,000 pages", content(pages(20_000), "0.tif"), ("0.tif", "page")),
    Case("a tiff whose page is followed by itself", content(tiff_loop(), "0.tif"), ("12 images",), READ),
    Case("an animated gif", content(animated("GIF"), "0.gif"), ("0.gif", "frame")),
    Case("an animated png", content(animated("PNG")), ("0.png", "frame")),
    Case("an animated webp", content(animated("WEBP"), "0.webp"), ("0.webp", "frame")),
    Case("a picture that is clear all over", content(encoded("PNG", Image.fromarray(CLEAR))), ("0.png", "transparent")),
    Case("a picture of one colour", content(encoded("PNG", Image.fromarray(ONE_COLOUR))), ("0.png", "single colour")),
    Case("a pipe", instead(fifo), ("0.png",)),
    Case("a folder named like an image", instead(folder), ("0.png",)),
    Case("a link to itself", instead(loop), ("0.png",)),
    Case("a device without end", instead(endless), ("0.png",)),
    Case("a link to nowhere", instead(lambda path: path.symlink_to("gone.png")), ("0.png",)),
    Case("a photograph of a telephone", content(photograph(), "0.jpg"), ("12 images",), READ),
    Case("a png named jpg", content(encoded("PNG"), "0.jpg"), ("12 images",), READ),
    Case("a jpeg named jfif", content(encoded("JPEG"), "0.jfif"), ("12 images",), READ),
    Case("a webp", content(encoded("WEBP", lossless=True), "0.webp"), ("12 images",), READ),
    Case("a gif of one frame", content(encoded("GIF"), "0.gif"), ("12 images",), READ),
    Case("a jpeg 2000", content(encoded("JPEG2000"), "0.jp2"), ("12 images",), READ),
    Case("an image without suffix", content(encoded("PNG"), "0"), ("12 images",), READ),
    Case("a planar tiff of 8-bit rgb", content(tiff(8, 3, planar=2), "0.tif"), ("12 images",), READ),
    Case("a png of 1 bit", content(encoded("PNG", Image.fromarray(picture(3)).convert("1"))), ("12 images",), READ),
]  # fmt: skip
