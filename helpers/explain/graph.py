"""A model as a flat graph that ends before its softmax: what every explanation asks."""

from __future__ import annotations

from helpers.backend import keras, layers
from helpers.errors import LeukobookError


class ExplainError(LeukobookError):
    """A model that cannot be explained in this way; the message says which part of it and why."""


def flatten_model(model: keras.Model) -> keras.Model:
    """A copy in which models within the model, such as a backbone, are replaced by their own layers.

    Layers of a model within are called ``<model>_<layer>``, and an activation that a layer has within it becomes a
    layer ``<layer>_activation``. The copy says of every image what the model says.

    Raises:
        ExplainError: neither a functional model nor a Sequential one with an input shape, or a layer is used twice.
    """
    model = _functional(model)
    inputs = [keras.Input(each.shape[1:], name=each.name) for each in model.inputs]
    outputs = _run(model, inputs, "")
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs, name=model.name)


def logits_model(model: keras.Model) -> keras.Model:
    """From images to one number per class, before the softmax makes probabilities of them, ``float32 (n, classes)``.

    Probabilities near 1 hardly change with the image, so their gradients say little (Simonyan et al. 2014). A model of
    one output, the probability of the second class, gets two numbers, of which one is the other's negative.

    Args:
        model: a classifier of one image, ending in a dense layer; models within it are unrolled.

    Raises:
        ExplainError: a model of several inputs, with another ending, or as :func:`flatten_model`.
    """
    flat = flatten_model(model)
    if len(flat.inputs) != 1:
        raise ExplainError(f"{model.name} takes {len(flat.inputs)} pictures; explain each branch as a model of its own")
    *_, dense, last = flat.layers
    if not isinstance(dense, layers.Dense) or not isinstance(last, (layers.Activation, layers.Softmax)):
        raise ExplainError(f"{model.name} ends in {dense.name} and {last.name}, not in the probabilities of classes")
    outputs = dense.output
    if dense.units == 1:
        outputs = layers.Concatenate()([layers.Rescaling(-1.0)(outputs), outputs])
    return keras.Model(flat.inputs[0], outputs, name=model.name)


def _functional(model: keras.Model) -> keras.Model:
    """Return the model as a graph of operations, which a Sequential one has once it knows its input shape."""
    if isinstance(model, keras.Sequential) and hasattr(model, "inputs"):
        return keras.Model(model.inputs, model.outputs, name=model.name)
    if not hasattr(model, "operations"):
        raise ExplainError(
            f"{model.name} is not a functional model, nor a Sequential one with a known input shape, so its layers "
            "cannot be followed; build it from keras.Input on"
        )
    return model


def _run(model: keras.Model, inputs: list[keras.KerasTensor], prefix: str) -> keras.KerasTensor:
    """Copy every operation of a functional model, in its order, on other tensors."""
    known = {id(old): new for old, new in zip(model.inputs, inputs, strict=True)}
    for operation in model.operations:
        if isinstance(operation, layers.InputLayer):
            continue
        # Of a model within, the base class says where it is called; its own property, where it begins.
        given, gives = keras.Operation.input.fget(operation), keras.Operation.output.fget(operation)
        try:
            at = [known[id(each)] for each in given] if isinstance(given, list) else known[id(given)]
        except KeyError:
            raise ExplainError(f"{model.name}: a layer before {operation.name} is used twice") from None
        if isinstance(operation, keras.Model):
            result = _run(_functional(operation), at if isinstance(at, list) else [at], f"{prefix}{operation.name}_")
        else:
            result = _copied(operation, at, prefix + operation.name)
        known[id(gives)] = result
    return known[id(model.outputs[0])]


def _copied(operation: keras.Operation, at: keras.KerasTensor | list, name: str) -> keras.KerasTensor:
    config = operation.get_config() | {"name": name}
    activation = config.get("activation", "linear")
    apart = activation != "linear" and not isinstance(operation, layers.Activation)
    copy = type(operation).from_config(config | ({"activation": "linear"} if apart else {}))
    result = copy(at)
    if isinstance(copy, layers.Layer):
        copy.set_weights(operation.get_weights())
    return layers.Activation(activation, name=f"{name}_activation")(result) if apart else result
