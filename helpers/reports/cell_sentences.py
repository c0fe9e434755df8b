"""Sentences of chapter *Classify*, computed from the tables that they describe, also where those are empty."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from helpers.markup import escape_markdown
from helpers.metrics import PREFIX, Estimate, PatientEvaluation
from helpers.reports.published import NO_BOOK, PublishedTable
from helpers.reports.statements import difference_words

RARE = 0.2  # prevalence below which precision and sensitivity show more than an ROC curve
FILM = 0.01  # prevalence with which the text compares
AT = 0.9  # sensitivity at which precisions are compared
PUBLISHED_AUC = 0.9  # reported by Schouten et al. 2021 for tens of images


def describe_two_splits(stored: PublishedTable | None) -> str:
    """State both AUCs of one classifier on real blood, split by image and split by patient.

    Args:
        stored: table with the rows ``by image`` and ``by patient``; None where only the package is installed.
    """
    if stored is None:
        return NO_BOOK
    auc, n_groups = stored.frame.set_index("split")["AUC"], stored.frame["groups"].iloc[0]
    return (
        "We have such a number ourselves, measured on real cells of C-NMC ([Mourya et al., "
        f"2019](https://doi.org/10.7937/tcia.2019.dc64i46r)), {n_groups} groups of children with leukaemia and healthy "
        f"people: an AUC of {auc['by image']:.2f}. The same classifier on the same cells also has an AUC of "
        f"{auc['by patient']:.2f}. The code of both is right; they answer two questions. The section on splits tells "
        "which."
    )


def describe_measurement(correlations: pd.DataFrame) -> str:
    """Say which outlines measure the N:C ratio better, by the correlation with ground-truth masks.

    Args:
        correlations: from :func:`helpers.features.correlate_with_masks`, a column per kind of outline.
    """
    if correlations.empty:
        return "Nobody has outlined these cells, so the measurements cannot be checked; look at the outlines."
    ratios = correlations.loc["nucleus_to_cell_area"]
    words = ", ".join(f"{value:.2f} with the outlines of {name}" for name, value in ratios.items())
    return (
        f"The correlation of the measured N:C ratio with the true one is {words}. {ratios.idxmax()} measures it better "
        "here; what the model below can know is limited by that."
    )


def describe_precision(curves: Mapping[str, pd.DataFrame], rocs: Mapping[str, pd.DataFrame], prevalence: float) -> str:
    """Say what a precision-recall curve adds to an ROC curve at the prevalence of a test, and at a low one.

    Args:
        curves: from :func:`helpers.metrics.precision_recall_curve`, by name of the model; the first is described.
        rocs: from :func:`helpers.metrics.roc_curve`, likewise.
        prevalence: share of positive images in the test, 0 to 1.
    """
    name, curve = next(iter(curves.items()))
    precision = float(np.interp(AT, curve["sensitivity"], curve["precision"]))
    roc = rocs[name]
    false_positive_rate = float(np.interp(AT, roc["sensitivity"], roc["false_positive_rate"]))
    found, false_alarms = AT * FILM, false_positive_rate * (1 - FILM)
    verdict = (
        "positives are rare here, and precision shows the false alarms that the ROC curve hides"
        if prevalence < RARE
        else "with so many positives, this curve tells little that the ROC curve does not"
    )
    return (
        f"At a sensitivity of {AT}, the precision of the {name} is {precision:.2f}; {prevalence:.0%} of the test cells "
        f"are positive: {verdict}. Were {FILM:.0%} positive, the ROC curve would be the same, and the precision there "
        f"{found / (found + false_alarms):.2f}: the rarer the positives, the more this curve says."
    )


def describe_stored_ranking(stored: PublishedTable | None) -> str:
    """Name the models with the highest and the lowest AUC in a stored table of real cells.

    Args:
        stored: columns ``model``, ``measure``, ``value``, ``n`` and ``groups``; None where only the package is
            installed.
    """
    if stored is None:
        return NO_BOOK
    rows = stored.frame[stored.frame["measure"] == "AUC"].set_index("model")
    auc = rows["value"]
    return (
        f"On those {rows['n'].iloc[0]} real cells of {rows['groups'].iloc[0]} groups, by point estimate the highest "
        f"AUC is that of {escape_markdown(auc.idxmax())} ({auc.max():.2f}) and the lowest that of "
        f"{escape_markdown(auc.idxmin())} ({auc.min():.2f}). No difference on the same patients is stored, so these "
        "numbers show no order. Synthetic cells are tidier than blood: take methods from this chapter, not numbers."
    )


def describe_patients(patients: PatientEvaluation, positive: str, by_cell: Estimate) -> str:
    """Say how many patients are on the wrong side of their threshold, and compare AUCs over patients and over cells.

    Args:
        patients: from :func:`helpers.metrics.evaluate_patients`.
        positive: positive class.
        by_cell: AUC over the cells of the same patients.
    """
    if patients.test.empty:
        return "Patients have cells of both classes here, and so no label that a mean could be compared with."
    is_above = patients.test[PREFIX + positive] >= patients.threshold
    is_ill = patients.test["label"] == positive
    auc = patients.metrics.set_index("measure")["value"]["AUC"]
    return (
        f"{(is_ill & ~is_above).sum()} of {is_ill.sum()} positive patients lie below their threshold, and "
        f"{(~is_ill & is_above).sum()} of {(~is_ill).sum()} others above it. The AUC over patients is "
        f"{auc - by_cell.value:+.3f} compared with the one over cells, without an interval for the difference. A mean "
        "can even out what is random in single cells; it leaves what is wrong for the whole patient. "
        f"{len(is_ill)} patients are {len(is_ill)} observations, not {by_cell.n}."
    )


def describe_patient_curve(curve: pd.DataFrame) -> str:
    """Say what more patients add to an AUC, with all of their cells and with the same number of cells.

    Args:
        curve: from :func:`helpers.learners.patient_curve.patient_curve`.
    """
    by_size = curve.set_index(["learner", "images"])["AUC"].unstack()
    if by_size.shape[1] < 2:
        return "There are too few patients here to train on more and on fewer of them."
    fewest, most = by_size.columns[0], by_size.columns[-1]
    gains = by_size[most] - by_size[fewest]
    return (
        f"From {fewest} to {most} patients, the mean AUC changes by {gains['all cells of the patients']:+.3f} with all "
        f"of their cells, and by {gains['the same number of cells']:+.3f} with the same number of cells: the second is "
        "what more patients add without a single cell more. Five draws are few; look at the bands before you believe a "
        "step. Compare the two lines at their right end, too: where they meet, more cells of the same patients have "
        "brought nothing."
    )


def describe_split_gains(gains: Mapping[str, Estimate], stored: PublishedTable | None) -> str:
    """State by how much AUCs differ between a split by image and one by patient, here and on real cells.

    Args:
        gains: difference (by image − by patient) by model.
        stored: table with the row ``difference``; None where only the package is installed.
    """
    words = [f"{name} {difference_words(gain)}" for name, gain in gains.items()]
    if stored is not None:
        real = stored.frame.set_index("split").loc["difference"]
        words.append(f"on the real cells of C-NMC, {real['AUC']:+.3f} [{real['low']:.3f}, {real['high']:.3f}]")
    return (
        f"AUC by image, compared with by patient: {'; '.join(words)}. What a split by image adds is acquaintance with "
        "the patients, not skill. Where a classifier is nearly perfect on new patients, little is left to add and the "
        "leak goes unnoticed; it is a leak all the same."
    )


def describe_missed(
    errors: Mapping[str, pd.Series], found: pd.Series, features: pd.DataFrame, groups: pd.Series
) -> str:
    """Count the errors of each kind, and name the feature in which missed and found images differ most.

    Args:
        errors: by kind, ``missed`` first, which images are errors, ``bool`` by ``image_id``.
        found: which positive images are found, likewise.
        features: a row per image, by ``image_id``.
        groups: group of each image, by ``image_id``.
    """
    counts = [
        f"{name}: {is_error.sum()} cells of {groups[is_error].nunique()} groups" for name, is_error in errors.items()
    ]
    missed = next(iter(errors.values()))
    if not missed.any() or not found.any():
        return f"{'; '.join(counts)}. Found and missed cells cannot be compared here, as there are none of one kind."
    standardised = (features - features.mean()) / features.std()
    apart = standardised.loc[missed.index[missed]].mean() - standardised.loc[found.index[found]].mean()
    most = str(apart.abs().idxmax())
    return (
        f"{'; '.join(counts)}. Compared with the positive cells that were found, the missed ones differ most in "
        f"`{most}` ({apart[most]:+.1f} standard deviations). A model that can be read can also be asked why it errs."
    )


def describe_stored_curve(stored: PublishedTable | None) -> str:
    """Compare the learning curve of Schouten's network on real cells with the AUC that its authors report.

    Args:
        stored: columns ``learner``, ``images``, ``AUC`` and ``groups``; None where only the package is installed.
    """
    if stored is None:
        return NO_BOOK
    curve = stored.frame[stored.frame["learner"] == "Schouten's network"].set_index("images")
    lowest, highest = curve["AUC"].min(), curve["AUC"].max()
    return (
        f"On C-NMC, Schouten's network trained on {curve.index.min()} to {curve.index.max()} images has AUCs from "
        f"{lowest:.2f} to {highest:.2f}. The {PUBLISHED_AUC:.2f} of the paper is "
        f"{'' if highest >= PUBLISHED_AUC else 'not '}reached on these cells; the intervals over "
        f"{curve['groups'].max()} groups are wide, and the paper used other cells, of another set."
    )
