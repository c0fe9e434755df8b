"""Page on the predictions of a user's images: one HTML file with the pictures of some cells inside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from helpers import images, metrics
from helpers.models.model_card import ModelCard
from helpers.pages import html_from_markdown, html_table, page_template, png_uri
from helpers.prediction.classification import PredictionResult
from helpers.prediction.groups import THRESHOLD_NOTE
from helpers.prediction.referral import describe_referrals
from helpers.reports import format_estimate
from helpers.reports.cards import model_card

TEMPLATE = Path(__file__).with_name("page.html")
MAX_CELLS = 12  # least certain, and as many most certain
CELL_SIZE = 96  # pixels
MAX_ROWS = 200  # of a table
MAX_UNREADABLE = 20


def prediction_page(result: PredictionResult, card: ModelCard, source: Path) -> str:
    """Write predictions as a self-contained page, which loads nothing from the network.

    Args:
        result: from :func:`helpers.prediction.predict`.
        card: model card of the classifier.
        source: the classified image, or the folder of the images, whose name is the title.

    Returns:
        HTML document; names of the user are escaped, local paths removed.
    """
    folder = source if source.is_dir() else source.parent
    unreadable = [message.replace(f"{folder}/", "") for message in result.bad]
    return page_template(TEMPLATE).render(
        title=source.resolve().name,
        n_images=len(result.table),
        model=card.network,
        model_facts=_model_facts(card),
        counts=html_table(_counts(result.table, card), "Images by predicted class."),
        findings=result.findings,
        referrals=describe_referrals(result.table),
        unreadable=unreadable[:MAX_UNREADABLE],
        n_unreadable=len(unreadable),
        per_group=_group_table(result, card),
        threshold_note=THRESHOLD_NOTE if card.threshold is not None else "",
        cells=_cells(result, card),
        certainty=_certainty_sentence(card),
        table=_bounded(result.table, "Predictions"),
        model_card=html_from_markdown(model_card(card), "model card"),
    )


def certainty(table: pd.DataFrame, card: ModelCard) -> pd.Series:
    """Measure how far each prediction is from being another class.

    Args:
        table: table of predictions.
        card: model card, for the classes and the threshold.

    Returns:
        Of two classes, the distance of the probability of the positive class from the threshold, if there is one;
        otherwise the difference of the two highest probabilities.
    """
    if len(card.classes) == 2 and card.threshold is not None:
        return (table[f"{metrics.PREFIX}{card.positive}"] - card.threshold).abs()
    highest = np.sort(table[[metrics.PREFIX + name for name in card.classes]].to_numpy(), axis=1)[:, ::-1]
    return pd.Series(highest[:, 0] - highest[:, 1], table.index)


def _certainty_sentence(card: ModelCard) -> str:
    if len(card.classes) == 2 and card.threshold is not None:
        return f"By the distance of the probability of {card.positive} from the threshold of {card.threshold:.3f}."
    return "By the difference of the two highest probabilities."


def _model_facts(card: ModelCard) -> dict[str, str]:
    facts = {
        "Network": card.network,
        "Trained on": f"{card.data.title} ({card.data.name})",
        "Classes": ", ".join(card.classes),
    }
    if card.threshold is not None:
        facts["Threshold"] = f"{card.positive} is predicted from a probability of {card.threshold:.3f}"
    for name, estimate in card.test.items():
        if name in ("AUC", "sensitivity", "specificity", "balanced accuracy"):
            value = format_estimate(estimate.value, estimate.low, estimate.high, estimate.interval)
            facts[f"Test {name}"] = f"{value} (n={estimate.n}, groups={estimate.groups})"
    return facts | {"Intended use": card.purpose}


def _counts(table: pd.DataFrame, card: ModelCard) -> pd.DataFrame:
    counts = table["predicted_class"].value_counts().reindex(card.classes, fill_value=0)
    return pd.DataFrame({"class": counts.index, "images": counts.to_numpy(), "share": counts.to_numpy() / len(table)})


def _group_table(result: PredictionResult, card: ModelCard) -> Markup | None:
    """Render the table per group; with a positive class, the highest probability of it comes first."""
    if result.per_group is None:
        return None
    if card.positive is None:
        return _bounded(result.per_group, "Groups")
    by = f"{metrics.PREFIX}{card.positive}"
    ordered = result.per_group.sort_values(by, ascending=False, kind="stable")
    return _bounded(ordered, f"Groups, the highest mean probability of {card.positive} first")


def _bounded(table: pd.DataFrame, caption: str) -> Markup:
    cut = f", {MAX_ROWS} of {len(table)} rows; the CSV file has all" if len(table) > MAX_ROWS else ""
    return html_table(table.head(MAX_ROWS), f"{caption}{cut}.")


def _cells(result: PredictionResult, card: ModelCard) -> dict[str, list[dict[str, Any]]]:
    """Return pictures and names of the least and of the most certain cells; no cell is in both lists."""
    order = certainty(result.table, card).sort_values(kind="stable").index
    n_least = min(MAX_CELLS, (len(order) + 1) // 2)
    n_most = min(MAX_CELLS, len(order) - n_least)
    chosen = {"Least certain": order[:n_least], "Most certain": order[::-1][:n_most]}
    return {
        heading: [_cell(result.table.loc[k], result.paths[k]) for k in rows]
        for heading, rows in chosen.items()
        if len(rows)
    }


def _cell(row: pd.Series, path: Path) -> dict[str, str]:
    image = images.resize_pad(images.read_image(path, min_size=CELL_SIZE), CELL_SIZE)
    return {
        "source": png_uri(image),
        "image": str(row["image"]),
        "group": str(row.get("group", "")),
        "predicted": str(row["predicted_class"]),
        "probability": f"{row[metrics.PREFIX + row['predicted_class']]:.3f}",
    }
