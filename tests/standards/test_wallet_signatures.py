import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.standards.personal_message import recover, sign
from conformance.standards.wallet_signatures import (
    ACCEPTED,
    Encoding,
    EncodingRejected,
    Reason,
    decode,
    encode,
    normalised,
)

CHALLENGE = base64.b64decode(
    "YXBpLnNhbmRib3gub2ZmYmxvY2tzLnh5eiB3YW50cyB5b3UgdG8gc2lnbiBpbiB3aXRoIHlvdXIgRXRoZXJldW0gYWNjb3VudDoKMHg0MzE1OGY0"
    "NWI1RWJEN2IxMTc5MTMwMTMwREYwMDM5MzkyOEMyNjkxCgpPZmZCbG9ja3Mgd2FudHMgdG8gdmVyaWZ5IG93bmVyc2hpcCBvZiB5b3VyIHdhbGxl"
    "dC4gQnkgY29ubmVjdGluZyB5b3VyIHdhbGxldCBhbmQgdXNpbmcgT2ZmQmxvY2tzLCB5b3UgYWdyZWUgdG8gb3VyIFRlcm1zIG9mIHNlcnZpY2Vz"
    "IGFuZCBQcml2YWN5IFBvbGljeQoKVVJJOiBodHRwczovL2FwaS5zYW5kYm94Lm9mZmJsb2Nrcy54eXoKVmVyc2lvbjogMQpDaGFpbiBJRDogMjgw"
    "Ck5vbmNlOiA1dWZvaUVxRGFGdm1mbzc4Cklzc3VlZCBBdDogMjAyNC0wMS0xN1QxODoyMTo1M1o="
)
PRINTED = (
    "MHg4M2IxM2RhYjE2MjI3MjAxMWQzMzQ4NDFkZjE5NTQ1MjUwNDI1NjczMjhhZDdjMDVjOTYyYjAwNWVlZDg3MGI2NDhjMjA0ZjBiZmZjZjUyYjM3"
    "NTE0MGIwYzg0OTA4ZTQ2MzMyNWIxZGZlNWJiYjAzMjU5NzYyNDgyODM0YWYzNzFi"
)
REFERENCE = "IfvwaW1eCqLvQaK0/7YjvK8HBGHWHPclHHQWH4L+w6Q3CFS8CjSzq0h8G8AhzTGMc0xRrik3TyvrDm8t1JtL9Bw="
SIGNER = "0x43158f45b5EbD7b1179130130DF00393928C2691"

KEY = bytes(range(1, 33))
MESSAGE = b"a message\nof two lines"
SIGNATURE = sign(MESSAGE, KEY)
# Bytes whose base64 has + and /, so that the URL-safe alphabet shows, and padding.
AWKWARD = b"\xfb\xef\xff" * 21 + b"\x01\x1b"


def rejected(text: str) -> EncodingRejected:
    with pytest.raises(EncodingRejected) as raised:
        decode(text)
    return raised.value


def test_the_signature_printed_in_the_document_is_read_and_is_the_signers() -> None:
    signature, encoding = decode(PRINTED)
    assert encoding is Encoding.BASE64_OF_HEX_TEXT
    assert recover(CHALLENGE, signature) == SIGNER
    assert encode(signature, encoding) == PRINTED


def test_the_example_of_the_reference_is_base64_of_the_bytes() -> None:
    signature, encoding = decode(REFERENCE)
    assert encoding is Encoding.BASE64_OF_BYTES
    assert (len(signature), signature[0], signature[-1]) == (65, 0x21, 28)


@given(st.binary(min_size=65, max_size=65), st.sampled_from(ACCEPTED))
def test_every_signature_is_read_back(signature: bytes, encoding: Encoding) -> None:
    assert decode(encode(signature, encoding)) == (signature, encoding)


@given(st.sampled_from(ACCEPTED), st.data())
def test_an_altered_character_is_refused_or_another_signature(encoding: Encoding, data: st.DataObject) -> None:
    text = encode(AWKWARD, encoding)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(max_codepoint=0x17F).filter(lambda drawn: drawn != text[place]))
    altered = text[:place] + other + text[place + 1 :]
    try:
        signature, read_as = decode(altered)
    except EncodingRejected as error:
        assert str(error)  # noqa: PT017 - either outcome is right
    else:
        # Hex digits have two cases, so the same bytes may have been written in another case.
        assert signature != AWKWARD or base64.b64decode(altered).lower() == base64.b64decode(text)
        assert read_as in ACCEPTED


@given(st.binary(max_size=200).filter(lambda signature: len(signature) != 65), st.sampled_from(list(Encoding)))
def test_a_signature_of_another_length_is_never_read(signature: bytes, encoding: Encoding) -> None:
    rejected(encode(signature, encoding))


def coded(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.mark.parametrize(
    ("text", "reason", "said"),
    [
        (encode(AWKWARD, Encoding.HEX_TEXT), Reason.HEX_TEXT, "the hex text itself"),
        (encode(AWKWARD, Encoding.BARE_HEX_TEXT), Reason.HEX_TEXT, "hex text without 0x"),
        (encode(AWKWARD, Encoding.BASE64_OF_BARE_HEX_TEXT), Reason.MISSING_0X, "put 0x before the digits"),
        (encode(AWKWARD, Encoding.BASE64URL_OF_BYTES), Reason.URL_SAFE_ALPHABET, "use the standard one with + and /"),
        (encode(AWKWARD, Encoding.BASE64URL_OF_BYTES).rstrip("="), Reason.URL_SAFE_ALPHABET, "URL-safe"),
        (encode(AWKWARD, Encoding.UNPADDED_BASE64_OF_BYTES), Reason.UNPADDED, "keep the = at its end"),
        (encode(AWKWARD[:64], Encoding.BASE64_OF_BYTES), Reason.WRONG_LENGTH, "has 64 bytes, 1 too few"),
        (encode(AWKWARD[:63], Encoding.BASE64_OF_BYTES), Reason.WRONG_LENGTH, "has 63 bytes, 2 too few"),
        (encode(AWKWARD + b"\0" * 3, Encoding.BASE64_OF_HEX_TEXT), Reason.WRONG_LENGTH, "has 68 bytes, 3 too many"),
        ("", Reason.WRONG_LENGTH, "has 0 bytes, 65 too few"),
        (base64.b64encode(b"0x" + b"a" * 129).decode(), Reason.WRONG_LENGTH, "129 digits, an odd number"),
        (base64.b64encode(b"0x" + b"g" * 130).decode(), Reason.NOT_HEX, "other than hex digits"),
        ("0X" + "a" * 130, Reason.HEX_TEXT, "the hex text itself"),
        (coded(f'"0x{AWKWARD.hex()}"'.encode()), Reason.WRONG_LENGTH, "has 134 bytes, 69 too many"),
        (f"{PRINTED}\n", Reason.NOT_BASE64, "has no place at 176"),
        (PRINTED[:76] + "\n" + PRINTED[76:], Reason.NOT_BASE64, r"'\n' has no place at 76"),
        (" " + PRINTED, Reason.NOT_BASE64, "' ' has no place at 0"),
        (REFERENCE + "=", Reason.NOT_BASE64, "no base64"),
        (REFERENCE[:10] + "=" + REFERENCE[11:], Reason.NOT_BASE64, "'=' has no place at 10"),
        (REFERENCE[:-2] + "x=", Reason.NOT_BASE64, "its last character says more than a byte can"),
        ("é", Reason.NOT_BASE64, "'é' has no place at 0"),
        ("A", Reason.NOT_BASE64, "no base64"),
        ("-/", Reason.NOT_BASE64, "no base64"),
    ],
)
def test_what_is_no_signature_is_refused_with_what_it_looks_like(text: str, reason: Reason, said: str) -> None:
    assert rejected(text).reason is reason
    assert said in str(rejected(text))


@pytest.mark.parametrize(("v", "normal"), [(0, 27), (1, 28), (27, 27), (28, 28), (2, 2), (255, 255)])
def test_v_of_0_and_1_is_brought_to_27_and_28_and_no_other(v: int, normal: int) -> None:
    assert normalised(SIGNATURE[:-1] + bytes([v])) == SIGNATURE[:-1] + bytes([normal])
    assert normalised(bytes(64)) == bytes(64)
