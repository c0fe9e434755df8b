"""YAML is read within limits: no bomb, no loop, no endless file, nothing that Python would carry out."""

import os
import subprocess
import sys
import time

import pytest
import yaml

from helpers import yamlfile
from helpers.project import CHECKOUT

BOMB = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))


OURS = [*CHECKOUT.glob("helpers/quizzes/*.yaml"), *CHECKOUT.glob("profiles/*.yaml")]


@pytest.mark.parametrize("path", sorted(OURS), ids=lambda path: path.name)
def test_the_files_of_the_course_are_read_as_they_were(path):
    assert yamlfile.read(path).value == yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (BOMB, "line 1: &a is not supported; write the value out"),
        ("&a [*a]", "line 1: &a is not supported"),
        ("x:\n  - 1\n  - *a", "line 3: *a is not supported"),
        ("base: {a: 1}\nb:\n  <<: {a: 2}", "line 3, b: the key '<<' is not text"),
        ("[" * 60_000, "nested more than 20 deep; write it flatter"),
        ("{a: " * 16_000, "nested more than 20 deep"),
        ("- " * 30_000, "nested more than 20 deep"),
        ("a:\n  b: " + "9" * 5000, "line 2, a.b: a number must have at most 40 digits, got 5000; put text in quotes"),
        ("a: 0x" + "f" * 5000, "must have at most 40 digits, got 5002"),
        ("a: !!python/object/apply:os.getcwd []", "line 1: the tag !!python/object/apply:os.getcwd is not supported"),
        ("a: 1\nb: !mine 3", "line 2: the tag !mine is not supported; take it away (quotes make text)"),
        ("!!set {a}", "the tag !!set is not supported"),
        ("!!binary YQ==", "the tag !!binary is not supported"),
        ("a: !!int two", "line 1: the tag !!int is not supported"),
        ('a: !!int ""', "the tag !!int is not supported"),
        ('a: !!int "-"', "the tag !!int is not supported"),
        ("a: !!float _", "the tag !!float is not supported"),
        ("a: !!null foo", "the tag !!null is not supported"),
        ("!!str a: 1", "the tag !!str is not supported"),
        ("a: ! 1", "the tag ! is not supported"),
        ("a: !" + "x" * 5000 + " 1", "x… is not supported"),
        ("a: =", "line 1, a: tag:yaml.org,2002:value is not supported; write text, numbers"),
        ("a: 0x_", "line 1, a: '0x_' is not a valid int; put text in quotes"),
        ("a: 2026-11-28", "line 1, a: 2026-11-28 is a date; put it in quotes"),
        ("a: [1, .nan]", "line 1, a.1: .nan is not a finite number"),
        ("a: -.inf", "-.inf is not a finite number"),
        ("a: 1.0e+999", "1.0e+999 is not a finite number"),
        ("a: 1\nb: 2\na: 3", "line 3: a is defined twice; keep one of them"),
        ("a: {b: 1,\n  b: 1}", "line 2: a.b is defined twice"),
        ("1: a", "line 1: the key '1' is not text; put it in quotes"),
        ("yes: a", "the key 'yes' is not text"),
        ("? [a]\n: b", "the key a list or a map is not text"),
        ('a: "x\\0y"', "line 1, a: text with a NUL character"),
        ("a: \x01", "not YAML (unacceptable character"),
        ("a: 'b", "line 1: not YAML (found unexpected end of stream)"),
        ("--- a\n--- b", "line 2: not YAML"),
        ("a: " + "x" * 70_000, "has more than 64 KiB, the most that is read; split it"),
    ],
)
def test_what_is_not_plain_yaml_is_refused_in_one_line_and_at_once(text, complaint):
    began = time.process_time()
    with pytest.raises(yamlfile.YamlError) as caught:
        yamlfile.parse(text, "x.yaml")
    assert str(caught.value).startswith("x.yaml")
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200
    assert time.process_time() - began < 10


def test_lines_are_known_of_every_key_and_item():
    document = yamlfile.parse("a:\n  b: 1\n  c:\n  - x\n  - y\n", "x")
    assert document.value == {"a": {"b": 1, "c": ["x", "y"]}}
    assert [document.line(path) for path in (("a",), ("a", "b"), ("a", "c", 1), ("a", "z"), ("z",))] == [1, 2, 5, 1, 1]


def pipe(path):
    os.mkfifo(path)


def device(path):
    path.symlink_to("/dev/zero")


def loop(path):
    path.symlink_to(path)


def folder(path):
    path.mkdir()


def sparse(path):
    with path.open("wb") as file:
        file.truncate(2**40)


def text_of_windows(path):
    path.write_bytes("a: é".encode("cp1252"))


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (pipe, "is a named pipe, not a file; give the path of a YAML file"),
        (device, "is a device, not a file"),
        (folder, "is a folder, not a file"),
        (loop, "is a loop of links, not a file"),
        (sparse, "has more than 64 KiB"),
        (text_of_windows, "not UTF-8 (byte 4); save it as UTF-8"),
    ],
)
def test_what_is_no_file_of_yaml_is_refused_at_once(tmp_path, make, complaint):
    path = tmp_path / "x.yaml"
    make(path)
    code = "import sys; from pathlib import Path; from helpers import yamlfile; yamlfile.read(Path(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=20)
    assert f"x.yaml: {complaint}" in done.stderr


def test_a_file_that_begins_with_a_byte_order_mark_is_read(tmp_path):
    (tmp_path / "x.yaml").write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    assert yamlfile.read(tmp_path / "x.yaml").value == {"a": 1, "b": 2}


def test_options_of_the_command_line_are_yaml():
    pairs = ["task=leukaemia", "n=30", "on=true", "sizes=[1, 2]", "empty=", "rate=0.5", "when='2026-01-01'"]
    wanted = {"task": "leukaemia", "n": 30, "on": True, "sizes": [1, 2], "empty": None, "rate": 0.5}
    assert yamlfile.parse_options(pairs) == {**wanted, "when": "2026-01-01"}


@pytest.mark.parametrize(
    ("pairs", "complaint"),
    [
        (["task"], "option 'task': is not name=value; write, for instance, task=leukaemia"),
        (["=3"], "option '=3': is not name=value"),
        (["a b=3"], "option 'a b=3': is not name=value"),
        (
            ["sizes=[1, 2"],
            "option sizes=[1, 2, line 1: not YAML (expected ',' or ']', but got '<stream end>'); put text",
        ),
        (["n=1", "n=2"], "option n: is given twice; give it once"),
        (["label=a: b: c"], "option label=a: b: c, line 1: not YAML (mapping values are not allowed here); put text"),
    ],
)
def test_an_option_that_is_not_yaml_is_named_with_its_remedy(pairs, complaint):
    with pytest.raises(yamlfile.YamlError) as caught:
        yamlfile.parse_options(pairs)
    assert str(caught.value).startswith(complaint)
