"""Estimate how long the sections of a chapter take: reading from their length, running as measured.

Reading is estimated from words, lines of code and figures, exercises from their rung on the ladder, the quiz from its
number of questions. Running is the time of the code cells in the execution that the book is built from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nbformat import NotebookNode

from helpers import yamlfile
from helpers.project import Project
from helpers.runs import notebooks

# Adults read 175 to 300 words of English non-fiction a minute, 238 on average (Brysbaert, 2019,
# https://doi.org/10.1016/j.jml.2019.104047); a text with new terms takes longer. The other values are estimates.
WORDS_PER_MINUTE = 200
SECONDS_PER_LINE = 5
SECONDS_PER_FIGURE = 30  # likewise of a table
MINUTES_PER_QUESTION = 0.75
# By the rung of an exercise, the first word of its title; another title has OTHER_EXERCISE. A project takes hours to
# days, which are not counted.
EXERCISE_MINUTES = {"Predict": 2, "Read": 3, "Change": 4, "Write": 10, "Debug": 8, "Explain": 5, "Project": 0}
OTHER_EXERCISE = 5

BEGINNING = "Beginning"  # what is above the first section

_HEADING = re.compile(r"## (.+)")
_MARK = re.compile(r"\{(exercise|solution)-(start|end)\}\s*(\w*)")
_MARKUP = re.compile(
    r"\]\([^)]*\)|^\s*[`:]{3,}.*|^:[\w-]+:.*|\{\w+(:\w+)*\}"
)  # link targets, directives, options, roles
_STATED = re.compile(r"\*\*About \d+ minutes:\*\* \d+ to read, \d+ for exercises and quiz")
STATED_TO = 5  # minutes to which the beginning of a chapter rounds
_QUIZ = re.compile(r"teaching\.quiz\(\s*[\"']([\w-]+)")
# Cells that are folded on the page.
_FOLDED = {"setup", "hide-input", "hide-cell", "remove-cell", "remove-input", "injected-parameters"}


@dataclass
class Section:
    """What a reader does in one section of a chapter.

    Attributes:
        title: heading; :data:`BEGINNING` above the first one.
        words: words of the text and of computed sentences, without exercises and solutions.
        code_lines: lines of code in sight, likewise.
        figures: figures and tables.
        exercise_minutes: estimated time for exercises and quiz, without the project.
        seconds: measured time of the code cells; 0 where the notebook was not executed.
    """

    title: str
    words: int = 0
    code_lines: int = 0
    figures: int = 0
    exercise_minutes: float = 0.0
    seconds: float = 0.0

    @property
    def text_minutes(self) -> float:
        """Estimated time to read the text and look at figures and tables, without code."""
        return self.words / WORDS_PER_MINUTE + self.figures * SECONDS_PER_FIGURE / 60

    @property
    def reading_minutes(self) -> float:
        """Estimated time to read text and code."""
        return self.text_minutes + self.code_lines * SECONDS_PER_LINE / 60


def read_sections(notebook: NotebookNode) -> list[Section]:
    """Measure the sections of a chapter, which begin at its second-level headings.

    Args:
        notebook: the chapter; executed by papermill, or without times.
    """
    sections, in_exercise = [Section(BEGINNING)], False
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            in_exercise = _add_text(cell.source, sections, in_exercise)
        elif cell.cell_type == "code":
            _add_code(cell, sections[-1], in_exercise)
    return sections


def _add_text(markdown: str, sections: list[Section], in_exercise: bool) -> bool:
    """Add a Markdown cell to the last section or to new ones; return whether an exercise or solution goes on."""
    for line in markdown.splitlines():
        if heading := _HEADING.fullmatch(line):
            sections.append(Section(heading[1]))
        elif mark := _MARK.search(line):
            kind, end, rung = mark.groups()
            in_exercise = end == "start"
            if in_exercise and kind == "exercise":
                sections[-1].exercise_minutes += EXERCISE_MINUTES.get(rung, OTHER_EXERCISE)
        elif not in_exercise:
            sections[-1].words += count_words(line)
    return in_exercise


def _add_code(cell: NotebookNode, section: Section, in_exercise: bool) -> None:
    section.seconds += cell.metadata.get("papermill", {}).get("duration") or 0.0
    if quiz := _QUIZ.search(cell.source):
        questions = yamlfile.read(Project.current().package / "quizzes" / f"{quiz[1]}.yaml").value
        section.exercise_minutes += MINUTES_PER_QUESTION * len(questions)
    elif not in_exercise and not _FOLDED & set(notebooks.tags(cell)):
        if not notebooks.makes_a_sentence(cell.source):
            section.code_lines += sum(bool(line.strip()) for line in cell.source.splitlines())
        for output in cell.get("outputs", []):
            data, metadata = output.get("data", {}), output.get("metadata", {})  # committed figures have no data
            section.words += count_words(data.get("text/markdown", ""))
            section.figures += "image/png" in {**data, **metadata} or "text/html" in data


def count_words(line: str) -> int:
    """Count the words of a line of Markdown, without link targets, directives and roles."""
    return len(re.findall(r"\w[\w’'.,-]*", _MARKUP.sub(" ", line)))


def total(sections: Sequence[Section], title: str = "Total") -> Section:
    """Add up sections."""
    return Section(
        title,
        sum(section.words for section in sections),
        sum(section.code_lines for section in sections),
        sum(section.figures for section in sections),
        sum(section.exercise_minutes for section in sections),
        sum(section.seconds for section in sections),
    )


# --- the times in Markdown


def state_minutes(text: str, sections: Sequence[Section]) -> str:
    """Return the text with the estimates in its sentence ``**About N minutes:** A to read, B for exercises and quiz``.

    A and B are rounded to 5 minutes, and N is their sum.

    Args:
        text: beginning of a chapter, or its whole file; without such a sentence it is returned as it is.
        sections: sections of the chapter, from :func:`read_sections`.
    """
    chapter = total(sections)
    reading, exercises = (
        STATED_TO * max(1, round(value / STATED_TO)) for value in (chapter.reading_minutes, chapter.exercise_minutes)
    )
    stated = f"**About {reading + exercises} minutes:** {reading} to read, {exercises} for exercises and quiz"
    return _STATED.sub(stated, text)


RULE = (
    f"Reading is estimated: {WORDS_PER_MINUTE} words a minute {{cite:p}}`brysbaert2019`, {SECONDS_PER_LINE} seconds "
    f"for a line of code and {SECONDS_PER_FIGURE} for a figure or table. So are exercises (from "
    f"{EXERCISE_MINUTES['Predict']} minutes to predict to {EXERCISE_MINUTES['Write']} to write a function) and quiz "
    f"({MINUTES_PER_QUESTION * 60:.0f} seconds a question); a project takes "
    "hours to days, which are not counted. Running was measured when this page was built. Each number is rounded, so "
    "that sections need not add up to the total."
)

_HEAD = "| Reading | Exercises and quiz | Running |\n|---|---:|---:|---:|"


def section_table(sections: Sequence[Section]) -> str:
    """Return the folded table of a chapter's sections with their times, as an admonition in MyST Markdown.

    Args:
        sections: sections of the chapter, from :func:`read_sections`.
    """
    rows = [_row(section.title, section) for section in [*sections, total(sections, "**Total**")]]
    table = "\n".join([f"| Section {_HEAD}", *rows])
    return f":::{{admonition}} How long does each section take?\n:class: dropdown\n{table}\n\n{RULE}\n:::"


def chapter_table(chapters: Mapping[str, Sequence[Section]]) -> str:
    """Return the table of all chapters with their times in Markdown, with links, for a page in the folder ``book``.

    Args:
        chapters: sections by the name of the notebook.
    """
    rows = [_row(f"{{doc}}`../notebooks/{name}`", total(sections)) for name, sections in chapters.items()]
    everything = total([section for sections in chapters.values() for section in sections])
    return "\n".join([f"| Chapter {_HEAD}", *rows, _row("**Total**", everything), "", RULE, ""])


def _row(title: str, section: Section) -> str:
    cells = [minutes(section.reading_minutes), minutes(section.exercise_minutes), duration(section.seconds)]
    return "| " + " | ".join([title.replace("|", "\\|"), *cells]) + " |"


def minutes(value: float) -> str:
    """Format an estimate in whole minutes; a dash for nothing."""
    return f"{max(1, round(value))} min" if value else "–"


def duration(seconds: float) -> str:
    """Format a measured time in seconds, or in minutes from two on; a dash for nothing."""
    if not seconds:
        return "–"
    return f"{max(1, round(seconds))} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def read_chapters(run: str, done: set[str]) -> dict[str, list[Section]]:
    """Measure all chapters of the book.

    Args:
        run: name of the profile that was run.
        done: names of the notebooks that this run has executed; of the others the committed notebooks are read.

    Returns:
        Sections by the name of the notebook.
    """
    project, chapters = Project.current(), {}
    for path in sorted(project.notebooks.glob("*.ipynb")):
        executed = project.build / run / "notebooks" / path.name
        chapters[path.stem] = read_sections(notebooks.read(executed if path.stem in done else path))
    return chapters
