"""Convert errors into one line on stderr and an exit code."""

from __future__ import annotations

import errno
import warnings
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from helpers import processes
from helpers.errors import LeukobookError

# Remedies for system errors.
_REMEDIES = {
    errno.ENOSPC: "make room on this disk, or choose another folder",
    errno.EDQUOT: "make room within your quota, or choose another folder",
    errno.EACCES: "give yourself permission (chmod u+rwx), or choose another folder",
    errno.EPERM: "give yourself permission (chmod u+rwx), or choose another folder",
    errno.EROFS: "this disk can only be read; choose another folder",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENOTDIR: "a part of this path is a file; choose another folder",
    errno.EISDIR: "this is a folder; name a file",
    errno.EMFILE: "close other programs, or raise the limit (ulimit -n)",
    errno.ELOOP: "these links lead back to themselves; remove them",
}


class CommandError(LeukobookError):
    """Incompatible or invalid options; the message names them."""


class Commands(TyperGroup):
    """Command group that prints package and system errors in one line; other exceptions are bugs with a traceback."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]  # the base of typer.Context is private
        """Configure the process and execute the command."""
        processes.configure(is_command=True)
        processes.print_in_any_encoding()
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            return self._invoke(ctx)

    def _invoke(self, ctx: typer.Context) -> Any:
        try:
            return super().invoke(ctx)
        except LeukobookError as error:
            fail(str(error))
        except BrokenPipeError:  # the reader of a pipe has ended; typer handles this
            raise
        except OSError as error:
            fail(_format_error(error))
        except MemoryError:
            fail("the memory of this machine is full; take fewer or smaller images")


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """Print the message of a warning without its source location."""
    typer.echo(f"Warning: {message}", err=True)


def fail(message: str) -> NoReturn:
    """Print an error message and exit with 1."""
    typer.echo(message, err=True)
    raise typer.Exit(1) from None


def _format_error(error: OSError) -> str:
    path = f"{error.filename}: " if error.filename else ""
    remedy = _REMEDIES.get(error.errno or 0, "")
    return f"{path}{error.strerror or error}" + (f"; {remedy}" if remedy else "")
