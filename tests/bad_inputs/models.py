"""Models, cards and commands that use them."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bad_inputs.archives import lying
from bad_inputs.case import READ, USAGE, Case, cells, encoded, endless, fifo, folder, loop, picture, sparse

# Filled by the test with a folder that holds m.keras and m.json of a small model.
TRAINED: dict[str, Path] = {}


def model(change: Callable[[Path], None]) -> Callable[[Path], list[str]]:
    """A sound model, its card and an image; ``change`` gets the path of the model."""

    def make(place: Path) -> list[str]:
        for path in TRAINED["folder"].glob("m.*"):
            if path.is_file():
                shutil.copy(path, place)
        image = place / "images" / "0.png"
        image.parent.mkdir()
        Image.fromarray(picture(1)).save(image)
        change(place / "m.keras")
        return ["predict", str(image.parent), "--model", str(place / "m.keras"), "--out", str(place / "p.csv")]

    return make


def instead(write: Callable[[Path], None], suffix: str = ".keras") -> Callable[[Path], list[str]]:
    def change(path: Path) -> None:
        path.with_suffix(suffix).unlink()
        write(path.with_suffix(suffix))

    return model(change)


def card(**changes: Any) -> Callable[[Path], list[str]]:
    """A card in which some values are others; ``None`` takes a key away."""

    def change(path: Path) -> None:
        content = json.loads(path.with_suffix(".json").read_text())
        for key, value in changes.items():
            if value is None:
                del content[key]
            else:
                content[key] = value
        path.with_suffix(".json").write_text(json.dumps(content))

    return model(change)


def rezipped(path: Path, change: Callable[[str, bytes], bytes]) -> None:
    """Change the members of a model's file; its card then holds the digest of another file, as it would of any."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, change(name, data))


def with_digest(path: Path) -> None:
    """Bring the card to the file that is there, as somebody would who means harm."""
    import hashlib

    content = json.loads(path.with_suffix(".json").read_text())
    for key in ("sha256", "model_sha256"):
        if key in content:
            content[key] = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_suffix(".json").write_text(json.dumps(content))


def config(change: Callable[[bytes], bytes], member: str = "config.json") -> Callable[[Path], list[str]]:
    def changed(path: Path) -> None:
        rezipped(path, lambda name, data: change(data) if name == member else data)
        with_digest(path)

    return model(changed)


def not_finite(path: Path) -> None:
    import h5py

    def change(name: str, data: bytes) -> bytes:
        if name != "model.weights.h5":
            return data
        buffer = io.BytesIO(data)
        with h5py.File(buffer, "r+") as weights:
            found = []
            weights.visititems(lambda _, item: found.append(item) if isinstance(item, h5py.Dataset) else None)
            for item in found:
                if np.issubdtype(item.dtype, np.floating):
                    item[...] = np.nan
        return buffer.getvalue()

    rezipped(path, change)
    with_digest(path)


def wide(data: bytes) -> bytes:
    """The configuration of a network with a layer of 100 million units."""
    content = json.loads(data)
    for layer in content["config"]["layers"]:
        if layer["class_name"] == "Dense":
            layer["config"]["units"] = 100_000_000
            break
    return json.dumps(content).encode()


def newer(data: bytes) -> bytes:
    return json.dumps({**json.loads(data), "keras_version": "9.1.0"}).encode()


def unknown_layer(data: bytes) -> bytes:
    return data.replace(b'"Dense"', b'"Crystal"').replace(b"keras.layers", b"keras.futures")


def of_the_future(path: Path) -> None:
    changes = {"metadata.json": newer, "config.json": unknown_layer}
    rezipped(path, lambda name, data: changes.get(name, bytes)(data))
    with_digest(path)


def more_than_it_says(name: str) -> Callable[[Path], list[str]]:
    """A model in which a member goes on with 900 MiB of zeros."""

    def change(path: Path) -> None:
        with zipfile.ZipFile(path) as archive:
            members = {own: archive.read(own) for own in archive.namelist()}
        path.write_bytes(lying(members, name, 900))
        with_digest(path)

    return model(change)


def lambda_layer(path: Path) -> None:
    from helpers.backend import keras

    inputs = keras.Input((128, 128, 3))
    x = keras.layers.Lambda(lambda x: x + 1)(inputs)
    x = keras.layers.Dense(2, activation="softmax")(keras.layers.GlobalAveragePooling2D()(x))
    keras.Model(inputs, x).save(path)
    with_digest(path)


def images(write: Callable[[Path], None]) -> Callable[[Path], list[str]]:
    """A sound model and other images."""

    def change(path: Path) -> None:
        shutil.rmtree(path.parent / "images")
        write(path.parent / "images")

    return model(change)


def one_bad(path: Path) -> None:
    path.mkdir()
    (path / "0.png").write_bytes(encoded("PNG"))
    (path / "1.png").write_bytes(b"no image")


def of_classes(path: Path) -> None:
    (path / "blast").mkdir(parents=True)
    (path / "blast" / "0.png").write_bytes(encoded("PNG"))


def out(name: str, before: Callable[[Path], None] = lambda path: None) -> Callable[[Path], list[str]]:
    def make(place: Path) -> list[str]:
        words = model(lambda path: None)(place)
        before(place / name)
        return [*words[:-1], str(place / name)]

    return make


def grouped(write: Callable[[Path], None]) -> Callable[[Path], list[str]]:
    """A sound model and image, and a table of groups."""

    def make(place: Path) -> list[str]:
        words = model(lambda path: None)(place)
        write(place / "groups.csv")
        return [*words, "--groups", str(place / "groups.csv")]

    return make


def table(text: str) -> Callable[[Path], list[str]]:
    return grouped(lambda path: path.write_text(text))


def explain(*words: str) -> Callable[[Path], list[str]]:
    """``{}`` stands for the folder of the model and of ``images/0.png``."""

    def make(place: Path) -> list[str]:
        model(lambda path: None)(place)
        return ["explain", *(word.replace("{}", str(place)) for word in words), "--model", str(place / "m.keras")]

    return make


def train(*words: str, classes: tuple[str, ...] = ("blast", "normal"), patients: int = 12) -> Callable:
    """``{}`` stands for an empty folder."""

    def make(place: Path) -> list[str]:
        root = cells(place, classes, patients)
        given = [word.replace("{}", str(place)) for word in words]
        defaults = {"--positive": "blast", "--model": str(place / "new.keras")}
        if "--model-type" not in given:
            defaults |= {"--model-type": "cnn", "--epochs": "1"}
        for name, value in defaults.items():
            if name not in given:
                given += [name, value]
        return ["train", f"folder:{root}", *given]

    return make


def over_a_folder(place: Path) -> list[str]:
    words = train()(place)
    (place / "new.keras").mkdir()
    return words


def one_group(place: Path) -> list[str]:
    words = train()(place)
    table = place / "cells" / "groups.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join([lines[0], *(line.rpartition(",")[0] + ",P1" for line in lines[1:])]) + "\n")
    return words


def segment(*words: str) -> Callable[[Path], list[str]]:
    def make(place: Path) -> list[str]:
        model(lambda path: None)(place)
        return ["segment", str(place / "images"), "--out", str(place / "out"),
                *(word.replace("{}", str(place)) for word in words)]  # fmt: skip

    return make


def text(content: str) -> Callable[[Path], list[str]]:
    return instead(lambda path: path.write_text(content), ".json")


WRONG_INPUT = {"dtype": "uint8", "low": float("nan"), "high": 255.0, "mean": [1.0, 2.0, 3.0]}
CASES = [
    Case("a sound model", model(lambda path: None), ("1 images",), READ),
    Case("a model that is not there", instead(lambda path: None), ("m.keras", "no such file")),
    Case("a model that is empty", instead(lambda path: path.write_bytes(b"")), ("m.keras",)),
    Case("a model that is text", instead(lambda path: path.write_bytes(b"no model")), ("m.keras",)),
    Case("half a model", model(lambda path: path.write_bytes(path.read_bytes()[:3000])), ("m.keras",)),
    Case("another archive for a model", instead(lambda path: zipfile.ZipFile(path, "w").close()), ("m.keras",)),
    Case("a model that is a folder", instead(folder), ("m.keras",)),
    Case("a model that is a pipe", instead(fifo), ("m.keras",)),
    Case("a model that is a link to itself", instead(loop), ("m.keras",)),
    Case("a model that is a device", instead(endless), ("m.keras",)),
    Case("a model of 3 GiB of zeros", instead(sparse), ("m.keras",)),
    Case("a model that holds code", model(lambda_layer), ("m.keras",)),
    Case("a model of weights that are no numbers", model(not_finite), ("m.keras", "finite")),
    Case("a model of another card", model(lambda path: rezipped(path, lambda name, data: data)), ("m.keras", "m.json")),
    Case("a layer of a newer Keras", model(of_the_future), ("m.keras", "9.1.0", "install keras")),
    Case("a layer that nobody knows", config(unknown_layer), ("m.keras",)),
    Case("a configuration of 512 MB", config(lambda data: data[:-1] + b" " * (512 * 2**20) + b"}"), ("m.keras",)),
    *(Case(f"a {name} that holds more than it says", more_than_it_says(name), ("m.keras", name, "declares"))
      for name in ("metadata.json", "config.json", "model.weights.h5")),
    Case("a configuration that is text", config(lambda data: b"text"), ("m.keras",)),
    Case("a layer of 100 million units", config(wide), ("m.keras",)),
    Case("no card", instead(lambda path: None, ".json"), ("m.json",)),
    Case("an empty card", text(""), ("m.json",)),
    Case("a card that is a list", text("[1, 2]"), ("m.json",)),
    Case("a card that is not JSON", text("{'a': 1}"), ("m.json",)),
    Case("a card of 20,000 brackets", text("[" * 20_000), ("m.json",)),
    Case("a card that is a pipe", instead(fifo, ".json"), ("m.json",)),
    Case("a card that is a folder", instead(folder, ".json"), ("m.json",)),
    Case("a card of 3 GiB", instead(sparse, ".json"), ("m.json",)),
    Case("a card without a threshold", card(threshold=None), ("m.json", "threshold")),
    Case("a threshold that is no number", card(threshold=float("nan")), ("m.json", "threshold")),
    Case("a threshold of 7", card(threshold=7), ("m.json", "threshold")),
    Case("a threshold below 0", card(threshold=-0.5), ("m.json", "threshold")),
    Case("a threshold that is true", card(threshold=True), ("m.json", "threshold")),
    Case("a threshold that is a text", card(threshold="0.5"), ("m.json", "threshold")),
    Case("a size of 0", card(size=0), ("m.json", "size")),
    Case("a size of a thousand million", card(size=10**9), ("m.json", "size")),
    Case("a size that is a fraction", card(size=12.5), ("m.json", "size")),
    Case("classes that are one", card(classes=["blast"]), ("m.json", "classes")),
    Case("classes that are a text", card(classes="blast"), ("m.json", "classes")),
    Case("classes that are alike", card(classes=["blast", "blast"]), ("m.json", "classes")),
    Case(
        "one class more than the model has",
        card(classes=["blast", "normal", "other"], prediction_sets=None),
        ("m.keras", "3"),
    ),
    Case("prediction sets that are a number", card(prediction_sets=0.9), ("m.json", "prediction_sets")),
    Case("a reference without its features", card(reference={"limit": 3.0}), ("m.json", "reference", "lacks")),
    Case("a positive class that is none", card(positive="other"), ("m.json", "other")),
    Case("statistics that are no numbers", card(input=WRONG_INPUT), ("m.json", "input")),
    Case("no images", images(lambda path: None), ("images",)),
    Case("an empty folder of images", images(folder), ("images",)),
    Case("a pipe for an image", images(fifo), ("images",)),
    Case("one image of two", images(one_bad), ("1.png", "not an image", "1 images")),
    Case("a folder of class folders", images(of_classes), ("1 images",), READ),
    Case("an output that is a folder", out("p.csv", folder), ("p.csv", "folder")),
    Case("an output below a file", out("file/p.csv", lambda path: path.parent.write_text("x")), ("file",)),
    Case("an output that is a device", out("p.csv", lambda path: path.symlink_to("/dev/full")), ("p.csv",)),
    Case("a table of groups", table("image,group\n0.png,P1\n"), ("1 groups",), READ),
    Case("no table of groups", grouped(lambda path: None), ("groups.csv", "no such file", "columns image and group")),
    Case("a table of groups that is a folder", grouped(folder), ("groups.csv", "folder")),
    Case("a table of groups that is a pipe", grouped(fifo), ("groups.csv",)),
    Case("a table of groups that is a device", grouped(endless), ("groups.csv",)),
    Case("a table of groups of 3 GiB", grouped(sparse), ("groups.csv", "MiB")),
    Case("a table of patients", table("image,patient\n0.png,P1\n"), ("groups.csv", "group")),
    Case("a group of another image", table("image,group\n0.png,P1\n7.png,P1\n"), ("7.png", "no such image")),
    Case("an image without a group", table("image,group\n"), ("0.png", "without a row")),
    Case("an image of two groups", table("image,group\n0.png,P1\n0.png,P2\n"), ("0.png", "more than once")),
    Case("an image of an unknown group", table("image,group\n0.png,unknown\n"), ("0.png", "without a group")),
    Case("no image to explain", explain("{}/none.png", "--out", "{}/out"), ("none.png",)),
    Case("an explanation where a file is", explain("{}/images", "--out", "{}/m.keras"), ("m.keras", "folder")),
    Case("an explanation of nothing", explain(), ("missing argument",), USAGE),
    Case("a sensitivity of 1.5", train("--sensitivity", "1.5"), ("1.5",)),
    Case("a sensitivity of 0", train("--sensitivity", "0"), ("0",)),
    Case("a sensitivity that is no number", train("--sensitivity", "nan"), ("nan",)),
    Case("an assurance of 2", train("--assurance", "2"), ("2",)),
    Case("fewer than no epochs", train("--epochs", "-1"), ("-1",)),
    Case("fewer than no images in a step", train("--batch-size", "-5"), ("-5",)),
    Case("a seed below 0", train("--seed", "-1"), ("-1",)),
    Case("a network that is none", train("--network", "resnet"), ("resnet", "encoder")),
    Case("a class that is none", train("--positive", "other"), ("other", "blast")),
    Case("a strategy that is none", train("--strategy", "fast"), ("fast", "mirrored")),
    Case("a model that is no .keras", train("--model", "{}/m.h5"), ("m.h5", ".keras")),
    Case("a model below a file", train("--model", "{}/cells/groups.csv/m.keras"), ("groups.csv",)),
    Case("a model where a folder is", over_a_folder, ("new.keras", "folder")),
    Case("one class", train(classes=("blast",)), ("class",)),
    Case("two patients", train(patients=2), ("fold",)),
    Case("a type that no model has", train("--model-type", "forest"), ("forest", "lda-backbone")),
    Case("epochs of a model without epochs", train("--model-type", "auto", "--epochs", "3"), ("--model-type cnn",)),
    Case("a name that no model of features has", train("--model-type", "features", "--model", "{}/m.h5"),
         ("m.h5", ".features")),
    Case("two patients for all folds", train("--model-type", "features", patients=2), ("4 groups",)),
    Case("one patient", one_group, ("group",)),
    Case("a classifier for segment", segment("--model", "{}/m.keras"), ("m.json", "train")),
    Case("no model for segment", segment("--model", "{}/none.keras"), ("none.keras",)),
    Case("a scale that is a word", segment("--model", "{}/m.keras", "--um-per-pixel", "fine"),
         ("um-per-pixel",), USAGE),
]  # fmt: skip
