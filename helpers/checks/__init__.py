"""Checks of an evaluation: each that fails returns a finding with the observation and advice."""

from helpers.checks.findings import (
    Finding,
    check_better_than_chance,
    check_group_count,
    check_groups_known,
    check_input_shift,
    check_input_statistics,
    check_leakage,
    check_probabilities,
    check_single_class,
    run_checks,
)
from helpers.checks.inputs import InputStatistics, input_statistics
from helpers.checks.scale import NucleusShares, check_scale, scale_statistics

__all__ = [
    "Finding",
    "InputStatistics",
    "NucleusShares",
    "check_better_than_chance",
    "check_group_count",
    "check_groups_known",
    "check_input_shift",
    "check_input_statistics",
    "check_leakage",
    "check_probabilities",
    "check_scale",
    "check_single_class",
    "input_statistics",
    "run_checks",
    "scale_statistics",
]
