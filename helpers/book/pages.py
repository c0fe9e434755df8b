"""Generate content of the book's pages: dataset cards, run status, result tables, figures of synthetic cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import pandas as pd

from helpers import datasets, plots, reports
from helpers.book import chapter_parameters, dataset_pages, landing, republishing, result_tables, story
from helpers.book.findings import FINDINGS
from helpers.book.story import as_figure
from helpers.datasets import synthetic
from helpers.datasets.synthetic import morphology, stains
from helpers.runs import provenance
from helpers.runs.records import Record


def generated_files(name: str, records: Sequence[Record]) -> dict[str, bytes]:
    """Generate the files that the book's pages include.

    Args:
        name: name of the profile that was run.
        records: records of its notebooks.

    Returns:
        File content by file name.
    """
    texts = {
        "status.md": status(name, records),
        "parameters.md": chapter_parameters.parameter_tables(),
        "result-tables.md": result_tables.appendix(),
        "older-tables.md": republishing.summary(),
        "morphology.md": morphology_table(NORMAL),
        "blasts.md": morphology_table(morphology.FAB),
        **{
            f"{table}.md": result_tables.result_table(table) for table in ("realism-segmentation", "realism-difficulty")
        },
    }
    figures = {
        "drawing.md": drawing(), "stains.md": three_stains(), "field.md": field(), "overlap.md": overlap(),
        "defects.md": defects(), "erythroblast.md": erythroblasts(),
    }  # fmt: skip
    files = {file: text.encode() for file, text in texts.items()} | story.generated_files(FINDINGS)
    files |= landing.generated_files() | dataset_pages.generated_files()
    for file, figure in figures.items():
        image = file.replace(".md", ".png")
        files[image] = figure._repr_mimebundle_()[0]["image/png"]
        files[file] = f"```{{figure}} _generated/{image}\n:alt: {figure.alt}\n\n{figure.caption}\n```\n".encode()
    return files


def status(name: str, records: Sequence[Record]) -> str:
    """Return the status of a run in Markdown, in words: what ran, how long, with what; and the details in tables.

    Args:
        name: name of the profile.
        records: records of its notebooks.
    """
    ordered = sorted(records, key=lambda record: record.notebook)
    facts = provenance.merge([record.provenance for record in ordered])
    rows = ["| Chapter | Outcome | Time | Parameters | Data (SHA-256) |", "|---|---|---:|---|---|"]
    rows += [_status_row(record) for record in ordered]
    versions = [f"| {library} | {version} |" for library, version in facts.versions.items()]
    return "\n".join(
        [
            f"{_outcome(name, ordered)} The code is commit `{provenance.short(facts.commit)}`; it ran on "
            f"{facts.hardware}, {provenance.describe(facts.threads)}, with Python {facts.python}.",
            "",
            *rows,
            "",
            "These versions of the libraries were installed:",
            "",
            "| Library | Version |",
            "|---|---|",
            *versions,
            "",
        ]
    )


def _outcome(name: str, records: Sequence[Record]) -> str:
    """Say in a sentence or two how many chapters of a run are done, and how long they took."""
    done = [record for record in records if record.done]
    every = "All" if len(done) == len(records) else f"{len(done)} of"
    minutes = sum(record.seconds for record in records) / 60
    sentence = (
        f"{every} {len(records)} chapters of the run `{name}` ran to their end, in {minutes:.1f} minutes together"
    )
    if len(records) < 2:
        return f"{sentence}."
    longest = max(records, key=lambda record: record.seconds)
    return f"{sentence}; {longest.notebook} took longest, {longest.seconds / 60:.1f} minutes."


def _status_row(record: Record) -> str:
    outcome = "ran to its end" if record.done else record.status
    parameters = result_tables.format_parameters(record.parameters) or "as in the notebook"
    data = f"`{record.data[:12]}`"
    return f"| {record.notebook} | {outcome} | {record.seconds:.0f} s | {parameters} | {data} |"


# --- rendering of synthetic cells


NORMAL = {name: cell for name, cell in morphology.CLASSES.items() if name != "lymphoblast"}


def morphology_table(morphologies: dict[str, morphology.Morphology]) -> str:
    """Return the table of morphology parameters in Markdown, one column per cell type.

    Args:
        morphologies: morphology by cell type.
    """
    rows = {
        "`diameter`, µm": lambda m: _range(m.diameter),
        "`nucleus_to_cell_area`, area of nucleus / area of cell": lambda m: _range(m.nucleus_to_cell_area),
        "`lobes`": lambda m: ", ".join(f"{n} ({share:.0%})" for n, share in m.lobes.items()),
        "`bend` of one lobe: 0 round, 2 kidney, 4 horseshoe": lambda m: _range(m.bend) if 1 in m.lobes else "–",
        "`oval`, length / width": lambda m: _range(m.oval),
        "`nuclear_outline`, irregularity in µm": lambda m: f"{m.nuclear_outline:g}",
        "`cell_outline`, irregularity in radii": lambda m: f"{m.cell_outline:g}",
        "`nuclear_stain`, amount": lambda m: _range(m.nuclear_stain),
        "`clumps`, contrast of chromatin": lambda m: _range(m.clumps),
        "`clump_size`, µm": lambda m: f"{m.clump_size:g}",
        "`folds`": lambda m: _range(m.folds),
        "`nucleoli`": lambda m: _range(m.nucleoli),
        "`azure`, amount of blue": lambda m: _range(m.azure),
        "`eosin`, amount of pink": lambda m: _range(m.eosin),
        "`rim`, more blue at the edge": lambda m: _range(m.rim),
        "`granules`, µm": lambda m: ", ".join(_range(g.diameter) for g in m.granules) or "–",
        "`granules`, per µm²": lambda m: ", ".join(_range(g.density) for g in m.granules) or "–",
        "`vacuoles`": lambda m: _range(m.vacuoles),
        "source": lambda m: f"{{cite:t}}`{','.join(m.source)}`",
    }
    table = pd.DataFrame({name: [show(cell) for show in rows.values()] for name, cell in morphologies.items()})
    table.insert(0, "", list(rows))
    return reports.show_table(table).to_markdown(str) + "\n"


def _range(pair: tuple[float, float]) -> str:
    return f"{pair[0]:g}" if pair[0] == pair[1] else f"{pair[0]:g} to {pair[1]:g}"


def drawing() -> plots.AccessibleFigure:
    """Draw the rendering steps of two synthetic cells, three steps per row."""
    rows, titles = {}, []
    for name, cell, seed in (("eosinophil", morphology.EOSINOPHIL, 4), ("monocyte", morphology.MONOCYTE, 12)):
        steps = list(synthetic.render_steps(cell, seed=seed).items())
        titles += [f"{k}. {title}" for k, (title, _) in enumerate(steps, 1)]
        rows[name] = np.stack([image for _, image in steps[:3]])
        rows[f"{name} "] = np.stack([image for _, image in steps[3:]])
    caption = "What each step adds. The sixth is the lens, the sensor and the file."
    figure = as_figure(plots.image_grid(rows, caption, side=1.7))
    for ax, title in zip(figure.figure.axes, titles, strict=True):
        ax.set_title(title, fontsize=9)
    alt = (
        "An eosinophil and a monocyte after each of six steps: empty ground among red cells, pale body, violet "
        "nucleus, clumped chromatin, granules, and a softer picture as a camera takes it."
    )
    return replace(figure, alt=alt)


def three_stains() -> plots.AccessibleFigure:
    """Draw a synthetic cell of each type in each stain."""
    rows = {
        name: np.stack([synthetic.render_cell(cell, stain, 160, seed=7)[0] for stain in stains.STAINS])
        for name, cell in (NORMAL | morphology.FAB).items()
    }
    caption = "The same white blood cells in three stains. The rapid stain also washes out the red cells."
    alt = (
        "Eight kinds of cell in three stains. Wright-Giemsa: pink red cells on a pale ground; May-Grünwald-Giemsa: "
        "greyer red cells on a peach ground; rapid: brownish cells and empty rings of red cells on yellow."
    )
    return replace(as_figure(plots.image_grid(rows, caption, list(stains.STAINS), side=1.4)), alt=alt)


def field() -> plots.AccessibleFigure:
    """Draw a synthetic field without and with its bounding boxes."""
    dataset = datasets.load("synthetic", n_images=6, n_patients=6, task="fields")
    name = max(dataset.frame.index, key=lambda image_id: len(dataset.frame.loc[image_id, "types"]))
    boxed, boxes = dataset.load_image(name).copy(), dataset.frame.loc[name, "boxes"]
    colours = {"WBC": (0, 114, 178), "RBC": (0, 0, 0), "Platelets": (213, 94, 0)}
    for kind, left, top, right, bottom in boxes:
        cv2.rectangle(boxed, (left, top), (right - 1, bottom - 1), colours[kind], 3 if kind == "WBC" else 1)
    count = {kind: sum(box[0] == kind for box in boxes) for kind in colours}
    rows = {"": np.stack([dataset.load_image(name), boxed])}
    caption = "A field of 80 µm, and its boxes: white blood cells blue, red cells black, platelets orange."
    alt = (
        f"A drawn field twice, plain and with boxes around {count['WBC']} white blood cells, "
        f"{count['RBC']} red cells and "
        f"{count['Platelets']} platelets."
    )
    return replace(as_figure(plots.image_grid(rows, caption, side=3.2)), alt=alt)


def overlap() -> plots.AccessibleFigure:
    """Draw the nucleus-to-cell area ratios of synthetic lymphocytes and blasts."""
    frame = datasets.load("synthetic", n_images=600, n_patients=60, task="leukaemia", size=32).frame
    kind = frame["label"].where(frame["subtype"] == "", "blast " + frame["subtype"])
    kind = kind.map(lambda name: f"{name} (n={(kind == name).sum()})")
    table = pd.DataFrame({"kind": kind, "nucleus": frame["nucleus_to_cell_area"]})
    caption = "The nucleus-to-cell area ratios of lymphocytes and blasts overlap: any threshold makes many errors."
    figure = as_figure(plots.strip_plot(table, "nucleus", caption, "area / cell area", by="kind"))
    return replace(figure, alt="One dot per cell; nucleus-to-cell area ratio by kind of cell. " + figure.alt)


def defects() -> plots.AccessibleFigure:
    """Draw the two planted issues of synthetic data: duplicates across patients and a shortcut."""
    leaky = datasets.load(
        "synthetic", n_images=120, n_patients=6, task="leukaemia", duplicate_rate=1.0, shortcut_rate=1.0
    )
    again = leaky.frame.index[(leaky.frame["cell"] != leaky.frame["number"]) & (leaky.frame["mark"] == "")][:4]
    first = [leaky.frame.index[leaky.frame.loc[name, "cell"]] for name in again]
    marked = leaky.frame.index[leaky.frame["mark"] != ""][:4]
    rows = {
        "one patient": leaky.select(first).load_images(128),
        "another patient": leaky.select(again).load_images(128),
        "lymphoblasts": leaky.select(marked).load_images(128),
    }
    alt = (
        "Four lymphocytes; below, the same four under another patient, turned or mirrored and some of them nearer; "
        "below, four lymphoblasts, each with a blue dot in one corner."
    )
    caption = "Rows one and two show `duplicate_rate`, row three `shortcut_rate`."
    return replace(as_figure(plots.image_grid(rows, caption, side=1.4)), alt=alt)


# Solution of the exercise in book/synthetic.md; a test keeps both in agreement.
ERYTHROBLAST = replace(
    morphology.LYMPHOCYTE, diameter=(8.0, 10.0), nucleus_to_cell_area=(0.30, 0.30), bend=(0.0, 0.0), oval=(1.0, 1.0),
    nuclear_outline=0.05, cell_outline=0.03, nuclear_stain=(1.1, 1.3), clumps=(0.05, 0.15), azure=(0.20, 0.35),
    eosin=(0.40, 0.60), rim=(0.0, 0.1), granules=(),
)  # fmt: skip


def erythroblasts() -> plots.AccessibleFigure:
    """Draw synthetic erythroblasts, the solution of the exercise, in two stains."""
    rows = {
        stain: np.stack([synthetic.render_cell(ERYTHROBLAST, stain, seed=seed)[0] for seed in range(6)])
        for stain in list(stains.STAINS)[:2]
    }
    alt = "Six small cells in two stains, each with a dark round nucleus and greyish pink cytoplasm."
    return replace(as_figure(plots.image_grid(rows, "Six late erythroblasts, drawn.", side=1.1)), alt=alt)
