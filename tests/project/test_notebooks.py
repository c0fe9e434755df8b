"""The anatomy of a chapter, and the form in which notebooks are committed."""

import ast
import re

import nbformat
import pytest
import yaml

from helpers.plots.style import caption_bundle
from helpers.project import Project
from helpers.runs import citations, imports, notebooks, profiles
from helpers.teaching import quizzes
from helpers.teaching.exercises import CHAPTERS

PATHS = sorted(Project.current().notebooks.glob("*.ipynb"))
LONGEST_CELL = 10
RUNGS = ("Predict", "Read", "Change", "Write", "Debug", "Explain", "Project")


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return notebooks.read(path)


def anatomy(notebook):
    """What a chapter lacks; an empty list is a whole chapter."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    lacking = [
        part
        for part in ("You will learn", "Before you start", "About", "## Take-aways", "## Further reading", "## Quiz")
        if part not in text
    ]
    titles = [line for line in text.splitlines() if line.startswith("# ")]
    if not text.startswith("# ") or len(titles) != 1:
        lacking.append(f"one title, not {titles}")
    for tag in ("parameters", "setup"):
        if sum(tag in notebooks.tags(cell) for cell in code) != 1:
            lacking.append(f"one {tag} cell")
    for what in ("exercise-start", "solution-start", "solution-end"):
        if text.count("{" + what + "}") < 2:
            lacking.append(f"two {what}")
    if "{cite" not in citations.cite_with_roles(text):
        lacking.append("a citation")
    for cell in code:
        lines = [line for line in cell.source.splitlines() if line.strip()]
        statements = len(ast.parse(cell.source).body)
        # The formatter sets one argument a line, so a long call counts by its statements.
        if len(lines) > LONGEST_CELL and statements > LONGEST_CELL:
            lacking.append(f"short cells: {len(lines)} lines from {lines[0]!r}")
        if any(name.startswith("image/") for output in cell.outputs for name in output.get("data", {})):
            lacking.append("stripped images")
        # What a training decides is not stored; the build refuses such a figure without alt text instead.
        stored = "nbval-ignore-output" not in notebooks.tags(cell)
        if stored and "plots." in cell.source and "outlined" not in cell.source:
            shown = [o.metadata.get("image/png", {}) for o in cell.outputs if "data" in o]
            sentences = [o["data"].get("text/plain", "") for o in cell.outputs if "data" in o]
            if any(sentence.startswith("No figure: ") and len(sentence) > 30 for sentence in sentences):
                continue  # the data of this run have nothing that a figure could show
            if not any(len(s.get("alt", "")) > 20 and len(s.get("caption", "")) > 20 for s in shown):
                lacking.append(f"alt text and caption: {cell.source[:60]!r}")
        if any(output.get("name") == "stderr" for output in cell.outputs):
            lacking.append(f"a quiet cell: {cell.source[:60]!r} writes to stderr")
    checked = [c for c in code if c.outputs and "nbval-ignore-output" not in notebooks.tags(c)]
    if not checked:
        lacking.append("an output that nbval checks")
    return lacking


def test_a_chapter_has_its_whole_anatomy(notebook):
    assert anatomy(notebook) == []


def test_committed_form_is_the_normal_form(path):
    assert path.read_text(encoding="utf-8") == notebooks.committed_text(path), (
        f"{path.name} is not normalised: run make notebooks"
    )


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda nb: nb.cells.pop(1), "one parameters cell"),
        (lambda nb: [c.update(outputs=[]) for c in nb.cells if c.cell_type == "code"], "an output that nbval checks"),
        (lambda nb: nb.cells[0].update(source=nb.cells[0].source.replace("You will learn", "")), "You will learn"),
        (lambda nb: nb.cells[1].update(source="a = 1\n" * 11), "short cells"),
        (
            lambda nb: nb.cells[1].update(
                outputs=[nbformat.v4.new_output("display_data", {"image/png": "iVBO", "text/plain": "x"})]
            ),
            "stripped images",
        ),
        (lambda nb: [c.update(source="") for c in nb.cells if "Take-aways" in c.source], "## Take-aways"),
        (lambda nb: [c.update(source="") for c in nb.cells if "exercise-start" in c.source], "two exercise-start"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_damaged_chapter_is_found_out(damage, complaint):
    notebook = notebooks.read(PATHS[1])
    damage(notebook)
    assert any(complaint in lack for lack in anatomy(notebook))


def test_normal_form_drops_images_and_volatile_metadata_and_keeps_alt_text():
    output = nbformat.v4.new_output(
        "execute_result",
        {"image/png": "iVBO", "text/plain": "Figure: one cell."},
        metadata={"image/png": {"alt": "one cell", "caption": "c"}},
        execution_count=7,
    )
    cell = nbformat.v4.new_code_cell("plots.grid()", outputs=[output], metadata={"papermill": {"duration": 1.2}})
    injected = nbformat.v4.new_code_cell("seed = 3", metadata={"tags": ["injected-parameters"]})
    normal = notebooks.normalise(nbformat.v4.new_notebook(cells=[injected, cell], metadata={"papermill": {}}))
    assert len(normal.cells) == 1
    assert normal.cells[0].metadata == {}
    assert normal.cells[0].outputs[0].data == {"text/plain": "Figure: one cell."}
    assert normal.cells[0].outputs[0].metadata == {"image/png": {"alt": "one cell", "caption": "c"}}
    assert "papermill" not in normal.metadata


def test_a_title_begins_with_the_number_of_its_file_and_the_sidebar_has_it_too(path, notebook):
    toc = yaml.safe_load((Project.current().root / "_toc.yml").read_text(encoding="utf-8"))
    short = {chapter["file"]: chapter.get("title", "") for part in toc["parts"] for chapter in part["chapters"]}
    number = path.stem[:2]
    assert notebook.cells[0].source.startswith(f"# {number} ")
    assert short[f"notebooks/{path.stem}"].startswith(f"{number} ")


def markdown_and_code(*sources):
    kinds = [nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell]
    cells = [kinds[number % 2](source) for number, source in enumerate(sources)]
    return nbformat.v4.new_notebook(cells=cells)


def test_normal_form_folds_the_set_up_cell_to_its_first_line():
    cell = nbformat.v4.new_code_cell("1", metadata={"tags": ["setup", "hide-input"]})
    (normal,) = notebooks.normalise(nbformat.v4.new_notebook(cells=[cell])).cells
    assert normal.metadata == {"tags": ["hide-input", "setup"], "jupyter": {"source_hidden": True}}
    assert normal.source.startswith("# On Colab this installs the course.")


def test_normal_form_folds_the_code_of_solutions_and_no_other():
    start, end = "```{exercise-end}\n```\n```{solution-start} ex\n```", "```{solution-end}\n```"
    cells = notebooks.normalise(markdown_and_code("a", "1", start, "2", "b", "3", end, "4")).cells
    folded = {"jupyter": {"source_hidden": True, "outputs_hidden": True}}
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert [cell.metadata for cell in code] == [{}, folded, folded, {}]
    assert [cell.source for cell in code] == ["1", "# Solution\n2", "# Solution\n3", "4"]


def test_normal_form_has_links_where_the_book_has_citations():
    normal = notebooks.normalise(markdown_and_code("Cells {cite:p}`bain2015`.", "'{cite:p}`bain2015`'"))
    link = "Cells ([Bain, 2015](https://doi.org/10.1002/9781118817322))."
    assert [cell.source for cell in normal.cells] == [link, "'{cite:p}`bain2015`'"]
    assert notebooks.prepare_for_book(normal).cells[0].source == "Cells {cite:p}`bain2015`."


def test_the_book_shows_a_caption_once_below_its_figure():
    words = {"image/png": {"alt": "one cell, drawn", "caption": "Look at its nucleus."}}
    figure = nbformat.v4.new_output("display_data", {"image/png": "iVBO", "text/plain": "Figure."}, metadata=words)
    caption = nbformat.v4.new_output("display_data", caption_bundle("Look at its nucleus."))
    other = nbformat.v4.new_output("display_data", {"text/plain": "another output"})
    cell = nbformat.v4.new_code_cell("plots.grid()", outputs=[figure, caption, other])
    (shown,) = notebooks.prepare_for_book(nbformat.v4.new_notebook(cells=[cell])).cells
    assert [output.data["text/plain"] for output in shown.outputs] == ["Figure.", "another output"]
    assert shown.metadata["mystnb"]["figure"]["caption"] == "Look at its nucleus."


def test_what_is_printed_in_pieces_is_committed_in_one():
    pieces = [nbformat.v4.new_output("stream", name="stdout", text=text) for text in ("a", "b\n", "c")]
    figure = nbformat.v4.new_output("display_data", {"text/plain": "Figure: a."})
    cell = nbformat.v4.new_code_cell("f()", outputs=[*pieces[:2], figure, pieces[2]])
    outputs = notebooks.normalise(nbformat.v4.new_notebook(cells=[cell])).cells[0].outputs
    assert [o.get("text") for o in outputs] == ["ab\n", None, "c"]


def test_the_book_folds_the_code_that_words_a_sentence_and_no_other():
    sources = (
        "show_text('a') if data.has_masks else None",
        "dice = 0.9\nshow_text(f'Dice {dice}')",
        "reports.show_text('a')",
        "show_text('a').markdown",
        "%time f()",
    )
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    cells[1].metadata["tags"] = ["nbval-ignore-output"]
    shown = notebooks.prepare_for_book(nbformat.v4.new_notebook(cells=cells)).cells
    assert [notebooks.tags(cell) for cell in shown] == [
        ["hide-input"], ["nbval-ignore-output", "hide-input"], ["hide-input"], [], []
    ]  # fmt: skip


def test_a_figure_without_alt_text_cannot_enter_the_book():
    output = nbformat.v4.new_output("display_data", {"image/png": "iVBO"})
    bare = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("plt.show()", outputs=[output])])
    with pytest.raises(ValueError, match="alt text"):
        notebooks.prepare_for_book(bare)


def test_a_dataset_can_be_named_without_its_options(notebook):
    """``papermill … -p dataset cnmc`` works: the options of the synthetic cells are not those of another dataset."""
    given = {**notebooks.parameters(notebook), "dataset": "cnmc"}
    assert profiles.profile_datasets(given) == (("cnmc", "{}"),)


def test_every_exercise_is_checked_once_to_answer_and_once_in_its_solution(path, notebook):
    source = "\n".join(cell.source for cell in notebook.cells)
    for exercise in CHAPTERS[notebooks.chapter_name(path.stem)]:
        assert source.count(f'"{exercise}"') == 2, f"{exercise}: once to answer, once in the solution"


def test_solutions_are_right(path, notebook):
    printed = "".join(
        o.text for c in notebook.cells if c.cell_type == "code" for o in c.outputs if o.output_type == "stream"
    )
    assert printed.count("✅") == len(CHAPTERS[notebooks.chapter_name(path.stem)]) >= 2
    assert "❌" not in printed


def exercise_titles(notebook):
    """The titles of the exercises that stand beside their ideas, and of those below the heading *Exercises*."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    beside, _, at_the_end = f"\n{text}".partition("\n## Exercises\n")
    return [re.findall(r"\{exercise-start\} (.+)", part) for part in (beside, at_the_end)]


def ladder(beside, at_the_end, checked):
    """What a chapter's exercises lack of the ladder; an empty list is a whole ladder."""
    titles = [*beside, *at_the_end]
    rungs = [title.partition(":")[0] for title in at_the_end]
    lacking = [f"a rung at the beginning of {title!r}" for title in titles if title.partition(":")[0] not in RUNGS]
    lacking += [f"{title!r} among the exercises at the end" for title in beside if not title.startswith("Predict:")]
    if not 6 <= len(titles) <= 8:
        lacking.append(f"6 to 8 exercises, not {len(titles)}")
    if not lacking and [RUNGS.index(rung) for rung in rungs] != sorted(RUNGS.index(rung) for rung in rungs):
        lacking.append(f"the order of the ladder, not {rungs}")
    if checked < 4:
        lacking.append(f"4 checked exercises, not {checked}")
    return lacking


def quiz_form(questions):
    """What a quiz lacks; an empty list is a whole quiz."""
    lacking = [] if 8 <= len(questions) <= 10 else [f"8 to 10 questions, not {len(questions)}"]
    if not any(question.picture for question in questions):
        lacking.append("a question about a picture")
    if not any(question.n_correct > 1 for question in questions):
        lacking.append("a question with several correct answers")
    lacking += [
        f"its own feedback for every answer to {question.question!r}"
        for question in questions
        if len({answer.feedback for answer in question.answers}) < len(question.answers)
    ]
    single = [question for question in questions if question.n_correct == 1]
    longest = [max(question.answers, key=lambda answer: len(answer.answer)).correct for question in single]
    if sum(longest) > 0.4 * len(single):
        lacking.append(f"answers of equal length: the longest is right in {sum(longest)} of {len(single)} questions")
    return lacking


def test_the_exercises_and_the_quiz_of_a_chapter_are_whole(path, notebook):
    chapter = notebooks.chapter_name(path.stem)
    questions = quizzes.read_questions(quizzes.QUIZZES / f"{chapter}.yaml")
    assert ladder(*exercise_titles(notebook), len(CHAPTERS[chapter])) + quiz_form(questions) == []


WHOLE_LADDER = [f"{rung}: the cells" for rung in RUNGS]


def chapter_with(beside, at_the_end):
    """A chapter with exercises of these titles before and below its heading *Exercises*."""
    blocks = ["```{exercise-start} " + title + "\n```" for title in (*beside, *at_the_end)]
    sources = [*blocks[: len(beside)], "## Exercises", *blocks[len(beside) :]]
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(source) for source in sources])


@pytest.mark.parametrize(
    ("beside", "at_the_end", "checked", "complaint"),
    [
        ([], WHOLE_LADDER, 4, None),
        (["Predict: two", "Predict: one"], WHOLE_LADDER[1:], 4, None),
        (["Predict: one"], WHOLE_LADDER, 4, None),
        (WHOLE_LADDER[:2], WHOLE_LADDER[2:], 4, "'Read: the cells' among the exercises at the end"),
        ([], WHOLE_LADDER[:5], 4, "6 to 8 exercises, not 5"),
        (["Predict: one"] * 2, WHOLE_LADDER, 4, "6 to 8 exercises, not 9"),
        ([], WHOLE_LADDER[::-1], 4, "the order of the ladder, not ['Project', "),
        ([], ["Count the cells", *WHOLE_LADDER[1:]], 4, "a rung at the beginning of 'Count the cells'"),
        ([], WHOLE_LADDER, 3, "4 checked exercises, not 3"),
    ],
)
def test_a_ladder_that_lacks_a_rung_is_found_out(beside, at_the_end, checked, complaint):
    lacking = ladder(*exercise_titles(chapter_with(beside, at_the_end)), checked)
    assert lacking == [] if complaint is None else lacking[0].startswith(complaint)


def make_quiz(count=8, several=1, picture="histograms", feedback=("Right.", "Wrong."), longer=0):
    """Questions with a correct answer that is the longest in some of them."""
    made = []
    for number in range(count):
        words = [
            ("no" if number >= longer else "certainly", True, feedback[0]),
            ("perhaps", number < several, feedback[1]),
        ]
        answers = [{"answer": a, "correct": c, "feedback": f} for a, c, f in [*words, ("never", False, "No.")]]
        made.append(quizzes.Question(question=f"{number}?", picture=None if number else picture, answers=answers))
    return made


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({}, None),
        ({"longer": 3}, None),
        ({"count": 7}, "8 to 10 questions, not 7"),
        ({"picture": None}, "a question about a picture"),
        ({"several": 0}, "a question with several correct answers"),
        ({"feedback": ("Yes.", "Yes.")}, "its own feedback for every answer to '0?'"),
        ({"longer": 5}, "answers of equal length: the longest is right in 4 of 7 questions"),
    ],
)
def test_a_quiz_that_lacks_something_is_found_out(options, complaint):
    lacking = quiz_form(make_quiz(**options))
    assert lacking == [] if complaint is None else lacking[0] == complaint


@pytest.mark.parametrize(
    "code",
    [
        "from helpers import (\n    images,  # read\n    files as f,\n)",
        "import os; from helpers import images; import helpers.files as f",
        "def later():\n    from helpers.images import read\n    from helpers.files import (whole)",
        "from . import images\nfrom .files import whole",
        "import helpers.images, helpers.files",
        "from helpers import files \\\n    , images",
    ],
)
def test_every_way_of_importing_a_module_is_found(code):
    assert imports.imported_modules(code) == {"images", "files"}


def test_what_is_imported_by_what_is_imported_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("LEUKOBOOK_PROJECT", str(tmp_path))
    (tmp_path / "helpers" / "deep").mkdir(parents=True)
    for name, code in {
        "__init__": "from helpers import always",
        "always": "",
        "first": "x = 1; from helpers import (\n    second,\n)",
        "second": "from helpers.deep import a",
        "deep/__init__": "",
        "deep/a": "from ..third import b",
        "third": "",
        "never": "",
    }.items():
        (tmp_path / "helpers" / f"{name}.py").write_text(code)

    def used(*cells):
        made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        return {path.relative_to(tmp_path / "helpers").as_posix() for path in imports.helpers_used(made)}

    whole = {"__init__.py", "always.py", "first.py", "second.py", "deep/__init__.py", "deep/a.py", "third.py"}
    assert used("1 + 1", "from helpers import first") == whole
    assert used("%matplotlib inline\nfrom helpers import first") == whole | {"never.py"}


def test_outputs_are_named_after_their_chapter_and_not_after_its_number():
    names = {}
    for path in sorted(Project.current().notebooks.glob("*.ipynb")):
        code = "\n".join(cell.source for cell in notebooks.read(path).cells if cell.cell_type == "code")
        names[notebooks.chapter_name(path.stem)] = re.findall(r'outputs / f?"([^"]+)"', code)
    assert {"classify-auc.csv", "predictions-classify.csv"} <= set(names["classify"])
    assert [name for of_chapter in names.values() for name in of_chapter if re.search(r"\b\d\d\b", name)] == []
    assert notebooks.chapter_name("06-many-classes") == "many-classes"
    assert notebooks.chapter_name("one") == "one"


def test_the_cover_of_the_book_is_one_figure_of_the_first_chapter():
    tagged = [cell for cell in notebooks.read(PATHS[0]).cells if "cover" in notebooks.tags(cell)]
    assert len(tagged) == 1
    assert "plots.montage(" in tagged[0].source
