"""A target with label shift alone: other patients and images, the same stain, and few of them ill."""

import numpy as np

from helpers import datasets
from helpers.learners.label_shift import label_shift_target

SOURCE = {"n_images": 60, "n_patients": 20, "task": "leukaemia", "size": 32}


def test_patients_are_new_and_few_are_ill():
    source = datasets.load("synthetic", **SOURCE, n_stain_batches=1)
    target = label_shift_target(SOURCE, n_ill=6, n_per_patient=3)
    patients = target.frame.drop_duplicates("group")
    assert not set(source.frame["group"]) & set(target.frame["group"])
    assert not set(source.frame["number"]) & set(target.frame["number"])
    assert patients["label"].value_counts().to_dict() == {"lymphocyte": 50, "lymphoblast": 6}
    assert (target.frame.groupby("group").size() == 3).all()


def test_the_stain_is_that_of_the_source():
    source = datasets.load("synthetic", **SOURCE, n_stain_batches=1)
    target = label_shift_target(SOURCE, n_ill=6, n_per_patient=1)
    assert source.reader._stain(0) == target.reader._stain(0)
    assert np.unique(target.frame["stain_batch"]).tolist() == [0]
