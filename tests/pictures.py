"""Small pictures and folders of them, for tests of datasets."""

import zlib

import numpy as np
from PIL import Image


def picture(seed=0, height=40, width=48):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def save(path, image=None, **options):
    """Save an image; without one, noise of its own for each place, so that no two files are copies."""
    seed = zlib.crc32("/".join(path.parts[-4:]).encode())
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture(seed) if image is None else image).save(path, **options)
    return path


def write(path, text, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", **options)
    return path


def truncate(path, keep=0.5):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])


def class_folder(root, classes=("healthy", "blast"), each=3):
    for c, label in enumerate(classes):
        for k in range(each):
            save(root / label / f"{k}.png", picture(10 * c + k))
    return root
