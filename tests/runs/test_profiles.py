"""Profiles are checked before anything runs, and never lead out of the folder of their run."""

import json
import time

import nbformat
import pytest

from helpers.runs import profiles


@pytest.fixture
def house(tmp_path, empty_project):
    """A project with two notebooks."""
    project = empty_project(tmp_path)
    for name in ("01-one", "02-two"):
        cell = nbformat.v4.new_code_cell(
            "value = 1\nname = 'a'\nrate = 0.5\ndataset = ''\nflag = False\nlist_ = [1]\noptions = {}"
        )
        cell.metadata["tags"] = ["parameters"]
        made = nbformat.v4.new_notebook(cells=[cell], metadata={"language_info": {"name": "python"}})
        nbformat.write(made, project / "notebooks" / f"{name}.ipynb")
    return project


def read(house, text, name="try.yaml"):
    (house / name).write_text(text)
    return profiles.read_profile(house / name)


def refused(house, text, name="try.yaml"):
    with pytest.raises(profiles.ProfileError) as caught:
        read(house, text, name)
    assert name in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "name", ["...yaml", "..yaml", ".hidden.yaml", "-x.yaml", "a`b.yaml", "a\nb.yaml", "x" * 101 + ".yaml"]
)
def test_a_name_that_leads_out_of_the_folder_of_runs_is_refused(house, name):
    assert "is not a valid profile name; use letters, digits" in refused(house, "notebooks: {01-one: }", name)


@pytest.mark.parametrize("name", ["try.yaml", "full-wbc1.yml", "my sweep 2.yaml", "größe.yaml", "v1.2.yaml"])
def test_usual_names_are_names_of_profiles(house, name):
    assert read(house, "notebooks: {01-one: }", name).name == name.rpartition(".")[0]


@pytest.mark.parametrize("name", ["../notebooks/01-one", "/{house}/notebooks/01-one", "./01-one", "01-One", "''", "*"])
def test_a_notebook_is_one_of_the_course_and_no_path(house, name):
    name = name.replace("{house}", str(house).lstrip("/"))
    before = (house / "notebooks" / "01-one.ipynb").read_bytes()
    said = refused(house, f"notebooks:\n  {name if name != '*' else repr(name)}:\n")
    assert "line 2: unknown notebook " in said
    assert "choose from 01-one, 02-two" in said
    assert (house / "notebooks" / "01-one.ipynb").read_bytes() == before


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("notebooks:\n  01-one: {value: 1}\n  01-one: {value: 2}", "line 3: notebooks.01-one is defined twice"),
        ("notebooks: {01-one: {value: 1, value: 2}}", "line 1: notebooks.01-one.value is defined twice"),
        ("notebooks: {01-one: }\nnotebooks: {02-two: }", "line 2: notebooks is defined twice"),
        ("notebooks: {01-one: }\ngrid:\n  value: [1, 2, 1]", "line 3: value has the value 1 twice in the grid"),
        ("notebooks: {01-one: }\ngrid: {rate: [1, 1.0]}", "line 2: rate has the value 1.0 twice in the grid"),
        ("notebooks: {01-one: }\ngrid: {list_: [[1], [1]]}", "list_ has the value [1] twice in the grid"),
        (
            "notebooks: {01-one: {value: 3}}\ngrid: {value: [1]}",
            "line 1: value is set here and in the grid; keep one",
        ),
        (
            "parameters:\n  value: 3\nnotebooks: {01-one: }\ngrid: {value: [1]}",
            "line 2: value is set here and in the",
        ),
        ("notebooks: {01-one: }\ngrid: {size: [1]}", "line 2: no notebook of this profile has the parameter size"),
        ("notebooks: {01-one: }\ngrid: {value: [1, a]}", "line 2: 01-one has value = 'a', but its default is 1"),
        ("notebooks: {01-one: {rate: .nan}}", "line 1, notebooks.01-one.rate: .nan is not a finite number"),
        ("notebooks: {01-one: {name: 0}}", "01-one has name = 0, but its default is 'a'; put it in quotes, '0'"),
        ("notebooks: {01-one: {flag: 1}}", "01-one has flag = 1, but its default is False"),
        ("notebooks: {01-one: {value: true}}", "01-one has value = True, but its default is 1"),
        ("notebooks: {01-one: {name: }}", "01-one has name = None, but its default is 'a'"),
        ("notebooks: {}", "line 1: notebooks is {}, but 'notebooks' has parameters and their values"),
        ("notebooks: {01-one: 3}", "line 1: notebooks.01-one is 3, but 'notebooks' has parameters"),
        ("notebooks: {01-one: }\nparameters: 3", "line 2: parameters is 3, but 'parameters' has a value"),
        ("notebooks: {01-one: }\ngrid: {value: 3}", "line 2: grid.value is 3, but 'grid' has a list of values"),
        ("notebooks: {01-one: }\ngrid: {value: []}", "line 2: grid.value is [], but 'grid' has a list of values"),
        (
            "notebooks: {01-one: }\ngrid: {value: [1]}\ntimeout_s: 0",
            "line 3: timeout_s is 0, but 'timeout_s' is a number",
        ),
        ("notebooks: {01-one: }\ngrid: {value: [1]}\ntimeout_s: '9'", "line 3: timeout_s is '9', but"),
        ("notebooks: {01-one: }\ngrid: {value: [1]}\ntimeout_s: true", "line 3: timeout_s is True, but"),
        (
            "notebooks: {01-one: }\ngrid: {value: [1]}\nreport_metrics: a",
            "line 3: report_metrics is 'a', but 'report_metrics' is a list",
        ),
        (
            "notebooks: {01-one: }\ngrid: {value: [1]}\nreport_metrics: [1]",
            "line 3: report_metrics.0 is 1, but 'report_metrics'",
        ),
        ("notebooks: {01-one: }\nseed: 3", "line 2: unknown key 'seed'; a profile has 'notebooks'"),
        ("grid: {value: [1]}", "line 1: a profile has 'notebooks'"),
        ("- a", "a profile has 'notebooks'"),
        ("", "a profile has 'notebooks'"),
        (f"notebooks: {{01-one: }}\ngrid: {{value: {list(range(101))}, rate: {list(range(100))}}}", "has 10100 runs"),
    ],
)
def test_what_is_repeated_or_of_another_kind_is_named_with_its_line(house, text, complaint):
    assert complaint in refused(house, text)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("value, name = 1, 'a'", "line 1 assigns several names"),
        ("value = max(1, 2)", "malformed node or string on line 1: "),
        ("value = = 1", "invalid syntax"),
    ],
)
def test_a_notebook_whose_parameters_cannot_be_read_is_named(house, code, message):
    cell = nbformat.v4.new_code_cell(code, metadata={"tags": ["parameters"]})
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), house / "notebooks" / "01-one.ipynb")
    with pytest.raises(profiles.ProfileError) as caught:
        read(house, "notebooks: {01-one: }")
    assert "01-one.ipynb: its parameters cell must hold only lines such as epochs = 3 (" in str(caught.value)
    assert message in str(caught.value)


def test_a_profile_says_which_notebooks_run_with_which_parameters(house):
    text = "parameters: {value: 5, rate: 1}\nnotebooks: {01-one: {value: 6}, 02-two: }\n"
    profile = read(house, f"{text}grid: {{name: [a, b]}}\ntimeout_s: 60\n")
    assert (profile.name, profile.grid, profile.timeout_s) == ("try", {"name": ["a", "b"]}, 60.0)
    parameters = {name: chapter.parameters for name, chapter in profile.notebooks.items()}
    assert parameters == {"01-one": {"value": 6, "rate": 1}, "02-two": {"value": 5, "rate": 1}}
    defaults = {"value": 1, "name": "a", "rate": 0.5, "dataset": "", "flag": False, "list_": [1], "options": {}}
    assert profile.notebooks["02-two"].defaults == defaults
    assert profile.notebooks["02-two"].values({"name": "b"}) == {**defaults, "value": 5, "rate": 1, "name": "b"}


def test_links_in_a_circle_and_two_names_of_one_folder_are_seen(house, monkeypatch):
    monkeypatch.chdir(house)
    (house / "round").symlink_to(house / "round")
    read(house, "notebooks: {01-one: {dataset: 'folder:round'}}")
    text = "notebooks: {01-one: }\ngrid: {dataset: ['folder:cells', 'folder:./cells']}"
    assert "twice in the grid" in refused(house, text)


@pytest.mark.parametrize("name", ["folder:", "folder: "])
def test_a_folder_that_is_not_named_is_not_the_one_of_the_command(house, monkeypatch, name):
    monkeypatch.chdir(house)
    assert (
        read(house, f"notebooks: {{01-one: {{dataset: '{name}'}}}}").notebooks["01-one"].parameters["dataset"] == name
    )


def test_a_grid_of_thousands_of_values_is_checked_within_seconds(house):
    began = time.process_time()
    values = ",".join(map(str, range(10_000)))
    message = refused(house, f"notebooks: {{01-one: }}\ngrid:\n  rate: [0.5, 0.6]\n  value: [{values}]")
    assert "line 2: the grid has 20000 runs; the maximum is 10000" in message
    assert time.process_time() - began < 10


def test_values_that_are_equal_but_of_another_kind_may_stand_in_one_grid(house):
    given = [[1], [True], {"a": [1]}, {"a": [True]}, ["1"]]
    text = f"notebooks: {{01-one: }}\ngrid: {{list_: {json.dumps(given)}}}"
    assert "twice" not in refused(house, text)  # of another type than the default, but different
    assert "list_ has the value {'a': [1.0]} twice" in refused(house, text.replace('["1"]', '{"a": [1.0]}'))


def test_options_of_a_folder_beside_the_command_are_found_by_its_whole_path(house, monkeypatch):
    monkeypatch.chdir(house)
    own = "{dataset: 'folder:cells', options: {'folder:cells': {layout: class/patient}, 'folder:~/x': {}, wbc1: {}}}"
    given = read(house, f"notebooks: {{01-one: {own}}}").notebooks["01-one"].parameters
    assert given["dataset"] == f"folder:{house / 'cells'}"
    assert list(given["options"]) == [f"folder:{house / 'cells'}", "folder:~/x", "wbc1"]
