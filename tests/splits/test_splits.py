"""No group on two sides, nested subsets, and audits that find what has been planted."""

import functools
import itertools
import re
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import sklearn
from packaging.version import Version
from sklearn.model_selection import StratifiedGroupKFold

from helpers import datasets, splits
from helpers.datasets import DatasetError
from helpers.splits import (
    find_leakage,
    group_folds,
    group_train_val_test_split,
    image_folds,
    largest_subset,
    merge_groups,
    nested_subsets,
    split_for_fold,
)


def frame_of(groups, labels):
    ids = pd.Index([f"cell-{k:04d}" for k in range(len(groups))], name="image_id")
    return pd.DataFrame({"label": list(labels), "group": list(groups)}, index=ids)


def patients(count=30, cells=8, seed=0):
    """A frame of patients whose cells are of two common classes and a less common one."""
    random = np.random.default_rng(seed)
    groups = [f"P{k:02d}" for k in range(count) for _ in range(cells)]
    labels = random.choice(["lymphocyte", "neutrophil", "monocyte"], len(groups), p=[0.4, 0.4, 0.2])
    return frame_of(groups, labels)


# --- folds


@pytest.mark.parametrize("k", [3, 4, 5])
@pytest.mark.parametrize("seed", range(3))
def test_no_group_is_in_two_folds_and_every_image_in_one(k, seed):
    frame = patients()
    fold = group_folds(frame, k, seed)
    assert fold.index.equals(frame.index)
    assert set(fold) == set(range(k))
    assert fold.groupby(frame["group"]).nunique().max() == 1


def test_classes_are_spread_over_the_folds():
    frame = patients(60)
    shares = frame.groupby(group_folds(frame, 5, 0))["label"].value_counts(normalize=True).unstack()
    assert (np.ptp(shares, axis=0) < 0.1).all()


def test_folds_do_not_depend_on_the_order_of_the_frame():
    frame = patients()
    fold = group_folds(frame, 4, 3)
    shuffled = frame.sample(frac=1, random_state=9)
    assert group_folds(shuffled, 4, 3).index.equals(shuffled.index)
    assert group_folds(shuffled, 4, 3).reindex(frame.index).equals(fold)
    assert not group_folds(frame, 4, 4).equals(fold)


@pytest.mark.parametrize(
    ("k", "complaint"), [(2, "got 2"), (1, "got 1"), (0, "got 0"), (4, "4 splits need at least as many")]
)
def test_more_folds_than_groups_or_too_few_to_train_on_one_are_refused(k, complaint):
    frame = frame_of("aaaabbbbcccc", "xyxyxyxyxyxy")
    with pytest.raises(DatasetError, match=complaint):
        group_folds(frame, k, 0)
    with pytest.raises(DatasetError, match=r"at least 3 folds.*got 2"):
        split_for_fold(pd.Series([0, 1, 0]), 0)


def test_as_many_groups_as_folds_are_enough():
    frame = frame_of("aaaabbbbcccc", "xyxyxyxyxyxy")
    assert sorted(group_folds(frame, 3, 0).groupby(frame["group"]).first()) == [0, 1, 2]
    assert sorted(group_folds(frame_of("abc", "xxx"), 3, 0)) == [0, 1, 2]


def test_rare_classes_count_as_much_as_common_ones_in_the_balance():
    frame = synthetic("types")
    uneven = [unevenness(frame, group_folds(frame, 3, seed), [1 / 3] * 3) for seed in range(8)]
    assert np.mean(uneven) < 0.095


@pytest.mark.parametrize(
    ("groups", "shares", "counts"),
    [
        (10, [0.8, 0.1, 0.1], [8, 1, 1]),
        (3, [0.98, 0.01, 0.01], [1, 1, 1]),
        (5, [0.9, 0.05, 0.05], [3, 1, 1]),
        (7, [0.5, 0.5], [4, 3]),
        (12, [0.25, 0.25, 0.5], [3, 3, 6]),
        (7, [0.7, 0.2886, 0.0057, 0.0057], [4, 1, 1, 1]),
    ],
)
def test_every_part_gets_its_share_of_the_groups_and_one_at_least(groups, shares, counts):
    frame = frame_of([f"P{k:02d}" for k in range(groups)], "x" * groups)
    found = [sorted(splits.assign_groups(frame, shares, seed).value_counts().sort_index()) for seed in range(5)]
    assert found == [sorted(counts)] * 5
    with pytest.raises(DatasetError, match="4 splits need at least as many groups, got 3"):
        splits.assign_groups(frame.iloc[:3], [0.25] * 4, 0)


def test_groups_of_one_class_are_dealt_out_evenly_though_the_other_class_is_larger():
    frame = frame_of([f"P{k:02d}" for k in range(30)], ["ill"] * 6 + ["well"] * 24)
    for seed in range(5):
        ill = splits.split_summary(frame, group_folds(frame, 3, seed))["ill"]
        assert ill.tolist() == pytest.approx([1 / 3] * 3)


# --- partitions: different ones for different seeds, each about as even as scikit-learn's


SYNTHETIC = {
    "types": {},
    "leukaemia": {"task": "leukaemia", "n_images": 300, "n_patients": 50},
    "few": {"task": "leukaemia", "n_images": 120, "n_patients": 8},
}


@functools.cache
def synthetic(name):
    return datasets.load("synthetic", size=32, **SYNTHETIC[name]).frame.sort_index()


def unevenness(frame, part, shares):
    """Root mean square distance of the share of every class in every part from the wanted one."""
    found = splits.split_summary(frame, part).drop(columns=["images", "groups"]).to_numpy()
    return np.sqrt(((found - np.asarray(shares)[:, None]) ** 2).mean())


@pytest.mark.parametrize("name", [*SYNTHETIC, "wbc1", "wbc2", "bccd", "pbc", "cnmc"])
@pytest.mark.parametrize("k", [3, 5])
@pytest.mark.filterwarnings("ignore:classes with fewer groups", "ignore:The least populated class")
def test_seeds_give_other_partitions_about_as_even_as_those_of_scikit_learn(name, k, real):
    frame = synthetic(name) if name in SYNTHETIC else real(name).frame.dropna(subset="label").sort_index()
    partitions, ours, theirs = set(), [], []
    for seed in range(20, 26):
        fold = group_folds(frame, k, seed)
        groups = fold.groupby(frame["group"]).first()
        partitions.add(frozenset(frozenset(groups.index[groups == number]) for number in range(k)))
        ours.append(unevenness(frame, fold, [1 / k] * k))
        splitter, their = StratifiedGroupKFold(k, shuffle=True, random_state=seed), fold.copy()
        for number, (_, test) in enumerate(splitter.split(frame, frame["label"], frame["group"])):
            their.iloc[test] = number
        theirs.append(unevenness(frame, their, [1 / k] * k))
    assert len(partitions) >= 4
    assert np.mean(ours) <= np.mean(theirs) + 0.015


def test_twelve_patients_are_split_anew_by_every_seed_and_by_scikit_learn_only_before_1_8():
    """The default dataset: seeds 20 to 31 give one partition from scikit-learn 1.8 on."""
    frame = synthetic("types")
    ours, theirs = set(), set()
    for seed in range(20, 32):
        ours.add(tuple(group_folds(frame, 4, seed)))
        splitter = StratifiedGroupKFold(4, shuffle=True, random_state=seed)
        tests = [tuple(test) for _, test in splitter.split(frame, frame["label"], frame["group"])]
        theirs.add(frozenset(tests))
    assert len(ours) == 12
    assert len(theirs) == (1 if Version(sklearn.__version__) >= Version("1.8") else 12)


def test_every_fold_has_every_class_that_has_a_group_for_each():
    for seed in range(20):
        fold = group_folds(synthetic("few"), 3, seed)
        assert (splits.split_summary(synthetic("few"), fold)[["lymphoblast", "lymphocyte"]] > 0).all(axis=None)


def test_a_group_without_labels_gets_a_fold_too():
    frame = patients()
    frame.loc[frame["group"] == "P03", "label"] = None
    assert set(group_folds(frame, 3, 0)) == {0, 1, 2}
    assert not group_folds(frame, 3, 0).isna().any()


def test_balance_counts_images_groups_and_shares():
    frame = frame_of("aabbc", "xxxyy")
    assert splits.split_summary(frame, pd.Series([2, 2, 0, 0, 1], frame.index)).index.tolist() == [0, 1, 2]
    table = splits.split_summary(frame, pd.Series(["test", "test", "train", "train", "train"], frame.index))
    assert table.loc["train"].to_dict() == {"images": 3, "groups": 2, "share": 0.6, "x": 1 / 3, "y": 1}
    assert table.loc["test"].to_dict() == {"images": 2, "groups": 1, "share": 0.4, "x": 2 / 3, "y": 0}


def test_groups_of_very_different_sizes_are_balanced_by_their_images():
    """One patient has half of all images; the other folds share the rest."""
    sizes = [40, *[4] * 10]
    groups = [f"P{k}" for k, size in enumerate(sizes) for _ in range(size)]
    frame = frame_of(groups, "x" * 80)
    images = splits.split_summary(frame, group_folds(frame, 3, 0))["images"].sort_values().tolist()
    assert images == [16, 20, 44] or images == [16, 16, 48] or images == [20, 20, 40]


def test_folds_that_no_class_can_fill_are_refused():
    frame = frame_of("abcd", "wxyz")
    with pytest.raises(DatasetError, match="must be at most 1, the images of the largest class, got 3"):
        group_folds(frame, 3, 0)


def test_a_rare_class_gives_a_warning_that_names_it():
    frame = patients()
    frame.loc[frame["group"] == "P00", "label"] = "basophil"
    with pytest.warns(UserWarning, match=r"basophil \(1\)") as caught:
        group_folds(frame, 3, 0)
    assert caught[0].filename == __file__


def test_classes_that_folds_cannot_test_are_left_out():
    cells = datasets.load("synthetic", n_images=120, n_patients=12, size=32)
    groups = cells.frame.groupby("label")["group"].nunique()
    kept = splits.drop_rare_classes(cells, 5)
    assert groups.min() < 10 <= groups.max()
    assert set(kept.classes) == set(kept.frame["label"]) == set(groups.index[groups >= 10])
    assert splits.drop_rare_classes(cells).classes == kept.classes
    labels = ["neutrophil"] * 10 + ["lymphocyte"] * 10 + ["monocyte"] * 8
    few = cells.frame.head(28).assign(label=labels, group=[f"P{k}" for k in range(28)])
    assert set(splits.drop_rare_classes(replace(cells, frame=few)).classes) == {"neutrophil", "lymphocyte"}
    assert set(splits.drop_rare_classes(replace(cells, frame=few), 4).classes) == {
        "neutrophil",
        "lymphocyte",
        "monocyte",
    }
    assert splits.drop_rare_classes(cells, 1).classes == tuple(name for name in cells.classes if groups[name] >= 2)
    with pytest.raises(DatasetError, match="7 folds need two classes of at least 14 groups, got basophil"):
        splits.drop_rare_classes(cells, 7)


def test_a_few_images_are_spread_over_the_groups():
    frame = frame_of(["a"] * 5 + ["b"] * 2 + ["c"], ["x"] * 8)
    assert frame.loc[splits.sample_across_groups(frame, 3), "group"].tolist() == ["a", "b", "c"]
    assert frame.loc[splits.sample_across_groups(frame, 6), "group"].value_counts().to_dict() == {
        "a": 3,
        "b": 2,
        "c": 1,
    }
    assert set(splits.sample_across_groups(frame, 20)) == set(frame.index)


def test_random_folds_put_cells_of_one_patient_on_both_sides():
    frame = patients()
    fold = image_folds(frame, 5, 0)
    assert set(fold) == set(range(5))
    assert fold.index.equals(frame.index)
    leaks = find_leakage(frame, fold)
    assert len(leaks) > 0.9 * frame["group"].nunique()
    assert not find_leakage(frame, group_folds(frame, 5, 0))


def test_random_folds_do_not_depend_on_the_order_of_the_frame():
    frame = patients()
    shuffled = frame.sample(frac=1, random_state=9)
    assert image_folds(shuffled, 4, 3).reindex(frame.index).equals(image_folds(frame, 4, 3))


# --- holdout


@pytest.mark.parametrize(
    ("validation", "test"),
    [(0.2, 0.2), (0.1, 0.2), (0.25, 0.25), (0, 0.3), (0, 0.4), (0, 0.7), (0.6, 0.2), (0.3, 0.45)],
)
@pytest.mark.parametrize("seed", range(3))
def test_holdout_shares_are_roughly_right_and_no_group_is_shared(validation, test, seed):
    frame = patients(60)
    part = group_train_val_test_split(frame, validation, test, seed=seed)
    assert part.index.equals(frame.index)
    shares = part.value_counts(normalize=True)
    assert shares["test"] == pytest.approx(test, abs=0.01)
    assert shares.get("validation", 0) == pytest.approx(validation, abs=0.01)
    assert part.groupby(frame["group"]).nunique().max() == 1
    assert not find_leakage(frame, part)


def test_every_part_of_a_holdout_has_the_class_that_four_patients_have():
    """Validation had 0 of 37 blasts, though four patients had some."""
    for seed in range(20):
        part = group_train_val_test_split(synthetic("few"), 0.2, 0.25, seed=seed)
        blasts = splits.split_summary(synthetic("few"), part)["lymphoblast"]
        assert (blasts[["validation", "test"]] > 0).all(), seed
    types = synthetic("types")
    of_class = types.groupby("label")["group"].nunique()
    for seed in range(20):
        table = splits.split_summary(types, group_train_val_test_split(types, 0.2, 0.2, seed=seed))
        assert (table[of_class.index[of_class >= 4]] > 0).all(axis=None), seed


def test_holdout_does_not_depend_on_the_order_of_the_frame():
    frame = patients()
    shuffled = frame.sample(frac=1, random_state=2)
    assert (
        group_train_val_test_split(shuffled, 0.2, 0.2, seed=1)
        .reindex(frame.index)
        .equals(group_train_val_test_split(frame, 0.2, 0.2, seed=1))
    )


@pytest.mark.parametrize(("validation", "test"), [(0.5, 0.5), (0.2, 0), (-0.1, 0.2), (0.2, 1)])
def test_holdout_must_leave_something_to_train_on(validation, test):
    with pytest.raises(DatasetError, match="their sum below 1, got"):
        group_train_val_test_split(patients(), validation, test, seed=0)


# --- nested subsets


def test_nested_subsets_are_nested_and_balanced():
    frame = patients()
    sizes = [6, 15, 40, 60]
    subsets = nested_subsets(frame, sizes, seed=0)
    assert list(subsets) == sizes
    for size, ids in subsets.items():
        assert len(ids) == ids.nunique() == size
        assert ids.name == "image_id"
        assert np.ptp(frame.loc[ids, "label"].value_counts()) <= 1
    for small, large in itertools.pairwise(sizes):
        assert set(subsets[small]) < set(subsets[large])


def test_the_largest_subset_is_that_of_the_nested_ones_or_everything():
    frame = pd.DataFrame({"label": list("aabb")}, list("wxyz"))
    assert list(largest_subset(frame, [2, 4], seed=0)) == list(nested_subsets(frame, [2, 4], seed=0)[4])
    assert list(largest_subset(frame, [], seed=0)) == list("wxyz")


def test_nested_subsets_depend_on_the_seed_and_not_on_the_order():
    frame = patients()
    ids = nested_subsets(frame, [30], seed=0)[30]
    assert nested_subsets(frame.sample(frac=1, random_state=3), [30], seed=0)[30].equals(ids)
    assert not nested_subsets(frame, [30], seed=1)[30].equals(ids)


@pytest.mark.parametrize("sizes", [[], [0], [-1, 4]])
def test_subsets_of_no_size_are_refused(sizes):
    with pytest.raises(DatasetError, match=re.escape(f"got {sizes}")):
        nested_subsets(patients(), sizes, seed=0)


def test_a_subset_larger_than_a_balanced_draw_is_refused():
    frame = frame_of("abcdefgh", "xxxxxxyy")
    assert len(nested_subsets(frame, [4], seed=0)[4]) == 4
    with pytest.raises(DatasetError, match="at most 4 images, got 5"):
        nested_subsets(frame, [5], seed=0)


# --- merging and auditing


def pairs_of(*pairs):
    return pd.DataFrame(
        [(a, b, 1.0, True) for a, b in pairs], columns=["image_a", "image_b", "similarity", "identical"]
    )


def test_merge_groups_joins_transitively():
    frame = frame_of(["A", "A", "B", "C", "D", "E"], "xxxxxx")
    merged = merge_groups(frame, pairs_of(("cell-0001", "cell-0002"), ("cell-0002", "cell-0003")))
    assert merged.tolist() == ["A+B+C"] * 4 + ["D", "E"]
    assert merged.index.equals(frame.index)
    assert merged.name == "group"


def test_merge_groups_without_a_pair_changes_nothing():
    frame = frame_of(["A", "A", "B"], "xxx")
    assert merge_groups(frame, pairs_of()).tolist() == ["A", "A", "B"]


def test_merged_groups_make_a_clean_split():
    frame = patients()
    pairs = pairs_of(*[(f"cell-{8 * k:04d}", f"cell-{8 * k + 9:04d}") for k in range(0, 28, 2)])
    assert find_leakage(frame, group_folds(frame, 3, 0), pairs)
    joined = frame.assign(group=merge_groups(frame, pairs))
    assert find_leakage(joined, group_folds(joined, 3, 0), pairs) == []


def test_audit_finds_a_planted_group():
    frame = patients()
    part = group_train_val_test_split(frame, 0.2, 0.2, seed=0)
    assert find_leakage(frame, part) == []
    leaking = frame.loc[frame["group"] == "P07"].index
    part[leaking] = "train"
    part[leaking[0]] = "test"
    assert find_leakage(frame, part) == ["group P07 is in test and train"]


def test_audit_finds_a_planted_pair():
    frame = patients()
    part = group_train_val_test_split(frame, 0, 0.3, seed=0)
    a, b = part.index[part == "train"][0], part.index[part == "test"][0]
    leaks = find_leakage(frame, part, pairs_of((a, b)))
    assert len(leaks) == 1
    assert a in leaks[0]
    assert b in leaks[0]
    same_side = part.index[part == "train"][:2]
    assert find_leakage(frame, part, pairs_of(tuple(same_side))) == []


def test_audit_refuses_a_split_of_other_images():
    frame = patients()
    part = group_train_val_test_split(frame, 0, 0.3, seed=0)
    with pytest.raises(DatasetError, match="cell-0003"):
        find_leakage(frame, part.drop("cell-0003"))
    with pytest.raises(DatasetError, match="cell-0003"):
        find_leakage(frame.drop("cell-0003"), part)


def test_a_clean_split_gives_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        group_folds(patients(), 3, 0)


def test_a_fold_has_training_validation_and_test_images_and_every_image_is_tested_once():
    fold = pd.Series([0, 1, 2, 3, 4, 0, 1, 2, 3, 4], index=list("abcdefghij"))
    tested = []
    for k in range(5):
        one = split_for_fold(fold, k)
        assert (fold[one.test] == k).all()
        assert (fold[one.val] == (k + 1) % 5).all()
        assert len(one.train) == 6
        tested += one.test.tolist()
    assert sorted(tested) == list("abcdefghij")
    last = split_for_fold(pd.Series([0, 1, 2], index=list("abc")), 2)
    assert (last.val.tolist(), last.train.tolist(), last.test.tolist()) == (["a"], ["b"], ["c"])
    with pytest.raises(DatasetError, match="test_fold must be from 0 to 4, got 5"):
        split_for_fold(fold, 5)


def test_a_fold_tells_the_split_of_every_image_in_the_order_that_is_asked_for():
    one = splits.Fold(*map(pd.Index, (["a", "c"], ["d"], ["b"])))
    expected = {"e": "unused", "d": "validation", "c": "train", "b": "test", "a": "train"}
    assert one.split_of(pd.Index(list("edcba"))).to_dict() == expected
    assert one.split_of(pd.Index(list("edcba"))).index.tolist() == list("edcba")
    with pytest.raises(DatasetError, match="1 images of a fold are missing from the dataset, such as d"):
        one.split_of(pd.Index(list("abc")))


@pytest.mark.parametrize("twice", [("ab", "b", "c"), ("ab", "c", "a"), ("aa", "b", "c")])
def test_an_image_is_in_one_split_of_a_fold_and_once(twice):
    with pytest.raises(DatasetError, match="image ids of a fold must be unique"):
        splits.Fold(*(pd.Index(list(ids)) for ids in twice))


def test_consecutive_seeds_share_no_repetition():
    repeated = [splits.spawn_seeds(seed, 40) for seed in range(20, 30)]
    assert len({one for seeds in repeated for one in seeds}) == 400
    assert repeated[0] == splits.spawn_seeds(20, 40)
    assert repeated[0][:5] == splits.spawn_seeds(20, 5)
    assert all(isinstance(one, int) for one in repeated[0])
