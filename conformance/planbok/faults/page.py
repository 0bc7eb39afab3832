"""What can be wrong, or otherwise than the sandbox has it, with the hosted page."""

from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

from conformance.clock import pause
from conformance.exchange import Headers, Request, Response
from conformance.planbok.gateway import Step
from conformance.planbok.sandbox import Challenge, Customer, Entry, Planbok, Reason, Refused, Secret, Status, Task
from conformance.sandbox.faults import Fault, Variation

_SECONDS_BETWEEN_READING_AND_WRITING = 0.25


class CarriesThePinOver(Fault, Planbok):
    """Takes a browser in which the PIN was entered once for the customer from then on."""

    breaks = ("planbok.page.asks-pin-every-time",)

    def is_right(self, secret: Secret, attempt: str) -> bool:
        right = super().is_right(secret, attempt)
        known = self.__dict__.setdefault("proven", set())
        known |= {secret.hash} if right else set()
        return right or (not attempt and secret.hash in known)


class CompletesWhenOpened(Fault, Planbok):
    """Completes a later challenge of a customer as soon as its page is looked at."""

    breaks = (
        "planbok.page.asks-pin-every-time",
        "planbok.result.none-while-pending",
        "planbok.customer.pin-replaced",
        "planbok.page.wrong-pin-refused",
        "planbok.page.cancelled-makes-no-wallet",
        "planbok.result.none-when-failed",
        "planbok.webhook.not-before-completion",
        "planbok.webhook.none-for-a-failed-challenge",
    )

    def step(self, challenge: Challenge, visit: str) -> Step:
        step = super().step(challenge, visit)
        earlier = any(other.status is Status.VERIFIED and visit in other.visits for other in self.challenges.values())
        if step is Step.VERIFY and earlier:
            self.complete(challenge)
            return Step.DONE
        return step


class AcceptsAnyPin(Fault, Planbok):
    """Takes any PIN for the right one."""

    breaks = (
        "planbok.page.wrong-pin-refused",
        "planbok.page.locks-out",
        "planbok.customer.pin-replaced",
        "planbok.webhook.none-for-a-failed-challenge",
    )

    def is_right(self, secret: Secret, attempt: str) -> bool:
        return bool(secret.hash and attempt)


class NeverLocks(Fault, Planbok):
    """Lets PINs be guessed without end."""

    breaks = ("planbok.page.locks-out",)

    def tries(self) -> int:
        return 10**9


class CountsTriesByChallenge(Fault, Planbok):
    """Begins to count wrong PINs anew with each challenge, and locks nothing but the challenge."""

    breaks = ("planbok.page.locks-out",)

    def lock(self, challenge: Challenge, secret: Secret) -> None:
        secret.failures = 0
        self.end(challenge, Status.FAILED, Step.LOCKED)


class TakesAnyTextForAPin(Fault, Planbok):
    """Sets PINs of whatever length and letters."""

    breaks = ("planbok.page.new-pin-confirmed",)

    def is_pin(self, text: str) -> bool:
        return bool(text)


class IgnoresTheConfirmation(Fault, Planbok):
    """Sets the first of two PINs that differ."""

    breaks = ("planbok.page.new-pin-confirmed",)

    def is_confirmed(self, pin: str, again: str) -> bool:
        return True


class HidesThePurpose(Fault, Planbok):
    """Does not say what the PIN authorizes."""

    breaks = ("planbok.page.purpose-shown",)

    def purpose(self, challenge: Challenge) -> str:
        return "Confirm with your PIN"


class CompletesCancelledChallenges(Fault, Planbok):
    """Creates the wallets of a challenge that the customer cancelled."""

    breaks = (
        "planbok.page.cancelled-makes-no-wallet",
        "planbok.result.none-when-failed",
        "planbok.webhook.none-for-a-failed-challenge",
    )

    def cancel(self, challenge: Challenge) -> None:
        self.complete(challenge)


class ReopensCancelledChallenges(Fault, Planbok):
    """Lets a challenge that was cancelled be completed later."""

    breaks = ("planbok.page.cancelled-makes-no-wallet",)

    def cancel(self, challenge: Challenge) -> None:
        """Nothing happens."""


class CompletesTwice(Fault, Planbok):
    """Carries a challenge out again when its form is sent again, with new wallets."""

    breaks = ("planbok.page.completed-once", "planbok.list.agrees-with-result")

    def step(self, challenge: Challenge, visit: str) -> Step:
        step = super().step(challenge, visit)
        return Step.VERIFY if step is Step.DONE else step

    def take(self, challenge: Challenge, step: Step, entry: Entry) -> None:
        customer = challenge.customer
        before = [wallet for wallet in customer.wallets if wallet in challenge.wallets]
        for wallet in before:
            customer.wallets.remove(wallet)
        customer.account += len(before)
        super().take(challenge, step, entry)
        customer.wallets[:0] = before


class SendsTheCustomerElsewhere(Fault, Planbok):
    """Sends customers to the vendor's own site instead of the caller's page."""

    breaks = ("planbok.page.returns-to-caller", "planbok.page.keeps-query")

    def return_address(self, challenge: Challenge, url: str) -> str:
        return f"https://planbok.example/done?challengeId={challenge.id}"


class LosesTheQuery(Fault, Planbok):
    """Sends customers back without the query of the caller's page."""

    breaks = ("planbok.page.keeps-query",)

    def return_address(self, challenge: Challenge, url: str) -> str:
        return super().return_address(challenge, urlsplit(url)._replace(query="").geturl())


class ReturnsWithoutAWord(Fault, Planbok):
    """Adds neither the challenge nor its status to the return."""

    breaks = ("planbok.page.return-query",)

    def return_parameters(self, challenge: Challenge) -> dict[str, str]:
        return {}


class ReturnsTheStatusAlone(Variation, Planbok):
    """Adds the status of the challenge to the return, and not its id."""

    permits = "Introduction has the customer return with the challenge's status; the demo client reads its id."

    def return_parameters(self, challenge: Challenge) -> dict[str, str]:
        return {"status": challenge.status.value}


class ReturnsTheIdAlone(Variation, Planbok):
    """Adds the id of the challenge to the return, and not its status."""

    permits = "The demo client reads nothing but the challenge's id."

    def return_parameters(self, challenge: Challenge) -> dict[str, str]:
        return {"challengeId": challenge.id}


class KeepsWhoCancels(Variation, Planbok):
    """Shows that the challenge was cancelled, and sends nobody back."""

    permits = "No document says where a customer goes who cancels."

    def leave_cancelled(self, challenge: Challenge) -> Response:
        return self.show(challenge, Step.CANCELLED, "")


class LocksAfterThreeTries(Variation, Planbok):
    """Locks after three wrong PINs."""

    permits = "Webhooks names a lock-out, and no document how many tries it takes."

    def tries(self) -> int:
        return 3


class LocksAfterNineTries(Variation, Planbok):
    """Locks after nine wrong PINs."""

    permits = "Webhooks names a lock-out, and no document how many tries it takes."

    def tries(self) -> int:
        return 9


class CountsTriesAfterAPause(Fault, Planbok):
    """Reads how often a PIN was guessed, waits, and writes one more, so that guesses at once count as one."""

    breaks = ("planbok.page.locks-out",)

    async def answer_at(self, mount: str, request: Request, path: str) -> Response:
        if request.method != "POST":
            return await super().answer_at(mount, request, path)
        before = {customer: customer.pin.failures for customer in self.customers.values()}
        await pause(_SECONDS_BETWEEN_READING_AND_WRITING)
        for customer, failures in before.items():
            customer.pin.failures = failures
        return await super().answer_at(mount, request, path)


class TrustsTheChallengeInTheForm(Fault, Planbok):
    """Names the challenge in a hidden field of the form, and completes whichever is named there."""

    breaks = ("planbok.page.asks-pin-every-time",)

    def visited(self, challenge: Challenge, request: Request) -> Response:
        response = super().visited(challenge, request)
        field = f'<input type="hidden" name="challenge" value="{challenge.link}">\n</form>'
        return replace(response, body=response.body.replace(b"</form>", field.encode()))

    def entered(self, challenge: Challenge, request: Request) -> Response:
        named = dict(parse_qsl(request.body.decode("latin-1"))).get("challenge", "")
        return super().entered(self.challenges.get(named, challenge), request)

    def is_from_the_page(self, challenge: Challenge, request: Request, visit: str, token: str) -> bool:
        return bool(visit)


class ConsumesLinksWhenAsked(Fault, Planbok):
    """Takes any request for a page for a visit, and lets each page be visited once: a HEAD ends its challenge."""

    breaks = ("planbok.challenge.starts-pending",)

    async def answer_at(self, mount: str, request: Request, path: str) -> Response:
        response = await super().answer_at(mount, request, path)
        challenge = self.challenges.get(path.rpartition("/")[2])
        if request.method == "HEAD" and challenge is not None:
            self.cancel(challenge)
        return response


class ReportsSuccessAfterCancel(Fault, Planbok):
    """Reports a challenge as verified that the customer cancelled."""

    breaks = ("planbok.page.cancelled-makes-no-wallet",)

    def status_shown(self, challenge: Challenge) -> str:
        return Status.VERIFIED.value if challenge.ended is Step.CANCELLED else super().status_shown(challenge)

    def return_parameters(self, challenge: Challenge) -> dict[str, str]:
        return {**super().return_parameters(challenge), "status": self.status_shown(challenge)}


class RefusesChallengesToTheLockedOut(Variation, Planbok):
    """Refuses requests for a challenge of a customer who is locked out."""

    permits = "Webhooks names a lock-out, and no document says whether the API or the page refuses then."

    def issued_before(self, customer: Customer, task: Task) -> None:
        if customer.pin.locked_until is not None and self.now() < customer.pin.locked_until:
            raise Refused(Reason.INCOMPLETE_SET_UP, "This customer is locked out.")
        super().issued_before(customer, task)


class LetsItselfBeFramed(Fault, Planbok):
    """Lets any site show the page in a frame of its own."""

    breaks = ("planbok.page.not-framed",)

    def page_headers(self, challenge: Challenge) -> Headers:
        kept = (line for line in super().page_headers(challenge) if line[0] != "X-Frame-Options")
        return tuple((name, value.replace("frame-ancestors 'none'; ", "")) for name, value in kept)


class LetsEverySiteFrameThePage(Fault, Planbok):
    """Names every site as one that may show the page in a frame."""

    breaks = ("planbok.page.not-framed",)

    def page_headers(self, challenge: Challenge) -> Headers:
        return tuple(
            (name, value.replace("frame-ancestors 'none'", "frame-ancestors *"))
            for name, value in super().page_headers(challenge)
        )


class ReturnsWithThePin(Fault, Planbok):
    """Sends customers back with what they entered in the query."""

    breaks = ("planbok.page.pin-not-in-url",)

    def take(self, challenge: Challenge, step: Step, entry: Entry) -> None:
        self.__dict__["entered_last"] = entry.fields.get("pin", "")
        super().take(challenge, step, entry)

    def return_parameters(self, challenge: Challenge) -> dict[str, str]:
        return {**super().return_parameters(challenge), "pin": self.__dict__.get("entered_last", "")}
