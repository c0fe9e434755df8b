"""Audit a dataset before anything is trained on it: counts, copies, groups, shortcuts."""

from __future__ import annotations

import textwrap

import pandas as pd

from helpers import checks, splits
from helpers.checks import Finding
from helpers.datasets import Dataset, DatasetError
from helpers.datasets.copies import find_copied_files
from helpers.datasets.groups import find_similar_names
from helpers.datasets.readers import FileReader
from helpers.evaluation.record import Audit
from helpers.evaluation.shortcuts import check_shortcuts, has_own_files, score_shortcuts, surroundings
from helpers.metrics import Estimate
from helpers.metrics.bootstrap import MIN_GROUPS_PER_CLASS
from helpers.metrics.resampling import MIN_GROUPS

MAX_NAMES = 5  # unreadable files that are named
TOTAL = "total"  # label of the last row of the counts
_WIDTH = 100  # of a line on the terminal


def audit(dataset: Dataset, *, positive: str, seed: int) -> Audit:
    """Describe a dataset and check it for what makes an evaluation worthless.

    Args:
        dataset: dataset as :func:`helpers.datasets.load` returns it.
        positive: positive class; empty if there is none.
        seed: random seed of the shortcut test.

    Raises:
        DatasetError: there is no class ``positive``, or some images cannot be decoded.
    """
    if positive and positive not in dataset.classes:
        raise DatasetError(
            f"{dataset.public_name}: no class {positive!r}; set the positive class to one of "
            f"{', '.join(dataset.classes)}"
        )
    frame, seen = dataset.frame, surroundings(dataset)
    copies = _exact_copies(dataset)
    pairs = splits.find_near_duplicates(dataset) if len(frame) <= splits.MAX_COMPARED else None
    shortcuts, not_tested = score_shortcuts(dataset, seen, positive=positive, seed=seed)
    mixed_groups = int((frame.groupby("group")["label"].nunique() > 1).sum())
    facts = {
        "independent unit": dataset.card.independent_unit,
        **_left_out(dataset),
        "image size": _image_sizes(seen),
        "file format": _file_formats(seen),
        "masks": "every image has one" if dataset.has_masks else "none",
        "exact copies": _describe_copies(copies, len(frame)),
        "near-duplicates": _describe_pairs(pairs, len(frame)),
        "groups with images of several classes": f"{mixed_groups} of {frame['group'].nunique()}",
        **({"shortcut test": not_tested} if not_tested else {}),
    }
    findings = [
        *_check_labels(frame, copies),
        *_check_near_duplicates(frame, pairs),
        *checks.check_groups_known(frame),
        *_check_group_names(frame),
        *_check_group_counts(dataset),
        *check_shortcuts(shortcuts),
    ]
    return Audit(_counts(dataset), facts, pairs, shortcuts, mixed_groups, findings)


def audit_lines(audit: Audit) -> list[str]:
    """Return an audit as lines for the terminal: table of counts, facts, shortcut test and findings."""
    lines = [*audit.counts.to_string(index=False, float_format="{:g}".format).splitlines(), ""]
    for name, fact in audit.facts.items():
        lines += _wrapped(f"{name}: {fact}")
    for row in audit.shortcuts.to_dict("records"):
        score = f"{row['measure']} {Estimate.from_row(row, 'value')}; chance level {row['chance']:.3g}"
        lines += _wrapped(f"shortcut test, {row['seen']} only: {score}")
    lines.append("")
    if not audit.findings:
        return [*lines, "All checks of the data passed."]
    for finding in audit.findings:
        lines += _wrapped(f"Check failed, {finding.name}: {finding.observed}. Verify {finding.advice}.")
    return lines


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)


def _counts(dataset: Dataset) -> pd.DataFrame:
    """Count the images and groups of every class, and of all labelled and unlabelled images."""
    frame = dataset.frame
    parts = [(name, frame.loc[frame["label"] == name, "group"]) for name in dataset.classes]
    return pd.DataFrame(
        {
            "label": name,
            "images": len(group),
            "groups": group.nunique(),
            "images per group": float(group.value_counts().median()) if len(group) else 0.0,
        }
        for name, group in [*parts, (TOTAL, frame["group"])]
    )


def _left_out(dataset: Dataset) -> dict[str, str]:
    """Count the images that cannot be used: damaged files, and images without a label."""
    unlabelled, facts = int(dataset.frame["label"].isna().sum()), {}
    if dataset.unreadable:
        names, count = ", ".join(dataset.unreadable[:MAX_NAMES]), len(dataset.unreadable)
        facts["unreadable files"] = f"{count}, left out: {names}{', …' if count > MAX_NAMES else ''}"
    if unlabelled:
        facts["images without a label"] = f"{unlabelled}, left out"
    return facts


def _image_sizes(seen: pd.DataFrame) -> str:
    sizes = (seen["width"].astype(str) + "×" + seen["height"].astype(str)).value_counts()
    if len(sizes) == 1:
        return f"all {sizes.index[0]} pixels (width × height)"
    low, high = seen[["width", "height"]].min(), seen[["width", "height"]].max()
    return (
        f"{len(sizes)} sizes, most often {sizes.index[0]} pixels ({sizes.iloc[0]} images); width {low['width']} to "
        f"{high['width']}, height {low['height']} to {high['height']}"
    )


def _file_formats(seen: pd.DataFrame) -> str:
    formats = seen["format"].value_counts()
    if formats.empty:
        return "images are not files of their own, so file size and format are not tested"
    return ", ".join(f"{name} {count}" for name, count in formats.items())


def _exact_copies(dataset: Dataset) -> list[list[str]] | None:
    """Find images in files that are identical byte for byte; ``None`` if images are not files of their own."""
    frame = dataset.frame
    if not isinstance(dataset.reader, FileReader) or not has_own_files(dataset):
        return None
    image_of = pd.Series(frame.index, frame["path"])
    return [list(image_of[same]) for same in find_copied_files(dataset)]


def _describe_copies(copies: list[list[str]] | None, n_images: int) -> str:
    if copies is None:
        return "not looked for, as images are not files of their own"
    if not copies:
        return "none"
    repeated = sum(len(same) - 1 for same in copies)
    return f"{repeated} of {n_images} images repeat another, byte for byte; better remove them"


def _describe_pairs(pairs: pd.DataFrame | None, n_images: int) -> str:
    if pairs is None:
        return f"not looked for: {n_images:,} images are more than {splits.MAX_COMPARED:,}"
    if pairs.empty:
        return "none"
    images = pd.concat([pairs["image_a"], pairs["image_b"]]).nunique()
    return f"{images} of {n_images} images seem to show a cell of another; number of pairs: {len(pairs)}"


def _check_labels(frame: pd.DataFrame, copies: list[list[str]] | None) -> list[Finding]:
    """Check that identical files have one label and one group."""
    findings = []
    for column, kind in (("label", "labels"), ("group", "groups")):
        unlike = [same for same in copies or [] if frame.loc[same, column].nunique() > 1]
        if unlike:
            observed = (
                f"number of images with copies of different {kind}: {len(unlike)}, such as {' = '.join(unlike[0])}"
            )
            findings.append(Finding(f"exact copies with different {kind}", observed, f"which of the {kind} is right"))
    return findings


def _check_near_duplicates(frame: pd.DataFrame, pairs: pd.DataFrame | None) -> list[Finding]:
    """Check that images of the same cell have one label and one group."""
    if pairs is None:
        return []
    findings = []
    advice = {
        "label": "which of the labels is right",
        "group": "whether these are images of one patient; if so, give them one group",
    }
    for column, kind in (("label", "labels"), ("group", "groups")):
        unlike = splits.select_unlike(pairs, frame[column])
        if len(unlike):
            first = unlike.iloc[0]
            observed = f"number of pairs: {len(unlike)}, such as {first['image_a']} and {first['image_b']}"
            findings.append(Finding(f"near-duplicates with different {kind}", observed, advice[column]))
    return findings


def _check_group_names(frame: pd.DataFrame) -> list[Finding]:
    """Check that group names differ in more than spelling; skipped if images are their own groups."""
    if not frame["group"].duplicated().any():
        return []
    similar = find_similar_names(map(str, frame["group"]))
    if not similar:
        return []
    observed = "; ".join(" and ".join(map(repr, names)) for names in similar[:3]) + ("; …" if len(similar) > 3 else "")
    return [Finding("groups that differ only in spelling", observed, "whether these are one patient; write one name")]


def _check_group_counts(dataset: Dataset) -> list[Finding]:
    """Check that there are enough groups for an interval, in all and of every class."""
    groups, frame = dataset.frame["group"].nunique(), dataset.frame
    of_class = {name: frame.loc[frame["label"] == name, "group"].nunique() for name in dataset.classes}
    few = [f"{name} ({count})" for name, count in of_class.items() if count < MIN_GROUPS_PER_CLASS]
    problems = [f"{groups} groups, and a 95 % interval needs at least {MIN_GROUPS}"] if groups < MIN_GROUPS else []
    if few:
        problems.append(f"classes with fewer than {MIN_GROUPS_PER_CLASS} groups: {', '.join(few)}")
    if not problems:
        return []
    return [Finding("too few groups", "; ".join(problems), "whether images of more patients can be added")]
