"""The audit of a dataset: what it counts, and which findings it must and must not report."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from factories import picture, save, write

from helpers import datasets, metrics, splits
from helpers.datasets import DatasetError
from helpers.evaluation import audit as auditing
from helpers.evaluation import shortcuts
from helpers.evaluation.audit import audit, audit_lines

SEED = 20


def synthetic(**options):
    return datasets.load("synthetic", **{"n_images": 120, "n_patients": 24, "size": 64, "task": "leukaemia", **options})


def without_near_duplicates(monkeypatch):
    """The search for near-duplicates takes most of the time, and most tests are of something else."""
    monkeypatch.setattr(splits, "MAX_COMPARED", 0)


def names(findings):
    return [finding.name for finding in findings]


def finding(audited, name):
    (one,) = [one for one in audited.findings if one.name == name]
    return one


def shortcut_findings(dataset, positive=""):
    table, _ = shortcuts.score_shortcuts(dataset, shortcuts.surroundings(dataset), positive=positive, seed=SEED)
    return table, names(shortcuts.check_shortcuts(table))


def lab_folder(root, n_groups=12, each=2):
    """A folder of two classes, PNG of one size, whose groups have images of one class each."""
    rows = ["image,group"]
    for group in range(n_groups):
        label = ("blast", "normal")[group % 2]
        for k in range(each):
            name = f"{label}/{group}-{k}.png"
            save(root / name, picture(100 * group + k))
            rows.append(f"{name},patient {group}")
    write(root / "groups.csv", "\n".join(rows))
    return root


def set_groups(dataset, **group_of):
    return replace(dataset, frame=dataset.frame.assign(group=dataset.frame["group"].replace(group_of)))


# --- counts and facts


def test_images_and_groups_are_counted_by_class_and_in_all(tmp_path, monkeypatch):
    without_near_duplicates(monkeypatch)
    dataset = datasets.load(f"folder:{lab_folder(tmp_path)}")
    merged = set_groups(dataset, **{"patient 0": "patient 1"})
    counts = audit(merged, positive="blast", seed=SEED).counts
    assert counts.to_dict("list") == {
        "label": ["blast", "normal", "total"],
        "images": [12, 12, 24],
        "groups": [6, 6, 11],
        "images per group": [2.0, 2.0, 2.0],
    }


def test_groups_of_both_classes_are_a_fact_and_no_finding(tmp_path, monkeypatch):
    without_near_duplicates(monkeypatch)
    dataset = datasets.load(f"folder:{lab_folder(tmp_path)}")
    audited = audit(set_groups(dataset, **{"patient 0": "patient 1"}), positive="blast", seed=SEED)
    assert audited.mixed_groups == 1
    assert audited.facts["groups with images of several classes"] == "1 of 11"
    assert audited.findings == []


def test_images_without_a_label_are_counted_and_not_tested(tmp_path, monkeypatch):
    without_near_duplicates(monkeypatch)
    dataset = datasets.load(f"folder:{lab_folder(tmp_path)}")
    unlabelled = dataset.frame.assign(label=dataset.frame["label"].where(np.arange(24) > 3))
    audited = audit(replace(dataset, frame=unlabelled), positive="", seed=SEED)
    assert audited.facts["images without a label"] == "4, left out"
    assert set(audited.shortcuts["n"]) == {20}


def test_files_that_were_unreadable_are_counted_and_some_named(monkeypatch):
    without_near_duplicates(monkeypatch)
    damaged = tuple(f"blast/{k}.png" for k in range(6))
    audited = audit(replace(synthetic(n_images=48), unreadable=damaged), positive="", seed=SEED)
    names = "blast/0.png, blast/1.png, blast/2.png, blast/3.png, blast/4.png"
    assert audited.facts["unreadable files"] == f"6, left out: {names}, …"


def test_sizes_formats_and_masks_are_facts(tmp_path, monkeypatch):
    without_near_duplicates(monkeypatch)
    root = lab_folder(tmp_path)
    save(root / "blast" / "12.jpg", picture(7, 50, 40))
    write(root / "groups.csv", (root / "groups.csv").read_text() + "\n12.jpg,patient 0")
    facts = audit(datasets.load(f"folder:{root}"), positive="blast", seed=SEED).facts
    assert facts["image size"] == "2 sizes, most often 48×40 pixels (24 images); width 40 to 48, height 40 to 50"
    assert facts["file format"] == "PNG 24, JPEG 1"
    assert facts["masks"] == "none"


def test_images_without_files_have_neither_file_size_nor_format(monkeypatch):
    without_near_duplicates(monkeypatch)
    audited = audit(synthetic(), positive="lymphoblast", seed=SEED)
    assert audited.facts["file format"] == "images are not files of their own, so file size and format are not tested"
    assert audited.facts["image size"] == "all 64×64 pixels (width × height)"
    assert audited.facts["exact copies"] == "not looked for, as images are not files of their own"
    assert audited.facts["masks"] == "every image has one"
    assert audited.shortcuts["seen"].tolist() == ["border pixels"]  # and all sizes are the same


def test_a_class_that_is_not_there_is_refused():
    with pytest.raises(DatasetError, match="no class 'blast'; set the positive class to one of lymphocyte, lympho"):
        audit(synthetic(), positive="blast", seed=SEED)


# --- copies and near-duplicates


def test_identical_files_are_counted_and_their_contradictions_found(tmp_path, monkeypatch):
    without_near_duplicates(monkeypatch)
    root = lab_folder(tmp_path)
    save(root / "blast" / "0-1.png", picture(0))  # as 0-0.png, of the same patient
    dataset = datasets.load(f"folder:{root}")
    audited = audit(dataset, positive="blast", seed=SEED)
    assert audited.facts["exact copies"] == "1 of 24 images repeat another, byte for byte; better remove them"
    assert audited.findings == []
    frame = dataset.frame.copy()
    frame.loc["blast/0-1.png", ["label", "group"]] = ["normal", "patient 9"]
    contradictory = audit(replace(dataset, frame=frame), positive="blast", seed=SEED)
    assert names(contradictory.findings) == ["exact copies with different labels", "exact copies with different groups"]
    assert "of different labels: 1, such as blast/0-0.png = blast/0-1.png" in contradictory.findings[0].observed


def test_near_duplicates_in_different_groups_are_a_finding():
    audited = audit(synthetic(n_images=48, size=96, duplicate_rate=0.5), positive="lymphoblast", seed=SEED)
    pairs = audited.near_duplicates
    assert len(pairs) >= 3
    observed = finding(audited, "near-duplicates with different groups").observed
    assert observed == f"number of pairs: {len(pairs)}, such as {pairs['image_a'][0]} and {pairs['image_b'][0]}"
    assert audited.facts["near-duplicates"].endswith(f"number of pairs: {len(pairs)}")
    assert "near-duplicates with different labels" not in names(audited.findings)


def test_near_duplicates_of_different_labels_are_a_finding_and_those_of_one_group_are_none():
    frame = pd.DataFrame({"label": ["x", "y", None], "group": ["A", "A", "A"]}, index=["a", "b", "c"])
    pairs = pd.DataFrame({"image_a": ["a", "a"], "image_b": ["b", "c"], "similarity": [0.9, 0.9]})
    (one,) = auditing._check_near_duplicates(frame, pairs)
    assert (one.name, one.observed) == ("near-duplicates with different labels", "number of pairs: 1, such as a and b")


def test_a_large_dataset_is_not_searched_for_near_duplicates(monkeypatch):
    monkeypatch.setattr(splits, "MAX_COMPARED", 119)
    audited = audit(synthetic(), positive="", seed=SEED)
    assert audited.near_duplicates is None
    assert audited.facts["near-duplicates"] == "not looked for: 120 images are more than 119"


# --- groups


def test_group_names_of_one_spelling_are_a_finding(tmp_path, monkeypatch):
    without_near_duplicates(monkeypatch)
    dataset = datasets.load(f"folder:{lab_folder(tmp_path)}")
    alike = set_groups(dataset, **{"patient 2": "Patient 04"})
    one = finding(audit(alike, positive="blast", seed=SEED), "groups that differ only in spelling")
    assert one.observed == "'Patient 04' and 'patient 4'"


def test_images_that_are_groups_of_their_own_are_one_finding(tmp_path, monkeypatch):
    """File names such as 1.png and 01.png are no misspelt patients."""
    without_near_duplicates(monkeypatch)
    for label in ("blast", "normal"):
        for k, name in enumerate(("1", "01", "2", "3", "4", "5")):
            save(tmp_path / label / f"{name}.png", picture(10 * len(label) + k))
    audited = audit(datasets.load(f"folder:{tmp_path}"), positive="blast", seed=SEED)
    assert names(audited.findings) == ["unknown patients"]


def test_too_few_groups_are_a_finding_in_all_and_by_class(monkeypatch):
    without_near_duplicates(monkeypatch)
    few = audit(synthetic(n_patients=8), positive="", seed=SEED)
    assert finding(few, "too few groups").observed == (
        "8 groups, and a 95 % interval needs at least 10; classes with fewer than 5 groups: lymphocyte (4), "
        "lymphoblast (4)"
    )
    assert "too few groups" not in names(audit(synthetic(n_patients=10), positive="", seed=SEED).findings)


# --- shortcuts


def test_border_pixels_are_sixteen_of_the_outer_ring():
    image = np.zeros((90, 90, 3), np.uint8)
    image[10:80, 10:80] = 255  # all but the outermost of 9 × 9 pixels
    assert shortcuts.border_pixels(image).shape == (48,)
    assert not shortcuts.border_pixels(image).any()
    image[:10, :10] = (1, 2, 3)
    assert shortcuts.border_pixels(image)[:3].tolist() == [1, 2, 3]


def test_a_mark_in_a_corner_is_found_and_clean_images_pass():
    table, found = shortcut_findings(synthetic(n_images=240, shortcut_rate=1.0), "lymphoblast")
    assert found == ["shortcut by border pixels"]
    assert table["low"][0] > 0.6
    table, found = shortcut_findings(synthetic(n_images=240), "lymphoblast")
    assert found == []
    assert table["interval"].tolist() == [metrics.INTERVAL]


def test_stain_batches_that_follow_the_class_are_found_and_shared_ones_pass():
    cells = synthetic(n_images=240, n_stain_batches=2)
    batch = np.where(cells.frame["label"] == "lymphoblast", 1, 0)
    confounded = replace(cells, frame=cells.frame.assign(stain_batch=batch))
    assert shortcut_findings(confounded)[1] == ["shortcut by border pixels"]
    assert shortcut_findings(cells)[1] == []


def test_many_classes_are_scored_by_balanced_accuracy():
    table, found = shortcut_findings(synthetic(task="types", balanced=True, n_images=240))
    assert (table["measure"][0], table["chance"][0], found) == ("balanced accuracy", 1 / 6, [])


@pytest.mark.parametrize(
    ("seen", "suffix", "size"),
    [("image size", "png", (52, 48)), ("file format", "bmp", (40, 48)), ("file size", "png", (40, 48))],
)
def test_size_and_format_of_one_class_are_found(tmp_path, seen, suffix, size):
    root = lab_folder(tmp_path)
    for path in sorted((root / "blast").iterdir()):
        image = picture(int(path.stem.split("-")[0]) + 1000, *size)
        path.unlink()
        save(path.with_suffix(f".{suffix}"), image // 64 if seen == "file size" else image)  # fewer values, fewer bytes
    rows = [f"{p.parent.name}/{p.name},patient {p.stem.split('-')[0]}" for p in sorted(root.glob("*/*.*"))]
    write(root / "groups.csv", "\n".join(["image,group", *rows]))
    table, found = shortcut_findings(datasets.load(f"folder:{root}"), "blast")
    assert f"shortcut by {seen}" in found
    assert table.set_index("seen").loc[seen, "value"] == 1.0


def test_few_groups_need_a_larger_value_as_there_is_no_interval():
    row = {"seen": "border pixels", "measure": "AUC", "chance": 0.5, "low": 0.1, "high": 1.0, "n": 40, "groups": 6}
    table = pd.DataFrame([row | {"value": value, "interval": metrics.RANGE} for value in (0.74, 0.76)])
    (one,) = shortcuts.check_shortcuts(table)
    assert one.observed == (
        "a model that sees only the border pixels has the AUC 0.760, groups from 0.100 to 1.000 (n=40, groups=6); "
        "chance level 0.5"
    )


@pytest.mark.parametrize(
    ("value", "low", "fails"),
    [(0.7, 0.59, False), (0.7, 0.61, True), (0.76, 0.49, False), (0.76, 0.51, True), (1.0, 0.54, True)],
)
def test_an_interval_must_exclude_more_than_chance_unless_the_value_is_large(value, low, fails):
    row = {"seen": "file size", "measure": "AUC", "chance": 0.5, "interval": metrics.INTERVAL, "n": 40, "groups": 12}
    table = pd.DataFrame([row | {"value": value, "low": low, "high": 1.0}])
    assert names(shortcuts.check_shortcuts(table)) == ["shortcut by file size"] * fails


def test_a_class_of_one_group_is_left_out_and_without_two_classes_nothing_is_tested(monkeypatch):
    without_near_duplicates(monkeypatch)
    cells = synthetic()
    healthy = cells.frame[cells.frame["label"] == "lymphocyte"]
    ids = healthy.index.append(cells.frame.index[cells.frame["group"] == "P01"])
    audited = audit(cells.select(ids), positive="", seed=SEED)
    assert audited.shortcuts.empty
    assert audited.facts["shortcut test"] == "not possible: fewer than two classes have images of two groups"
    one_group = cells.select(cells.frame.index[cells.frame["group"] == "P01"])
    assert audit(one_group, positive="", seed=SEED).facts["shortcut test"].startswith("not possible: fewer than two")
    types = synthetic(task="types", balanced=True, n_images=240)
    rare = types.frame["label"] == "basophil"
    kept = types.select(types.frame.index[~rare].append(types.frame.index[rare][:1]))
    assert audit(kept, positive="", seed=SEED).facts["shortcut test"] == "without basophil, of a single group"


# --- text


def test_lines_show_counts_facts_scores_and_findings(monkeypatch):
    without_near_duplicates(monkeypatch)
    lines = audit_lines(audit(synthetic(n_images=240, shortcut_rate=1.0), positive="lymphoblast", seed=SEED))
    assert lines[0].split() == ["label", "images", "groups", "images", "per", "group"]
    assert lines[3].split() == ["total", "240", "24", "10"]
    text = " ".join(" ".join(lines).split())
    assert "near-duplicates: not looked for: 240 images are more than 0" in text
    assert "shortcut test, border pixels only: AUC 0.8" in text
    assert "Check failed, shortcut by border pixels: a model that sees only the border pixels has the AUC" in text
    assert max(map(len, lines)) <= 100
    clean = audit_lines(audit(synthetic(n_images=240), positive="lymphoblast", seed=SEED))
    assert clean[-1] == "All checks of the data passed."


def test_a_published_dataset_is_audited(real):
    cells = real("wbc1")
    audited = audit(cells.select(cells.frame.index[:80]), positive="", seed=SEED)
    assert audited.facts["file format"] == "BMP 80"
    assert audited.counts["images"].iloc[-1] == 80
    assert set(audited.shortcuts["seen"]) == {"border pixels", "file size", "image size"}


def test_a_class_may_be_called_as_the_total_is():
    """As in C-NMC, whose classes are all (leukaemia) and hem."""
    cells = synthetic(size=32)
    named = {"lymphocyte": "total", "lymphoblast": "all"}
    frame = cells.frame.assign(label=cells.frame["label"].map(named))
    counts = auditing._counts(replace(cells, frame=frame, classes=("total", "all")))
    assert counts["label"].tolist() == ["total", "all", "total"]
    assert counts["images"].tolist() == [60, 60, 120]


def test_boxes_in_files_have_no_file_size(real):
    cells = real("bccd")
    one_of_each_file = cells.frame.index[~cells.frame["path"].duplicated()]
    seen = shortcuts.surroundings(cells.select(one_of_each_file[:5]))
    assert seen["bytes"].isna().all()
    assert seen["format"].isna().all()
