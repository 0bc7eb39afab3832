"""What an answer shows of how the server checks the signature of a request."""

import re
from collections.abc import Iterator
from http import HTTPStatus

from conformance.exchange import Exchange
from conformance.findings import Finding
from conformance.offblocks.checks.base import SAYS, is_plain
from conformance.offblocks.checks.history import History
from conformance.offblocks.messages import account
from conformance.offblocks.observer import Customer
from conformance.standards.account_ids import checksum_state

_ORDINARY = re.compile(r"[A-Za-z0-9-]{1,64}")
_UNSIGNED = frozenset({"createToken", "putSigningKey", "deleteSigningKey", None})
"""The operations whose requests need no signature, and requests for none of the described operations."""


def _is_usual(exchange: Exchange) -> bool:
    """Whether a request asks for something in the usual way, so that only its signature can be what is not right."""
    members = exchange.request.members()
    accounts = [account(members[name]) for name in ("chainId", "ownerId") if name in members]
    external_id = str(members.get("externalId", "a"))
    return (
        not (exchange.generated is not None and exchange.generated.mutated)
        and all(each is not None and checksum_state(each.address) == "checksummed" for each in accounts)
        and _ORDINARY.fullmatch(external_id) is not None
    )


def _signs_what_it_should(exchange: Exchange, customer: Customer) -> bool:
    """Whether a wallet signature is the owner's, of a challenge that is surely the customer's present one."""
    members = exchange.request.members()
    issue = customer.issues.get(str(members.get("challenge")))
    return (
        str(members.get("ownerId")).lower() == str(customer.wallet).lower()
        and customer.current is not None
        and customer.current.text == members.get("challenge")
        and issue is not None
        and issue.span.is_young(exchange)
    )


def right_signature(exchange: Exchange, history: History) -> Iterator[Finding]:
    """Whether a request that is signed as the documents say was accepted.

    Args:
        exchange: The exchange, which is not yet in the history.
        history: What came before it.
    """
    customer = exchange.parameters.get("customerId")
    if not is_plain(exchange) or exchange.operation in _UNSIGNED:
        return
    known = history.observer.creation(customer)
    if customer is not None and (known is None or known.identity != exchange.identity):
        return
    status = exchange.response.status
    differs = not _is_usual(exchange) or history.has_older_token(exchange) or history.has_another_label(exchange)
    if status == HTTPStatus.UNAUTHORIZED and differs:
        return  # what is asked for in an unusual way, or with another token, may be refused with that status too
    signer = history.observer.customers.get(customer or "") if exchange.operation == "signChallenge" else None
    if status == HTTPStatus.UNAUTHORIZED and signer is not None and not _signs_what_it_should(exchange, signer):
        return  # so may what a wallet should not have signed
    if not exchange.response.succeeded and status != HTTPStatus.UNAUTHORIZED:
        return
    yield SAYS.judged(
        "signature.right-one-accepted",
        status != HTTPStatus.UNAUTHORIZED,
        "response status",
        "not 401: the request is signed as the documents say",
        f"{status} {exchange.response.members().get('detail', '')}".strip(),
        exchange,
    )
