"""Check formats, bit depths and limits of image files from their first bytes, without decoding pixels.

Pillow detects format and mode, but silently reduces 16-bit colour to 8 bits, and follows declared structures without
limit. Therefore the header is read here first, in a bounded number of steps:

======================================================  ==============================================================
more than 300 MB                                        refused (64 million pixels of 4 bytes are 256 MB)
WebP and JPEG 2000 above 16 million pixels              refused: their decoders need up to 30 bytes per pixel
more than 8 bits per channel, signed or floating point  refused: the conversion would be a guess
a second page or frame                                  refused; of a JPEG (MPO, telephones) the first frame is read
TIFF: 4,096 tags, 16 MiB of tags, tiles of 64 Mpixels   more, or a repeated tag, is refused
JPEG: 500 segments, 64 KiB of fill bytes, 32 scans      more is refused
PNG: 100,000 chunks; GIF: 1,000,000 blocks              more is refused
run-length encoded BMP: 4 MiB                           more is refused: Pillow decodes it in Python
======================================================  ==============================================================
"""

from __future__ import annotations

import mmap
import re
import struct
from collections.abc import Callable
from typing import BinaryIO

MAX_PIXELS = 64_000_000
MAX_PIXELS_COSTLY = 16_000_000
MAX_BYTES = 300_000_000
MAX_TAGS, MAX_TAG_BYTES = 4096, 16 * 2**20
MAX_SEGMENTS, MAX_FILLING, MAX_SCANS = 500, 2**16, 32
MAX_CHUNKS, MAX_BLOCKS = 100_000, 1_000_000
MAX_RUNS_BYTES = 4 * 2**20
MAX_COMMENT_BYTES = 2**20

_SIGNATURES = (
    ("PNG", b"\x89PNG\r\n\x1a\n"), ("JPEG", b"\xff\xd8\xff"), ("GIF", b"GIF87a"), ("GIF", b"GIF89a"),
    ("TIFF", b"II*\0"), ("TIFF", b"MM\0*"), ("TIFF", b"II+\0"), ("TIFF", b"MM\0+"),
    ("JPEG2000", b"\0\0\0\x0cjP  \r\n\x87\n"), ("JPEG2000", b"\xff\x4f\xff\x51"),
)  # fmt: skip
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
_CHANNELS = {1: "greyscale", 2: "greyscale with alpha", 3: "RGB", 4: "RGBA"}


def detect_format(head: bytes) -> str | None:
    """Detect the format of a file from its first 32 bytes; return Pillow's name of it, or ``None``."""
    for name, signature in _SIGNATURES:
        if head.startswith(signature):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[:2] == b"BM" and head[14:18] in {bytes([n, 0, 0, 0]) for n in (12, 40, 52, 56, 64, 108, 124)}:
        return "BMP"
    return None


def find_header_problem(file: BinaryIO, kind: str, *, length: int, remedy: str) -> str | None:
    """Find a problem in the header of an image file.

    Args:
        file: binary file open at its start; its position changes.
        kind: its format, from :func:`detect_format`.
        length: size of the file in bytes.
        remedy: remedy for an unsupported bit depth.

    Returns:
        The problem and its remedy; ``None`` if there is none.

    Raises:
        OSError, struct.error, IndexError: the header is truncated.
    """
    if length > MAX_BYTES:
        return f"{length:,} bytes are more than {MAX_BYTES:,}; crop it into tiles"
    return _CHECKS[kind](file, length, remedy)


def _too_deep(bits: int, channels: str, remedy: str) -> str:
    return f"{bits}-bit {channels} is not supported; {remedy}"


def _several(what: str) -> str:
    return f"more than one {what}; save the one you mean as a file of its own"


def _too_many(what: str) -> str:
    return f"{what}, more than any camera or program writes; open it in an image program and save it anew"


def _too_large(width: int, height: int, limit: int) -> str | None:
    return f"{width}×{height} pixels is more than {limit:,}; crop it into tiles" if width * height > limit else None


def _png(file: BinaryIO, length: int, remedy: str) -> str | None:
    head = file.read(33)
    if head[12:16] != b"IHDR":
        return "does not begin with its size; open it in an image program and save it anew"
    depth, colour = head[24], head[25]
    if depth > 8:
        return _too_deep(depth, {0: "greyscale", 4: "greyscale with alpha", 6: "RGBA"}.get(colour, "RGB"), remedy)
    if length < 12 * MAX_CHUNKS:
        return None
    for _ in range(MAX_CHUNKS):
        start = file.read(8)
        if len(start) < 8 or start[4:] == b"IEND":
            return None
        file.seek(struct.unpack(">I", start[:4])[0] + 4, 1)
    return _too_many(f"more than {MAX_CHUNKS:,} chunks")


def _jpeg(file: BinaryIO, length: int, remedy: str) -> str | None:
    file.seek(2)
    filling = segments = channels = 0
    several_scans = False
    while segments < MAX_SEGMENTS and filling < MAX_FILLING:
        byte = file.read(1)
        if not byte:
            return None
        marker = file.read(1)[0] if byte == b"\xff" else 0
        if marker == 0xFF:
            file.seek(-1, 1)
        if marker in (0, 0xFF):
            filling += 1
            continue
        segments += 1
        if marker == 0x01 or 0xD0 <= marker <= 0xD9:
            continue
        body = struct.unpack(">H", file.read(2))[0] - 2
        if marker == 0xDA:
            several_scans |= file.read(1)[0] < channels
            return _scans(file) if several_scans else None
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            frame = file.read(6)
            depth, channels, body = frame[0], frame[5], body - 6
            several_scans = marker in (0xC2, 0xC6, 0xCA, 0xCE)
            if depth != 8:
                return _too_deep(depth, "JPEG", remedy)
        file.seek(max(body, 0), 1)
    return _too_many(f"{segments} segments and {filling:,} bytes of filling before the picture")


def _scans(file: BinaryIO) -> str | None:
    """Count the scans of a JPEG; each scan covers the whole image, however few bytes it has."""
    scans = segments = 1
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        position = file.tell()
        while (match := _MARKER.search(content, position)) and match[0] != b"\xff\xd9":
            scans += match[0] == b"\xff\xda"
            segments += 1
            if scans > MAX_SCANS or segments > MAX_SEGMENTS:
                return _too_many(f"{scans} scans and {segments} segments")
            position = match.end() + int.from_bytes(content[match.end() : match.end() + 2], "big")
    return None


def _bmp(file: BinaryIO, length: int, remedy: str) -> str | None:
    head = file.read(34)
    coded = head[14] != 12 and struct.unpack("<I", head[30:34])[0] in (1, 2)
    if coded and length > MAX_RUNS_BYTES:
        return f"{length:,} bytes of run-length coded BMP are more than {MAX_RUNS_BYTES:,}; save it as PNG"
    return None


def _webp(file: BinaryIO, length: int, remedy: str) -> str | None:
    head = file.read(40)
    kind, body = head[12:16], head[20:]
    if kind == b"VP8X":
        if body[0] & 2:
            return _several("frame")
        width, height = (1 + int.from_bytes(body[k : k + 3], "little") for k in (4, 7))
    elif kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    else:
        width, height = (value & 0x3FFF for value in struct.unpack("<HH", body[6:10]))
    return _too_large(width, height, MAX_PIXELS_COSTLY)


def _gif(file: BinaryIO, length: int, remedy: str) -> str | None:
    flags = file.read(13)[10]
    file.seek(_table(flags), 1)
    blocks = comment = pictures = 0
    while blocks < MAX_BLOCKS and comment < MAX_COMMENT_BYTES:
        kind = file.read(1)
        if kind in (b"", b";"):
            return None
        if kind == b",":
            pictures += 1
            if pictures > 1:
                return _several("frame")
            file.seek(_table(file.read(9)[8]) + 1, 1)
        elif kind == b"!":
            is_picture = file.read(1) in (b"\xf9", b"\x01")
        else:
            blocks += 1
            continue
        while size := file.read(1):
            blocks += 1
            if size == b"\0" or blocks >= MAX_BLOCKS:
                break
            comment += 0 if kind == b"," or is_picture else size[0]
            file.seek(size[0], 1)
    return _too_many(f"{blocks:,} blocks and {comment:,} bytes of comment")


def _table(flags: int) -> int:
    """Return the size of a colour table in bytes."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _jpeg2000(file: BinaryIO, length: int, remedy: str) -> str | None:
    if file.read(4) != b"\xff\x4f\xff\x51":
        file.seek(0)
        for _ in range(MAX_SEGMENTS):
            size, kind = struct.unpack(">I4s", file.read(8))
            if kind == b"jp2c":
                file.seek(4 + (8 if size == 1 else 0), 1)
                break
            file.seek(max(0, struct.unpack(">Q", file.read(8))[0] - 16) if size == 1 else max(0, size - 8), 1)
        else:
            return _too_many(f"more than {MAX_SEGMENTS} boxes")
    segment, x1, y1, x0, y0, channels = struct.unpack(">HxxIIII16xH", file.read(38))
    depths = file.read(3 * channels)[::3]
    width, height = max(0, x1 - x0), max(0, y1 - y0)
    if max(depths) & 0x7F > 7:
        return _too_deep((max(depths) & 0x7F) + 1, _CHANNELS.get(channels, "image"), remedy)
    file.seek(segment - 38 - 3 * channels, 1)
    for _ in range(MAX_SEGMENTS):
        marker, body = struct.unpack(">HH", file.read(4))
        if marker == 0xFF90:
            return _too_large(width, height, MAX_PIXELS_COSTLY)
        file.seek(max(0, body - 2), 1)
    return _too_many(f"more than {MAX_SEGMENTS} segments")


def _tiff(file: BinaryIO, length: int, remedy: str) -> str | None:
    head = file.read(16)
    order = "<" if head[:2] == b"II" else ">"
    big = 43 in head[2:4]
    first = struct.unpack(order + ("Q" if big else "I"), head[8:16] if big else head[4:8])[0]
    count_of, entry, wide = ("Q", "HHQ8s", "Q") if big else ("H", "HHI4s", "I")
    file.seek(first)
    count = struct.unpack(order + count_of, file.read(struct.calcsize(order + count_of)))[0]
    if count > MAX_TAGS:
        return _too_many(f"{count:,} tags")
    table = file.read(count * struct.calcsize(order + entry))
    following = struct.unpack(order + wide, file.read(struct.calcsize(order + wide)))[0]
    tags, weight = {}, 0
    for tag, kind, number, value in struct.iter_unpack(order + entry, table):
        size = number * _SIZES.get(kind, 0)
        weight += size
        if tag in tags:  # readers differ in which one they use
            return f"TIFF with tag {tag} twice; {remedy}"
        tags[tag] = (kind, number, size, value)
    if weight > MAX_TAG_BYTES:
        return _too_many(f"{weight:,} bytes of tags")

    def values(tag: int, otherwise: int) -> tuple[int, ...]:
        kind, number, size, value = tags.get(tag, (3, 0, 0, b""))
        if kind not in _INTEGERS or not 0 < number <= 16:
            return (otherwise,)
        if size > len(value):
            file.seek(struct.unpack(order + wide, value)[0])
            value = file.read(size)
        return struct.unpack(f"{order}{number}{_INTEGERS[kind]}", value[:size])

    bits, channels = max(values(258, 1)), _CHANNELS.get(values(277, 1)[0], "TIFF")
    if values(339, 1)[0] == 3:
        return f"{bits}-bit floating point is not supported; {remedy}"
    if bits > 8 or values(339, 1)[0] not in (1, 4):  # 1 unsigned, 4 undefined
        return _too_deep(bits, channels if bits > 8 else f"signed {channels}", remedy)
    if values(262, 0)[0] == 6 and values(259, 1)[0] == 1:  # Pillow below 13 reads these as RGB
        return f"uncompressed YCbCr is not supported; {remedy}"
    if following not in (0, first):
        return _several("page")
    return _too_large(values(322, 0)[0], values(323, 0)[0], MAX_PIXELS)


_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_INTEGERS = {1: "B", 3: "H", 4: "I", 16: "Q"}
_CHECKS: dict[str, Callable[[BinaryIO, int, str], str | None]] = {
    "PNG": _png, "JPEG": _jpeg, "BMP": _bmp, "WEBP": _webp, "GIF": _gif, "JPEG2000": _jpeg2000, "TIFF": _tiff,
}  # fmt: skip
