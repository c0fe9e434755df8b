"""What a haematologist looks at in each kind of white blood cell, in a few words, for the annotated atlas.

The words follow Bain (2015), the nomenclature of the ICSH (Palmer et al. 2015) and, for the lymphoblast, the FAB group
(Bennett et al. 1976).
"""

from __future__ import annotations

from typing import NamedTuple


class Notes(NamedTuple):
    """The look of one kind of cell; an empty string where there is nothing to point at."""

    nucleus: str
    chromatin: str
    nucleoli: str
    cytoplasm: str
    granules: str


NOTES = {
    "neutrophil": Notes(
        "two to five lobes, thin threads", "dark, coarse clumps", "", "pale pink", "many, fine, pale lilac"
    ),
    "eosinophil": Notes("mostly two lobes", "dark, coarse clumps", "", "hidden by the granules", "large, orange-red"),
    "basophil": Notes(
        "lobed, often hidden", "blurred by the granules", "", "pale, little of it seen", "large, dark violet"
    ),
    "lymphocyte": Notes("round, to one side", "dark, smooth clumps", "", "a blue rim", ""),
    "monocyte": Notes(
        "kidney-shaped, folded", "paler, like lace", "", "grey-blue, may have vacuoles", "very fine, like dust"
    ),
    "lymphoblast": Notes(
        "round (L1), or irregular (L2)", "fine, even", "one or more, paler", "scant to moderate, blue", ""
    ),
}
ABSENT = {"nucleoli": "none seen", "granules": "none or few"}
