"""Whether networks tell C-NMC's subjects better than hand-crafted features do, in the partitions of ``partitions.py``.

    LEUKOBOOK_DATA=… LEUKOBOOK_WEIGHTS=… python benchmarks/partition_networks.py FOLDER   # about 40 minutes of one core

Frozen features are tested in all 20 partitions, trainings from pixels in the first one. Epochs, rates and strengths
of the networks were fixed before the first training, and no epoch is chosen: what is tested is the network after the
last one. The SVMs are those of ``partitions.py``, picked after a look at four of the partitions. The subjects that it
sets aside are not used, and the best row would be selected on its own test. Finished trainings are kept in the folder,
by a digest of data and code, and read from it.

The trainings: a small network; the same with strong changes of colour and a running average of the weights; that with
group-DRO (Sagawa et al. 2020), in which the subjects with the largest losses weigh most; and with pretraining without
labels (SimCLR, Chen et al. 2020) on the pixels of all known subjects. Those of the tested subjects are among them, so
that a gain from it would be the most that it could be. Last, a MobileNetV2 of which the last block is fine-tuned.
"""

import hashlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import pandas as pd
from partitions import ASIDE, N_SPLITS, POSITIVE, SEED, SEEDS, SIZE, quantile_svm, row, svm
from tqdm import tqdm

from helpers import augmentation, backbones, datasets, features, files, metrics, processes, splits
from helpers.augmentation import Augmentation
from helpers.backend import keras, layers, tf
from helpers.book import results
from helpers.images import dihedral_views
from helpers.learners.partitions import Candidate, decision_table, out_of_fold, set_aside
from helpers.runs import provenance

NETWORKS = ("efficientnet-lite0", "mobilenetv2")
TRAINED = SEEDS[:1]  # partitions with trainings from pixels
SIDE, CROP = 144, 96  # images are resized to the first, and the middle is cut out, which holds nearly all cells
BATCH = 32
USUAL = Augmentation(rotation=180, zoom=0.1)
STRONG = Augmentation(rotation=180, zoom=0.1, brightness=0.15, stain=0.3)
AVERAGED = 0.99  # momentum of the running average of the weights
DRO_STEP = 0.05  # how fast the weights of subjects follow their losses
PRETRAINING = {"epochs": 30, "batch": 128, "temperature": 0.2}


def small_network() -> keras.Model:
    """Build four convolutions and a mean over the map: images 0 to 255 in, a decision value out."""
    inputs = keras.Input((CROP, CROP, 3))
    x = layers.Rescaling(1 / 127.5, -1)(inputs)
    for filters, stride in ((24, 2), (48, 1), (96, 1), (128, 1)):
        x = layers.Conv2D(filters, 3, stride, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        x = layers.MaxPooling2D()(x)
    features_ = layers.GlobalAveragePooling2D(name="features")(x)
    return keras.Model(inputs, layers.Dense(1)(layers.Dropout(0.3)(features_)))


def fine_tuned_network() -> keras.Model:
    """Build MobileNetV2 of which the last block is trained: images 0 to 255 in, a decision value out."""
    base = backbones.fine_tuning_model("mobilenetv2", "last block", CROP, classes=2)
    features_ = base.get_layer("features").output
    return keras.Model(base.input, layers.Dense(1)(layers.Dropout(0.2)(features_)))


@dataclass(frozen=True)
class Training:
    """What is trained, and how; averaged are the weights, robust is group-DRO."""

    build: Callable[[], keras.Model] = small_network
    epochs: int = 25
    learning_rate: float = 2e-3
    augmentation: Augmentation = STRONG
    averaged: bool = True
    robust: bool = False
    pretrained: bool = False


TRAININGS = {
    "network": Training(augmentation=USUAL, averaged=False),
    "network, strong colours, averaged weights": Training(),
    "network, strong colours, averaged weights, group-DRO": Training(robust=True),
    "network, strong colours, averaged weights, pretrained": Training(pretrained=True),
    "MobileNetV2, last block fine-tuned": Training(build=fine_tuned_network, epochs=6, learning_rate=5e-4),
}


def adam(rate: float, steps: int, averaged: bool) -> keras.optimizers.Optimizer:
    schedule = keras.optimizers.schedules.CosineDecay(rate, steps)
    return keras.optimizers.Adam(schedule, use_ema=averaged, ema_momentum=AVERAGED)


def train(
    training: Training,
    images: np.ndarray,
    positive: np.ndarray,
    *,
    group: np.ndarray,
    weights: list[np.ndarray] | None,
    seed: int,
) -> keras.Model:
    """Train a network on labelled images; ``group`` numbers their subjects from 0."""
    keras.utils.set_random_seed(seed)
    model = training.build()
    if weights is not None:
        model.set_weights([*weights, *model.get_weights()[len(weights) :]])
    steps = training.epochs * -(-len(images) // BATCH)
    optimizer = adam(training.learning_rate, steps, training.averaged)
    labels, groups = tf.constant(positive, tf.float32), tf.constant(group, tf.int32)
    n_groups = int(group.max()) + 1
    weight_of_group = tf.Variable(tf.fill([n_groups], 1 / n_groups), trainable=False)

    @tf.function
    def step(batch: tf.Tensor, rows: tf.Tensor) -> None:
        of_batch = tf.gather(groups, rows)
        with tf.GradientTape() as tape:
            decision = model(batch, training=True)[:, 0]
            losses = tf.nn.sigmoid_cross_entropy_with_logits(tf.gather(labels, rows), decision)
            by_group = tf.math.unsorted_segment_mean(losses, of_batch, n_groups)
            if training.robust:
                raised = weight_of_group * tf.exp(DRO_STEP * by_group)
                weight_of_group.assign(raised / tf.reduce_sum(raised))
                loss = tf.reduce_sum(weight_of_group * by_group)
            else:
                loss = tf.reduce_mean(losses)
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)

    batches = augmentation.training_batches(images, np.arange(len(images)), BATCH, seed, training.augmentation)
    for batch, rows in batches.take(steps):
        step(tf.cast(batch, tf.float32), rows)
    if training.averaged:
        optimizer.finalize_variable_values(model.trainable_variables)
    return model


def pretrain(images: np.ndarray) -> list[np.ndarray]:
    """Return weights with which two augmentations of one image have features nearer than those of two images."""
    keras.utils.set_random_seed(SEED)
    model = small_network()
    encoder = keras.Model(model.input, model.get_layer("features").output)
    head = keras.Sequential([layers.Dense(128, activation="relu"), layers.Dense(64)])
    head.build((None, 128))
    size, variables = PRETRAINING["batch"], [*encoder.trainable_variables, *head.trainable_variables]
    steps = PRETRAINING["epochs"] * (len(images) // size)
    optimizer = adam(2e-3, steps, averaged=False)
    pixels = tf.constant(images)

    def twice(key: tf.Tensor, number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        first, second = tf.unstack(tf.random.split(key, 2))
        return tuple(augmentation.augment(pixels[number], tf.constant(0), STRONG, one)[0] for one in (first, second))

    @tf.function
    def step(first: tf.Tensor, second: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            seen = tf.cast(tf.concat([first, second], 0), tf.float32)
            projected = tf.math.l2_normalize(head(encoder(seen, training=True)), 1)
            similar = projected @ tf.transpose(projected) / PRETRAINING["temperature"] - 1e9 * tf.eye(2 * size)
            partner = tf.roll(tf.range(2 * size), size, 0)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(partner, similar))
        optimizer.apply(tape.gradient(loss, variables), variables)

    order = tf.data.Dataset.range(len(images)).shuffle(len(images), seed=SEED).repeat().take(steps * size)
    keys = tf.data.Dataset.from_tensor_slices(tf.random.split((SEED, 1), steps * size))
    batches = tf.data.Dataset.zip(keys, order).map(twice, tf.data.AUTOTUNE).batch(size, drop_remainder=True)
    for first, second in tqdm(batches, desc="pretraining", total=steps, delay=2, leave=False):
        step(first, second)
    return encoder.get_weights()


def decision_values(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Return decision values ``float (n, 2)``: of the image as it is, and the mean over its dihedral transforms."""
    views = np.stack([model.predict(view, batch_size=64, verbose=0)[:, 0] for view in dihedral_views(images)])
    return np.stack([views[0], views.mean(axis=0)], axis=1)


def from_pixels(known: datasets.Dataset, folder: Path) -> list[dict]:
    """Return the rows of the trainings from pixels, without test-time augmentation and with it."""
    margin = (SIDE - CROP) // 2
    images = known.load_images(SIDE)[:, margin:-margin, margin:-margin]
    positive = (known.frame["label"] == POSITIVE).to_numpy()
    pretrained = None
    rows = []
    for name, training in TRAININGS.items():
        tables: dict[int, list[pd.DataFrame]] = {1: [], 8: []}
        made_of = f"{known.fingerprint()} {name} {Path(__file__).read_text(encoding='utf-8')}"
        key = hashlib.sha256(made_of.encode()).hexdigest()[:12]
        for seed in TRAINED:
            fold = splits.group_folds(known.frame, N_SPLITS, seed).to_numpy()
            decisions = np.zeros((len(images), 2))
            for number in tqdm(range(N_SPLITS), desc=f"{name}, partition {seed}", delay=2, leave=False):
                train_, tested = fold != number, fold == number
                kept = folder / f"{key}-{seed}-{number}.npy"
                if not kept.is_file():
                    if training.pretrained and pretrained is None:
                        pretrained = pretrain(images)
                    group = pd.factorize(known.frame["group"][train_])[0]
                    model = train(
                        training,
                        images[train_],
                        positive[train_],
                        group=group,
                        weights=pretrained if training.pretrained else None,
                        seed=seed + 100 * number,
                    )
                    with files.atomic_write(kept) as part, part.open("wb") as file:
                        np.save(file, decision_values(model, images[tested]))
                    keras.backend.clear_session()
                decisions[tested] = np.load(kept)
            for column, views in enumerate(tables):
                of_views = pd.Series(decisions[:, column], known.frame.index)
                tables[views].append(decision_table(known, of_views, POSITIVE))
        for views, of_model in tables.items():
            rows += rows_of(name, views, of_model)
            print(rows[-2])
    return rows


def from_features(known: datasets.Dataset, folder: Path) -> list[dict]:
    """Return the rows of SVMs on frozen features, of one view and of the mean of eight, and with hand-crafted ones."""
    index = known.frame.index
    handcrafted = features.extract_feature_table(known.load_images(SIZE), index)
    stored = [backbones.extract_features(known, name, folder / "features") for name in NETWORKS]
    one, eight = (
        pd.DataFrame(np.concatenate([select(of_network) for of_network in stored], axis=1), index)
        for select in (lambda x: x[:, 0].astype(np.float32), lambda x: x.astype(np.float32).mean(axis=1))
    )
    usual, strong = (lambda: svm(1)), (lambda: quantile_svm(10))
    candidates = {
        ("hand-crafted features", 1): Candidate(((handcrafted, strong),)),
        ("frozen features", 1): Candidate(((one, usual),)),
        ("frozen features", 8): Candidate(((eight, usual),)),
        ("hand-crafted and frozen features, averaged", 8): Candidate(((handcrafted, strong), (eight, usual))),
    }
    is_positive = known.frame["label"] == POSITIVE
    rows = []
    for (name, views), candidate in candidates.items():
        tables = []
        for seed in tqdm(SEEDS, desc=name, delay=2, leave=False):
            fold = splits.group_folds(known.frame, N_SPLITS, seed)
            tables.append(decision_table(known, out_of_fold(candidate, is_positive, fold).loc[index], POSITIVE))
        rows += rows_of(name, views, tables)
        print(rows[-2])
    return rows


def rows_of(name: str, views: int, tables: list[pd.DataFrame]) -> list[dict]:
    by_subject = [metrics.aggregate_by_group(table) for table in tables]
    return [
        {"model": name, "views": views, **row(name, "cells of new subjects", tables)},
        {"model": name, "views": views, **row(name, "subjects", by_subject)},
    ]


if __name__ == "__main__":
    processes.configure()
    keeping = Path(sys.argv[1])
    keeping.mkdir(parents=True, exist_ok=True)
    origin, cnmc = provenance.current(), datasets.load("cnmc")
    aside = set_aside(cnmc.frame, ASIDE)
    subjects = cnmc.select(cnmc.frame.index[~cnmc.frame["group"].isin(aside)])
    compared = pd.DataFrame(from_features(subjects, keeping) + from_pixels(subjects, keeping)).round(3)
    print(compared.to_string(index=False))
    note = results.ResultNote(
        made_by="benchmarks/partition_networks.py",
        command="python benchmarks/partition_networks.py FOLDER",
        parameters={
            "dataset": "cnmc",
            "seed": SEED,
            "n_splits": N_SPLITS,
            "partitions": len(SEEDS),
            "trained": len(TRAINED),
        },
        data_sha256=cnmc.fingerprint(),
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        provenance=origin,
    )
    results.save_result("partitions-cnmc-networks", compared, note)
