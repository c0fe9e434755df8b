"""Keras on TensorFlow, with the settings that this package counts on.

This is the one module that changes a process when it is imported, as importing Keras is what it is for. A user's
``keras.json`` may ask for another backend, ``channels_first`` or ``float16``; here they are TensorFlow,
``channels_last`` and ``float32``. Keras reads ``KERAS_BACKEND`` while it is imported, so it is set before; the other
two hold for every layer that is built after, whoever builds it, so a call that somebody forgets would give models of
another shape.

In a process that :func:`helpers.processes.configure` has set up, the lines that TensorFlow prints when it is imported
are left out: notebooks are compared output by output, and the lines on oneDNN, which TensorFlow 2.21 prints whatever
the log level, hold a time and a process number. Everything else that the import writes is passed on.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator

from helpers import processes
from helpers.errors import LeukobookError

NOISE = re.compile(
    rb"^(WARNING: All log messages before absl::InitializeLog|To enable the following instructions"
    rb"|(I\d{4}|\d{4}-\d\d-\d\d \S+ I) .*(oneDNN|cpu_feature_guard))"  # the second is that of TensorFlow 2.18 to 2.20
)


@contextlib.contextmanager
def _without_noise() -> Iterator[None]:
    """Hold back what is written to file descriptor 2 meanwhile, and pass on all but the noise."""
    sys.stderr.flush()
    real = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(real, 2)
            held.seek(0)
            for line in held:
                if not NOISE.match(line):
                    os.write(real, line)
            os.close(real)


class BackendError(LeukobookError):
    """Keras runs on something else than TensorFlow; the message says which variable to change."""


# Before Keras is imported, and before it reads keras.json.
if os.environ.setdefault("KERAS_BACKEND", "tensorflow") != "tensorflow":
    raise BackendError(
        f"KERAS_BACKEND is {os.environ['KERAS_BACKEND']!r}, but this package needs TensorFlow; unset it, or set "
        "KERAS_BACKEND=tensorflow"
    )

with _without_noise() if processes.filters_tensorflow_log() else contextlib.nullcontext():
    import keras
    import tensorflow as tf
    from keras import layers, ops

if keras.config.backend() != "tensorflow":  # imported before with what keras.json says
    raise BackendError(
        f"Keras is running on {keras.config.backend()}, but this package needs TensorFlow; start Python anew with "
        "KERAS_BACKEND=tensorflow"
    )
keras.config.set_image_data_format("channels_last")
keras.config.set_floatx("float32")

__all__ = ["keras", "layers", "ops", "tf"]
