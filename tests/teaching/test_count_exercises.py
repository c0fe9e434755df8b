"""The count by tiles of *Count*: each fault is named as long as it is there, and sound answers pass."""

import pytest

from helpers import teaching

TASK = "count-debug-tiles"


def as_set(middles, width, side, overlap):
    total = 0
    for left in range(0, width - side, side - overlap):
        total += ((middles >= left) & (middles < left + side)).sum()
    return total


def without_the_end(middles, width, side, overlap):
    step = side - overlap
    return sum(((middles >= left) & (middles < left + step)).sum() for left in range(0, width - side, step))


def twice_in_the_overlap(middles, width, side, overlap):
    step = side - overlap
    return sum(((middles >= left) & (middles < left + side)).sum() for left in range(0, width, step))


def without_the_seams(middles, width, side, overlap):
    step = side - overlap
    return sum(((middles > left) & (middles < left + step)).sum() for left in range(0, width, step))


def without_the_middle_of_the_overlap(middles, width, side, overlap):
    half, total = overlap // 2, 0
    for left in range(0, width, side - overlap):
        before = left + half if left else -1  # the first tile has no tile before it
        total += ((middles > before) & (middles < left + side - half)).sum()
    return total


def sound(middles, width, side, overlap):
    step = side - overlap
    return sum(((middles >= left) & (middles < left + step)).sum() for left in range(0, width, step))


@pytest.mark.parametrize(
    ("count", "remaining"),
    [
        (as_set, ["counted twice", "in no tile"]),
        (without_the_end, ["in no tile"]),
        (twice_in_the_overlap, ["counted twice"]),
        (without_the_seams, ["are lost"]),
        (without_the_middle_of_the_overlap, ["are lost"]),
        (lambda middles, *rest: len(middles), []),
        (sound, []),
    ],
)
def test_faults_are_named_as_long_as_they_are_there(count, remaining, capsys):
    teaching.check_repair(TASK, {"count_by_tiles": count})
    text = capsys.readouterr().out
    for words in ("counted twice", "in no tile", "are lost", "than there are"):
        assert (words in text) == (words in remaining)
    assert text.startswith("✅") == (not remaining)
