"""The rules for Planbok that generated requests show, by what each was made to be: exchanges in, findings out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus

from conformance.exchange import Exchange
from conformance.findings import Finding, Says
from conformance.generation.draft import IDENTITY
from conformance.parts.generated_checks import GeneratedChecks
from conformance.planbok.messages import KEY_HEADER

CREDENTIAL = f"header {KEY_HEADER}"
"""The place of the API key."""

_ALWAYS = (
    "planbok.key.missing-refused",
    "planbok.key.missing-status",
    "planbok.key.wrong-refused",
    "planbok.key.wrong-is-401",
)
SHOWN: Mapping[str, tuple[str, ...]] = {
    "createCustomer": (
        *_ALWAYS,
        "planbok.customer.created",
        "planbok.customer.readable",
        "planbok.customer.names-kept",
    ),
    "listCustomers": _ALWAYS,
    "getCustomer": (
        *_ALWAYS,
        "planbok.customer.readable",
        "planbok.customer.names-kept",
        "planbok.customer.unseen-by-others",
        "planbok.customer.unknown-refused",
    ),
    "initializeCustomer": _ALWAYS,
    "setUpRecovery": _ALWAYS,
    "updatePin": _ALWAYS,
    "resetPin": _ALWAYS,
    "createWallets": (*_ALWAYS, "planbok.challenge.several-chains"),
    "listChallenges": (*_ALWAYS, "planbok.challenge.under-its-customer-only"),
    "getChallenge": (*_ALWAYS, "planbok.challenge.under-its-customer-only"),
    "listWallets": _ALWAYS,
    "getWallet": (*_ALWAYS, "planbok.list.unseen-by-others"),
}
"""The rules that the requests to an operation may show, if it comes to that."""

_OF_ANOTHER = {
    "getCustomer": "customer.unseen-by-others",
    "getChallenge": "challenge.under-its-customer-only",
    "listChallenges": "challenge.under-its-customer-only",
    "getWallet": "list.unseen-by-others",
}
_ACCEPTED = {
    "createCustomer": "customer.created",
    "getCustomer": "customer.readable",
    "createWallets": "challenge.several-chains",
}
_MISSING_KEY: Mapping[int, str] = {HTTPStatus.UNAUTHORIZED: "answered-401", HTTPStatus.FORBIDDEN: "answered-403"}


class GeneratedRequests(GeneratedChecks):
    """What generated requests show of Planbok."""

    says = Says("planbok.")

    @property
    def probes(self) -> Mapping[str, Callable[[Exchange], Iterator[Finding]]]:
        """Besides another method: another API key, and what is another client's."""
        return {**super().probes, CREDENTIAL: self._key, IDENTITY: self._another}

    def accepted_rules(self, operation: str) -> Sequence[str]:
        """The rules that a request to an operation is accepted if it fits the specification."""
        own = _ACCEPTED.get(operation)
        return (*super().accepted_rules(operation), *((own,) if own else ()))

    def described(self, exchange: Exchange, operation: str, foreign: Sequence[str]) -> Iterator[Finding]:
        """What a request shows that fits the specification; an id that no customer has is refused."""
        if (operation, *foreign) == ("getCustomer", "path id"):
            held = exchange.response.status >= HTTPStatus.BAD_REQUEST
            yield self.status("customer.unknown-refused", exchange, "a refusal", held=held)
        else:
            yield from super().described(exchange, operation, foreign)

    def _key(self, exchange: Exchange) -> Iterator[Finding]:
        """What a request without the API key shows, or one with a key that was never issued."""
        status = exchange.response.status
        refused = status >= HTTPStatus.BAD_REQUEST
        if exchange.request.header(KEY_HEADER) is not None:
            yield self.status("key.wrong-refused", exchange, "a refusal", held=refused)
            yield self.says.status("key.wrong-is-401", exchange, HTTPStatus.UNAUTHORIZED)
            return
        yield self.status("key.missing-refused", exchange, "a refusal", held=refused)
        if refused:
            reading = _MISSING_KEY.get(status)
            yield self.says.read("key.missing-status", reading, "response status", "401 or 403", status, exchange)

    def _another(self, exchange: Exchange) -> Iterator[Finding]:
        rule = _OF_ANOTHER.get(exchange.operation or "")
        if rule is not None:
            yield self.status(rule, exchange, "a refusal", held=not exchange.response.succeeded)
