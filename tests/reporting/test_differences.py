"""What differs between two texts, and what many findings have in common."""

from typing import Any

import pytest

from conformance.reporting.alike import alike, differing
from conformance.reporting.differences import marked
from conformance.reporting.exchanges import folded
from conformance.reporting.markup import joined, prose, tag


@pytest.mark.parametrize(
    ("expected", "got", "shown"),
    [
        ("401", "200", ("<mark>401</mark>", "<mark>200</mark>")),
        ("a b c", "a x c", ("a <mark>b</mark> c", "a <mark>x</mark> c")),
        ("a b", "a b c", ("a b", "a b<mark> c</mark>")),
        ("aaa", "aa", ("<mark>aaa</mark>", "<mark>aa</mark>")),
        ("a a", "a", ("a<mark> a</mark>", "a")),
        ("same", "same", ("same", "same")),
        ("", "x", ("", "<mark>x</mark>")),
        ("<b>", "<i>", ("&lt;<mark>b</mark>&gt;", "&lt;<mark>i</mark>&gt;")),
    ],
)
def test_what_differs_is_marked_by_whole_words(expected: str, got: str, shown: tuple[str, str]) -> None:
    assert marked(expected, got) == shown


def finding(**members: str) -> dict[str, Any]:
    return {"where": "body", "expected": "1", "got": "2", "reason": "", "test": "a/b/c", **members}


def test_findings_that_differ_in_ids_alone_are_alike() -> None:
    ids = ("742d5dee-69fe-4966-b8fe-266de502215a", "511e5e86-4a21-4fa7-9f7a-000000000000")
    found = [finding(where=f"customer {each}", got=each) for each in ids] + [finding(expected="3")]
    groups = alike(found)
    assert [(group.count, len(group.got)) for group in groups] == [(2, 2), (1, 1)]
    assert groups[0].first is found[0]
    assert differing(found) == [("where", 3), ("expected", 2), ("got", 3)]


def test_a_long_text_is_folded_at_whole_characters() -> None:
    assert folded("ü" * 4, 8) == "ü" * 4
    assert folded("ü" * 5, 9) == f"{'ü' * 4}…\n[folded: 9 of 10 bytes; results.json has all of them]"


def test_what_is_no_html_is_escaped_once() -> None:
    assert tag("p", "a < b & \x1b", tag("b", "<i>"), css="x", data_api='"', hidden=True, open=False) == (
        '<p class="x" data-api="&quot;" hidden>a &lt; b &amp; \\x1b<b>&lt;i&gt;</b></p>'
    )
    assert joined(joined("<")) == "&lt;"
    assert prose("`a` is <`b`") == "<code>a</code> is &lt;<code>b</code>"
