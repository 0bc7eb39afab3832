"""What Planbok shows a client: customers, wallets and challenges, as far as they are shown."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from urllib.parse import urlsplit

from conformance.planbok.messages import SUCCESS_WORDS, instant

__all__ = ["Challenge", "Customer", "Wallet", "checked_id"]

_ID = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._~-]+")


@dataclass(frozen=True)
class Customer:
    """A customer as the API shows it.

    Args:
        id: Its id.
        name: Its name, None if it is not shown.
        ref_id: The caller's own id for it, None if it is not shown.
        custody_type: Who holds the keys, None if it is not shown.
        status: Its state, None if it is not shown.
        has_pin: Whether it has set a PIN, None if that is not shown.
        has_recovery: Whether it has set up recovery, None if that is not shown.
        created_at: When it was created (UTC), None if it is not shown.
        updated_at: When it last changed (UTC), None if it is not shown.
    """

    id: str
    name: str | None = None
    ref_id: str | None = None
    custody_type: str | None = None
    status: str | None = None
    has_pin: bool | None = None
    has_recovery: bool | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def is_set_up(self) -> bool:
        """Whether both PIN and recovery are shown to be there, without which no wallet can be created."""
        return bool(self.has_pin and self.has_recovery)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read a customer.

        Raises:
            KeyError: If the id is missing.
            TypeError: If the id is no string, or what must be true or false is neither.
            ValueError: If the id is none that a path can hold.
        """
        return cls(
            id=checked_id(data["id"]),
            name=_text(data, "name"),
            ref_id=_text(data, "refId"),
            custody_type=_text(data, "custodyType"),
            status=_text(data, "status"),
            has_pin=_flag(data, "hasPin"),
            has_recovery=_flag(data, "hasRecovery"),
            created_at=instant(data.get("createdAt")),
            updated_at=instant(data.get("updatedAt")),
        )


@dataclass(frozen=True)
class Wallet:
    """A wallet as the API shows it.

    Args:
        blockchain: The chain.
        address: The address.
        id: Its id, None if it is not shown.
        customer: The customer's id, None if it is not shown.
        public_key: The public key as it is written, None if it is not shown.
        name: Its name, None if it is not shown.
        ref_id: The caller's own id for it, None if it is not shown.
        state: Its state, None if it is not shown.
        created_at: When it was created (UTC), None if it is not shown.
    """

    blockchain: str
    address: str
    id: str | None = None
    customer: str | None = None
    public_key: str | None = None
    name: str | None = None
    ref_id: str | None = None
    state: str | None = None
    created_at: datetime | None = None

    @property
    def place(self) -> tuple[str, str]:
        """Chain and address, by which a wallet is the same wherever it is shown."""
        return self.blockchain, self.address

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read a wallet.

        Raises:
            KeyError: If chain or address is missing.
            TypeError: If one of them is no string.
        """
        return cls(
            blockchain=_string(data["blockchain"], "blockchain"),
            address=_string(data["address"], "address"),
            id=_text(data, "id"),
            customer=_text(data, "customer"),
            public_key=_text(data, "publicKey"),
            name=_text(data, "name"),
            ref_id=_text(data, "refId"),
            state=_text(data, "state"),
            created_at=instant(data.get("createdAt")),
        )


@dataclass(frozen=True)
class Challenge:
    """A challenge as the API shows it.

    Args:
        id: Its id.
        redirect_url: The hosted page to send the customer to, exactly as it is; None if it is not shown.
        status: Its status, None if it is not shown.
        task: What it is for, None if it is not shown.
        expires_at: When it expires (UTC), None if it is not shown.
        wallets: The new wallets; none unless it succeeded.
        result: The whole result as it was answered, which nobody may believe unless it succeeded.
    """

    id: str
    redirect_url: str | None = None
    status: str | None = None
    task: str | None = None
    expires_at: datetime | None = None
    wallets: tuple[Wallet, ...] = ()
    result: Any = None

    @property
    def succeeded(self) -> bool:
        """Whether its status says that it succeeded, in one of the words that the sources use."""
        return self.status in SUCCESS_WORDS

    @property
    def ended(self) -> bool:
        """Whether it succeeded or failed; a status that no source names may still change."""
        return self.succeeded or self.status == "failed"

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read a challenge. Sources differ on what its id is called and on how its result holds the wallets.

        Raises:
            KeyError: If its id is missing, or chain or address of a wallet in its result.
            TypeError: If one of these, or the hosted page, is no string.
            ValueError: If its id is none that a path can hold, or the hosted page is no http or https URL.
        """
        challenge_id = checked_id(data["challengeId"] if "challengeId" in data else data["id"])
        status, result, page = _text(data, "status"), data.get("result"), data.get("redirectUrl")
        entries = result.get("wallets") if isinstance(result, Mapping) else result
        believed = entries if status in SUCCESS_WORDS and isinstance(entries, list) else []
        return cls(
            id=challenge_id,
            redirect_url=None if page is None else _web_address(page),
            status=status,
            task=_text(data, "task"),
            expires_at=instant(data.get("expiresAt")),
            wallets=tuple(Wallet.from_json(entry) for entry in believed),
            result=result,
        )


def checked_id(text: Any) -> str:
    """`text`, if it is an id that a path and a filter can hold as it is.

    Raises:
        TypeError: If it is no string.
        ValueError: If it is empty, or has other characters than those that URLs never escape.
    """
    if not _ID.fullmatch(_string(text, "an id")):
        raise ValueError(f"{text!r} is no id")
    return str(text)


def _web_address(text: Any) -> str:
    parts = urlsplit(_string(text, "redirectUrl"))
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{text!r} is no address of a web page")
    return str(text)


def _string(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} is no string")
    return value


def _text(data: Mapping[str, Any], name: str) -> str | None:
    value = data.get(name)
    return value if isinstance(value, str) else None


def _flag(data: Mapping[str, Any], name: str) -> bool | None:
    value = data.get(name)
    if value is not None and not isinstance(value, bool):
        raise TypeError(f"{name} is neither true nor false")
    return value
