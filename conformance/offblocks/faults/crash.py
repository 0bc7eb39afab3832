"""Operations that break on requests that are right, each time that they are asked."""

from conformance.exchange import Response
from conformance.offblocks.sandbox import Call, OffBlocks
from conformance.sandbox.faults import Fault
from conformance.sandbox.messages import problem

_CRASH = "offblocks.response.no-server-error"
_WORDS = "That should not have happened."


class BreaksOnEverySignature(Fault, OffBlocks):
    """Breaks when a challenge is signed."""

    breaks = (
        _CRASH,
        "offblocks.signing.hex-text-accepted",
        "offblocks.signing.concurrent-one-success",
        "offblocks.signing.unknown-customer-is-404",
        "offblocks.challenge.accepted-within-the-hour",
        "offblocks.challenge.renewed-after-failed-signature",
        "offblocks.challenge.renewed-one-signs",
        "offblocks.challenge.renewed-one-has-its-own-hour",
    )
    category = "F100"

    async def sign_challenge(self, call: Call) -> Response:
        return problem(500, _WORDS)


class BreaksOnRenewedChallenges(Fault, OffBlocks):
    """Breaks when a challenge is fetched that replaced another one."""

    breaks = (_CRASH, "offblocks.challenge.fetched-with-200")
    category = "F100"

    async def get_challenge(self, call: Call) -> Response:
        if len(self.find_customer(call).challenges) > 1:
            return problem(500, _WORDS)
        return await super().get_challenge(call)


class BreaksOnVerifications(Fault, OffBlocks):
    """Breaks when the verification of a customer is simulated."""

    breaks = (_CRASH, "offblocks.flow.simulated-with-202", "offblocks.digest.none-on-simulator")
    category = "F100"

    async def verify_customer(self, call: Call) -> Response:
        return problem(500, _WORDS)


class BreaksOnReadingWhoSigned(Fault, OffBlocks):
    """Breaks when a customer is read who has signed."""

    breaks = (_CRASH, "offblocks.customer.readable")
    category = "F100"

    async def get_customer(self, call: Call) -> Response:
        if self.find_customer(call).status != self.initial_status():
            return problem(500, _WORDS)
        return await super().get_customer(call)


class BreaksOnWebhooks(Fault, OffBlocks):
    """Breaks when a webhook is registered."""

    breaks = (_CRASH, "offblocks.webhook.registered")
    category = "F100"

    async def put_webhook(self, call: Call) -> Response:
        return problem(503, _WORDS)


class BreaksOnNul(Fault, OffBlocks):
    """Breaks when the externalId of a new customer has the character that many databases cannot hold."""

    breaks = (_CRASH,)
    category = "F100"

    async def create_customer(self, call: Call) -> Response:
        if "\0" in str(call.request.members().get("externalId")):
            return problem(500, _WORDS)
        return await super().create_customer(call)
