"""What the printed exchanges of OffBlocks say: the checks applied to them, and the readings that only they show."""

from collections.abc import Iterator, Sequence

from conformance.exchange import Exchange
from conformance.findings import Finding, read
from conformance.ids import Ids
from conformance.offblocks import checks
from conformance.offblocks.client import made_up_credentials
from conformance.offblocks.client_checks import ClientJudge, client_findings
from conformance.offblocks.messages import account, asked_in
from conformance.specification import Specification
from conformance.standards.wallet_signatures import Encoding, EncodingRejected, decode

_UNPRINTED = {
    "offblocks.challenge.issued-when-made",
    "offblocks.client.signs-within-the-hour",
    "offblocks.challenge.stays-until-signed",
    "offblocks.signature.right-one-accepted",
}
"""Rules about the time or the signature of an exchange, which no document prints."""
_UNLISTED = "eip155:280"


def findings(exchanges: Sequence[Exchange], specification: Specification) -> list[Finding]:
    """What the rules say of the printed exchanges.

    Args:
        exchanges: The exchanges in the order of the documents; those of one identity speak of one customer.
        specification: The API's specification.
    """
    found: list[Finding] = []
    for identity in dict.fromkeys(exchange.identity for exchange in exchanges):
        printed = [exchange for exchange in exchanges if exchange.identity == identity]
        found += checks.provider_findings(printed, (), specification, {})
        found += client_findings(printed, ClientJudge(made_up_credentials(Ids("documents")), {}))
        for exchange in printed:
            found += _readings(exchange)
    return [finding for finding in found if finding.rule not in _UNPRINTED]


def _readings(exchange: Exchange) -> Iterator[Finding]:
    operation, _ = asked_in(exchange)
    members = exchange.request.members()
    wallet = account(members.get("chainId"))
    if operation == "createCustomer" and wallet is not None and str(wallet.chain) == _UNLISTED:
        yield _accepted("offblocks.customer.unlisted-chain", exchange, expected="201 or 400")
    answered = exchange.response.status != 0
    if operation == "signChallenge" and answered and _encoding(members.get("signature")) is Encoding.BASE64_OF_BYTES:
        yield _accepted("offblocks.signing.raw-bytes", exchange, expected="204 or 400")


def _accepted(rule: str, exchange: Exchange, *, expected: str) -> Finding:
    reading = "accepted" if exchange.response.succeeded else "refused"
    return read(
        rule, reading, where="response status", expected=expected, got=exchange.response.status, exchange=exchange
    )


def _encoding(text: object) -> Encoding | None:
    try:
        return decode(text)[1] if isinstance(text, str) else None
    except EncodingRejected:
        return None
