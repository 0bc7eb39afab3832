"""What the checks of several topics share: how a finding is made, how clocks are compared, which requests are right."""

from datetime import timedelta

from conformance.exchange import Exchange
from conformance.findings import Says
from conformance.offblocks.messages import account, same_address

SAYS = Says("offblocks.")
TOLERANCE = timedelta(minutes=2)
"""How far the server's clock may be from ours, and how long after its cause a challenge may be issued."""


def is_plain(exchange: Exchange) -> bool:
    """Whether a request keeps the client rules, with a digest, if any, by sha-256: no document says which are taken."""
    digest = exchange.request.header("Content-Digest")
    return not exchange.breaks and (digest is None or digest.startswith("sha-256="))


def is_shown(name: str, value: object, expected: object) -> bool:
    """Whether a member is shown as expected, an account in whatever letter case."""
    return value == expected or (name == "chainId" and same_account(value, expected))


def same_account(one: object, other: object) -> bool:
    """Whether two account ids are the same but for the letter case of an Ethereum address."""
    first, second = account(one), account(other)
    if first is None or second is None or first.chain.namespace != "eip155":
        return one == other
    return first.chain == second.chain and same_address(first.address, second.address)
