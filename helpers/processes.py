"""Configure a process and its output, and run child processes that end with their parent even if it is killed."""

from __future__ import annotations

import ctypes
import io
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import warnings

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
# First line that a kernel executes; it defines no name.
IN_KERNEL = "__import__('helpers.processes', fromlist=['die_with_starter']).die_with_starter()"
# Environment of a notebook in batch, unless the user has set it: no TensorFlow log, no progress bars.
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "TQDM_DISABLE": "1"}

_tensorflow_log_filtered = False
_is_command = False


def configure(*, is_command: bool = False) -> None:
    """Configure the process, before it imports OpenCV and TensorFlow.

    The set-up cell of a notebook and the command line call this; importing the package has no such side effects. It
    limits OpenCV to one thread (``OPENCV_FOR_THREADS_NUM``, unless the user has set it), because this package processes
    whole images in threads with which OpenCV's own would compete; hides TensorFlow's messages that are neither warnings
    nor errors (``TF_CPP_MIN_LOG_LEVEL``, likewise); ignores tqdm's warning that a kernel has no ipywidgets, and
    IPython's hint where a chapter ends early; drops TensorFlow's warning that it traces a function again, which it does
    for every network of a cross-validation; and makes :mod:`helpers.backend` suppress the lines that TensorFlow prints
    when it is imported. In a notebook that runs in batch, which would store every step of a progress bar, it sets
    :data:`QUIET` unless the user has set these; a command whose messages go to a file draws no progress bars either
    (``TQDM_DISABLE``, likewise).

    Args:
        is_command: whether the process is a command, whose Keras does without the libraries of
            :data:`helpers.backend.OPTIONAL`.
    """
    global _tensorflow_log_filtered, _is_command
    os.environ.setdefault("OPENCV_FOR_THREADS_NUM", "1")
    if _runs_in_batch():
        for name, value in QUIET.items():
            os.environ.setdefault(name, value)
    if is_command and not sys.stderr.isatty():
        os.environ.setdefault("TQDM_DISABLE", "1")  # a log would store every step of a progress bar
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")  # warnings and errors
    warnings.filterwarnings("ignore", message="IProgress not found")
    warnings.filterwarnings("ignore", message="To exit: use", category=UserWarning)
    logging.getLogger("tensorflow").addFilter(_is_no_retracing_warning)
    _tensorflow_log_filtered, _is_command = True, is_command


def _is_no_retracing_warning(record: logging.LogRecord) -> bool:
    return "triggered tf.function retracing" not in record.getMessage()


def _runs_in_batch() -> bool:
    """Return whether this is a kernel whose client takes no input: papermill, nbconvert or nbval, not JupyterLab."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return False
    return not kernel.get_parent().get("content", {}).get("allow_stdin", True)


def filters_tensorflow_log() -> bool:
    """Return whether TensorFlow's import messages are suppressed, that is whether :func:`configure` was called."""
    return _tensorflow_log_filtered


def is_command() -> bool:
    """Return whether :func:`configure` was called for a command."""
    return _is_command


def die_with(parent: int) -> None:
    """Make the system kill this process when its parent ends; exit at once if the parent has already ended.

    Does nothing outside Linux, where a kernel itself checks for its parent every second.

    Args:
        parent: process id of the parent.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def die_with_starter() -> None:
    """Call :func:`die_with` in a Jupyter kernel, with the process id of the process that started it."""
    die_with(int(os.environ["JPY_PARENT_PID"]))


def print_in_any_encoding() -> None:
    r"""Print characters that the encoding of stdout or stderr lacks as ``\xd7`` instead of raising an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def shared_memory_problem() -> str:
    """Return why processes cannot share a lock on this machine, where pools fail with long tracebacks; else ""."""
    try:
        multiprocessing.get_context("spawn").Lock()
    except OSError as error:
        return error.strerror or str(error)
    return ""


def run(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command that on Linux dies with this process.

    Args:
        command: program and arguments.
        environment: environment variables of the command.

    Returns:
        Exit status, stdout and stderr.
    """
    # This file runs in a new process that then becomes the command, because no code can run safely between fork and
    # exec of a process with threads.
    wrapper = [sys.executable, "-I", __file__, str(os.getpid())] if sys.platform == "linux" else []
    return subprocess.run([*wrapper, *command], capture_output=True, text=True, env=environment)


if __name__ == "__main__":
    die_with(int(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])
