"""A process is set up by a call and not by an import, and output goes through any code page."""

import json
import logging
import os
import subprocess
import sys
import warnings

import pytest

from helpers import processes
from helpers.project import CHECKOUT

# What the libraries change themselves when they are imported is done before the first look.
SETTINGS = """
import importlib, json, os, pkgutil, sys, warnings
import cv2, keras, matplotlib, numpy, onnxruntime, optuna, pandas, papermill, pooch, scipy.stats, skimage, sklearn
import tensorflow, dask.distributed, sklearn.linear_model, sklearn.model_selection, matplotlib.pyplot

def look():
    return {
        "filters": [str(entry) for entry in warnings.filters], "environment": dict(os.environ),
        "threads": cv2.getNumThreads(), "descriptor": list(os.fstat(2))[:3], "figures": dict(matplotlib.rcParams),
        "verbosity": optuna.logging.get_verbosity(), "pandas": pandas.get_option("display.float_format"),
    }

before = look()
import helpers
names = [module.name for module in pkgutil.walk_packages(helpers.__path__, "helpers.")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
after = look()
print(json.dumps([len(names), [name for name in before if before[name] != after[name]]]))
"""
CONFIGURED = """
import json, os, warnings
from helpers.project import CHECKOUT
from helpers import processes
processes.configure()
import cv2
with warnings.catch_warnings(record=True) as caught:
    warnings.warn("IProgress not found. Please update jupyter and ipywidgets.")
    warnings.warn("another")
print(json.dumps([cv2.getNumThreads(), [str(warning.message) for warning in caught]]))
"""


def printed(code, **changed):
    """What Python prints of a piece of code, as JSON, in a process with a changed environment."""
    outside = {k: v for k, v in os.environ.items() if k not in ("OPENCV_FOR_THREADS_NUM", "LEUKOBOOK_PROJECT")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, env=outside | changed, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_importing_the_package_changes_nothing_of_the_process():
    number, changed = printed(SETTINGS, KERAS_BACKEND="tensorflow")  # helpers.backend would set it
    assert number > 100
    assert changed == []


def test_a_process_that_is_set_up_has_one_thread_of_opencv_and_no_warning_of_widgets():
    assert printed(CONFIGURED) == [1, ["another"]]


def test_a_user_who_wants_more_threads_of_opencv_keeps_them():
    assert printed(CONFIGURED, OPENCV_FOR_THREADS_NUM="2")[0] == 2


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("ascii", b"3 \\xd7 3 \\u2265 \\u2026"), ("cp1252", b"3 \xd7 3 \\u2265 \x85"), ("utf-8", "3 × 3 ≥ …".encode())],
)
def test_letters_that_a_code_page_lacks_are_written_in_ascii(encoding, shown):
    code = "import sys; from helpers import processes; processes.print_in_any_encoding(); print('3 × 3 ≥ …');"
    code += "print('3 × 3 ≥ …', file=sys.stderr); print('\\udce9')"
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [shown, b"\\udce9"]
    assert done.stderr.splitlines() == [shown]


def test_a_stream_that_cannot_be_set_stays(capsys):
    from helpers import processes

    processes.print_in_any_encoding()
    print("×")
    assert capsys.readouterr().out == "×\n"


class Kernel:
    """A kernel that executes a request of a client which takes input, or of one that does not."""

    def __init__(self, takes_input):
        self.kernel = self
        self.request = {"content": {"allow_stdin": takes_input}}

    def get_parent(self):
        return self.request


@pytest.mark.parametrize(
    ("takes_input", "quiet"), [(False, {"TF_CPP_MIN_LOG_LEVEL": "3", "TQDM_DISABLE": "1"}), (True, {})]
)
def test_a_notebook_is_quiet_where_nobody_sits_before_it(monkeypatch, takes_input, quiet):
    monkeypatch.setattr("IPython.get_ipython", lambda: Kernel(takes_input))
    monkeypatch.setattr(processes, "_tensorflow_log_filtered", False)
    environment = {}
    monkeypatch.setattr(os, "environ", environment)
    with warnings.catch_warnings():
        processes.configure()
    assert environment == {"OPENCV_FOR_THREADS_NUM": "1", "TF_CPP_MIN_LOG_LEVEL": "1", **quiet}


def test_settings_of_the_user_stay_in_a_batch_run(monkeypatch):
    monkeypatch.setattr("IPython.get_ipython", lambda: Kernel(False))
    monkeypatch.setattr(processes, "_tensorflow_log_filtered", False)
    environment = {"TQDM_DISABLE": "", "TF_CPP_MIN_LOG_LEVEL": "0"}
    monkeypatch.setattr(os, "environ", environment)
    with warnings.catch_warnings():
        processes.configure()
    assert environment == {"OPENCV_FOR_THREADS_NUM": "1", "TF_CPP_MIN_LOG_LEVEL": "0", "TQDM_DISABLE": ""}


def test_only_the_warning_of_a_retraced_function_is_dropped_from_tensorflows_log(caplog):
    logger = logging.getLogger("tensorflow")  # configured by tests/conftest.py
    logger.warning("5 out of the last %d calls to f triggered tf.function retracing. Tracing is expensive", 13)
    logger.warning("something else")
    assert [record.getMessage() for record in caplog.records] == ["something else"]


@pytest.mark.parametrize(("of_user", "bars"), [({}, False), ({"TQDM_DISABLE": ""}, True)])
def test_a_command_whose_errors_go_to_a_file_draws_no_progress_bar(of_user, bars):
    code = "from helpers import processes; processes.configure(is_command=True)\n"
    code += "from tqdm import tqdm; list(tqdm(range(3), 'cells'))"
    environment = {name: value for name, value in os.environ.items() if name != "TQDM_DISABLE"} | of_user
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert ("cells" in done.stderr) is bars
