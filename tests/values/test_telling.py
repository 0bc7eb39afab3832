"""Telling values are each of their own, and two URLs are compared by what they lead to."""

import json

import pytest

from conformance.sandbox.messages import read_json
from conformance.values import telling


def test_every_text_is_one_that_json_carries_and_has_a_number_of_its_own() -> None:
    for value in telling.TEXTS:
        one, other = value.numbered(1234567890), value.numbered(1234567891)
        assert one != other
        assert read_json(json.dumps(one).encode()) == one


def test_no_two_texts_have_the_same_name() -> None:
    for named in (telling.TEXTS, telling.PAIRS, telling.RETURNS):
        assert len({each.name for each in named}) == len(named)


def test_the_values_of_a_pair_differ() -> None:
    for pair in telling.PAIRS:
        one, other = pair.numbered(1234567890)
        assert one != other


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://app.example/a?x=1", "HTTPS://APP.example:443/a?y=2", True),
        ("https://app.example", "https://app.example/", True),
        ("https://app.example/%7ea%2fb", "https://app.example/~a%2Fb", True),
        ("https://app.example/a%2Fb", "https://app.example/a/b", False),
        ("https://app.example/a#one", "https://app.example/a", False),
        ("https://app.example:8443/a", "https://app.example/a", False),
        ("https://app.example/A", "https://app.example/a", False),
    ],
)
def test_two_urls_lead_to_one_page(one: str, other: str, *, same: bool) -> None:
    assert telling.same_page(one, other) is same


@pytest.mark.parametrize(
    ("url", "returned_to", "keeps"),
    [
        ("https://a.example/?x=1", "https://a.example/?x=1&status=verified", True),
        ("https://a.example/?x=&y=1", "https://a.example/?y=1", False),
        ("https://a.example/?x=1&x=2", "https://a.example/?x=2&z=1", False),
        ("https://a.example/?q=a+b", "https://a.example/?q=a%20b", True),
    ],
)
def test_a_query_is_kept(url: str, returned_to: str, *, keeps: bool) -> None:
    assert telling.keeps_query(url, returned_to) is keeps
