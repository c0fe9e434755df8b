"""Read one image safely, resize it, lay many out in a montage.

Every image in this project is ``uint8`` RGB of shape ``(height, width, 3)``, values 0 to 255. A file is what is in it,
whatever its suffix:

=====================================================  ===========================================================
8-bit RGB (BMP, GIF, JPEG, JPEG 2000, PNG, TIFF,       read as it is
WebP)
8-bit greyscale, 1-bit, palette                        converted to RGB
transparency (RGBA, LA, palette with a clear colour)   laid over white, the colour of an empty field
EXIF orientation of a JPEG or TIFF (telephone)         turned upright
several frames in a JPEG (MPO, telephone)              the first is the photograph
CMYK, YCbCr or Lab TIFF, 16-bit, floating point        refused: the conversion would be a guess
more than one frame or page otherwise                  refused: which one is meant is not known
wholly transparent, or of one single colour            refused: there is no cell on it
more than 64 million pixels (WebP, JPEG 2000: 16)      refused before decoding (decompression bomb)
=====================================================  ===========================================================

The other bounds of a file are in :mod:`helpers.images.headers`.
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
