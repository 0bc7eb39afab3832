"""Mistakes in a wallet's signature of a challenge: a wallet of its own that does one thing, or two, otherwise."""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from coincurve import PrivateKey
from coincurve.utils import GROUP_ORDER_INT
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from eth_hash.auto import keccak

from conformance.diagnosis.challenge import Owner, diagnose_challenge
from conformance.diagnosis.form import Diagnosis
from conformance.ids import Ids
from conformance.standards.account_ids import checksum_address
from conformance.standards.typed_data import typed_data_hashes
from tools.mistakes.form import NONE, Case

_PREFIX = b"\x19Ethereum Signed Message:\n"
_GH = "https://github.com/"
_ERC_6492 = bytes.fromhex("6492" * 16)
_TYPED = {
    "types": {
        "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "chainId", "type": "uint256"}],
        "SignIn": [{"name": "statement", "type": "string"}],
    },
    "primaryType": "SignIn",
    "domain": {"name": "Example", "chainId": 300},
    "message": {"statement": "I own this wallet."},
}


def prefixed(text: bytes) -> bytes:
    """What ``personal_sign`` signs."""
    return keccak(_PREFIX + str(len(text)).encode() + text)


def _hex(signature: bytes) -> str:
    return f"0x{signature.hex()}"


def _sent(signature: bytes) -> str:
    return base64.b64encode(_hex(signature).encode()).decode()


def _coded(content: bytes) -> str:
    return base64.b64encode(content).decode()


@dataclass(frozen=True)
class Wallet:
    """How a challenge is signed and sent; each field is one place in which something can go wrong.

    Args:
        text: What is signed, of the challenge.
        digest: How it is hashed.
        shape: What is made of the 65 bytes.
        sent: How these travel.
        signer: The name of the key that signs; ``owner`` for the right one.
        owner: Alters the account id of the owner.
        chain: The chain in the challenge.
        older: Whether an older challenge is signed.
        typed: Whether typed data is signed.
        needs: Whether a signature will do for what is to be shown; another challenge is signed until one does.
    """

    text: Callable[[bytes], bytes] = lambda message: message
    digest: Callable[[bytes], bytes] = prefixed
    shape: Callable[[bytes], bytes] = lambda signature: signature
    sent: Callable[[bytes], str] = _sent
    signer: str = "owner"
    owner: Callable[[str], str] = lambda account: account
    chain: str = "300"
    older: bool = False
    typed: bool = False
    needs: Callable[[bytes], bool] = lambda _: True

    def diagnosed(self, ids: Ids) -> Diagnosis:
        """What is said of its signature of a fresh challenge."""
        address = _address(ids, "owner")
        hashes = typed_data_hashes(_TYPED) if self.typed else {}
        while True:
            challenges = [self._challenge(ids, address), self._challenge(ids, address)]
            signed = self.digest(self.text(challenges[1] if self.older else challenges[0]))
            if self.typed:
                signed = next(iter(hashes.values()))
            raw = PrivateKey(_secret(ids, self.signer)).sign_recoverable(signed, hasher=None)
            if self.needs(raw):
                break
        text = self.sent(self.shape(raw[:64] + bytes([raw[64] + 27])))
        issued = [_coded(each) for each in (challenges if self.older else challenges[:1])]
        return diagnose_challenge(issued, text, Owner.read(self.owner(f"eip155:300:{address}")), hashes)

    def _challenge(self, ids: Ids, address: str) -> bytes:
        return (
            f"api.sandbox.example.com wants you to sign in with your Ethereum account:\n{address}\n\n"
            f"Example wants to verify ownership of your wallet.\n\nURI: https://api.sandbox.example.com\nVersion: 1\n"
            f"Chain ID: {self.chain}\nNonce: {ids.alphanumeric(17)}\nIssued At: 2026-01-17T18:21:53Z"
        ).encode()


def _secret(ids: Ids, name: str) -> bytes:
    return ids.child(name).draw(32)


def _address(ids: Ids, name: str) -> str:
    point = PrivateKey(_secret(ids, name)).public_key.format(compressed=False)[1:]
    return checksum_address(f"0x{keccak(point)[-20:].hex()}")


def _case(title: str, names: Sequence[str], wallet: Wallet, report: str = "") -> Case:
    return Case(title, tuple(names), wallet.diagnosed, f"{_GH}{report}" if report else "")


def _other_s(signature: bytes) -> bytes:
    s = GROUP_ORDER_INT - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])


def _compact(signature: bytes) -> bytes:
    return signature[:32] + bytes([signature[32] | (signature[64] - 27) << 7]) + signature[33:64]


def _der(signature: bytes) -> bytes:
    return encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big"))


def _sha256(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()


def _mistyped(account: str) -> str:
    digit = account[-1].lower()
    return account[:-1].lower() + ("0" if digit != "0" else "1")


SINGLE: tuple[Case, ...] = (
    # -------------------------------------------------------------------------------------------------- what is signed
    _case("the base64 text signed", ["signed-the-base64-text"], Wallet(text=base64.b64encode)),
    _case(
        "the hex text signed",
        ["signed-the-hex-text"],
        Wallet(text=lambda text: _hex(text).encode()),
        "MetaMask/metamask-extension/issues/29220",
    ),
    _case(
        "the hex text without 0x signed",
        ["signed-the-hex-text"],
        Wallet(text=lambda text: text.hex().encode()),
        "web3/web3.js/issues/2565",
    ),
    _case("CRLF line ends", ["signed-with-crlf"], Wallet(text=lambda text: text.replace(b"\n", b"\r\n"))),
    _case(
        "a newline added",
        ["signed-with-newline"],
        Wallet(text=lambda text: text + b"\n"),
        "ethereum/go-ethereum/pull/32666",
    ),
    _case(
        "a backslash and n for each newline",
        ["signed-with-backslash-n"],
        Wallet(text=lambda text: text.replace(b"\n", b"\\n")),
        "deathtothecorporation/pallas/issues/3",
    ),
    _case("all in one line", ["signed-in-one-line"], Wallet(text=lambda text: text.replace(b"\n", b" "))),
    _case("as a JSON string", ["signed-json-string"], Wallet(text=lambda text: json.dumps(text.decode()).encode())),
    _case("an older challenge", ["signed-older-challenge"], Wallet(older=True)),
    _case(
        "for another chain",
        ["signed-for-other-chain"],
        Wallet(text=lambda text: text.replace(b"Chain ID: 300", b"Chain ID: 324")),
        "WalletConnect/walletconnect-example-dapp/pull/104",
    ),
    _case(
        "the address in lower case",
        ["signed-address-in-other-case"],
        Wallet(text=lambda text: re.sub(rb"0x\w{40}", lambda found: found[0].lower(), text)),
        "reown-com/reown_flutter/issues/45",
    ),
    _case(
        "the scheme before the domain",
        ["signed-with-scheme"],
        Wallet(text=lambda text: b"https://" + text),
        "spruceid/siwe/issues/71",
    ),
    _case(
        "a message of the program's own, for the live host",
        ["signed-message-made-anew"],
        Wallet(text=lambda text: text.replace(b"sandbox.", b"")),
    ),
    _case(
        "a message of the program's own, without the statement",
        ["signed-message-made-anew"],
        Wallet(text=lambda text: re.sub(rb"\n\n[^\n]+\n\nURI", b"\n\n\nURI", text)),
    ),
    _case(
        "a message of the program's own, with a slash after the URI",
        ["signed-message-made-anew"],
        Wallet(text=lambda text: re.sub(rb"(?m)^(URI: .*)$", rb"\1/", text)),
    ),
    _case("typed data", ["signed-typed-data"], Wallet(typed=True)),
    # ------------------------------------------------------------------------------------------------------------- how
    _case(
        "no prefix", ["signed-without-prefix"], Wallet(digest=keccak), "OpenZeppelin/openzeppelin-contracts/issues/644"
    ),
    _case("SHA-256 without prefix", ["signed-without-prefix"], Wallet(digest=_sha256)),
    _case("the Keccak-256 hash signed", ["signed-the-hash"], Wallet(text=keccak), "wmh/php-ecrecover/issues/2"),
    _case("the SHA-256 hash signed", ["signed-the-hash"], Wallet(text=_sha256)),
    _case(
        "the hex text of the hash signed",
        ["signed-the-hex-of-hash"],
        Wallet(text=lambda text: _hex(keccak(text)).encode()),
    ),
    _case(
        "the prefix twice",
        ["signed-with-two-prefixes"],
        Wallet(text=lambda text: _PREFIX + str(len(text)).encode() + text),
    ),
    _case(
        "a length of 32 in the prefix",
        ["signed-with-wrong-length"],
        Wallet(digest=lambda text: keccak(_PREFIX + b"32" + text)),
        "ethers-io/ethers.js/issues/468",
    ),
    # -------------------------------------------------------------------------------------------------------- its form
    _case(
        "hex text, not base64",
        ["wallet-hex-not-base64"],
        Wallet(sent=_hex),
        "OpenZeppelin/openzeppelin-contracts/issues/2914",
    ),
    _case(
        "hex text without 0x", ["wallet-missing-0x"], Wallet(sent=lambda signature: _coded(signature.hex().encode()))
    ),
    _case(
        "hex text with 0X",
        ["wallet-capital-0x"],
        Wallet(sent=lambda signature: _coded(_hex(signature).replace("0x", "0X").encode())),
        "reown-com/reown_flutter/pull/413",
    ),
    _case(
        "all that MyCrypto shows, in base64",
        ["wallet-json"],
        Wallet(
            sent=lambda signature: _coded(
                json.dumps({"address": "0x0", "msg": "text", "sig": _hex(signature), "version": "3"}).encode()
            )
        ),
    ),
    _case(
        "the numbers of the bytes with commas between them",
        ["wallet-json"],
        Wallet(sent=lambda signature: _coded(",".join(map(str, signature)).encode())),
    ),
    _case(
        "the prefix without its byte 0x19",
        ["signed-with-prefix-without-0x19"],
        Wallet(digest=lambda text: keccak(_PREFIX[1:] + str(len(text)).encode() + text)),
    ),
    _case(
        "the prefix with an escape that nothing read",
        ["signed-with-prefix-without-0x19"],
        Wallet(digest=lambda text: keccak(b"\\x19" + _PREFIX[1:] + str(len(text)).encode() + text)),
    ),
    _case("in base64 twice", ["wallet-base64-twice"], Wallet(sent=lambda signature: _coded(_sent(signature).encode()))),
    _case(
        "the bytes URL-safe",
        ["wallet-base64url"],
        Wallet(
            sent=lambda signature: base64.urlsafe_b64encode(signature).decode(),
            needs=lambda signature: bool(set(base64.urlsafe_b64encode(signature)) & set(b"-_")),
        ),
    ),
    _case("without padding", ["wallet-without-padding"], Wallet(sent=lambda signature: _coded(signature).rstrip("="))),
    _case("cut off", ["wallet-truncated"], Wallet(shape=lambda signature: signature[:60])),
    _case(
        "v of 0 or 1",
        ["wallet-v-of-0-or-1"],
        Wallet(shape=lambda signature: signature[:64] + bytes([signature[64] - 27])),
        "MetaMask/metamask-extension/issues/12605",
    ),
    _case(
        "the other v", ["wallet-other-v"], Wallet(shape=lambda signature: signature[:64] + bytes([55 - signature[64]]))
    ),
    _case("v first", ["wallet-v-first"], Wallet(shape=lambda signature: signature[64:] + signature[:64])),
    _case("compact", ["wallet-compact"], Wallet(shape=_compact), "ethers-io/ethers.js/issues/2246"),
    _case("in DER", ["wallet-der"], Wallet(shape=_der), "ava-labs/icm-services/pull/273"),
    _case("a high s", ["wallet-high-s"], Wallet(shape=_other_s), "Nethereum/Nethereum/issues/1035"),
    _case(
        "of two owners of a contract wallet",
        ["wallet-multisig"],
        Wallet(shape=lambda signature: signature * 2),
        "spruceid/siwe-py/issues/63",
    ),
    _case(
        "for a contract to judge",
        ["wallet-erc-1271"],
        Wallet(shape=lambda signature: bytes(320) + signature + bytes(31)),
        "coinbase/coinbase-wallet-sdk/issues/1379",
    ),
    _case(
        "of an account that is not on its chain yet",
        ["wallet-erc-6492"],
        Wallet(shape=lambda signature: bytes(320) + signature + bytes(31) + _ERC_6492),
        "reown-com/appkit/issues/3260",
    ),
    # ------------------------------------------------------------------------------------------------------- the owner
    _case("by another account", ["signed-by-another-account"], Wallet(signer="other")),
    _case(
        "an owner with a digit mistyped",
        ["owner-not-in-challenge-by-a-digit", "signed-by-another-account-by-a-digit"],
        Wallet(owner=_mistyped),
    ),
    _case(
        "an owner on another chain",
        ["owner-on-other-chain"],
        Wallet(owner=lambda account: account.replace(":300:", ":1:")),
    ),
)
"""One mistake each, but for a digit of the owner, which shows in two places."""

DOUBLE: tuple[Case, ...] = (
    _case(
        "hex text, of a message with a newline",
        ["wallet-hex-not-base64", "signed-with-newline"],
        Wallet(text=lambda text: text + b"\n", sent=_hex),
    ),
    _case(
        "v of 0 or 1, of the base64 text",
        ["wallet-v-of-0-or-1", "signed-the-base64-text"],
        Wallet(text=base64.b64encode, shape=lambda signature: signature[:64] + bytes([signature[64] - 27])),
        "LedgerHQ/ledgerjs/issues/466",
    ),
    _case(
        "CRLF, and no prefix",
        ["signed-with-crlf", "signed-without-prefix"],
        Wallet(text=lambda text: text.replace(b"\n", b"\r\n"), digest=keccak),
    ),
    _case(
        "for another chain, with a newline",
        ["signed-for-other-chain", "signed-with-newline"],
        Wallet(text=lambda text: text.replace(b"Chain ID: 300", b"Chain ID: 1") + b"\n"),
    ),
    _case("hex text in DER", ["wallet-hex-not-base64", "wallet-der"], Wallet(shape=_der, sent=_hex)),
)
"""Two mistakes at once."""

UNKNOWN: tuple[Case, ...] = (
    _case("a text that nobody knows signed", NONE, Wallet(text=lambda _: b"Please sign in.")),
    _case("another nonce", NONE, Wallet(text=lambda text: re.sub(rb"Nonce: \w+", b"Nonce: abcdefgh12345678", text))),
    _case("another statement", NONE, Wallet(text=lambda text: text.replace(b"verify", b"check"))),
    _case("another hash function", NONE, Wallet(digest=lambda text: hashlib.blake2s(text).digest())),
    _case(
        "bytes that are no signature",
        NONE,
        Wallet(shape=lambda signature: keccak(signature) + keccak(signature[1:]) + b"\x1b"),
    ),
)
"""What no candidate explains."""
