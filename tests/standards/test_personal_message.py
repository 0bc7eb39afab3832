import base64
import subprocess
import sys
from contextlib import suppress

import pytest
from coincurve import PrivateKey
from eth_hash.auto import keccak
from eth_keys.backends.native.main import NativeECCBackend
from eth_keys.main import KeyAPI
from hypothesis import given
from hypothesis import strategies as st

from conformance.standards.personal_message import (
    SignatureUnrecoverable,
    Signers,
    account_of_signer,
    address_of,
    message_hash,
    recover,
    recover_from_hash,
    sign,
    sign_with,
)

CHALLENGE = base64.b64decode(
    "YXBpLnNhbmRib3gub2ZmYmxvY2tzLnh5eiB3YW50cyB5b3UgdG8gc2lnbiBpbiB3aXRoIHlvdXIgRXRoZXJldW0gYWNjb3VudDoKMHg0MzE1OGY0"
    "NWI1RWJEN2IxMTc5MTMwMTMwREYwMDM5MzkyOEMyNjkxCgpPZmZCbG9ja3Mgd2FudHMgdG8gdmVyaWZ5IG93bmVyc2hpcCBvZiB5b3VyIHdhbGxl"
    "dC4gQnkgY29ubmVjdGluZyB5b3VyIHdhbGxldCBhbmQgdXNpbmcgT2ZmQmxvY2tzLCB5b3UgYWdyZWUgdG8gb3VyIFRlcm1zIG9mIHNlcnZpY2Vz"
    "IGFuZCBQcml2YWN5IFBvbGljeQoKVVJJOiBodHRwczovL2FwaS5zYW5kYm94Lm9mZmJsb2Nrcy54eXoKVmVyc2lvbjogMQpDaGFpbiBJRDogMjgw"
    "Ck5vbmNlOiA1dWZvaUVxRGFGdm1mbzc4Cklzc3VlZCBBdDogMjAyNC0wMS0xN1QxODoyMTo1M1o="
)
SIGNATURE = bytes.fromhex(
    "83b13dab162272011d334841df1954525042567328ad7c05c962b005eed870b6"
    "48c204f0bffcf52b375140b0c84908e463325b1dfe5bbb03259762482834af37"
    "1b"
)
SIGNER = "0x43158f45b5EbD7b1179130130DF00393928C2691"
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

keys = st.integers(1, ORDER - 1).map(lambda number: number.to_bytes(32, "big"))


def test_the_signature_printed_in_the_document_is_that_of_the_address_in_its_challenge() -> None:
    assert recover(CHALLENGE, SIGNATURE) == SIGNER


@pytest.mark.parametrize(
    "other",
    [
        base64.b64encode(CHALLENGE),
        CHALLENGE.replace(b"\n", b"\r\n"),
        CHALLENGE + b"\n",
        CHALLENGE.hex().encode(),
        CHALLENGE.replace(b"Chain ID: 280", b"Chain ID: 300"),
        CHALLENGE.replace(b"Chain ID: 280", b"Chain ID: 324"),
        CHALLENGE.replace(b"Chain ID: 280", b"Chain ID: 1"),
    ],
)
def test_the_printed_signature_is_of_no_other_message(other: bytes) -> None:
    assert recover(other, SIGNATURE) != SIGNER


def test_the_printed_signature_is_not_of_the_hash_without_prefix() -> None:
    assert recover_from_hash(keccak(CHALLENGE), SIGNATURE) != SIGNER


def test_the_hash_counts_bytes_and_not_characters() -> None:
    message = "Zürich ✓".encode()
    assert message_hash(message) == keccak(b"\x19Ethereum Signed Message:\n11" + message)


def test_the_example_of_web3_comes_out() -> None:
    key = bytes.fromhex("4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318")
    assert message_hash(b"Some data").hex() == "1da44b586eb0729ff70a73c326926f6ed5a25f5b056e7f47fbc6e58d86871655"
    assert sign(b"Some data", key).hex() == (
        "b91467e570a6466aa9e9876cbcd013baba02900b8979d43fe208a4a4f339f5fd"
        "6007e74cd82e037b800186422fc2da167c747ef045e5d18a5f5d4300f8e1a029"
        "1c"
    )
    assert address_of(key) == "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23"


def test_signatures_agree_with_eth_account() -> None:
    # In a process of its own: eth-account raises the recursion limit so far that deep JSON crashes the interpreter.
    program = """
import sys
from eth_account import Account
from eth_account.messages import encode_defunct
for line in sys.stdin:
    message, key = map(bytes.fromhex, line.split(","))
    print(Account.sign_message(encode_defunct(message), key).signature.hex(), Account.from_key(key).address)
"""
    cases = [(bytes(range(size)), (size + 1).to_bytes(32, "big")) for size in (0, 1, 9, 10, 99, 100, 255)]
    lines = "\n".join(f"{message.hex()},{key.hex()}" for message, key in cases)
    done = subprocess.run([sys.executable, "-c", program], input=lines, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:-1] == [f"{sign(message, key).hex()} {address_of(key)}" for message, key in cases]


@given(st.binary(max_size=300), keys)
def test_signatures_agree_with_an_implementation_in_python(message: bytes, key: bytes) -> None:
    reference = KeyAPI(NativeECCBackend()).PrivateKey(key)
    signature = sign(message, key)
    assert signature[:-1] + bytes([signature[-1] - 27]) == reference.sign_msg_hash(message_hash(message)).to_bytes()
    assert recover(message, signature) == address_of(key) == reference.public_key.to_checksum_address()


@given(st.binary(max_size=100), keys, keys)
def test_a_signature_with_another_nonce_is_that_of_the_same_key(message: bytes, key: bytes, nonce: bytes) -> None:
    signature = sign_with(message, key, nonce)
    assert recover(message, signature) == address_of(key)
    assert int.from_bytes(signature[32:64], "big") <= ORDER // 2


@given(st.binary(max_size=100), keys)
def test_a_signature_is_deterministic_with_low_s_and_v_of_27_or_28(message: bytes, key: bytes) -> None:
    signature = sign(message, key)
    assert signature == sign(message, key)
    assert len(signature) == 65
    assert int.from_bytes(signature[32:64], "big") <= ORDER // 2
    assert signature[64] in {27, 28}


@given(st.binary(min_size=1, max_size=100), keys, st.data())
def test_any_altered_byte_belongs_to_nobody_or_another(message: bytes, key: bytes, data: st.DataObject) -> None:
    altered = bytearray(message + sign(message, key))
    altered[data.draw(st.integers(0, len(altered) - 1))] ^= data.draw(st.integers(1, 255))
    with suppress(SignatureUnrecoverable):
        assert recover(bytes(altered[:-65]), bytes(altered[-65:])) != address_of(key)


@pytest.mark.parametrize("size", [0, 63, 64, 66, 130])
def test_a_signature_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(SignatureUnrecoverable, match=f"has {size} bytes, expected 65"):
        recover(b"", bytes(size))


@pytest.mark.parametrize("v", [0, 1, 2, 26, 29, 37, 255])
def test_another_v_is_refused(v: int) -> None:
    with pytest.raises(SignatureUnrecoverable, match=f"v, is {v}, expected 27 or 28"):
        recover(CHALLENGE, SIGNATURE[:-1] + bytes([v]))


@pytest.mark.parametrize("part", [bytes(32), ORDER.to_bytes(32, "big"), b"\xff" * 32])
def test_r_and_s_out_of_range_are_refused(part: bytes) -> None:
    with pytest.raises(SignatureUnrecoverable, match="belongs to no key"):
        recover(CHALLENGE, part + SIGNATURE[32:])
    with pytest.raises(SignatureUnrecoverable, match="belongs to no key"):
        recover(CHALLENGE, SIGNATURE[:32] + part + SIGNATURE[64:])


def test_an_address_is_that_of_the_public_key() -> None:
    assert address_of((1).to_bytes(32, "big")) == "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"


def test_a_private_key_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="Secret scalar"):
        sign(b"", ORDER.to_bytes(32, "big"))


numbers = st.one_of(st.integers(0, 2), st.integers(0, 2**256 - 1), st.integers(ORDER - 2, ORDER + 2))


@given(digest=numbers, r=numbers, s=numbers, v=st.sampled_from([27, 28]))
def test_the_signers_of_any_hash_are_those_that_are_recovered(digest: int, r: int, s: int, v: int) -> None:
    signature = r.to_bytes(32) + s.to_bytes(32) + bytes([v])
    recovered = None
    with suppress(SignatureUnrecoverable):
        recovered = account_of_signer(digest.to_bytes(32), signature)
    assert Signers(signature).account(digest.to_bytes(32)) == recovered


@given(message=st.binary(max_size=40), other=st.binary(max_size=40), key=keys)
def test_the_signers_of_a_signature_are_those_that_are_recovered(message: bytes, other: bytes, key: bytes) -> None:
    signature = sign(message, key)
    signers = Signers(signature)
    assert signers.account(message_hash(message)) == bytes.fromhex(address_of(key)[2:])
    for each in (message, other):
        assert signers.account(message_hash(each)) == account_of_signer(message_hash(each), signature)


def test_a_signature_whose_key_would_be_the_point_at_infinity_has_no_signer() -> None:
    key, nonce = (2).to_bytes(32), (3).to_bytes(32)
    signature = sign_with(b"", key, nonce)
    r, s, v = signature[:32], int.from_bytes(signature[32:64]), signature[-1]
    secret = 3 if v == 27 + PrivateKey(nonce).public_key.point()[1] % 2 else ORDER - 3
    assert Signers(signature).account((s * secret % ORDER).to_bytes(32)) is None
    assert Signers(r + s.to_bytes(32) + bytes([55 - v])).account((s * (ORDER - secret) % ORDER).to_bytes(32)) is None
    assert Signers(signature).account(bytes(32)) is not None
