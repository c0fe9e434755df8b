"""An estimate is the same in a table and out of it."""

import pandas as pd
import pytest

from helpers import metrics


@pytest.mark.parametrize("interval", [metrics.INTERVAL, metrics.RANGE])
def test_an_estimate_is_read_from_its_row(interval):
    estimate = metrics.Estimate(0.5, 0.25, 0.75, 90, 30, interval)
    assert metrics.Estimate.from_row(estimate.row("AUC"), "AUC") == estimate
    assert metrics.Estimate.from_row(pd.Series(estimate.row("AUC")), "AUC") == estimate
