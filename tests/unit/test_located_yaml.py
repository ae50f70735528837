"""YAML with places: what scalars mean, where things stand, and what is refused."""

from __future__ import annotations

import os

import pytest

from cnnpipe.errors import Place, ProblemError
from cnnpipe.located_yaml import parse, parse_value, read
from cnnpipe.yaml_nodes import short


def refused(text: str) -> list[str]:
    with pytest.raises(ProblemError) as caught:
        parse(text, "r.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001), ("1.5", 1.5), (".5", 0.5), ("-2", -2), ("012", 12), ("0o12", 10), ("0x1F", 31),
        ("true", True), ("False", False), ("null", None), ("~", None), ("", None),
        ("yes", "yes"), ("no", "no"), ("on", "on"), ("1:30", "1:30"), ("2024-01-01", "2024-01-01"), ("1_000", "1_000"),
        ("'1e-3'", "1e-3"), ('"true"', "true"), ("-.inf", float("-inf")), ("1e999", float("inf")), ("[1, a]", [1, "a"]),
        ("|\n  two\n  lines\n", "two\nlines\n"), ("&x 3", 3), ("=", "="),
    ],
)  # fmt: skip
def test_scalars_follow_the_core_schema_of_yaml_1_2(text, value):
    found = parse_value(text, "r.yaml").plain()
    assert found == value and type(found) is type(value)


def test_places_are_those_of_keys_and_values():
    document = parse("a: 1\nb:\n  - x\n  - {c: [7]}\nd: &d {e: 2}\nf: *d\n", "r.yaml")
    assert document.place(("b", 1, "c")) == Place("r.yaml", 4, 6)
    assert document.value_place(("b", 1, "c", 0)) == Place("r.yaml", 4, 10)
    assert document.place(("b", 0)) == document.value_place(("b", 0)) == Place("r.yaml", 3, 5)
    assert document.place(("b", 9, "x")) == Place("r.yaml", 2, 1), "the nearest ancestor of what is not there"
    assert document.place(("f",)) == Place("r.yaml", 6, 1)
    assert document.place(("f", "e")) == Place("r.yaml", 5, 8), "what an alias repeats stands at its anchor"
    assert document.data == {"a": 1, "b": ["x", {"c": [7]}], "d": {"e": 2}, "f": {"e": 2}}
    assert document.lines[3] == "  - {c: [7]}"


def test_windows_line_ends_and_byte_order_mark(tmp_path):
    file = tmp_path / "r.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    assert read(file).data == {"a": 1, "b": 2}
    assert read(file).place(("b",)).line == 2


def test_all_duplicate_keys_at_once():
    assert refused("a: 1\nb: {c: 1, c: 2}\na: 3\n") == [
        "r.yaml:2:11: the key 'c' stands twice; first in line 2. Delete one of the two.",
        "r.yaml:3:1: the key 'a' stands twice; first in line 1. Delete one of the two.",
    ]


@pytest.mark.parametrize("depth", [51, 60, 100_000])
def test_deep_nesting(depth):
    (text,) = refused("a: " + "[" * depth)
    assert "nested more than 50 levels" in text


def test_depth_by_aliases():
    levels = "".join(f"k{n}: &k{n} [[[[[[[[[[*k{n - 1}]]]]]]]]]]\n" for n in range(1, 9))
    (text,) = refused("k0: &k0 [1]\n" + levels)
    assert text.startswith("r.yaml:6:") and "nested more than 50 levels" in text


def test_alias_bomb_answers_at_once():
    text = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 45))
    (said,) = refused(text)
    assert "more than 30,000 values" in said


def test_many_values_without_aliases():
    (said,) = refused("a: [" + "1," * 40_000 + "]")
    assert "more than 30,000 values" in said


def test_file_of_fifty_megabytes_is_not_read(tmp_path, monkeypatch):
    file = tmp_path / "r.yaml"
    with file.open("wb") as out:
        out.truncate(50_000_000)
    monkeypatch.setattr(type(file), "read_bytes", lambda self: pytest.fail("was read"))
    with pytest.raises(ProblemError, match=r"r.yaml:1:1: the file has 50\.0 MB, and a recipe at most 1 MB"):
        read(file)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"a: 1\nb: sch\xf6n\n", "r.yaml:2:7: byte 12 (0xF6, 'ö' in Latin-1) is not UTF-8. Save it as UTF-8 text."),
        ("a: 1\n".encode("utf-16"), "r.yaml:1:1: the file is written in UTF-16. Save it as UTF-8 text."),
        ("a: 1\n".encode("utf-16-be"), "r.yaml:1:1: this is not a text file (byte 1 is zero)."),
        ("a: 1\n".encode("utf-32"), "r.yaml:1:1: the file is written in UTF-32."),
        (bytes(range(256)), "r.yaml:1:1: this is not a text file (byte 1 is zero)."),
        (b"a: 1\nb: \x1b[0m\n", "r.yaml:2:4: holds an invisible character (code 27). Delete it."),
        (b"", "r.yaml:1:1: the file is empty."),
    ],
)  # fmt: skip
def test_files_that_are_no_text(tmp_path, content, text):
    file = tmp_path / "r.yaml"
    file.write_bytes(content)
    with pytest.raises(ProblemError) as caught:
        read(file, "r.yaml")
    assert str(caught.value).startswith(text)


def test_files_that_cannot_be_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits.yaml").write_text("a: 1\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.yaml").write_text("a: 1\n")
    os.mkfifo(tmp_path / "pipe")
    expected = {
        "digist.yaml": "digist.yaml:1:1: there is no such file. Did you mean 'digits.yaml'?",
        "no/where.yaml": "no/where.yaml:1:1: there is no such file. There is no folder no either.",
        "folder": "folder:1:1: this is a folder, not a recipe file. It holds a.yaml.",
        "pipe": "pipe:1:1: this is not a regular file.",
        "digits.yaml/x": "digits.yaml/x:1:1: the file cannot be read (Not a directory).",
        "x" * 300: "x" * 300 + ":1:1: the file cannot be read (File name too long).",
        "nul\0": "nul\0:1:1: the file cannot be read (embedded null byte).",
    }
    for name, text in expected.items():
        with pytest.raises(ProblemError) as caught:
            read(tmp_path.__class__(name))
        assert str(caught.value) == text


def test_no_permission(tmp_path, monkeypatch):
    file = tmp_path / "r.yaml"
    file.write_text("a: 1\n")

    def denied(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(file), "read_bytes", denied)
    with pytest.raises(ProblemError, match=r"r.yaml:1:1: no permission to read this file"):
        read(file)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"), (True, "true"), (3, "3"), ("a", "'a'"), ("x" * 99, "'" + "x" * 37 + "...'"),
        ([1, "a"], "[1, a]"), ([{}, 1], "a list of 2"), ({}, "an empty mapping"), ({"a": 1}, "a mapping with 'a'"),
        ({str(n): n for n in range(9)}, "a mapping with 9 keys"),
    ],
)  # fmt: skip
def test_received_values_are_shown_short(value, text):
    assert short(value) == text
