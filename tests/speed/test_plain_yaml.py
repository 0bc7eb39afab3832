"""What is read of YAML is what PyYAML's own safe loader reads, and what that refuses is refused."""

from pathlib import Path

import pytest
import yaml

from conformance.files import data_path
from conformance.speed.plain_yaml import read_yaml

DOCUMENTS = [
    *data_path("specs/").glob("*/*.yaml"),
    *sorted(data_path("cassettes/").glob("*/*/*.yaml"))[::40],
]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_our_files_are_read_as_pyyaml_reads_them(path: Path) -> None:
    content = path.read_bytes()
    assert read_yaml(content) == yaml.load(content, Loader=yaml.CSafeLoader)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: [1, 1.5, true, null, ~, 0x1f, 1_000, .inf, 2026-01-15, 2026-01-15T12:00:00Z, 'true', \"1\", yes]",
        "base: &base {a: 1, b: 2}\nmade: {<<: *base, b: 3}\nmany: {<<: [*base, {c: 4}]}",
        "a: &a [1, 2]\nb: *a",
        "1: a number as key\n2026-01-15: a date\ntrue: x",
        "a: !!str 1\nb: !!int '1'\nc: !!set {x, y}\nd: !!omap [a: 1]\ne: !!binary aGVsbG8=\nf: !!pairs [a: 1]",
        "a: 1\na: 2",
        "- |\n  kept\n  lines\n- >\n  folded\n  lines\n- plain\n  over two lines",
        "'quoted'",
        "\ufeffa: 1",
    ],
)
def test_every_kind_of_data_is_read_as_pyyaml_reads_it(text: str) -> None:
    assert read_yaml(text.encode()) == yaml.load(text.encode(), Loader=yaml.CSafeLoader)


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "a: b: c",
        "[1, 2]: a list is no key",
        "{a: 1}: x",
        "a: !unknown b",
        "!!python/name:os.system a",
        "a\n---\nb",
    ],
)
def test_what_pyyaml_refuses_is_refused_in_its_words(text: str) -> None:
    with pytest.raises(yaml.YAMLError) as expected:
        yaml.load(text.encode(), Loader=yaml.CSafeLoader)
    with pytest.raises(type(expected.value)) as refused:
        read_yaml(text.encode())
    assert str(refused.value).splitlines()[0] == str(expected.value).splitlines()[0]


def test_an_alias_is_the_same_object_and_may_be_inside_itself() -> None:
    same = read_yaml(b"a: &a [1]\nb: *a")
    assert same["a"] is same["b"]
    inside = read_yaml(b"&a [*a]")
    assert inside[0] is inside
    member = read_yaml(b"&a {b: *a}")
    assert member["b"] is member
