"""A customer's wallet: an Ethereum key on one chain, which signs only sign-ins that are its own."""

import base64
import binascii
from typing import Any, Protocol

from conformance.ids import Ids
from conformance.standards import personal_message, sign_in_message
from conformance.standards.account_ids import AccountId, ChainId
from conformance.standards.wallet_signatures import Encoding, encode

__all__ = ["ChallengeRefused", "Wallet", "decoded"]


class ChallengeRefused(ValueError):  # noqa: N818  (a judgement of the challenge, named as such)
    """A challenge that a wallet must not sign; the message says why."""


class Account(Protocol):
    """What a wallet needs of an account that signs by itself, as a ``LocalAccount`` of eth-account does."""

    @property
    def address(self) -> Any:
        """Its Ethereum address with the EIP-55 checksum."""

    def unsafe_sign_hash(self, message_hash: Any) -> Any:
        """Sign a hash; what is given has the ``signature``, 65 bytes r, s, v."""


class Wallet:
    """An Ethereum key on one chain.

    Args:
        key: The private key, 32 bytes; or an account that signs by itself, as a ``LocalAccount`` of eth-account.
        chain: The chain's CAIP-2 id, such as ``eip155:300``.
    """

    def __init__(self, key: bytes | Account, chain: str) -> None:
        self._key = key
        self.chain = ChainId.parse(chain)
        self.address = personal_message.address_of(key) if isinstance(key, bytes) else str(key.address)

    @classmethod
    def derived(cls, ids: Ids, chain: str) -> "Wallet":
        """A new wallet whose key comes from `ids`."""
        return cls(ids.draw(32), chain)

    @property
    def account_id(self) -> str:
        """The wallet as a CAIP-10 account id with an EIP-55 address."""
        return str(AccountId(self.chain, self.address))

    def sign(self, message: bytes) -> bytes:
        """Sign any message (EIP-191, version 0x45); 65 bytes r, s, v."""
        if isinstance(self._key, bytes):
            return personal_message.sign(message, self._key)
        return bytes(self._key.unsafe_sign_hash(personal_message.message_hash(message)).signature)

    def answer(
        self, challenge: str, *, domain: str | None = None, encoding: Encoding = Encoding.BASE64_OF_HEX_TEXT
    ) -> str:
        """Sign a challenge after a look at what it asks for (EIP-4361, wallet implementer steps).

        Args:
            challenge: The challenge in base64.
            domain: The domain that must ask; None for any.
            encoding: How the signature is to travel.

        Raises:
            ChallengeRefused: If it is not a sign-in message for this wallet, or another domain asks.
        """
        message = decoded(challenge)
        try:
            sign_in = sign_in_message.parse(message.decode())
        except (UnicodeDecodeError, sign_in_message.MessageRejected) as error:
            raise ChallengeRefused(f"The challenge is no sign-in message: {error}") from error
        if sign_in.address.lower() != self.address.lower():
            raise ChallengeRefused(f"The challenge is for {sign_in.address}, this wallet is {self.address}.")
        if domain is not None and sign_in.domain != domain:
            raise ChallengeRefused(f"The challenge comes from {sign_in.domain}, expected {domain}.")
        return encode(self.sign(message), encoding)


def decoded(challenge: str) -> bytes:
    """The message of a challenge.

    Raises:
        ChallengeRefused: If it is no standard base64.
    """
    try:
        return base64.b64decode(challenge, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ChallengeRefused(f"The challenge is no base64: {error}") from error
