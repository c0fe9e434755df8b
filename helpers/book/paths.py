"""Generate the tables and self-tests of the learner paths, with the times of the chapters that this build measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from helpers import yamlfile
from helpers.book import times
from helpers.errors import LeukobookError
from helpers.project import Project
from helpers.runs import notebooks
from helpers.teaching.quizzes import Quiz, read_questions


class PathError(LeukobookError):
    """A path names a chapter or section that does not exist, or has another form; the message states the remedy."""


class Step(BaseModel):
    """What a reader does in one chapter.

    Attributes:
        chapter: name of the notebook without its number.
        activity: ``read`` text and figures, ``run`` the code too, or ``all``, with exercises and quiz.
        leave_out: headings of sections to skip.
        aim: what to take along.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    chapter: str
    activity: Literal["read", "run", "all"]
    leave_out: list[str] = Field(default_factory=list)
    aim: str


def read_paths() -> dict[str, list[Step]]:
    """Read ``book/paths/paths.yaml``: the steps of each path by its name.

    Raises:
        PathError: a step has another form.
        YamlError: the file is not YAML.
    """
    file = Project.current().book / "paths" / "paths.yaml"
    try:
        return TypeAdapter(dict[str, list[Step]]).validate_python(yamlfile.read(file).value)
    except ValidationError as error:
        wrong = error.errors()[0]
        raise PathError(f"{file.name}: {'.'.join(map(str, wrong['loc']))}: {wrong['msg']}") from None


def generated_files(chapters: Mapping[str, Sequence[times.Section]]) -> dict[str, str]:
    """Generate the files that ``book/paths.md`` includes: for each path its table and its self-test.

    Args:
        chapters: sections by the name of the notebook, from :func:`helpers.book.times.read_chapters`.

    Returns:
        Text by file name.

    Raises:
        PathError: a path names a chapter or section that does not exist.
        QuizError: a self-test is unusable.
    """
    made = {}
    for name, steps in read_paths().items():
        made[f"path-{name}.md"] = path_table(steps, chapters)
        quiz = Quiz(f"for the path {name}", read_questions(Project.current().book / "paths" / f"{name}.yaml"))
        made[f"self-test-{name}.md"] = f"````{{raw}} html\n{quiz._repr_html_()}\n````\n"
    return made


def path_table(steps: Sequence[Step], chapters: Mapping[str, Sequence[times.Section]]) -> str:
    """Return the table of a path in Markdown, with the time of each chapter and the total.

    Args:
        steps: steps of the path.
        chapters: sections by the name of the notebook.

    Raises:
        PathError: a step names a chapter or section that does not exist.
    """
    files = {notebooks.chapter_name(stem): stem for stem in chapters}
    rows, all_minutes = [], 0.0
    for step in steps:
        if step.chapter not in files:
            raise PathError(f"paths.yaml: there is no chapter {step.chapter!r}; choose from {', '.join(files)}")
        minutes = step_minutes(step, chapters[files[step.chapter]])
        left_out = "; ".join(f"*{heading}*" for heading in step.leave_out) or "–"
        link = f"{{doc}}`../notebooks/{files[step.chapter]}`"
        rows.append(f"| {link} | {times.minutes(minutes)} | {step.activity} | {step.aim} | {left_out} |")
        all_minutes += minutes
    head = "| Chapter | Time | Do | Take along | Leave out |\n|---|---:|---|---|---|"
    return "\n".join([head, *rows, f"| **Total** | {times.minutes(all_minutes)} | | | |", ""])


def step_minutes(step: Step, sections: Sequence[times.Section]) -> float:
    """Return the minutes that a step takes.

    Raises:
        PathError: the chapter has no section of a heading to leave out.
    """
    headings = [section.title for section in sections]
    for heading in step.leave_out:
        if heading not in headings:
            raise PathError(f"paths.yaml: {step.chapter} has no section {heading!r}; choose from {', '.join(headings)}")
    kept = times.total([section for section in sections if section.title not in step.leave_out])
    if step.activity == "read":
        return kept.text_minutes
    run = kept.reading_minutes + kept.seconds / 60
    return run if step.activity == "run" else run + kept.exercise_minutes
