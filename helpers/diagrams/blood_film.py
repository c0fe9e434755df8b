"""The path of a blood film through a laboratory: who decides what, and where an algorithm could sit.

Sources: when a film is made, Barnes et al. (2005) and Bain (2005); what its review grades, Palmer et al. (2015); that
a person confirms what a digital analyser proposes, Kratz et al. (2019); what a diagnosis of leukaemia rests on,
Alaggio et al. (2022) and Arber et al. (2022).
"""

from __future__ import annotations

from typing import NamedTuple

from helpers.diagrams.canvas import BLUE, GREEN, GREY, INK, ORANGE, YELLOW, Box, Canvas
from helpers.plots.style import FONT_SIZE, AccessibleFigure

WIDTH, HEIGHT = 4.8, 7.6  # inches; narrow enough to be read on a telephone
TOP, STEP = 93.0, 12.3  # centre of the first box and distance of the centres


class Step(NamedTuple):
    """One step of the path: what happens, who decides, the letter of an algorithm beside it, colour of the box."""

    title: str
    decided_by: str
    algorithm: str = ""
    colour: str = BLUE


STEPS = (
    Step("Blood sample", "taken by a nurse or a doctor"),
    Step("Analyser", "counts and sorts cells, in minutes"),
    Step("Flag?", "rules of the laboratory decide", "A", YELLOW),
    Step("Film review", "biomedical scientist, microscope", "B"),
    Step("Haematologist", "reads film, counts and history", "C"),
    Step("Bone marrow", "haematologist and patient agree"),
    Step("Immunophenotype, genes", "flow cytometry, genetics"),
    Step("Diagnosis", "all findings together: WHO, ICC", colour=GREEN),
)
# What leads from a step to the next; empty where nothing has to be decided.
REASONS = ("", "", "yes: a film is made", "suspicious cells", "leukaemia likely", "", "")


def blood_film() -> AccessibleFigure:
    """Draw what happens to a blood film, from the sample to the diagnosis."""
    canvas = Canvas(WIDTH, HEIGHT)
    boxes = [_step(canvas, step, TOP - number * STEP) for number, step in enumerate(STEPS)]
    for start, end, reason in zip(boxes, boxes[1:], REASONS, strict=False):
        canvas.arrow(start, end)
        if reason:
            canvas.label(start.x + 2, (start.y + end.y) / 2, reason, size=FONT_SIZE - 1, align="left")
    _report(canvas, flag=boxes[2], review=boxes[3])
    return canvas.finish(
        "Flow diagram in eight steps: blood sample, analyser, flag, film review, haematologist, bone marrow, "
        "immunophenotype and genes, diagnosis. Without a flag, or with nothing unusual on the film, a report goes back "
        "to the doctor who asked. Letters A, B and C mark the flag, the film review and the haematologist, where an "
        "algorithm could sit.",
        "What happens to a blood film. A, B and C are places where an algorithm could sit: it could choose the films, "
        "sort the cells, or give an opinion.",
    )


def _step(canvas: Canvas, step: Step, y: float) -> Box:
    box = canvas.box(38, y, 54, 8.6, colour=step.colour)
    canvas.label(box.x, y + 1.7, step.title, size=FONT_SIZE + 1, bold=True)
    canvas.label(box.x, y - 1.8, step.decided_by, size=FONT_SIZE - 1)
    if step.algorithm:
        badge = canvas.box(4.5, y, 7, 4.6, colour=ORANGE, dashed=True)
        canvas.label(badge.x, y, step.algorithm, bold=True)
        canvas.arrow(badge, box, colour=ORANGE, dashed=True)
    return box


def _report(canvas: Canvas, *, flag: Box, review: Box) -> None:
    """Draw the report that ends the path of most samples, and the two arrows that lead to it."""
    middle = (flag.y + review.y) / 2
    report = canvas.box(85, middle, 27, 8.6, "Report to\nthe doctor", colour=GREY)
    for box, reason, side in ((flag, "no flag", 1), (review, "nothing\nunusual", -1)):
        corner = (report.x, box.y)
        canvas.axes.plot([box.x + box.width / 2, corner[0]], [box.y, box.y], color=INK, linewidth=1.3)
        canvas.arrow(corner, (report.x, middle + side * report.height / 2))
        canvas.label(report.x - 1, box.y + side * 2.8, reason, size=FONT_SIZE - 1)
