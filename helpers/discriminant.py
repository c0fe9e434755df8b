"""Linear discriminant analysis for far more features than images."""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve, pinv
from sklearn.covariance import ledoit_wolf_shrinkage
from sklearn.preprocessing import StandardScaler

LEAST_SHARE = 1e-10  # a share of shrinkage below is what rounding leaves of none


def shrunken_discriminant(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What scikit-learn's ``LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")`` finds, with equal priors.

    The covariance within classes is shrunk by a share that is worked out from the data of each class (Ledoit and Wolf
    2004). It is a diagonal matrix and one of no higher rank than there are images, so the equations to solve are as
    many as images or as features, whichever are fewer: for 4,000 features of 640 images that takes a second instead of
    forty.

    One feature, or no class of more than two images, is shrunk by nothing. The covariance may then be singular, and the
    weights are the shortest that solve the equations in the least squares, as in scikit-learn: directions in which no
    class varies are left out, and where no feature varies within any class, all classes are equally probable.

    Args:
        x: ``float (n, features)``.
        y: class of each row, any integers.

    Returns:
        Weights ``(features, classes)`` and offsets ``(classes,)``, classes sorted: the softmax of ``x @ weights +
        offsets`` gives the probabilities.

    Raises:
        ValueError: no class has two images, so that nothing is known of how features vary.
    """
    classes = np.unique(y)
    means, rows, diagonal = [], [], np.zeros(x.shape[1])
    for label in classes:
        own = x[y == label]
        means.append(own.mean(0))
        if len(own) < 2:
            continue
        scaler = StandardScaler().fit(own)
        varies = scaler.scale_ == np.sqrt(scaler.var_)  # the scaler puts 1 where a deviation is zero but for rounding
        standard = np.where(varies, scaler.transform(own), 0.0)
        share = ledoit_wolf_shrinkage(standard)
        if share < LEAST_SHARE:
            share = 0.0
        diagonal += share * (standard**2).mean() * scaler.scale_**2 / len(classes)
        rows.append(np.sqrt((1 - share) / len(own) / len(classes)) * standard * scaler.scale_)
    if not rows:
        raise ValueError(f"{len(x)} images of {len(classes)} classes: no class has two, so no covariance is known")
    centres = np.stack(means, axis=1)
    if not diagonal.all():
        inverse = pinv(np.concatenate(rows))
        weights = inverse @ (inverse.T @ centres)
        return weights, -0.5 * (centres * weights).sum(0)
    # (B'B + D)^-1 M, with what is shrunk towards brought to the unit matrix; for many features by Woodbury's identity.
    root = np.sqrt(diagonal)[:, None]
    low, scaled = np.concatenate(rows) / root.T, centres / root
    images, features = low.shape
    if features < images:
        weights = cho_solve(cho_factor(np.eye(features) + low.T @ low), scaled) / root
    else:
        inner = cho_factor(np.eye(images) + low @ low.T)
        weights = (scaled - low.T @ cho_solve(inner, low @ scaled)) / root
    return weights, -0.5 * (centres * weights).sum(0)
