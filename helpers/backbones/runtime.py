"""What computes a frozen backbone: ONNX Runtime, or TensorFlow where ONNX Runtime or tf2onnx cannot be imported.

The features of the two agree within 1e-3. ONNX Runtime takes about two thirds of the time.
"""

from __future__ import annotations

import functools
import importlib
import warnings
from collections.abc import Callable

import numpy as np

from helpers.backend import keras, tf

ONNX, TENSORFLOW = "ONNX Runtime", "TensorFlow"
NEEDED = ("onnxruntime", "tf2onnx.convert")  # modules; imported when the first backbone is, for they take a second


@functools.cache
def inference_runtime() -> str:
    """Name what computes frozen backbones here, :data:`ONNX` or :data:`TENSORFLOW`.

    The first call prints a line where it is TensorFlow.
    """
    for module in NEEDED:
        try:
            with _without_numpy_warning():
                importlib.import_module(module)
        except Exception as error:  # missing, or a version that fits nothing else here, which raises anything
            package, reason = module.partition(".")[0], str(error).partition("\n")[0]
            print(f"Features are computed by TensorFlow, which takes longer: no {package} here ({reason})")
            return TENSORFLOW
    return ONNX


def compile_backbone(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """Compile a model for one core, ``uint8 (n, size, size, 3)`` to ``float32 (n, channels)``.

    What computes it is :func:`inference_runtime`. An image at a time on every core is the fastest way here
    (``benchmarks/transfer.py``), and what is predicted for an image does not depend on its neighbours.
    """
    return _in_onnx(model) if inference_runtime() == ONNX else _in_tensorflow(model)


def convert_to_onnx(model: keras.Model) -> bytes:
    """Convert a model of ``uint8`` images, named ``images``, to an ONNX file."""
    with _without_numpy_warning():
        from tf2onnx.convert import from_function

        graph, signature = _graph(model)
        proto, _ = from_function(graph, input_signature=signature, opset=17)
    return proto.SerializeToString()


def _in_onnx(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(convert_to_onnx(model), options, providers=["CPUExecutionProvider"])
    return lambda pictures: session.run(None, {"images": pictures})[0]


def _in_tensorflow(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    graph, _ = _graph(model)
    return lambda pictures: graph(pictures).numpy()


def _graph(model: keras.Model) -> tuple[Callable, list[tf.TensorSpec]]:
    """A model in inference as a function of TensorFlow, and the signature of that function."""
    signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.uint8, "images")]
    return tf.function(lambda images: model(images, training=False), input_signature=signature), signature


def _without_numpy_warning() -> warnings.catch_warnings:
    """Ignore that tf2onnx looks for a name that NumPy gave up."""
    return warnings.catch_warnings(action="ignore", category=FutureWarning)
