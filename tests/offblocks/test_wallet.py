"""The wallet signs a sign-in that is its own, and nothing else."""

import base64
import hashlib

import pytest

from conformance.ids import Ids
from conformance.offblocks.wallet import ChallengeRefused, Wallet, decoded
from conformance.standards import personal_message
from conformance.standards.account_ids import AccountIdRejected
from conformance.standards.wallet_signatures import Encoding, decode

PRINTED_CHALLENGE = (
    "YXBpLnNhbmRib3gub2ZmYmxvY2tzLnh5eiB3YW50cyB5b3UgdG8gc2lnbiBpbiB3aXRoIHlvdXIgRXRoZXJldW0gYWNjb3VudDoKMHg0MzE1OGY0"
    "NWI1RWJEN2IxMTc5MTMwMTMwREYwMDM5MzkyOEMyNjkxCgpPZmZCbG9ja3Mgd2FudHMgdG8gdmVyaWZ5IG93bmVyc2hpcCBvZiB5b3VyIHdhbGxl"
    "dC4gQnkgY29ubmVjdGluZyB5b3VyIHdhbGxldCBhbmQgdXNpbmcgT2ZmQmxvY2tzLCB5b3UgYWdyZWUgdG8gb3VyIFRlcm1zIG9mIHNlcnZpY2Vz"
    "IGFuZCBQcml2YWN5IFBvbGljeQoKVVJJOiBodHRwczovL2FwaS5zYW5kYm94Lm9mZmJsb2Nrcy54eXoKVmVyc2lvbjogMQpDaGFpbiBJRDogMjgw"
    "Ck5vbmNlOiA1dWZvaUVxRGFGdm1mbzc4Cklzc3VlZCBBdDogMjAyNC0wMS0xN1QxODoyMTo1M1o="
)
PRINTED_SIGNATURE = (
    "MHg4M2IxM2RhYjE2MjI3MjAxMWQzMzQ4NDFkZjE5NTQ1MjUwNDI1NjczMjhhZDdjMDVjOTYyYjAwNWVlZDg3MGI2NDhjMjA0ZjBiZmZjZjUyYjM3"
    "NTE0MGIwYzg0OTA4ZTQ2MzMyNWIxZGZlNWJiYjAzMjU5NzYyNDgyODM0YWYzNzFi"
)
PRINTED_ADDRESS = "0x43158f45b5EbD7b1179130130DF00393928C2691"
WALLET = Wallet.derived(Ids("wallet"), "eip155:280")
DOMAIN = "api.sandbox.offblocks.xyz"


def challenge(address: str = WALLET.address, domain: str = DOMAIN, **changes: str) -> str:
    """The printed challenge for another wallet, and with parts of its text replaced."""
    text = base64.b64decode(PRINTED_CHALLENGE).decode().replace(PRINTED_ADDRESS, address).replace(DOMAIN, domain, 1)
    for old, new in changes.items():
        text = text.replace(old, new)
    return base64.b64encode(text.encode()).decode()


def test_its_own_sign_in_is_signed() -> None:
    signature, encoding = decode(WALLET.answer(challenge(), domain=DOMAIN))
    assert encoding is Encoding.BASE64_OF_HEX_TEXT
    assert personal_message.recover(base64.b64decode(challenge()), signature) == WALLET.address


def test_an_answer_has_the_form_of_the_printed_one() -> None:
    answer = WALLET.answer(challenge())
    assert len(answer) == len(PRINTED_SIGNATURE)
    assert base64.b64decode(answer)[:2] == base64.b64decode(PRINTED_SIGNATURE)[:2] == b"0x"


def test_any_domain_may_ask_unless_one_is_given() -> None:
    assert WALLET.answer(challenge(domain="api.offblocks.xyz"))
    with pytest.raises(ChallengeRefused, match=r"comes from api\.offblocks\.xyz, expected api\.sandbox"):
        WALLET.answer(challenge(domain="api.offblocks.xyz"), domain=DOMAIN)


def test_an_address_is_its_own_in_whatever_letter_case() -> None:
    lower_case = WALLET.answer(challenge(address=f"0x{WALLET.address[2:].lower()}"))
    assert len(decode(lower_case)[0]) == 65


@pytest.mark.parametrize("encoding", Encoding)
def test_another_encoding_carries_the_same_signature(encoding: Encoding) -> None:
    text = WALLET.answer(challenge(), encoding=encoding)
    bare = WALLET.sign(base64.b64decode(challenge()))
    carried = {
        Encoding.BASE64_OF_HEX_TEXT: lambda: bytes.fromhex(base64.b64decode(text).decode().removeprefix("0x")),
        Encoding.BASE64_OF_BARE_HEX_TEXT: lambda: bytes.fromhex(base64.b64decode(text).decode()),
        Encoding.BASE64_OF_BYTES: lambda: base64.b64decode(text),
        Encoding.UNPADDED_BASE64_OF_BYTES: lambda: base64.b64decode(f"{text}=="[: -(-len(text) // 4) * 4]),
        Encoding.BASE64URL_OF_BYTES: lambda: base64.urlsafe_b64decode(text),
        Encoding.HEX_TEXT: lambda: bytes.fromhex(text.removeprefix("0x")),
        Encoding.BARE_HEX_TEXT: lambda: bytes.fromhex(text),
    }
    assert carried[encoding]() == bare


def test_the_sign_in_of_another_wallet_is_refused() -> None:
    with pytest.raises(ChallengeRefused, match=f"is for {PRINTED_ADDRESS}, this wallet is {WALLET.address}"):
        WALLET.answer(PRINTED_CHALLENGE)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Version: 1": "Version: 2"}, "Line 7"),
        ({"Nonce: 5ufoiEqDaFvmfo78": "Nonce: 5ufoiEq"}, "Line 9"),
        ({"wants you to sign in": "wants you to send money"}, "Line 1"),
        ({"\n": "\r\n"}, "Line 1"),
        ({"Issued At: 2024-01-17T18:21:53Z": "Issued At: today"}, "Line 10"),
    ],
)
def test_what_breaks_the_grammar_is_no_sign_in(changes: dict[str, str], message: str) -> None:
    with pytest.raises(ChallengeRefused, match=f"is no sign-in message: {message}"):
        WALLET.answer(challenge(**changes))


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\xff\xfe",
        b"-----BEGIN PUBLIC KEY-----\nMFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAE\n-----END PUBLIC KEY-----",
        b"I owe you 100 ETH.",
    ],
)
def test_what_is_no_sign_in_is_refused(message: bytes) -> None:
    with pytest.raises(ChallengeRefused, match="is no sign-in message"):
        WALLET.answer(base64.b64encode(message).decode())


@pytest.mark.parametrize("text", ["not base64", PRINTED_CHALLENGE.rstrip("="), f"{PRINTED_CHALLENGE}\n", "Ünï", "__--"])
def test_what_is_no_standard_base64_is_refused(text: str) -> None:
    with pytest.raises(ChallengeRefused, match="is no base64"):
        WALLET.answer(text)


def test_the_printed_challenge_decodes_to_the_message_that_the_printed_signature_signs() -> None:
    message = decoded(PRINTED_CHALLENGE)
    assert hashlib.sha256(message).hexdigest() == "5241ef327e984388def2e6b61b640f65deb34804d75e73325927c297fc7b88ab"
    assert personal_message.recover(message, decode(PRINTED_SIGNATURE)[0]) == PRINTED_ADDRESS


def test_an_account_is_the_chain_and_the_address() -> None:
    assert WALLET.account_id == f"eip155:280:{WALLET.address}"
    with pytest.raises(AccountIdRejected):
        Wallet(bytes([1]) * 32, "zkSync")


def test_wallets_of_one_seed_are_alike_and_of_others_not() -> None:
    one, same, other = (Wallet.derived(Ids(seed), "eip155:280").address for seed in ("a", "a", "b"))
    assert one == same != other
