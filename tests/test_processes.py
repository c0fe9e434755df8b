"""Output goes through any code page."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("ascii", b"3 \\xd7 3 \\u2265 \\u2026"), ("cp1252", b"3 \xd7 3 \\u2265 \x85"), ("utf-8", "3 × 3 ≥ …".encode())],
)
def test_letters_that_a_code_page_lacks_are_written_in_ascii(encoding, shown):
    code = "import sys; from helpers import processes; processes.print_in_any_encoding(); print('3 × 3 ≥ …');"
    code += "print('3 × 3 ≥ …', file=sys.stderr); print('\\udce9')"
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [shown, b"\\udce9"]
    assert done.stderr.splitlines() == [shown]


def test_a_stream_that_cannot_be_set_stays(capsys):
    from helpers import processes

    processes.print_in_any_encoding()
    print("×")
    assert capsys.readouterr().out == "×\n"
