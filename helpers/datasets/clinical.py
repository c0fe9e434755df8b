"""Clinical constants: which classes are of leukaemic cells, and what the values of a mask stand for."""

from __future__ import annotations

# The classes of leukaemic cells: of the synthetic cells, of C-NMC, of ALL-IDB.
LEUKAEMIC = ("lymphoblast", "all", "blast")
# The values of a mask: the compartments of a white blood cell, from the outside in.
BACKGROUND, CYTOPLASM, NUCLEUS = 0, 1, 2
COMPARTMENTS = {"background": BACKGROUND, "cytoplasm": CYTOPLASM, "nucleus": NUCLEUS}
