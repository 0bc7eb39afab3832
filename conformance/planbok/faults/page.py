"""What can be wrong, or otherwise than the sandbox has it, with the hosted page."""

from urllib.parse import urlsplit

from conformance.exchange import Response
from conformance.planbok.gateway import Step
from conformance.planbok.sandbox import Challenge, Entry, Planbok, Secret, Status
from conformance.sandbox.faults import Fault, Variation


class CarriesThePinOver(Fault, Planbok):
    """Takes a browser in which the PIN was entered once for the customer from then on."""

    breaks = ("planbok.page.asks-pin-every-time",)

    def is_right(self, secret: Secret, attempt: str) -> bool:
        """Right as well if nothing was entered, once the PIN was."""
        right = super().is_right(secret, attempt)
        known = self.__dict__.setdefault("proven", set())
        known |= {secret.hash} if right else set()
        return right or (not attempt and secret.hash in known)


class CompletesWhenOpened(Fault, Planbok):
    """Completes a later challenge of a customer as soon as its page is looked at."""

    breaks = ("planbok.page.asks-pin-every-time",)

    def step(self, challenge: Challenge, visit: str) -> Step:
        """Done, if an earlier one was completed in this visit."""
        step = super().step(challenge, visit)
        earlier = any(other.status is Status.VERIFIED and visit in other.visits for other in self.challenges.values())
        if step is Step.VERIFY and earlier:
            self.complete(challenge)
            return Step.DONE
        return step


class AcceptsAnyPin(Fault, Planbok):
    """Takes any PIN for the right one."""

    breaks = ("planbok.page.wrong-pin-refused", "planbok.page.locks-out")

    def is_right(self, secret: Secret, attempt: str) -> bool:
        """Whatever was entered."""
        return bool(secret.hash and attempt)


class NeverLocks(Fault, Planbok):
    """Lets PINs be guessed without end."""

    breaks = ("planbok.page.locks-out",)

    def tries(self) -> int:
        """More than anybody makes."""
        return 10**9


class CountsTriesByChallenge(Fault, Planbok):
    """Begins to count wrong PINs anew with each challenge, and locks nothing but the challenge."""

    breaks = ("planbok.page.locks-out",)

    def lock(self, challenge: Challenge, secret: Secret) -> None:
        """End the challenge alone."""
        secret.failures = 0
        self.end(challenge, Status.FAILED, Step.LOCKED)


class TakesAnyTextForAPin(Fault, Planbok):
    """Sets PINs of whatever length and letters."""

    breaks = ("planbok.page.new-pin-confirmed",)

    def is_pin(self, text: str) -> bool:
        """Anything."""
        return bool(text)


class IgnoresTheConfirmation(Fault, Planbok):
    """Sets the first of two PINs that differ."""

    breaks = ("planbok.page.new-pin-confirmed",)

    def is_confirmed(self, pin: str, again: str) -> bool:
        """Always."""
        del pin, again
        return True


class HidesThePurpose(Fault, Planbok):
    """Does not say what the PIN authorizes."""

    breaks = ("planbok.page.purpose-shown",)

    def purpose(self, challenge: Challenge) -> str:
        """Nothing in particular."""
        del challenge
        return "Confirm with your PIN"


class CompletesCancelledChallenges(Fault, Planbok):
    """Creates the wallets of a challenge that the customer cancelled."""

    breaks = ("planbok.page.cancelled-makes-no-wallet", "planbok.result.none-when-failed")

    def cancel(self, challenge: Challenge) -> None:
        """As if the PIN had been entered."""
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
        """The PIN is asked for after the end, too."""
        step = super().step(challenge, visit)
        return Step.VERIFY if step is Step.DONE else step

    def take(self, challenge: Challenge, step: Step, entry: Entry) -> None:
        """Wallets beside those that there are."""
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
        """Another site."""
        del url
        return f"https://planbok.example/done?challengeId={challenge.id}"


class LosesTheQuery(Fault, Planbok):
    """Sends customers back without the query of the caller's page."""

    breaks = ("planbok.page.keeps-query",)

    def return_address(self, challenge: Challenge, url: str) -> str:
        """The page with nothing but what is added."""
        return super().return_address(challenge, urlsplit(url)._replace(query="").geturl())


class ReturnsWithoutAWord(Fault, Planbok):
    """Adds neither the challenge nor its status to the return."""

    breaks = ("planbok.page.return-query",)

    def return_parameters(self, challenge: Challenge) -> dict[str, str]:
        """Nothing."""
        del challenge
        return {}


class ReturnsTheStatusAlone(Variation, Planbok):
    """Adds the status of the challenge to the return, and not its id."""

    permits = "Introduction has the customer return with the challenge's status; the demo client reads its id."

    def return_parameters(self, challenge: Challenge) -> dict[str, str]:
        """The status."""
        return {"status": challenge.status.value}


class ReturnsTheIdAlone(Variation, Planbok):
    """Adds the id of the challenge to the return, and not its status."""

    permits = "The demo client reads nothing but the challenge's id."

    def return_parameters(self, challenge: Challenge) -> dict[str, str]:
        """The id."""
        return {"challengeId": challenge.id}


class KeepsWhoCancels(Variation, Planbok):
    """Shows that the challenge was cancelled, and sends nobody back."""

    permits = "No document says where a customer goes who cancels."

    def leave_cancelled(self, challenge: Challenge) -> Response:
        """The page itself."""
        return self.show(challenge, Step.CANCELLED, "")


class LocksAfterThreeTries(Variation, Planbok):
    """Locks after three wrong PINs."""

    permits = "Webhooks names a lock-out, and no document how many tries it takes."

    def tries(self) -> int:
        """Three."""
        return 3


class LocksAfterNineTries(Variation, Planbok):
    """Locks after nine wrong PINs."""

    permits = "Webhooks names a lock-out, and no document how many tries it takes."

    def tries(self) -> int:
        """Nine."""
        return 9
