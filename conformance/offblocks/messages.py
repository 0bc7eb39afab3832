"""What OffBlocks' exchanges say, read without judging: operations, customers, challenges, sign requests."""

import base64
import binascii
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from conformance.exchange import Exchange, Request, Response
from conformance.offblocks.tokens import USUAL_LIFE, said_end
from conformance.standards import sign_in_message
from conformance.standards.account_ids import AccountId, AccountIdRejected

DOCUMENTED_HOSTS = {"sandbox-host": "api.sandbox.offblocks.xyz", "live-host": "api.offblocks.xyz"}
"""The hosts that the documents name, by the reading that each stands for."""


def asking_domains(url: str, expected: str | None) -> set[str]:
    """The domains that may ask a customer for a sign-in.

    Args:
        url: The URL of a request to the API.
        expected: The one domain that the settings name, None for those that the documents name and the host of `url`.
    """
    return {expected} if expected else {*DOCUMENTED_HOSTS.values(), urlsplit(url).netloc}


_FOR_URLS = str.maketrans("-_", "+/")
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")


def bearer_token(request: Request) -> str | None:
    """The bearer token of a request, None if it has none."""
    scheme, _, token = (request.header("Authorization") or "").partition(" ")
    return token.lstrip(" ") or None if scheme.lower() == "bearer" else None


def issued_token(exchange: Exchange) -> tuple[str, datetime] | None:
    """The token that an answer issues and when it expires (UTC), after the usual time if it does not say; or None."""
    members = exchange.response.members()
    token = members.get("token")
    if not exchange.response.succeeded or not isinstance(token, str):
        return None
    return token, said_end(members, token) or exchange.at + USUAL_LIFE


def account(text: Any) -> AccountId | None:
    """The CAIP-10 account id in `text`, None if it is none."""
    if not isinstance(text, str):
        return None
    try:
        return AccountId.parse(text)
    except AccountIdRejected:
        return None


def same_address(one: str, other: str) -> bool:
    """Whether two addresses are the same but for letter case."""
    return one.lower() == other.lower()


def instant(text: Any) -> datetime | None:
    """The RFC 3339 time in `text`, cut to microseconds; None if it is none."""
    if not isinstance(text, str) or not re.match(
        r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$", text
    ):
        return None
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        return None


@dataclass(frozen=True)
class Challenge:
    """A challenge as it was issued.

    Args:
        text: The base64 text.
    """

    text: str

    @property
    def is_standard(self) -> bool:
        """Whether it is base64 as RFC 4648, section 4, has it: padded, in one piece."""
        return _decoded(self.text) is not None

    @cached_property
    def message(self) -> bytes | None:
        """What it decodes to, as base64 of any kind: without padding, in lines, or for URLs; None if it is none."""
        standard = "".join(self.text.split()).translate(_FOR_URLS).rstrip("=")
        return _decoded(standard + "=" * (-len(standard) % 4))

    @property
    def to_be_signed(self) -> bytes:
        """What a wallet signs that signs whatever it gets: the message, or the text itself if it is no base64."""
        return self.message if self.message is not None else self.text.encode()

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the message, decoded leniently."""
        return (self.message or b"").decode(errors="replace").split("\n")

    @property
    def kind(self) -> str | None:
        """The reading of what it decodes to: ``sign-in-message``, ``public-key``, or None."""
        first = self.lines[0]
        if first.endswith("wants you to sign in with your Ethereum account:"):
            return "sign-in-message"
        return "public-key" if first.startswith("-----BEGIN PUBLIC KEY") else None

    @cached_property
    def sign_in(self) -> sign_in_message.SignInMessage | None:
        """The sign-in message, None if it does not follow the grammar."""
        try:
            return sign_in_message.parse((self.message or b"").decode())
        except (UnicodeDecodeError, sign_in_message.MessageRejected):
            return None

    def is_sign_in_of(self, address: str, domains: Collection[str]) -> bool:
        """Whether it is a sign-in message for the wallet with this address, asked for by one of `domains`."""
        message = self.sign_in
        return message is not None and same_address(message.address, address) and message.domain in domains

    @property
    def domain(self) -> str:
        """What stands before the first line's words, without the scheme that EIP-4361 allows there."""
        return _SCHEME.sub("", self.lines[0].partition(" wants you to sign in")[0])

    @property
    def address(self) -> str:
        """The second line."""
        return self.lines[1] if len(self.lines) > 1 else ""

    def value(self, label: str) -> str | None:
        """What stands on the line ``label: ``, None if there is none."""
        prefix = f"{label}: "
        return next((line.removeprefix(prefix) for line in self.lines if line.startswith(prefix)), None)

    @property
    def issued_at(self) -> datetime | None:
        """Its Issued At (UTC), None if it has none."""
        return instant(self.value("Issued At"))


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def issued_challenge(response: Response) -> Challenge | None:
    """The challenge in an answer, None if there is none."""
    challenge = response.members().get("challenge")
    return Challenge(challenge) if response.succeeded and isinstance(challenge, str) else None


def difference_of(sent: str, issued: str) -> str | None:
    """How a challenge that was sent back differs from the one that was issued; None if it is another one altogether."""
    try:
        message = base64.b64decode(issued)
        if sent.encode(errors="replace") == message:
            return "is the decoded challenge; send it back as it was issued, in base64"
        decoded = base64.b64decode(sent, altchars=b"-_" if set(sent) & set("-_") else None, validate=False)
    except ValueError:
        return None
    if decoded == message:
        return "decodes to the challenge but is not the text that was issued; send that unchanged"
    return None
