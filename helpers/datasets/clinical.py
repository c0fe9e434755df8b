"""Clinical constants: leukaemic classes and the values of ground-truth masks."""

from __future__ import annotations

# Leukaemic classes of the synthetic cells, C-NMC and ALL-IDB.
LEUKAEMIC = ("lymphoblast", "all", "blast")
# Immature granulocytes, of which healthy blood has next to none. PBC's class ig joins the last three.
IMMATURE = ("ig", "immature granulocyte", "promyelocyte", "myelocyte", "metamyelocyte")
BANDS = ("band", "band neutrophil")  # nearly ripe, and a few of them are normal
# What a detector of white blood cells may find and a differential does not count.
NOT_WHITE = ("erythroblast", "platelet")
# Mask values: compartments of a white blood cell, from the outside in.
BACKGROUND, CYTOPLASM, NUCLEUS = 0, 1, 2
COMPARTMENTS = {"background": BACKGROUND, "cytoplasm": CYTOPLASM, "nucleus": NUCLEUS}
