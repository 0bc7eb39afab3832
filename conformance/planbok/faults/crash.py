"""Operations, and the hosted page, that break on what is right, each time that they are asked."""

from conformance.exchange import Request, Response
from conformance.planbok.sandbox import Call, Challenge, Planbok
from conformance.sandbox.faults import Fault
from conformance.sandbox.messages import json_response, problem

_CRASH = "planbok.response.no-server-error"
_WORDS = "Cannot read properties of undefined."


class BreaksOnThePage(Fault, Planbok):
    """Breaks when the page of a challenge is opened."""

    breaks = ("planbok.challenge.answered",)
    category = "F100"

    def visited(self, challenge: Challenge, request: Request) -> Response:
        return problem(500, _WORDS)


class BreaksOnTheSecondPage(Fault, Planbok):
    """Breaks when the page of a customer's second challenge, or of a later one, is opened."""

    breaks = ("planbok.challenge.answered",)
    category = "F100"

    def visited(self, challenge: Challenge, request: Request) -> Response:
        own = [each for each in self.challenges.values() if each.customer is challenge.customer]
        if challenge is not own[0]:
            return problem(500, _WORDS)
        return super().visited(challenge, request)


class BreaksOnChallengesForWallets(Fault, Planbok):
    """Breaks when wallets are asked for."""

    breaks = (
        _CRASH,
        "planbok.challenge.answered",
        "planbok.challenge.several-chains",
        "planbok.challenge.account-type-eoa",
    )
    category = "F100"

    def create_wallets(self, call: Call) -> Response:
        super().create_wallets(call)
        return json_response(500, self.error_body(500, _WORDS))


class BreaksOnReadingChallenges(Fault, Planbok):
    """Breaks when a challenge is read that has come to its end."""

    breaks = (_CRASH, "planbok.result.readable-after-completion")
    category = "F100"

    def get_challenge(self, call: Call) -> Response:
        response = super().get_challenge(call)
        if self.status_shown(self.challenge_for(call)) != "pending":
            return json_response(500, self.error_body(500, _WORDS))
        return response


class BreaksOnWalletsOfTheirCustomers(Fault, Planbok):
    """Breaks when the wallets of a customer who has some are listed."""

    breaks = (_CRASH, "planbok.list.holds-all")
    category = "F100"

    def list_wallets(self, call: Call) -> Response:
        asked = call.request.query
        if any(customer.wallets and customer.id in asked for customer in self.customers.values()):
            return json_response(500, self.error_body(500, _WORDS))
        return super().list_wallets(call)
