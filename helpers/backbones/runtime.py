"""Inference runtime of frozen backbones: ONNX Runtime, or TensorFlow if ONNX Runtime or tf2onnx cannot be imported.

The features of the two agree within 1e-3. ONNX Runtime takes about two thirds of the time of TensorFlow.
"""

from __future__ import annotations

import functools
import importlib
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from helpers import files
from helpers.backend import keras, tf

ONNX, TENSORFLOW = "ONNX Runtime", "TensorFlow"
NEEDED = ("onnxruntime", "tf2onnx.convert")  # imported lazily with the first backbone, as they take a second


@functools.cache
def inference_runtime() -> str:
    """Determine the runtime of frozen backbones; the first call prints a line if it is TensorFlow.

    Returns:
        :data:`ONNX` or :data:`TENSORFLOW`.
    """
    for module in NEEDED:
        try:
            with _without_numpy_warning():
                importlib.import_module(module)
        except Exception as error:  # missing, or an incompatible version, which may raise anything
            package, reason = module.partition(".")[0], str(error).partition("\n")[0]
            print(f"Features are computed by TensorFlow, which takes longer: no {package} here ({reason})")
            return TENSORFLOW
    return ONNX


def compile_backbone(model: keras.Model, kept: Path | None = None) -> Callable[[np.ndarray], np.ndarray]:
    """Compile a model for inference with :func:`inference_runtime`; ONNX Runtime uses one thread per call.

    One image at a time on each core is fastest here (``benchmarks/transfer.py``).

    Args:
        model: Model of ``uint8`` images, such as :func:`helpers.backbones.feature_extractor`.
        kept: File with this model as converted for ONNX Runtime, which takes two seconds; written if it is missing.

    Returns:
        Function from ``uint8 (n, size, size, 3)`` to ``float32 (n, channels)``.
    """
    return _compile_onnx(model, kept) if inference_runtime() == ONNX else _compile_tensorflow(model)


def convert_to_onnx(model: keras.Model) -> bytes:
    """Convert a Keras model to ONNX, opset 17.

    Args:
        model: Model of ``uint8`` images.

    Returns:
        Content of an ONNX file; its input is named ``images``.
    """
    with _without_numpy_warning():
        from tf2onnx.convert import from_function

        graph, signature = _graph(model)
        proto, _ = from_function(graph, input_signature=signature, opset=17)
    return proto.SerializeToString()


def _compile_onnx(model: keras.Model, kept: Path | None = None) -> Callable[[np.ndarray], np.ndarray]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    start = functools.partial(onnxruntime.InferenceSession, sess_options=options, providers=["CPUExecutionProvider"])
    if kept is not None and not kept.exists():
        with files.atomic_write(kept) as partial:
            partial.write_bytes(convert_to_onnx(model))
    session = start(convert_to_onnx(model) if kept is None else str(kept))
    return lambda images: session.run(None, {"images": images})[0]


def _compile_tensorflow(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    graph, _ = _graph(model)
    return lambda images: graph(images).numpy()


def _graph(model: keras.Model) -> tuple[Callable, list[tf.TensorSpec]]:
    """Return a model in inference mode as a TensorFlow function, and its input signature."""
    signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.uint8, "images")]
    return tf.function(lambda images: model(images, training=False), input_signature=signature), signature


def _without_numpy_warning() -> warnings.catch_warnings:
    """Ignore the warning that tf2onnx uses a name removed from NumPy."""
    return warnings.catch_warnings(action="ignore", category=FutureWarning)
