"""What the traffic of foreign clients with any server of OffBlocks shows, and what it leaves open."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus

from conformance.exchange import Exchange
from conformance.findings import Finding, Outcome
from conformance.offblocks import client_checks
from conformance.offblocks.messages import Challenge, bearer_token, instant
from conformance.offblocks.observer import customer_of
from conformance.offblocks.settings import OffBlocksSettings
from conformance.standards.message_signatures import (
    PublicKey,
    SignatureRejected,
    covered_whole,
    declared_signatures,
    load_private_key,
)

_PREFIX = "CONFORMANCE_OFFBLOCKS_"
_CLIENT = "offblocks.client."
_PROVIDER = "offblocks."

OVER_BYTES = frozenset({f"{_CLIENT}digests-sent-bytes"})
"""The rules for clients that take the very bytes of a body."""
PACED: frozenset[str] = frozenset()
"""No rule takes times of less than a second."""
TIMED = frozenset(
    {
        *(f"{_CLIENT}{name}" for name in ("renews-token-in-time", "signature-is-fresh", "signs-within-the-hour")),
        *(f"{_PROVIDER}{name}" for name in ("authentication.token-lives-an-hour", "challenge.issued-when-made")),
    }
)
"""The rules that take the server's time."""

_OF_NEW_CUSTOMERS = frozenset(
    f"{_PROVIDER}{name}"
    for name in (
        "challenge.issued-at-against-created-at",
        "challenge.issued-when-made",
        "customer.created-with-201",
        "customer.echoes-chain-id",
        "customer.echoes-external-id",
        "customer.external-id-is-any-string",
        "customer.starts-initiating",
    )
)
"""The rules for what a creation answers, which may answer otherwise about a customer that is there already."""
_JUST_NOW = timedelta(seconds=5)
_VERIFIES = f"{_CLIENT}signature-verifies"
_SET_KEY = f"whether the signature is right is not known; set {_PREFIX}SIGNING_KEY and {_PREFIX}SIGNING_KEY_ID"
_SET_DOMAIN = f"the domain that the API signs in for is not known; set {_PREFIX}EXPECTED_DOMAIN"

_PAST_THE_TOKEN = {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}
"""The refusals by which a server shows that it knows whose request it is."""
_MASK = re.compile(
    r"(?i)(?:(?:bearer|basic|token)\s+)?"
    r"(?:[*x\u2022.]{3,}|[\[({<*\s]*(?:redacted|removed|filtered|hidden|masked|sanitized|scrubbed|secret)[\])}>*\s]*)"
)
"""What tools write in the place of a value that nobody is to see."""


def given() -> tuple[Mapping[str, Mapping[str, str]], Mapping[str, str]]:
    """The credentials of each identity, and the other settings, that are set.

    Raises:
        SettingsError: If a setting is wrong.
    """
    return OffBlocksSettings().given()


def judge(credentials: Mapping[str, Mapping[str, str]], settings: Mapping[str, str]) -> "ForeignJudge":
    """What judges one client.

    Args:
        credentials: What is given of what clients authenticate with: keys are known by their ids, whoever has them.
        settings: The API's other settings that are given.
    """
    keys: dict[str, PublicKey] = {
        own["signing_key_id"]: load_private_key(own["signing_key"]).public_key()
        for own in credentials.values()
        if own.get("signing_key") and own.get("signing_key_id")
    }
    secrets = {
        f"{identity} {name}": value for identity, own in credentials.items() for name, value in own.items() if value
    }
    return ForeignJudge(secrets, settings, keys)


class ForeignJudge(client_checks.ClientJudge):
    """Judges the requests of a client that may have begun before its traffic was recorded."""

    def __init__(self, secrets: Mapping[str, str], settings: Mapping[str, str], keys: Mapping[str, PublicKey]) -> None:
        super().__init__({}, settings, keys)
        self._secrets = {value for name, value in secrets.items() if name.endswith(("api_key", "api_secret"))}

    def doubt(self, finding: Finding, exchange: Exchange, replaced: Collection[str]) -> str | None:
        """Why a rule that seems to be broken may have been kept all the same; None if it is broken."""
        request, customer = exchange.request, exchange.parameters.get("customerId", "")
        match finding.rule.removeprefix(_CLIENT):
            case "sends-token" if bearer_token(request) is not None:
                return "the token was issued before this traffic begins, or is not seen to be issued"
            case "sends-token" if exchange.response.succeeded or exchange.response.status in _PAST_THE_TOKEN:
                return "the server took the request, so that the tool which recorded it has left its Authorization out"
            case "signature-verifies":
                return self._unverifiable(exchange, replaced)
            case "signs-only-its-own-sign-in" if self._expected_domain is None:
                return self._other_domain_alone(exchange)
            case "returns-challenge-unchanged" | "refetches-after-failure":
                seen = self._observer.customers.get(customer)
                if seen is None or seen.creation is None:
                    return (
                        "the customer was created before this traffic begins, so that not all its challenges are seen"
                    )
        return None

    def _unverifiable(self, exchange: Exchange, replaced: Collection[str]) -> str | None:
        try:
            declared = [said for said, _ in declared_signatures(exchange.request.headers)]
        except SignatureRejected:
            return None
        known = {identifier for keys in self._observer.signing_keys.values() for identifier in keys}
        if unknown := [said.key_id for said in declared if said.key_id and said.key_id not in known]:
            return (
                f"This needs the key {unknown[0]!r}, by which the request is signed: set {_PREFIX}SIGNING_KEY and "
                f"{_PREFIX}SIGNING_KEY_ID, or have its registration recorded"
            )
        covered = {name for said in declared for name in covered_whole(said.components)}
        hidden = {place.removeprefix("request header ").lower() for place in replaced}
        if covered & hidden or ("request URL" in replaced and any(name.startswith("@") for name in covered)):
            return "the signature covers a secret that was taken out"
        fields = sorted(name for name in covered if not name.startswith("@"))
        values = {name: exchange.request.header(name) for name in fields}
        if missing := [name for name, value in values.items() if value is None or _MASK.fullmatch(value.strip())]:
            return f"the signature covers {missing[0]}, which the tool that recorded it seems to have left out"
        return None

    def _other_domain_alone(self, exchange: Exchange) -> str | None:
        """A doubt where the challenge is a sign-in of the customer's own wallet, in a domain that is not known."""
        text = exchange.request.members().get("challenge")
        challenge = Challenge(text) if isinstance(text, str) else None
        seen = self._observer.customers.get(exchange.parameters.get("customerId", ""))
        wallet = (seen.wallet or "").rpartition(":")[2] if seen else ""
        own = challenge is not None and challenge.is_sign_in_of(wallet, {challenge.domain})
        return _SET_DOMAIN if own else None


def created(exchange: Exchange) -> str | None:
    """The id of the customer that the answer to a creation shows; None for any other exchange."""
    is_creation = exchange.operation == "createCustomer" and exchange.response.succeeded
    return customer_of(exchange) if is_creation else None


def is_another(before: Exchange, now: Exchange) -> bool:
    """Whether two creations whose answers show the same id made two customers: at different times, as both say."""
    times = [instant(each.response.members().get("createdAt")) for each in (before, now)]
    return times[0] is not None and times[1] is not None and abs(times[1] - times[0]) > _JUST_NOW and _is_new(now)


def provider_doubts(
    exchanges: Sequence[Exchange],  # noqa: ARG001  (an exchange tells all that is asked here)
    settings: Mapping[str, str],
) -> Callable[[Finding, Exchange, Collection[str]], str | None]:
    """Makes what says why a finding of a rule for the provider does not show what it seems to; None if it does.

    Args:
        exchanges: All of the traffic, in the order in which the exchanges ended.
        settings: The API's other settings that are given.
    """

    def doubt(finding: Finding, exchange: Exchange, unsure: Collection[str]) -> str | None:
        if finding.outcome is Outcome.BROKEN:
            return _doubt(finding, exchange, settings)
        is_unverified = finding.rule == f"{_PROVIDER}signature.right-one-accepted" and _VERIFIES in unsure
        return _SET_KEY if is_unverified else None

    return doubt


def _doubt(finding: Finding, exchange: Exchange, settings: Mapping[str, str]) -> str | None:
    """Why a rule for the provider that seems to be broken may have been kept; None if it is broken."""
    match finding.rule.removeprefix(_PROVIDER):
        case "signature.right-one-accepted":
            return "a token or a key may have been withdrawn by requests that were not recorded"
        case "challenge.stays-until-signed":
            return "somebody else may have signed it, or tried to, by a request that was not recorded"
        case "challenge.domain" if not settings.get("expected_domain"):
            return _SET_DOMAIN
    if finding.rule in _OF_NEW_CUSTOMERS and exchange.operation == "createCustomer" and not _is_new(exchange):
        return "the customer may have been created before, by a request that was not recorded"
    return None


def _is_new(exchange: Exchange) -> bool:
    """Whether the customer in the answer to a creation was created by it: at that very time, as the answer says."""
    created_at = instant(exchange.response.members().get("createdAt"))
    if not exchange.response.succeeded or created_at is None:
        return False
    ended = exchange.at + timedelta(seconds=exchange.seconds)
    return exchange.at - _JUST_NOW <= created_at <= ended + _JUST_NOW
