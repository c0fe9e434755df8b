"""Read, check and write single image and mask files; see :mod:`helpers.images` for the supported formats."""

from __future__ import annotations

import contextlib
import struct
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile
from tqdm import tqdm

from helpers.errors import LeukobookError
from helpers.files import irregular_file_kind, write_bytes
from helpers.images.headers import MAX_PIXELS, detect_format, find_header_problem

FORMATS = ("BMP", "GIF", "JPEG", "JPEG2000", "PNG", "TIFF", "WEBP")
SUFFIXES = frozenset(
    {".bmp", ".gif", ".j2k", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".mpo", ".png", ".tif", ".tiff", ".webp"}
)
_CONVERTED = frozenset({"RGB", "L", "1", "P", "RGBA", "LA", "PA"})
_AS_IMAGE, _AS_MASK = "save it as 8-bit RGB", "save the labels as 8-bit greyscale"
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip
_BAND_PIXELS = 4_000_000

_DAMAGED = (OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, struct.error, zlib.error)


class ImageError(LeukobookError):
    """Unusable image file; the message gives the file, the problem and a remedy."""


@contextlib.contextmanager
def _opened(path: Path, remedy: str = _AS_IMAGE) -> Iterator[Image.Image]:
    """Open a file and check its header, without decoding pixels."""
    try:
        if kind := irregular_file_kind(path):
            raise ImageError(f"{path}: {kind}, not an image file; give the file of an image")
        length = path.stat().st_size
        if length == 0:
            raise ImageError(f"{path}: the file is empty; fetch it again")
        file = path.open("rb")
    except FileNotFoundError:
        raise ImageError(f"{path}: no such file; check the folder, or fetch the dataset again") from None
    except PermissionError:
        raise ImageError(f"{path}: not readable; give yourself read permission (chmod u+r)") from None
    except (OSError, ValueError) as error:
        if isinstance(error, ImageError):
            raise
        raise ImageError(f"{path}: cannot be opened ({error}); check the path") from None
    with file:
        yield _open_checked(path, file, length, remedy)


def _open_checked(path: Path, file, length: int, remedy: str) -> Image.Image:
    try:
        kind = detect_format(file.read(32))
        if kind is None:
            raise UnidentifiedImageError
        file.seek(0)
        problem = find_header_problem(file, kind, length=length, remedy=remedy)
        if not problem:
            file.seek(0)
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", module=r"PIL\.")  # its warnings are checked here
                image = Image.open(file, formats=(kind,))  # only the format whose header was checked
                problem = _mode_problem(image, remedy)
    except UnidentifiedImageError:
        raise ImageError(f"{path}: not an image in {', '.join(FORMATS)}; remove it or save it as PNG") from None
    except Image.DecompressionBombError:
        raise ImageError(f"{path}: far more than {MAX_PIXELS:,} pixels; crop it into tiles") from None
    except _DAMAGED as error:
        raise ImageError(f"{path}: the header cannot be read ({error}); fetch the file again") from None
    if problem:
        raise ImageError(f"{path}: {problem}")
    return image


def _mode_problem(image: Image.Image, remedy: str) -> str | None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        return f"{width}×{height} pixels is more than {MAX_PIXELS:,}; crop it into tiles"
    if width < 1 or height < 1:
        return f"{width}×{height} pixels is no picture; remove it"
    if image.mode not in _CONVERTED:
        return f"mode {image.mode} (CMYK, 16-bit, float or the like) is not supported; {remedy}"
    if (
        image.format in ("PNG", "WEBP") and getattr(image, "n_frames", 1) > 1
    ):  # the header check covers the other formats
        return "more than one frame; save the one you mean as a file of its own"
    _orientation(image)
    return None


def is_image(path: Path) -> bool:
    """Detect an image file from its first 32 bytes, whatever its suffix; see :data:`FORMATS`.

    Returns:
        ``False`` also for a folder, a pipe, and a file that is missing or not readable.
    """
    try:
        if irregular_file_kind(path):
            return False
        with path.open("rb") as file:
            return detect_format(file.read(32)) is not None
    except OSError:
        return False


def image_size(path: str | Path, mask: bool = False) -> tuple[int, int]:
    """Read the size of an image, ``(height, width)`` in pixels, from its header.

    Args:
        path: image or mask file.
        mask: whether the file is a mask, for the remedy in the message.

    Raises:
        ImageError: the file is missing, not readable, empty, not an image, too large or of an unsupported mode.
    """
    with _opened(Path(path), _AS_MASK if mask else _AS_IMAGE) as image:
        width, height = image.size
        if isinstance(image, TiffImageFile):  # some versions of Pillow already rotate image.size
            width, height = image.tag_v2[ExifTags.Base.ImageWidth], image.tag_v2[ExifTags.Base.ImageLength]
        return (width, height) if _orientation(image) in (5, 6, 7, 8) else (height, width)


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 (upright) to 8; PNG is not checked, because its EXIF may follow the pixels."""
    orientation = image.getexif().get(ExifTags.Base.Orientation, 1) if image.format in ("JPEG", "MPO", "TIFF") else 1
    return orientation if orientation in _UPRIGHT else 1


def _decoded(image: Image.Image) -> Image.Image:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        image.load()
        orientation = _orientation(image)  # after loading: some versions of Pillow rotate a TIFF then
    return image.transpose(_UPRIGHT[orientation]) if orientation != 1 else image


def read_image(path: str | Path, min_size: int | None = None) -> np.ndarray:
    """Read an image as ``uint8 (height, width, 3)`` RGB.

    Args:
        path: image file.
        min_size: if set, a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size, with both sides at least this many
            pixels, which saves most of the decoding time.

    Raises:
        ImageError: the file is not supported (see :mod:`helpers.images`), or its pixels are truncated or corrupt.
    """
    path = Path(path)
    with _opened(path) as image:
        if min_size is not None:
            image.draft("RGB", (min_size, min_size))
        try:
            image = _decoded(image)
            pixels = _rgb(image)
        except _DAMAGED as error:
            raise ImageError(f"{path}: truncated or corrupt ({error}); fetch the file again") from None
    first = pixels[0, 0]
    if (pixels[::16, ::16] == first).all() and (pixels == first).all():  # every 16th pixel first, for speed
        if _has_alpha(image) and image.convert("RGBA").getchannel("A").getextrema()[1] == 0:
            raise ImageError(f"{path}: wholly transparent, so nothing is seen; save it without its alpha channel")
        colour = ", ".join(map(str, first))
        raise ImageError(f"{path}: one single colour ({colour}), so there is no cell on it; remove it")
    return pixels


def _has_alpha(image: Image.Image) -> bool:
    return image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info


def _rgb(image: Image.Image) -> np.ndarray:
    if not _has_alpha(image):
        return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
    width, height = image.size
    pixels, rows = np.empty((height, width, 3), np.uint8), max(1, _BAND_PIXELS // width)
    for top in range(0, height, rows):  # in bands: four copies of a large image would not fit into memory
        band = image.crop((0, top, width, min(top + rows, height))).convert("RGBA")
        white = Image.new("RGBA", band.size, "white")
        pixels[top : top + rows] = np.asarray(Image.alpha_composite(white, band).convert("RGB"))
    return pixels


def read_batches(
    paths: list[Path], unreadable: list[str], description: str, batch_size: int = 16
) -> Iterator[list[tuple[Path, np.ndarray]]]:
    """Read images in batches with a progress bar, so that a folder of any length fits into memory.

    Args:
        paths: image files.
        unreadable: list to which the error messages of unreadable images are appended; these are skipped.
        description: text of the progress bar.
        batch_size: maximum number of images per batch; a batch ends earlier when it exceeds :data:`MAX_PIXELS`.

    Yields:
        Lists of pairs of path and image ``uint8 (height, width, 3)``.
    """
    batch, pixels = [], 0
    for path in tqdm(paths, desc=description, unit="image", delay=2, leave=False):
        try:
            image = read_image(path)
        except ImageError as error:
            unreadable.append(str(error))
            continue
        batch.append((path, image))
        pixels += image.shape[0] * image.shape[1]
        if len(batch) == batch_size or pixels > MAX_PIXELS:
            yield batch
            batch, pixels = [], 0
    if batch:
        yield batch


def describe_unreadable(unreadable: list[str]) -> str:
    """Format the error message for the case that no image of a command is readable and nothing is written."""
    return "\n".join(
        [
            f"none of {len(unreadable)} images can be read, so nothing is written",
            *(f"  - {line}" for line in unreadable),
        ]
    )


def read_mask_values(path: str | Path) -> np.ndarray:
    """Read the values of a mask file as stored: labels or grey values, not the colours that a viewer shows.

    Returns:
        ``uint8 (height, width)``: palette indices; grey values, also if stored as three equal channels; or the alpha
        channel, if all colours are equal. ``uint8 (height, width, 3)`` if the file contains colours.

    Raises:
        ImageError: as :func:`read_image`, or both colours and alpha contain values.
    """
    path = Path(path)
    with _opened(path, _AS_MASK) as image:
        try:
            image = _decoded(image)
            if image.mode == "1":
                image = image.convert("L")
            if image.mode in ("P", "L"):
                return np.asarray(image)
            pixels = np.asarray(image.convert("RGBA") if image.mode in ("LA", "PA") else image)
        except _DAMAGED as error:
            raise ImageError(f"{path}: truncated or corrupt ({error}); fetch the file again") from None
    colours = pixels[..., :3]
    if (colours == colours[..., :1]).all():
        colours = colours[..., 0]
    if pixels.shape[2] == 3 or (pixels[..., 3] == 255).all():
        return np.ascontiguousarray(colours)
    alpha = pixels[..., 3]
    if (colours == colours[0, 0]).all():
        return np.ascontiguousarray(alpha)
    transparent, coloured = alpha == 0, colours.reshape(*alpha.shape, -1).any(axis=2)
    if ((transparent | coloured) & (transparent | (alpha == 255))).all() and not transparent.all():
        colours = colours.copy()
        colours[transparent] = 0
        return colours
    raise ImageError(f"{path}: values in the colours and in the transparency; save the labels as 8-bit greyscale")


def read_mask(path: str | Path) -> np.ndarray:
    """Read a mask file as ``uint8 (height, width)``; reject colours; see :func:`helpers.images.read_mask_values`."""
    values = read_mask_values(path)
    if values.ndim == 3:
        raise ImageError(f"{path}: holds colours; {_AS_MASK}")
    return values


def write_png(path: Path, image: np.ndarray) -> None:
    """Write an image as PNG atomically.

    Args:
        path: output file in an existing folder.
        image: ``uint8``: grey ``(height, width)``, RGB ``(…, 3)`` or RGB with a fourth channel ``(…, 4)``.
    """
    if image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_RGB2BGR if image.shape[2] == 3 else cv2.COLOR_RGBA2BGRA)
    _, coded = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    write_bytes(path, coded.tobytes())
