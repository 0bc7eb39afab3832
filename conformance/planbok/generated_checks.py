"""The rules for Planbok that generated requests show, by what each was made to be: exchanges in, findings out."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from conformance.exchange import Exchange, Mode
from conformance.findings import Finding, judged, read
from conformance.generation.draft import CONTENT_TYPE, IDENTITY, METHOD
from conformance.generation.judging import unsupported_method, wrong_places
from conformance.planbok.messages import KEY_HEADER
from conformance.specification import Specification

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

_RULE = "planbok."
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
_BAD_REQUEST, _UNAUTHORISED, _FORBIDDEN, _TOO_MANY = 400, 401, 403, 429
_SERVER_ERROR, _NOT_IMPLEMENTED = 500, 501


def generated_findings(exchanges: Sequence[Exchange], specification: Specification) -> list[Finding]:
    """What the rules for the provider say of generated exchanges, beside what they say of any.

    Args:
        exchanges: The exchanges of one test.
        specification: The API's specification, by which bodies are read.
    """
    return [finding for exchange in exchanges for finding in _findings(exchange, specification)]


def _findings(exchange: Exchange, specification: Specification) -> Iterator[Finding]:
    generated, status = exchange.generated, exchange.response.status
    if generated is None or generated.mode is Mode.GIVEN or status == _TOO_MANY:
        return
    if status >= _SERVER_ERROR:
        if exchange.operation is None and status != _NOT_IMPLEMENTED:
            yield _status("response.no-server-error", exchange, "below 500", held=False)
        if METHOD in generated.mutated:
            yield from _method(exchange, specification)
    elif set(generated.mutated) & set(_PROBES):
        yield from _PROBES[generated.mutated[0]](exchange, specification)
    elif exchange.operation is not None and CONTENT_TYPE not in generated.mutated:
        wrong = wrong_places(exchange, specification)
        if wrong:
            problems = [f"{place} ({each.expected}, got {each.got})" if each else place for place, each in wrong]
            expected = f"a refusal, since this does not fit: {', '.join(problems)}"
            yield _status("response.undescribed-refused", exchange, expected, held=status >= _BAD_REQUEST)
        elif generated.mode is Mode.POSITIVE and not generated.mutated:
            rules = ("response.described-accepted", _ACCEPTED.get(exchange.operation))
            yield from (_status(rule, exchange, "2xx", held=exchange.response.succeeded) for rule in rules if rule)


def _status(rule: str, exchange: Exchange, expected: str, *, held: bool) -> Finding:
    message = exchange.response.members().get("message")
    got = f"{exchange.response.status} {message}" if isinstance(message, str) else exchange.response.status
    return judged(_RULE + rule, held=held, where="response status", expected=expected, got=got, exchange=exchange)


def _method(exchange: Exchange, specification: Specification) -> Iterator[Finding]:
    yield unsupported_method(_RULE + "response.unsupported-method", exchange, specification, "v2")


def _key(exchange: Exchange, _: Specification) -> Iterator[Finding]:
    """What a request without the API key shows, or one with a key that was never issued."""
    status = exchange.response.status
    refused = status >= _BAD_REQUEST
    if exchange.request.header(KEY_HEADER) is not None:
        yield _status("key.wrong-refused", exchange, "a refusal", held=refused)
        yield _status("key.wrong-is-401", exchange, "401", held=status == _UNAUTHORISED)
        return
    yield _status("key.missing-refused", exchange, "a refusal", held=refused)
    if refused:
        readings = {_UNAUTHORISED: "answered-401", _FORBIDDEN: "answered-403"}
        yield read(
            "planbok.key.missing-status",
            readings.get(status),
            where="response status",
            expected="401 or 403",
            got=status,
            exchange=exchange,
        )


def _another(exchange: Exchange, _: Specification) -> Iterator[Finding]:
    rule = _OF_ANOTHER.get(exchange.operation or "")
    if rule is not None:
        yield _status(rule, exchange, "a refusal", held=not exchange.response.succeeded)


_PROBES: Mapping[str, Callable[[Exchange, Specification], Iterator[Finding]]] = {
    METHOD: _method,
    CREDENTIAL: _key,
    IDENTITY: _another,
}
