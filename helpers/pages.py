"""What the code writes into the book's pages: dataset cards, status, results, how a synthetic cell is drawn."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd

from helpers import datasets, plots, results, runs
from helpers.datasets import synthetic
from helpers.datasets.synthetic import morphology, stains


def written(name: str) -> dict[str, bytes]:
    """All generated files of the book, by name, for a finished run."""
    texts = {
        "dataset-cards.md": dataset_cards(),
        "status.md": status(name),
        "results.md": result_tables(),
        "morphology.md": morphology_table(NORMAL),
        "blasts.md": morphology_table(morphology.FAB),
        **{f"{table}.md": result_table(table) for table in ("realism-segmentation", "realism-difficulty")},
    }
    figures = {
        "drawing.md": drawing(), "stains.md": three_stains(), "field.md": field(), "overlap.md": overlap(),
        "defects.md": defects(), "erythroblast.md": erythroblasts(),
    }  # fmt: skip
    files = {file: text.encode() for file, text in texts.items()}
    for file, picture in figures.items():
        image = file.replace(".md", ".png")
        files[image] = picture._repr_mimebundle_()[0]["image/png"]
        files[file] = f"```{{figure}} _generated/{image}\n:alt: {picture.alt}\n\n{picture.caption}\n```\n".encode()
    return files


def dataset_cards() -> str:
    """One section per dataset, from the cards in the code, in Markdown."""
    parts = []
    for name, source in datasets.SOURCES.items():
        card = source.card
        how = "drawn by the code" if source.folder is None else "fetched" if source.remote else "on your request"
        parts += [f"## `{name}`", "", f"{card.title}.", "", "| Field | Value |", "|---|---|"]
        parts += [f"| Licence | {card.licence} |", f"| Unit of independence | {card.unit} |"]
        parts += (
            [f"| How it comes | {how}: `make data NAME={name}` |"] if source.folder else [f"| How it comes | {how} |"]
        )
        parts += [f"| Home | <{card.home}> |"] if card.home else []
        parts += [f"| Citation | {{cite:t}}`{card.citation}` |"] if card.citation else []
        parts += ["", "Known defects:", "", *(f"- {defect}" for defect in card.defects), ""]
    return "\n".join(parts)


def status(name: str) -> str:
    """What ran, how long it took, on which data and with which versions, in Markdown."""
    rows = ["| Notebook | Status | Seconds | Parameters | Data (SHA-256) |", "|---|---|---:|---|---|"]
    for record in runs.read_records(name):
        given = ", ".join(f"{k} = {v}" for k, v in record.parameters.items()) or "defaults"
        rows.append(f"| {record.notebook} | {record.status} | {record.seconds:.1f} | {given} | `{record.data[:12]}` |")
    facts = results.provenance()
    versions = "\n".join(f"| {library} | {version} |" for library, version in facts.versions.items())
    return "\n".join(
        [
            f"Run `{name}` at commit `{facts.commit[:12]}` on {facts.hardware}, Python {facts.python}.",
            "",
            *rows,
            "",
            "| Library | Version |",
            "|---|---|",
            versions,
            "",
        ]
    )


def result_tables() -> str:
    """The committed result tables with their provenance, in Markdown."""
    paths = sorted(results.RESULTS.glob("*.csv"))
    return "\n".join(f"## {path.stem}\n\n{result_table(path.stem)}" for path in paths)


def result_table(name: str) -> str:
    """One committed result table with its provenance, in Markdown."""
    path = results.RESULTS / f"{name}.csv"
    about = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    given = ", ".join(f"{key} = {value}" for key, value in about["parameters"].items())
    return (
        f"{_markdown(pd.read_csv(path))}\n\n"
        f"Made by {about['made_by']} ({given}); `{about['command']}`; data SHA-256 `{about['data_sha256'][:16]}`; "
        f"commit `{about['commit'][:12]}`; {about['hardware']}, Python {about['python']}; {about['finished'][:10]}.\n"
    )


def _markdown(table: pd.DataFrame) -> str:
    shown = table.astype(object).fillna("–")
    lines = ["| " + " | ".join(table) + " |", "|" + "---|" * len(table.columns)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in shown.itertuples(index=False)]
    return "\n".join(lines)


# --- how a synthetic cell is drawn


NORMAL = {name: look for name, look in morphology.CLASSES.items() if name != "lymphoblast"}


def morphology_table(looks: dict[str, morphology.Morphology]) -> str:
    """Rows of the table of cells, in Markdown, a column for each kind."""
    rows = {
        "diameter, µm": lambda m: _range(m.diameter),
        "nucleus / cell, area": lambda m: _range(m.nc_ratio),
        "lobes": lambda m: ", ".join(f"{n} ({share:.0%})" for n, share in m.lobes.items()),
        "bend of one lobe, rad": lambda m: _range(m.bend) if 1 in m.lobes else "–",
        "chromatin clumps, contrast": lambda m: _range(m.clumps),
        "clump size, µm": lambda m: f"{m.clump_size}",
        "nuclear stain": lambda m: _range(m.nuclear_stain),
        "creases": lambda m: _range(m.folds),
        "nucleoli": lambda m: _range(m.nucleoli),
        "blue of cytoplasm": lambda m: _range(m.azure),
        "pink of cytoplasm": lambda m: _range(m.eosin),
        "granules, µm": lambda m: ", ".join(_range(g.diameter) for g in m.granules) or "–",
        "granules per µm²": lambda m: ", ".join(_range(g.density) for g in m.granules) or "–",
        "vacuoles": lambda m: _range(m.vacuoles),
        "source": lambda m: f"{{cite:t}}`{','.join(m.source)}`",
    }
    table = pd.DataFrame({name: [show(look) for show in rows.values()] for name, look in looks.items()})
    table.insert(0, "", list(rows))
    return _markdown(table) + "\n"


def _range(pair: tuple[float, float]) -> str:
    return f"{pair[0]:g}" if pair[0] == pair[1] else f"{pair[0]:g} to {pair[1]:g}"


def drawing() -> plots.Picture:
    """Two cells, step by step, three steps in a row."""
    rows = {}
    for name, look, seed in (("eosinophil", morphology.EOSINOPHIL, 4), ("lymphoblast", morphology.L2, 1)):
        made = list(synthetic.drawing.steps(look, seed=seed).items())
        for first in (0, 3):
            part = made[first : first + 3]
            label = "\n".join([name, "", *(f"{k}. {title}" for k, (title, _) in enumerate(part, first + 1))])
            rows[label] = np.stack([picture for _, picture in part])
    picture = plots.grid(rows, "What each step adds; the sixth is the lens, the sensor and the file.", side=1.7)
    steps = "red cells, cytoplasm, nucleus, chromatin, granules, photograph"
    return replace(picture, alt=f"An eosinophil and a lymphoblast, each after six steps of drawing: {steps}.")


def three_stains() -> plots.Picture:
    """Every row of the table in every stain."""
    looks = NORMAL | morphology.FAB
    rows = {
        stain: np.stack([synthetic.draw_cell(look, stain, 128, seed=7)[0] for look in looks.values()])
        for stain in stains.STAINS
    }
    caption = "The same patient and the same streams of chance in three stains: what moves is colour, outline and blur."
    return plots.grid(rows, caption, list(looks))


def field() -> plots.Picture:
    """A whole field, and its mask."""
    dataset = datasets.load("synthetic", n=6, patients=6, task="fields", size=512)
    name = max(dataset.frame.index, key=lambda image_id: len(dataset.frame.loc[image_id, "types"]))
    found = pd.Series([kind for kind, *_ in dataset.frame.loc[name, "boxes"]]).value_counts()
    rows = {"": np.stack([dataset.image(name), plots.outlined(dataset.image(name), dataset.mask(name))])}
    picture = plots.grid(rows, "A field of 80 µm, and what is known of its white cells.", side=3.2)
    count = ", ".join(f"{n} boxes of {kind}" for kind, n in found.items())
    return replace(
        picture, alt=f"A drawn blood field, plain and with outlines of white cells and their nuclei; {count}."
    )


def overlap() -> plots.Picture:
    """Nuclear ratio of lymphocytes and blasts."""
    frame = datasets.load("synthetic", n=600, patients=60, task="leukaemia", size=32).frame
    kind = frame["label"].where(frame["subtype"] == "", "blast " + frame["subtype"])
    table = pd.DataFrame({"kind": kind, "nucleus / cell": frame["nc_ratio"]})
    caption = "The nuclear ratio of lymphocytes and blasts overlaps; no threshold on it tells them apart."
    return plots.strips(table, "nucleus / cell", caption, "area", by="kind")


def defects() -> plots.Picture:
    """The two planted defects."""
    leaky = datasets.load("synthetic", n=120, patients=6, task="leukaemia", leak=1.0, shortcut=1.0)
    again = leaky.frame.index[(leaky.frame["cell"] != leaky.frame["number"]) & (leaky.frame["mark"] == "")][:4]
    first = [leaky.frame.index[leaky.frame.loc[name, "cell"]] for name in again]
    marked = leaky.frame.index[leaky.frame["mark"] != ""][:4]
    rows = {
        "one patient": leaky.subset(first).images(128),
        "another patient": leaky.subset(again).images(128),
        "shortcut": leaky.subset(marked).images(128),
    }
    return plots.grid(rows, "Rows one and two: the same four cells under two patients. Row three: the mark of ink.")


# The answer to the exercise of book/synthetic.md; a test holds the two together.
ERYTHROBLAST = replace(
    morphology.LYMPHOCYTE, diameter=(8.0, 10.0), nc_ratio=(0.25, 0.40), bend=(0.0, 0.0), cell_outline=0.03,
    nuclear_stain=(1.1, 1.3), clumps=(0.05, 0.15), azure=(0.15, 0.30), eosin=(0.50, 0.80), rim=(0.0, 0.1), granules=(),
)  # fmt: skip


def erythroblasts() -> plots.Picture:
    """What the exercise's new class looks like."""
    rows = {
        stain: np.stack([synthetic.draw_cell(ERYTHROBLAST, stain, seed=seed)[0] for seed in range(6)])
        for stain in list(stains.STAINS)[:2]
    }
    return plots.grid(rows, "Small cells with a small, dense, round nucleus and greyish pink cytoplasm.")
