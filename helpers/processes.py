"""Settings of a process and what it prints; child processes that die with their parent, also when it is killed."""

from __future__ import annotations

import ctypes
import io
import os
import signal
import subprocess
import sys
import warnings

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
# A line for a kernel to begin with; it leaves no name there.
IN_KERNEL = "__import__('helpers.processes', fromlist=['die_with_starter']).die_with_starter()"

_tensorflow_log_filtered = False


def configure() -> None:
    """Set what holds for a whole process, before it imports OpenCV and TensorFlow.

    The set-up cell of a notebook and the command line call this; importing the package changes nothing for others. It
    asks OpenCV for one thread, as this package works on whole images in threads, with which OpenCV's own would
    compete (``OPENCV_FOR_THREADS_NUM``, where the user has not set it); ignores tqdm's warning that a kernel has no
    ipywidgets; and has :mod:`helpers.backend` leave out the lines that TensorFlow prints when it is imported.
    """
    global _tensorflow_log_filtered
    os.environ.setdefault("OPENCV_FOR_THREADS_NUM", "1")
    warnings.filterwarnings("ignore", message="IProgress not found")
    _tensorflow_log_filtered = True


def filters_tensorflow_log() -> bool:
    """Return whether :func:`configure` has been called, so that TensorFlow's lines are left out."""
    return _tensorflow_log_filtered


def die_with(parent: int) -> None:
    """Have the system kill this process as soon as its parent ends; end at once if it has ended already.

    On other systems than Linux nothing is done: a kernel there looks for its parent every second by itself.

    Args:
        parent: number of the process that has started this one.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def die_with_starter() -> None:
    """:func:`die_with` in a kernel, which knows the number of the process that has started it."""
    die_with(int(os.environ["JPY_PARENT_PID"]))


def print_in_any_encoding() -> None:
    r"""Have letters that the terminal, a pipe or a file cannot show printed as ``\xd7``, and not end the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def run(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command that on Linux dies with this process; give back what it has printed and its exit status."""
    # This file in a process of its own, which then becomes the command: between fork and exec of a process with threads
    # nothing can be done safely.
    wrapper = [sys.executable, "-I", __file__, str(os.getpid())] if sys.platform == "linux" else []
    return subprocess.run([*wrapper, *command], capture_output=True, text=True, env=environment)


if __name__ == "__main__":
    die_with(int(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])
