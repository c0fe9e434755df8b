"""Exercises of all chapters: solutions, hints and known mistakes.

A module of a chapter declares them as ``EXERCISES``, by the name that the notebook checks. Modules import no TensorFlow
at their top, as every chapter loads all of them.
"""

from helpers.teaching.declarations import Exercise
from helpers.teaching.exercises import (
    another_laboratory,
    classify,
    count,
    explore_the_cells,
    how_a_network_learns,
    many_classes,
    preprocess,
    saliency,
    segment,
    start_here,
    transfer,
    trust,
)

CHAPTERS: dict[str, dict[str, Exercise]] = {
    "start-here": start_here.EXERCISES,
    "explore-the-cells": explore_the_cells.EXERCISES,
    "preprocess": preprocess.EXERCISES,
    "how-a-network-learns": how_a_network_learns.EXERCISES,
    "segment": segment.EXERCISES,
    "classify": classify.EXERCISES,
    "many-classes": many_classes.EXERCISES,
    "transfer": transfer.EXERCISES,
    "saliency": saliency.EXERCISES,
    "trust": trust.EXERCISES,
    "another-laboratory": another_laboratory.EXERCISES,
    "count": count.EXERCISES,
}
