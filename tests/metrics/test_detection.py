"""Detections matched to cells on hand-worked fields, and against COCO's definition in plain loops."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from helpers import metrics
from helpers.datasets.boxes import box_table
from helpers.metrics import detection_average_precision, detection_metrics, match_detections

SIDES = ["left", "top", "right", "bottom"]


def boxes(*rows):
    """A table of true boxes of image, left, top, right, bottom; or of detections, with a score."""
    return pd.DataFrame(rows, columns=["image_id", *SIDES, "score"][: len(rows[0]) if rows else 6])


def own_groups(*image_ids):
    return pd.Series(image_ids, index=image_ids)


# Two cells in field a, one in b, none in c. By score: found, second box of the same cell, false in c, found.
TRUE = boxes(("a", 0, 0, 10, 10), ("a", 100, 0, 110, 10), ("b", 0, 0, 20, 20))
DETECTED = boxes(
    ("a", 0, 0, 10, 8, 0.9), ("a", 0, 1, 10, 10, 0.8), ("c", 5, 5, 15, 15, 0.7), ("b", 0, 0, 20, 20, 0.6)
)  # fmt: skip
GROUPS = own_groups("a", "b", "c")


def test_the_surest_detection_of_a_cell_takes_it_and_the_next_is_false():
    matches = match_detections(DETECTED, TRUE)
    assert matches.detections["true_positive"].tolist() == [True, False, False, True]
    assert matches.detections["matched"].tolist() == [0, -1, -1, 2]
    assert matches.missed()[["image_id", "left"]].values.tolist() == [["a", 100]]
    assert len(matches.missed(0.7)) == 2


def test_average_precision_worked_by_hand():
    # Sensitivity 1/3 at precision 1, 2/3 at 1/2, never 3/3: 34 points (0 to 0.33) at 1, 33 (0.34 to 0.66) at 1/2.
    matches = match_detections(DETECTED, TRUE)
    estimate = detection_average_precision(matches, GROUPS, seed=0)
    assert estimate.value == pytest.approx((34 + 33 / 2) / 101)
    assert (estimate.n, estimate.groups, estimate.interval) == (3, 2, metrics.RANGE)
    assert (estimate.low, estimate.high) == (0.5, 1)  # field a alone has 51/101, above the value; field b alone has 1
    curve = metrics.detection_precision_recall_curve(matches, GROUPS, seed=0)
    assert curve["precision"].mean() == pytest.approx(estimate.value)
    assert curve.set_index("sensitivity")["precision"].iloc[[0, 33, 34, 66, 67, 100]].tolist() == [1, 1, 0.5, 0.5, 0, 0]
    assert curve[["low", "high"]].isna().all(axis=None)


def test_metrics_at_a_threshold_worked_by_hand():
    table = detection_metrics(match_detections(DETECTED, TRUE), GROUPS, 0.65, seed=0).set_index("measure")
    assert table["value"].to_dict() == pytest.approx({
        "sensitivity": 1 / 3,
        "precision": 1 / 3,
        "mean counting error": 0,  # a: 2 - 2, b: 0 - 1, c: 1 - 0
        "mean absolute counting error": 2 / 3,
        "share of fields with the exact count": 1 / 3,
    })  # fmt: skip
    assert table["n"].tolist() == [3, 3, 3, 3, 3]
    assert table["groups"].tolist() == [2, 2, 3, 3, 3]
    assert table.loc["mean counting error", ["low", "high"]].tolist() == [-1, 1]


def test_without_detections_precision_is_undefined_and_the_rest_is_not():
    matches = match_detections(boxes(), TRUE)
    table = detection_metrics(matches, GROUPS, 0.5, seed=0).set_index("measure")["value"]
    assert np.isnan(table["precision"])
    assert table["sensitivity"] == 0
    assert table["mean counting error"] == -1
    assert detection_average_precision(matches, GROUPS, seed=0).value == 0


def test_a_perfect_detector_of_many_fields_has_an_exact_interval():
    names = [f"f{k}" for k in range(20)]
    true = boxes(*((name, 0, 0, 10, 10) for name in names))
    estimate = detection_average_precision(match_detections(true.assign(score=1.0), true), own_groups(*names), seed=0)
    assert estimate.value == estimate.high == 1
    assert estimate.low == pytest.approx(0.025 ** (1 / 20))


@pytest.mark.parametrize(
    ("criterion", "box", "found"),
    [
        ("iou", (0, 0, 10, 5), True),  # IoU 0.5
        ("iou", (0, 0, 10, 4.99), False),
        ("iou", (0, 0, 20, 10.01), False),
        ("centre", (0, 4, 10, 16), True),  # 5 away, which is half of 10
        ("centre", (0, 5, 10, 16), False),
        ("centre", (4.5, 4.5, 5.5, 5.5), True),  # far too small, but in the middle
    ],
)
def test_criteria_at_their_limits(criterion, box, found):
    matches = match_detections(boxes(("a", *box, 1.0)), boxes(("a", 0, 0, 10, 10)), criterion=criterion)
    assert matches.detections["true_positive"].tolist() == [found]


def test_by_centre_a_detection_takes_the_nearest_free_cell():
    true = boxes(("a", 0, 0, 20, 20), ("a", 8, 0, 28, 20))  # touching cells with centres at 10 and 18
    detected = boxes(("a", 5, 0, 25, 20, 0.9), ("a", 6, 0, 26, 20, 0.8), ("a", 5, 0, 25, 20, 0.7))
    matches = match_detections(detected, true, criterion="centre")
    assert matches.detections["matched"].tolist() == [1, 0, -1]


def test_equal_scores_are_one_threshold_so_that_the_order_of_fields_does_not_matter():
    true = boxes(("a", 0, 0, 10, 10))
    detected = boxes(("a", 0, 0, 10, 10, 0.5), ("b", 0, 0, 10, 10, 0.5))
    values = [
        detection_average_precision(match_detections(table, true), own_groups("a", "b"), seed=0).value
        for table in (detected, detected[::-1])
    ]
    assert values == [0.5, 0.5]


def coco(detected, true):
    """Average precision at an IoU of 0.5 by COCO's definition, box by box and in fractions."""
    free, hits = dict(enumerate(true.itertuples())), []
    for box in detected.sort_values("score", ascending=False, kind="stable").itertuples():
        best, best_iou = None, 0.5
        for k, cell in free.items():
            width = min(box.right, cell.right) - max(box.left, cell.left)
            height = min(box.bottom, cell.bottom) - max(box.top, cell.top)
            if box.image_id != cell.image_id or width <= 0 or height <= 0:
                continue
            both = width * height
            areas = [(one.right - one.left) * (one.bottom - one.top) for one in (box, cell)]
            iou = both / (sum(areas) - both)
            if iou >= best_iou:
                best, best_iou = k, iou
        hits.append((box.score, best is not None))
        free.pop(best, None)
    points = []
    for threshold in {score for score, _ in hits}:
        above = [hit for score, hit in hits if score >= threshold]
        points.append((Fraction(sum(above), len(true)), Fraction(sum(above), len(above))))
    total = sum(max((p for r, p in points if r >= Fraction(k, 100)), default=0) for k in range(101))
    return float(total / 101)


def random_fields(random, *, ties):
    """Fields with touching cells, some empty; cells are found shifted, twice or never, and false boxes."""
    true, detected = [], []
    for field in range(12):
        for _ in range(random.integers(0, 5)):
            left, top, side = random.uniform(0, 60), random.uniform(0, 60), random.uniform(15, 25)
            true.append((f"f{field}", left, top, left + side, top + side))
            for _ in range(random.integers(0, 3)):
                x, y = left + random.normal(0, 3), top + random.normal(0, 3)
                detected.append((f"f{field}", x, y, x + 20, y + 20, random.beta(4, 2)))
        for _ in range(random.integers(0, 3) if field % 4 else 0):
            x, y = random.uniform(0, 60, 2)
            detected.append((f"f{field}", x, y, x + 20, y + 20, random.beta(2, 4)))
    detected = boxes(*detected)
    return detected.assign(score=detected["score"].round(1) if ties else detected["score"]), boxes(*true)


@pytest.mark.parametrize("ties", [False, True], ids=["distinct scores", "equal scores"])
@pytest.mark.parametrize("seed", range(8))
def test_average_precision_equals_the_published_definition(seed, ties):
    detected, true = random_fields(np.random.default_rng(seed), ties=ties)
    groups = own_groups(*(f"f{k}" for k in range(12)))
    value = detection_average_precision(match_detections(detected, true), groups, seed=0).value
    assert value == pytest.approx(coco(detected, true), abs=1e-9)
    assert 0.2 < value < 0.95


def test_a_resample_equals_the_curve_of_copied_groups():
    # Weights 2, 0, 1 … of groups must give the value of a table in which their fields are there twice, never, once …
    detected, true = random_fields(np.random.default_rng(3), ties=True)
    groups = own_groups(*(f"f{k}" for k in range(12)))
    copies = dict(zip(groups, [2, 0, 1, 1, 3, 0, 1, 2, 0, 1, 1, 0], strict=True))

    def copied(table):
        return pd.concat(
            table[table["image_id"] == name].assign(image_id=f"{name}-{k}")
            for name, number in copies.items() for k in range(number)
        )  # fmt: skip

    from helpers.metrics import detection

    matches = match_detections(detected, true)
    table, *_ = detection._items(matches, groups)
    weights = np.array([[copies[name] for name in sorted(groups)]], float)
    curve = detection._interpolated_precision(matches, table)(weights)
    assert curve.mean() == pytest.approx(coco(copied(detected), copied(true)), abs=1e-9)


def test_intervals_resample_groups_not_boxes():
    detected, true = random_fields(np.random.default_rng(1), ties=False)

    def repeated(table, n):
        return pd.concat([table.assign(image_id=table["image_id"] + f"-{k}") for k in range(n)])

    def estimates(n):
        matches = match_detections(repeated(detected, n), repeated(true, n))
        groups = pd.concat([own_groups(*(f"f{k}" for k in range(12))).add_suffix(f"-{k}") for k in range(n)])
        average = detection_average_precision(matches, groups, seed=0)
        rates = detection_metrics(matches, groups, 0.5, seed=0)
        return [average.low, average.value, average.high, *rates["low"], *rates["value"], *rates["high"]]

    assert estimates(4) == pytest.approx(estimates(1))
    low, value, high = estimates(1)[:3]
    assert low < value - 0.03 < value + 0.03 < high


def test_the_band_of_the_curve_holds_the_curve():
    detected, true = random_fields(np.random.default_rng(2), ties=False)
    matches = match_detections(detected, true)
    curve = metrics.detection_precision_recall_curve(matches, own_groups(*(f"f{k}" for k in range(12))), seed=0)
    assert (curve["low"] <= curve["precision"]).all()
    assert (curve["precision"] <= curve["high"]).all()
    assert (curve["precision"].diff().dropna() <= 0).all()


def test_boxes_of_whole_fields_become_a_table():
    frame = pd.DataFrame(
        {
            "group": ["P1", "P2"],
            "boxes": [(("WBC", 1, 2, 3, 4), ("RBC", 0, 0, 9, 9), ("WBC", 5, 6, 7, 8), ("WBC", 1, 2, 3, 4)), ()],
        },
        index=pd.Index(["a", "b"], name="image_id"),
    )
    assert box_table(frame).values.tolist() == [["a", "P1", 1, 2, 3, 4], ["a", "P1", 5, 6, 7, 8]]
    assert len(box_table(frame, "RBC")) == 1
    with pytest.raises(ValueError, match="unknown kind of cell 'wbc'; choose from WBC, RBC, Platelets"):
        box_table(frame, "wbc")
    with pytest.raises(ValueError, match="load whole fields"):
        box_table(frame.drop(columns="boxes"))


def test_bad_tables_are_refused_in_one_line():
    with pytest.raises(ValueError, match="unknown criterion 'area'; choose from iou, centre"):
        match_detections(DETECTED, TRUE, criterion="area")
    with pytest.raises(ValueError, match="detections have no column 'score'"):
        match_detections(TRUE, TRUE)
    with pytest.raises(ValueError, match=r"detections must be finite, but row 3 is .*nan"):
        match_detections(DETECTED.assign(score=[1, 1, 1, np.nan]), TRUE)
    with pytest.raises(ValueError, match=r"true boxes must have right above left .* row 0 is \[0.0, 0.0, 0.0, 10.0\]"):
        match_detections(DETECTED, TRUE.assign(right=[0, 110, 20]))
    with pytest.raises(ValueError, match="1 images with boxes have no group, such as 'c'"):
        detection_average_precision(match_detections(DETECTED, TRUE), GROUPS[:2], seed=0)
    with pytest.raises(ValueError, match="there is no true box"):
        detection_average_precision(match_detections(DETECTED, TRUE[:0]), GROUPS, seed=0)
