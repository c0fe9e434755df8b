"""Tables say which columns name their rows, and digests of code do not move with prose."""

import openpyxl
import pandas as pd
import pytest

from helpers import files
from helpers.reports import tables

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
        (CURVE, ["images"], "images = '10' identifies several rows; add the column to index that tells them apart"),
        (CURVE, ["learner", "size"], "no column size; choose index from images, AUC, learner"),
        (CURVE, [], "the index is empty; choose index from images, AUC, learner"),
        (pd.DataFrame({"a": ["x", None]}), ["a"], "a has missing values; an index column needs a value in each row"),
        (
            pd.DataFrame({"a": ["x, y", "x"], "b": ["z", "y, z"]}),
            ["a", "b"],
            "a, b = 'x, y, z' identifies several rows",
        ),
    ],
)
def test_an_index_that_does_not_name_the_rows_is_refused(tmp_path, frame, index, complaint):
    with pytest.raises(tables.TableError, match=f"x.csv: {complaint}"):
        tables.save_table(frame, tmp_path / "x.csv", index)
    assert list(tmp_path.iterdir()) == []


def test_a_table_is_saved_as_csv_only(tmp_path):
    with pytest.raises(tables.TableError, match=r"x.txt: the name of a table must end in .csv"):
        tables.save_table(CURVE, tmp_path / "x.txt", ["learner", "images"])


def test_a_table_without_declaration_is_read_if_its_words_name_its_rows(tmp_path):
    frame = pd.DataFrame({"way": ["a", "b"], "n": [1, 2]})
    frame.to_csv(tmp_path / "transfer-x.csv", index=False)
    assert tables.read_table(tmp_path / "transfer-x.csv").labels == ["a", "b"]
    CURVE.to_csv(tmp_path / "transfer-x.csv", index=False)
    complaint = (
        r"transfer-x.csv: 'a' identifies several rows; save it with tables.save_table\(table, path, index=\[...\]\)"
    )
    with pytest.raises(tables.TableError, match=complaint):
        tables.read_tables(tmp_path, "transfer")


def test_a_declaration_counts_for_the_table_that_it_was_made_for(tmp_path):
    tables.save_table(CURVE, tmp_path / "curve.csv", index=["learner", "images"])
    CURVE.assign(AUC=0).to_csv(tmp_path / "curve.csv", index=False)
    with pytest.raises(tables.TableError, match=r"curve.csv: curve.index.json belongs to another table"):
        tables.read_tables(tmp_path, "transfer")
    (tmp_path / "curve.csv").unlink()
    with pytest.raises(tables.TableError, match=r"curve.csv: cannot be read"):
        tables.read_tables(tmp_path, "transfer")


def test_two_tables_of_one_name_are_refused(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        tables.save_table(CURVE, tmp_path / folder / "curve.csv", index=["learner", "images"])
    with pytest.raises(tables.TableError, match="two tables have the same name; rename one of them"):
        tables.read_tables(tmp_path, "transfer")


@pytest.mark.parametrize("empty", [pd.DataFrame(), pd.DataFrame(columns=["way", "value"])])
def test_a_part_that_was_left_out_has_no_table(tmp_path, empty):
    tables.save_table(empty, tmp_path / "x.csv", index=["way"])
    assert tables.read_tables(tmp_path, "transfer") == []


# --- text that looks like a formula

LIVE = [
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\n=1",
    "'=1",
    "''=1",
    "＝1",
    "-",
    "-1.5",
    "+1e3",
    "a=b",
]


def test_text_that_a_spreadsheet_would_calculate_is_written_as_text_and_read_back(tmp_path):
    frame = pd.DataFrame({"group": LIVE, "=size": [-1.5] * len(LIVE), "label": pd.Categorical(LIVE)}, index=LIVE)
    safe = tables.safe_text(frame)
    assert list(safe["group"]) == [*(f"'{text}" for text in LIVE[:10]), "-1.5", "+1e3", "a=b"]
    assert list(safe.columns) == ["group", "'=size", "label"]
    assert list(safe.index) == list(safe["group"]) == list(safe["label"])
    assert (safe["'=size"] == -1.5).all()
    pd.testing.assert_frame_equal(tables.plain_text(safe), frame, check_dtype=False, check_categorical=False)
    tables.save_table(frame, tmp_path / "x.csv", index=["group"])
    found = tables.read_table(tmp_path / "x.csv")
    assert found.labels == LIVE
    assert list(found.frame.columns) == list(frame.columns)
    assert found.frame["=size"].tolist() == frame["=size"].tolist()
    cells = pd.read_csv(tmp_path / "x.csv", dtype=str, keep_default_na=False)["group"]
    assert not [cell for cell in cells if cell[0] in "=@\t\r＝"]


def test_a_carriage_return_does_not_break_a_row(tmp_path):
    frame = pd.DataFrame({"group": ["\r=1", "a\rb"], "n": [1, 2]})
    tables.save_table(frame, tmp_path / "x.csv", index=["group"])
    assert tables.read_table(tmp_path / "x.csv").labels == ["\n=1", "a\nb"]


def test_rows_and_columns_of_several_levels_are_escaped_too():
    frame = pd.DataFrame(
        [[1]], pd.MultiIndex.from_tuples([("=a", 2)], names=["x", "y"]), pd.MultiIndex.from_tuples([("=b", "c")])
    )
    safe = tables.safe_text(frame)
    assert list(safe.index) == [("'=a", 2)]
    assert safe.index.names == ["x", "y"]
    assert list(safe.columns) == [("'=b", "c")]
    assert tables.safe_text(frame.rename_axis(index={"x": "@x"})).index.names == ["'@x", "y"]
    assert list(
        tables.safe_text(pd.DataFrame([[1]], columns=pd.Index([("=b", "c")], tupleize_cols=False))).columns
    ) == [("'=b", "c")]
    assert tables.safe_text(pd.DataFrame()).empty


def test_a_workbook_has_text_where_a_formula_would_be(tmp_path):
    frame = pd.DataFrame({"group": LIVE, "AUC": -0.5})
    with pd.ExcelWriter(tmp_path / "x.xlsx") as book:
        frame.to_excel(book, sheet_name="a", index=False)
        tables.escape_formulas(book)
    rows = list(openpyxl.load_workbook(tmp_path / "x.xlsx")["a"].iter_rows(min_row=2))
    assert {row[0].data_type for row in rows} == {"s"}
    assert [row[0].value for row in rows][:5] == LIVE[:5]
    assert [row[1].value for row in rows] == [-0.5] * len(LIVE)
    assert {row[1].data_type for row in rows} == {"n"}
    assert rows[0][0].quotePrefix


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
