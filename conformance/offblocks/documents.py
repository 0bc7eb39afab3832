"""What is special about the exchanges that the documents of OffBlocks print."""

from collections.abc import Iterator

from conformance.exchange import Exchange
from conformance.findings import Finding, read
from conformance.offblocks.messages import account
from conformance.standards.wallet_signatures import Encoding, EncodingRejected, decode

UNPRINTED = {
    "offblocks.authentication.token-lives-an-hour",
    "offblocks.challenge.issued-when-made",
    "offblocks.client.signs-within-the-hour",
    "offblocks.challenge.stays-until-signed",
    "offblocks.signature.right-one-accepted",
}
"""Rules about the time or the signature of an exchange, which no document prints."""
_UNLISTED = "eip155:280"


def readings(exchange: Exchange) -> Iterator[Finding]:
    """Which readings of contradicted rules a printed exchange shows, beside what the checks say."""
    operation = exchange.operation
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
