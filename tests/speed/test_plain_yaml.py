"""What is read of YAML is what PyYAML's own safe loader reads, and what that refuses is refused."""

from pathlib import Path

import pytest
import yaml

from conformance.files import data_path
from conformance.speed.plain_yaml import NestedTooDeepError, TooLargeError, read_yaml

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
        "a: &a [1, 2]\nb: *a\nc: R&D *a",
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


DEEP = 100_000


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "[" * DEEP + "]" * DEEP,
        "a: " + "[" * DEEP,
        '{"a":' * DEEP + "1" + "}" * DEEP,
        "[\n" * DEEP,
        "- " * DEEP + "a",
        "-   " * DEEP + "a",
        "? " * DEEP + "a",
        "\n".join(" " * level + "a:" for level in range(3000)),
        "a:\n" + "\n".join("  " * level + "- a:" for level in range(1500)),
        "a: " + "[" * 900 + "]" * 900,
    ],
    ids=["lists", "open lists", "mappings", "lines", "entries", "wide entries", "keys", "indented", "both", "fewer"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_what_is_nested_too_deep_is_refused_before_it_ends_the_process(text: str, encoding: str) -> None:
    with pytest.raises((NestedTooDeepError, TooLargeError), match=r"nested too deep|more than 5,242,880"):
        read_yaml(text.encode(encoding))


def test_many_brackets_side_by_side_are_read() -> None:
    text = "[" + "[{}], " * 3000 + "]"
    assert read_yaml(text.encode()) == [[{}]] * 3000


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


def test_an_alias_is_the_same_object() -> None:
    same = read_yaml(b"a: &a [1]\nb: *a")
    assert same["a"] is same["b"]


@pytest.mark.parametrize("text", ["&a [*a]", "&a {b: *a}", "- &a\n  - [b, [*a]]", "[&a [&b [*a]]]"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_stands_in_itself_is_refused(text: str, encoding: str) -> None:
    with pytest.raises(yaml.YAMLError, match=r"an alias stands in what it names\n.*line [12]"):
        read_yaml(text.encode(encoding))


@pytest.mark.parametrize("times", [2, 9, 300])
def test_aliases_of_aliases_are_refused_before_anything_is_made_of_them(times: int) -> None:
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * times)}]" for n in range(1, 30))]
    with pytest.raises(yaml.YAMLError, match=r"aliases let it grow to more than 100,000 nodes"):
        read_yaml("\n".join(lines).encode())


def test_aliases_may_not_nest_deeper_than_brackets_may() -> None:
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 300))]
    with pytest.raises(NestedTooDeepError):
        read_yaml("\n".join(lines).encode())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 2026-99-99", "found what is no timestamp: '2026-99-99'"),
        ("!!timestamp x", "found what is no timestamp"),
        ("- !!bool abc", "found what is no bool: 'abc'"),
        ("a: !!int ''", "found what is no int: ''"),
        ("a: " + "9" * 5000, "found what is no int: '999"),
        ("a: !!float x", "found what is no float: 'x'"),
    ],
)
def test_a_scalar_that_makes_no_sense_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(yaml.YAMLError, match=r"line 1, column") as refused:
        read_yaml(text.encode())
    assert said in str(refused.value)


def test_what_is_longer_than_any_file_of_ours_is_refused() -> None:
    with pytest.raises(TooLargeError, match="it has 6,000,000 bytes, more than 5,242,880"):
        read_yaml(b"#" * 6_000_000)
