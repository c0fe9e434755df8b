"""Overlap on hand-worked masks; the bootstrap interval resamples groups and covers as often as it says."""

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage, stats
from scipy.spatial.distance import cdist
from skimage.metrics import hausdorff_distance
from sklearn.metrics import jaccard_score

from helpers import metrics
from helpers.metrics import Estimate, cluster_mean, dice_and_iou, summarise, summarise_differences


def mask(*rows):
    return np.array([[character == "#" for character in row] for row in rows])


def drawn(values, groups):
    """Values and groups as series with the same ids."""
    ids = pd.Index([f"cell-{k:05d}" for k in range(len(values))], name="image_id")
    return pd.Series(np.asarray(values, float), index=ids), pd.Series(list(groups), index=ids)


def test_overlap_of_a_hand_worked_pair():
    # 4 and 3 pixels, 2 in common: Dice 2·2/7, intersection over union 2/5.
    dice, iou = dice_and_iou(mask("##..", "##.."), mask(".#..", ".##."))
    assert dice == pytest.approx(4 / 7)
    assert iou == pytest.approx(2 / 5)


@pytest.mark.parametrize(
    ("truth", "predicted", "expected"),
    [
        (mask("##", ".."), mask("##", ".."), 1.0),
        (mask("##", ".."), mask("..", "##"), 0.0),
        (mask("..", ".."), mask("..", ".."), 1.0),
        (mask("..", ".."), mask("#.", ".."), 0.0),
        (mask("#.", ".."), mask("..", ".."), 0.0),
    ],
    ids=["equal", "apart", "both empty", "nothing to find", "nothing found"],
)
def test_overlap_at_its_limits(truth, predicted, expected):
    assert dice_and_iou(truth, predicted) == (expected, expected)


def test_overlap_does_not_depend_on_the_order():
    random = np.random.default_rng(0)
    a, b = random.random((2, 20, 30)) < 0.4
    assert dice_and_iou(a, b) == dice_and_iou(b, a)
    dice, iou = dice_and_iou(a, b)
    assert iou == pytest.approx(dice / (2 - dice))


def test_overlap_refuses_masks_of_different_shape():
    with pytest.raises(ValueError, match=r"\(2, 3\).*\(3, 2\)"):
        dice_and_iou(np.zeros((2, 3), bool), np.zeros((3, 2), bool))


@pytest.mark.parametrize("dtype", [np.uint8, float])
def test_overlap_refuses_masks_that_are_not_boolean(dtype):
    with pytest.raises(ValueError, match=np.dtype(dtype).name):
        dice_and_iou(np.zeros((2, 2), bool), np.zeros((2, 2), dtype))


def test_mean_over_groups_gives_the_mean_and_an_interval_around_it():
    random = np.random.default_rng(3)
    values, groups = drawn(random.normal(5, 1, 200), np.arange(200) % 20)
    estimate = cluster_mean(values, groups, seed=0)
    assert estimate.value == pytest.approx(values.mean())
    assert estimate.low < estimate.value < estimate.high
    assert (estimate.n, estimate.groups) == (200, 20)


def test_one_group_per_image_gives_the_usual_interval_of_a_mean():
    random = np.random.default_rng(4)
    values, groups = drawn(random.normal(0, 1, 400), range(400))
    estimate = cluster_mean(values, groups, seed=1)
    expected = 2 * 1.96 * values.std() / np.sqrt(400)
    assert estimate.high - estimate.low == pytest.approx(expected, rel=0.1)


def test_the_same_seed_gives_the_same_interval_whatever_the_order_of_images():
    random = np.random.default_rng(5)
    values, groups = drawn(random.normal(0, 1, 60), np.arange(60) % 12)
    once = cluster_mean(values, groups, seed=7)
    assert cluster_mean(values, groups, seed=7) == once
    again = cluster_mean(values.sample(frac=1, random_state=1), groups, seed=7)
    assert (again.low, again.high) == pytest.approx((once.low, once.high))
    other = cluster_mean(values, groups, seed=8)
    assert (other.low, other.high) != (once.low, once.high)


def test_ten_copies_of_every_image_do_not_shrink_the_interval():
    random = np.random.default_rng(6)
    numbers, names = random.normal(0, 1, 30), np.arange(30) % 10
    few = cluster_mean(*drawn(numbers, names), seed=2)
    many = cluster_mean(*drawn(np.tile(numbers, 10), np.tile(names, 10)), seed=2)
    assert many.n == 10 * few.n
    assert many.high - many.low == pytest.approx(few.high - few.low, rel=1e-6)


def test_a_95_percent_interval_covers_the_truth_about_95_times_in_100():
    random = np.random.default_rng(7)
    covered, trials = 0, 300
    for trial in range(trials):
        effect = random.normal(0, 1, 40)
        groups = np.repeat(np.arange(40), random.integers(3, 8, 40))
        values, groups = drawn(effect[groups] + random.normal(0, 1, len(groups)), groups)
        estimate = cluster_mean(values, groups, seed=trial)
        covered += estimate.low <= 0 <= estimate.high
    assert 0.90 <= covered / trials <= 0.98


def test_ignoring_groups_would_cover_far_too_seldom():
    random = np.random.default_rng(8)
    covered, trials = 0, 40
    for trial in range(trials):
        effect = random.normal(0, 1, 20)
        values, _ = drawn(np.repeat(effect, 20) + random.normal(0, 0.3, 400), range(400))
        estimate = cluster_mean(values, pd.Series(values.index, index=values.index), seed=trial)
        covered += estimate.low <= 0 <= estimate.high
    assert covered / trials < 0.6


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_refused(bad):
    values, groups = drawn([1.0, bad, 2.0], "aab")
    with pytest.raises(ValueError, match="finite"):
        cluster_mean(values, groups, seed=0)


def test_no_value_at_all_is_refused():
    with pytest.raises(ValueError, match="there are 0"):
        cluster_mean(*drawn([], []), seed=0)


def test_an_image_without_a_group_is_refused():
    values, groups = drawn([1.0, 2.0, 3.0], "aab")
    with pytest.raises(ValueError, match="1 of 3 images have no group"):
        cluster_mean(values, groups.iloc[:2], seed=0)


def test_an_estimate_reads_as_a_sentence_that_names_its_interval():
    assert str(Estimate(0.5, 0.4, 0.6123, 10, 30)) == "0.500 [0.400, 0.612] (n=10, groups=30)"
    few = Estimate(0.5, 0.4, 0.6123, 10, 3, metrics.RANGE)
    assert str(few) == "0.500, groups from 0.400 to 0.612 (n=10, groups=3)"
    assert str(Estimate(0.5, np.nan, np.nan, 10, 1, metrics.NONE)) == "0.500, no interval (n=10, groups=1)"


def test_an_estimate_is_not_rounded_and_an_interval_beside_its_value_is_refused():
    row = Estimate(1 / 3, 0.1 + 0.2, 0.4, 10, 30).row("dice")
    assert row == {"dice": 1 / 3, "low": 0.1 + 0.2, "high": 0.4, "interval": "95 %", "n": 10, "groups": 30}
    for low, high in ((0.6, 0.7), (0.3, 0.4)):
        with pytest.raises(ValueError, match=r"0\.5 is not within"):
            Estimate(0.5, low, high, 10, 30)


def test_below_ten_groups_there_is_the_range_of_the_groups_and_no_interval():
    values, groups = drawn([1, 1, 0, 0, 1, 0, 0, 0], "aaaabbcc")
    found = cluster_mean(values, groups, seed=0)
    assert (found.value, found.low, found.high) == (3 / 8, 0.0, 0.5)
    assert (found.interval, found.groups) == ("range of groups", 3)
    nine, ten = (cluster_mean(*drawn(np.arange(k), range(k)), seed=0) for k in (9, 10))
    assert (nine.low, nine.high, nine.interval) == (0, 8, "range of groups")
    assert ten.interval == "95 %"
    assert 0 < ten.low < ten.high < 9


@pytest.mark.parametrize(("value", "low", "high"), [(1.0, 0.025 ** (1 / 25), 1.0), (0.0, 0.0, 1 - 0.025 ** (1 / 25))])
def test_where_all_groups_agree_the_interval_is_exact_over_groups(value, low, high):
    values, groups = drawn([value] * 100, np.arange(100) % 25)
    found = cluster_mean(values, groups, seed=0, proportion=True)
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))
    assert (low, high) == pytest.approx(stats.binomtest(round(25 * value), 25).proportion_ci(method="exact"))
    apart = cluster_mean(values, groups, seed=0)  # of a distance in pixels nothing is known beyond
    assert (apart.low, apart.high) == (value, value)


def test_a_table_of_means_gives_exact_intervals_to_proportions_only():
    ids = [f"c{k}" for k in range(24)]
    cells = pd.DataFrame({"image_id": ids, "region": "nucleus", "dice": 1.0})
    groups = pd.Series(np.arange(24) % 12, ids)
    assert summarise(cells, "dice", ["region"], groups=groups, seed=0)["low"].tolist() == [1]
    exact = summarise(cells, "dice", ["region"], groups=groups, seed=0, proportion=True)
    assert exact["low"].tolist() == pytest.approx([0.025 ** (1 / 12)])


def test_an_interval_over_ten_groups_covers_nine_times_in_ten():
    random, covered = np.random.default_rng(1), 0
    for trial in range(400):
        effect = random.normal(0, 1, 10)
        found = cluster_mean(*drawn(np.repeat(effect, 5) + random.normal(0, 0.5, 50), np.repeat(range(10), 5)), trial)
        covered += found.low <= 0 <= found.high
    assert 0.87 <= covered / 400 <= 0.95


def test_table_of_means_has_one_row_per_combination_in_their_order():
    table = pd.DataFrame(
        {
            "image_id": ["a", "b", "c", "a", "b", "c"],
            "method": ["otsu"] * 3 + ["kmeans"] * 3,
            "region": ["nucleus"] * 6,
            "dice": [0.5, 0.6, 0.7, 0.8, 0.9, 1.0],
        }
    )
    groups = pd.Series({"a": "P1", "b": "P1", "c": "P2"})
    means = summarise(table, "dice", ["method", "region"], groups=groups, seed=0)
    assert list(means.columns) == ["method", "region", "dice", "low", "high", "interval", "n", "groups"]
    assert means["method"].tolist() == ["otsu", "kmeans"]
    assert means["dice"].tolist() == pytest.approx([0.6, 0.9])
    assert means["n"].tolist() == [3, 3]
    assert means["groups"].tolist() == [2, 2]
    assert (means["low"] <= means["dice"]).all()
    assert (means["dice"] <= means["high"]).all()
    # Two groups give no interval, but the range of their means: P1 0.55, P2 0.7.
    assert means.loc[0, ["low", "high", "interval"]].tolist() == [0.55, 0.7, "range of groups"]


def test_differences_are_paired_by_image_and_have_the_interval_of_their_groups():
    ids, random = [f"c{k}" for k in range(24)], np.random.default_rng(0)
    groups = pd.Series(np.arange(24) // 2, ids)
    level = random.uniform(0, 0.8, 24)  # differs between cells far more than the methods do
    methods = {"a": level + 0.1, "b": level, "c": level + random.normal(0, 0.1, 24)}
    table = pd.concat(
        pd.DataFrame({"image_id": ids, "method": name, "score": "deletion", "value": values})
        for name, values in methods.items()
    ).sample(frac=1, random_state=0)
    pairs = [("a", "b"), ("b", "a"), ("c", "b")]
    found = summarise_differences(table, "value", pairs, groups=groups, seed=0).set_index("method")
    assert found.loc["a − b", ["value", "low", "high"]].tolist() == pytest.approx([0.1, 0.1, 0.1])
    assert found.loc["b − a", ["value", "low", "high"]].tolist() == pytest.approx([-0.1, -0.1, -0.1])
    assert found.at["c − b", "low"] < 0 < found.at["c − b", "high"]
    assert found[["score", "interval", "n", "groups"]].drop_duplicates().to_numpy().tolist() == [
        ["deletion", "95 %", 24, 12]
    ]
    with pytest.raises(ValueError, match="a mean needs finite values"):
        summarise_differences(table.iloc[1:], "value", pairs, groups=groups, seed=0)


def test_table_of_means_may_split_by_one_column():
    table = pd.DataFrame({"image_id": ["a", "b"], "method": ["otsu", "kmeans"], "dice": [0.5, 0.75]})
    means = summarise(table, "dice", ["method"], groups=pd.Series({"a": 1, "b": 2}), seed=0)
    assert means["dice"].tolist() == [0.5, 0.75]


def test_one_group_has_a_mean_but_no_interval():
    values = pd.Series([0.2, 0.4], index=["a", "b"])
    estimate = cluster_mean(values, pd.Series(["P", "P"], index=["a", "b"]), seed=0)
    assert estimate.value == pytest.approx(0.3)
    assert np.isnan([estimate.low, estimate.high]).all()
    assert estimate.groups == 1


# --- segmentation


def blob(seed, shift=0):
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(40, 48)), 5)
    return np.roll(noise > 0.02, shift, axis=1)


def boundary(mask):
    padded = np.pad(mask, 1)
    inner = padded[2:, 1:-1] & padded[:-2, 1:-1] & padded[1:-1, 2:] & padded[1:-1, :-2]
    return np.argwhere(mask & ~inner)


@pytest.mark.parametrize("seed", range(4))
def test_boundary_measures_agree_with_all_distances_written_out(seed):
    a, b = blob(seed), blob(seed, shift=3)
    distances = cdist(boundary(a), boundary(b))
    there, back = distances.min(axis=1), distances.min(axis=0)
    assert metrics.hausdorff95(a, b) == pytest.approx(max(np.percentile(there, 95), np.percentile(back, 95)))
    for tolerance in (0.0, 1.0, 2.5):
        near = (there <= tolerance).sum() + (back <= tolerance).sum()
        assert metrics.surface_dice(a, b, tolerance) == pytest.approx(near / (len(there) + len(back)))
    assert metrics.hausdorff95(a, b) <= hausdorff_distance(a, b) + 1e-9


def test_boundary_measures_of_empty_and_equal_masks():
    full, empty = blob(0), np.zeros((40, 48), bool)
    assert metrics.hausdorff95(full, full) == 0
    assert metrics.surface_dice(full, full, 0) == 1
    assert metrics.hausdorff95(empty, empty) == 0
    assert metrics.surface_dice(empty, empty, 1) == 1
    for pair in ((full, empty), (empty, full)):
        assert metrics.hausdorff95(*pair) == pytest.approx(np.hypot(40, 48))
        assert metrics.surface_dice(*pair, 1) == 0


def test_a_square_moved_by_two_pixels():
    a, b = np.zeros((30, 30), bool), np.zeros((30, 30), bool)
    a[5:15, 5:15] = b[5:15, 7:17] = True
    assert metrics.hausdorff95(a, b) == 2
    assert metrics.surface_dice(a, b, 2) == 1
    assert metrics.dice_and_iou(a, b)[0] == pytest.approx(0.8)


def test_segmentation_scores_has_every_part_of_every_image():
    truth = np.zeros((2, 20, 20), np.uint8)
    truth[:, 4:16, 4:16] = 1
    truth[:, 8:12, 8:12] = 2
    said = truth.copy()
    said[1, 8:12, 8:12] = 1  # the second nucleus is missed
    table = metrics.segmentation_scores(truth, said, pd.Index(["a", "b"])).set_index(["image_id", "region"])
    assert len(table) == 8
    assert (table.loc["a", ["dice", "iou", "surface_dice"]].dropna() == 1).all(axis=None)
    assert table.loc[("b", "whole cell"), "dice"] == 1
    assert table.loc[("b", "nucleus"), "dice"] == 0
    assert table.loc[("b", "nucleus"), "hausdorff95"] == pytest.approx(np.hypot(20, 20))
    assert table.loc[("b", "cytoplasm"), "iou"] == pytest.approx(128 / 144)
    assert table.loc[("b", "mean of classes"), "iou"] == pytest.approx((1 + 128 / 144 + 0) / 3)


def test_pooled_iou_agrees_with_scikit_learn_and_weighs_pixels_not_images():
    random = np.random.default_rng(3)
    truth, said = (random.integers(0, 3, (6, 8, 8), np.uint8) for _ in range(2))
    groups = pd.Series(list("aabbcc"))
    found = metrics.pooled_iou(truth, said, groups, seed=0)
    assert found.value == pytest.approx(jaccard_score(truth.ravel(), said.ravel(), average="macro"))
    assert found.low < found.value < found.high
    assert (found.n, found.groups) == (6, 3)


def test_pooled_iou_of_one_group_has_no_interval():
    truth = np.array([[[0, 1], [2, 2]]], np.uint8)
    found = metrics.pooled_iou(truth, truth, pd.Series(["a"]), seed=0)
    assert found.value == 1
    assert np.isnan([found.low, found.high]).all()


def test_pooled_iou_refuses_a_class_that_is_nowhere():
    truth = np.array([[[0, 1], [1, 1]]] * 2, np.uint8)
    with pytest.raises(ValueError, match="the IoU of a class without pixels is undefined"):
        metrics.pooled_iou(truth, truth, pd.Series(["a", "b"]), seed=0)


def test_dice_by_threshold_is_that_of_every_single_threshold():
    random = np.random.default_rng(5)
    values, truth = random.integers(0, 256, (20, 30)).astype(np.uint8), random.random((20, 30)) < 0.3
    expected = [dice_and_iou(truth, values <= threshold)[0] for threshold in range(256)]
    assert metrics.dice_by_threshold(values, truth) == pytest.approx(expected)
    with pytest.raises(ValueError, match="the mask has no pixel"):
        metrics.dice_by_threshold(values, np.zeros((20, 30), bool))


def test_the_dice_table_has_a_row_for_every_image_and_rule():
    frame = pd.DataFrame({"label": ["a", "b"]}, index=["one", "two"])
    truth = np.stack([mask("##"), mask("#.")])
    predicted = {"all": np.ones((2, 1, 2), bool), "none": np.zeros((2, 1, 2), bool)}
    table = metrics.dice_table(predicted, truth, frame)
    assert table.to_numpy().tolist() == [
        ["one", "a", "all", 1.0],
        ["two", "b", "all", pytest.approx(2 / 3)],
        ["one", "a", "none", 0.0],
        ["two", "b", "none", 0.0],
    ]
