"""Print the chapters of a rendered book to PDF, one file each, with a browser: folded parts are open, figures whole."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers import files, processes
from helpers.errors import LeukobookError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# Without the sandbox, which containers and continuous integration often lack: the pages are our own.
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-pdf-header-footer",
    "--run-all-compositor-stages-before-draw",
)
_CLOSED = re.compile(r"<details(?![^>]*\sopen\b)")
_FOLDED = re.compile(r'class="([^"]*)(?<![\w-])(?:dropdown|toggle)(?![\w-])([^"]*)"')


class PrintError(LeukobookError):
    """No browser was found, or it printed nothing; the message states a remedy."""


def print_chapters(html: Path, target: Path) -> list[Path]:
    """Print every chapter of a rendered book to PDF.

    Args:
        html: folder of the rendered pages, which holds ``notebooks/``.
        target: folder of the PDF files.

    Returns:
        Paths of the PDF files, in the order of the chapters.

    Raises:
        PrintError: there is no Chromium, or it printed nothing.
    """
    target.mkdir(parents=True, exist_ok=True)
    return [print_page(page, target / f"{page.stem}.pdf") for page in sorted((html / "notebooks").glob("*.html"))]


def print_page(page: Path, target: Path) -> Path:
    """Print one page to PDF with everything on it unfolded.

    Args:
        page: HTML file.
        target: PDF file to write.

    Raises:
        PrintError: there is no Chromium, or it printed nothing.
    """
    target.unlink(missing_ok=True)
    with _unfolded_copy(page) as copy:
        command = [find_browser(), *OPTIONS, f"--print-to-pdf={target}", copy.as_uri()]
        done = processes.run(command, dict(os.environ))
    if not target.is_file():
        raise PrintError(f"{page.name}: the browser printed nothing: {done.stderr.strip()[-500:]}")
    return target


def find_browser() -> str:
    """Return the path of Chromium or Chrome.

    Raises:
        PrintError: neither is installed.
    """
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise PrintError(f"no browser to print with; install Chromium or Chrome (looked for {', '.join(BROWSERS)})")
    return found


def unfold(html: str) -> str:
    """Open what is folded on a page: ``<details>``, admonitions and cells."""
    opened = _CLOSED.sub("<details open", html)
    return _FOLDED.sub(r'class="\1\2"', opened)


@contextmanager
def _unfolded_copy(page: Path) -> Iterator[Path]:
    """Write an unfolded copy beside a page, where its style sheets and images are found, and remove it afterwards."""
    copy = page.with_name(f".{page.stem}.print.html")
    files.write_text(copy, unfold(page.read_text(encoding="utf-8")))
    try:
        yield copy
    finally:
        copy.unlink()
