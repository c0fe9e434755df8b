"""Faults of a count by tiles of *Count*, each found by strips of film with a known number of cells.

The count is one function, ``count_by_tiles(middles, width, side, overlap)``: the number of cells of a strip of
``width`` pixels, seen through tiles of ``side`` pixels that overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from helpers.teaching.declarations import Fault

Steps = Mapping[str, Callable]
STEP = "count_by_tiles"
WIDTH, SIDE, OVERLAP = 1500, 400, 100  # pixels; a new tile begins every 300


def _count(steps: Steps, middles: list[int], width: int = WIDTH) -> int:
    return int(steps[STEP](np.array(middles), width, SIDE, OVERLAP))


def _counts_twice(steps: Steps) -> bool:
    return any(_count(steps, [middle]) > 1 for middle in range(WIDTH))


def _misses_the_end(steps: Steps) -> bool:
    return _count(steps, [1410, 1450, 1499]) < 3 or _count(steps, [870, 890], 900) < 2


def _loses_the_seams(steps: Steps) -> bool:
    inner = WIDTH - SIDE  # nearer to the end a cell may be in no tile, which is another fault
    return any(_count(steps, [middle]) == 0 for middle in range(inner))


def _invents(steps: Steps) -> bool:
    return _count(steps, []) > 0 or _count(steps, [50, 120, 200]) > 3


FAULTS = (
    Fault(_counts_twice, f"{STEP}: cells where two tiles overlap are counted twice"),
    Fault(_misses_the_end, f"{STEP}: cells at the end of the strip are in no tile"),
    Fault(_loses_the_seams, f"{STEP}: cells where one tile ends and another begins are lost"),
    Fault(_invents, f"{STEP}: more cells are counted than there are"),
)
