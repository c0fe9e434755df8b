"""One failure of a notebook has one message, whoever executes it."""

import textwrap

import nbformat
import pytest

from helpers.runs import execution, kernels
from helpers.runs.execution import ExecutionError, KernelMonitor

DEAD = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
SAVES = """
import pathlib
pathlib.Path("outputs").mkdir()
pathlib.Path("outputs/one-scores.csv").write_text(f"method,score\\na,{value}\\n")
"""


def run(folder, *cells, monitor=None, name="01-one"):
    made = [nbformat.v4.new_code_cell("value = 1", metadata={"tags": ["parameters"]})]
    made += [nbformat.v4.new_code_cell(textwrap.dedent(cell)) for cell in cells]
    nbformat.write(
        nbformat.v4.new_notebook(cells=made, metadata={"language_info": {"name": "python"}}), folder / "01-one.ipynb"
    )
    return execution.execute(folder / f"{name}.ipynb", folder / "out.ipynb", {"value": 7}, folder, monitor=monitor)


def test_the_tables_of_a_notebook_are_read_when_it_has_run(tmp_path):
    monitor = KernelMonitor(100)
    (table,) = run(tmp_path, SAVES, "import time; time.sleep(1)", monitor=monitor)
    assert (table.path.name, table.labels, list(table.frame["score"])) == ("one-scores.csv", ["a"], [7])
    assert monitor.reason == ""
    assert monitor.peak > 10 * 2**20


@pytest.mark.parametrize(
    ("cell", "limits", "message"),
    [
        ("1 / 0", {}, "cell 3: ZeroDivisionError: division by zero"),
        (DEAD, {}, r"the kernel died \(.+\)"),
        ("import time; time.sleep(60)", {"timeout_s": 2}, "stopped after 2 s, its limit"),
        ("a = bytearray(2**28); import time; time.sleep(60)", {"memory_limit": 2**28}, "stopped at .* may have 256"),
        (SAVES.replace("a,", "a,1\\na,"), {}, ".*one-scores.csv: 'a' identifies several rows; save it with .*"),
        (SAVES.replace("write_text(f", "write_bytes(b").replace("a,", r"\xff,"), {}, "'utf-8' codec can't decode .*"),
    ],
)
def test_a_failure_has_one_message_for_runs_and_sweeps(tmp_path, cell, limits, message):
    monitor = KernelMonitor(**{"timeout_s": 100, **limits}) if limits else None
    with pytest.raises(ExecutionError, match=f"^{message}$"):
        run(tmp_path, cell, monitor=monitor)


def test_a_missing_notebook_is_a_failure(tmp_path):
    with pytest.raises(ExecutionError, match="could not be executed: FileNotFoundError"):
        run(tmp_path, "1", name="02-two")


def test_a_kernel_that_does_not_start_is_a_failure_and_a_limit_comes_first(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise kernels.KernelError("could not be executed: RuntimeError: no kernel")

    monkeypatch.setattr(kernels, "execute", refuse)
    with pytest.raises(ExecutionError, match=r"^could not be executed: RuntimeError: no kernel$"):
        run(tmp_path, "1")
    monitor = KernelMonitor(100)
    monitor.reason = "stopped after 100 s, its limit"
    with pytest.raises(ExecutionError, match=r"^stopped after 100 s, its limit$"):
        run(tmp_path, "1", monitor=monitor)
