"""Report a sweep: the mean of each metric for each combination, with an interval over repetitions."""

from __future__ import annotations

import fnmatch
import re
import textwrap
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from helpers import files, plots, reports
from helpers.book import results
from helpers.markup import escape_markdown
from helpers.runs import profiles, provenance, runner
from helpers.runs.notebooks import chapter_name
from helpers.sweeps import outcomes
from helpers.sweeps.outcomes import OutcomeStore
from helpers.sweeps.plan import combinations, expand
from helpers.sweeps.rows import Row
from helpers.sweeps.runner import SweepError, sweep_folder

REPEATED = ("seed", "tested_folds")  # parameters that repeat a run rather than change it


def mean_metrics(table: pd.DataFrame, grid: list[str], measures: list[str]) -> pd.DataFrame:
    """Compute the mean of each metric over the repetitions of each combination, with a 95 % Student's t interval.

    The interval describes variation over seeds and folds, not over patients, which the intervals within each run
    describe. Over the folds of one seed it is too narrow, because their training sets overlap (Bengio and Grandvalet
    2004).

    Args:
        table: from :func:`helpers.sweeps.outcomes.table`; failed runs are left out.
        grid: varied parameters.
        measures: columns of metrics.

    Returns:
        Table with the parameters of the grid except ``REPEATED`` (lists as plain text), ``measure`` (table and
        column), ``level`` (label of the row in that table), ``mean, low, high, runs``; low and high are NaN for one
        run.
    """
    by = [name for name in grid if name not in REPEATED]
    done, rows = table[table["status"] == "done"], []
    groups = done.groupby(by, sort=False, dropna=False) if by else [((), done)]  # a notebook may lack a parameter
    for key, subset in groups:
        for measure in measures:
            values = subset[measure].dropna().to_numpy(float) if measure in subset else np.empty(0)
            if not len(values):
                continue
            reach = np.nan
            if len(values) > 1:
                reach = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
            mean, (name, _, which) = float(values.mean()), measure.partition(" (")
            rows.append(
                dict(zip(by, map(_as_text, key), strict=True))
                | {"measure": name, "level": which.removesuffix(")")}
                | {"mean": mean, "low": mean - reach, "high": mean + reach, "runs": len(values)}
            )
    return pd.DataFrame(rows, columns=[*by, "measure", "level", "mean", "low", "high", "runs"])


def _as_text(value: Any) -> Any:
    """Format a value of the grid; the table of runs holds lists and dictionaries as JSON."""
    return re.sub(r'[\[\]{}"]', "", value) if isinstance(value, str) else value


def write_report(profile: profiles.Profile) -> Path:
    """Write ``report.md`` with tables and figures of the profile's ``report_metrics`` from the stored rows of a sweep.

    Returns:
        Path of the report.

    Raises:
        SweepError: no run is done, no metric matches ``report_metrics``, or two notebooks saved tables of one name.
        DatasetError: a dataset is unreadable, so that runs cannot be matched to the current data.
    """
    folder = sweep_folder(profile.name)
    _, table, means = _measured(profile, OutcomeStore(folder).rows().values())
    by = [name for name in profile.grid if name not in REPEATED]
    blocks = [f"# {escape_markdown(profile.name)}", _summary(table, profile)]
    for number, title in enumerate(means["measure"].astype(str).unique()):
        rows = means[means["measure"] == title]
        picture = _figure(rows, by, title.partition(": ")[2])
        shown = _in_markdown(rows.drop(columns="measure"), by)
        blocks += [f"## {escape_markdown(title)}", shown]
        if isinstance(picture, plots.NoFigure):
            blocks += [escape_markdown(picture)]
        else:
            files.write_bytes(folder / f"report-{number}.png", picture._repr_mimebundle_()[0]["image/png"])
            blocks += [f"![{escape_markdown(picture.alt)}](report-{number}.png)"]
    failed = table[table["status"] != "done"]
    if len(failed):
        blocks += ["## Runs that failed", _in_markdown(failed[["name", *profile.grid, "error"]], list(profile.grid))]
    files.write_text(folder / "report.md", "\n\n".join(blocks) + "\n")
    return folder / "report.md"


def _in_markdown(table: pd.DataFrame, parameters: list[str]) -> str:
    """Format a table in Markdown without rounding parameters, which are settings and not measurements."""
    settings = table[parameters].map(lambda value: f"{value:g}" if isinstance(value, float) else value, "ignore")
    return reports.show_table(table.assign(**settings)).to_markdown()


def publish(profile: profiles.Profile, rows: Iterable[Row], command: str) -> Path:
    """Publish the means of a sweep in ``book/results/`` with their provenance.

    Args:
        profile: profile of the sweep.
        rows: from :func:`helpers.sweeps.run`.
        command: command that reproduces the result.

    Returns:
        Path of the CSV file.

    Raises:
        SweepError: as :func:`write_report`, or a run is not done.
    """
    current, table, means = _measured(profile, rows)
    done, n_runs = table[table["status"] == "done"], sum(1 for _ in combinations(profile))
    if len(done) < n_runs:
        raise SweepError(
            f"{profile.name}: {len(done)} of {n_runs} runs are done, and only complete sweeps are "
            "published; start it again"
        )
    data = sorted(set(done["data"]))
    finished = datetime.fromtimestamp(float((done["begun"] + done["seconds"]).max()), UTC)
    note = results.ResultNote(
        made_by=f"a sweep of {len(done)} runs of {', '.join(map(chapter_name, profile.notebooks))}",
        command=command,
        parameters={
            chapter_name(name): chapter.values(profile.relevant_grid(name))
            for name, chapter in profile.notebooks.items()
        },
        data_sha256=runner.combined_fingerprint(data),
        finished=finished.isoformat(timespec="seconds"),
        provenance=provenance.merge([row.provenance for row in current if row.provenance is not None]),
    )
    path = results.save_result(profile.name, means.round({"mean": 3, "low": 3, "high": 3}), note)
    results.remove_stale_results(command, [path])
    return path


def _measured(profile: profiles.Profile, rows: Iterable[Row]) -> tuple[list[Row], pd.DataFrame, pd.DataFrame]:
    """Return the current rows of a sweep, their table, and the means of the metrics in its report.

    Rows of runs whose notebook, helpers, libraries, data or threads have changed since are left out.
    """
    row_of = {(row.name, row.key): row for row in rows}
    current = [row_of[task.name, task.key] for task in expand(profile) if (task.name, task.key) in row_of]
    table = outcomes.table(current)
    if table.empty or not (table["status"] == "done").any():
        raise SweepError(f"{profile.name}: no run is done; `python -m helpers run {profile.name}` executes them")
    _refuse_shared_tables(profile.name, current)
    known = [name for name in map(str, table) if ": " in name]
    reported = [name for name in known if any(fnmatch.fnmatchcase(name, pattern) for pattern in profile.report_metrics)]
    if not reported:
        listed = ", ".join(known[:10]) or "none"
        raise SweepError(
            f"{profile.name}: no metric matches report_metrics {', '.join(profile.report_metrics)}; "
            f"choose from {listed}"
        )
    return current, table, mean_metrics(table, list(profile.grid), reported)


def _refuse_shared_tables(name: str, rows: list[Row]) -> None:
    """Raise an error if two notebooks saved tables of one name, whose values a mean would mix."""
    notebook_of: dict[str, str] = {}
    for row in rows:
        for saved in {measure.partition(": ")[0] for measure in row.metrics}:
            if notebook_of.setdefault(saved, row.notebook) != row.notebook:
                both = f"{notebook_of[saved]} and {row.notebook}"
                raise SweepError(f"{name}: {both} both save a table {saved}; rename one of them")


def _figure(rows: pd.DataFrame, by: list[str], measure: str) -> plots.AccessibleFigure | plots.NoFigure:
    """Draw a forest plot of the means; the interval of a single run is a point."""
    words = rows[["level", *by]].fillna("").astype(str).agg(", ".join, axis=1).str.strip(", ")
    name = f"{measure} over repetitions"  # a metric may itself be named low or high
    labelled = rows.rename(columns={"mean": name}).assign(
        row=words.map(lambda text: textwrap.fill(text, 40)), runs=rows["runs"].map("{} runs".format)
    )
    labelled = labelled.fillna({"low": labelled[name], "high": labelled[name]})
    caption = "Mean over repetitions, with a 95 % interval of Student's t where there are two or more."
    return plots.forest_plot(labelled, name, "row", "runs", caption)


def _summary(table: pd.DataFrame, profile: profiles.Profile) -> str:
    done = table[table["status"] == "done"]

    def listed(values: pd.Series) -> str:
        return " or ".join(sorted(set(values)))

    repeated = [f"{len(profile.grid[name])} of {name}" for name in REPEATED if name in profile.grid]
    return (
        f"{len(done)} of {len(table)} runs are done, in {done['seconds'].sum() / 60:.1f} min of work, "
        f"{done['seconds'].median():.1f} s and {done['peak_mib'].median():.0f} MiB each (medians). Repeated over "
        f"{' and '.join(repeated) or 'nothing, so that there is no interval'}. Commit "
        f"{listed(done['commit'].map(provenance.short))}; data {listed(done['data'].str[:12])}; "
        f"{listed(done['hardware'])}; threads: {listed(done['threads'])}; {listed(done['versions'])}."
    )
