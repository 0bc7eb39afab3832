"""What Planbok keeps in one world, and the words in which the topics of its sandbox speak of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from conformance.planbok.chains import Chain
from conformance.planbok.gateway import Step
from conformance.sandbox.service import RefusedRequest, ServiceCall


class Task(StrEnum):
    """What a challenge is for; no document shows the words."""

    INITIALIZE = "initialize"
    RECOVERY = "recovery"
    UPDATE_PIN = "update-pin"
    RESET_PIN = "reset-pin"
    CREATE_WALLETS = "create-wallets"


PURPOSES = {
    Task.INITIALIZE: "Setting up your PIN",
    Task.RECOVERY: "Setting up recovery",
    Task.UPDATE_PIN: "Changing your PIN",
    Task.RESET_PIN: "Replacing a forgotten PIN",
    Task.CREATE_WALLETS: "Provisioning new wallets",
}
"""What the page calls each task; for wallets Provisioning Customer Wallets has the label."""


class Status(StrEnum):
    """The states of a challenge (demo client)."""

    PENDING = "pending"
    VERIFIED = "verified"
    FAILED = "failed"


class Reason(StrEnum):
    """Why a request is refused; each has its HTTP status."""

    MISSING_KEY = "missing-key"
    UNKNOWN_KEY = "unknown-key"
    READ_ONLY_KEY = "read-only-key"
    BODY = "body"
    QUERY = "query"
    UNKNOWN_CUSTOMER = "unknown-customer"
    UNKNOWN_CHALLENGE = "unknown-challenge"
    UNKNOWN_WALLET = "unknown-wallet"
    INCOMPLETE_SET_UP = "incomplete-set-up"
    KEY_REUSED = "key-reused"


class Refused(RefusedRequest[Reason]):
    """A request that Planbok does not carry out."""


class WrongEntry(Exception):  # noqa: N818 - a judgement of the input, named as such
    """What was entered into the page cannot be taken; the message tells the customer why."""


@dataclass(eq=False)
class Tenant:
    """One organization with its keys.

    Args:
        name: What the world calls it.
        api_key: The key with full access.
        read_only_key: The key for GET alone.
        webhook_secret: What its webhooks are signed with.
    """

    name: str
    api_key: str
    read_only_key: str
    webhook_secret: str


@dataclass
class Secret:
    """Something that a customer knows, and how often it was guessed wrongly in a row.

    Args:
        hash: Its Argon2id hash in the PHC string format; empty until it is set.
        failures: How many wrong guesses came since the last right one.
        locked_until: Until when no guess is taken (UTC).
    """

    hash: str = ""
    failures: int = 0
    locked_until: datetime | None = None


@dataclass(eq=False)
class Wallet:
    """One wallet on one chain; times are UTC."""

    id: str
    chain: Chain
    address: str
    public_key: str
    path: str
    created_at: datetime
    name: str | None = None
    ref_id: str | None = None


@dataclass(eq=False)
class Customer:
    """One customer of one organization; times are UTC.

    Args:
        id: The id that the API gave.
        tenant: Whose customer it is.
        name: The name.
        ref_id: The organization's own id.
        root: The seed of all its keys, 32 bytes.
        account: Its BIP-44 account index.
        created_at: When it was created.
        updated_at: When it changed last.
        pin: The PIN.
        answers: The answers to the questions of recovery.
        questions: Those questions.
        wallets: Its wallets in the order of their creation.
        challenges: Its challenges in the order of their issue.
    """

    id: str
    tenant: Tenant
    name: str
    ref_id: str
    root: bytes
    account: int
    created_at: datetime
    updated_at: datetime
    pin: Secret = field(default_factory=Secret)
    answers: Secret = field(default_factory=Secret)
    questions: tuple[str, ...] = ()
    wallets: list[Wallet] = field(default_factory=list)
    challenges: list["Challenge"] = field(default_factory=list)


@dataclass(eq=False)
class Challenge:
    """Something that a customer is to authorize; times are UTC.

    Args:
        id: The id that the API gave.
        link: The unguessable end of its page's path.
        gateway: The URL of the hosted page, without that end.
        customer: Who is to authorize it.
        task: What it is for.
        return_url: The caller's own page; None if it gave none.
        chains: The chains to create wallets on.
        names: Name and caller's id of each of these wallets.
        issued_at: When it was issued.
        expires_at: When it expires.
        status: Where it stands.
        ended: How its page ended.
        ended_at: When.
        visits: The visits in which the customer proved to be the one.
        wallets: The wallets that came of it.
    """

    id: str
    link: str
    gateway: str
    customer: Customer
    task: Task
    return_url: str | None
    issued_at: datetime
    expires_at: datetime
    chains: tuple[Chain, ...] = ()
    names: tuple[Mapping[str, str], ...] = ()
    status: Status = Status.PENDING
    ended: Step | None = None
    ended_at: datetime | None = None
    visits: set[str] = field(default_factory=set)
    wallets: list[Wallet] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The hosted page of this challenge."""
        return f"{self.gateway}/challenges/{self.link}"


Call = ServiceCall[Tenant]
"""One request to one operation, by a known organization."""


@dataclass(frozen=True)
class Entry:
    """What a customer sent from the page.

    Args:
        fields: The fields of the form.
        visit: The visit that it was sent in.
    """

    fields: Mapping[str, str]
    visit: str


def joined_answers(fields: Mapping[str, str]) -> str:
    """Both answers of a form as they are compared: without regard to case and outer blanks."""
    return "\n".join(" ".join(fields.get(name, "").casefold().split()) for name in ("answer_1", "answer_2"))
