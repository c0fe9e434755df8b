"""Tables say which columns name their rows, and digests of code do not move with prose."""

import pandas as pd
import pytest

from helpers import files, tables

CURVE = pd.DataFrame({"images": [10, 60, 10], "AUC": [0.5, 0.9, 0.6], "learner": ["a", "a", "b"]})


def test_a_table_comes_back_with_the_index_that_was_declared(tmp_path):
    tables.save_table(CURVE, tmp_path / "curve.csv", index=["learner", "images"])
    found = tables.read_table(tmp_path / "curve.csv")
    assert found.labels == ["a, 10", "a, 60", "b, 10"]
    assert found.frame["AUC"].tolist() == [0.5, 0.9, 0.6]
    assert pd.read_csv(tmp_path / "curve.csv").equals(CURVE)
    assert not list(tmp_path.glob("part-*"))


def test_a_class_may_be_called_like_a_missing_value(tmp_path):
    frame = pd.DataFrame({"class": ["NA", "None", "nan"], "value": [1, 2, 3]})
    tables.save_table(frame, tmp_path / "x.csv", index=["class"])
    assert tables.read_table(tmp_path / "x.csv").labels == ["NA", "None", "nan"]


@pytest.mark.parametrize(
    ("frame", "index", "complaint"),
    [
        (CURVE, ["images"], "images = '10' names several rows; add the column to index that tells them apart"),
        (CURVE, ["learner", "size"], "has no column size; index lists some of images, AUC, learner"),
        (CURVE, [], "has no column an index; index lists some of images, AUC, learner"),
        (pd.DataFrame({"a": ["x", None]}), ["a"], "a is missing in some rows; a row is named by a value in each"),
        (pd.DataFrame({"a": ["x, y", "x"], "b": ["z", "y, z"]}), ["a", "b"], "a, b = 'x, y, z' names several rows"),
    ],
)
def test_an_index_that_does_not_name_the_rows_is_refused(tmp_path, frame, index, complaint):
    with pytest.raises(tables.TableError, match=f"x.csv: {complaint}"):
        tables.save_table(frame, tmp_path / "x.csv", index)
    assert list(tmp_path.iterdir()) == []


def test_a_table_is_saved_as_csv_only(tmp_path):
    with pytest.raises(tables.TableError, match=r"x.txt: a table is saved as .csv"):
        tables.save_table(CURVE, tmp_path / "x.txt", ["learner", "images"])


def test_a_table_without_declaration_is_read_if_its_words_name_its_rows(tmp_path):
    frame = pd.DataFrame({"way": ["a", "b"], "n": [1, 2]})
    frame.to_csv(tmp_path / "06-x.csv", index=False)
    assert tables.read_table(tmp_path / "06-x.csv").labels == ["a", "b"]
    CURVE.to_csv(tmp_path / "06-x.csv", index=False)
    complaint = r"06-x.csv: 'a' names several rows; save it with tables.save_table\(table, path, index=\[...\]\)"
    with pytest.raises(tables.TableError, match=complaint):
        tables.read_tables(tmp_path, "06")


def test_a_declaration_counts_for_the_table_that_it_was_made_for(tmp_path):
    tables.save_table(CURVE, tmp_path / "curve.csv", index=["learner", "images"])
    CURVE.assign(AUC=0).to_csv(tmp_path / "curve.csv", index=False)
    with pytest.raises(tables.TableError, match=r"curve.csv: curve.index.json is of another table"):
        tables.read_tables(tmp_path, "06")
    (tmp_path / "curve.csv").unlink()
    with pytest.raises(tables.TableError, match=r"curve.csv: cannot be read"):
        tables.read_tables(tmp_path, "06")


def test_two_tables_of_one_name_are_refused(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        tables.save_table(CURVE, tmp_path / folder / "curve.csv", index=["learner", "images"])
    with pytest.raises(tables.TableError, match="two tables of one name; rename one of them"):
        tables.read_tables(tmp_path, "06")


@pytest.mark.parametrize("empty", [pd.DataFrame(), pd.DataFrame(columns=["way", "value"])])
def test_a_part_that_was_left_out_has_no_table(tmp_path, empty):
    tables.save_table(empty, tmp_path / "x.csv", index=["way"])
    assert tables.read_tables(tmp_path, "06") == []


# --- code


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ('"""Other words."""\n\n\ndef f(a):\n    """Add."""\n    return a + 1  # one\n', True),
        ("def f(a):\n    return (a + 1)\n", True),
        ("def f(a):\n    return a + 2\n", False),
        ("def f(b):\n    return b + 1\n", False),
        ("def f(a):\n    return a + 1\n\n\nf.__doc__ = 'x'\n", False),
    ],
)
def test_the_digest_of_code_does_not_move_with_prose(tmp_path, other, same):
    (tmp_path / "a.py").write_text('"""Words."""\n\n\ndef f(a):\n    return a + 1\n')
    (tmp_path / "b.py").write_text(other)
    assert (files.code_digest(tmp_path / "a.py") == files.code_digest(tmp_path / "b.py")) is same


def test_what_is_not_python_is_known_by_its_bytes(tmp_path):
    for name, content in {"a": b"def", "b": b"def ", "c": b"x\0"}.items():
        (tmp_path / name).write_bytes(content)
    assert len({files.code_digest(tmp_path / name) for name in "abc"}) == 3
