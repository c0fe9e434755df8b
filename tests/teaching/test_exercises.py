"""Declared exercises: names, solutions, and mistakes that the checker tells from them."""

import ast
import re

import numpy as np
import pytest

from helpers import datasets
from helpers.project import Project
from helpers.runs import notebooks
from helpers.teaching import checking
from helpers.teaching.comparison import difference
from helpers.teaching.declarations import FunctionExercise, ValueExercise
from helpers.teaching.exercises import CHAPTERS

EXERCISES = {name: one for exercises in CHAPTERS.values() for name, one in exercises.items()}
VALUES = [name for name, one in EXERCISES.items() if isinstance(one, ValueExercise)]
FUNCTIONS = [name for name, one in EXERCISES.items() if isinstance(one, FunctionExercise)]


@pytest.fixture(scope="module")
def tables():
    """Datasets on which typical mistakes differ from the answer: uneven groups and classes, not in the order of ids."""
    cells = [datasets.load("synthetic", n_images=n, n_patients=p, size=32) for n, p in ((130, 10), (25, 11))]
    return [one.select(np.random.default_rng(1).permutation(one.frame.index)[3:]) for one in cells]


def test_names_begin_with_their_chapter_and_are_unique():
    assert sum(map(len, CHAPTERS.values())) == len(EXERCISES) >= 18
    for chapter, exercises in CHAPTERS.items():
        assert all(name.startswith(f"{chapter}-") for name in exercises), chapter


@pytest.mark.filterwarnings("ignore:classes with fewer groups")
@pytest.mark.parametrize("name", VALUES)
def test_a_solution_is_right_and_every_mistake_gets_its_diagnosis(name, tables):
    exercise = EXERCISES[name]
    for data in tables:
        assert checking._judge_value(exercise, exercise.solve(data), data).startswith("✅")
    for mistake in exercise.mistakes:
        verdicts = [checking._judge_value(exercise, mistake.wrong(data), data) for data in tables]
        assert any(verdict.endswith(f" is not it: {mistake.diagnosis}.") for verdict in verdicts), verdicts


@pytest.mark.filterwarnings("ignore:classes with fewer groups")
@pytest.mark.parametrize("path", sorted(Project.current().notebooks.glob("*.ipynb")), ids=lambda path: path.stem)
def test_no_known_mistake_is_right_on_the_data_of_its_chapter(path):
    """Where all patients had equally many images, the unchanged code of an exercise was right."""
    notebook = notebooks.read(path)
    options = notebooks.parameters(notebook).get("options", {}).get("synthetic", {})
    code = "\n".join(cell.source for cell in notebook.cells)
    two_classes = re.search(r"^two_classes = (\{.*?\})$", code, re.MULTILINE)  # cells of the half on splits
    options_by_exercise = {"preprocess-smallest-fold": ast.literal_eval(two_classes[1])} if two_classes else {}
    if options.get("task") == "fields":
        options = options | {"n_images": 9}  # drawing fields takes long, and no answer depends on their number
    for name, exercise in CHAPTERS[notebooks.chapter_name(path.stem)].items():
        if isinstance(exercise, ValueExercise):
            data = datasets.load("synthetic", **options_by_exercise.get(name, options))
            right = exercise.solve(data)
            for mistake in exercise.mistakes:
                assert not checking._equal(mistake.wrong(data), right), (name, mistake.diagnosis)


def test_most_exercises_know_a_typical_mistake():
    assert sum(bool(exercise.mistakes) for exercise in EXERCISES.values()) >= 0.8 * len(EXERCISES)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_inputs_of_a_function_repeat_and_tell_every_mistake_from_the_solution(name):
    exercise = EXERCISES[name]
    assert difference(list(exercise.cases()), list(exercise.cases())) is None
    assert checking._judge_function(exercise, exercise.solve).startswith("✅")
    assert len(exercise.cases()) >= 3
    for mistake in exercise.mistakes:
        assert checking._judge_function(exercise, mistake.wrong) == f"❌ Not it: {mistake.diagnosis}."


def test_hints_and_diagnoses_are_phrases_that_a_full_stop_ends():
    for name, exercise in EXERCISES.items():
        for text in (exercise.hint, *(mistake.diagnosis for mistake in exercise.mistakes)):
            assert text and text[-1] not in ".!?", name


def test_the_chance_of_pointing_is_that_of_the_annotated_masks():
    """Otsu's cells, with the red cells that touch them, gave 0.33 where the masks give 0.20."""
    data = datasets.load("synthetic", n_images=60, n_patients=12, task="leukaemia")
    share = float((data.load_masks(64) > 0).mean())
    assert EXERCISES["saliency-chance"].solve(data) == share
    assert 0.15 < share < 0.25
