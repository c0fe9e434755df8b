"""Import Keras on TensorFlow and set the configuration that this package relies on.

This is the only module with side effects on the process at import, because importing Keras is its purpose. A user's
``keras.json`` may set another backend, ``channels_first`` or ``float16``; here they are TensorFlow, ``channels_last``
and ``float32``. Keras reads ``KERAS_BACKEND`` at import, so it is set before. The other two apply globally to every
layer built afterwards, so they are set here, where no caller can forget them and get models of another shape.

In a command, Keras is imported without :data:`OPTIONAL`, which are then imported where they are used.

In a process set up by :func:`helpers.processes.configure`, TensorFlow's log lines at import are suppressed: notebooks
are compared output by output, and the oneDNN lines, which TensorFlow 2.21 prints at any log level, contain a time and a
process ID. Everything else that the import writes is passed on.
"""

from __future__ import annotations

import contextlib
import gc
import os
import re
import sys
import tempfile
from collections.abc import Iterator

from helpers import processes
from helpers.errors import LeukobookError

NOISE = re.compile(
    rb"^(WARNING: All log messages before absl::InitializeLog|To enable the following instructions"
    rb"|(I\d{4}|\d{4}-\d\d-\d\d \S+ I) .*(oneDNN|cpu_feature_guard))"  # the second time format: TensorFlow 2.18 to 2.20
)

# Keras and TensorFlow import them to edit weights, to draw images, for sparse matrices and for wrappers; commands need
# none of these, and save a second.
OPTIONAL = ("IPython", "matplotlib", "scipy", "sklearn")


@contextlib.contextmanager
def _without_noise() -> Iterator[None]:
    """Buffer writes to file descriptor 2 (stderr) and pass on all lines that do not match :data:`NOISE`."""
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


@contextlib.contextmanager
def _collecting_no_garbage() -> Iterator[None]:
    """Pause the garbage collector, which would walk through all modules again and again, and spare them later."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()  # modules stay until the process ends
        if enabled:
            gc.enable()


@contextlib.contextmanager
def _without_libraries(names: tuple[str, ...]) -> Iterator[None]:
    """Make the import of libraries fail that are not imported yet; Keras then leaves out what needs them."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # documented: None makes an import fail
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


class BackendError(LeukobookError):
    """Keras runs on a backend other than TensorFlow; the message names the environment variable to change."""


# Must precede the import of Keras, which reads keras.json.
if os.environ.setdefault("KERAS_BACKEND", "tensorflow") != "tensorflow":
    raise BackendError(
        f"KERAS_BACKEND is {os.environ['KERAS_BACKEND']!r}, but this package needs TensorFlow; unset it, or set "
        "KERAS_BACKEND=tensorflow"
    )

with (
    _without_noise() if processes.filters_tensorflow_log() else contextlib.nullcontext(),
    _without_libraries(OPTIONAL if processes.is_command() else ()),
    _collecting_no_garbage(),
):
    import keras
    import tensorflow as tf
    from keras import layers, ops

if keras.config.backend() != "tensorflow":  # Keras was imported earlier with the backend of keras.json
    raise BackendError(
        f"Keras is running on {keras.config.backend()}, but this package needs TensorFlow; start Python anew with "
        "KERAS_BACKEND=tensorflow"
    )
keras.config.set_image_data_format("channels_last")
keras.config.set_floatx("float32")

__all__ = ["keras", "layers", "ops", "tf"]
