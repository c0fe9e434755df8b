"""TensorFlow comes without its noise, and with everything else that it says."""

import json
import os
import subprocess
import sys

import pytest

from helpers import backend
from helpers.project import CHECKOUT

IMPORT_TENSORFLOW = """
from helpers import processes
processes.configure()
from helpers.backend import tf
print(tf.__version__)
"""
# What is written while TensorFlow is imported, and whether descriptor 2 is another file meanwhile.
WRITE = """
import os, sys, types
before = os.fstat(2)

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "keras":
            os.write(2, b"I0000 00:00:1 1 port.cc:153] oneDNN custom operations are on.\\n")
            print(os.path.samestat(before, os.fstat(2)))
            raise ImportError("far enough")

sys.meta_path.insert(0, Finder())
try:
    import helpers.backend
except ImportError as error:
    print(error)
"""


def test_importing_tensorflow_writes_nothing():
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    environment |= {"TF_ENABLE_ONEDNN_OPTS": "1"}  # its lines come on any processor
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_TENSORFLOW],
        cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=True,
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


@pytest.mark.parametrize(
    ("first", "own", "written"),
    [
        ("", "True", "I0000 00:00:1 1 port.cc:153] oneDNN custom operations are on.\n"),
        ("from helpers import processes; processes.configure()", "False", ""),
    ],
)
def test_only_a_process_that_is_set_up_holds_back_what_tensorflow_writes(first, own, written):
    done = imported(f"{first}\n{WRITE}")
    assert done.stdout.splitlines() == [own, "far enough"]
    assert done.stderr == written


def imported(code, **changed):
    environment = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"} | changed
    return subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, env=environment, capture_output=True, text=True)


SETTINGS = "from helpers.backend import keras; c = keras.config; print(c.backend(), c.image_data_format(), c.floatx())"


@pytest.mark.parametrize("backend", ["tensorflow", "torch"])
def test_the_settings_of_a_user_are_not_those_of_the_package(tmp_path, backend):
    (tmp_path / ".keras").mkdir()
    settings = {"backend": backend, "image_data_format": "channels_first", "floatx": "float16"}
    (tmp_path / ".keras" / "keras.json").write_text(json.dumps(settings))
    done = imported(SETTINGS, HOME=str(tmp_path))
    assert done.stdout == "tensorflow channels_last float32\n", done.stderr


@pytest.mark.parametrize("backend", ["torch", "jax", "Tensorflow"])
def test_another_backend_is_refused_with_the_variable_to_change(backend):
    done = imported("import helpers.backend", KERAS_BACKEND=backend)
    assert done.stderr.splitlines()[-1].endswith(
        f"KERAS_BACKEND is '{backend}', but this package needs TensorFlow; unset it, or set KERAS_BACKEND=tensorflow"
    )


def test_a_keras_that_runs_already_on_something_else_is_refused():
    code = """
import sys, types
class Other(types.ModuleType):
    config = types.SimpleNamespace(backend=lambda: "jax")
    layers = ops = None
sys.modules["keras"], sys.modules["tensorflow"] = Other("keras"), types.ModuleType("tensorflow")
import helpers.backend
"""
    assert "Keras is running on jax, but this package needs TensorFlow" in imported(code).stderr


LIGHT = """
import gc, sys
from helpers import processes
processes.configure(is_command=bool(int(sys.argv[1])))
import helpers.backend
import sklearn.base, matplotlib.figure
print(sys.modules["keras.src.wrappers.fixes"].sklearn is None, gc.isenabled(), gc.get_freeze_count() > 1000)
"""


@pytest.mark.parametrize("is_command", [False, True])
def test_only_a_command_imports_keras_without_the_libraries_that_it_does_not_need(is_command):
    done = subprocess.run(
        [sys.executable, "-c", LIGHT, str(int(is_command))],
        cwd=CHECKOUT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == [str(is_command), "True", "True"]
