"""Image and mask move together, light changes the image only, and every epoch can be drawn again."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from scipy import ndimage

from helpers import augmentation
from helpers.augmentation import NO_AUGMENTATION, Augmentation
from helpers.datasets import load


@pytest.fixture(scope="module")
def cells():
    dataset = load("synthetic", n_images=20, n_patients=5, size=64)
    return dataset.load_images(64), dataset.load_masks(64)


def changed(image, mask, how, number):
    image, mask = augmentation.augment(tf.constant(image), tf.constant(mask), how, tf.constant([3, number]))
    return image.numpy(), mask.numpy()


GEOMETRY = Augmentation(rotation=180.0, zoom=0.2, brightness=0.0, blur=0.0)
SLANTED = replace(NO_AUGMENTATION, translation=0.1, shear=20.0)


@pytest.mark.parametrize("how", [Augmentation(brightness=0.0, blur=0.0), GEOMETRY, SLANTED])
def test_image_and_mask_move_together(cells, how):
    for number, mask in enumerate(cells[1]):
        picture = np.repeat((mask == 2)[..., None] * np.uint8(255), 3, axis=2)
        moved, truth = changed(picture, mask, how, number)
        assert ((moved[..., 0] > 127) == (truth == 2)).mean() > 0.985
        assert set(np.unique(truth)) <= {0, 1, 2}
        assert moved.dtype == truth.dtype == np.uint8


def test_all_eight_elements_of_d4_are_drawn_and_keep_every_pixel():
    image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    seen = {changed(image, image[..., 0], Augmentation(brightness=0.0, blur=0.0), k)[0].tobytes() for k in range(100)}
    expected = set()
    for turns in range(4):
        for mirrored in (image, image[:, ::-1]):
            expected.add(np.ascontiguousarray(np.rot90(mirrored, turns)).tobytes())
    assert seen == expected


def test_flips_are_four_of_the_eight():
    image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    seen = {changed(image, image[..., 0], replace(NO_AUGMENTATION, flips=True), k)[0].tobytes() for k in range(50)}
    expected = (image, image[::-1], image[:, ::-1], image[::-1, ::-1])
    assert seen == {np.ascontiguousarray(x).tobytes() for x in expected}


def middle(mask):
    return np.argwhere(mask).mean(0)


def test_a_shift_moves_by_a_share_of_the_side_at_most():
    mask = np.zeros((60, 60), np.uint8)
    mask[25:35, 25:35] = 2
    image = np.repeat(mask[..., None], 3, axis=2)
    moved = [
        middle(changed(image, mask, replace(NO_AUGMENTATION, translation=0.1), k)[1]) - middle(mask) for k in range(60)
    ]
    reach = np.abs(moved).max(0)
    assert (reach <= 6.5).all()
    assert (reach > 4).all()
    assert np.abs(np.mean(moved, axis=0)).max() < 1.5


def test_a_slant_keeps_area_and_middle_and_leans():
    mask = np.zeros((80, 80), np.uint8)
    mask[20:60, 30:50] = 2
    image = np.repeat(mask[..., None], 3, axis=2)
    leans = []
    for k in range(40):
        truth = changed(image, mask, replace(NO_AUGMENTATION, shear=20.0), k)[1] > 0
        assert abs(truth.sum() / (mask > 0).sum() - 1) < 0.05
        assert np.abs(middle(truth) - middle(mask)).max() < 0.7
        y, x = (np.argwhere(truth) - middle(truth)).T
        leans.append(np.degrees(np.arctan((x * y).sum() / (y * y).sum())))
    assert 12 < np.abs(leans).max() < 21


def test_copies_bring_every_class_to_the_wanted_number_and_know_their_originals(cells):
    labels = pd.Series(list("a" * 12 + "b" * 5 + "c" * 3), [f"cell-{k}" for k in range(20)])
    copies, originals = augmentation.oversample_with_augmentation(cells[0], labels, 10, seed=3)
    assert labels[originals].value_counts().to_dict() == {"b": 5, "c": 7}
    assert sorted(originals.value_counts()[list(labels.index[labels == "c"])]) == [2, 2, 3]
    for copy, original in zip(copies, originals, strict=True):
        own = cells[0][labels.index.get_loc(original)]
        assert not np.array_equal(copy, own)
        assert np.abs(copy.mean((0, 1)) - own.mean((0, 1))).max() < 12  # turned, not repainted
    again, same = augmentation.oversample_with_augmentation(cells[0], labels, 10, seed=3)
    assert np.array_equal(copies, again)
    assert originals.equals(same)
    none, _ = augmentation.oversample_with_augmentation(cells[0], labels, 3, seed=3)
    assert none.shape == (0, 64, 64, 3)


def test_a_copy_is_its_original_changed_by_the_key_of_its_place(cells):
    labels = pd.Series(list("a" * 12 + "b" * 5 + "c" * 3), [f"cell-{k}" for k in range(20)])
    copies, originals = augmentation.oversample_with_augmentation(cells[0], labels, 7, seed=3)
    keys = tf.random.split((3, 0), len(copies))
    assert len(copies) == 6
    for copy, original, key in zip(copies, originals, keys, strict=True):
        image = tf.constant(cells[0][labels.index.get_loc(original)])
        assert np.array_equal(copy, augmentation.augment(image, tf.constant(0), augmentation.FLIP_ROTATE, key)[0])


@pytest.mark.slow
def test_copies_are_made_of_more_than_two_gibibytes_of_images():
    n = 175_000
    images = np.broadcast_to(np.uint8(7), (n, 64, 64, 3))
    assert images.size > 2**31
    labels = pd.Series(np.where(np.arange(n) == n - 1, "b", "a"), np.arange(n))
    copies, originals = augmentation.oversample_with_augmentation(images, labels, 4, seed=3)
    assert originals.tolist() == [n - 1] * 3
    assert copies.shape == (3, 64, 64, 3)
    assert (copies == 7).all()


def test_light_and_blur_change_the_image_only(cells):
    image, mask = cells[0][0], cells[1][0]
    for how in (Augmentation(dihedral=False, blur=0.0), Augmentation(dihedral=False, brightness=0.0, blur=2.0)):
        moved, same = changed(image, mask, how, 1)
        assert np.array_equal(mask, same)
        assert not np.array_equal(image, moved)
        assert abs(moved.mean() / image.mean() - 1) < 0.4


def test_blur_smooths(cells):
    image, mask = cells[0][0], cells[1][0]
    moved, _ = changed(image, mask, Augmentation(dihedral=False, brightness=0.0, blur=3.0), 5)
    assert np.abs(np.diff(moved.astype(int), axis=0)).mean() < 0.9 * np.abs(np.diff(image.astype(int), axis=0)).mean()


def test_a_blur_is_gaussian_and_reflects_at_the_border():
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.uint8)
    for number in range(5):
        blurred, _ = changed(image, image[..., 0], replace(NO_AUGMENTATION, blur=0.9), number)
        seed = tf.random.split(tf.constant([3, number]), 8)[5]
        sigma = float(tf.random.stateless_uniform((), seed, 0, 0.9))
        expected = ndimage.gaussian_filter(image.astype(float), (sigma, sigma, 0), mode="mirror", radius=(3, 3, 0))
        assert np.abs(blurred - expected).max() < 0.51


def epochs(cells, first, number, how, seed=1):
    stream = iter(augmentation.training_batches(*cells, 8, seed, how, first))
    return [[next(stream) for _ in range(3)] for _ in range(number)]


def test_stain_changes_dyed_pixels_by_the_channel_and_leaves_white_alone():
    image = np.full((16, 16, 3), 255, np.uint8)
    image[:8] = 120
    stain = Augmentation(dihedral=False, brightness=0, blur=0, stain=0.3)
    changed = augmentation.augment_images(np.stack([image] * 40), stain, 20)
    assert (changed[:, 8:] == 255).all()
    dyed = changed[:, 0, 0].astype(float)
    assert (changed[:, :8] == changed[:, :1, :1]).all()
    density = np.log(256 / (dyed + 1)) / np.log(256 / 121)
    assert np.log(density).mean() == pytest.approx(0, abs=0.1)
    assert np.log(density).std() == pytest.approx(0.3, abs=0.06)
    assert np.abs(np.corrcoef(np.log(density).T)[0, 1:]).max() < 0.4  # channels are independent


def test_an_epoch_does_not_depend_on_the_epochs_before(cells):
    late, early = epochs(cells, 2, 1, Augmentation())[0], epochs(cells, 0, 3, Augmentation())[2]
    for one, other in zip(late, early, strict=True):
        assert np.array_equal(one[0], other[0])
        assert np.array_equal(one[1], other[1])


def test_every_epoch_has_every_image_once_in_another_order(cells):
    first, second = epochs(cells, 0, 2, NO_AUGMENTATION)
    images = [np.concatenate([batch[0] for batch in epoch]) for epoch in (first, second)]
    assert not np.array_equal(*images)
    for shown in images:
        assert sorted(p.tobytes() for p in shown) == sorted(p.tobytes() for p in cells[0])


def test_epochs_and_seeds_change_an_image_differently(cells):
    one = (cells[0][:1], cells[1][:1])
    drawn = [next(iter(augmentation.training_batches(*one, 1, seed, Augmentation(), first)))[0].numpy().tobytes()
             for seed in (1, 2) for first in (0, 1, 2)]  # fmt: skip
    assert len(set(drawn)) == 6


def test_a_label_and_a_weight_stay_with_their_image():
    images = np.repeat(np.arange(10, dtype=np.uint8)[:, None, None, None] * 20, 8, axis=1).repeat(8, 2).repeat(3, 3)
    labels, weights = np.arange(10), np.arange(10) / 4
    how = Augmentation(rotation=180, zoom=0.2, brightness=0.0)
    stream = iter(augmentation.training_batches(images, labels, 4, 1, how, weights=weights))
    seen = []
    for _ in range(3):
        for picture, label, weight in zip(*next(stream), strict=True):
            assert (picture.numpy() == 20 * int(label)).all()
            assert weight.numpy() == label.numpy() / 4
            seen.append(int(label))
    assert sorted(seen) == list(range(10))


def test_validation_is_in_order_and_unchanged(cells):
    batches = list(augmentation.evaluation_batches(*cells, 8))
    assert [len(batch[0]) for batch in batches] == [8, 8, 4]
    assert np.array_equal(np.concatenate([batch[0] for batch in batches]), cells[0])


def test_images_and_masks_that_do_not_belong_together_are_refused(cells):
    for wrong in ((cells[0], cells[1][:5]), (cells[0].astype(np.float32), cells[1]), (cells[0][:0], cells[1][:0])):
        with pytest.raises(ValueError, match="images must be uint8"):
            augmentation.evaluation_batches(*wrong, 8)


def test_rows_of_a_mapped_file_are_read_when_they_are_needed(tmp_path):
    file = np.lib.format.open_memmap(tmp_path / "a.npy", "w+", np.uint8, (6, 8, 8, 3))
    file[:] = np.arange(6, dtype=np.uint8)[:, None, None, None]
    chosen = np.array([True, False, True, True, False, True])
    rows = augmentation.select_rows(file, chosen)
    assert isinstance(rows, augmentation.MappedRows)
    assert (rows.shape, rows.ndim, len(rows), rows.dtype) == ((4, 8, 8, 3), 4, 4, np.uint8)
    np.testing.assert_array_equal(rows[1:3], file[[2, 3]])
    np.testing.assert_array_equal(augmentation.select_rows(np.asarray(file), chosen), file[chosen])
    file[3] = 77
    drawn = augmentation.training_batches(rows, np.arange(4), 4, 1, NO_AUGMENTATION)
    images, labels = next(iter(drawn))
    assert {int(label): int(image.max()) for image, label in zip(images.numpy(), labels.numpy(), strict=True)} == {
        0: 0, 1: 2, 2: 77, 3: 5
    }  # fmt: skip
    batches = list(augmentation.evaluation_batches(rows, np.arange(4), 3))
    assert [int(image.max()) for batch, _ in batches for image in batch.numpy()] == [0, 2, 77, 5]
    assert [label for _, part in batches for label in part.numpy().tolist()] == [0, 1, 2, 3]
