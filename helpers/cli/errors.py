"""The one place where errors become a line on the screen and an exit code."""

from __future__ import annotations

import errno
import warnings
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from helpers import processes
from helpers.errors import LeukobookError

# What to do about an error of the system, where that is known.
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
    """Options that do not go together; the message says which."""


class Commands(TyperGroup):
    """Commands whose errors of the package and of the system are told in a line; any other is a fault and is shown."""

    def invoke(self, context: typer.Context) -> Any:
        """Carry out the command that was typed."""
        processes.configure()
        processes.print_in_any_encoding()
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            return self._carried_out(context)

    def _carried_out(self, context: typer.Context) -> Any:
        try:
            return super().invoke(context)
        except LeukobookError as error:
            fail(str(error))
        except BrokenPipeError:  # the reader of a pipe has gone; typer knows what to do
            raise
        except OSError as error:
            fail(_in_a_line(error))
        except MemoryError:
            fail("the memory of this machine is full; take fewer or smaller images")


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """Show the message of a warning, without the place in the code that it comes from."""
    typer.echo(f"Warning: {message}", err=True)


def fail(why: str) -> NoReturn:
    """Say what went wrong, and exit with 1."""
    typer.echo(why, err=True)
    raise typer.Exit(1) from None


def _in_a_line(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    remedy = _REMEDIES.get(error.errno or 0, "")
    return f"{where}{error.strerror or error}" + (f"; {remedy}" if remedy else "")
