"""Copies of a picture as they occur in sets of blood cells, planted to see whether they are found."""

import cv2
import numpy as np


def copies_of(picture, random):
    """Return a picture turned and mirrored, cut out anew, out of focus, and zoomed, each stored as a JPEG."""
    height, width = picture.shape[:2]
    top, left = (int(random.integers(0, side // 10)) for side in (height, width))
    crop = picture[top : top + int(0.9 * height), left : left + int(0.9 * width)]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), float(random.uniform(0, 360)), 1.1)
    changed = {
        "view": np.rot90(picture)[:, ::-1],
        "crop": np.rot90(crop, 2),
        "focus": cv2.GaussianBlur(picture, (0, 0), 2.0)[::-1],
        "zoom": cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REFLECT),
    }
    return {kind: as_jpeg(copy) for kind, copy in changed.items()}


def as_jpeg(picture):
    written = cv2.imencode(".jpg", np.ascontiguousarray(picture[:, :, ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
    return cv2.imdecode(written, cv2.IMREAD_COLOR)[:, :, ::-1]


def turned_onto_black(picture, random):
    """Rotate by up to 15 degrees, shear by up to 10, as augmented sets of fields do; the corners become black."""
    height, width = picture.shape[:2]
    angle, *shear = np.deg2rad([random.uniform(-15, 15), *random.uniform(-10, 10, 2)])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = turn @ np.array([[1, np.tan(shear[0])], [np.tan(shear[1]), 1]])
    middle = np.array([width / 2, height / 2])
    matrix = np.column_stack([linear, middle - linear @ middle])
    return as_jpeg(cv2.warpAffine(picture, matrix, (width, height)))
