"""What the diagnosis of a Content-Digest says of its form, its algorithm and the bytes that were hashed."""

import base64
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.diagnosis.digest import diagnose_digest
from conformance.diagnosis.form import Diagnosis
from conformance.diagnosis.texts import NONE_FITS, summary
from conformance.exchange import Request
from conformance.standards.digest_fields import content_digest

COMPACT = b'{"chainId":"eip155:1:0xab16a96D359eC26a11e2C2b3d8f8B8942d5Bfcdb","externalId":"text"}'
DOCUMENT = json.loads(COMPACT)
RIGHT = content_digest(COMPACT)


def diagnosed(value: str | None, body: bytes = COMPACT, field: str = "Content-Digest") -> Diagnosis:
    headers = () if value is None else ((field, value),)
    return diagnose_digest(Request(method="POST", url="https://api.example/v1", headers=headers, body=body))


def digest_of(content: bytes) -> str:
    return content_digest(content)


@pytest.mark.parametrize("value", [RIGHT, content_digest(COMPACT, "sha-512"), f"{RIGHT}, md5=:AAAA:"])
def test_a_right_digest_needs_no_explanation(value: str) -> None:
    diagnosis = diagnosed(value)
    assert diagnosis.valid or [each.name for each in diagnosis.mistakes] == ["digest-algorithm-not-allowed"]


@pytest.mark.parametrize(
    ("value", "names", "said"),
    [
        (digest_of(b""), ["digest-of-other-bytes"], "that of an empty body"),
        (digest_of(COMPACT + b"\n"), ["digest-of-other-bytes"], "with a newline at its end"),
        (digest_of(base64.b64encode(COMPACT)), ["digest-of-other-bytes"], "this body in base64"),
        (digest_of(json.dumps(DOCUMENT).encode()), ["digest-of-other-bytes"], "with blanks after commas and colons"),
        (digest_of(json.dumps(DOCUMENT, indent=2).encode()), ["digest-of-other-bytes"], "pretty-printed"),
        (digest_of(json.dumps(DOCUMENT, indent=4).encode()), ["digest-of-other-bytes"], "pretty-printed"),
        (digest_of(b"text"), ["digest-of-other-bytes"], "the value of the member 'externalId' alone"),
        (f"sha-256=:{hashlib.sha256(COMPACT).hexdigest()}:", ["digest-in-hex"], "in hex"),
        (
            f"sha-256=:{base64.b64encode(hashlib.sha256(COMPACT).hexdigest().encode()).decode()}:",
            ["digest-in-hex"],
            "in hex",
        ),
        (
            f"sha-256={hashlib.sha256(json.dumps(DOCUMENT, indent=2).encode()).hexdigest()}",
            ["digest-without-colons", "digest-in-hex", "digest-of-other-bytes"],
            "pretty-printed",
        ),
        (
            content_digest(COMPACT, "sha-512").replace("sha-512", "sha-256"),
            ["digest-of-other-algorithm"],
            "holds the digest of sha-512",
        ),
        (RIGHT.replace(":", ""), ["digest-without-colons"], "no colon"),
        (RIGHT.replace(":", '"'), ["digest-without-colons"], "no colon"),
        (RIGHT.replace("sha-256", "SHA-256"), ["digest-algorithm-spelled-otherwise"], "lower case"),
        (RIGHT.partition("=")[2], ["digest-without-algorithm"], "does not name its algorithm"),
        (
            f"SHA-512={base64.b64encode(hashlib.sha512(COMPACT).digest()).decode()}",
            ["digest-algorithm-spelled-otherwise", "digest-without-colons"],
            "write it sha-512",
        ),
        (
            f"md5=:{base64.b64encode(hashlib.md5(COMPACT, usedforsecurity=False).digest()).decode()}:",
            ["digest-algorithm-not-allowed"],
            "use sha-256 or sha-512",
        ),
        ("", ["digest-empty"], "is empty"),
        (None, ["digest-missing"], "no Content-Digest"),
        (digest_of(b"something else"), [], NONE_FITS),
    ],
)
def test_a_wrong_digest_is_explained(value: str | None, names: list[str], said: str) -> None:
    diagnosis = diagnosed(value)
    assert not diagnosis.valid
    assert [mistake.name for mistake in diagnosis.mistakes] == names
    assert said in summary(diagnosis)


@pytest.mark.parametrize(
    ("body", "hashed", "said"),
    [
        (b"text\n", b"text", "without the newline at its end"),
        (b"a\nb", b"a\r\nb", "with CRLF line ends"),
        (b"a\r\nb", b"a\nb", "with LF line ends"),
        (json.dumps(DOCUMENT, indent=2).encode(), COMPACT, "in compact form"),
        (b'{"b":1,"a":2}', b'{"a":2,"b":1}', "with sorted keys in compact form"),
        ('{"name":"Zürich"}'.encode(), b'{"name":"Z\\u00fcrich"}', "in compact form"),
    ],
)
def test_how_the_body_differs_from_what_was_hashed_is_named(body: bytes, hashed: bytes, said: str) -> None:
    assert said in summary(diagnosed(content_digest(hashed), body))


def test_a_digest_in_the_older_field_is_named() -> None:
    diagnosis = diagnosed("SHA-256=abc", field="Digest")
    assert [mistake.name for mistake in diagnosis.mistakes] == ["digest-in-other-field"]


@pytest.mark.parametrize("body", [b"[" * 100_000, b"9" * 5_000, b'"\\ud800"', b"\xff\xfe"])
def test_a_body_that_is_no_ordinary_json_is_like_any_other(body: bytes) -> None:
    assert summary(diagnosed(content_digest(b"other"), body)) == NONE_FITS


@given(st.text(max_size=80), st.binary(max_size=40))
def test_any_text_is_explained_or_not_valid(value: str, body: bytes) -> None:
    assert not diagnosed(value, body).valid or not body
