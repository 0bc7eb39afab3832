"""Addresses of EVM chains, Bitcoin, Solana and NEAR, each judged by the standard of its own chain.

EVM chains: 20 bytes in hex with the checksum of EIP-55. Bitcoin: base58check (BIP-13 for P2SH), bech32 (BIP-173) for
witness version 0 and bech32m (BIP-350) for later ones. Solana: base58 of the 32 bytes of an account. NEAR: account ids
(Nomicon, Account ID; ETH-implicit accounts: NEP-518; deterministic ones: NEP-616; universal ones: NEP-655). Where a
chain has no checksum, none is asked for.
"""

import hashlib
import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import reduce
from hashlib import sha256
from operator import xor

from coincurve import PublicKey
from eth_hash.auto import keccak

from conformance.standards.account_ids import AccountIdRejected, checksum_address, checksum_state
from conformance.standards.rejection import Rejected

__all__ = [
    "AddressRejected",
    "Family",
    "Kind",
    "PublicKeyRejected",
    "Reason",
    "account_in_bech32",
    "address_of",
    "check_address",
    "decode_base58",
    "encode_base58",
]

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BASE32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32, _BECH32M = 1, 0x2BC830A3
_ENCODINGS = {_BECH32: "bech32", _BECH32M: "bech32m"}
_PREFIXES = {"bc": "mainnet", "tb": "testnet", "bcrt": "regtest"}
_CHECKSUM_SYMBOLS = 6
_MAX_BECH32 = 90
_MAX_WITNESS_VERSION = 16
_PROGRAM_SIZES = range(2, 41)
_CHECKSUM_BYTES = 4
_BASE58CHECK_SIZE = 25
_MAX_BASE58CHECK = 35
_EVM_LENGTH = 42
_ED25519_SIZE = 32
_SOLANA_LENGTHS = range(32, 45)
_NEAR_LENGTHS = range(2, 65)
_NEAR_ACCOUNT = re.compile(r"[a-z0-9]+(?:[-_.][a-z0-9]+)*")
_NEAR_FORMS = "expected 64 hex digits, 0x or 0s and 40 hex digits, 0u and 52 of base32, or a name such as alice.near"
_NEAR_SUFFIXES = {".near": "mainnet", ".testnet": "testnet"}


class Family(StrEnum):
    """Chains whose addresses follow the same standard."""

    EVM = "evm"
    BITCOIN = "bitcoin"
    SOLANA = "solana"
    NEAR = "near"


class Kind(StrEnum):
    """The form of an address, which says what controls the account."""

    EVM = "evm"
    P2PKH = "p2pkh"
    P2SH = "p2sh"
    P2WPKH = "p2wpkh"
    P2WSH = "p2wsh"
    P2TR = "p2tr"
    UNASSIGNED_WITNESS = "unassigned-witness"
    """A witness program that is well formed, and to which BIP-141 and BIP-341 give no meaning."""
    SOLANA = "solana"
    NEAR_IMPLICIT = "near-implicit"
    NEAR_ETHEREUM = "near-ethereum"
    NEAR_DETERMINISTIC = "near-deterministic"
    """The account of a contract, 0s and 40 hex digits of the hash of its first state."""
    NEAR_UNIVERSAL = "near-universal"
    """An account that follows from its first state too, 0u and a hash of 32 bytes in Crockford's base32."""
    NEAR_NAMED = "near-named"


class Reason(StrEnum):
    """Why an address was rejected."""

    FORM = "wrong-form"
    LENGTH = "wrong-length"
    CHARACTER = "foreign-character"
    LETTER_CASE = "wrong-letter-case"
    CHECKSUM = "wrong-checksum"
    ENCODING = "wrong-encoding"
    VERSION = "unknown-version"
    PADDING = "wrong-padding"
    NETWORK = "wrong-network"


class AddressRejected(Rejected[Reason]):
    """A text that is no address of the chain and network."""


class PublicKeyRejected(ValueError):  # noqa: N818 - a judgement of the input, named as such
    """Bytes that are no public key of the curve; the message says what is expected."""


_BASE58CHECK_VERSIONS = {
    0x00: (Kind.P2PKH, "mainnet"),
    0x05: (Kind.P2SH, "mainnet"),
    0x6F: (Kind.P2PKH, "testnet"),
    0xC4: (Kind.P2SH, "testnet"),
}
_ASSIGNED_PROGRAMS = {(0, 20): Kind.P2WPKH, (0, 32): Kind.P2WSH, (1, 32): Kind.P2TR}
_KINDS_OF_KEYS = {
    Family.EVM: (Kind.EVM,),
    Family.BITCOIN: (Kind.P2WPKH, Kind.P2PKH),
    Family.SOLANA: (Kind.SOLANA,),
    Family.NEAR: (Kind.NEAR_IMPLICIT,),
}


def check_address(text: str, family: Family, *, testnet: bool) -> Kind:
    """Check that `text` is an address of the family's chains.

    Args:
        text: The address as it was given.
        family: Whose standard holds.
        testnet: Whether it must be one of the test networks. EVM and Solana addresses and NEAR's hex forms are the
            same on all networks, so there it makes no difference. Bitcoin's regtest is neither.

    Returns:
        The form of the address.

    Raises:
        AddressRejected: If `text` is something else.
    """
    for position, character in enumerate(text, 1):
        if not "!" <= character <= "~":
            raise AddressRejected(
                Reason.CHARACTER,
                f"Character {position} of the address is {character!r}, expected ASCII characters without blanks.",
            )
    return _CHECKS[family](text, "testnet" if testnet else "mainnet")


def address_of(public_key: bytes, family: Family, *, testnet: bool, kind: Kind | None = None) -> str:
    """The address that follows from a public key.

    Args:
        public_key: For EVM and Bitcoin a secp256k1 key in the compressed (33 bytes) or uncompressed (65 bytes) form of
            SEC 1, section 2.3.3; for Solana and NEAR an ed25519 key (32 bytes, RFC 8032, section 5.1.5). The form
            matters for P2PKH only, whose hash is that of the key as it is given.
        family: Whose standard holds.
        testnet: Whether the address is for the test network; it makes a difference for Bitcoin only.
        kind: The form of the address, for Bitcoin ``p2wpkh`` (the default) or ``p2pkh``. The other families have one:
            ``evm``, ``solana``, ``near-implicit``.

    Returns:
        The address as its standard writes it, an EVM address with its checksum.

    Raises:
        PublicKeyRejected: If `public_key` is not a key of the family's curve.
        ValueError: If no address of `kind` follows from a public key in this family.
    """
    kinds = _KINDS_OF_KEYS[family]
    kind = kind or kinds[0]
    if kind not in kinds:
        raise ValueError(f"No {kind} address follows from a {family} public key; expected {' or '.join(kinds)}.")
    if family in (Family.SOLANA, Family.NEAR):
        if len(public_key) != _ED25519_SIZE:
            raise PublicKeyRejected(f"The {family} public key has {len(public_key)} bytes, expected 32 of ed25519.")
        return encode_base58(public_key) if family is Family.SOLANA else public_key.hex()
    point = _secp256k1_point(public_key)
    if family is Family.EVM:
        return checksum_address("0x" + keccak(point.format(compressed=False)[1:])[-20:].hex())
    network = "testnet" if testnet else "mainnet"
    if kind is Kind.P2WPKH:
        return _segwit_address(_hash160(point.format()), network)
    version = next(byte for byte, form in _BASE58CHECK_VERSIONS.items() if form == (kind, network))
    payload = bytes([version]) + _hash160(public_key)
    return encode_base58(payload + _base58_checksum(payload))


def account_in_bech32(public_key: bytes, prefix: str) -> str:
    """The address of a secp256k1 key as Cosmos chains write it: the hash of Bitcoin's P2WPKH in bech32 (BIP-173).

    Args:
        public_key: The key in a form of SEC 1, section 2.3.3.
        prefix: What the chain's addresses begin with, such as ``cosmos``.

    Raises:
        PublicKeyRejected: If `public_key` is not a key of the curve.
    """
    return _bech32(prefix, (), _hash160(_secp256k1_point(public_key).format()))


def encode_base58(content: bytes) -> str:
    """The base58 text of `content` in Bitcoin's alphabet, a ``1`` for each zero byte at its start; no checksum."""
    number, digits = int.from_bytes(content, "big"), ""
    while number:
        number, digit = divmod(number, len(_BASE58))
        digits = _BASE58[digit] + digits
    return "1" * (len(content) - len(content.lstrip(b"\0"))) + digits


def decode_base58(text: str) -> bytes:
    """The bytes in a base58 text of Bitcoin's alphabet; no checksum.

    Raises:
        AddressRejected: With reason ``foreign-character`` if a character is not of the alphabet.
    """
    number = 0
    for position, character in enumerate(text, 1):
        digit = _BASE58.find(character)
        if digit < 0:
            raise AddressRejected(
                Reason.CHARACTER,
                f"Character {position} is {character!r}, which base58 does not have: "
                "expected letters and digits without 0, O, I and l.",
            )
        number = number * len(_BASE58) + digit
    return bytes(len(text) - len(text.lstrip("1"))) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def _check_evm(text: str, _network: str) -> Kind:
    if len(text) != _EVM_LENGTH:
        raise AddressRejected(
            Reason.LENGTH, f"The EVM address has {len(text)} characters, expected 42: 0x and 40 hex digits."
        )
    try:
        state = checksum_state(text)
    except AccountIdRejected as error:
        raise AddressRejected(Reason.FORM, str(error)) from error
    if state == "wrong":
        right = checksum_address(text)
        position = next(place for place, pair in enumerate(zip(text, right, strict=True), 1) if pair[0] != pair[1])
        raise AddressRejected(
            Reason.CHECKSUM,
            f"The letter case of the EVM address is not its EIP-55 checksum, first at character {position}: {text}; "
            f"expected {right} if no digit is wrong.",
        )
    return Kind.EVM


def _check_bitcoin(text: str, network: str) -> Kind:
    prefix = next((prefix for prefix in _PREFIXES if text.lower().startswith(f"{prefix}1")), None)
    if prefix:
        return _check_segwit(text, prefix, network)
    if text.startswith(tuple("123mn")):
        return _check_base58check(text, network)
    forms = "1, 3 or bc1" if network == "mainnet" else "m, n, 2 or tb1"
    raise AddressRejected(Reason.FORM, f"The address starts with {text[:3]!r}, a Bitcoin {network} one with {forms}.")


def _check_base58check(text: str, network: str) -> Kind:
    if len(text) > _MAX_BASE58CHECK:
        raise AddressRejected(
            Reason.LENGTH,
            f"The Bitcoin address has {len(text)} characters, expected at most {_MAX_BASE58CHECK} in base58.",
        )
    content = decode_base58(text)
    if len(content) != _BASE58CHECK_SIZE:
        raise AddressRejected(
            Reason.LENGTH,
            f"The Bitcoin address holds {len(content)} bytes in base58, expected {_BASE58CHECK_SIZE}: "
            "version (1), hash (20), checksum (4).",
        )
    payload, checksum = content[:-_CHECKSUM_BYTES], content[-_CHECKSUM_BYTES:]
    if checksum != _base58_checksum(payload):
        raise AddressRejected(
            Reason.CHECKSUM,
            f"The base58 checksum of the Bitcoin address is {checksum.hex()}, expected "
            f"{_base58_checksum(payload).hex()}: a character, perhaps only its letter case, is wrong.",
        )
    if payload[0] not in _BASE58CHECK_VERSIONS:
        raise AddressRejected(
            Reason.VERSION,
            f"The Bitcoin address has the version byte 0x{payload[0]:02x}, expected 0x00 (P2PKH) or 0x05 (P2SH) on "
            "mainnet, 0x6f or 0xc4 on testnet.",
        )
    kind, own_network = _BASE58CHECK_VERSIONS[payload[0]]
    _require_network("Bitcoin", own_network, network)
    return kind


def _check_segwit(text: str, prefix: str, network: str) -> Kind:
    symbols = _base32_symbols(text, prefix)
    encoding = _polymod(_expanded(prefix) + symbols)
    if encoding not in _ENCODINGS:
        raise AddressRejected(
            Reason.CHECKSUM,
            "The last six characters of the Bitcoin address are neither its bech32 nor its bech32m checksum: "
            "a character is wrong, missing or too many.",
        )
    _require_network("Bitcoin", _PREFIXES[prefix], network)
    version, program = _witness(symbols[:-_CHECKSUM_SYMBOLS], encoding)
    return _ASSIGNED_PROGRAMS.get((version, len(program)), Kind.UNASSIGNED_WITNESS)


def _base32_symbols(text: str, prefix: str) -> list[int]:
    if len(text) > _MAX_BECH32:
        raise AddressRejected(
            Reason.LENGTH, f"The Bitcoin address has {len(text)} characters, expected at most {_MAX_BECH32} in bech32."
        )
    if text not in (text.lower(), text.upper()):
        raise AddressRejected(
            Reason.LETTER_CASE,
            "The Bitcoin address mixes upper and lower case; in bech32 it is all lower or all upper.",
        )
    start = len(prefix) + 1
    for position, character in enumerate(text[start:], start + 1):
        if character.lower() not in _BASE32:
            raise AddressRejected(
                Reason.CHARACTER,
                f"Character {position} of the Bitcoin address is {character!r}, which bech32 does not have there: "
                "expected letters and digits without 1, b, i and o.",
            )
    if len(text) - start <= _CHECKSUM_SYMBOLS:
        raise AddressRejected(
            Reason.LENGTH,
            f"The Bitcoin address has {len(text) - start} characters after {text[:start]}, expected a witness version, "
            "a program and a checksum of six.",
        )
    return [_BASE32.index(character) for character in text[start:].lower()]


def _witness(symbols: list[int], encoding: int) -> tuple[int, bytes]:
    version, padding = symbols[0], 5 * (len(symbols) - 1) % 8
    if version > _MAX_WITNESS_VERSION:
        raise AddressRejected(
            Reason.VERSION,
            f"The Bitcoin address has the witness version {version}, expected 0 to {_MAX_WITNESS_VERSION}.",
        )
    right = _BECH32M if version else _BECH32
    if encoding != right:
        raise AddressRejected(
            Reason.ENCODING,
            f"The Bitcoin address is in {_ENCODINGS[encoding]}, but its witness version is {version}, which is written "
            f"in {_ENCODINGS[right]} (BIP-350).",
        )
    number = reduce(lambda total, symbol: total << 5 | symbol, symbols[1:], 0)
    if padding > 4 or number % (1 << padding):  # noqa: PLR2004 - five bits would be a character of their own
        raise AddressRejected(
            Reason.PADDING,
            f"The witness program of the Bitcoin address ends in {padding} bits beyond its last byte, "
            "expected at most 4, all zero.",
        )
    program = (number >> padding).to_bytes(5 * (len(symbols) - 1) // 8, "big")
    if len(program) not in _PROGRAM_SIZES or (version == 0 and (version, len(program)) not in _ASSIGNED_PROGRAMS):
        sizes = "2 to 40" if version else "20 (P2WPKH) or 32 (P2WSH)"
        raise AddressRejected(
            Reason.LENGTH,
            f"The witness program of the Bitcoin address has {len(program)} bytes, expected {sizes} in "
            f"version {version}.",
        )
    return version, program


def _check_solana(text: str, _network: str) -> Kind:
    if len(text) not in _SOLANA_LENGTHS:
        raise AddressRejected(
            Reason.LENGTH, f"The Solana address has {len(text)} characters, expected 32 to 44 in base58."
        )
    size = len(decode_base58(text))
    if size != _ED25519_SIZE:
        raise AddressRejected(Reason.LENGTH, f"The Solana address holds {size} bytes in base58, expected 32.")
    return Kind.SOLANA


def _check_near(text: str, network: str) -> Kind:
    if len(text) not in _NEAR_LENGTHS:
        raise AddressRejected(
            Reason.LENGTH, f"The NEAR account id has {len(text)} characters, expected 2 to 64: {_NEAR_FORMS}."
        )
    _require_near_grammar(text)
    if re.fullmatch(r"[0-9a-f]{64}", text):
        return Kind.NEAR_IMPLICIT
    if re.fullmatch(r"0x[0-9a-f]{40}", text):
        return Kind.NEAR_ETHEREUM
    if re.fullmatch(r"0s[0-9a-f]{40}", text):
        return Kind.NEAR_DETERMINISTIC
    if re.fullmatch(r"0u[0-9a-hjkmnp-tv-z]{52}", text):
        return Kind.NEAR_UNIVERSAL
    if "." not in text:
        raise AddressRejected(
            Reason.FORM,
            f"The NEAR account id has {len(text)} characters and no dot; top-level accounts belong to the chain's "
            f"registrar: {_NEAR_FORMS}.",
        )
    for suffix, own_network in _NEAR_SUFFIXES.items():
        if text.endswith(suffix):
            _require_network("NEAR", own_network, network)
    return Kind.NEAR_NAMED


def _require_near_grammar(text: str) -> None:
    for position, character in enumerate(text, 1):
        if character.isupper():
            raise AddressRejected(
                Reason.LETTER_CASE,
                f"Character {position} of the NEAR account id is {character!r}, expected lower case.",
            )
        if not character.isalnum() and character not in "-_.":
            raise AddressRejected(
                Reason.CHARACTER,
                f"Character {position} of the NEAR account id is {character!r}, expected lower-case letters, digits, "
                "'-', '_' and '.'.",
            )
    if not _NEAR_ACCOUNT.fullmatch(text):
        raise AddressRejected(
            Reason.FORM,
            "The NEAR account id starts or ends with '-', '_' or '.', or has two of them in a row; "
            "expected one at a time, between letters or digits.",
        )


_CHECKS: dict[Family, Callable[[str, str], Kind]] = {
    Family.EVM: _check_evm,
    Family.BITCOIN: _check_bitcoin,
    Family.SOLANA: _check_solana,
    Family.NEAR: _check_near,
}


def _require_network(chain: str, own: str, expected: str) -> None:
    if own != expected:
        raise AddressRejected(Reason.NETWORK, f"The address is of {chain}'s {own}, expected one of its {expected}.")


def _secp256k1_point(public_key: bytes) -> PublicKey:
    if (len(public_key), public_key[:1]) not in ((33, b"\2"), (33, b"\3"), (65, b"\4")):
        raise PublicKeyRejected(
            f"The public key has {len(public_key)} bytes and starts with 0x{public_key[:1].hex()}, expected one of "
            "secp256k1: 33 bytes that start with 0x02 or 0x03, or 65 that start with 0x04."
        )
    try:
        return PublicKey(public_key)
    except ValueError as error:
        raise PublicKeyRejected("The public key is no point of the curve secp256k1: a byte of it is wrong.") from error


def _hash160(content: bytes) -> bytes:
    return _ripemd160(sha256(content).digest())


def _ripemd160(content: bytes) -> bytes:
    try:
        return hashlib.new("ripemd160", content, usedforsecurity=False).digest()
    except ValueError:  # some builds of OpenSSL leave it out
        from Crypto.Hash import RIPEMD160  # noqa: PLC0415  (it takes a tenth of a second to load)

        return RIPEMD160.new(content).digest()


def _base58_checksum(payload: bytes) -> bytes:
    return sha256(sha256(payload).digest()).digest()[:_CHECKSUM_BYTES]


def _segwit_address(program: bytes, network: str) -> str:
    prefix = next(prefix for prefix, own_network in _PREFIXES.items() if own_network == network)
    return _bech32(prefix, [0], program)


def _bech32(prefix: str, leading: Iterable[int], content: bytes) -> str:
    number = int.from_bytes(content, "big")
    symbols = [*leading, *(number >> shift & 31 for shift in range(8 * len(content) - 5, -1, -5))]
    residue = _polymod([*_expanded(prefix), *symbols, *[0] * _CHECKSUM_SYMBOLS]) ^ _BECH32
    checksum = [residue >> shift & 31 for shift in range(25, -1, -5)]
    return f"{prefix}1" + "".join(_BASE32[symbol] for symbol in symbols + checksum)


def _expanded(prefix: str) -> list[int]:
    codes = prefix.encode()
    return [*(code >> 5 for code in codes), 0, *(code & 31 for code in codes)]


def _polymod(symbols: Iterable[int]) -> int:
    residue = 1
    for symbol in symbols:
        high, low = divmod(residue, 1 << 25)
        residue = reduce(xor, (term for bit, term in enumerate(_GENERATOR) if high >> bit & 1), low << 5 ^ symbol)
    return residue
