"""Layer-wise relevance propagation (LRP, Bach et al. 2015) of a class score to the pixels.

Each unit distributes its relevance over its inputs in proportion to their contributions. The shares of biases and of
epsilon are not propagated; their sum is returned, so that conservation of relevance can be checked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from helpers.backend import keras, layers, tf
from helpers.explain.graph import ExplainError

Tensors = list[tf.Tensor]


class _Step(NamedTuple):
    """One operation of the model, or a layer together with its batch normalisation."""

    inputs: list[keras.KerasTensor]
    output: keras.KerasTensor
    run: Callable[[Tensors], tf.Tensor]
    rule: Callable[..., tuple[Tensors, tf.Tensor]]


def relevance(
    model: keras.Model, images: np.ndarray, classes: np.ndarray, epsilon: float
) -> tuple[np.ndarray, np.ndarray]:
    """Compute the relevance of every pixel and channel for the score of a class.

    Rules: LRP-ε for convolutions, dense layers, average pooling and additions, with batch normalisation folded into the
    layer before it; winner takes all for max pooling; identity for activations and input scaling.

    Args:
        model: from :func:`helpers.explain.logits_model`.
        images: ``uint8 (n, size, size, 3)`` RGB.
        classes: ``int (n,)``, class of each image whose score is attributed.
        epsilon: stabiliser, as a fraction of the root mean square of a layer's output, which reduces the relevance of
            units whose inputs nearly cancel out (LRP-ε; Montavon et al. 2019 use 0.25); 0 is LRP-0 (z-rule).

    Returns:
        Relevance ``float32 (n, size, size, 3)``, signed, and the share of biases and epsilon ``float32 (n,)``. They add
        up to the score.

    Raises:
        ExplainError: the model has a layer without a rule, such as a product of two feature maps.
    """
    activations = {id(model.inputs[0]): tf.constant(images.astype(np.float32))}
    steps = _steps(model)
    for step in steps:
        activations[id(step.output)] = step.run([activations[id(each)] for each in step.inputs])
    scores = activations[id(model.outputs[0])]
    relevances = {id(model.outputs[0]): tf.one_hot(np.asarray(classes, np.int32), scores.shape[1]) * scores}
    absorbed = tf.zeros(len(images))
    for step in reversed(steps):
        # Identities are distinct tensors, so that a tensor used twice by a layer, as in x + x, gets two shares.
        inputs = [tf.identity(activations[id(each)]) for each in step.inputs]
        shares, lost = step.rule(step.run, inputs, relevances.pop(id(step.output)), epsilon)
        absorbed += lost
        for each, share in zip(step.inputs, shares, strict=True):
            relevances[id(each)] = relevances.get(id(each), 0.0) + share
    return relevances[id(model.inputs[0])].numpy(), absorbed.numpy()


def _steps(model: keras.Model) -> list[_Step]:
    """List the operations in order; a layer and its batch normalisation are one step."""
    operations = [each for each in model.operations if not isinstance(each, layers.InputLayer)]
    inputs = {each.name: each.input if isinstance(each.input, list) else [each.input] for each in operations}
    users = [id(tensor) for tensors in inputs.values() for tensor in tensors]
    steps: dict[int, _Step] = {}
    for each in operations:
        step = _Step(inputs[each.name], each.output, _run(each), _rule(each))
        previous = steps.get(id(step.inputs[0]))
        alone = previous and previous.rule is _proportional and users.count(id(step.inputs[0])) == 1
        if previous and alone and isinstance(each, layers.BatchNormalization):
            del steps[id(previous.output)]
            step = step._replace(inputs=previous.inputs, run=_compose(previous.run, step.run))
        steps[id(each.output)] = step
    return list(steps.values())


def _run(operation: keras.Operation) -> Callable[[Tensors], tf.Tensor]:
    options = {"training": False} if isinstance(operation, layers.Layer) else {}
    return lambda inputs: operation(inputs if len(inputs) > 1 else inputs[0], **options)


def _compose(first: Callable[[Tensors], tf.Tensor], second: Callable[[Tensors], tf.Tensor]) -> Callable:
    return lambda inputs: second([first(inputs)])


def _rule(operation: keras.Operation) -> Callable:
    for rule, kinds in _RULES.items():
        if isinstance(operation, kinds) or (type(operation).__name__ == "Flip" and rule is _routed):
            return rule
    raise ExplainError(f"LRP has no rule for {type(operation).__name__} {operation.name}; use another method")


def _proportional(run: Callable, inputs: Tensors, share: tf.Tensor, epsilon: float) -> tuple[Tensors, tf.Tensor]:
    """Distribute relevance in proportion to the contributions of the inputs; ``run`` is affine."""
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        z = run(inputs)
    axes = list(range(1, len(z.shape)))
    size = epsilon * tf.sqrt(tf.reduce_mean(z**2, axes, keepdims=True)) + 1e-9
    stable = z + tf.where(z >= 0, size, -size)
    ratio = share / stable
    shares = [x * g for x, g in zip(inputs, tape.gradient(z, inputs, ratio), strict=True)]
    bias = run([tf.zeros_like(x) for x in inputs])
    return shares, tf.reduce_sum((bias + stable - z) * ratio, axes)


def _routed(run: Callable, inputs: Tensors, share: tf.Tensor, epsilon: float) -> tuple[Tensors, tf.Tensor]:
    """Assign the relevance of each value to the input that it was taken from."""
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        z = run(inputs)
    return tape.gradient(z, inputs, share), tf.zeros(len(z))


def _identity(run: Callable, inputs: Tensors, share: tf.Tensor, epsilon: float) -> tuple[Tensors, tf.Tensor]:
    return [share], tf.zeros(len(share))


_RULES = {
    _proportional: (
        layers.Dense, layers.Conv2D, layers.Conv2DTranspose, layers.DepthwiseConv2D, layers.SeparableConv2D,
        layers.BatchNormalization, layers.GlobalAveragePooling2D, layers.AveragePooling2D, layers.Add,
    ),
    _routed: (
        layers.MaxPooling2D, layers.GlobalMaxPooling2D, layers.Flatten, layers.Reshape, layers.ZeroPadding2D,
        layers.Concatenate,
    ),
    _identity: (layers.ReLU, layers.Activation, layers.Dropout, layers.Rescaling, layers.Normalization),
}  # fmt: skip
