"""The rules for OffBlocks that generated requests show, by what each was made to be: exchanges in, findings out."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from conformance.exchange import Exchange, Mode
from conformance.findings import Finding, judged
from conformance.generation.draft import CONTENT_TYPE, IDENTITY, METHOD
from conformance.generation.judging import unsupported_method, wrong_places
from conformance.offblocks.messages import bearer_token
from conformance.specification import Problem, Specification

CREDENTIAL = "header Authorization"
"""The place of the token."""
REMOVED_KEY = "signing key"
"""The place of a signature by a key that was removed."""

_ALWAYS = ("offblocks.authentication.missing-token-is-401", "offblocks.authentication.malformed-token-is-401")
SHOWN: Mapping[str, tuple[str, ...]] = {
    "createToken": ("offblocks.authentication.wrong-secret-is-401",),
    "putSigningKey": _ALWAYS,
    "deleteSigningKey": (*_ALWAYS, "offblocks.authentication.removed-key-refused"),
    "createCustomer": (
        *_ALWAYS,
        "offblocks.customer.created-with-201",
        "offblocks.customer.readable",
        "offblocks.customer.missing-field-is-400",
        "offblocks.customer.wrong-type-is-400",
        "offblocks.customer.malformed-chain-id-is-400",
        "offblocks.customer.broken-json-is-400",
        "offblocks.idempotency.missing-key-is-400",
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
        "offblocks.idempotency.missing-key-is-400",
        "offblocks.idempotency.key-not-a-uuid-is-400",
        "offblocks.isolation.no-action",
    ),
    "verifyCustomer": (*_ALWAYS, "offblocks.isolation.no-action"),
    "rejectCustomer": (*_ALWAYS, "offblocks.isolation.no-action"),
    "putWebhook": _ALWAYS,
}
"""The rules that the requests to an operation may show, if it comes to that."""

_RULE = "offblocks."
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
_BAD_REQUEST, _UNAUTHORISED, _FORBIDDEN, _NOT_FOUND = 400, 401, 403, 404
_CONFLICT, _TOO_MANY, _SERVER_ERROR, _NOT_IMPLEMENTED = 409, 429, 500, 501


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
            yield _undescribed(wrong, exchange)
        elif generated.mode is Mode.POSITIVE:
            yield from _described(exchange, generated.mutated)


def _status(rule: str, exchange: Exchange, expected: str, *, held: bool) -> Finding:
    detail = exchange.response.members().get("detail")
    got = f"{exchange.response.status} {detail}" if isinstance(detail, str) else exchange.response.status
    return judged(_RULE + rule, held=held, where="response status", expected=expected, got=got, exchange=exchange)


def _method(exchange: Exchange, specification: Specification) -> Iterator[Finding]:
    yield unsupported_method(_RULE + "response.unsupported-method", exchange, specification, "v1")


def _token(exchange: Exchange, _: Specification) -> Iterator[Finding]:
    rule = "missing-token-is-401" if bearer_token(exchange.request) is None else "malformed-token-is-401"
    if exchange.operation != "createToken":
        held = exchange.response.status == _UNAUTHORISED
        yield _status(f"authentication.{rule}", exchange, "401", held=held)


def _removed_key(exchange: Exchange, _: Specification) -> Iterator[Finding]:
    held = exchange.response.status in {_BAD_REQUEST, _UNAUTHORISED}
    yield _status("authentication.removed-key-refused", exchange, "400 or 401", held=held)


def _another(exchange: Exchange, _: Specification) -> Iterator[Finding]:
    rule = _OF_ANOTHER.get(exchange.operation or "")
    if rule is not None:
        held = exchange.response.status in {_UNAUTHORISED, _FORBIDDEN, _NOT_FOUND}
        yield _status(rule, exchange, "401, 403 or 404", held=held)


_PROBES: Mapping[str, Callable[[Exchange, Specification], Iterator[Finding]]] = {
    METHOD: _method,
    CREDENTIAL: _token,
    REMOVED_KEY: _removed_key,
    IDENTITY: _another,
}


def _undescribed(wrong: Sequence[tuple[str, Problem | None]], exchange: Exchange) -> Finding:
    """What a request that does not fit the specification shows: of one place, the rule for it if there is one."""
    status = exchange.response.status
    rule = _rule_of(exchange, *wrong[0]) if len(wrong) == 1 else None
    if rule == "challenge.malformed-customer-id-refused":
        return _status(rule, exchange, "400 or 404", held=status in {_BAD_REQUEST, _NOT_FOUND})
    if rule is not None:
        return _status(rule, exchange, "400", held=status == _BAD_REQUEST)
    problems = [f"{place} ({problem.expected}, got {problem.got})" if problem else place for place, problem in wrong]
    expected = f"a refusal, since this does not fit: {', '.join(problems)}"
    return _status("response.undescribed-refused", exchange, expected, held=status >= _BAD_REQUEST)


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


def _described(exchange: Exchange, foreign: Sequence[str]) -> Iterator[Finding]:
    """What a request shows that fits the specification, and is about what exists but in the places that are foreign.

    One that creates may meet what was created with the same generated text; whether that is in its way is not said.
    """
    status, operation = exchange.response.status, exchange.operation
    match operation, *foreign:
        case ("createCustomer",) if status == _CONFLICT:
            return
        case (_,):
            yield _status("response.described-accepted", exchange, "2xx", held=exchange.response.succeeded)
            if operation == "getCustomer":
                yield _status("customer.readable", exchange, "2xx", held=exchange.response.succeeded)
        case ("getCustomer" | "getChallenge" | "signChallenge" as known, "path customerId"):
            yield _status(_UNKNOWN[known], exchange, "404", held=status == _NOT_FOUND)
        case ("createToken", "body /apiKey" | "body /apiSecret"):
            held = status == _UNAUTHORISED
            yield _status("authentication.wrong-secret-is-401", exchange, "401", held=held)
        case ("signChallenge", "body /signature" | "body /challenge" | "body /ownerId" as place):
            yield _status(_FORGED[place], exchange, "a refusal", held=status >= _BAD_REQUEST)
