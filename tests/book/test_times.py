"""How long the sections of a chapter take: what is counted, what the tables say, and that chapters state the same."""

import re

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers.book import times
from helpers.project import Project
from helpers.runs import notebooks

CHAPTERS = sorted(Project.current().notebooks.glob("*.ipynb"))


def code(source, seconds=0.0, tags=(), outputs=()):
    metadata = {"tags": list(tags), "papermill": {"duration": seconds}}
    return new_code_cell(source, metadata=metadata, outputs=list(outputs))


@pytest.fixture
def chapter():
    figure = new_output("display_data", {"text/plain": "a figure"}, metadata={"image/png": {"alt": "a cell"}})
    sentence = new_output("display_data", {"text/markdown": "Two more words: four.", "text/plain": "the same"})
    return new_notebook(
        cells=[
            new_markdown_cell("# 42 A title\n\n:::{note}\n:class: tip\nthree words [here](a/b.html)\n:::"),
            code("setting = 1", 1.0, ["injected-parameters"]),
            new_markdown_cell("## Cells | pixels\n\n" + "word " * 195 + "{cite:p}`key`"),
            code("a = 1\n\nb = 2", 2.5, outputs=[figure, sentence]),
            code("hidden = 1", 4.0, ["hide-input"]),
            new_markdown_cell("## Exercises\n\n```{exercise-start} Write: a function\n:label: x\n```\nDo this."),
            code("answer = ...", 0.5),
            new_markdown_cell(
                "```{exercise-end}\n```\n\n```{exercise-start} An old title\n```\n```{exercise-end}\n```"
            ),
            new_markdown_cell("```{solution-start} x\n:class: dropdown\n```\nThe answer is long."),
            code("answer = 42", 1.5),
            new_markdown_cell("```{solution-end}\n```"),
            code('teaching.quiz("start-here")'),
        ]
    )


def test_sections_have_words_lines_figures_exercises_and_measured_seconds(chapter):
    beginning, cells, exercises = times.read_sections(chapter)
    assert beginning == times.Section("Beginning", words=3 + 3, seconds=1.0)  # the title, and three words
    assert cells == times.Section("Cells | pixels", words=196 + 4, code_lines=2, figures=1, seconds=6.5)
    assert cells.text_minutes == 1 + 0.5
    assert cells.reading_minutes == pytest.approx(1.5 + 10 / 60)
    n_questions = len((Project.current().package / "quizzes" / "start-here.yaml").read_text().split("- question:")) - 1
    assert exercises.exercise_minutes == 10 + 5 + 0.75 * n_questions
    assert (exercises.words, exercises.code_lines, exercises.seconds) == (0, 0, 2.0)


def test_the_table_of_a_chapter_is_folded_and_ends_with_the_total(chapter):
    lines = times.section_table(times.read_sections(chapter)).splitlines()
    assert lines[:2] == [":::{admonition} How long does each section take?", ":class: dropdown"]
    assert lines[4:6] == ["| Beginning | 1 min | – | 1 s |", "| Cells \\| pixels | 2 min | – | 6 s |"]
    assert lines[7].startswith("| **Total** | 2 min | ")
    assert lines[7].endswith(" | 10 s |")
    assert "200 words a minute" in lines[9]
    assert lines[-1] == ":::"


def test_the_table_of_all_chapters_adds_them_up():
    sections = [times.Section("a", words=1000, seconds=100.0), times.Section("b", exercise_minutes=7)]
    lines = times.chapter_table({"01-one": sections, "02-two": sections}).splitlines()
    assert lines[2] == "| {doc}`../notebooks/01-one` | 5 min | 7 min | 100 s |"
    assert lines[4] == "| **Total** | 10 min | 14 min | 3 min |"


def test_a_chapter_that_was_not_executed_has_no_running_time(chapter):
    for cell in chapter.cells:
        cell.metadata.pop("papermill", None)
    assert times.total(times.read_sections(chapter)).seconds == 0
    assert times.duration(0) == "–"


def test_an_edit_of_the_prose_keeps_the_measured_times(chapter):
    edited = new_notebook(cells=[new_markdown_cell("New."), new_code_cell("a = 1")])
    ran = new_notebook(cells=[code("a = 1", 3.5)])
    assert times.total(times.read_sections(notebooks.with_outputs(edited, ran))).seconds == 3.5


def test_the_beginning_of_a_chapter_states_the_sum_of_its_table():
    sections = [times.Section("a", words=3400), times.Section("b", words=4100, exercise_minutes=2), times.Section("c")]
    text = "**About 1 minutes:** 2 to read, 3 for exercises and quiz, without the project. **About 7** more."
    stated = times.state_minutes(text, sections)
    assert stated.startswith(
        "**About 45 minutes:** 40 to read, 5 for exercises and quiz, without the project. **About 7"
    )
    assert times.state_minutes("**About 7 minutes:** nothing else", sections) == "**About 7 minutes:** nothing else"


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_states_the_minutes_of_its_exercises(path):
    notebook = notebooks.read(path)
    stated = re.search(
        r"\*\*About (\d+) minutes:\*\* (\d+) to read, (\d+) for exercises and quiz", notebook.cells[0].source
    )
    minutes, reading, exercises = map(int, stated.groups())
    computed = times.state_minutes(notebook.cells[0].source, times.read_sections(notebook))
    assert minutes == reading + exercises
    assert f"{exercises} for exercises and quiz, without the project" in computed


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_the_minutes_that_a_chapter_states_fit_its_length(path):
    notebook = notebooks.read(path)
    text = notebook.cells[0].source
    stated = int(re.search(r"(\d+) to read", text)[1])
    reading = times.total(times.read_sections(notebook)).reading_minutes
    # What a committed notebook lacks: outputs that differ between machines, and up to two minutes of running.
    assert reading / 1.75 <= stated <= reading * 1.75 + 2, f"reading takes {reading:.0f} minutes"
