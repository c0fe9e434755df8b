"""Read one image safely, resize it, lay many out in a montage.

Every image in this project is ``uint8`` RGB of shape ``(height, width, 3)``, values 0 to 255. What a file may be:

=====================================================  ===========================================================
8-bit RGB (BMP, JPEG, PNG, TIFF)                       read as it is
8-bit greyscale, 1-bit, palette                        converted to RGB
transparency (RGBA, LA, palette with a clear colour)   laid over white, the colour of an empty field
EXIF orientation of a JPEG or TIFF (telephone)         turned upright
CMYK, YCbCr or Lab TIFF, 16-bit, floating point        refused: the conversion would be a guess
more than one frame or page                            refused: which one is meant is not known
more than 64 million pixels                            refused before decoding (decompression bomb)
=====================================================  ===========================================================
"""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError
from tqdm import tqdm

from helpers.errors import LeukobookError
from helpers.files import write_bytes

MAX_PIXELS = 64_000_000
FORMATS = ("BMP", "JPEG", "PNG", "TIFF")
SUFFIXES = frozenset({".bmp", ".jpg", ".jpeg", ".png", ".tif", ".tiff"})
_CONVERTED = frozenset({"RGB", "L", "1", "P", "RGBA", "LA", "PA"})

_DAMAGED = (OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, struct.error, zlib.error)

cv2.setNumThreads(1)  # threads work on whole images; OpenCV's own would compete with them


class ImageError(LeukobookError):
    """An image file that cannot be used; the message names the file, what is wrong and what to do."""


def _open(path: Path) -> Image.Image:
    """Open a file and judge its header; no pixel is decoded yet."""
    try:
        if path.stat().st_size == 0:
            raise ImageError(f"{path}: the file is empty; fetch it again")
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"PIL\.")  # what it warns of is judged here
            image = Image.open(path, formats=FORMATS)
            try:
                problem = _header_problem(image)
            except BaseException:
                image.close()
                raise
    except FileNotFoundError:
        raise ImageError(f"{path}: no such file; check the folder, or fetch the dataset again") from None
    except PermissionError:
        raise ImageError(f"{path}: not readable; give yourself read permission (chmod u+r)") from None
    except UnidentifiedImageError:
        raise ImageError(f"{path}: not an image in {', '.join(FORMATS)}; remove it or save it as PNG") from None
    except Image.DecompressionBombError:
        raise ImageError(f"{path}: far more than {MAX_PIXELS:,} pixels; crop it into tiles") from None
    except _DAMAGED as error:
        if isinstance(error, ImageError):
            raise
        raise ImageError(f"{path}: the header cannot be read ({error}); fetch the file again") from None
    if problem:
        image.close()
        raise ImageError(f"{path}: {problem}")
    return image


def _header_problem(image: Image.Image) -> str | None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        return f"{width}×{height} pixels is more than {MAX_PIXELS:,}; crop it into tiles"
    if width < 1 or height < 1:
        return f"{width}×{height} pixels is no picture; remove it"
    if image.mode not in _CONVERTED:
        return f"mode {image.mode} (CMYK, 16-bit, float or the like) is not supported; save it as 8-bit RGB"
    if getattr(image, "n_frames", 1) > 1:
        return f"{image.n_frames} frames or pages; save the one you mean as a file of its own"
    _orientation(image)
    return None


def check_header(path: str | Path) -> tuple[int, int]:
    """Size of an image as ``(height, width)``, from its header alone.

    Raises:
        ImageError: the file is missing, unreadable, empty, not an image, too large or of a mode that is refused.
    """
    with _open(Path(path)) as image:
        width, height = image.size
        if image.format == "TIFF":  # Pillow may have turned image.size already, depending on its version
            width, height = image.tag_v2[ExifTags.Base.ImageWidth], image.tag_v2[ExifTags.Base.ImageLength]
        return (width, height) if _orientation(image) in (5, 6, 7, 8) else (height, width)


def _orientation(image: Image.Image) -> int:
    """EXIF orientation 1 (upright) to 8. PNG is left out: it may keep EXIF behind the pixels; cameras write JPEG."""
    return image.getexif().get(ExifTags.Base.Orientation, 1) if image.format in ("JPEG", "TIFF") else 1


def read(path: str | Path, at_least: int | None = None) -> np.ndarray:
    """Read one image as ``uint8`` RGB of shape ``(height, width, 3)``.

    Args:
        path: the file.
        at_least: if given, a JPEG may come at 1/2, 1/4 or 1/8 of its size as long as both sides keep at least this
            many pixels. The JPEG decoder then skips work, which is where most of the time goes.

    Raises:
        ImageError: the header is refused (see the table above), or the pixels are truncated or corrupt.
    """
    path = Path(path)
    with _open(path) as image:
        if at_least is not None:
            image.draft("RGB", (at_least, at_least))
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", module=r"PIL\.")
                image.load()
                if _orientation(image) != 1:
                    image = ImageOps.exif_transpose(image)
            return np.asarray(_to_rgb(image))
        except _DAMAGED as error:
            raise ImageError(f"{path}: truncated or corrupt ({error}); fetch the file again") from None


def read_batches(
    paths: list[Path], bad: list[str], doing: str, batch: int = 16
) -> Iterator[list[tuple[Path, np.ndarray]]]:
    """Images with their paths, a few at a time, so that a folder of any length fits into memory; shows progress.

    Args:
        paths: of the images.
        bad: gets a line for every image that cannot be read, which is left out.
        doing: what the progress bar says.
        batch: images at a time, at most.
    """
    with tqdm(total=len(paths), desc=doing, unit="image", delay=2, leave=False) as bar:
        for start in range(0, len(paths), batch):
            part = paths[start : start + batch]
            found = []
            for path in part:
                try:
                    found.append((path, read(path)))
                except ImageError as error:
                    bad.append(str(error))
            if found:
                yield found
            bar.update(len(part))


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.convert("RGB")


def read_grey(path: str | Path) -> np.ndarray:
    """Read one image as ``uint8`` grey of shape ``(height, width)``: for mask files. Raises as :func:`read` does."""
    return read(path)[..., 0]


def _fitted(height: int, width: int, size: int) -> tuple[int, int, int, int]:
    """Height and width after scaling the longer side to ``size``, and the padding above and to the left."""
    scale = size / max(height, width)
    new_height, new_width = max(1, round(height * scale)), max(1, round(width * scale))
    return new_height, new_width, (size - new_height) // 2, (size - new_width) // 2


def resize(image: np.ndarray, size: int) -> np.ndarray:
    """Scale an image to ``(size, size, 3)``, keeping its aspect; the rest is filled with the median border colour.

    Shrinking to less than half averages over the pixels that fall together (no aliasing); nearer to 1, bilinear
    interpolation leaves no pixel out either and is faster. The median of the border is the empty field on a
    smear and black where the background has been removed, so no edge appears that a network could learn.

    Args:
        image: ``uint8 (height, width, 3)``.
        size: side of the result in pixels.
    """
    height, width = image.shape[:2]
    if (height, width) == (size, size):
        return image
    new_height, new_width, top, left = _fitted(height, width, size)
    method = cv2.INTER_AREA if max(height, width) > 2 * size else cv2.INTER_LINEAR
    scaled = cv2.resize(image, (new_width, new_height), interpolation=method)
    if (new_height, new_width) == (size, size):
        return scaled
    border = np.concatenate([scaled[0], scaled[-1], scaled[:, 0], scaled[:, -1]])
    result = np.empty((size, size, 3), np.uint8)
    result[:] = np.median(border, axis=0)
    result[top : top + new_height, left : left + new_width] = scaled
    return result


def resize_mask(mask: np.ndarray, size: int) -> np.ndarray:
    """Scale a label mask as :func:`resize` scales its image: nearest neighbour, padded with 0 (background).

    Args:
        mask: ``uint8 (height, width)`` of labels.
        size: side of the result in pixels.
    """
    height, width = mask.shape
    new_height, new_width, top, left = _fitted(height, width, size)
    result = np.zeros((size, size), np.uint8)
    scaled = cv2.resize(mask, (new_width, new_height), interpolation=cv2.INTER_NEAREST_EXACT)
    result[top : top + new_height, left : left + new_width] = scaled
    return result


def restore_mask(mask: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bring a mask that was predicted on a :func:`resize`-d image back to the image's own size.

    Args:
        mask: ``uint8 (size, size)`` of labels.
        height, width: of the image before it was resized.
    """
    new_height, new_width, top, left = _fitted(height, width, len(mask))
    inside = mask[top : top + new_height, left : left + new_width]
    return cv2.resize(inside, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)


def eight_views(pictures: np.ndarray) -> list[np.ndarray]:
    """The eight flips and quarter turns of square pictures ``(n, size, size, …)``, all of them as they are first."""
    return [np.rot90(way, turn, (1, 2)) for way in (pictures, pictures[:, :, ::-1]) for turn in range(4)]


def write_png(path: Path, picture: np.ndarray) -> None:
    """Write a picture as PNG, whole or not at all.

    Args:
        path: its folder must be there.
        picture: ``uint8``: grey ``(height, width)``, RGB ``(…, 3)`` or RGB with a fourth channel ``(…, 4)``.
    """
    if picture.ndim == 3:
        picture = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR if picture.shape[2] == 3 else cv2.COLOR_RGBA2BGRA)
    _, coded = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    write_bytes(path, coded.tobytes())


def montage(images: np.ndarray, columns: int, gap: int = 2) -> np.ndarray:
    """Lay images out in rows on white.

    Args:
        images: ``uint8 (n, height, width, 3)``, in reading order.
        columns: images in a row.
        gap: white pixels between neighbours.

    Returns:
        ``uint8 (rows * (height + gap) - gap, columns * (width + gap) - gap, 3)``.
    """
    n, height, width, _ = images.shape
    rows = -(-n // columns)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, np.uint8)
    for k, image in enumerate(images):
        top, left = k // columns * (height + gap), k % columns * (width + gap)
        sheet[top : top + height, left : left + width] = image
    return sheet
