import base64
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.standards.digest_fields import (
    ALGORITHMS,
    DigestRejected,
    Reason,
    check_content_digest,
    content_digest,
)

COMPACT = b'{"chainId":"eip155:1:0xab16a96D359eC26a11e2C2b3d8f8B8942d5Bfcdb","externalId":"text"}'
DOCUMENT = json.loads(COMPACT)


@pytest.mark.parametrize(
    ("body", "algorithm", "value"),
    [
        # RFC 9530, appendix B.1
        (b'{"hello": "world"}\n', "sha-256", "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"),
        (b"", "sha-256", "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"),
        # RFC 9421, section 7.2.5 and appendix B.2
        (b'{"hello": "world"}', "sha-256", "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"),
        (
            b'{"hello": "world"}',
            "sha-512",
            "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
        ),
    ],
)
def test_the_published_digests_come_out_and_are_taken(body: bytes, algorithm: str, value: str) -> None:
    assert content_digest(body, algorithm) == value
    check_content_digest(body, value)


@given(st.binary(max_size=200), st.sampled_from(ALGORITHMS), st.data())
def test_any_altered_byte_of_the_body_is_refused(body: bytes, algorithm: str, data: st.DataObject) -> None:
    value = content_digest(body, algorithm)
    check_content_digest(body, value)
    altered = bytearray(body + b"\0")
    altered[data.draw(st.integers(0, len(altered) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(DigestRejected):
        check_content_digest(bytes(altered), value)


@given(st.binary(max_size=50), st.integers(0, 31), st.integers(1, 255))
def test_any_altered_byte_of_the_digest_is_refused(body: bytes, place: int, change: int) -> None:
    digest = bytearray(hashlib.sha256(body).digest())
    digest[place] ^= change
    with pytest.raises(DigestRejected) as rejection:
        check_content_digest(body, f"sha-256=:{base64.b64encode(digest).decode()}:")
    assert rejection.value.reason is Reason.MISMATCH


def test_an_unknown_algorithm_beside_a_known_one_is_passed_over() -> None:
    check_content_digest(b"body", "crc32c=:AAAAAA==:, " + content_digest(b"body"))


def test_every_known_digest_must_match() -> None:
    both = f"{content_digest(b'body')}, {content_digest(b'body', 'sha-512')}"
    check_content_digest(b"body", both)
    with pytest.raises(DigestRejected, match="not the sha-512 digest") as rejection:
        check_content_digest(b"body", f"{content_digest(b'body')}, {content_digest(b'other', 'sha-512')}")
    assert rejection.value.reason is Reason.MISMATCH


def test_a_missing_digest_is_refused_with_the_one_to_send() -> None:
    with pytest.raises(DigestRejected, match=r"Send one .* sha-256=:47DEQpj8") as rejection:
        check_content_digest(b"", None)
    assert rejection.value.reason is Reason.MISSING


@pytest.mark.parametrize("value", ["md5=:1B2M2Y8AsgTpgAmy7PhCfg==:", "crc32c=:AAAAAA==:, md5=:AAAA:"])
def test_a_digest_of_unknown_algorithms_only_is_refused(value: str) -> None:
    with pytest.raises(DigestRejected, match="expected at least one of sha-256, sha-512") as rejection:
        check_content_digest(b"", value)
    assert rejection.value.reason is Reason.UNKNOWN_ALGORITHM


@pytest.mark.parametrize(
    "value",
    [
        "",
        "text",
        "sha-256",
        "sha-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        'sha-256="47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="',
        "SHA-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:",
        "sha-256=:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=:",
        "sha-256=:é:",
        "sha-256=:AAAA:, sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:",
    ],
)
def test_a_field_of_another_form_is_refused(value: str) -> None:
    with pytest.raises(DigestRejected, match="Content-Digest") as rejection:
        check_content_digest(b"", value)
    assert rejection.value.reason is Reason.MALFORMED


@pytest.mark.parametrize("body", [b"[" * 100_000, b"9" * 5_000, b'"\\ud800"', b"\xff\xfe"])
def test_a_body_that_is_no_ordinary_json_is_a_mismatch_like_any_other(body: bytes) -> None:
    with pytest.raises(DigestRejected) as rejection:
        check_content_digest(body, content_digest(b"other"))
    assert rejection.value.reason is Reason.MISMATCH


def test_no_digest_is_made_with_an_unknown_algorithm() -> None:
    with pytest.raises(DigestRejected, match="use one of sha-256, sha-512") as rejection:
        content_digest(b"", "md5")
    assert rejection.value.reason is Reason.UNKNOWN_ALGORITHM
