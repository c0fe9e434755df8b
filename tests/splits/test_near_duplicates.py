"""Copies are found in every view, crop and focus, other cells are not, and a warning names what cannot be found."""

import cv2
import numpy as np
import pytest
from PIL import Image
from planted_copies import copies_of, turned_onto_black

from helpers import datasets, images
from helpers.splits import find_near_duplicates, similarity
from helpers.splits.keypoints import detect_keypoints, mirror_descriptors
from helpers.splits.thumbnails import find_alike


def folder_of(root, pictures):
    (root / "cells").mkdir()
    for name, picture in pictures.items():
        Image.fromarray(picture).save(root / "cells" / f"{name}.png")
    return datasets.load(f"folder:{root}")


@pytest.fixture(scope="module")
def drawn_cells():
    drawn = datasets.load("synthetic", n_images=24, n_patients=6, size=96)
    return {f"c{k:02d}": picture for k, picture in enumerate(drawn.load_images(96))}


def test_distinct_cells_give_no_pair(tmp_path, drawn_cells):
    found = find_near_duplicates(folder_of(tmp_path, drawn_cells))
    assert found.empty
    assert list(found.columns) == ["image_a", "image_b", "similarity", "n_inliers", "aligned", "identical"]


TURNS = {
    "as it is": lambda p: p,
    "90° rotation": lambda p: np.rot90(p),
    "half turn": lambda p: np.rot90(p, 2),
    "three 90° rotations": lambda p: np.rot90(p, 3),
    "mirrored": lambda p: p[:, ::-1],
    "upside down": lambda p: p[::-1],
    "transposed": lambda p: p.transpose(1, 0, 2),
    "turned and mirrored": lambda p: np.rot90(p)[:, ::-1].transpose(1, 0, 2),
}


@pytest.mark.filterwarnings("ignore:.*are copies of one another")  # that is what is planted
@pytest.mark.parametrize("turn", TURNS.values(), ids=TURNS.keys())
def test_a_turned_or_mirrored_copy_is_found(tmp_path, drawn_cells, turn):
    planted = {**drawn_cells, "z-copy": np.ascontiguousarray(turn(drawn_cells["c05"]))}
    found = find_near_duplicates(folder_of(tmp_path, planted))
    assert found[["image_a", "image_b"]].to_numpy().tolist() == [["cells/c05.png", "cells/z-copy.png"]]
    assert found.loc[0, "similarity"] > 0.99
    assert found.loc[0, "identical"] == np.array_equal(turn(drawn_cells["c05"]), drawn_cells["c05"])


def test_a_brighter_noisy_copy_is_found_and_is_not_identical(tmp_path, drawn_cells):
    noise = np.random.default_rng(0).normal(12, 3, drawn_cells["c03"].shape)
    copy = np.clip(drawn_cells["c03"] * 0.9 + noise, 0, 255).astype(np.uint8)
    found = find_near_duplicates(folder_of(tmp_path, {**drawn_cells, "z-copy": copy}))
    assert found["image_b"].tolist() == ["cells/z-copy.png"]
    assert found["identical"].tolist() == [False]


@pytest.mark.filterwarnings("ignore:.*are copies of one another")  # that is what is planted
def test_pairs_come_most_alike_first(tmp_path, drawn_cells):
    noise = np.random.default_rng(0).normal(0, 6, drawn_cells["c01"].shape)
    noisy = np.clip(drawn_cells["c01"] + noise, 0, 255).astype(np.uint8)
    planted = {**drawn_cells, "y-noisy": noisy, "z-copy": drawn_cells["c09"]}
    found = find_near_duplicates(folder_of(tmp_path, planted))
    assert found["image_b"].tolist() == ["cells/z-copy.png", "cells/y-noisy.png"]
    assert found["similarity"].is_monotonic_decreasing


# --- real cells


def found_pairs(found):
    return {frozenset(pair) for pair in found[["image_a", "image_b"]].itertuples(index=False)}


@pytest.mark.parametrize("name", ["pbc", "wbc1"])
def test_planted_copies_of_real_cells_are_found_and_no_others(name, real, tmp_path):
    data = real(name)
    random = np.random.default_rng(7)
    one_per_group = data.frame.drop_duplicates("group").index[:60]
    pictures = {str(number): data.load_image(image_id) for number, image_id in enumerate(one_per_group)}
    planted, expected = dict(pictures), set()
    for number in list(pictures)[:8]:
        for kind, copy in copies_of(pictures[number], random).items():
            planted[f"{number}-{kind}"] = copy
    copied = [[one for one in planted if one.split("-")[0] == number] for number in list(pictures)[:8]]
    for same in copied:
        names = [f"cells/{one}.png" for one in same]
        expected |= {frozenset((names[0], other)) for other in names[1:]}
    found = found_pairs(find_near_duplicates(folder_of(tmp_path, planted)))
    assert found >= expected
    cells = {frozenset(name.removesuffix(".png").split("-")[0] for name in pair) for pair in found}
    assert all(len(cell) == 1 for cell in cells)


@pytest.fixture
def fields(real):
    data = real("bccd", whole_fields=True)
    return [data.load_image(image_id) for image_id in data.frame.drop_duplicates("group").index[:60]]


def test_fields_that_were_turned_and_sheared_are_found(fields, tmp_path):
    random = np.random.default_rng(3)
    planted = {f"{k:02d}-field": field for k, field in enumerate(fields)}
    planted |= {f"{k:02d}-turned": turned_onto_black(field, random) for k, field in enumerate(fields)}
    found = found_pairs(find_near_duplicates(folder_of(tmp_path, planted)))
    expected = {frozenset((f"cells/{k:02d}-field.png", f"cells/{k:02d}-turned.png")) for k in range(len(fields))}
    assert len(found & expected) >= 0.9 * len(fields)
    assert not found - expected


def test_black_corners_do_not_make_fields_alike(fields, tmp_path):
    random = np.random.default_rng(4)
    turned = {f"{k:02d}": turned_onto_black(field, random) for k, field in enumerate(fields)}
    assert find_near_duplicates(folder_of(tmp_path, turned)).empty


def test_two_pictures_alone_are_compared_by_their_details(real):
    data = real("pbc")
    first, second = (data.load_image(image_id) for image_id in data.frame.index[:2])
    copies = copies_of(first, np.random.default_rng(1))
    assert {kind: similarity(first, copy) > 0.8 for kind, copy in copies.items()} == dict.fromkeys(copies, True)
    assert similarity(first, second) < 0.6


# --- what cannot be compared


def bare(level):
    """Return a picture with one small step of grey, which has no keypoints."""
    picture = np.full((96, 96, 3), 200, np.uint8)
    picture[:48] = level
    return picture


def test_images_without_details_are_named_in_a_warning(tmp_path, drawn_cells):
    data = folder_of(tmp_path, {**drawn_cells, "z-bare": bare(201)})
    with pytest.warns(UserWarning, match=r"1 of 25 images, such as cells/z-bare.png, have fewer than 10 keypoints"):
        found = find_near_duplicates(data)
    assert found.empty


@pytest.mark.filterwarnings("ignore:.*are copies of one another", "ignore:.*fewer than 10 keypoints")
def test_equal_pixels_are_found_without_details(tmp_path, drawn_cells):
    planted = {**drawn_cells, "z-bare": bare(201), "z-same": bare(201)}
    found = find_near_duplicates(folder_of(tmp_path, planted))
    assert found[["image_a", "image_b", "similarity", "identical"]].to_numpy().tolist() == [
        ["cells/z-bare.png", "cells/z-same.png", 1.0, True]
    ]


# --- parts


def test_the_bound_of_thumbnails_loses_no_pair(real):
    data = real("wbc1")
    small = data.select(data.frame.index[:150]).load_images(64)
    grey = np.stack([cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in small])
    for minimum in (0.2, 0.5):
        expected = exhaustive(grey, minimum)
        assert {(a, b): view for a, b, view in find_alike(grey, minimum)} == expected
        assert expected


def exhaustive(grey, minimum):
    """All pairs with the best dihedral transform, by correlating all thumbnails in full."""
    small = np.stack([cv2.resize(one.astype(np.float32), (32, 32), interpolation=cv2.INTER_AREA) for one in grey])
    blurred = [cv2.GaussianBlur(one, (0, 0), 1.5, borderType=cv2.BORDER_REFLECT) for one in small]
    views = [view.reshape(len(grey), -1) for view in images.dihedral_views(small - np.stack(blurred))]
    of_views = np.stack([np.corrcoef(view, views[0])[: len(grey), len(grey) :] for view in views])
    rows, columns = np.nonzero(np.triu(of_views.max(axis=0), 1) >= minimum)
    return {(a, b): of_views[:, a, b].argmax() for a, b in zip(rows.tolist(), columns.tolist(), strict=True)}


def test_mirrored_keypoints_are_those_of_the_mirror_image(drawn_cells):
    grey = np.stack([cv2.cvtColor(cell, cv2.COLOR_RGB2GRAY) for cell in drawn_cells.values()])
    keypoints, detected = detect_keypoints(grey), detect_keypoints(grey[:, :, ::-1])
    agreeing = []
    for number in range(len(grey)):
        position, descriptor = keypoints.of_image(number, mirrored=True)
        position_of_mirror, descriptor_of_mirror = detected.of_image(number)
        for one, own in zip(position, descriptor, strict=True):
            near = np.linalg.norm(position_of_mirror - one, axis=1) < 1.5
            if near.any():
                agreeing.append((descriptor_of_mirror[near] @ own).max())
    assert len(agreeing) > 500
    assert np.percentile(agreeing, 10) > 0.97
    assert np.array_equal(mirror_descriptors(mirror_descriptors(keypoints.descriptor)), keypoints.descriptor)
