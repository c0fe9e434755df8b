"""Sentences on transfer learning follow the numbers, also where the effect is reversed or not shown."""

import pandas as pd
import pytest

from helpers.metrics import NONE, Estimate
from helpers.reports import difference_words
from helpers.reports import transfer_sentences as sentences

BETTER, WORSE = Estimate(0.4, 0.3, 0.5, 60, 20), Estimate(-0.4, -0.5, -0.3, 60, 20)
UNCLEAR, UNKNOWN = Estimate(0.1, -0.1, 0.3, 60, 20), Estimate(0.4, float("nan"), float("nan"), 60, 1, NONE)
HARM = "The head was trained on features that these layers no longer compute."
NO_HARM = "Here the shift does no harm. Nobody chose it, and no loss would have warned of it."


@pytest.mark.parametrize(
    ("estimates", "conclusion"),
    [
        ((BETTER, BETTER), "Pretrained weights pay here, whichever way they are used."),
        ((WORSE,), "Pretrained weights do not pay here: training from scratch is better."),
        ((UNCLEAR, UNKNOWN), "Whether pretrained weights pay here, these images do not settle."),
        ((BETTER, UNCLEAR), "Whether pretrained weights pay depends here on the way they are used."),
    ],
)
def test_pretraining_is_judged_by_its_differences(estimates, conclusion):
    text = sentences.judge_pretraining(dict(zip(("frozen", "fine-tuned"), estimates, strict=False)))
    assert text.endswith(conclusion)


def test_a_win_over_a_collapsed_network_is_no_verdict_on_pretraining():
    text = sentences.judge_pretraining({"frozen": BETTER}, is_collapsed=True)
    assert "frozen: better by 0.400" in text
    assert text.endswith("that the others have learnt, not what pretraining adds.")


def test_the_size_and_sign_of_a_difference_are_in_the_sentence():
    assert "frozen: better by 0.400 [0.300, 0.500]" in sentences.judge_pretraining({"frozen": BETTER})
    assert "frozen: worse by 0.400 [0.300, 0.500]" in sentences.judge_pretraining({"frozen": WORSE})
    assert "frozen: no difference shown (0.100 [-0.100, 0.300])" in sentences.judge_pretraining({"frozen": UNCLEAR})


def test_methods_are_listed_with_score_and_time():
    table = pd.DataFrame({"method": ["frozen", "scratch"], "macro F1": [0.8, 0.25], "seconds": [9.4, 61]})
    assert sentences.describe_methods(table, "macro F1") == "frozen 0.80 in 9 s; scratch 0.25 in 61 s"


@pytest.mark.parametrize(
    ("loss", "accuracy", "ending"),
    [
        ([0.8, 1.4], [0.78, 0.66], HARM),
        ([0.8, 0.7], [0.78, 0.66], HARM),
        ([0.8, 0.801], [0.78, 0.78], NO_HARM),
        ([0.8, 0.7], [0.78, 0.80], NO_HARM),
    ],
)
def test_shifted_statistics_are_described_by_what_they_did(loss, accuracy, ending):
    passes = pd.DataFrame({"loss": loss, "accuracy": accuracy}, index=[0, 4])
    text = sentences.describe_shifted_statistics(passes, n_changed=98, n_kernels_changed=0)
    assert text.startswith("No gradient was computed and no step taken; 0 kernels have changed. But 98 arrays")
    assert f"loss went from {loss[0]:.2f} to {loss[1]:.2f}, the accuracy from {accuracy[0]:.0%}" in text
    assert text.endswith(ending)


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (Estimate(0.6, 0.5, 0.7, 60, 20), "0.60 [0.50, 0.70] against 0.17 by chance, so more often than by chance"),
        (Estimate(0.1, 0.05, 0.15, 60, 20), "0.10 [0.05, 0.15] against 0.17 by chance, so less often than by chance"),
        (Estimate(0.2, 0.1, 0.3, 60, 20), "0.20 [0.10, 0.30] against 0.17 by chance, which the interval includes"),
        (UNKNOWN, "0.40 (no interval) against 0.17 by chance; too few groups to tell more"),
    ],
)
def test_a_share_is_compared_with_chance(share, text):
    assert sentences.compare_with_chance(share, 0.17) == text


@pytest.mark.parametrize(
    ("scores", "text"),
    [
        ([0.7, 0.8], "accuracy rises from 0.70 to 0.80 between 5 and 10 images per class"),
        ([0.8, 0.7], "accuracy falls from 0.80 to 0.70 between 5 and 10 images per class"),
        ([0.701, 0.699], "accuracy stays at 0.70 between 5 and 10 images per class"),
    ],
)
def test_growth_is_described_by_its_ends(scores, text):
    curve = pd.DataFrame({"images": [10, 5], "accuracy": scores[::-1]})
    assert sentences.describe_growth(curve, "accuracy") == text


def test_one_size_is_no_growth():
    curve = pd.DataFrame({"images": [5], "accuracy": [0.7]})
    assert (
        sentences.describe_growth(curve, "accuracy")
        == "accuracy is 0.70 with 5 images per class, the only number tried"
    )


def losses(*trainings):
    """Validation losses by epoch of several trainings."""
    rows = [(number, epoch, loss) for number, losses in enumerate(trainings) for epoch, loss in enumerate(losses)]
    return pd.DataFrame(rows, columns=["training", "epoch", "val_loss"])


@pytest.mark.parametrize(
    ("n_predicted", "history", "text"),
    [
        (1, losses([1.9, 1.8]), "It predicts one class for every test cell: it has *collapsed*."),
        (3, losses([1.9, 1.79]), "So it has learnt nothing yet that holds for other patients"),
        (5, losses([1.9, 1.2]), "The loss is lowest in the last epoch: more epochs may bring more."),
        (5, losses([1.2, 1.3]), "and the loss is lowest before its last epoch."),
        (
            5,
            losses([1.9, 1.2], [1.1, 1.3]),
            "in the last epoch of 1 of 2 trainings: more epochs may bring more.",
        ),
    ],
)
def test_training_from_scratch_is_explained_by_predictions_and_loss(n_predicted, history, text):
    shown = sentences.explain_scratch(history, n_predicted, n_classes=6)
    assert text in shown
    lowest = history["val_loss"].min()
    assert f"validation loss is {lowest:.2f}; equal probabilities for all classes would cost 1.79" in shown


@pytest.mark.parametrize(
    ("difference", "text"),
    [
        (BETTER, "better by 0.400 [0.300, 0.500]. So the layers have learnt something of cells"),
        (WORSE, "worse by 0.400 [0.300, 0.500]. So training the layers has cost more"),
        (UNCLEAR, "no difference shown (0.100 [-0.100, 0.300]). So these cells do not show"),
        (UNKNOWN, "better by 0.400 in this one group, too few for an interval. So these cells do not show"),
    ],
)
def test_fine_tuning_is_judged_by_its_difference_from_frozen(difference, text):
    assert f"Fine-tuned compared with frozen: {text}" in sentences.judge_fine_tuning(difference)


@pytest.mark.parametrize(
    ("call", "layers", "text"),
    [
        (False, True, "does **not** keep the averages of a base that is trained: `fit` overrides it. Freezing"),
        (True, True, "`training=False` in the call keeps the averages of a base that is trained. Freezing the"),
        (False, False, "Nor does freezing the normalisation layers"),
    ],
)
def test_safeguards_are_judged_by_what_they_keep(call, layers, text):
    assert text in sentences.judge_safeguards(call=call, layers=layers, version="3.1")


@pytest.mark.parametrize(
    ("without", "again", "text"),
    [
        (False, True, "is **not** trained before the model is compiled again, and no message says so. After compiling"),
        (True, True, "a layer set free is trained at once. Compiling again does not prevent it."),
        (False, False, "Nor is it after compiling again"),
    ],
)
def test_compiling_again_is_judged_by_what_it_sets_free(without, again, text):
    assert text in sentences.judge_compiling(without=without, again=again, version="3.1")


@pytest.mark.parametrize(
    ("differences", "text"),
    [
        (
            {"group 1": UNCLEAR, "group 2": BETTER},
            "Not shown to be above pixels: group 1. Early layers find edges and colours",
        ),
        ({"group 1": BETTER, "group 2": WORSE}, "Not shown to be above pixels: group 2."),
        ({"group 1": UNCLEAR}, "So no group of layers is shown to bring a class together better than pixels do."),
        ({"group 1": BETTER}, "So every group of layers is shown to bring a class together better than pixels do."),
    ],
)
def test_groups_of_layers_are_compared_with_pixels_on_the_same_cells(differences, text):
    shown = sentences.compare_with_pixels(differences)
    assert text in shown
    assert f"group 1 {difference_words(differences['group 1'], digits=2)}" in shown


@pytest.mark.parametrize(
    ("tuned", "text"),
    [
        (losses([0.9, 0.6]), "one epoch later, at 0.90, higher: the first steps of Adam"),
        (losses([0.9, 0.6]), "the lowest loss is 0.60, not below the start."),
        (losses([0.9, 0.4]), "the lowest loss is 0.40, below the start."),
        (losses([0.45, 0.4]), "at 0.45: the steps are small enough to keep what head and layers knew."),
        (losses([0.8, 0.4], [1.0, 0.6]), "at 0.90, higher"),
    ],
)
def test_the_first_epoch_of_fine_tuning_is_compared_with_its_start(tuned, text):
    shown = sentences.explain_first_epoch(losses([1.5, 0.5, 0.7]), tuned)
    assert "at its lowest validation loss, 0.50." in shown
    assert text in shown
