"""Whatever is given, the command reads it or says in a line what is wrong: no crash, no hang, no full memory."""

import json
import os
import subprocess
import sys

import pytest
from bad_inputs import archives, counts, models, pictures, profiles, tables
from bad_inputs.case import READ, cells
from disc_fields import save_detector_files

from helpers.project import CHECKOUT

pytestmark = pytest.mark.slow
LIMIT_S, LIMIT_MIB = 10, 1536
CASES = [*pictures.CASES, *tables.CASES, *archives.CASES, *profiles.CASES, *models.CASES, *counts.CASES]


@pytest.fixture(scope="module")
def command():
    """A function that carries out a command of the package and says how it went."""
    paths = os.pathsep.join([str(CHECKOUT), str(CHECKOUT / "tests")])
    server = subprocess.Popen(
        [sys.executable, "-m", "bad_inputs.server"],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "PYTHONPATH": paths,
            "TERM": "dumb",
            "COLUMNS": "200",
        },
    )

    def carry_out(words, folder, timeout_s):
        server.stdin.write(json.dumps({"words": words, "folder": str(folder), "timeout_s": timeout_s}) + "\n")
        server.stdin.flush()
        return json.loads(server.stdout.readline())

    yield carry_out
    server.stdin.close()
    server.wait(30)
    server.stdout.close()


@pytest.fixture(scope="module")
def trained(command, tmp_path_factory):
    """A small model with its card and a detector with its note, made once."""
    place = tmp_path_factory.mktemp("trained")
    words = ["train", f"folder:{cells(place, patients=15)}", "--positive", "blast", "--model", str(place / "m.keras")]
    done = command([*words, "--model-type", "cnn", "--epochs", "1"], place, 120)
    assert done["code"] == 0, done["err"]
    save_detector_files(place)
    models.TRAINED["folder"] = place


def test_there_are_more_than_150_bad_inputs_and_each_has_a_name_of_its_own():
    assert len({case.name for case in CASES}) == len(CASES)
    assert sum(case.code != READ for case in CASES) > 150


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_bad_input_is_refused_in_a_line(case, command, trained, tmp_path):
    done = command(case.make(tmp_path), tmp_path, LIMIT_S)
    told = done["out"] + done["err"]
    assert done["code"] is not None, f"it went on for more than {LIMIT_S} s: {told[-300:]}"
    assert "Traceback" not in told, told[-1500:]
    assert done["mib"] < LIMIT_MIB, f"it took {done['mib']:.0f} MiB"
    assert done["code"] == case.code, told[-1500:]
    for words in case.says:
        assert words.lower() in told.lower(), told[-1500:]
