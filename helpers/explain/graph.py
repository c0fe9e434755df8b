"""Flat model graphs that end before the softmax, as attribution methods need them."""

from __future__ import annotations

from helpers.backend import keras, layers
from helpers.errors import LeukobookError


class ExplainError(LeukobookError):
    """A model that a method does not support; the message names the unsupported layer and the reason."""


def flatten_model(model: keras.Model) -> keras.Model:
    """Copy a model with nested models, such as a backbone, replaced by their layers.

    Layers of a nested model are named ``<model>_<layer>``, and the activation of a layer becomes a separate layer
    ``<layer>_activation``. The copy has the same predictions as the model.

    Args:
        model: functional model, or Sequential model with an input shape.

    Raises:
        ExplainError: the model is of another kind, or a layer is used twice.
    """
    model = _functional(model)
    inputs = [keras.Input(each.shape[1:], name=each.name) for each in model.inputs]
    outputs = _apply(model, inputs, "")
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs, name=model.name)


def logits_model(model: keras.Model) -> keras.Model:
    """Build a flat model from images to logits, the class scores before the softmax.

    Gradients of probabilities saturate near 1 (Simonyan et al. 2014). A model with one output, the probability of the
    second class, gets two logits, −z and z.

    Args:
        model: classifier with one input that ends in a dense layer with an activation; nested models are flattened.

    Returns:
        Model with the output ``float32 (n, classes)``.

    Raises:
        ExplainError: the model has several inputs or another ending, or as for :func:`flatten_model`.
    """
    flat = flatten_model(model)
    if len(flat.inputs) != 1:
        raise ExplainError(f"{model.name} takes {len(flat.inputs)} images; explain each branch as a separate model")
    *_, dense, last = flat.layers
    if not isinstance(dense, layers.Dense) or not isinstance(last, (layers.Activation, layers.Softmax)):
        raise ExplainError(
            f"{model.name} ends in {dense.name} and {last.name}, not in class probabilities; end it in a dense "
            "layer with a softmax"
        )
    outputs = dense.output
    if dense.units == 1:
        outputs = layers.Concatenate()([layers.Rescaling(-1.0)(outputs), outputs])
    return keras.Model(flat.inputs[0], outputs, name=model.name)


def _functional(model: keras.Model) -> keras.Model:
    """Return the model as a functional graph, which a Sequential model has once its input shape is known."""
    if isinstance(model, keras.Sequential) and hasattr(model, "inputs"):
        return keras.Model(model.inputs, model.outputs, name=model.name)
    if not hasattr(model, "operations"):
        raise ExplainError(
            f"{model.name} is not a functional model, nor a Sequential one with a known input shape, so its layers "
            "cannot be followed; build it from keras.Input on"
        )
    return model


def _apply(model: keras.Model, inputs: list[keras.KerasTensor], prefix: str) -> keras.KerasTensor:
    """Apply copies of all operations of a functional model to new input tensors."""
    tensors = {id(before): after for before, after in zip(model.inputs, inputs, strict=True)}
    for operation in model.operations:
        if isinstance(operation, layers.InputLayer):
            continue
        # For a nested model, the base class has the tensors of its call; its own property, those of its definition.
        old, old_output = keras.Operation.input.fget(operation), keras.Operation.output.fget(operation)
        try:
            new = [tensors[id(each)] for each in old] if isinstance(old, list) else tensors[id(old)]
        except KeyError:
            raise ExplainError(f"{model.name}: a layer before {operation.name} is used twice") from None
        if isinstance(operation, keras.Model):
            result = _apply(
                _functional(operation), new if isinstance(new, list) else [new], f"{prefix}{operation.name}_"
            )
        else:
            result = _copy(operation, new, prefix + operation.name)
        tensors[id(old_output)] = result
    return tensors[id(model.outputs[0])]


def _copy(operation: keras.Operation, inputs: keras.KerasTensor | list, name: str) -> keras.KerasTensor:
    config = operation.get_config() | {"name": name}
    activation = config.get("activation", "linear")
    apart = activation != "linear" and not isinstance(operation, layers.Activation)
    copy = type(operation).from_config(config | ({"activation": "linear"} if apart else {}))
    result = copy(inputs)
    if isinstance(copy, layers.Layer):
        copy.set_weights(operation.get_weights())
    return layers.Activation(activation, name=f"{name}_activation")(result) if apart else result
