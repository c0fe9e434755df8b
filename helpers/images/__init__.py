"""Read and write single images safely, resize them, and arrange them in a montage.

Every image in this project is ``uint8`` RGB of shape ``(height, width, 3)``, values 0 to 255. The format of a file is
recognised by its content, whatever its suffix:

=====================================================  ===========================================================
8-bit RGB (BMP, GIF, JPEG, JPEG 2000, PNG, TIFF,       read unchanged
WebP)
8-bit greyscale, 1-bit, palette                        converted to RGB
transparency (RGBA, LA, palette with alpha)            composited over white, the colour of an empty field
EXIF orientation of a JPEG or TIFF (telephone)         rotated upright
several frames in a JPEG (MPO, telephone)              the first frame, which is the photograph, is read
CMYK, YCbCr or Lab TIFF, 16-bit, floating point        refused: the conversion would be a guess
several frames or pages in other formats               refused: the intended one is unknown
completely transparent, or of one single colour        refused: there is no cell on it
more than 64 million pixels (WebP, JPEG 2000: 16)      refused before decoding (decompression bomb)
=====================================================  ===========================================================

:mod:`helpers.images.headers` lists the other limits.
"""

from helpers.images.files import (
    FORMATS,
    SUFFIXES,
    ImageError,
    describe_unreadable,
    image_size,
    is_image,
    read_batches,
    read_image,
    read_mask,
    read_mask_values,
    write_png,
)
from helpers.images.geometry import dihedral_views, montage, resize_pad, resize_pad_mask, undo_resize_pad
from helpers.images.headers import MAX_PIXELS

__all__ = [
    "FORMATS",
    "MAX_PIXELS",
    "SUFFIXES",
    "ImageError",
    "describe_unreadable",
    "dihedral_views",
    "image_size",
    "is_image",
    "montage",
    "read_batches",
    "read_image",
    "read_mask",
    "read_mask_values",
    "resize_pad",
    "resize_pad_mask",
    "undo_resize_pad",
    "write_png",
]
