"""Morphology of each cell class: a table of parameters with sources.

Lengths are in micrometres in a dried, stained smear. A pair is the range of sampled values, which follow a bell-shaped
distribution within it, with a centre that is shifted per patient. Diameters, lobes, granules and the description of
chromatin, nucleoli and cytoplasm follow the haematology literature cited in ``source``. Values that it does not give
were measured or chosen: ``nucleus_to_cell_area`` is the *area* of the nucleus over that of the cell, as measured on a
mask, set around the medians of the masks of Zheng et al. (2018) where they include the class; contrasts and amounts of
stain were set by eye and compared with the colours of wbc1, wbc2 and pbc; the overlap of lymphocytes and blasts was
chosen so that the task is hard.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

Range = tuple[float, float]
# Amounts of the four stained substances, in units of optical density (see stains.py).
Dyes = tuple[float, float, float, float]


@dataclass(frozen=True)
class Granules:
    """Describe granules of one kind.

    Attributes:
        density: number per square micrometre.
        diameter: diameter, µm.
        dyes: amounts of chromatin stain, azure, eosin and haemoglobin, optical density.
        refractile: how much paler their centre is, 0 to 1.
        over_nucleus: whether they are scattered over the whole cell instead of the cytoplasm only.
    """

    density: Range
    diameter: Range
    dyes: Dyes
    refractile: float = 0.0
    over_nucleus: bool = False


@dataclass(frozen=True)
class Morphology:
    """Describe the morphology of a class of white blood cells.

    Attributes:
        diameter: equivalent diameter (of a disc of the same area), µm.
        nucleus_to_cell_area: area of the nucleus over area of the cell.
        lobes: frequency of each number of nuclear lobes; a single lobe may be round, oval or bent.
        bend: bending of a nucleus with one lobe: 0 round, 1 indented, 2 kidney, 4 horseshoe or band.
        oval: aspect ratio (length over width) of a nucleus that is not bent.
        nuclear_outline: irregularity of the nuclear membrane, µm.
        cell_outline: irregularity of the cell outline, share of the radius.
        nuclear_stain: stain of the chromatin, optical density.
        clumps: contrast of the chromatin clumps, share of the nuclear stain; 0 is smooth.
        clump_size: width of the clumps, µm.
        folds: minimum and maximum number of creases across the nucleus.
        nucleoli: minimum and maximum number of visible nucleoli.
        azure: azure (blue, RNA) of the cytoplasm, optical density.
        eosin: eosin (pink, basic proteins) of the cytoplasm, optical density.
        rim: relative increase of azure towards the edge of the cytoplasm.
        granules: kinds of granules.
        vacuoles: minimum and maximum number of visible vacuoles.
        source: sources of the values, as keys of ``book/references.bib``.
    """

    diameter: Range
    nucleus_to_cell_area: Range
    lobes: dict[int, float]
    bend: Range
    oval: Range
    nuclear_outline: float
    cell_outline: float
    nuclear_stain: Range
    clumps: Range
    clump_size: float
    folds: tuple[int, int]
    nucleoli: tuple[int, int]
    azure: Range
    eosin: Range
    rim: Range
    granules: tuple[Granules, ...]
    vacuoles: tuple[int, int]
    source: tuple[str, ...]


NEUTROPHIL = Morphology(
    diameter=(12.0, 15.5),
    nucleus_to_cell_area=(0.26, 0.44),
    lobes={1: 0.08, 2: 0.20, 3: 0.42, 4: 0.24, 5: 0.06},
    bend=(3.4, 4.6),
    oval=(1.0, 1.0),
    nuclear_outline=0.12,
    cell_outline=0.03,
    nuclear_stain=(0.85, 1.10),
    clumps=(0.24, 0.38),
    clump_size=0.9,
    folds=(0, 0),
    nucleoli=(0, 0),
    azure=(0.06, 0.20),
    eosin=(0.28, 0.50),
    rim=(0.0, 0.1),
    granules=(Granules((1.5, 3.0), (0.25, 0.40), (0.10, 0.0, 0.22, 0.0)),),
    vacuoles=(0, 1),
    source=("bain2015", "zheng2018"),
)
EOSINOPHIL = Morphology(
    diameter=(12.0, 16.5),
    nucleus_to_cell_area=(0.22, 0.40),
    lobes={2: 0.80, 3: 0.20},
    bend=(0.0, 0.0),
    oval=(1.0, 1.0),
    nuclear_outline=0.10,
    cell_outline=0.03,
    nuclear_stain=(0.60, 1.00),
    clumps=(0.18, 0.30),
    clump_size=0.9,
    folds=(0, 0),
    nucleoli=(0, 0),
    azure=(0.02, 0.12),
    eosin=(0.35, 0.75),
    rim=(0.0, 0.1),
    granules=(Granules((2.2, 3.4), (0.55, 0.90), (0.02, 0.0, 0.65, 0.20), refractile=0.5),),
    vacuoles=(0, 1),
    source=("bain2015", "zheng2018"),
)
BASOPHIL = Morphology(
    diameter=(10.0, 14.0),
    nucleus_to_cell_area=(0.40, 0.60),
    lobes={1: 0.35, 2: 0.50, 3: 0.15},
    bend=(0.8, 2.6),
    oval=(1.0, 1.2),
    nuclear_outline=0.18,
    cell_outline=0.05,
    nuclear_stain=(0.60, 0.85),
    clumps=(0.10, 0.22),
    clump_size=0.8,
    folds=(0, 0),
    nucleoli=(0, 0),
    azure=(0.08, 0.16),
    eosin=(0.20, 0.40),
    rim=(0.0, 0.1),
    granules=(Granules((0.5, 1.7), (0.40, 0.85), (0.60, 0.15, 0.10, 0.0), over_nucleus=True),),
    vacuoles=(0, 1),
    source=("bain2015",),
)
LYMPHOCYTE = Morphology(
    diameter=(8.5, 14.0),
    nucleus_to_cell_area=(0.43, 0.84),
    lobes={1: 1.0},
    bend=(0.0, 0.9),
    oval=(1.0, 1.25),
    nuclear_outline=0.14,
    cell_outline=0.05,
    nuclear_stain=(0.75, 1.10),
    clumps=(0.24, 0.38),
    clump_size=1.1,
    folds=(0, 0),
    nucleoli=(0, 0),
    azure=(0.35, 0.80),
    eosin=(0.05, 0.20),
    rim=(0.1, 0.7),
    granules=(Granules((0.0, 0.05), (0.35, 0.55), (0.45, 0.0, 0.25, 0.0)),),
    vacuoles=(0, 0),
    source=("bain2015", "cellavision", "zheng2018"),
)
MONOCYTE = Morphology(
    diameter=(14.0, 18.5),
    nucleus_to_cell_area=(0.36, 0.56),
    lobes={1: 1.0},
    bend=(0.9, 3.2),
    oval=(1.0, 1.3),
    nuclear_outline=0.30,
    cell_outline=0.08,
    nuclear_stain=(0.45, 0.85),
    clumps=(0.14, 0.24),
    clump_size=0.8,
    folds=(0, 3),
    nucleoli=(0, 0),
    azure=(0.28, 0.62),
    eosin=(0.10, 0.30),
    rim=(0.0, 0.3),
    granules=(Granules((0.4, 1.2), (0.25, 0.40), (0.12, 0.0, 0.15, 0.0)),),
    vacuoles=(0, 5),
    source=("bain2015", "cellavision", "zheng2018"),
)

# French-American-British types of acute lymphoblastic leukaemia (Bennett et al. 1976).
L1 = Morphology(
    diameter=(9.0, 14.0),
    nucleus_to_cell_area=(0.60, 0.89),
    lobes={1: 1.0},
    bend=(0.0, 0.9),
    oval=(1.0, 1.2),
    nuclear_outline=0.14,
    cell_outline=0.04,
    nuclear_stain=(0.65, 1.00),
    clumps=(0.06, 0.15),
    clump_size=0.5,
    folds=(0, 0),
    nucleoli=(0, 1),
    azure=(0.35, 0.80),
    eosin=(0.04, 0.18),
    rim=(0.0, 0.5),
    granules=(),
    vacuoles=(0, 0),
    source=("bennett1976", "cellavision"),
)
L2 = replace(
    L1,
    diameter=(10.5, 16.5),
    nucleus_to_cell_area=(0.52, 0.85),
    bend=(0.0, 1.8),
    oval=(1.0, 1.4),
    nuclear_outline=0.32,
    nuclear_stain=(0.60, 0.95),
    clumps=(0.08, 0.20),
    clump_size=0.6,
    folds=(0, 2),
    nucleoli=(1, 3),
)
L3 = replace(
    L1,
    diameter=(11.0, 16.5),
    nucleus_to_cell_area=(0.52, 0.78),
    bend=(0.0, 0.4),
    clumps=(0.08, 0.16),
    clump_size=0.4,
    nucleoli=(1, 3),
    azure=(0.60, 0.95),
    rim=(0.0, 0.2),
    vacuoles=(6, 16),
)

CLASSES = {
    "neutrophil": NEUTROPHIL,
    "eosinophil": EOSINOPHIL,
    "basophil": BASOPHIL,
    "lymphocyte": LYMPHOCYTE,
    "monocyte": MONOCYTE,
    "lymphoblast": L1,
}
FAB = {"L1": L1, "L2": L2, "L3": L3}
# Frequency of each type among patients, chosen for teaching: most children have L1, most adults L2, and L3 is rare.
FAB_FREQUENCY = {"L1": 0.50, "L2": 0.43, "L3": 0.07}
# Differential count of a healthy adult, within the usual reference ranges.
HEALTHY = {"neutrophil": 0.57, "eosinophil": 0.03, "basophil": 0.01, "lymphocyte": 0.32, "monocyte": 0.07}
BLASTS = (0.3, 0.8)  # share of lymphoblasts among the white blood cells of a patient with leukaemia


def morphology_of(label: str, subtype: str) -> Morphology:
    """Look up the morphology of a FAB type, or of a class if ``subtype`` is empty."""
    return FAB[subtype] if subtype else CLASSES[label]
