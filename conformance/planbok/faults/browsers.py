"""What can be wrong where a page is open in two browsers, or one page knows what was entered at another."""

from collections.abc import Mapping
from functools import cached_property
from urllib.parse import parse_qsl

from conformance.clock import pause
from conformance.exchange import Request, Response
from conformance.planbok.gateway import Step
from conformance.planbok.sandbox import Challenge, Customer, Entry, Planbok, Secret, Status
from conformance.sandbox.faults import Fault


class CancelsInOneBrowserAlone(Fault, Planbok):
    """Takes the PIN of a challenge that was cancelled where its page was open in another browser."""

    breaks = ("planbok.page.cancelled-makes-no-wallet",)

    @cached_property
    def tokens(self) -> dict[str, str]:
        """The form's token in the browser that cancelled a challenge, by the challenge's id."""
        return {}

    def entered(self, challenge: Challenge, request: Request) -> Response:
        fields = _fields(request)
        if challenge.ended is Step.CANCELLED and fields.get("csrf") != self.tokens.get(challenge.id):
            challenge.ended, challenge.status = None, Status.PENDING
        response = super().entered(challenge, request)
        if challenge.ended is Step.CANCELLED:
            self.tokens.setdefault(challenge.id, fields.get("csrf", ""))
        return response


class CancelsWhatIsCompleted(Fault, Planbok):
    """Cancels a challenge by a form that was left open, though it is completed."""

    breaks = ("planbok.result.readable-after-completion",)

    def entered(self, challenge: Challenge, request: Request) -> Response:
        if challenge.ended is Step.DONE and _fields(request).get("action") == "cancel":
            challenge.ended, challenge.status = None, Status.PENDING
        return super().entered(challenge, request)


class CountsTriesByBrowser(Fault, Planbok):
    """Counts the wrong PINs of each browser apart."""

    breaks = ("planbok.page.locks-out",)

    @cached_property
    def failures(self) -> dict[str, int]:
        """How many wrong PINs in a row came from each visit."""
        return {}

    def take(self, challenge: Challenge, step: Step, entry: Entry) -> None:
        challenge.customer.pin.failures = self.failures.get(entry.visit, 0)
        try:
            super().take(challenge, step, entry)
        finally:
            self.failures[entry.visit] = challenge.customer.pin.failures


class TakesTheStepThatAFormNames(Fault, Planbok):
    """Takes the new PIN from whoever sends the form for it, whether the answers were given or not."""

    breaks = ("planbok.customer.pin-guarded",)

    def step(self, challenge: Challenge, visit: str) -> Step:
        step = super().step(challenge, visit)
        return Step.RESET_PIN if step is Step.ANSWER and self.named is Step.RESET_PIN else step

    named: Step | None = None

    def entered(self, challenge: Challenge, request: Request) -> Response:
        self.named = next((step for step in Step if step == _fields(request).get("step")), None)
        try:
            return super().entered(challenge, request)
        finally:
            self.named = None


class TakesThePinOfTheFirstCustomer(Fault, Planbok):
    """Compares a PIN with that of the customer whose page a browser opened first."""

    breaks = ("planbok.page.wrong-pin-refused",)
    own: Secret | None = None
    first: Secret | None = None

    @cached_property
    def customers_of_visits(self) -> dict[str, Customer]:
        """The customer whose page was opened first in a visit."""
        return {}

    def show(
        self,
        challenge: Challenge,
        step: Step,
        visit: str,
        *,
        error: str = "",
        fields: Mapping[str, str] | None = None,
    ) -> Response:
        self.customers_of_visits.setdefault(visit, challenge.customer)
        return super().show(challenge, step, visit, error=error, fields=fields)

    def take(self, challenge: Challenge, step: Step, entry: Entry) -> None:
        self.own = challenge.customer.pin
        self.first = self.customers_of_visits.get(entry.visit, challenge.customer).pin
        super().take(challenge, step, entry)

    def is_right(self, secret: Secret, attempt: str) -> bool:
        return super().is_right(
            self.first if self.first and self.first.hash and secret is self.own else secret, attempt
        )


class ReturnsToTheLatestCaller(Fault, Planbok):
    """Sends the customer to the ``redirectUrl`` of the latest challenge, whichever was completed."""

    breaks = ("planbok.page.returns-to-caller",)

    def return_address(self, challenge: Challenge, url: str) -> str:
        return super().return_address(challenge, challenge.customer.challenges[-1].return_url or url)


class HidesThePurposeAfterAMistake(Fault, Planbok):
    """Says no more what the PIN authorizes once a wrong one was entered."""

    breaks = ("planbok.page.purpose-shown",)

    def show(
        self,
        challenge: Challenge,
        step: Step,
        visit: str,
        *,
        error: str = "",
        fields: Mapping[str, str] | None = None,
    ) -> Response:
        self.has_failed = bool(error)
        return super().show(challenge, step, visit, error=error, fields=fields)

    has_failed = False

    def purpose(self, challenge: Challenge) -> str:
        return "" if self.has_failed else super().purpose(challenge)


class ExpiresFirstStepsAlone(Fault, Planbok):
    """Lets who began in time end at any time."""

    breaks = ("planbok.challenge.expires-after-15-minutes",)

    def has_expired(self, challenge: Challenge) -> bool:
        return not challenge.visits and super().has_expired(challenge)


class LosesWalletsOfTwoAtOnce(Fault, Planbok):
    """Keeps what wallets there were when a PIN came, and its own, but none that another page made meanwhile."""

    breaks = ("planbok.list.holds-all",)

    async def answer_at(self, mount: str, request: Request, path: str) -> Response:
        challenge = self.challenges.get(path.rpartition("/")[2])
        if challenge is None or request.method != "POST":
            return await super().answer_at(mount, request, path)
        before = list(challenge.customer.wallets)
        await pause(0.05)
        response = await super().answer_at(mount, request, path)
        if challenge.wallets:
            challenge.customer.wallets[:] = dict.fromkeys((*before, *challenge.wallets))
        return response


def _fields(request: Request) -> Mapping[str, str]:
    return dict(parse_qsl(request.body.decode("latin-1"), keep_blank_values=True))
