"""Checkpoints of a training: best weights, history, and the state from which an interrupted training resumes."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from helpers import files
from helpers.backend import keras
from helpers.training.config import TrainingConfig

# Minimum seconds between two saved states: an interruption loses at most these, plus the current epoch.
PAUSE = 5.0
BEST, HISTORY = "best.weights.h5", "history.csv"


class CheckpointCallback(keras.callbacks.Callback):
    """Save the best weights, the history and, every few seconds, the whole state; stop when patience runs out.

    Keras has a callback for each. But its early stopping and best checkpoint lose the best value when a training is
    resumed, and ``BackupAndRestore`` writes weights and epoch one after the other, so that an interruption in between
    applies an epoch twice. Here every file is written atomically, and the name of the state holds its epoch. Best
    weights or history of later epochs than the state are reproduced identically on resumption.
    """

    def __init__(self, folder: Path, past: pd.DataFrame, config: TrainingConfig):
        super().__init__()
        self.folder, self.config, self.rows = folder, config, past.to_dict("records")
        self.best, self.saved = None, time.monotonic()

    def on_train_begin(self, logs=None):
        """Open the progress bar at the number of completed epochs."""
        self.bar = tqdm(total=self.config.epochs, initial=len(self.rows), desc="training", unit="epoch", delay=5)

    def on_epoch_begin(self, epoch, logs=None):
        """Set the learning rate of a plateau schedule, and the random state of dropout."""
        self.begun = time.monotonic()
        if self.config.schedule == "plateau":
            self.model.optimizer.learning_rate = self.config.learning_rate * 0.5 ** _plateaus(self._losses())
        # Dropout has its own random state, which Keras does not save with the weights.
        for k, layer in enumerate(flat_layers(self.model)):
            if hasattr(layer, "seed_generator"):
                layer.seed_generator.state.assign([self.config.seed + k, epoch << 16])

    def on_epoch_end(self, epoch, logs=None):
        """Record the losses and save what is due; stop when patience runs out or the loss is not finite."""
        rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        seconds = round(time.monotonic() - self.begun, 3)
        self.rows.append({"epoch": epoch, **logs, "learning_rate": rate, "seconds": seconds})
        if self._best() == epoch:
            self.best = self.model.get_weights()
        if time.monotonic() - self.saved >= PAUSE:
            self._save_best()
            older = saved_states(self.folder)
            self._save(f"state-{epoch + 1:05d}.weights.h5")
            for state in older:
                state.unlink()
            self.saved = time.monotonic()
        self.bar.update()
        self.bar.set_postfix(loss=f"{logs['loss']:.3f}", val_loss=f"{logs['val_loss']:.3f}")
        self.model.stop_training = self.out_of_patience() or not np.isfinite(logs["loss"])

    def on_train_end(self, logs=None):
        """Save best weights and history, and close the progress bar."""
        self._save_best()
        self.bar.close()

    def _losses(self) -> list[float]:
        return [row["val_loss"] for row in self.rows]

    def _best(self) -> int:
        losses = self._losses()
        return int(np.nanargmin(losses)) if np.isfinite(losses).any() else 0

    def out_of_patience(self) -> bool:
        """Return whether ``patience`` epochs have passed since the loss last fell by more than ``min_delta``."""
        lowest, waited = float("inf"), 0
        for loss in self._losses():
            lowest, waited = (loss, 0) if loss < lowest - self.config.min_delta else (lowest, waited + 1)
        return waited >= self.config.patience

    def _save_best(self) -> None:
        if self.best is not None:
            now = self.model.get_weights()
            self.model.set_weights(self.best)
            self._save(BEST)
            self.model.set_weights(now)
            self.best = None
        files.write_text(self.folder / HISTORY, pd.DataFrame(self.rows).to_csv(index=False))

    def _save(self, name: str) -> None:
        with files.atomic_write(self.folder / name) as temporary:
            self.model.save_weights(temporary)


def _plateaus(losses: list[float]) -> int:
    """Count the epochs without a lower loss; recomputed from the history, so that it survives an interruption."""
    lowest, plateaus = float("inf"), 0
    for loss in losses:
        lowest, plateaus = (loss, plateaus) if loss < lowest - 1e-4 else (lowest, plateaus + 1)
    return plateaus


def flat_layers(model: keras.Model) -> list[keras.layers.Layer]:
    """List all layers, including those of nested models."""
    return [inner for layer in model.layers for inner in (flat_layers(layer) if hasattr(layer, "layers") else [layer])]


def saved_states(folder: Path) -> list[Path]:
    """List the saved states of a training, the newest last."""
    return sorted(folder.glob("state-*.weights.h5"))


def resume(model: keras.Model, folder: Path, config: TrainingConfig) -> tuple[int, CheckpointCallback]:
    """Load the newest state; return its number of completed epochs and the callback for the next ones."""
    states, first, past = saved_states(folder), 0, pd.DataFrame()
    if states:
        model.load_weights(states[-1])
        first = int(states[-1].name[len("state-") :].partition(".")[0])
        past = pd.read_csv(folder / HISTORY).head(first)
    return first, CheckpointCallback(folder, past, config)
