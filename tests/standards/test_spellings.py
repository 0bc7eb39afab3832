"""Another spelling says the same."""

import json
from fnmatch import fnmatchcase

import httpx
import pytest

from conformance.standards.spellings import (
    PLAIN,
    EscapedJson,
    InChunks,
    OtherHeaders,
    OtherSignature,
    SpacedJson,
    Spelling,
)

VALUES: list[object] = [
    {"chainId": "eip155:300:0xAb16a96D359eC26a11e2C2b3d8f8B8942d5Bfcdb", "externalId": 'é"\\/\u2028😀', "n": [1, None]},
    {},
    [],
    "text",
    12.5,
    {"nested": {"b": [{"c": True}], "a": ""}},
]


@pytest.mark.parametrize("spelling", [PLAIN, SpacedJson(), EscapedJson(), OtherHeaders(), OtherSignature(), InChunks()])
@pytest.mark.parametrize("value", VALUES)
def test_json_says_the_same(spelling: Spelling, value: object) -> None:
    assert json.loads(spelling.json(value)) == value


@pytest.mark.parametrize("spelling", [SpacedJson(), EscapedJson()])
def test_json_has_other_bytes(spelling: Spelling) -> None:
    assert spelling.json(VALUES[0]) != PLAIN.json(VALUES[0])


def test_members_come_in_the_opposite_order() -> None:
    assert list(json.loads(SpacedJson().json({"a": 1, "b": 2}))) == ["b", "a"]


def test_all_that_is_blank_stands_between_tokens() -> None:
    written = SpacedJson().json({"a": 1, "b": 2})
    assert all(blank in written for blank in (b" ", b"\t", b"\n", b"\r"))


def test_escapes_are_ascii_in_both_forms() -> None:
    written = EscapedJson().json({"url": "https://a.example/é🦊"})
    assert written == rb'{"url":"https\u003A\/\u002Fa\u002Eexample\/\u00e9\ud83e\udd8a"}'


def test_header_lines_are_the_same_but_for_order_and_case() -> None:
    lines = [(b"Accept", b"*/*"), (b"x-one", b"1")]
    written = OtherHeaders().headers(lines)
    assert written == [(b"X-ONE", b"1"), (b"ACCEPT", b"*/*")]
    assert dict(httpx.Headers(list(written))) == dict(httpx.Headers(lines))


def test_lines_of_one_field_stay_in_their_order() -> None:
    lines = [(b"Accept", b"*/*"), (b"Content-Digest", b"a=::"), (b"X-One", b"1"), (b"content-digest", b"b=::")]
    written = OtherHeaders().headers(lines)
    assert [name for name, _ in written] == [b"X-ONE", b"CONTENT-DIGEST", b"CONTENT-DIGEST", b"ACCEPT"]
    assert httpx.Headers(list(written))["content-digest"] == httpx.Headers(lines)["content-digest"] == "a=::, b=::"


def test_media_types_are_the_same_but_for_case_and_parameters() -> None:
    kind, _, parameter = OtherHeaders.content_type.partition(";")
    assert kind.lower() == PLAIN.content_type != kind
    assert parameter.strip().lower() == "charset=utf-8"
    ranges = [part.split(";")[0].strip() for part in OtherHeaders.accept.split(",")]
    assert [each for each in ranges if fnmatchcase(PLAIN.accept, each)] == ["application/*"]


def test_a_signature_has_another_order() -> None:
    spelling = OtherSignature()
    assert list(spelling.components(["@method", "@path"])) == ["@path", "@method"]
