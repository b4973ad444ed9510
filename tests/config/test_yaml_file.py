"""Configuration files: every form is read as it is meant, or refused with file and line."""

import datetime
import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from heliosynth.config.yaml_file import ConfigurationError, read_file
from helpers.configurations import ROOT


def written(folder: Path, content: str | bytes, name: str = "mine.yaml") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("run: a\nseed: 3\nrun: b\n", ["line 3", "run is set twice", "line 1"]),
        ("dataset:\n  a: 1\n  a: 2\n", ["line 3", "dataset.a is set twice", "line 2"]),
        ("dataset: {a: 1}\nseed: 3\ndataset: {b: 2}\n", ["line 3", "dataset is set twice"]),
        ("dataset.a: 1\ndataset: {a: 2}\n", ["line 2", "dataset.a is set twice", "line 1"]),
        ("dataset: 3\ndataset.a: 1\n", ["line 2", "dataset is set twice", "line 1"]),
        ("dataset.a: 1\ndataset: 3\n", ["line 2", "dataset is set twice", "line 1"]),
        ("run: a\n\tseed: 3\n", ["line 2", "a tab", "spaces"]),
        ("run: [a\n", ["line 2", "not valid YAML"]),
        ("run: a: b\n", ["line 1", "not valid YAML", "quotes"]),
        (b"seed: 3\nobservations: Sch\xf6n\n", ["line 2", "0xf6", "UTF-8"]),
        ("run: a".encode("utf-16"), ["line 1", "UTF-8"]),
        ("run: a\nseed: \x07\n", ["line 2", "control character"]),
        ("", ["is empty"]),
        ("# only a comment\n", ["is empty"]),
        ("- a\n- b\n", ["line 1", "should be a mapping"]),
        ("text\n", ["line 1", "should be a mapping"]),
        ("run: a\n---\nrun: b\n", ["line 2", "second document"]),
        ("a: &a\n  b: *a\n", ["contains its own alias"]),
        ("a: &a [*a]\n", ["contains its own alias"]),
        ("a: *b\n", ["line 1", "undefined alias"]),
        ("? [a, b]\n: 3\n", ["line 1", "a key should be text"]),
        ("run: !secret a\n", ["line 1", "!secret is not supported"]),
        ("run: !!python/object:os.system a\n", ["line 1", "not supported"]),
        ("a:\n  <<: 3\n", ["line 2", "alias of a section"]),
        ("__use_yte__: true\n", ["line 1", "templates are not supported"]),
        ("a: " + "[" * 200 + "]" * 200, ["nested deeper"]),
        ("a: " + "[" * 5000 + "]" * 5000, ["nested deeper"]),
        ('{"a": ' + "[" * 100 + "]" * 100 + "}", ["nested deeper"]),
        ('{"run": "a", "run": "b"}', ["run is set twice"]),
        ('{\n\t"dataset": {"a": 1, "a": 2}}', ["a is set twice"]),
        ("a: " + "x" * 1_000_001, ["not a configuration"]),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(
    tmp_path: Path, content: str | bytes, parts: list[str]
) -> None:
    path = written(tmp_path, content)
    with pytest.raises(ConfigurationError) as caught:
        read_file(path)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 500
    assert message.startswith(str(path))
    assert [part for part in parts if part not in message] == []


def test_aliases_that_multiply_are_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    with pytest.raises(ConfigurationError, match="more than 100000 values"):
        read_file(written(tmp_path, "\n".join(lines)))


@pytest.mark.parametrize("name", ["missing.yaml", ".", "missing/folder.yaml", "nul\0.yaml"])
def test_what_is_no_file_is_refused_by_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"(no such file|folder|cannot be read).*; name"):
        read_file(f"{tmp_path}/{name}")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("64", 64),
        ("'64'", "64"),
        ("1e-3", 1e-3),
        ("1.0e-3", 1e-3),
        (".5", 0.5),
        ("010", "010"),
        ("0x10", "0x10"),
        ("15_000", "15_000"),
        ("+5", "+5"),
        ("12:30:00", "12:30:00"),
        ("2012-01-01", "2012-01-01"),
        ("yes", True),
        ("Off", False),
        ("'no'", "no"),
        ("~", None),
        ("", None),
        ("null", None),
        ("'null'", "null"),
        ("!!str 12", "12"),
        ("!!int '12'", 12),
        ("[1, a, {b: 1e3}]", [1, "a", {"b": 1000.0}]),
        ("{}", {}),
        (".inf", float("inf")),
        ("ten", "ten"),
    ],
)
def test_scalars_are_no_more_than_they_say(tmp_path: Path, text: str, value: object) -> None:
    read = read_file(written(tmp_path, f"key: {text}\n")).content["key"]
    assert read == value
    assert type(read) is type(value)


def test_keys_are_text(tmp_path: Path) -> None:
    content = "1: a\nnull: b\non: c\n2012-01-01: d\n"
    expected = {"1": "a", "null": "b", "on": "c", "2012-01-01": "d"}
    assert read_file(written(tmp_path, content)).content == expected


def test_keys_with_dots_are_keys_of_sections(tmp_path: Path) -> None:
    layer = read_file(
        written(tmp_path, "dataset.split.test: 0.2\ndataset:\n  split: {validation: 0.1}\n")
    )
    assert layer.content == {"dataset": {"split": {"test": 0.2, "validation": 0.1}}}
    assert layer.origins[("dataset", "split", "test")].endswith("mine.yaml, line 1")
    assert layer.origins[("dataset", "split", "validation")].endswith("mine.yaml, line 3")


def test_merged_keys_fill_what_is_not_set(tmp_path: Path) -> None:
    content = "a: &a {x: 1, y: {z: 2}}\nb: &b {x: 3}\nc:\n  <<: [*b, *a]\n  y: 4\n"
    assert read_file(written(tmp_path, content)).content["c"] == {"x": 3, "y": 4}


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_json_with_tabs_and_a_byte_order_mark_is_read(tmp_path: Path, mark: bytes) -> None:
    path = written(tmp_path, mark + b'{\n\t"run": "a",\n\t"dataset.a": {"b": [1, null]}}')
    assert read_file(path).content == {"run": "a", "dataset": {"a": {"b": [1, None]}}}


@pytest.mark.parametrize("path", [ROOT / "config.yaml", *sorted((ROOT / "config").glob("*.yaml"))])
def test_the_projects_files_are_read_as_by_pyyaml(path: Path) -> None:
    expected = yaml.safe_load(path.read_text(encoding="utf-8"))

    def plain(value: object) -> object:
        if isinstance(value, dict):
            return {str(key): plain(item) for key, item in value.items()}
        return value.isoformat() if isinstance(value, datetime.date) else value

    assert read_file(path).content == plain(expected)


TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text("ab:#- 1é", max_size=5),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(st.from_regex(r"[a-z]{1,3}", fullmatch=True), children, max_size=3)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,3}", fullmatch=True), TREES, min_size=1))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, tree: dict) -> None:
    folder = tmp_path_factory.mktemp("file")
    assert read_file(written(folder, json.dumps(tree))).content == tree
    assert read_file(written(folder, yaml.safe_dump(tree))).content == tree
