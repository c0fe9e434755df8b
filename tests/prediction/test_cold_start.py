"""One image, one answer: what predict need not import, which would take seconds, and what it must not print."""

import json
import os
import subprocess
import sys

from red_cells import save_cells, save_model

from helpers.project import CHECKOUT

# From a twentieth of a second to a second each; Keras itself would import some of them.
UNUSED = {"matplotlib", "sklearn", "scipy", "skimage", "IPython", "nbformat", "jinja2"}
CALL = """
import json, sys
from helpers.cli import app
try:
    app(sys.argv[1:])
finally:
    print(json.dumps(sorted(sys.modules)))
"""


def test_one_image_is_classified_without_what_it_does_not_need_and_without_noise(tmp_path):
    (image,) = save_cells(tmp_path, {"one.png": 0.9})
    words = ["predict", str(image), "--model", str(save_model(tmp_path)), "--out", str(tmp_path / "p.csv")]
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-c", CALL, *words],
        cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert f"1 images classified into {tmp_path / 'p.csv'}: ill 1" in done.stdout
    assert set(json.loads(done.stdout.splitlines()[-1])) & UNUSED == set()
    # The image is as red as no training image; nothing else is written to stderr, above all no line of TensorFlow.
    assert done.stderr.startswith("Check failed, input shift")
    assert "tensorflow" not in done.stderr.lower()
    assert "WARNING" not in done.stderr
