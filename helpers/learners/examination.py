"""Run the checks of the package on the cases of a casebook."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from sklearn.metrics import roc_auc_score

from helpers import checks, metrics, splits
from helpers.checks import Finding
from helpers.learners import pitfalls
from helpers.learners.casebook import Case, Evidence
from helpers.learners.cross_validation import cross_validate, lda_learner
from helpers.learners.pitfalls import Training
from helpers.metrics import PREFIX

N_PERMUTATIONS = 10  # an interval needs as many
PERMUTED_FOLDS = (0, 1)  # folds that are tested with permuted labels: two are enough, and take less time than all
N_COMPARED = 150  # images; the search takes time with the square of their number


def examine(cases: Mapping[str, Case], evidence: Evidence) -> dict[str, dict[str, list[Finding]]]:
    """Run every check on every case.

    Returns:
        Findings by case and name of the check; an empty list where the check passes.
    """
    permuted: dict[int, list[Finding]] = {}  # several cases have one training
    pairs: dict[int, pd.DataFrame] = {}  # and one set of images
    findings = {}
    for letter, case in cases.items():
        training, data = case.training, case.training.data
        if id(training) not in permuted:
            permuted[id(training)] = check_permuted_labels(training, case.positive, evidence.seed)
        if id(data) not in pairs:
            pairs[id(data)] = _near_duplicates(case, evidence.seed)
        findings[letter] = {
            **_examine_tables(case, evidence),
            "near-duplicates": check_near_duplicates(data.frame, case.split, pairs[id(data)]),
            "permuted labels": permuted[id(training)],
        }
    return findings


def _near_duplicates(case: Case, seed: int) -> pd.DataFrame:
    """Return the near-duplicates of a case, searched among some images where its authors did not search."""
    if case.pairs is not None:
        return case.pairs
    data = case.training.data
    sample = data.frame.sample(min(N_COMPARED, len(data)), random_state=seed).index
    return splits.find_near_duplicates(data.select(data.frame.index[data.frame.index.isin(sample)]))


def check_near_duplicates(frame: pd.DataFrame, split: pd.Series, pairs: pd.DataFrame) -> list[Finding]:
    """Check that no cell is in two parts of a split under two names.

    Args:
        frame: table of the dataset.
        split: ``train``, ``validation`` or ``test`` of every image.
        pairs: near-duplicates from :func:`helpers.splits.find_near_duplicates`.
    """
    leaks = splits.find_leakage(frame.assign(group=frame.index), split, pairs)
    if not leaks:
        return []
    observed = f"{len(leaks)} pairs of near-duplicates between splits, such as: {leaks[0]}"
    return [Finding("near-duplicates", observed, "that both images of a pair are in one group")]


def _examine_tables(case: Case, evidence: Evidence) -> dict[str, list[Finding]]:
    frame, table = case.training.data.frame, case.predictions
    return {
        "better than chance": checks.check_better_than_chance(table, case.positive, 0.5, evidence.seed),
        "several classes": checks.check_single_class(table),
        "probabilities": checks.check_probabilities(table),
        "patients known": checks.check_groups_known(table),
        "leakage": checks.check_leakage(frame, case.split),
        "same input": _examine_input(case, evidence.size),
    }


def _examine_input(case: Case, size: int) -> list[Finding]:
    """Compare the tested images with those of the training, where a case tests others."""
    if case.test_images is None:
        return []
    trained_on = case.training.data.load_images(size)
    return checks.check_input_shift(case.test_images, checks.input_statistics(trained_on))


def check_permuted_labels(training: Training, positive: str, seed: int) -> list[Finding]:
    """Check that a model which learns permuted labels of patients is no better than chance.

    If it is, patients can be recognised across the split.

    Args:
        training: data, features and folds.
        positive: positive class.
        seed: random seed of the permutations.
    """
    aucs = []
    for permutation_seed in splits.spawn_seeds(seed, N_PERMUTATIONS):
        permuted = pitfalls.permute_labels(training.data, training.fold, permutation_seed)
        learner = lda_learner(training.features)
        predictions, _ = cross_validate(permuted, training.fold, learner, test_folds=PERMUTED_FOLDS)
        aucs.append(roc_auc_score(predictions["label"] == positive, predictions[PREFIX + positive]))
    values = pd.Series(aucs, [f"permutation {k}" for k in range(N_PERMUTATIONS)])
    mean = metrics.cluster_mean(values, pd.Series(values.index, values.index), seed)
    if mean.low <= 0.5:
        return []
    observed = (
        f"with permuted labels the area under the ROC curve is {mean.value:.2f} [{mean.low:.2f}, {mean.high:.2f}]"
    )
    return [Finding("permuted labels are learnt", observed, "that no patient is on both sides of the split")]


def failed_checks(findings: Mapping[str, Mapping[str, list[Finding]]]) -> pd.DataFrame:
    """Tabulate which check fails on which case.

    Args:
        findings: result of :func:`examine` by case.

    Returns:
        A row per check and a column per case: ``fails``, or empty where the check passes.
    """
    failed = {case: {name: bool(of_check) for name, of_check in by_name.items()} for case, by_name in findings.items()}
    return pd.DataFrame(failed).replace({True: "fails", False: ""}).rename_axis("check")
