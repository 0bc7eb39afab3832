"""The rules for OffBlocks that generated requests show, by what each was made to be: exchanges in, findings out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus

from conformance.exchange import Exchange
from conformance.findings import Finding, Says
from conformance.generation.draft import IDENTITY
from conformance.offblocks.messages import bearer_token
from conformance.parts.generated_checks import GeneratedChecks, WrongPlaces
from conformance.specification import Problem

CREDENTIAL = "header Authorization"
"""The place of the token."""
REMOVED_KEY = "signing key"
"""The place of a signature by a key that was removed."""

_ALWAYS = ("offblocks.authentication.missing-token-refused", "offblocks.authentication.malformed-token-refused")
SHOWN: Mapping[str, tuple[str, ...]] = {
    "createToken": ("offblocks.authentication.wrong-secret-refused",),
    "putSigningKey": _ALWAYS,
    "deleteSigningKey": (*_ALWAYS, "offblocks.authentication.removed-key-refused"),
    "createCustomer": (
        *_ALWAYS,
        "offblocks.customer.created-with-201",
        "offblocks.customer.readable",
        "offblocks.customer.missing-field-is-400",
        "offblocks.customer.wrong-type-is-400",
        "offblocks.customer.malformed-chain-id-refused",
        "offblocks.customer.malformed-chain-id-is-400",
        "offblocks.customer.broken-json-is-400",
        "offblocks.idempotency.missing-key-refused",
        "offblocks.idempotency.missing-key-is-400",
        "offblocks.idempotency.key-not-a-uuid-refused",
        "offblocks.idempotency.key-not-a-uuid-is-400",
    ),
    "listCustomers": _ALWAYS,
    "getCustomer": (
        *_ALWAYS,
        "offblocks.customer.readable",
        "offblocks.customer.unknown-is-404",
        "offblocks.isolation.customer-unseen",
    ),
    "getChallenge": (
        *_ALWAYS,
        "offblocks.challenge.malformed-customer-id-refused",
        "offblocks.challenge.unknown-customer-is-404",
        "offblocks.isolation.challenge-unseen",
    ),
    "signChallenge": (
        *_ALWAYS,
        "offblocks.signing.missing-field-is-400",
        "offblocks.signing.unknown-customer-is-404",
        "offblocks.signing.other-key-refused",
        "offblocks.signing.altered-challenge-refused",
        "offblocks.signing.other-owner-id",
        "offblocks.idempotency.missing-key-refused",
        "offblocks.idempotency.missing-key-is-400",
        "offblocks.idempotency.key-not-a-uuid-refused",
        "offblocks.idempotency.key-not-a-uuid-is-400",
        "offblocks.isolation.no-action",
    ),
    "verifyCustomer": (*_ALWAYS, "offblocks.isolation.no-action"),
    "rejectCustomer": (*_ALWAYS, "offblocks.isolation.no-action"),
    "putWebhook": _ALWAYS,
}
"""The rules that the requests to an operation may show, if it comes to that."""

_LIMITS = {
    "customer.malformed-chain-id-is-400": "customer.malformed-chain-id-refused",
    "idempotency.key-not-a-uuid-is-400": "idempotency.key-not-a-uuid-refused",
    "idempotency.missing-key-is-400": "idempotency.missing-key-refused",
}
"""The rules that something is refused at all, by those that say with which status."""
_STATUSES = ("customer.missing-field-is-400", "customer.wrong-type-is-400", "signing.missing-field-is-400")
"""The rules that say with which status a refusal comes of what no sentence says is refused."""
_OF_ANOTHER = {
    "getCustomer": "isolation.customer-unseen",
    "getChallenge": "isolation.challenge-unseen",
    "signChallenge": "isolation.no-action",
    "verifyCustomer": "isolation.no-action",
    "rejectCustomer": "isolation.no-action",
}
_UNKNOWN = {
    "getCustomer": "customer.unknown-is-404",
    "getChallenge": "challenge.unknown-customer-is-404",
    "signChallenge": "signing.unknown-customer-is-404",
}
_FORGED = {
    "body /signature": "signing.other-key-refused",
    "body /challenge": "signing.altered-challenge-refused",
    "body /ownerId": "signing.other-owner-id",
}


class GeneratedRequests(GeneratedChecks):
    """What generated requests show of OffBlocks."""

    says = Says("offblocks.")

    @property
    def probes(self) -> Mapping[str, Callable[[Exchange], Iterator[Finding]]]:
        """Besides another method: another token, a signature by a removed key, and what is another client's."""
        return {**super().probes, CREDENTIAL: self._token, REMOVED_KEY: self._removed_key, IDENTITY: self._another}

    def _token(self, exchange: Exchange) -> Iterator[Finding]:
        rule = "missing-token-refused" if bearer_token(exchange.request) is None else "malformed-token-refused"
        if exchange.operation != "createToken":
            yield self.says.refusal(f"authentication.{rule}", exchange)
            if not exchange.response.succeeded:
                yield self.says.status("authentication.refusal-status", exchange, HTTPStatus.UNAUTHORIZED)

    def _removed_key(self, exchange: Exchange) -> Iterator[Finding]:
        held = exchange.response.status >= HTTPStatus.BAD_REQUEST
        yield self.status("authentication.removed-key-refused", exchange, "a refusal", held=held)

    def _another(self, exchange: Exchange) -> Iterator[Finding]:
        rule = _OF_ANOTHER.get(exchange.operation or "")
        if rule is not None:
            statuses = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
            yield self.says.status(rule, exchange, *statuses)

    def undescribed(self, exchange: Exchange, wrong: WrongPlaces) -> Iterator[Finding]:
        """What a request shows that does not fit the specification: of one place, the rule for it if there is one."""
        rule = _rule_of(exchange, *wrong[0]) if len(wrong) == 1 else None
        is_broken = exchange.response.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        if rule is None or (rule in _STATUSES and (exchange.response.succeeded or is_broken)):
            yield from super().undescribed(exchange, wrong)
            return
        if rule == "challenge.malformed-customer-id-refused":
            yield self.says.refusal(rule, exchange)
            return
        if rule in _LIMITS:
            yield self.status(_LIMITS[rule], exchange, "a refusal", held=not exchange.response.succeeded)
        if rule not in _LIMITS or not exchange.response.succeeded:
            yield self.says.status(rule, exchange, HTTPStatus.BAD_REQUEST)

    def accepted_rules(self, operation: str) -> Sequence[str]:
        """The rules that a request to an operation is accepted if it fits the specification."""
        return (*super().accepted_rules(operation), *(("customer.readable",) if operation == "getCustomer" else ()))

    def described(self, exchange: Exchange, operation: str, foreign: Sequence[str]) -> Iterator[Finding]:
        """What a request shows that fits the specification, and is about what exists but in some places.

        One that creates may meet what was created with the same generated text; whether that is in its way is not said.
        """
        status = exchange.response.status
        match operation, *foreign:
            case ("createCustomer",) if status == HTTPStatus.CONFLICT:
                return
            case ("getCustomer" | "getChallenge" | "signChallenge" as known, "path customerId"):
                yield self.says.status(_UNKNOWN[known], exchange, HTTPStatus.NOT_FOUND)
            case ("createToken", "body /apiKey" | "body /apiSecret"):
                yield self.says.refusal("authentication.wrong-secret-refused", exchange)
            case ("signChallenge", "body /signature" | "body /challenge" | "body /ownerId" as place):
                held = status >= HTTPStatus.BAD_REQUEST
                yield self.status(_FORGED[place], exchange, "a refusal", held=held)
            case _:
                yield from super().described(exchange, operation, foreign)


def _rule_of(exchange: Exchange, place: str, problem: Problem | None) -> str | None:
    """The rule for one place of one operation that does not fit the specification, None if no document has one."""
    keyless = exchange.request.header("Idempotency-Key") is None
    rule = None
    match exchange.operation, place, problem.expected if problem else "":
        case ("getChallenge", "path customerId", _):
            rule = "challenge.malformed-customer-id-refused"
        case ("createCustomer" | "signChallenge", "header Idempotency-Key", _):
            rule = "idempotency.missing-key-is-400" if keyless else "idempotency.key-not-a-uuid-is-400"
        case ("createCustomer", "body", "JSON in UTF-8"):
            rule = "customer.broken-json-is-400"
        case ("createCustomer", "body /chainId" | "body /externalId", "a value, which is required"):
            rule = "customer.missing-field-is-400"
        case ("createCustomer", "body /chainId" | "body /externalId", "type string"):
            rule = "customer.wrong-type-is-400"
        case ("createCustomer", "body /chainId", _):
            rule = "customer.malformed-chain-id-is-400"
        case ("signChallenge", "body /ownerId" | "body /challenge" | "body /signature", "a value, which is required"):
            rule = "signing.missing-field-is-400"
    return rule
