"""Explorer of a count: what chance alone does to the share of a type among so many cells."""

from __future__ import annotations

from helpers.explorers.explorer import Explorer, render

SIZES = (20, 30, 50, 100, 150, 200, 300, 400, 500, 600, 800, 1000)  # numbers of cells that can be set
PERCENTS = (0.2, 0.5, 1, 2, 3, 5, 8, 10, 15, 20, 30, 40, 50, 60, 70, 80)  # true shares that can be set
CASES = (("blasts", 1, 100), ("eosinophils", 3, 200), ("neutrophils", 60, 100))  # type, per cent, cells


def counting() -> Explorer:
    """Show what counts of so many cells give for a type with a true share, both of which the reader moves.

    The limits of the count are those of :func:`helpers.metrics.count_limits`; the intervals of the share are those of
    :func:`helpers.metrics.wilson_interval` and :func:`helpers.metrics.rumke_limits`, for the most likely count. The
    chance to see no cell of the type is that of :func:`helpers.metrics.chance_of_none`, and the difference of two
    observers that of :func:`helpers.metrics.difference_limit`.

    Example:
        >>> from helpers import explorers
        >>> print(repr(explorers.counting())[:54])
        Explorer: counts of 20 to 1,000 cells for a type with
    """
    return render(
        "counting",
        "How many cells are enough?",
        f"counts of {SIZES[0]} to {SIZES[-1]:,} cells for a type with a true share of {PERCENTS[0]} % to "
        f"{PERCENTS[-1]} %, and the interval that one would report.",
        {
            "sizes": SIZES,
            "percents": PERCENTS,
            "cases": [{"type": name, "percent": percent, "n": n} for name, percent, n in CASES],
        },
    )
