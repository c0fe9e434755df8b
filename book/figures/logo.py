"""Draw the logo: a neutrophil with a nucleus of three lobes, as SVG.

``python book/figures/logo.py`` writes the files of :data:`VARIANTS` beside this script.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SIDE = 64  # of the view box, in units of the drawing
CELL_RADIUS = 28
# Centre (x, y) and radius of the three lobes, from left to right along the bend of the nucleus.
LOBES = ((19.5, 36.5, 8.5), (28, 18.5, 8), (45, 30, 9.5))
# Centres of the granules, in the cytoplasm that the nucleus leaves free.
GRANULES = (
    (11, 25),
    (17, 22),
    (29, 30),
    (33, 37),
    (30, 44),
    (24, 50),
    (36, 46),
    (43, 45),
    (34, 54),
    (48, 49),
    (41, 15),
    (54, 38),
)


@dataclass(frozen=True)
class Palette:
    """Colours of one variant, as hexadecimal RGB."""

    membrane: str
    cytoplasm: str
    granule: str
    nucleus: str


LIGHT = Palette(membrane="#b77aa5", cytoplasm="#f3dcea", granule="#c984b3", nucleus="#4b2a85")
# On a dark page the cell is the bright thing, as it is under the microscope with the condenser turned down.
DARK = Palette(membrane="#f0c9e2", cytoplasm="#d9b3cd", granule="#a2578b", nucleus="#3c1f70")
VARIANTS = {"logo-light.svg": LIGHT, "logo-dark.svg": DARK, "favicon.svg": LIGHT}


def draw_logo(palette: Palette) -> str:
    """Return the logo as the text of an SVG file, square and without a background.

    Args:
        palette: colours of the four parts of the cell.
    """
    filament = " ".join(f"{x},{y}" for x, y, _ in LOBES)
    granules = "".join(f'<circle cx="{x}" cy="{y}" r="1.3"/>' for x, y in GRANULES)
    lobes = "".join(f'<circle cx="{x}" cy="{y}" r="{radius:g}"/>' for x, y, radius in LOBES)
    centre = SIDE // 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIDE} {SIDE}">\n'
        f'<circle cx="{centre}" cy="{centre}" r="{CELL_RADIUS}" fill="{palette.cytoplasm}" '
        f'stroke="{palette.membrane}" stroke-width="2.5"/>\n'
        f'<g fill="{palette.granule}">{granules}</g>\n'
        f'<polyline points="{filament}" fill="none" stroke="{palette.nucleus}" stroke-width="4" '
        'stroke-linejoin="round"/>\n'
        f'<g fill="{palette.nucleus}">{lobes}</g>\n'
        "</svg>\n"
    )


def write_logos(folder: Path) -> None:
    """Write every file of :data:`VARIANTS` into a folder."""
    for name, palette in VARIANTS.items():
        (folder / name).write_text(draw_logo(palette), encoding="utf-8")


if __name__ == "__main__":
    write_logos(Path(__file__).parent)
