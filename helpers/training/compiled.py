"""Compiled networks, kept for the next training, so that Keras traces each of them once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from helpers.backend import keras
from helpers.training.identity import identify
from helpers.training.settings import Settings


def twin_of(
    model: keras.Model, build: functools.partial[keras.Model], loss: Callable | str, steps: int, settings: Settings
) -> keras.Model:
    """A compiled model like another one, with the same weights and an optimizer that has seen nothing.

    Args:
        model: with the weights.
        build: made it, or one like it.
        loss: of the model; both as :func:`helpers.training.identity.identify` takes them.
        steps: batches in an epoch.
        settings: see :func:`helpers.training.fit`.

    Returns:
        A model that the next call may return again, as if new.
    """
    key = identify((build, loss))
    recipe = _Recipe(key, build, loss, settings.optimizer, settings.schedule, settings.strategy)
    twin, cosine, unused = _compiled(recipe)
    twin.set_weights(model.get_weights())
    for variable, value in zip(twin.optimizer.variables, unused, strict=True):
        variable.assign(value)
    if cosine:
        cosine.rate.assign(settings.rate)
        cosine.angle.assign(np.float32(np.pi) * (np.float32(1) / np.float32(settings.epochs * steps)))
    else:
        twin.optimizer.learning_rate = settings.rate
    return twin


class _Cosine(keras.optimizers.schedules.LearningRateSchedule):
    """Keras's ``CosineDecay`` to zero, to the bit as in a trace, but with variables for the rate and a step's angle."""

    def __init__(self):
        self.rate, self.angle = keras.Variable(1.0), keras.Variable(1.0)

    def __call__(self, step):
        return self.rate * (0.5 * (1 + keras.ops.cos(keras.ops.cast(step, "float32") * self.angle)))


@dataclass(frozen=True)
class _Recipe:
    """What a model is compiled from: ``build`` and ``loss`` are compared by ``key``, which knows their closures.

    ``strategy`` names the scope it is made in.
    """

    key: str
    build: functools.partial[keras.Model] = field(compare=False)
    loss: Callable | str = field(compare=False)
    optimizer: str
    schedule: str
    strategy: str


@functools.lru_cache(maxsize=1)
def _compiled(recipe: _Recipe) -> tuple[keras.Model, _Cosine | None, list[np.ndarray]]:
    """A compiled model, its schedule if it has one, and the state of its unused optimizer.

    The last one is kept: trained again, Keras need not trace it again, which takes as long as a short training of a
    small network. So whatever differs between trainings is a variable.
    """
    model = recipe.build()
    cosine = _Cosine() if recipe.schedule == "cosine" else None
    model.compile(type(keras.optimizers.get(recipe.optimizer))(cosine or 1.0), recipe.loss)
    # With its variables there, Keras traces a step once instead of twice, which halves the time to the first one.
    model.optimizer.build(model.trainable_variables)
    return model, cosine, [variable.numpy() for variable in model.optimizer.variables]
