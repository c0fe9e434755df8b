"""Class shares of a patient, corrected for the classifier's confusion, with intervals that hold both kinds of error.

A count of predicted classes is biased: of 60 % neutrophils, 1 % that pass for basophils add 0.6 % basophils to the few
that there are. Both methods undo it with a validation table, under the assumption of label shift: each class looks as
it did there, and only the shares differ.

The interval comes from draws of everything that is not known (a weighted likelihood bootstrap, Newton and Raftery 1994,
with a prior). Percentiles of resampled solutions would not do: a patient without a predicted basophil has none in any
resample, and where false positives are expected, the solution is 0 with an upper end of 0. Drawn are:

- the patient's cells: gamma weights, and half a cell more of each true class (the prior of Jeffreys); cells of one
  field weigh less, by the overdispersion between fields;
- the confusion matrix: each row from a Dirichlet distribution with one cell more, spread over the classes (the prior of
  Perks), and with fewer effective cells where patients of the validation table differ more than by chance;
- the patient: a matrix of this patient around that of all, as different as patients of the validation table are, with
  deviations in the same direction in all rows.

For each draw the shares are those of the greatest likelihood. The interval is the central one of 95 % of the draws, or
the one from 0 or to 1 where that is shorter: the central one never holds 0.

Coverage by class, of 1,000 simulated patients with 200 cells each (``benchmarks/differential_coverage.py``): 95 to 99 %
(matrix) and 94 to 97 % (EM) where the classifier errs alike in all patients, 91 to 98 % and 88 to 96 % where patients
differ as much as patients of a validation table of 480 cells hardly show. The intervals of the counts themselves held
39 to 94 % and 38 to 89 %.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.metrics.bootstrap import ENDS, INTERVAL, LEVEL, NONE
from helpers.metrics.classification import class_probabilities, predicted_classes, prediction_classes
from helpers.metrics.overdispersion import dispersion_of_cells, draw_correlations, variance_factor
from helpers.metrics.resampling import MIN_GROUPS, RESAMPLES

METHODS = ("matrix", "EM")
SINGULAR = 1e-9  # determinant below which predictions do not depend on the class
_PRIOR = 0.5  # cells of each true class that a draw has more than were counted
_STEPS, _TOLERANCE = 200, 1e-4  # of the search for the greatest likelihood


def solve_shares(confusion: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Solve q = C p for the class shares p (adjusted count; Forman 2008, Lipton et al. 2018).

    Column j of C has the shares of the predicted classes among the cells of class j. The solution is clipped to 0 and
    normalised.

    Args:
        confusion: ``float (resamples, classes, classes)``, counts by true (rows) and predicted class (columns).
        predicted: ``float (resamples, classes)``, counts or shares q of the predicted classes.

    Returns:
        Shares ``float (resamples, classes)``, 0 to 1; NaN where the matrix is singular, which means that predictions do
        not depend on the class, or that a class has no cells.

    Example:
        >>> import numpy as np
        >>> from helpers.metrics import quantification
        >>> confusion = np.array([[[90, 10], [20, 80]]])
        >>> quantification.solve_shares(confusion, np.array([[0.27, 0.73]])).round(3)
        array([[0.1, 0.9]])
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        matrix = (confusion / confusion.sum(axis=2, keepdims=True)).swapaxes(1, 2)
    solvable = np.abs(np.linalg.det(np.nan_to_num(matrix))) > SINGULAR
    shares = np.full(predicted.shape, np.nan)
    shares[solvable] = np.linalg.solve(matrix[solvable], predicted[solvable][..., None])[..., 0]
    shares = np.maximum(shares, 0)
    return shares / shares.sum(axis=1, keepdims=True)


def corrected_shares(validation: pd.DataFrame, cells: pd.DataFrame, *, method: str, seed: int) -> pd.DataFrame:
    """Estimate the class shares of each patient, corrected for the confusion that a validation table shows.

    Args:
        validation: table of predictions with true labels, of other patients than ``cells``, with all classes.
        cells: table of predictions of the same classes, a row per cell; labels are not used. With a column ``image``
            (the field of a cell), cells of one field count less, see :func:`helpers.metrics.field_dispersion`.
        method: ``"matrix"`` solves for the shares from the counts of predicted classes (adjusted count; Forman 2008).
            ``"EM"`` maximises the likelihood of the predicted probabilities by expectation maximisation (Saerens,
            Latinne and Decaestecker 2002), with the training shares that make the mean probabilities agree with the
            labels of the validation table; it gains where probabilities tell sure from unsure predictions, and loses
            where they are badly calibrated.
        seed: random seed of the 2,000 draws.

    Returns:
        Columns ``group, class, share, low, high, interval, n, overdispersion``, a row per group and class. ``n`` is
        the number of cells of the group. ``share`` is NaN where predictions do not depend on the class, or the
        validation table lacks a class; there is then no interval, nor with fewer than ten validation groups.
        ``overdispersion`` is NaN where fields are not known or too few, and their effect is then not in the interval.

    Raises:
        ValueError: unknown method, no cells, or tables of different classes.

    Example:
        >>> import pandas as pd
        >>> from helpers import metrics
        >>> def predictions(labels, blasts):
        ...     p = pd.Series([0.9] * blasts + [0.1] * (len(labels) - blasts))
        ...     return pd.DataFrame({"label": labels, "p_blast": p, "p_other": 1 - p})
        >>> # The model finds all 50 blasts, and calls 10 of 50 others a blast.
        >>> validation = predictions(["blast"] * 50 + ["other"] * 50, 60)
        >>> validation["group"] = [f"P{k % 25}" for k in range(100)]
        >>> patient = predictions(["?"] * 100, 28).assign(group="A")
        >>> table = metrics.corrected_shares(
        ...     validation, patient, method="matrix", seed=20
        ... )
        >>> table[["class", "share", "n"]].round(3)
           class  share    n
        0  blast    0.1  100
        1  other    0.9  100
    """
    classes = prediction_classes(validation)
    _check_tables(validation, cells, classes, method)
    by_group = _confusion_by_group(validation, classes)
    confusion, matrices = by_group.sum(axis=0), _draw_matrices(by_group, np.random.default_rng(seed))
    one, weights = np.ones((len(classes), len(classes))), _class_weights(validation, classes)
    if method == "EM":  # how often a class is predicted as another is in the probabilities, on average
        matrices = matrices / _smoothed(confusion)
    tables = []
    for group, of_group in cells.groupby("group", sort=True):
        predicted, n = _codes(of_group, classes), len(of_group)
        counts = np.bincount(predicted, minlength=len(classes)).astype(float)
        dispersion = dispersion_of_cells(of_group, predicted_classes(of_group))
        share = solve_shares(confusion[None], counts[None] / n)[0]
        low, high, interval = np.full(len(classes), np.nan), np.full(len(classes), np.nan), NONE
        if not np.isnan(share).any():
            likelihoods, amounts = one, counts
            if method == "EM":
                likelihoods, amounts = class_probabilities(of_group) * weights, np.ones(n)
                share = _most_likely_shares(likelihoods, predicted, amounts[None], one[None])[0]
            if len(by_group) >= MIN_GROUPS:
                numbers = predicted if method == "EM" else np.arange(len(classes))
                worth = amounts / (1 if np.isnan(dispersion) else dispersion)
                drawn = _draw_shares(likelihoods, numbers, worth, matrices, np.random.default_rng(seed + 1))
                low, high = _shortest_intervals(drawn)
                low, high, interval = np.minimum(low, share), np.maximum(high, share), INTERVAL
        columns = {"group": group, "class": classes, "share": share, "low": low, "high": high, "interval": interval}
        tables.append(pd.DataFrame({**columns, "n": n, "overdispersion": dispersion}))
    return pd.concat(tables, ignore_index=True)


def _check_tables(validation: pd.DataFrame, cells: pd.DataFrame, classes: list[str], method: str) -> None:
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}; choose from {', '.join(METHODS)}")
    if cells.empty or prediction_classes(cells) != classes:
        raise ValueError(f"cells must have rows, and the columns of the classes {', '.join(classes)} in this order")
    unknown = sorted(set(validation["label"].map(str)) - set(classes))
    if unknown:
        raise ValueError(f"labels must be among {', '.join(classes)}, got {unknown[0]}; leave such cells out")


def _codes(table: pd.DataFrame, classes: list[str]) -> np.ndarray:
    return predicted_classes(table).map(classes.index).to_numpy()


def _confusion_by_group(table: pd.DataFrame, classes: list[str]) -> np.ndarray:
    """Count cells by group, true class and predicted class, ``float (groups, classes, classes)``."""
    group, names = pd.factorize(table["group"])
    counts = np.zeros((len(names), len(classes), len(classes)))
    np.add.at(counts, (group, table["label"].map(classes.index).to_numpy(), _codes(table, classes)), 1)
    return counts


def _smoothed(confusion: np.ndarray) -> np.ndarray:
    """Return rows of shares, with one cell more in each row, spread over the classes (Perks)."""
    more = confusion + 1 / confusion.shape[-1]
    return more / more.sum(axis=-1, keepdims=True)


def _draw_matrices(by_group: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Draw confusion matrices of a new patient, ``float (2000, classes, classes)``, rows of shares."""
    from scipy.special import gammaincinv  # here, because predictions need none of it and it takes long

    of_class = by_group.swapaxes(0, 1)  # true class, group, predicted class
    correlation = draw_correlations(list(of_class), RESAMPLES, random)
    factors = np.stack([variance_factor(counts, correlation) for counts in of_class], axis=1)
    of_all = _rows_of_shares(random.standard_gamma(by_group.sum(axis=0) / factors[..., None] + 1 / by_group.shape[1]))
    # Rows of a patient have a Dirichlet distribution with this correlation, from gamma variates with the same quantiles
    # in all rows: what makes one class look like another in this patient, such as a dark stain, does so in all classes.
    varying = correlation > 0
    parameters = of_all[varying] * (1 / correlation[varying] - 1)[:, None, None]
    quantiles = random.random((len(parameters), 1, parameters.shape[2]))
    of_all[varying] = _rows_of_shares(gammaincinv(np.maximum(parameters, 1e-3), quantiles))
    return of_all


def _rows_of_shares(values: np.ndarray) -> np.ndarray:
    values = values + 1e-300  # gamma variates underflow
    return values / values.sum(axis=-1, keepdims=True)


def _class_weights(validation: pd.DataFrame, classes: list[str]) -> np.ndarray:
    """Return what turns predicted probabilities into likelihoods of the classes, ``float (classes,)``.

    It is 1 / the share of the class among training images, as the probabilities imply it: with these weights and the
    shares of the validation table, the mean posterior probabilities are the shares of its labels.
    """
    shares = validation["label"].value_counts(normalize=True).reindex(classes, fill_value=0).to_numpy()
    probabilities, odds = class_probabilities(validation), np.ones(len(classes))
    for _ in range(_STEPS):
        joint = probabilities * odds
        posterior = joint / np.maximum(joint.sum(axis=1, keepdims=True), 1e-300)
        odds = odds * shares / np.maximum(posterior.mean(axis=0), 1e-300)
        odds = odds / odds.sum()
    return np.divide(odds, shares, out=np.zeros(len(classes)), where=shares > 0)


def _draw_shares(
    likelihoods: np.ndarray,
    predicted: np.ndarray,
    amounts: np.ndarray,
    matrices: np.ndarray,
    random: np.random.Generator,
) -> np.ndarray:
    """Draw the class shares of a patient, ``float (2000, classes)``, one for each matrix.

    Args:
        likelihoods: of cells, or of all cells with one predicted class, under each class, ``float (cells, classes)``.
        predicted: ``int (cells,)``, index of the predicted class.
        amounts: ``float (cells,)``, number of independent cells that each row is worth.
        matrices: factor of the likelihoods by true and predicted class, ``float (2000, classes, classes)``.
        random: generator of the draws.
    """
    k = matrices.shape[1]
    likelihoods = np.concatenate([np.eye(k), likelihoods])  # first the prior, cells of which the class is known
    predicted, amounts = np.concatenate([np.arange(k), predicted]), np.concatenate([np.full(k, _PRIOR), amounts])
    weights = random.standard_gamma(amounts, (len(matrices), len(amounts)))
    return _most_likely_shares(likelihoods, predicted, weights, matrices)


def _most_likely_shares(
    likelihoods: np.ndarray, predicted: np.ndarray, weights: np.ndarray, matrices: np.ndarray
) -> np.ndarray:
    """Maximise the likelihood of weighted cells by expectation maximisation (Saerens et al. 2002, equation 2.9).

    Args:
        likelihoods: of each cell under each class, ``float (cells, classes)``, up to a factor of the cell.
        predicted: ``int (cells,)``, index of the predicted class.
        weights: ``float (draws, cells)``, 0 or more.
        matrices: factor of the likelihoods by true and predicted class, ``float (draws, classes, classes)``.

    Returns:
        Shares ``float (draws, classes)``.
    """
    draws, k = matrices.shape[:2]
    weights, shares = weights / weights.sum(axis=1, keepdims=True), np.full((draws, k), 1 / k)
    moving = np.arange(draws)  # draws that have not converged
    for _ in range(_STEPS):
        updated = np.zeros((len(moving), k))
        for number in np.unique(predicted):
            chosen = predicted == number
            joint = shares[moving] * matrices[moving, :, number]
            ratio = weights[np.ix_(moving, chosen)] / np.maximum(joint @ likelihoods[chosen].T, 1e-300)
            updated += joint * (ratio @ likelihoods[chosen])
        change = np.abs(updated - shares[moving]).max(axis=1)
        shares[moving] = updated
        moving = moving[change >= _TOLERANCE]
        if not len(moving):
            break
    return shares


def _shortest_intervals(drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of an interval of each class that holds 95 % of its draws: central, from 0 or to 1."""
    low, high, least, most = np.quantile(drawn, [*ENDS, 1 - LEVEL, LEVEL], axis=0)
    lows, highs = np.stack([low, np.zeros_like(low), least]), np.stack([high, most, np.ones_like(high)])
    shortest = (highs - lows).argmin(axis=0)[None]
    return np.take_along_axis(lows, shortest, axis=0)[0], np.take_along_axis(highs, shortest, axis=0)[0]
