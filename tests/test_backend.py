"""TensorFlow comes without its noise, and with everything else that it says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import backend

ROOT = Path(__file__).resolve().parents[1]


def test_importing_tensorflow_writes_nothing():
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-c", "from helpers.backend import tf; print(tf.__version__)"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout[0].isdigit()
    assert done.stderr == ""


def test_other_lines_and_errors_pass(capfd):
    with pytest.raises(ImportError), backend._without_noise():
        os.write(2, b"I0000 00:00:1 1 port.cc:153] oneDNN custom operations are on.\n")
        os.write(2, b"2026-11-28 21:09:28.8: I tensorflow/core/cpu_feature_guard.cc:210] This TensorFlow is fast.\n")
        os.write(2, b"something is wrong\n")
        raise ImportError
    assert capfd.readouterr().err == "something is wrong\n"
