"""Two evaluations of the same images are compared model by model, on the same images."""

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from helpers.cli import app
from helpers.evaluation import comparison

SEED = 20


def predictions(noise, classes=("blast", "other"), models=("a", "b"), n=60):
    """Table of an evaluation: every model predicts the truth plus noise."""
    rng, parts = np.random.default_rng(SEED), []
    truth = np.arange(n) % len(classes)
    for model in models:
        scores = np.eye(len(classes))[truth] + noise * rng.normal(size=(n, len(classes)))
        powers = np.exp(scores)
        columns = {f"p_{name}": (powers / powers.sum(1, keepdims=True))[:, k] for k, name in enumerate(classes)}
        frame = pd.DataFrame({"model": model, "image_id": [f"i{k:02}" for k in range(n)], **columns})
        parts.append(frame.assign(group=[f"g{k % 12}" for k in range(n)], label=np.array(classes)[truth], fold=0))
    return pd.concat(parts)


def write(folder, table):
    folder.mkdir()
    table.to_csv(folder / "predictions.csv", index=False)
    return folder


def test_differences_are_second_minus_first_whatever_the_order_of_images(tmp_path):
    first = write(tmp_path / "a", predictions(3.0))
    second = write(tmp_path / "b", predictions(0.1).iloc[::-1])
    table = comparison.compare(first, second / "predictions.csv", seed=SEED).set_index("model")
    assert list(table.index) == ["a", "b"]
    assert (table["second"] == 1).all() and (table["first"] < 0.9).all()
    assert table["difference"].tolist() == pytest.approx((table["second"] - table["first"]).tolist())
    assert (table["low"] > 0).all() and (table[["n", "groups"]].to_numpy() == [60, 12]).all()
    same = comparison.compare(first, first, seed=SEED)
    assert same[["difference", "low", "high"]].to_numpy().tolist() == [[0, 0, 0]] * 2


def test_more_than_two_classes_are_compared_by_balanced_accuracy(tmp_path):
    names = ("x", "y", "z")
    first, second = (write(tmp_path / str(k), predictions(k, names)) for k in (2, 0))
    table = comparison.compare(first, second, seed=SEED)
    assert set(table["measure"]) == {"balanced accuracy"} and (table["second"] == 1).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda t: t[t["image_id"] != "i07"],
            "1 are in only one of them, and a paired comparison needs",
        ),
        (lambda t: t.assign(label=t["label"].iloc[::-1].to_numpy()), "different classes or labels for the same images"),
        (lambda t: t.assign(group="g"), "different groups for the same images"),
        (lambda t: t.assign(model=t["model"] + "2"), "no model in common; evaluate both with the same version"),
        (lambda t: t.drop(columns="fold"), "is not the table of an evaluation; missing: fold"),
        (lambda t: t.assign(p_blast="x"), "cannot be read as a table of predictions"),
    ],
)
def test_evaluations_that_are_not_alike_are_refused(tmp_path, change, message):
    first = write(tmp_path / "a", predictions(1.0))
    second = write(tmp_path / "b", change(predictions(1.0)))
    with pytest.raises(comparison.ComparisonError, match=message):
        comparison.compare(first, second, seed=SEED)


def test_a_folder_without_an_evaluation_is_named(tmp_path):
    with pytest.raises(comparison.ComparisonError, match="pass the folder that leukobook evaluate has written"):
        comparison.compare(tmp_path, tmp_path, seed=SEED)


def test_the_command_prints_every_model_and_writes_the_table(tmp_path):
    first, second = (write(tmp_path / name, predictions(noise)) for name, noise in (("a", 3.0), ("b", 0.1)))
    out = tmp_path / "table.csv"
    result = CliRunner().invoke(app, ["compare", str(first), str(second), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert result.output.startswith("second − first, on the same images:\na: AUC ")
    assert pd.read_csv(out)["model"].tolist() == ["a", "b"]
