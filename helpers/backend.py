"""TensorFlow and Keras, imported without the lines on oneDNN that TensorFlow prints whatever the log level.

Notebooks are compared output by output, and those lines hold a time and a process number. Everything else that the
import writes is passed on.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator

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


with _without_noise():
    import keras
    import tensorflow as tf
    from keras import layers, ops

__all__ = ["keras", "layers", "ops", "tf"]
