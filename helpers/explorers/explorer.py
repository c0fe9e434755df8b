"""An interactive picture as notebook output, rendered from a template and the data that its script reads."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from helpers.pages import page_template
from helpers.plots.style import COLOURS
from helpers.publication import INTERACTIVE

TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class Explorer:
    """An interactive picture in self-contained HTML.

    Attributes:
        html: fragment of a page with data, style and script inside; it loads nothing and has no ids, so that several
            explorers can stand on one page.
        summary: what it shows, one sentence.
    """

    html: str
    summary: str

    def __repr__(self) -> str:
        return f"Explorer: {self.summary}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, str], dict[str, Any]]:
        return {"text/html": self.html, "text/plain": repr(self)}, {"text/html": {INTERACTIVE: True}}


def render(name: str, title: str, summary: str, values: dict[str, Any]) -> Explorer:
    """Render an explorer from the template of its name, which extends ``explorer.html``.

    Args:
        name: name of the template without ``.html``.
        title: heading of the explorer.
        summary: what it shows, one sentence; also shown where scripts do not run.
        values: data for the script, anything that JSON has.
    """
    template = page_template(TEMPLATES / f"{name}.html")
    html = template.render(
        name=name, title=title, summary=summary, values=json.dumps(values), data=values, colours=COLOURS
    )
    return Explorer(html, summary)


def encode_bytes(array: np.ndarray) -> str:
    """Encode an array ``uint8`` or ``bool`` as text, row after row, a byte a value."""
    return base64.b64encode(np.ascontiguousarray(array, np.uint8).tobytes()).decode("ascii")


def image_values(image: np.ndarray, mask: np.ndarray | None) -> dict[str, Any]:
    """Return the pixels of an image, and of its mask where it has one, as data for a script.

    Args:
        image: ``uint8 (height, width, 3)`` RGB.
        mask: ``bool (height, width)``.
    """
    height, width = image.shape[:2]
    pixels = {"width": width, "height": height, "rgb": encode_bytes(image)}
    return pixels if mask is None else {**pixels, "mask": encode_bytes(mask)}
