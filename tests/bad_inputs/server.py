"""Commands of the package, each in a process of its own that need not import anything: it is a copy of one that has.

Reads a line of JSON ``{"words", "folder", "timeout_s"}`` and answers with one, ``{"code", "out", "err", "seconds",
"mib"}``: exit code (None where it was stopped after ``timeout_s``), what was printed, and the most memory that it took.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

CRASHED = 70


def carry_out(words: list[str], folder: str) -> int:
    """The exit code of a command, in this process."""
    from helpers.cli import app

    os.chdir(folder)
    sys.argv = ["helpers", *words]
    try:
        app(words)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return CRASHED
    return 0


def one(request: dict) -> dict:
    """Fork, carry out, wait, and say how it went."""
    with tempfile.TemporaryDirectory() as place:
        out, err = Path(place) / "out", Path(place) / "err"
        start = time.monotonic()
        child = os.fork()
        if child == 0:
            os.setsid()
            for number, path in ((1, out), (2, err)):
                os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND), number)
            code = CRASHED
            try:
                code = carry_out(request["words"], request["folder"])
                sys.stdout.flush()
                sys.stderr.flush()
            finally:
                os._exit(code)
        code, usage = None, None
        while usage is None:
            done, status, rusage = os.wait4(child, os.WNOHANG)
            if done:
                code, usage = os.waitstatus_to_exitcode(status), rusage
            elif time.monotonic() - start > request["timeout_s"]:
                os.killpg(child, signal.SIGKILL)
                usage = os.wait4(child, 0)[2]
            else:
                time.sleep(0.005)
        return {
            "code": code,
            "out": out.read_text(errors="backslashreplace"),
            "err": err.read_text(errors="backslashreplace"),
            "seconds": time.monotonic() - start,
            "mib": usage.ru_maxrss / 1024,
        }


def main() -> None:
    """Import once, then answer."""
    from helpers import processes

    processes.configure()
    import helpers.book.building
    import helpers.cli
    import helpers.learners.classifier
    import helpers.prediction
    import helpers.reports.cards
    import helpers.segmentation
    import helpers.sweeps  # noqa: F401

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        answers.write(json.dumps(one(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
