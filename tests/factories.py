"""Small images, folders of them, and a model card, for tests of several rooms."""

import zlib

import numpy as np
from PIL import Image

from helpers import datasets

MODEL_CARD = {
    "purpose": "teaching and research; not for diagnosis",
    "model_type": "cnn",
    "network": "encoder",
    "classes": ["ill", "well"],
    "positive": "ill",
    "threshold": 0.31,
    "sensitivity_wanted": 0.95,
    "sensitivity_expected": 0.905,
    "sensitivity_assurance": 0.264,
    "size": 64,
    "input": {"dtype": "uint8", "low": 3.0, "high": 250.0, "mean": [1, 2, 3]},
    "sha256": "0" * 64,
    "data": {"name": "drawn", "title": "Synthetic cells", "sha256": "1" * 64},
    "split": "5 folds by group (patient); fold 0 tested, fold 1 chose epoch and threshold",
    "split_sizes": {
        name: {"images": 10 * k, "groups": k} for k, name in ((6, "train"), (2, "validation"), (2, "test"))
    },
    "test": {
        "AUC": {"value": 0.8123, "low": 0.7, "high": 0.9, "interval": "95 %", "n": 200, "groups": 20},
        "accuracy": {"value": 0.804, "low": 0.0, "high": 1.0, "interval": "range of groups", "n": 275, "groups": 3},
        "specificity": {"value": 0.5, "low": None, "high": None, "interval": "none", "n": 10, "groups": 1},
        "sensitivity": {"value": None, "low": None, "high": None, "interval": "none", "n": 0, "groups": 0},
    },
    "findings": ["Check failed, unknown patients: each of 20\n    images is a group of its own. Verify."],
    "seed": 20,
    "config": {"epochs": 30, "rate": 0.001, "seed": 20, "strategy": ""},
    "epochs_run": 12,
    "versions": {"keras": "3.0"},
}


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


def cell_folder(root, classes, each, patients=0):
    """A folder of synthetic cells; with patients, each of them has cells of all classes."""
    cells = datasets.load("synthetic", n_images=len(classes) * each, n_patients=each, size=64).load_images(64)
    rows = ["image,group"]
    for number, cell in enumerate(cells):
        name = f"{classes[number % len(classes)]}/{number:04d}.png"
        save(root / name, cell)
        rows.append(f"{name},patient {number // len(classes) % patients}" if patients else "")
    if patients:
        write(root / "groups.csv", "\n".join(rows))
    return root


def disc(size=96, radius=22, centre=(45, 52)):
    y, x = np.mgrid[:size, :size]
    return np.hypot(y - centre[0], x - centre[1]) < radius


def cell_picture(seed=0):
    """A dark purple nucleus in pale blue cytoplasm among pink red cells, and the nucleus."""
    nucleus, cytoplasm, red = disc(), disc(radius=32), disc(radius=14, centre=(10, 10))
    picture = np.full((96, 96, 3), (235, 230, 232), float)
    picture[red] = (215, 170, 175)
    picture[cytoplasm] = (190, 185, 225)
    picture[nucleus] = (95, 45, 140)
    picture += np.random.default_rng(seed).normal(0, 4, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8), nucleus
