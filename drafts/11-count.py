# %% [markdown]
# # 11 Count: from a field to a differential
#
# [Open in Colab](https://colab.research.google.com/github/OWNER/leukobook/blob/main/notebooks/11-count.ipynb) · {download}`Download this notebook <11-count.ipynb>`
#
# :::{admonition} You will learn
# - to find white blood cells in whole fields, first by threshold and watershed, then with a network that points at their middles;
# - to score a detector: intersection over union, precision and sensitivity, average precision, counting error;
# - to count fairly at the border, to name the cells, and to refer the doubtful ones;
# - to report a differential with an interval, and to say how many cells are enough;
# - to follow an error through every step, and to take the confusion of the classifier back.
#
# **Before you start:** [Transfer](07-transfer.ipynb) and [Another laboratory](10-another-laboratory.ipynb). **About 110 minutes:** 60 to read, 50 for exercises and quiz, without the project. Nothing here is for diagnosis.
# :::
#
# ## Three eosinophils, or seven?
#
# Two technologists read the same film. One counts 3 eosinophils among 100 white blood cells, the other 7. The ward asks who is right.
#
# All chapters so far began with a picture of one cell in its middle. Nobody in a laboratory gets such pictures: a film has thousands of **fields**, most of what lies in a field is red, and the report is not a class but a **differential count**, the share of each type of white blood cell in a patient. This chapter goes the whole way, and asks of every step what it does to that share. It ends with an answer for the ward.
# %% tags=["parameters"]
# whole fields with boxes and types of the cells: synthetic
dataset = "synthetic"
# options of the dataset, by its name
options = {
    "synthetic": {
        "task": "fields",
        "n_images": 320,
        "n_patients": 8,
        "n_stain_batches": 1,
        "size": 256,
    },
}
n_train_patients = 4  # they train detector and classifier; the others test
base_filters = 4  # of the detector
n_patches = 512  # that it sees in an epoch
epochs = 4  # of its training
crop_size = 64  # side in pixels at which cells are classified
seed = 20  # of weights, patches, folds and resamples
# %% tags=["hide-input", "setup"]
# On Colab this installs the course. Everywhere it then sets up this process.
import importlib.util, os, pathlib, subprocess, sys

if importlib.util.find_spec("helpers") is None:
    if os.environ.get("LEUKOBOOK_BATCH"):
        raise ImportError(f"{sys.executable} lacks leukobook; run make env")
    address = "git+https://github.com/OWNER/leukobook"
    source = os.environ.get("LEUKOBOOK_SOURCE", address)
    pip = [sys.executable, "-m", "pip"]
    fixed = subprocess.check_output([*pip, "list", "--format=freeze"])
    pathlib.Path("fixed.txt").write_bytes(fixed)
    subprocess.check_call([*pip, "install", "-q", "-c", "fixed.txt", source])

from helpers import processes

processes.configure()
# %%
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import datasets, explorers, features, images, metrics
from helpers import plots, preprocessing, teaching
from helpers.backend import keras
# %%
from helpers.counting import cells as cell_rules
from helpers.counting import classical, detection, network, patches
from helpers.counting import preparation, reference, scale, training
from helpers.diagrams import counting as diagrams
from helpers.learners.lda import ShrinkageLDA
from helpers.reports import published_table, show_table, show_text
from helpers.reports import counting_sentences as sentences
from helpers.reports.tables import save_table
from helpers.training import TrainingConfig
# %% [markdown]
# ## What has to happen
# %% tags=["slide"]
diagrams.counting_pipeline()
# %% [markdown]
# Seven steps, and each can spoil the count in its own way. A cell that is not found is missing from every share. A platelet clump that is taken for a cell is named something. A cell that is cut by the border may be counted twice, or never. The classifier confuses types, and a hundred cells are a small sample of billions. We take the steps one by one.
#
# The fields are synthetic, 80 µm wide, with one to four white blood cells each, red cells, platelets and stain precipitate. Half of the patients are for training; all that is tested below is tested on the other half. Of synthetic patients we know something that nobody knows of real ones: the true shares in their blood.
# %%
data = datasets.load(dataset, **datasets.dataset_options(dataset, options))
frame = data.frame
truth = reference.reference_cells(data)
groups = sorted(frame["group"].unique())
is_train = frame["group"].isin(groups[:n_train_patients])
train_ids, test_ids = frame.index[is_train], frame.index[~is_train]
classes = sorted(truth["label"].unique())
outputs = Path("outputs")
outputs.mkdir(exist_ok=True)
show_table(sentences.count_fields(frame, truth, groups[:n_train_patients]))
# %% tags=["slide"]
first = data.load_image(test_ids[0])
own = truth[truth["image_id"] == test_ids[0]]
drawn = plots.draw_boxes(
    first, own[patches.SIDES].to_numpy(), own["label"].tolist()
)
plots.image_grid(
    {"": np.stack([first, drawn])}, "A field, and its white blood cells."
)
# %% [markdown]
# ## How large is a pixel?
#
# A white blood cell is about 12 µm wide, a platelet 3 µm: a program that does not know the size of a pixel cannot tell one from the other. The file of a photograph seldom says it. But every field has a ruler in it: red cells are about 7.5 µm wide in nearly everybody.
# %%
sample = [data.load_image(name) for name in train_ids[:12]]
measured = preprocessing.estimate_um_per_pixel(sample)
true_scale = scale.annotated_scale(data).iloc[0]
print(f"measured {measured:.3f}, true {true_scale:.3f} µm per pixel")
# %% [markdown]
# A patient with small red cells (iron deficiency) or large ones (lack of vitamin B12) bends this ruler by a tenth or two. A detector should bear that, and the chapter's detector has seen such changes in its training. Where the microscope's own scale is known, it is better.
#
# ## By threshold and watershed
#
# The classical way needs no training. Nuclei take up more stain than anything else, so that a threshold finds them; lobes that lie close together are one nucleus, and a **watershed** splits two cells that touch. (It floods the picture from the middles of the nuclei, and draws a border where two floods meet; scikit-image has it as `skimage.segmentation.watershed`.) Around each nucleus comes a box.
# %%
test_truth = truth[~truth["group"].isin(groups[:n_train_patients])]
by_threshold = pd.concat(
    classical.detect_classical(data.load_image(name), true_scale).assign(
        image_id=name
    )
    for name in test_ids
)
print(f"{len(by_threshold)} boxes, and {len(test_truth)} cells")
# %% [markdown]
# Is that good? The numbers may agree although half of the boxes lie on platelets. A **detection** is right if it matches a cell: their centres are no further apart than half the cell. Each cell can be matched once, by the surest box first; a second box on the same cell is wrong.
#
# Where the box itself matters, one asks for more: the area that both share, over the area that either covers, the **intersection over union** (IoU), must be at least 0.5.
# %%
threshold_matches = metrics.match_detections(
    by_threshold, test_truth, criterion="centre"
)
shown = {name: data.load_image(name) for name in test_ids[:4]}
plots.field_grid(
    shown, threshold_matches, "What threshold and watershed find."
)
# %% [markdown]
# ## A network that points at cells
#
# The U-Net of [chapter 04](04-segment.ipynb) answers for every pixel. Here we ask less and get more: for every point of a grid of 1 µm, *is this the middle of a white blood cell?* and *how far is it to the four sides of its box?* The answers are a **heat map** that peaks at the middles and four maps of distances ([Zhou et al., 2019](https://arxiv.org/abs/1904.07850); [Tian et al., 2019](https://arxiv.org/abs/1904.01355)). Two cells that touch are still two peaks.
# %%
fields = patches.read_fields(data, scale.annotated_scale(data))
train_fields = [f for f in fields if f.group in groups[:n_train_patients]]
test_fields = [f for f in fields if f.group not in groups[:n_train_patients]]
with_cells = next(f for f in train_fields if len(f.boxes) > 1)
corner = np.clip(with_cells.boxes[0, :2] - 40, 0, 320 - 128).astype(int)
left, top = corner.tolist()
patch = with_cells.image[top : top + 128, left : left + 128]
boxes = with_cells.boxes - np.tile(corner, 2)
target = network.encode_boxes(boxes, 128, 128)
# %% tags=["slide"]
diagrams.centre_targets(patch, boxes, target)
# %% [markdown]
# The network is a small U-Net that stops a quarter of the way up, where one point is 1 µm. Its last layer has five channels: the heat, through a sigmoid, and four distances, which cannot be negative.
# %%
model = network.centre_network(base_filters=base_filters)
model_input, model_output = model.input_shape, model.output_shape
print(f"{model_input[1:]} → {model_output[1:]}")
print(f"{model.count_params():,} weights")
# %% [markdown]
# **How does it learn?** From patches of 32 µm, cut at random around cells and elsewhere, mirrored, turned, a little larger or smaller, and stained otherwise ([chapter 06](06-many-classes.ipynb)). Middles are rare: of 1,024 points of a patch, one or two. If every point counted alike, the network would do best to say *no* everywhere. The **focal loss** makes a point that is already right count almost nothing, so that the few hard ones decide. For the boxes the loss is 1 − IoU, which is what we want to be small.
# %%
split = preparation.split_fields(train_fields, seed)
detector, history = training.fit_detector(
    train_fields,
    split,
    n_patches=n_patches,
    config=TrainingConfig(epochs=epochs, batch_size=16, seed=seed),
    checkpoint_dir=outputs / "count-training",
    base_filters=base_filters,
)
# %% tags=["slide"]
plots.loss_curves(history, "The detector learns; patches of validation fields.")
# %% [markdown]
# From heat to cells takes three lines: a middle is a point that is hotter than its eight neighbours. In Keras a maximum over the neighbourhood is a pooling layer:
# %%
field = test_fields[0]
canvas = np.pad(field.image, ((0, 0), (0, 0), (0, 0)))[None].astype("float32")
answer = detector.predict(canvas, verbose=0)[0]
heat = answer[..., :1]
highest = keras.ops.max_pool(heat[None], 3, strides=1, padding="same")[0]
is_peak = (heat == np.array(highest)) & (heat > 0.3)
rows, columns = np.nonzero(is_peak[..., 0])
print(f"{len(rows)} peaks, and {len(field.boxes)} cells")
# %% [markdown]
# The helper does this for fields of any size. It cuts them into overlapping **tiles**, keeps of each tile the cells whose middle lies in its core, so that no cell is counted twice, and drops a box that covers another by more than 40 % (**non-maximum suppression**).
#
# How hot must a peak be? The threshold with the best balance on *validation* fields is chosen, and then the test fields are looked at, once.
# %%
heat_threshold = preparation.choose_threshold(
    detector, patches.select_split(train_fields, split, "validation")
)
detected = detection.detect_fields(detector, test_fields)
small_truth = detection.true_boxes(test_fields)
field_groups = frame.loc[test_ids, "group"]
print(f"threshold {heat_threshold:.2f}, {len(detected)} peaks above 0.05")
# %%
def score(detections, true, threshold):
    matches = metrics.match_detections(detections, true, criterion="centre")
    working = metrics.detection_metrics(
        matches, field_groups, threshold, seed=seed
    )
    precision = metrics.detection_average_precision(
        matches, field_groups, seed=seed
    )
    first = {"measure": "average precision", **precision.row("value")}
    return pd.concat([pd.DataFrame([first]), working])
# %%
compared = pd.concat(
    [
        score(by_threshold, test_truth, classical.WORKING_POINT).assign(
            detector="threshold and watershed"
        ),
        score(detected, small_truth, heat_threshold).assign(
            detector="network"
        ),
    ],
    ignore_index=True,
)
# %%
save_table(
    compared, outputs / "count-detection.csv", ["detector", "measure"]
)
shown = compared.pivot_table("value", "measure", "detector", sort=False)
show_table(shown.reset_index().round(3))
# %% [markdown]
# Read the table from the bottom: what the ward sees is the counting error. Above it stand the two ways to be wrong: a cell that is missed lowers the **sensitivity** (*recall*), a box on something else lowers the **precision**. **Average precision** is the area under the curve of the two over all thresholds, so that it judges the order of the boxes and not one threshold.
# %%
show_text(sentences.describe_detectors(compared))
# %% [markdown]
# Synthetic fields are easy. On real blood the question is the other laboratory: the same network, trained on some sources and tested on others, beside threshold and watershed.
# %% tags=["slide"]
stored = published_table("counting-detection")
show_text(sentences.describe_stored_detectors(stored))
# %% [markdown]
# ## A fair count at the border
#
# Some cells lie half outside their field. Count only whole cells, and large ones are missed more often than small ones: the border strip in which a cell is cut is as wide as the cell. Count all that can be seen, and large cells are counted too often. Try all three rules on a film of equally many small and large cells:
# %%
random = np.random.default_rng(seed)
middle = random.uniform(-20, 100, (20_000, 2))  # µm, around a field of 80 µm
side = np.where(random.random(20_000) < 0.5, 9.0, 18.0)
film = pd.DataFrame(
    np.column_stack([middle - side[:, None] / 2, middle + side[:, None] / 2]),
    columns=patches.SIDES,
)
seen = film[(film[["right", "bottom"]] > 0).all(axis=1)]
seen = seen[(seen[["left", "top"]] < 80).all(axis=1)]
# %%
marked = cell_rules.mark_border(seen, (80, 80), um_per_pixel=100.0)
large = pd.Series(side == 18.0, film.index)
rules = {
    "all that is seen": marked.index,
    "whole cells only": marked.index[~marked["cut"]],
    "two forbidden borders": marked.index[marked["counted"]],
}
for rule, ids in rules.items():
    print(f"{rule:22} {large[ids].mean():.0%} large")
# %% [markdown]
# The third rule is Gundersen's ([1977](https://doi.org/10.1111/j.1365-2818.1977.tb00062.x)): a cell that touches the right or the lower border is not counted, one that touches only the left or the upper border is. Every cell of a film that is tiled by fields is then counted exactly once, whatever its size.
#
# ## Name the cells
#
# Every box becomes a picture of one cell, with a margin of a tenth, and the rest is as in the chapters before: features of the cells of the training patients, linear discriminant analysis, and cells of other patients to test it. Named wrongly may be a cell that was found rightly; a box on no cell has no right name at all.
# %%
def cut_cells(boxes):
    rows = []
    for name, own in boxes.groupby("image_id", sort=False):
        field = data.load_image(name)
        for crop in cell_rules.cut_out(field, own):
            rows.append(images.resize_pad(crop, crop_size))
    return np.stack(rows)


train_truth = truth[truth["group"].isin(groups[:n_train_patients])]
train_crops = cut_cells(train_truth)
# %%
found = detected[detected["score"] >= heat_threshold].copy()
found[patches.SIDES] *= network.UM_PER_PIXEL / true_scale
found = reference.label_detections(found, test_truth)
found["group"] = found["image_id"].map(frame["group"])
found = found.sort_values("image_id", ignore_index=True)
test_crops = cut_cells(found)
print(f"{len(train_crops)} cells to train on, {len(test_crops)} to name")
# %%
x_train = features.extract_feature_table(train_crops, train_truth.index)
x_test = features.extract_feature_table(test_crops, found.index)
lda = ShrinkageLDA().fit(x_train.to_numpy(), train_truth["label"])
probability = lda.predict_proba(x_test.to_numpy())
named = found.join(
    pd.DataFrame(probability, found.index, [f"p_{c}" for c in lda.classes_])
)
named["predicted_class"] = metrics.predicted_classes(named)
# %% tags=["slide"]
of_cells = named[named["label"] != reference.INVENTED]
plots.confusion_plot(
    metrics.confusion_matrix(of_cells), "Cells of test patients, by type."
)
# %% [markdown]
# ## The differential, with an interval
#
# A share of 5 % may be 1 cell of 20 or 50 of 1,000. The interval says which. Each cell is like a draw from the blood, so that the share of a type has the interval of a proportion (Wilson's, as in [chapter 05](05-classify.ipynb)). If cells of one field are alike, since large cells are carried to the edge of a film, the draws are fewer than the cells: the **overdispersion** between fields says how many times too many were counted.
# %%
differential = metrics.differential_count(named, classes)
blood = reference.blood_shares(data, classes)
save_table(
    differential, outputs / "count-differential.csv", ["group", "class"]
)
# %% tags=["slide"]
plots.differential_plot(
    differential,
    blood,
    "Counted shares with 95 % intervals, and the true shares in the blood.",
)
# %%
show_text(sentences.describe_coverage(differential, blood))
# %% [markdown]
# The interval holds one error only: that other fields would have shown other cells. It says nothing of the errors of detector and classifier. Where they are large, counting more cells makes the interval narrower and no more right.
#
# ## How many cells are enough?
# %%
explorers.counting()
# %% [markdown]
# Move the sliders, and answer the ward. In 1985 Rümke gave laboratories a table of the 95 % limits of a count, and it is still the yardstick for what two observers may differ by ([Rümke, 1985](../book/references.md)).
# %%
show_text(sentences.answer_the_ward(3, 7, 100))
# %% tags=["slide"]
plots.interval_width_plot("Half the width of the 95 % interval of a share.")
# %% [markdown]
# Four times as many cells make an interval half as wide. And what is rare is easily missed altogether: of 1 % blasts, the chance to see not one among 100 cells is 0.99¹⁰⁰.
# %%
for n in (100, 200, 500):
    print(f"{n} cells: {metrics.chance_of_none(0.01, n):.0%} see no blast")
# %% [markdown]
# ## What each step does to the percentages
#
# Since the true shares are known here, the error can be followed. First all annotated cells are counted with their true types: only the sample errs. Then only the cells that were found, still with their true types. Then with the types that the model gives them, boxes on no cell included.
# %%
steps = {
    "all cells, true types": test_truth.rename(
        columns={"label": "predicted_class"}
    ),
    "found cells, true types": of_cells.assign(
        predicted_class=of_cells["label"]
    ),
    "found cells, named by the model": named,
}
counts = {
    step: metrics.differential_count(table, classes)
    for step, table in steps.items()
}
# %% [markdown]
# One more step can take an error back. On cells of the *training* patients (each predicted by a model that has not seen that patient) we know how often each type is called each other type. Solving for the shares that would give the observed calls is **adjusted counting** ([chapter 09](09-trust.ipynb) estimated one prevalence so). The interval grows, because the confusion itself is known from a few hundred cells only.
# %%
from sklearn.model_selection import GroupKFold, cross_val_predict

out_of_fold = cross_val_predict(
    ShrinkageLDA(),
    x_train,
    train_truth["label"],
    groups=train_truth["group"],
    cv=GroupKFold(n_train_patients),
    method="predict_proba",
)
# %%
columns = [f"p_{name}" for name in lda.classes_]
validation = train_truth[["group", "label"]].join(
    pd.DataFrame(out_of_fold, train_truth.index, columns)
)
corrected = metrics.corrected_shares(
    validation,
    named[["group", "image_id", *columns]],
    method="EM",
    seed=seed,
)
counts["corrected for confusion"] = corrected
# %%
by_step = reference.errors_by_step(counts, blood)
save_table(by_step, outputs / "count-steps.csv", ["step"])
show_table(by_step.round(1))
# %%
show_text(sentences.describe_steps(by_step))
# %% [markdown]
# ## Your own fields
#
# `leukobook count` does all of this for a folder, with a detector from `leukobook train-detector` and any classifier of this course: a table of cells, a differential per patient, flags (*fewer than 100 cells*, *blasts seen*, *left shift*), overlays, and a page with a gallery that begins with the most doubtful cells, so that an expert can correct the count in minutes and have it counted again ([how to use this book](../book/how-to-use.md)). It does not count *per microlitre*: a film does not tell how much blood lies under a field.
# %%
