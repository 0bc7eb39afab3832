"""What the diagnosis of a wallet's signature says of the printed sign request, of forms, and of any text at all."""

import base64

import pytest
from coincurve import PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from conformance.diagnosis.challenge import Owner, diagnose_challenge, diagnose_signature
from conformance.diagnosis.form import Diagnosis
from conformance.diagnosis.texts import NONE_FITS, as_json, summary
from conformance.diagnosis.wallet_readings import unwrapped
from conformance.standards.account_ids import AccountIdRejected
from conformance.standards.personal_message import address_of, message_hash, sign
from conformance.standards.wallet_signatures import ACCEPTED, Encoding, encode

CHALLENGE = (
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
SIGNER = "0x43158f45b5EbD7b1179130130DF00393928C2691"
PRINTED_OWNER = "eip155:280:0x43158f45b5EbD7b1179130131DF00393928C2691"

KEY = bytes(range(1, 33))
ADDRESS = address_of(KEY)
MESSAGE = b"a message\nof two lines"
SIGNATURE = sign(MESSAGE, KEY)
AWKWARD = b"\xfb\xef\xff" * 21 + b"\x01\x1b"
ERC_6492 = bytes.fromhex("6492" * 16)


def sent(signature: bytes) -> str:
    return encode(signature, Encoding.BASE64_OF_HEX_TEXT)


def coded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def names(diagnosis: Diagnosis) -> list[str]:
    return [mistake.name for mistake in diagnosis.mistakes]


def test_the_sign_request_of_the_document_is_refused_with_the_digit_that_differs() -> None:
    diagnosis = diagnose_challenge([CHALLENGE], PRINTED, Owner.read(PRINTED_OWNER))
    assert not diagnosis.valid
    assert "owner-not-in-challenge-by-a-digit" in names(diagnosis)
    assert names(diagnosis)[-1] == "signed-by-another-account-by-a-digit"
    assert f"the signature of {SIGNER}, not of {PRINTED_OWNER[11:]}: digit 25 after 0x is 1 and should be 0" in summary(
        diagnosis
    )
    assert diagnosis.unexplained == ()


def test_it_is_valid_for_the_account_that_signed_it() -> None:
    assert diagnose_challenge([CHALLENGE], PRINTED, Owner.read(f"eip155:280:{SIGNER}")).valid


@pytest.mark.parametrize("encoding", ACCEPTED)
@pytest.mark.parametrize("address", [ADDRESS, ADDRESS.lower()])
def test_a_right_signature_needs_no_explanation(encoding: Encoding, address: str) -> None:
    diagnosis = diagnose_signature(encode(SIGNATURE, encoding), MESSAGE, address)
    assert diagnosis.valid
    assert summary(diagnosis) == ""


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (encode(AWKWARD, Encoding.HEX_TEXT), "wallet-hex-not-base64"),
        (encode(AWKWARD, Encoding.BARE_HEX_TEXT), "wallet-missing-0x"),
        (encode(AWKWARD, Encoding.BASE64_OF_BARE_HEX_TEXT), "wallet-missing-0x"),
        (encode(AWKWARD, Encoding.BASE64URL_OF_BYTES), "wallet-base64url"),
        (encode(AWKWARD, Encoding.BASE64URL_OF_BYTES).rstrip("="), "wallet-without-padding"),
        (encode(AWKWARD, Encoding.UNPADDED_BASE64_OF_BYTES), "wallet-without-padding"),
        (encode(AWKWARD[:64], Encoding.BASE64_OF_HEX_TEXT), "wallet-compact"),
        (encode(encode_dss_signature(2**254, 2**250), Encoding.BASE64_OF_BYTES), "wallet-der"),
        (encode(encode_dss_signature(2**254, 2**250), Encoding.BASE64_OF_HEX_TEXT), "wallet-der"),
        (encode(AWKWARD[:63], Encoding.BASE64_OF_BYTES), "wallet-truncated"),
        (encode(AWKWARD + b"\0" * 3, Encoding.BASE64_OF_HEX_TEXT), "wallet-other-size"),
        ("", "wallet-other-size"),
        (coded(b"0x" + b"a" * 129), "wallet-odd-digits"),
        (coded(b"0X" + b"a" * 130), "wallet-capital-0x"),
        ("0X" + "a" * 130, "wallet-hex-not-base64"),
        (coded(bytes(640) + AWKWARD + ERC_6492), "wallet-erc-6492"),
        (coded(b"0x" + (bytes(640) + AWKWARD + ERC_6492).hex().encode()), "wallet-erc-6492"),
        (coded(ERC_6492), "wallet-erc-6492"),
        (coded(AWKWARD * 2), "wallet-multisig"),
        (coded(AWKWARD * 3), "wallet-multisig"),
        (coded(bytes(range(96))), "wallet-erc-1271"),
        (coded(encode(AWKWARD, Encoding.BASE64_OF_HEX_TEXT).encode()), "wallet-base64-twice"),
        (coded(encode(AWKWARD, Encoding.BASE64_OF_BYTES).encode()), "wallet-base64-twice"),
        (coded(f'"0x{AWKWARD.hex()}"'.encode()), "wallet-quotation-marks"),
        (coded(f"0x{AWKWARD.hex()}\n".encode()), "wallet-white-space"),
        (coded(f"0x{AWKWARD.hex()}".encode("utf-16")), "wallet-utf-16"),
        (coded(f"0x{AWKWARD.hex()}".encode("utf-16-be")), "wallet-utf-16"),
        (f'"{PRINTED}"', "wallet-quotation-marks"),
        (f"{PRINTED}\n", "wallet-white-space"),
        (f"{PRINTED[:76]}\n{PRINTED[76:]}", "wallet-white-space"),
        ("é", "wallet-signature-unreadable"),
        ("not base64!", "wallet-signature-unreadable"),
    ],
)
def test_the_form_of_a_text_is_named(text: str, name: str) -> None:
    diagnosis = diagnose_signature(text, MESSAGE, ADDRESS)
    assert not diagnosis.valid
    form = diagnosis.parts[0]
    assert form.name == "form of the signature"
    assert name in [mistake.name for mistake in form.explanations[0].mistakes]


def test_of_what_cannot_be_read_as_a_signature_nothing_is_said_of_who_signed() -> None:
    assert [part.name for part in diagnose_signature("", MESSAGE, ADDRESS).parts] == ["form of the signature"]


def test_two_mistakes_of_text_and_form_are_both_named() -> None:
    found = names(diagnose_signature(encode(sign(MESSAGE + b"\n", KEY), Encoding.HEX_TEXT), MESSAGE, ADDRESS))
    assert found == ["wallet-hex-not-base64", "signed-with-newline"]


def test_a_newline_that_belongs_to_the_message_is_missed() -> None:
    diagnosis = diagnose_signature(sent(sign(b"text", KEY)), b"text\n", ADDRESS)
    assert [each.mistakes[0].name for each in diagnosis.parts[0].explanations] == ["signed-without-newline"]


def test_who_signed_is_no_certainty_where_nobody_that_is_known_did() -> None:
    diagnosis = diagnose_signature(sent(sign(MESSAGE, bytes([7] * 32))), MESSAGE, ADDRESS)
    explanation = diagnosis.parts[0].explanations[0]
    assert not explanation.certain
    assert explanation.mistakes[0].facts["other"] == address_of(bytes([7] * 32))
    assert summary(diagnosis).startswith(NONE_FITS)
    assert diagnosis.unexplained == diagnosis.parts


def test_a_high_s_and_the_other_v_are_told_apart() -> None:
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    s = order - int.from_bytes(SIGNATURE[32:64], "big")
    high = SIGNATURE[:32] + s.to_bytes(32, "big") + bytes([55 - SIGNATURE[-1]])
    assert names(diagnose_signature(sent(high), MESSAGE, ADDRESS)) == ["wallet-high-s"]
    other = SIGNATURE[:-1] + bytes([55 - SIGNATURE[-1]])
    assert names(diagnose_signature(sent(other), MESSAGE, ADDRESS)) == ["wallet-other-v"]


def test_a_hash_that_was_signed_without_prefix_is_one_of_the_owner() -> None:
    raw = PrivateKey(KEY).sign_recoverable(message_hash(message_hash(MESSAGE)), hasher=None)
    found = names(diagnose_signature(sent(raw[:-1] + bytes([raw[-1] + 27])), MESSAGE, ADDRESS))
    assert found == ["signed-with-two-prefixes"]


@pytest.mark.parametrize(
    ("text", "names_told"),
    [
        (ADDRESS, ["owner-without-chain"]),
        (f"eip155:1:{ADDRESS}", []),
        (f"eip155:1:{ADDRESS.lower()}", []),
        (f"eip155:1:{ADDRESS[:-1]}{'0' if ADDRESS[-1] != '0' else '1'}", ["owner-checksum-wrong"]),
    ],
)
def test_how_an_owner_is_written(text: str, names_told: list[str]) -> None:
    assert [mistake.name for mistake in Owner.read(text).mistakes] == names_told


@pytest.mark.parametrize(
    "text", ["", "0x12", "eip155:x:0x12", "solana:mainnet:So11111111111111111111111111111111111111112"]
)
def test_what_names_no_owner_is_refused(text: str) -> None:
    with pytest.raises(AccountIdRejected):
        Owner.read(text)


@given(st.one_of(st.text(), st.text("0123456789abcdefx+/=-_A ", min_size=80, max_size=140)), st.binary(max_size=40))
def test_any_text_that_is_no_signature_of_the_wallet_is_explained_or_not_valid(text: str, message: bytes) -> None:
    unwrapped(text)
    diagnosis = diagnose_signature(text, message, ADDRESS)
    assert not diagnosis.valid, "nobody finds a signature by chance"
    assert summary(diagnosis)
    as_json(diagnosis)
