"""Search a dataset, or two, for images that show the same cell, and write the pairs as a table and a page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from helpers import files, splits
from helpers.datasets import Dataset
from helpers.datasets.combined import combine
from helpers.pages import page_template, png_uri
from helpers.reports.tables import safe_text

TABLE, PAGE = "duplicates.csv", "duplicates.html"  # file names
TEMPLATE = Path(__file__).with_name("duplicates.html")
SECOND = "second/"  # before the ids of the second dataset
MAX_SHOWN = 200  # pairs with pictures
SIZE = 128  # of a picture, pixels


@dataclass(frozen=True)
class DuplicateSearch:
    """Hold what a search has found.

    Attributes:
        dataset: the images; those of a second dataset have ids that begin with :data:`SECOND`.
        between: whether pairs are of an image of the first and one of the second dataset.
        pairs: from :func:`helpers.splits.find_near_duplicates`, with the columns ``label_a``, ``label_b``, ``group_a``
            and ``group_b``.
    """

    dataset: Dataset
    between: bool
    pairs: pd.DataFrame

    @property
    def facts(self) -> dict[str, int]:
        """Return how many images were compared, and how many pairs of each kind were found."""
        pairs = self.pairs
        frame = self.dataset.frame
        facts = {
            "images": len(self.dataset),
            "pairs that show the same cell": len(pairs),
            "images in these pairs": pd.concat([pairs["image_a"], pairs["image_b"]]).nunique(),
            "pairs with equal pixels": int(pairs["identical"].sum()),
            "pairs with different labels": len(splits.select_unlike(pairs, frame["label"])),
        }
        if not self.between:
            facts["pairs in different groups"] = len(splits.select_unlike(pairs, frame["group"]))
        return facts


def search(first: Dataset, second: Dataset | None = None) -> DuplicateSearch:
    """Find images of the same cell within a dataset, or in both of two datasets.

    Args:
        first: images.
        second: images of another dataset; then only pairs of an image of each are kept.

    Raises:
        DatasetError: images cannot be read, or ids of the first dataset begin with :data:`SECOND`.
    """
    dataset = first if second is None else combine(first, second, SECOND)
    pairs = splits.find_near_duplicates(dataset)
    if second is not None:
        of_second = [pairs[end].astype(str).str.startswith(SECOND) for end in ("image_a", "image_b")]
        pairs = pairs[of_second[0] != of_second[1]].reset_index(drop=True)
    for column in ("label", "group"):
        for end in ("a", "b"):
            pairs[f"{column}_{end}"] = dataset.frame[column].reindex(pairs[f"image_{end}"]).to_numpy()
    return DuplicateSearch(dataset, second is not None, pairs)


def lines(found: DuplicateSearch) -> list[str]:
    """Return a search as lines for the terminal: counts, and what to do."""
    described = [f"{found.dataset.public_name}: {found.facts['images']:,} images"]
    described += [f"  {name}: {number:,}" for name, number in list(found.facts.items())[1:]]
    return [*described, advice(found)]


def advice(found: DuplicateSearch) -> str:
    """Return what to do about the pairs, in one sentence."""
    if found.pairs.empty:
        return "No pair was found; copies of other kinds than those of the documentation can still be there."
    if found.between:
        return "Look at the pairs; leave these images out of one of the datasets before one is tested on the other."
    if found.facts["pairs in different groups"]:
        return "Look at the pairs; give images of one cell one group, or keep one of each."
    return "All pairs lie within a group, so that no split by group separates them."


def write(found: DuplicateSearch, folder: Path) -> list[str]:
    """Write the pairs as a table and as a page with pictures, and return a line that names the files.

    Args:
        found: from :func:`search`.
        folder: an existing folder, or one to create.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files.write_text(folder / TABLE, safe_text(found.pairs).to_csv(index=False))
    files.write_text(folder / PAGE, page(found))
    return [f"{folder / PAGE} and {TABLE} are written"]


def page(found: DuplicateSearch) -> str:
    """Return a self-contained page with the pictures of the first pairs, most similar first."""
    shown = found.pairs.head(MAX_SHOWN)
    needed = list(dict.fromkeys([*shown["image_a"], *shown["image_b"]]))
    address = {}
    if needed:
        pictures = found.dataset.select(needed).load_images(SIZE)
        address = {image_id: png_uri(picture) for image_id, picture in zip(needed, pictures, strict=True)}
    pairs = [
        {**row, "source_a": address[row["image_a"]], "source_b": address[row["image_b"]]}
        for row in shown.fillna({"label_a": "no label", "label_b": "no label"}).to_dict("records")
    ]
    return page_template(TEMPLATE).render(
        name=found.dataset.public_name,
        facts_of_search={name: f"{number:,}" for name, number in found.facts.items()},
        advice=advice(found),
        pairs=pairs,
        n_pairs=len(found.pairs),
        table=TABLE,
    )
