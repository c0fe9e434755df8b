"""Explorer of reported results and of the checks that may tell the right from the wrong ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from helpers.checks import Finding
from helpers.explorers.explorer import Explorer, render
from helpers.reports import format_estimate

Findings = Mapping[str, Mapping[str, Sequence[Finding]]]


def casebook(reports: pd.DataFrame, findings: Findings) -> Explorer:
    """Show reported results one at a time: the reader states a suspicion and looks at one check after the other.

    Args:
        reports: a row per case: ``measure, value, low, high, interval, n, groups, method``.
        findings: findings by case and name of the check; an empty list where the check passes.

    Raises:
        ValueError: there is no case, or reports and findings have other cases.

    Example:
        >>> import pandas as pd
        >>> from helpers import explorers
        >>> row = {"measure": "AUC", "value": 0.9, "low": 0.8, "high": 0.95}
        >>> row |= {"interval": "95 %", "n": 200, "groups": 20}
        >>> reports = pd.DataFrame([row | {"method": "Five folds."}], ["A"])
        >>> explorers.casebook(reports, {"A": {"leakage": []}})
        Explorer: 1 reported results and 1 checks that can be run on each.
    """
    if list(reports.index) != list(findings) or not findings:
        raise ValueError(f"reports and findings must have the same cases, got {list(reports.index)}, {list(findings)}")
    cases = [
        {"letter": str(letter), "report": _report(row), "checks": _checks(findings[str(letter)])}
        for letter, row in reports.iterrows()
    ]
    names = list(next(iter(findings.values())))
    return render(
        "casebook",
        "Ten reports, and what the checks find" if len(cases) == 10 else "Reports, and what the checks find",
        f"{len(cases)} reported results and {len(names)} checks that can be run on each.",
        {"cases": cases, "names": names},
    )


def _report(row: pd.Series) -> str:
    estimate = format_estimate(row["value"], row["low"], row["high"], row["interval"], 3)
    return f"{row['measure']} {estimate}, {row['n']} cells, n = {row['groups']}. “{row['method']}”"


def _checks(findings: Mapping[str, Sequence[Finding]]) -> list[dict[str, str | bool]]:
    return [
        {"name": name, "passes": not failed, "text": "; ".join(finding.observed for finding in failed)}
        for name, failed in findings.items()
    ]
