"""Synthetic cells: the same everywhere, true to their table and masks, with exactly the planted defects."""

import os
import platform
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage
from skimage.morphology import disk

from helpers import splits
from helpers.book import pages
from helpers.datasets import BACKGROUND, CYTOPLASM, NUCLEUS, Dataset, DatasetError, load, synthetic
from helpers.datasets.synthetic import cache, geometry, morphology, rendering, scene, stains
from helpers.project import CHECKOUT


def drawn(**options) -> Dataset:
    return load("synthetic", **{"n_images": 36, "n_patients": 6, "size": 64, **options})


@pytest.fixture(scope="module")
def many():
    """Sixty cells of each type, large enough to measure."""
    return drawn(n_images=360, n_patients=12, size=192, balanced=True)


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """A cache of this test alone."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


# --- the same seed, the same pixels


def test_the_same_seed_draws_the_same_pixels(own_cache):
    first = drawn().load_images(64)
    assert not np.array_equal(first, drawn(seed=1).load_images(64))
    again = drawn()
    anew = [again.reader.draw(again.row(image_id))[0] for image_id in again.frame.index]
    assert np.array_equal(first, anew)
    assert drawn().fingerprint() == drawn().fingerprint()
    assert drawn().fingerprint() != drawn(seed=1).fingerprint()


def test_pixels_do_not_depend_on_the_order_of_access(own_cache):
    dataset = drawn()
    backwards = dataset.select(dataset.frame.index[::-1])
    last_first = backwards.load_images(64)[::-1]
    for image_id, picture in zip(dataset.frame.index, last_first, strict=True):
        assert np.array_equal(dataset.reader.draw(dataset.row(image_id))[0], picture)


def test_more_images_leave_the_first_ones_as_they_are():
    few, more = drawn(n_images=12), drawn(n_images=36)
    assert few.frame.equals(more.frame.iloc[:12])
    assert np.array_equal(few.load_images(64), more.select(few.frame.index).load_images(64))


PRINT_DIGEST = """
import hashlib
import cv2
import numpy as np
from helpers.datasets import load
digest = hashlib.sha256()
for task in ("types", "leukaemia", "fields"):
    rate = 0.0 if task == "fields" else 0.5
    dataset = load("synthetic", n_images=12, n_patients=6, task=task, size=128, duplicate_rate=rate)
    for image_id in dataset.frame.index:
        for pixels in dataset.reader.draw(dataset.row(image_id)):
            digest.update(pixels.tobytes())
print(digest.hexdigest())
noise = np.random.default_rng(0).normal(size=(200, 200))
print(hashlib.sha256(np.exp(noise).tobytes() + cv2.GaussianBlur(noise, (0, 0), 2.0).tobytes()).hexdigest())
"""


def test_pixels_do_not_depend_on_the_processors_vector_units():
    """Libraries choose their code by processor; with the newer instructions off they choose that of an old one."""
    old = {
        "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
        "OPENCV_CPU_DISABLE": "AVX512-SKX,AVX2,FMA3,FP16,AVX,SSE4.2,SSE4.1",
        "OPENBLAS_CORETYPE": "Nehalem",
        "JSIMD_FORCENONE": "1",
    }
    said = [
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", PRINT_DIGEST],
            env={**os.environ, **env},
            capture_output=True,
            text=True,
            check=True,
            cwd=CHECKOUT,
        ).stdout.split()
        for env in ({}, old)
    ]
    if platform.machine() == "x86_64":
        assert said[0][1] != said[1][1], "the switches have no effect on bare library calls, so nothing is tested"
    assert said[0][0] == said[1][0]


# --- true to the table


def test_every_measure_lies_within_the_range_of_its_row():
    for task in ("types", "leukaemia"):
        frame = drawn(n_images=1500, n_patients=30, task=task, balanced=True, size=32).frame
        for (label, subtype), cells in frame.groupby(["label", "subtype"]):
            look = morphology.morphology_of(label, subtype)
            assert cells["diameter_um"].between(*look.diameter).all()
            assert cells["nucleus_to_cell_area"].between(*look.nucleus_to_cell_area).all()
            assert set(cells["lobes"]) <= set(look.lobes)
            assert cells["diameter_um"].std() > 0.1 * np.ptp(look.diameter)


def test_masks_have_the_size_and_the_nuclear_ratio_of_the_table(many):
    masks = many.load_masks(192)
    pixel = (scene.CELL_UM / 192) ** 2
    cell, nucleus = (masks >= CYTOPLASM).sum((1, 2)), (masks == NUCLEUS).sum((1, 2))
    assert 2 * np.sqrt(cell * pixel / np.pi) == pytest.approx(many.frame["diameter_um"], rel=0.005)
    assert nucleus / cell == pytest.approx(many.frame["nucleus_to_cell_area"], abs=0.005)


def test_the_number_of_lobes_is_what_the_table_says(many):
    """Filaments removed by opening, the parts of a nucleus are its lobes; some touch and count as one."""
    masks = many.load_masks(192)
    counts = []
    for mask in masks:
        opened = ndimage.binary_opening(mask == NUCLEUS, disk(5))
        labels, found = ndimage.label(opened)
        counts.append(sum(ndimage.sum_labels(opened, labels, range(1, found + 1)) > 60))
    counts, lobes = np.array(counts), many.frame["lobes"].to_numpy()
    granulocytes = many.frame["label"].isin(["neutrophil", "eosinophil"]).to_numpy()
    assert (counts[granulocytes] == lobes[granulocytes]).mean() > 0.75
    assert (counts <= lobes).mean() > 0.97
    assert (counts[lobes == 1] == 1).mean() > 0.95
    assert counts.max() <= 5


def test_masks_agree_with_what_is_seen(many):
    """The nucleus is the darkest part and the cell darker than the empty field, in green, where the stains absorb."""
    agree = []
    for picture, mask in zip(many.load_images(192), many.load_masks(192), strict=True):
        near = ndimage.binary_dilation(mask > 0, disk(6)) & (mask == BACKGROUND)
        level = [np.median(picture[part][:, 1]) for part in (near, mask == CYTOPLASM, mask == NUCLEUS)]
        agree.append((level[0] > level[1], level[1] > level[2]))
    cell, nucleus = np.mean(agree, axis=0)
    assert cell > 0.9  # red cells may press around it
    assert nucleus > 0.97  # granules of a basophil hide it


def test_classes_look_as_the_table_says(many):
    """Blasts have smoother chromatin than lymphocytes, eosinophils redder cytoplasm than neutrophils."""
    frame, pictures, masks = many.frame, many.load_images(192).astype(float), many.load_masks(192)
    density = -np.log((pictures + 1) / 256)
    red = pd.Series([d[m == CYTOPLASM].mean(axis=0) @ [-1, 1, 0] for d, m in zip(density, masks, strict=True)])
    inside = [ndimage.binary_erosion(m == NUCLEUS, disk(8)) for m in masks]
    clumps = [(d[..., 1] - ndimage.gaussian_filter(d[..., 1], 12)) for d in density]
    rough = pd.Series([c[i].std() if i.any() else np.nan for c, i in zip(clumps, inside, strict=True)])
    label = frame["label"].to_numpy()
    assert red.groupby(label).median()["eosinophil"] > 1.5 * red.groupby(label).median()["neutrophil"]
    assert rough.groupby(label).median()["lymphocyte"] > 1.15 * rough.groupby(label).median()["lymphoblast"]


@pytest.mark.parametrize("size", [32, 61, 100, 128, 192, 512])
@pytest.mark.parametrize("task", synthetic.TASKS)
def test_every_size_can_be_drawn(size, task):
    dataset = drawn(n_images=6, size=size, task=task)
    pictures, masks = dataset.load_images(size), dataset.load_masks(size)
    assert pictures.shape == (6, size, size, 3)
    assert masks.shape == (6, size, size)
    assert set(np.unique(masks)) == {BACKGROUND, CYTOPLASM, NUCLEUS}
    assert pictures.std(axis=(1, 2)).min() > 5


def test_a_larger_picture_shows_the_same_cell():
    small, large = drawn(n_images=6, size=64), drawn(n_images=6, size=256)
    share = [(d.load_masks(d.options["size"]) == NUCLEUS).mean(axis=(1, 2)) for d in (small, large)]
    assert share[0] == pytest.approx(share[1], rel=0.1)
    difference = np.abs(small.load_images(64).astype(int) - large.load_images(64)).mean()
    assert difference < 8


def test_amounts_of_stain_are_finite_and_not_negative():
    random = np.random.default_rng(0)
    for number in range(60):
        look = list((morphology.CLASSES | morphology.FAB).values())[number % 9]
        stain = list(stains.STAINS.values())[number % 3]
        who = scene.sample_patient(random, stain)
        canvas, _ = scene.compose_cell(scene.sample_cell(look, who, random), who, stain, None, random)
        assert np.isfinite(canvas).all()
        assert canvas.min() >= 0


def test_every_row_of_the_table_names_its_sources():
    known = set(re.findall(r"^@\w+\{(\w+),", (CHECKOUT / "book" / "references.bib").read_text(encoding="utf-8"), re.M))
    for look in (morphology.CLASSES | morphology.FAB).values():
        assert look.source
        assert set(look.source) <= known
        assert sum(look.lobes.values()) == pytest.approx(1)
    assert sum(morphology.HEALTHY.values()) == pytest.approx(1)
    assert sum(morphology.FAB_FREQUENCY.values()) == pytest.approx(1)


def test_a_changed_row_draws_another_cell():
    dataset = drawn(n_images=12)
    frame = dataset.frame.assign(diameter_um=dataset.frame["diameter_um"] * 0.8)
    smaller = replace(dataset, frame=frame)
    ratio = (smaller.load_masks(64) > 0).sum((1, 2)) / (dataset.load_masks(64) > 0).sum((1, 2))
    assert ratio == pytest.approx(0.64, rel=0.12)
    assert smaller.fingerprint() != dataset.fingerprint()


def test_the_exercise_of_the_book_has_the_answer_it_says(monkeypatch):
    page = (CHECKOUT / "book" / "synthetic.md").read_text(encoding="utf-8")
    solution = re.search(r"```python\n(from dataclasses import replace\n\nfrom helpers.*?)```", page, re.S).group(1)
    said = {}
    exec(solution, said)
    assert said["erythroblast"] == pages.ERYTHROBLAST


def test_a_new_kind_of_cell_can_be_drawn():
    giant = replace(morphology.CLASSES["monocyte"], diameter=(20.0, 20.5), nucleus_to_cell_area=(0.2, 0.22))
    for stain in stains.STAINS:
        picture, mask = synthetic.render_cell(giant, stain, size=96, seed=3)
        assert picture.shape == (96, 96, 3)
        assert np.mean(mask > 0) == pytest.approx(np.pi * 10.1**2 / scene.CELL_UM**2, rel=0.05)
        assert np.mean(mask == NUCLEUS) / np.mean(mask > 0) == pytest.approx(0.21, abs=0.02)


# --- who has what


def test_class_frequencies_are_those_of_a_differential_count():
    frame = drawn(n_images=6000, n_patients=30, size=32).frame
    healthy = frame[frame["patient"] % 3 != 2]
    share = healthy["label"].value_counts(normalize=True)
    for label, wanted in morphology.HEALTHY.items():
        assert share[label] == pytest.approx(wanted, abs=4 * np.sqrt(wanted * (1 - wanted) / len(healthy)))
    sick = frame[frame["patient"] % 3 == 2]
    blasts = (sick["label"] == "lymphoblast").groupby(sick["patient"]).mean()
    assert blasts.between(morphology.BLASTS[0] - 0.1, morphology.BLASTS[1] + 0.1).all()


def test_balanced_classes_are_equally_frequent():
    share = drawn(n_images=3000, n_patients=30, size=32, balanced=True).frame["label"].value_counts(normalize=True)
    assert set(share.index) == set(morphology.CLASSES)
    assert share.to_numpy() == pytest.approx(1 / 6, abs=0.03)


def test_only_every_third_patient_has_lymphoblasts():
    frame = drawn(n_images=1200, n_patients=12, size=32).frame
    assert set(frame.loc[frame["label"] == "lymphoblast", "patient"]) == {2, 5, 8, 11}
    assert frame["group"].value_counts().unique().tolist() == [100]


def test_in_the_leukaemia_task_a_patient_has_one_label():
    dataset = drawn(n_images=400, n_patients=20, task="leukaemia", size=32)
    assert dataset.classes == ("lymphocyte", "lymphoblast")
    assert (dataset.frame.groupby("patient")["label"].nunique() == 1).all()
    assert dataset.frame["label"].value_counts().tolist() == [200, 200]
    assert set(dataset.frame["subtype"]) >= {"", "L1", "L2"}


@pytest.mark.parametrize(("task", "share"), [("types", [[4, 4, 4], [2, 2, 2]]), ("leukaemia", [[3, 3, 3], [3, 3, 3]])])
def test_the_stain_batch_does_not_tell_who_has_leukaemia(task, share):
    frame = drawn(n_images=180, n_patients=18, size=32, task=task).frame
    sick = frame["label"].eq("lymphoblast").groupby(frame["patient"]).any()
    batch = frame.groupby("patient")["stain_batch"].first()
    assert pd.crosstab(sick, batch).to_numpy().tolist() == share


def test_patients_are_disjoint_between_folds():
    frame = drawn(n_images=600, n_patients=20, size=32, balanced=True).frame
    fold = splits.group_folds(frame, 5, seed=20)
    assert (fold.groupby(frame["patient"]).nunique() == 1).all()


def test_stain_batches_differ_in_colour():
    dataset = drawn(n_images=90, n_patients=18, size=64)
    empty = [np.percentile(p.reshape(-1, 3), 95, axis=0) for p in dataset.load_images(64)]
    blue = pd.Series([c[2] - c[0] for c in empty]).groupby(dataset.frame["stain_batch"].to_numpy()).min()
    assert blue[2] < blue[0] - 50  # the rapid stain's yellow field
    assert set(drawn(n_images=60, n_patients=30, n_stain_batches=7, size=32).frame["stain_batch"]) == set(range(7))


# --- planted defects


def test_a_shortcut_marks_the_wanted_share_of_lymphoblasts_and_nothing_else():
    for wanted in (0.0, 0.4, 1.0):
        frame = drawn(n_images=1000, n_patients=10, task="leukaemia", shortcut_rate=wanted, size=32).frame
        marked = frame["mark"] != ""
        assert not marked[frame["label"] == "lymphocyte"].any()
        assert marked[frame["label"] == "lymphoblast"].mean() == pytest.approx(wanted, abs=0.08)


def test_the_mark_is_ink_in_its_box_and_nowhere_else():
    plain, marked = (drawn(n_images=24, task="leukaemia", shortcut_rate=s, size=128) for s in (0.0, 1.0))
    for image_id, corner in marked.frame["mark"].items():
        without, with_mark = plain.load_image(image_id).astype(int), marked.load_image(image_id).astype(int)
        changed = np.abs(without - with_mark).max(axis=2) > 40
        if not corner:
            assert np.array_equal(without, with_mark)
            continue
        top, left, bottom, right = scene.mark_box(corner, 128)
        assert changed[top:bottom, left:right].mean() > 0.4
        changed[top - 4 : bottom + 4, left - 4 : right + 4] = False
        assert changed.mean() < 0.002  # JPEG spreads it a little
        assert np.array_equal(plain.load_mask(image_id), marked.load_mask(image_id))


def test_the_mark_can_be_moved():
    dataset = drawn(n_images=12, task="leukaemia", shortcut_rate=1.0, size=128)
    moved = replace(dataset, frame=dataset.frame.assign(mark="bottom right"))
    top, left, bottom, right = scene.mark_box("bottom right", 128)
    corner = moved.load_images(128)[:, top + 4 : bottom - 4, left + 4 : right - 4]
    assert (corner[..., 0] < 80).all()
    with pytest.raises(ValueError, match="corner must be one of top left"):
        scene.mark_box("middle", 128)


def test_a_leak_shows_cells_of_one_patient_again_under_another():
    for wanted in (0.0, 0.5, 1.0):
        frame = drawn(n_images=1200, n_patients=12, duplicate_rate=wanted, size=32).frame
        again = frame[frame["cell"] != frame["number"]]
        eligible = frame["patient"].isin([1, 5, 4, 11, 7, 10])
        assert len(again) == pytest.approx(wanted * eligible.sum(), abs=60)
        first = frame.set_index("number").loc[again["cell"]]
        assert (first["patient"].to_numpy() != again["patient"].to_numpy()).all()
        for column in ("label", "diameter_um", "stain_batch"):
            assert (first[column].to_numpy() == again[column].to_numpy()).all()


def test_leaked_cells_are_found_as_near_duplicates_across_patients_and_nothing_else_is():
    dataset = drawn(n_images=120, n_patients=6, duplicate_rate=0.5, size=96, balanced=True)
    found = splits.find_near_duplicates(dataset)
    cell = dataset.frame["cell"]
    same = cell[found["image_a"]].to_numpy() == cell[found["image_b"]].to_numpy()
    planted = int((cell != dataset.frame["number"]).sum())
    assert same.all()
    assert same.sum() > 0.95 * planted
    assert splits.find_near_duplicates(drawn(n_images=120, n_patients=6, size=96, balanced=True)).empty


def test_a_second_photograph_has_the_mask_of_the_first_cell_moved():
    dataset = drawn(n_images=24, n_patients=6, duplicate_rate=1.0, size=128)
    frame = dataset.frame
    for image_id in frame.index[frame["cell"] != frame["number"]]:
        first = frame.index[frame["number"] == frame.loc[image_id, "cell"]][0]
        areas = [(dataset.load_mask(name) > 0).sum() for name in (first, image_id)]
        assert 0.98 < areas[1] / areas[0] < 1.25
        assert not np.array_equal(dataset.load_image(first), dataset.load_image(image_id))


# --- fields


def test_boxes_of_white_cells_enclose_their_masks():
    dataset = drawn(n_images=8, task="fields", size=512)
    for image_id, row in dataset.frame.iterrows():
        mask, covered = dataset.load_mask(image_id) > 0, np.zeros((512, 512), bool)
        whites = [box for box in row["boxes"] if box[0] == "WBC"]
        assert len(whites) == len(row["types"])
        for _, left, top, right, bottom in whites:
            covered[top:bottom, left:right] = True
            inside = mask[top:bottom, left:right]
            assert inside[:3].any()
            assert inside[-3:].any()
            assert inside[:, :3].any()
            assert inside[:, -3:].any()
        assert (mask & ~covered).mean() < 1e-4


def test_fields_have_many_red_cells_and_no_label():
    dataset = drawn(n_images=12, task="fields", size=256)
    kinds = pd.Series([kind for boxes in dataset.frame["boxes"] for kind, *_ in boxes]).value_counts()
    assert kinds["RBC"] > 10 * kinds["WBC"]
    assert set(kinds.index) == {"WBC", "RBC", "Platelets"}
    assert dataset.frame["label"].isna().all()
    for boxes in dataset.frame["boxes"]:
        edges = np.array([edge for _, *edge in boxes])
        assert edges.min() >= 0
        assert edges.max() <= 256
        assert (edges[:, 2:] > edges[:, :2]).all()


# --- refusals and the cache


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"task": "cancer"}, "task must be one of types, leukaemia, fields, got 'cancer'"),
        ({"size": 31}, "size must be a whole number of pixels, 32 to 512, got 31"),
        ({"size": 513}, "size must be a whole number of pixels, 32 to 512, got 513"),
        ({"n_patients": 0}, "n_patients must be a whole number, at least 1, got 0"),
        ({"n_patients": 1, "task": "leukaemia"}, "n_patients must be a whole number, at least 2, got 1"),
        ({"n_images": 5, "n_patients": 6}, "n_images must be a whole number, at least 6 (patients), got 5"),
        ({"n_images": "many"}, "n_images must be a whole number, at least 6 (patients), got 'many'"),
        ({"n_images": 36.0}, "n_images must be a whole number, at least 6 (patients), got 36.0"),
        ({"n_patients": 2.5}, "n_patients must be a whole number, at least 1, got 2.5"),
        ({"size": (64, 64)}, "size must be a whole number of pixels, 32 to 512, got (64, 64)"),
        ({"size": 64.5}, "size must be a whole number of pixels, 32 to 512, got 64.5"),
        ({"seed": -1}, "seed must be a whole number, at least 0, got -1"),
        ({"seed": None}, "seed must be a whole number, at least 0, got None"),
        ({"n_stain_batches": 1.5}, "n_stain_batches must be a whole number, at least 1, got 1.5"),
        ({"balanced": "no"}, "balanced must be True or False, got 'no'"),
        ({"shortcut_rate": "0.8"}, "shortcut_rate must be 0 to 1, and 0 for fields, got '0.8'"),
        (
            {"n_patients": 2, "duplicate_rate": 1.0, "task": "leukaemia"},
            "duplicate_rate must be 0 with fewer than 4 patients, got 1.0",
        ),
        ({"n_patients": 2, "shortcut_rate": 0.5}, "shortcut_rate must be 0 with fewer than 3 patients, got 0.5"),
        ({"n_stain_batches": 0}, "n_stain_batches must be a whole number, at least 1, got 0"),
        ({"shortcut_rate": 1.1}, "shortcut_rate must be 0 to 1, and 0 for fields, got 1.1"),
        ({"duplicate_rate": -0.1}, "duplicate_rate must be 0 to 1, and 0 for fields, got -0.1"),
        ({"duplicate_rate": float("nan")}, "duplicate_rate must be 0 to 1, and 0 for fields, got nan"),
        ({"task": "fields", "shortcut_rate": 0.5}, "0 for fields"),
    ],
)
def test_a_drawing_that_cannot_be_made_is_refused(options, said):
    with pytest.raises(DatasetError, match=re.escape(said)):
        drawn(**options)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("nucleus_to_cell_area", 1.5),
        ("nucleus_to_cell_area", -1.0),
        ("nucleus_to_cell_area", float("nan")),
        ("diameter_um", 40.0),
        ("diameter_um", 0.0),
        ("lobes", 0),
        ("lobes", 9),
        ("subtype", "L9"),
        ("mark", "centre"),
    ],
)
def test_a_changed_row_that_cannot_be_drawn_is_named(column, value):
    dataset = drawn(n_images=6)
    wrong = replace(dataset, frame=dataset.frame.assign(**{column: value}))
    with pytest.raises(DatasetError, match=f"synthetic-0000.: invalid cell\n  - {column} must be"):
        wrong.load_images(64)


def test_an_unknown_stain_is_refused_with_the_known_ones():
    with pytest.raises(
        DatasetError, match="unknown stain 'MGG'; choose from Wright-Giemsa, May-Grünwald-Giemsa, rapid"
    ):
        synthetic.render_cell(morphology.MONOCYTE, "MGG")


def test_drawn_pictures_are_kept_and_read_back(own_cache, monkeypatch):
    dataset = drawn(n_images=12)
    first = dataset.load_images(64), dataset.load_masks(64)
    assert len(list(own_cache.rglob("*.png"))) == 12
    assert not list(own_cache.rglob("part-*"))

    def refuse(self, row):
        raise AssertionError("drawn twice")

    monkeypatch.setattr(synthetic.SyntheticReader, "draw", refuse)
    again = drawn(n_images=12)
    assert np.array_equal(first[0], again.load_images(64))
    assert np.array_equal(first[1], again.load_masks(64))


@pytest.mark.parametrize("damage", [b"", b"no picture", None])
def test_a_damaged_kept_picture_is_drawn_anew(own_cache, damage):
    dataset = drawn(n_images=6)
    before = dataset.load_images(64)
    for path in own_cache.rglob("*.png"):
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2] if damage is None else damage)
    assert np.array_equal(before, dataset.load_images(64))


def test_pictures_of_older_code_are_forgotten(own_cache):
    old = own_cache / "leukobook" / "synthetic" / "0123456789ab"
    old.mkdir(parents=True)
    cache._remove_outdated.cache_clear()
    drawn(n_images=6).load_images(64)
    assert not old.exists()
    assert cache.folder().exists()


def test_a_cache_that_cannot_be_written_is_said_and_the_pictures_are_still_drawn(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    (tmp_path / "file").write_text("not a folder")
    with pytest.warns(UserWarning, match="synthetic images cannot be cached in"):
        assert drawn(n_images=6).load_images(64).std() > 0


# --- shapes


def test_noise_has_about_unit_variance_at_every_grain():
    random = np.random.default_rng(1)
    for grain in (2.5, 7, 16):
        values = np.stack([geometry.noise((120, 120), grain, random) for _ in range(40)])
        assert values.std() == pytest.approx(1, abs=0.2)
        assert abs(values.mean()) < 0.1


def test_patches_are_cut_at_the_edge_of_the_canvas():
    canvas, patch = np.zeros((20, 20)), np.ones((7, 7))
    rendering.add(canvas, patch, 0, 19)
    assert canvas.sum() == 16
    rendering.add(canvas, patch, -50, 5)
    assert canvas.sum() == 16


def test_soft_discs_have_their_area():
    plane = geometry.spots((60, 60), np.array([[30.0, 30.0]]), np.array([9.0]), 2.0)
    assert plane.sum() == pytest.approx(np.pi * 81, rel=0.02)
    assert plane.max() == 1
