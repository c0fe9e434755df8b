"""Learner paths: what their tables say, that they name what exists, and their self-tests."""

import re

import pytest

from helpers.book import paths, times
from helpers.project import Project
from helpers.teaching.quizzes import read_questions

SECTIONS = [
    times.Section("Beginning", words=400, code_lines=12, seconds=60.0),
    times.Section("What is saved?", words=1000),
    times.Section("Exercises", exercise_minutes=20),
]


def step(**changes):
    return paths.Step(**{"chapter": "one", "activity": "read", "aim": "a thing", **changes})


@pytest.mark.parametrize(("activity", "minutes"), [("read", 7.0), ("run", 9.0), ("all", 29.0)])
def test_the_time_of_a_step_depends_on_what_is_done(activity, minutes):
    assert paths.step_minutes(step(activity=activity), SECTIONS) == minutes


def test_a_table_has_a_row_for_each_chapter_and_the_total_without_what_is_left_out():
    steps = [step(leave_out=["What is saved?"]), step(chapter="two", activity="run")]
    lines = paths.path_table(steps, {"01-one": SECTIONS, "02-two": SECTIONS}).splitlines()
    assert lines[2:] == [
        "| {doc}`../notebooks/01-one` | 2 min | read | a thing | *What is saved?* |",
        "| {doc}`../notebooks/02-two` | 9 min | run | a thing | – |",
        "| **Total** | 11 min | | | |",
    ]


def test_a_chapter_or_section_that_does_not_exist_is_an_error_with_those_that_do():
    with pytest.raises(paths.PathError, match=r"there is no chapter 'three'; choose from one$"):
        paths.path_table([step(chapter="three")], {"01-one": SECTIONS})
    with pytest.raises(paths.PathError, match=r"one has no section 'X'; choose from Beginning, What is saved\?, Exerc"):
        paths.step_minutes(step(leave_out=["X"]), SECTIONS)


def test_a_step_of_another_form_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "book" / "paths").mkdir(parents=True)
    (tmp_path / "book" / "paths" / "paths.yaml").write_text("me:\n  - {chapter: one, activity: skim, aim: x}\n")
    monkeypatch.setenv("LEUKOBOOK_PROJECT", str(tmp_path))
    with pytest.raises(paths.PathError, match=r"paths.yaml: me.0.activity: Input should be 'read', 'run' or 'all'"):
        paths.read_paths()


def test_the_page_includes_table_and_self_test_of_every_path():
    page = (Project.current().book / "paths.md").read_text(encoding="utf-8")
    made = paths.generated_files(times.read_chapters("none", set()))
    assert sorted(re.findall(r"\{include\} _generated/([\w-]+\.md)", page)) == sorted([*made, "times.md"])
    for name in paths.read_paths():
        total = re.search(r"\*\*Total\*\* \| (\d+) min", made[f"path-{name}.md"])
        assert int(total[1]) > 20
        assert made[f"self-test-{name}.md"].startswith('````{raw} html\n<section class="leukobook-quiz"')


@pytest.mark.parametrize("name", paths.read_paths())
def test_a_self_test_has_six_to_eight_questions_and_the_right_answer_is_not_the_longest(name):
    questions = read_questions(Project.current().book / "paths" / f"{name}.yaml")
    assert 6 <= len(questions) <= 8
    single = [question for question in questions if question.n_correct == 1]
    assert len(single) < len(questions), "none with several answers"
    longest = 0
    for question in single:
        right = max(len(answer.answer) for answer in question.answers if answer.correct)
        wrong = [len(answer.answer) for answer in question.answers if not answer.correct]
        longest += right > max(wrong)
        assert max(right, *wrong) <= 1.35 * min(right, *wrong), question.question
    assert longest <= len(single) / 2
