"""Chain and account ids of CAIP-2 and CAIP-10, and the checksum of EIP-55 in the letter case of an address."""

import re
from dataclasses import dataclass
from typing import Literal

from eth_hash.auto import keccak

__all__ = ["AccountId", "AccountIdRejected", "ChainId", "ChecksumState", "checksum_address", "checksum_state"]

_NAMESPACE = re.compile(r"[-a-z0-9]{3,8}")
_REFERENCE = re.compile(r"[-_a-zA-Z0-9]{1,32}")
_ADDRESS = re.compile(r"[-.%a-zA-Z0-9]{1,128}")
_DIGITS = re.compile(r"[0-9]{1,32}")
_ETHEREUM_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")

ChecksumState = Literal["checksummed", "uniform", "wrong"]


class AccountIdRejected(ValueError):  # noqa: N818 - a judgement of the input, named as such
    """A chain id, an account id or an address that its standard does not allow; the message says which part and why."""


@dataclass(frozen=True)
class ChainId:
    """A blockchain, as CAIP-2 names it.

    Args:
        namespace: The family of chains, such as ``eip155``.
        reference: The chain within the family, such as ``280``.
    """

    namespace: str
    reference: str

    @classmethod
    def parse(cls, text: str) -> "ChainId":
        """The chain that `text` names (CAIP-2, Syntax).

        Raises:
            AccountIdRejected: If `text` is not ``namespace:reference``.
        """
        parts = text.split(":")
        if len(parts) != 2:  # noqa: PLR2004 - namespace and reference
            raise AccountIdRejected(
                f"The chain id {text!r} has {len(parts)} parts between colons, expected 2: "
                "namespace:reference, such as eip155:1."
            )
        return _chain(text, *parts)

    def __str__(self) -> str:
        return f"{self.namespace}:{self.reference}"


@dataclass(frozen=True)
class AccountId:
    """An account on a blockchain, as CAIP-10 names it.

    Args:
        chain: The chain.
        address: The account's address in the form of that chain, letter case kept.
    """

    chain: ChainId
    address: str

    @classmethod
    def parse(cls, text: str) -> "AccountId":
        """The account that `text` names (CAIP-10, Syntax).

        In the namespace ``eip155`` the reference must be digits and the address ``0x`` with 40 hex digits. The
        checksum in the address's letter case is not judged: see `checksum_state`.

        Raises:
            AccountIdRejected: If `text` is not ``namespace:reference:address``.
        """
        parts = text.split(":")
        if len(parts) != 3:  # noqa: PLR2004 - namespace, reference and address
            raise AccountIdRejected(
                f"The account id {text!r} has {len(parts)} parts between colons, expected 3: "
                "namespace:reference:address, such as eip155:1:0xab16a96D359eC26a11e2C2b3d8f8B8942d5Bfcdb."
            )
        namespace, reference, address = parts
        chain = _chain(text, namespace, reference)
        if not _ADDRESS.fullmatch(address):
            raise AccountIdRejected(
                f"The address {address!r} in {text!r} is not allowed: "
                "expected 1 to 128 letters, digits, '-', '.' or '%'."
            )
        if namespace == "eip155":
            _require_ethereum_address(address)
        return cls(chain, address)

    def __str__(self) -> str:
        return f"{self.chain}:{self.address}"


def checksum_address(address: str) -> str:
    """The `address` with the letter case that EIP-55 gives it.

    Args:
        address: ``0x`` and 40 hex digits in any case.

    Raises:
        AccountIdRejected: If `address` has another form.
    """
    _require_ethereum_address(address)
    digits = address[2:].lower()
    digest = keccak(digits.encode()).hex()
    return "0x" + "".join(
        digit.upper() if nibble >= "8" else digit for digit, nibble in zip(digits, digest, strict=False)
    )


def checksum_state(address: str) -> ChecksumState:
    """Whether the letter case of `address` is the checksum of EIP-55.

    Args:
        address: ``0x`` and 40 hex digits in any case.

    Returns:
        ``checksummed``; ``uniform`` when all letters are lower or all are upper case, so that no checksum was given;
        ``wrong`` when the case is mixed and is not the checksum, so that a digit was probably mistyped.

    Raises:
        AccountIdRejected: If `address` has another form.
    """
    if address == checksum_address(address):
        return "checksummed"
    digits = address[2:]
    return "uniform" if digits in (digits.lower(), digits.upper()) else "wrong"


def _chain(text: str, namespace: str, reference: str) -> ChainId:
    if not _NAMESPACE.fullmatch(namespace):
        raise AccountIdRejected(
            f"The namespace {namespace!r} in {text!r} is not allowed: "
            "expected 3 to 8 lower-case letters, digits or '-'."
        )
    if not _REFERENCE.fullmatch(reference):
        raise AccountIdRejected(
            f"The reference {reference!r} in {text!r} is not allowed: expected 1 to 32 letters, digits, '-' or '_'."
        )
    if namespace == "eip155" and not _DIGITS.fullmatch(reference):
        raise AccountIdRejected(
            f"The reference {reference!r} in {text!r} is not allowed: in eip155 it is the chain id in decimal digits."
        )
    return ChainId(namespace, reference)


def _require_ethereum_address(address: str) -> None:
    if _ETHEREUM_ADDRESS.fullmatch(address):
        return
    if not address.startswith("0x"):
        wrong = "it does not start with 0x"
    elif len(address) != 42:  # noqa: PLR2004 - 0x and 40 digits
        wrong = f"it has {len(address) - 2} characters after 0x"
    else:
        odd = next(character for character in address[2:] if character not in "0123456789abcdefABCDEF")
        wrong = f"{odd!r} is not a hex digit"
    raise AccountIdRejected(f"{address!r} is not an Ethereum address: {wrong}; expected 0x and 40 hex digits.")
