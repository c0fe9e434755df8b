"""Parameters of a chapter: read from papermill's text, and adapted to data that are too small for them."""

import pandas as pd
import pytest
from factories import cell_folder

from helpers import datasets, parameters, splits


def table(groups_of_class, images=2):
    """A frame with some images of every group; the groups of a class are its own."""
    rows = [
        {"label": label, "group": f"{label}{group}"}
        for label, groups in groups_of_class.items()
        for group in range(groups)
        for _ in range(images)
    ]
    return pd.DataFrame(rows, index=pd.Index(range(len(rows)), name="image_id"))


@pytest.fixture
def mixed(tmp_path):
    """Twenty cells of two classes and ten patients, each with one cell of both."""
    return datasets.load(f"folder:{cell_folder(tmp_path, ('0', '1'), 10, patients=10)}")


@pytest.mark.parametrize(("value", "kind", "items"), [
    ([0, 1], int, [0, 1]),
    ("[0, 1]", int, [0, 1]),
    (3, int, [3]),
    ((2, 4), int, [2, 4]),
    ("all", str, ["all"]),
    ("[last block, all]", str, ["last block", "all"]),
])  # fmt: skip
def test_a_list_is_read_also_from_papermills_text(value, kind, items):
    assert parameters.read_list("x", value, "[0, 1]", kind) == items


@pytest.mark.parametrize("value", ["[0, 1", "0, 1", [], "[]", [0, "a"], {"a": 1}, [True], None, 0.5])
def test_what_is_no_list_is_refused_with_papermills_option(value):
    with pytest.raises(parameters.ParameterError, match=r"^curve must be .*pass -y 'curve: \[10, 60\]'$"):
        parameters.read_list("curve", value, "[10, 60]", int)


def test_a_mapping_is_read_also_from_papermills_text():
    assert parameters.read_mapping("curve", "{per class: [5], draws: 2}", "{}") == {"per class": [5], "draws": 2}
    assert parameters.read_mapping("curve", {"draws": 2}, "{}") == {"draws": 2}
    with pytest.raises(
        parameters.ParameterError, match=r"curve must be a mapping, got \[5\]; .* -y 'curve: {draws: 2}'"
    ):
        parameters.read_mapping("curve", [5], "{draws: 2}")


def test_folds_are_as_many_as_every_class_has_groups(capsys):
    assert parameters.adapt_n_splits(table({"a": 9, "b": 5}), 5) == 5
    assert capsys.readouterr().out == ""
    assert parameters.adapt_n_splits(table({"a": 9, "b": 4}), 5) == 4
    assert capsys.readouterr().out == "4 folds in place of 5: a class has images of 4 groups\n"


def test_folds_may_need_several_groups_of_some_classes_only(capsys):
    frame = table({"a": 10, "b": 8, "c": 2})
    assert parameters.adapt_n_splits(frame, 5, groups_per_fold=2, min_classes=2) == 4
    assert parameters.adapt_n_splits(frame, 5, groups_per_fold=2, min_classes=1) == 5
    with pytest.raises(
        datasets.DatasetError, match=r"all classes need images of at least 6 groups .*a 10, b 8, c 2; add"
    ):
        parameters.adapt_n_splits(frame, 5, groups_per_fold=2)
    with pytest.raises(
        datasets.DatasetError, match=r"2 classes need images of at least 3 groups .*got a 9; add groups"
    ):
        parameters.adapt_n_splits(table({"a": 9}), 5, min_classes=2)


def test_folds_that_fewer_folds_lack_are_not_tested(capsys):
    assert parameters.adapt_test_folds("[0, 1, 2, 3, 4]", 5) == [0, 1, 2, 3, 4]
    assert capsys.readouterr().out == ""
    assert parameters.adapt_test_folds([1, 3, 4], 3) == [1]
    assert capsys.readouterr().out == "folds 3, 4 do not exist; tested: 1\n"
    assert parameters.adapt_test_folds([4], 3) == [0]


@pytest.mark.parametrize("value", [[5], [-1], "[0, 7]"])
def test_a_fold_beyond_the_wanted_ones_is_refused(value):
    with pytest.raises(
        parameters.ParameterError, match=r"numbers from 0 to 4, got (5|-1|7); .* -y 'tested_folds: \[0, 1\]'"
    ):
        parameters.adapt_test_folds(value, 5)


def test_sizes_of_a_learning_curve_end_at_the_largest_balanced_subset(mixed, capsys):
    fold = splits.group_folds(mixed.frame, 5, 20)  # three folds of two patients: six images of each class
    assert parameters.adapt_sizes(mixed, fold, [4, 12], test_folds=[0, 1], seed=20) == [4, 12]
    assert capsys.readouterr().out == ""
    assert parameters.adapt_sizes(mixed, fold, [4, 60, 100], test_folds=[0], seed=20) == [4, 12]
    assert "curve: 4, 12 in place of 4, 60, 100; the largest balanced subset has 12\n" in capsys.readouterr().out
    assert parameters.adapt_sizes(mixed, fold, [60], test_folds=[0], seed=20, train_on_val=True) == [16]


def test_a_size_with_too_few_groups_of_a_class_is_left_out(mixed, capsys):
    fold = splits.group_folds(mixed.frame, 5, 20)
    assert parameters.adapt_sizes(mixed, fold, [2, 6], test_folds=[0], seed=20, min_groups=2) == [6]
    assert parameters.adapt_sizes(mixed, fold, [2], test_folds=[0], seed=20, min_groups=2) == []
    assert capsys.readouterr().out.count("and a class needs 2 groups\n") == 2


def test_patients_of_several_classes_have_no_label(mixed, capsys):
    assert not parameters.single_label_groups(mixed.frame)
    assert capsys.readouterr().out.startswith("left out: 10 of 10 groups (patients) have images of several classes")
    assert parameters.single_label_groups(table({"a": 2, "b": 2}))
    assert capsys.readouterr().out == ""


def test_a_chapter_that_measures_by_masks_ends_with_a_sentence_where_there_are_none(mixed, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        parameters.need_masks(mixed)
    assert ended.value.code == 0  # papermill takes this for the end of the notebook
    printed = capsys.readouterr().out
    assert f"folder:{tmp_path.name} has none" in printed
    assert str(tmp_path.parent) not in printed
    parameters.need_masks(datasets.load("synthetic", n_images=2, n_patients=2, size=32))


def test_near_duplicates_are_looked_for_in_a_sample_of_many_images(mixed, capsys):
    assert parameters.comparable_images(mixed, 20, limit=20) is mixed
    assert capsys.readouterr().out == ""
    sample = parameters.comparable_images(mixed, 20, limit=6)
    assert len(sample) == 6
    assert list(sample.frame.index) == [one for one in mixed.frame.index if one in set(sample.frame.index)]
    assert "among 6 of 20 images, drawn at random" in capsys.readouterr().out


def test_two_classes_are_selected_or_replaced_by_those_with_the_most_images(tmp_path, capsys):
    cells = datasets.load(f"folder:{cell_folder(tmp_path, ('a', 'b', 'c'), 4)}")
    assert parameters.adapt_two_classes(cells, "[c, a]").classes == ("a", "c")
    assert capsys.readouterr().out == ""
    fewer = cells.select(cells.frame.index[1:])  # three images of class a
    assert parameters.adapt_two_classes(fewer, ["a", "neutrophil"]).classes == ("b", "c")
    assert capsys.readouterr().out == "b and c in place of a and neutrophil: the classes with the most images\n"


def test_two_classes_have_two_names_and_two_classes_to_choose_from(mixed):
    with pytest.raises(parameters.ParameterError, match="classes must be two different names"):
        parameters.adapt_two_classes(mixed, ["0", "0"])
    with pytest.raises(datasets.DatasetError, match="of one class"):
        parameters.adapt_two_classes(mixed.select_classes(["0"]), ["0", "1"])


def test_classes_with_too_few_groups_for_the_folds_are_left_out_and_named(capsys):
    data = datasets.load("synthetic", n_images=60, n_patients=10, size=32)
    groups = data.frame.groupby("label")["group"].nunique()
    rare = groups.index[groups < 5]
    chosen = parameters.select_classes_for_folds(data, 5)
    assert set(chosen.classes) == set(groups.index) - set(rare)
    printed = capsys.readouterr().out
    assert printed.startswith("left out: classes with images of fewer than 5 groups: ")
    assert all(f"{label} ({groups[label]})" in printed for label in rare)


def test_a_comparison_of_splits_needs_two_classes_and_a_group_with_two_images(capsys):
    few = datasets.load("synthetic", n_images=30, n_patients=3, size=32)
    assert parameters.select_classes_for_folds(few, 5) is None
    alone = datasets.load("synthetic", n_images=40, n_patients=40, size=32, task="leukaemia")
    assert parameters.select_classes_for_folds(alone, 5) is None
    assert capsys.readouterr().out.splitlines() == [
        "synthetic has 0 classes with images of 5 groups or more; two are needed",
        "synthetic has no group (patient) with two images, as far as is known",
    ]


def test_splits_of_a_large_dataset_are_compared_on_a_sample(capsys, monkeypatch):
    monkeypatch.setattr(parameters, "MAX_COMPARED", 20)
    data = datasets.load("synthetic", n_images=40, n_patients=10, size=32, task="leukaemia")
    chosen = parameters.select_classes_for_folds(data, 5)
    assert len(chosen) == len(set(chosen.frame.index)) == 20
    assert "splits are compared on 20 of 40 images, drawn at random" in capsys.readouterr().out
