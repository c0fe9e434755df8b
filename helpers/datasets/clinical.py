"""Clinical constants: leukaemic classes and the values of ground-truth masks."""

from __future__ import annotations

# Leukaemic classes of the synthetic cells, C-NMC and ALL-IDB.
LEUKAEMIC = ("lymphoblast", "all", "blast")
# Mask values: compartments of a white blood cell, from the outside in.
BACKGROUND, CYTOPLASM, NUCLEUS = 0, 1, 2
COMPARTMENTS = {"background": BACKGROUND, "cytoplasm": CYTOPLASM, "nucleus": NUCLEUS}
