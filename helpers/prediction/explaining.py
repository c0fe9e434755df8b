"""Saliency maps of a classifier for a user's images, with their scores, written to a folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from helpers import explain, features, files, images, metrics, models, outputs, plots
from helpers.backend import keras, tf
from helpers.models import views
from helpers.models.model_card import ModelCard
from helpers.prediction.classification import predict_probabilities
from helpers.prediction.shift import InputShift
from helpers.reports import tables

SCORES = "scores.csv"
SUFFIX = ".maps.png"  # one of outputs.OWN_IMAGES
BATCH_SIZE = 8
PERTURBATION: dict[str, Callable[..., np.ndarray]] = {
    "occlusion": explain.METHODS["occlusion"],
    "RISE": explain.rise,
}
# Scores of evaluate_attributions by column of the table.
COLUMNS = {
    "deletion": "deletion",
    "insertion": "insertion",
    "energy in cell": "energy_in_cell",
    "pointing to cell": "pointing_to_cell",
}


@dataclass(frozen=True)
class ExplanationResult:
    """Result of :func:`explain_images`.

    Attributes:
        scores: a row per image and method, see :func:`explain_images`.
        bad: one message per unreadable image.
        findings: differences between the images as a whole and the training images.
        skipped: number of skipped files, which commands have written.
    """

    scores: pd.DataFrame
    bad: list[str]
    findings: list[str]
    skipped: int


def explain_images(
    paths: Sequence[Path],
    model: Any,
    card: ModelCard,
    output_dir: Path,
    *,
    folder: Path | None = None,
    seed: int,
    log: Callable[[str], None],
) -> ExplanationResult:
    """Write ``NAME.maps.png``, saliency maps of the predicted class, and the scores of the maps.

    All methods that suit the model are used: those of :data:`helpers.explain.METHODS`, and RISE.

    The class is that of :func:`helpers.prediction.predict`, from eight views; the maps are of the image as it is. The
    table ``scores.csv`` has the columns ``image``, ``explained_class``, ``probability`` (over eight views), ``method``,
    ``deletion``, ``insertion``, ``energy_in_cell`` and ``pointing_to_cell``, see
    :func:`helpers.explain.evaluate_attributions`. The method ``chance`` is the reference: a map of noise, and the share
    of the image that the cell covers.

    Args:
        paths: paths of the images; files named like outputs of commands are skipped.
        model: classifier from :func:`helpers.prediction.load`, a network or a classifier with ``predict_proba``.
        card: its model card.
        output_dir: output folder, created if missing, with the same subfolders as ``folder``.
        folder: folder that image names are relative to; by default the lowest common folder.
        seed: random seed of the noise maps.
        log: receives a sentence for the methods that do not suit the model.

    Raises:
        OutputError: the folder is not writable, or all images are outputs of commands.
        ImageError: no image is readable; earlier outputs are kept.
        ModelError: an output of the model is not a probability.
    """
    output_dir = outputs.require_folder(output_dir)
    chosen = outputs.without_own_images(paths)
    names = dict(zip(chosen, outputs.relative_names(chosen, folder), strict=True))
    explained = _single_view(model)
    attribution = _Attribution(explained, log)
    bad: list[str] = []
    tables_of_batches, shift = [], InputShift(card, len(chosen))
    for batch in images.read_batches(chosen, bad, "explaining", BATCH_SIZE):
        ids = [names[path] for path, _ in batch]
        cells = np.stack([images.resize_pad(image, card.size) for _, image in batch])
        shift.add(cells)
        predictions = _predictions(model, card, cells)
        maps = attribution.maps(cells, predictions["class_index"].to_numpy())
        scores = _scores(ids, maps, cells, explained, predictions, seed)
        _write_figures(ids, maps, cells, scores, output_dir)
        tables_of_batches.append(scores)
    if not tables_of_batches:
        raise images.ImageError(images.describe_unreadable(bad))
    table = pd.concat(tables_of_batches, ignore_index=True)
    files.write_text(output_dir / SCORES, tables.safe_text(table).to_csv(index=False, float_format="%.6g"))
    return ExplanationResult(table, bad, shift.findings(), len(paths) - len(chosen))


def mean_scores(scores: pd.DataFrame) -> pd.DataFrame:
    """Average the scores over the images: a row per ``method``, in the order of the table."""
    return scores.groupby("method", sort=False)[list(COLUMNS.values())].mean().reset_index()


class _Attribution:
    """All methods that suit a model: those on its graph if it has one, and those that only perturb images."""

    def __init__(self, model: Any, log: Callable[[str], None]):
        self._log = log
        scores: Callable[..., Any]
        try:
            network = _flat_network(model)
        except explain.ExplainError as error:
            self._announce(list(explain.METHODS.keys() - PERTURBATION.keys()), error)
            scores = explain.LogProbabilities(_one_view(model))
            self._methods = {}
        else:
            scores = _traced(network)
            self._methods = {name: partial(method, network) for name, method in explain.METHODS.items()}
        self._methods |= {name: partial(method, scores) for name, method in PERTURBATION.items()}

    def maps(self, cells: np.ndarray, classes: np.ndarray) -> dict[str, np.ndarray]:
        """Compute the maps ``float32 (n, size, size)`` by method; a method that fails once is not tried again."""
        maps: dict[str, np.ndarray] = {}
        failed: dict[str, list[str]] = {}
        for name, method in self._methods.items():
            try:
                maps[name] = method(cells, classes)
            except explain.ExplainError as error:
                failed.setdefault(str(error), []).append(name)
        for reason, methods in failed.items():
            self._announce(methods, reason)
        self._methods = {name: self._methods[name] for name in maps}
        return maps

    def _announce(self, methods: list[str], reason: object) -> None:
        in_order = [name for name in explain.METHODS if name in methods]
        self._log(f"Skipped {', '.join(in_order)}: {reason}.")


def _single_view(model: Any) -> Any:
    """Return a network that computes eight views as one of the image itself, whose feature maps can be shown."""
    is_network = isinstance(model, keras.Model)
    return views.single_view_model(model) if is_network and views.views_within(model) > 1 else model


def _flat_network(model: Any) -> keras.Model:
    if not isinstance(model, keras.Model):
        raise explain.ExplainError(f"the model is a {type(model).__name__}, which has no gradients nor feature maps")
    return explain.logits_model(model)


def _one_view(model: Any) -> Callable[[np.ndarray], np.ndarray]:
    """Return the function from images to probabilities without test-time augmentation."""
    return partial(models.predict_proba, model) if isinstance(model, keras.Model) else model.predict_proba


def _traced(network: keras.Model) -> Callable[..., tf.Tensor]:
    """Return a network as a graph, which is several times as fast as the eager calls of hundreds of perturbations."""
    graph = tf.function(lambda x: network(x, training=False))

    def scores(images: np.ndarray, training: bool = False) -> tf.Tensor:
        return graph(tf.constant(images, tf.float32))

    return scores


def _predictions(model: Any, card: ModelCard, cells: np.ndarray) -> pd.DataFrame:
    """Return ``explained_class``, its ``class_index`` and its ``probability`` for each image."""
    probabilities = predict_probabilities(model, cells)
    table = pd.DataFrame(probabilities, columns=[metrics.PREFIX + name for name in card.classes])
    predicted = metrics.predicted_classes(table, positive=card.positive, threshold=card.threshold)
    index = predicted.map(card.classes.index).to_numpy()
    return pd.DataFrame(
        {
            "explained_class": predicted,
            "class_index": index,
            "probability": probabilities[np.arange(len(index)), index],
        }
    )


def _scores(
    ids: list[str],
    maps: dict[str, np.ndarray],
    cells: np.ndarray,
    model: Any,
    predictions: pd.DataFrame,
    seed: int,
) -> pd.DataFrame:
    masks = {"cell": np.stack([features.segment_foreground(cell) for cell in cells])}
    classes = predictions["class_index"].to_numpy()
    rows = explain.evaluate_attributions(pd.Index(ids), maps, cells, masks, _one_view(model), classes, seed)
    wide = rows.pivot(index=["image_id", "method"], columns="score", values="value")
    wide = wide.reindex([(name, method) for name in ids for method in (*maps, "chance")])
    table = wide[list(COLUMNS)].rename(columns=COLUMNS).rename_axis(["image", "method"]).reset_index()
    explained = predictions.assign(image=ids)[["image", "explained_class", "probability"]]
    return explained.merge(table, on="image", validate="one_to_many")


def _write_figures(
    ids: list[str], maps: dict[str, np.ndarray], cells: np.ndarray, scores: pd.DataFrame, output_dir: Path
) -> None:
    overlays = {name: explain.overlay_maps(cells, attributions) for name, attributions in maps.items()}
    rows: dict[tuple[Any, Any], Any] = {(row.image, row.method): row for row in scores.itertuples()}
    for k, name in enumerate(ids):
        chance = rows[name, "chance"]
        panels = {f"{chance.explained_class}\nprobability {chance.probability:.3f}": cells[k]}
        for method, drawn in overlays.items():
            row = rows[name, method]
            panels[f"{method}\ndel. {row.deletion:.2f}, ins. {row.insertion:.2f}"] = drawn[k]
        figure = plots.titled_grid(panels, "Yellow is most; deletion: lower is better; insertion: higher is better.")
        path = output_dir / f"{name}{SUFFIX}"
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_bytes(path, figure._repr_mimebundle_()[0]["image/png"])
