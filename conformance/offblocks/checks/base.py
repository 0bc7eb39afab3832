"""What the checks of several topics share: how a finding is made, how clocks are compared, which requests are right."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta

from conformance.exchange import Exchange
from conformance.findings import Finding, Says
from conformance.offblocks.messages import account, same_address
from conformance.offblocks.observer import Creation

SAYS = Says("offblocks.")
TOLERANCE = timedelta(minutes=2)
"""How far the server's clock may be from ours, and how long after its cause a challenge may be issued."""
_USUAL_TOKEN = re.compile("Bearer [^ ]")
_USUAL_DIGEST = re.compile("sha-256=:[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=:")
"""A digest in the one form of base64 that no parser refuses (RFC 8941, section 4.2.7: others should not fail)."""


def is_plain(exchange: Exchange) -> bool:
    """Whether a request keeps the client rules and has the usual forms: a digest by sha-256, a token after ``Bearer``.

    No document says which other digests are taken; of other spellings of digest and scheme a rule of its own judges.
    """
    digest, authorization = (exchange.request.header(name) for name in ("Content-Digest", "Authorization"))
    return (
        not exchange.breaks
        and (digest is None or _USUAL_DIGEST.match(digest) is not None)
        and (authorization is None or _USUAL_TOKEN.match(authorization) is not None)
    )


def is_shown(name: str, value: object, expected: object) -> bool:
    """Whether a member is shown as expected, an account in whatever letter case."""
    return value == expected or (name == "chainId" and same_account(value, expected))


def same_account(one: object, other: object) -> bool:
    """Whether two account ids are the same but for the letter case of an Ethereum address."""
    first, second = account(one), account(other)
    if first is None or second is None or first.chain.namespace != "eip155":
        return one == other
    return first.chain == second.chain and same_address(first.address, second.address)


def as_created(
    rule: str, members: Mapping[str, object], creation: Creation, where: str, exchange: Exchange | None = None
) -> Iterator[Finding]:
    """Whether a customer is shown with the id, account and externalId of its creation.

    Args:
        rule: The rule that asks for it, without the name of the API.
        members: What is shown of the customer.
        creation: The creation of this customer.
        where: In which part of what message.
        exchange: The exchange that shows it, if one does.
    """
    for name in ("id", "chainId", "externalId"):
        yield SAYS.judged(
            rule,
            is_shown(name, members.get(name), creation.shown.get(name)),
            f"{where}/{name}",
            f"{creation.shown.get(name)}, as at creation",
            members.get(name),
            exchange,
        )
