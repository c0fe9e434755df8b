"""Execute a notebook in a kernel of this Python, independent of installed kernels and user settings.

The kernel is always ``sys.executable`` with this package, even where another kernel is called ``python3``. It installs
nothing (``LEUKOBOOK_BATCH`` in its environment, see the set-up cell), does not read the user's IPython settings, and
may take :data:`STARTUP_S` seconds to start.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import nbformat
import papermill
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from helpers import datasets, files, processes
from helpers.errors import LeukobookError
from helpers.project import CHECKOUT, Project
from helpers.publication import without_paths
from helpers.runs import notebooks
from helpers.runs.notebooks import Parameters

# Quiet and reproducible kernels: no TensorFlow log, no progress bars in stored outputs, a fixed hash seed.
ENVIRONMENT = {**processes.QUIET, "PYTHONHASHSEED": "0"}
STARTUP_S = 120  # a kernel on a busy machine takes seconds
# Maximum length of a socket path on macOS; Linux allows four characters more.
SOCKET_PATH = 103


class KernelError(LeukobookError):
    """A notebook could not be executed, because its kernel did not start or its file could not be written."""


class OwnKernel(AsyncKernelManager):
    """Kernel manager that starts this Python instead of an installed kernel."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """Kernel specification for ``sys.executable``."""
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=command, display_name="Python 3", language="python")


def execute(source: Path, target: Path, parameters: Parameters, work: Path, progress: bool = True) -> None:
    """Execute one notebook in a new kernel with quiet and reproducible settings.

    Args:
        source: notebook to execute.
        target: executed notebook to write; after an error it holds the outputs up to there.
        parameters: parameters of the notebook.
        work: working directory of the kernel.
        progress: show a progress bar.

    Raises:
        PapermillExecutionError: a cell failed.
        DeadKernelError: the kernel died.
        KernelError: the kernel did not start, or the file could not be written.
    """
    with _short_folder() as folder, _environment(folder):
        try:
            papermill.execute_notebook(
                str(source), str(target), parameters=parameters, kernel_name="python3", cwd=str(work),
                progress_bar=progress, config=_config(folder), kernel_manager_class=OwnKernel, start_timeout=STARTUP_S,
            )  # fmt: skip
        except (PapermillExecutionError, DeadKernelError):
            _remove_local_paths(target)
            raise
        except Exception as error:  # from Jupyter, sockets or the disk; must not stop the other notebooks
            with contextlib.suppress(KernelError):  # an incomplete notebook, where the disk is full
                _remove_local_paths(target)
            message = " ".join(str(error).split())
            raise KernelError(f"could not be executed: {type(error).__name__}: {message}") from error
        _remove_local_paths(target)


def _remove_local_paths(path: Path) -> None:
    """Remove local paths from papermill's metadata in an executed notebook, if it exists.

    Raises:
        KernelError: the file is incomplete or not writable.
    """
    if not path.exists():
        return
    try:
        notebook = notebooks.read(path)
        metadata = notebook.metadata.get("papermill", {})
        metadata |= {name: Path(metadata[name]).name for name in ("input_path", "output_path") if metadata.get(name)}
        notebook.metadata["papermill"] = without_paths(metadata)
        files.write_text(path, nbformat.writes(notebook))
    except (notebooks.NotebookError, OSError) as error:
        raise KernelError(f"its outputs could not be written: {error}") from error


@contextlib.contextmanager
def _short_folder() -> Iterator[Path]:
    """Create a folder for sockets and settings of one kernel, in ``/tmp`` where the usual path would be too long."""
    usual = Path(tempfile.gettempdir())
    longest = len(os.fsencode(usual / f"{files.own_prefix('kernel-')}12345678" / "kernel-ipc-5"))
    with files.temporary_folder(
        "kernel-", usual if longest <= SOCKET_PATH or os.name == "nt" else Path("/tmp")
    ) as folder:
        yield folder


def _config(folder: Path) -> Config:
    """Configure a kernel to die with this process and to listen on sockets in its own folder.

    Ports would collide between kernels that start at the same time and be open to other users; these sockets are not.
    """
    config = Config(NotebookClient={"extra_arguments": [f"--IPKernelApp.exec_lines={processes.IN_KERNEL}"]})
    if os.name != "nt":  # Windows has no such sockets
        config.KernelManager = Config(transport="ipc", connection_file=str(folder / "kernel.json"))
    return config


@contextlib.contextmanager
def _environment(folder: Path) -> Iterator[None]:
    """Set the environment that a kernel inherits when it starts, for reproducible execution."""
    path = os.pathsep.join(filter(None, (str(CHECKOUT), os.environ.get("PYTHONPATH"))))
    environment = {
        **ENVIRONMENT, "LEUKOBOOK_BATCH": "1", "LEUKOBOOK_DATA": str(datasets.data_root()), "PYTHONPATH": path,
        "LEUKOBOOK_PROJECT": str(Project.current().root), "IPYTHONDIR": str(folder / "ipython"),
    }  # fmt: skip
    if not os.access(os.path.expanduser("~"), os.W_OK):  # noqa: PTH111 - Path.home fails where there is none
        environment |= {"MPLCONFIGDIR": str(folder / "matplotlib")}
    saved = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        yield
    finally:
        for name, value in saved.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)
