"""Tables of groups as spreadsheets and people write them, and names that are one patient."""

import os
import time
import zipfile

import openpyxl
import pytest
from bad_inputs.archives import lying
from factories import class_folder, write

from helpers.datasets import DatasetError, groups, load, tables

IDS = [f"{label}/{k}.png" for label in ("blast", "healthy") for k in range(3)]
GROUPS = {image_id: f"P{n % 2}" for n, image_id in enumerate(IDS)}


@pytest.fixture
def cells(tmp_path):
    return class_folder(tmp_path / "cells")


def groups_of(cells):
    return load(f"folder:{cells}").frame["group"].to_dict()


def lines(delimiter=",", groups=GROUPS, image=str):
    rows = [delimiter.join((image(key), group)) for key, group in groups.items()]
    return "\n".join([delimiter.join(("image", "group")), *rows]) + "\n"


def sheet(path, rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)


# --- ways to write a table


WRITTEN = {
    "BOM": b"\xef\xbb\xbf" + lines().encode(),
    "semicolons": lines(";").encode(),
    "tabs": lines("\t").encode(),
    "UTF-16": lines("\t").encode("utf-16"),
    "CRLF": lines().replace("\n", "\r\n").encode(),
    "CR": lines().replace("\n", "\r").encode(),
    "sep=": ("sep=;\r\n" + lines(";")).encode(),
    "header in capitals": lines().replace("image,group", " Image , GROUP ").encode(),
    "quoted": lines().replace("P1", '"P1"').encode(),
    "empty cells at the end": lines().replace("\n", ",,\n").encode(),
    "empty lines": ("\n" + lines() + "\n,\n\n").encode(),
    "backslashes": lines(image=lambda key: key.replace("/", "\\")).encode(),
    "dot": lines(image=lambda key: "./" + key).encode(),
    "space around": lines(image=lambda key: f" {key}\u00a0").encode(),
    "capitals": lines(image=str.upper).encode(),
    "name of the folder": lines(image=lambda key: "cells/" + key).encode(),
    "Windows path": lines(image=lambda key: "C:\\Users\\me\\cells\\" + key.replace("/", "\\")).encode(),
    "more columns": ("image,note,group\n" + "".join(f"{key},x,{group}\n" for key, group in GROUPS.items())).encode(),
}


@pytest.mark.parametrize("content", WRITTEN.values(), ids=WRITTEN)
def test_a_table_is_read_however_a_spreadsheet_has_written_it(cells, content):
    (cells / "groups.csv").write_bytes(content)
    assert groups_of(cells) == GROUPS


def test_absolute_paths_and_bare_names_are_read_where_they_are_unique(tmp_path):
    cells = class_folder(tmp_path / "cells", each=1)
    (cells / "blast" / "0.png").rename(cells / "blast" / "b.png")
    write(cells / "groups.csv", f"image,group\nb.png,P1\n{cells}/healthy/0.png,P2\n")
    assert groups_of(cells) == {"blast/b.png": "P1", "healthy/0.png": "P2"}


@pytest.mark.parametrize("name", ["Groups.csv", "GROUPS.CSV", "groups.csv.txt", "groups.tsv", "groups.txt"])
def test_a_table_is_found_whatever_the_case_of_its_name(cells, name):
    write(cells / name, lines())
    assert groups_of(cells) == GROUPS


@pytest.mark.parametrize("name", ["groups.xlsx", "Groups.XLSX", "groups.csv"])
def test_an_excel_file_is_read_by_what_is_in_it(cells, name):
    sheet(cells / name, [("image", "group"), *GROUPS.items()])
    assert groups_of(cells) == GROUPS


def test_numbers_of_excel_are_whole_numbers(cells):
    sheet(cells / "groups.xlsx", [("image", "group"), *((key, float(n)) for n, key in enumerate(IDS))])
    assert sorted(groups_of(cells).values()) == list("012345")


# --- what is wrong, exactly


WRONG = {
    "cells": (lines().replace("P1\n", "P1,x\n", 1).encode(), r"line 3: 3 cells where the first line has 2 \(blast/1"),
    "encoding": (lines().encode().replace(b"P1", b"P\xe4", 1), "line 3: byte 0xe4 is not UTF-8; save the table as"),
    "null": (lines().replace("P1", "P\0", 1).encode(), "line 3: a null byte"),
    "no header": (b"blast/0.png,P1\n", r"lacks the column\(s\) image, group; it has blast/0.png, P1; name the columns"),
    "empty": (b"", r"lacks the column\(s\) image, group; it has none"),
    "quotes": (b'image,group\n"blast/0.png,P1\n', "not a CSV table"),
    "two columns": (b"image,group,Group\n", "more than one column group"),
    "xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "an Excel file of before 2007"),
    "zip": (b"PK\x03\x04 no zip", "not an .xlsx table"),
    "ambiguous": (
        lines().replace("blast/1.png", "2.png").encode(),
        "2.png: fits blast/2.png, healthy/2.png; write its",
    ),
    "unknown": (
        lines().replace("blast/1.png", "x/1.png").encode(),
        "x/1.png: in the table, but there is no such image",
    ),
    "long line": (b"image,group\n" + b"x" * 10_001, "line 2: 10,001 signs, more than 10,000"),
    "twice": (lines().replace("blast/1.png", "BLAST/0.png").encode(), r"blast/0.png: occurs more than once \(line 3\)"),
}


@pytest.mark.parametrize(("content", "message"), WRONG.values(), ids=WRONG)
def test_a_table_that_cannot_be_read_says_which_line_and_what_to_do(cells, content, message):
    (cells / "groups.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        load(f"folder:{cells}")


@pytest.mark.parametrize(
    "group",
    [
        "",
        " ",
        "\u00a0",
        "NA",
        "n/a",
        "NaN",
        "None",
        "null",
        "-",
        "?",
        "Unknown",
        "#N/A",
        "\u200b",
        "\u2060",
        "\uff2e\uff21",
        "un\u00adknown",
    ],
)
def test_a_group_that_is_not_known_is_refused_and_listed(cells, group):
    write(cells / "groups.csv", lines(groups=GROUPS | {"blast/1.png": group}))
    with pytest.raises(
        DatasetError, match=r"images without a group; name the patient[^\n]*\n  - blast/1.png"
    ) as caught:
        load(f"folder:{cells}")
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize("group", [" P1", "P1 ", "P1\u00a0", "\u3000P1", "P1\u200b"])
def test_space_around_a_group_does_not_split_a_patient(cells, group):
    write(cells / "groups.csv", lines(groups=GROUPS | {"blast/1.png": group}))
    assert groups_of(cells) == GROUPS


def test_the_unicode_form_of_a_group_does_not_split_a_patient(cells):
    write(cells / "groups.csv", lines(groups=dict.fromkeys(IDS, "M\u00fcller") | {"blast/1.png": "Mu\u0308ller"}))
    assert set(groups_of(cells).values()) == {"M\u00fcller"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("P1", "p1"),
        ("1", "1.0"),
        ("1", "01"),
        ("P1", "P01"),
        ("P1", "P 1"),
        ("1", "1,0"),
        ("P1", "\uff30\uff11"),
        ("P1", "P\u20601"),
        ("P1", "P\u200d1"),
        ("P1", "P\u00ad1"),
        ("1", "\uff11.0"),
    ],
)
def test_groups_that_differ_only_in_form_are_warned_of_by_name(cells, one, other):
    write(cells / "groups.csv", lines(";", dict.fromkeys(IDS, one) | {"blast/1.png": other}))
    first, second = sorted([one, other])
    with pytest.warns(UserWarning, match="count as different; if they are one patient, write one name") as caught:
        assert set(groups_of(cells).values()) == {one, other}
    assert f"- {first!r} and {second!r}" in str(caught[0].message)


def test_groups_that_differ_otherwise_are_not_warned_of(cells):
    names = ["P1", "P10", "P100", "P2", "1.5", "15"]
    write(cells / "groups.csv", lines(groups=dict(zip(IDS, names, strict=True))))
    assert sorted(groups_of(cells).values()) == sorted(names)


@pytest.mark.parametrize("start", ["/", "C:/", "cells/"])
def test_paths_of_thousands_of_parts_are_looked_up_within_seconds(cells, start):
    rows = "".join(f"{start}{'a/' * 4_900}{n}.png,P1\n" for n in range(100))
    write(cells / "groups.csv", f"image,group\n{rows}")
    began = time.process_time()
    with pytest.raises(DatasetError, match="does not match the images") as caught:
        load(f"folder:{cells}")
    assert len(caught.value.problems) == 106
    assert time.process_time() - began < 10


def test_one_name_in_hundreds_of_folders_is_looked_up_within_seconds(tmp_path):
    ids = [f"{k}/cell.png" for k in range(4000)]
    write(tmp_path / "groups.csv", "image,group\n" + "".join(f"cell.png,P{k}\n" for k in range(4000)))
    began = time.process_time()
    with pytest.raises(DatasetError, match=r"cell\.png: fits 0/cell\.png, 1/cell\.png, 2/cell\.png; write"):
        groups.read_groups(tmp_path / "groups.csv", ids)
    assert time.process_time() - began < 10


def test_absolute_paths_of_another_computer_are_read(cells):
    deep = "/home/me/" + "x/" * 50
    write(cells / "groups.csv", lines(image=lambda key: deep + key))
    assert groups_of(cells) == GROUPS


def test_numbers_that_excel_has_rounded_are_warned_of(cells):
    write(cells / "groups.csv", lines(groups=GROUPS | {"blast/1.png": "1.23457E+15"}))
    with pytest.warns(UserWarning, match=r"a spreadsheet has rounded[^\n]*\n  - '1.23457E\+15'"):
        load(f"folder:{cells}")


# --- kinds of file


def test_two_tables_are_refused(cells):
    for name in ("groups.csv", "Groups.xlsx"):
        write(cells / name, lines())
    with pytest.raises(DatasetError, match=r"more than one table of groups; keep one\n  - Groups.xlsx\n  - groups.csv"):
        load(f"folder:{cells}")


@pytest.mark.parametrize("name", ["groups.xls", "groups.ods", "groups.numbers"])
def test_a_table_of_a_kind_that_is_not_read_is_named(cells, name):
    write(cells / name, "a spreadsheet")
    with pytest.raises(DatasetError, match=f"{name}: not read as a table of groups; save it as groups.csv"):
        load(f"folder:{cells}")


def test_a_pipe_a_folder_or_a_loop_in_place_of_a_table_is_refused_at_once(cells):
    path = cells / "groups.csv"
    os.mkfifo(path)
    with pytest.raises(DatasetError, match=r"groups\.csv: is a named pipe, not a file; put the table itself there"):
        load(f"folder:{cells}")
    path.unlink()
    path.symlink_to(path)
    with pytest.raises(DatasetError, match=r"groups\.csv: is a loop of links, not a file"):
        load(f"folder:{cells}")
    path.unlink()
    path.mkdir()
    with pytest.raises(DatasetError, match=r"groups\.csv: a folder; put the table itself there"):
        load(f"folder:{cells}")


def test_a_table_beyond_the_limits_is_refused(cells, monkeypatch):
    write(cells / "groups.csv", lines())
    size = (cells / "groups.csv").stat().st_size
    monkeypatch.setattr(tables, "MAX_TABLE_BYTES", size)
    assert groups_of(cells) == GROUPS
    monkeypatch.setattr(tables, "MAX_TABLE_BYTES", size - 1)
    with pytest.raises(DatasetError, match="a table of images is smaller"):
        load(f"folder:{cells}")
    monkeypatch.undo()
    monkeypatch.setattr(tables, "MAX_TABLE_LINES", 5)
    with pytest.raises(DatasetError, match="more than 5 lines"):
        load(f"folder:{cells}")
    monkeypatch.undo()
    (cells / "groups.csv").unlink()
    sheet(cells / "groups.xlsx", [("image", "group"), *GROUPS.items()])
    monkeypatch.setattr(tables, "MAX_TABLE_BYTES", (cells / "groups.xlsx").stat().st_size)
    with pytest.raises(DatasetError, match="unpacks to more than"):
        load(f"folder:{cells}")


@pytest.mark.parametrize("name", ["[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml"])
def test_an_excel_file_that_holds_more_than_it_declares_is_refused_before_it_is_unpacked(cells, name):
    sheet(cells / "groups.xlsx", [("image", "group"), *GROUPS.items()])
    with zipfile.ZipFile(cells / "groups.xlsx") as archive:
        members = {own: archive.read(own) for own in archive.namelist()}
    (cells / "groups.xlsx").write_bytes(lying(members, name, 1))
    with pytest.raises(DatasetError) as caught:
        load(f"folder:{cells}")
    assert str(caught.value) == (
        f"{cells / 'groups.xlsx'}: not an .xlsx table (BadZipFile: {name} does not hold the {len(members[name]):,} "
        "bytes that it declares); save it as CSV UTF-8"
    )


def test_an_excel_file_of_too_many_files_is_refused(cells, monkeypatch):
    sheet(cells / "groups.xlsx", [("image", "group"), *GROUPS.items()])
    monkeypatch.setattr(tables, "MAX_SHEET_MEMBERS", 3)
    with pytest.raises(DatasetError, match="unpacks to more than 16 MiB or 3 files; save it as CSV UTF-8"):
        load(f"folder:{cells}")
