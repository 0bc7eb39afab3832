"""What can be wrong, or otherwise than the sandbox has it, with what comes of a challenge."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import cached_property
from typing import Any

from conformance.exchange import Response
from conformance.planbok.chains import CHAINS, Chain
from conformance.planbok.gateway import Step
from conformance.planbok.sandbox import Call, Challenge, Customer, Planbok, Reason, Refused, Status, Task, Wallet
from conformance.sandbox.faults import Fault, Variation


class ShowsNoResult(Fault, Planbok):
    """Shows no wallets in a challenge that was completed."""

    breaks = ("planbok.result.readable-after-completion", "planbok.result.exactly-the-chains")

    def result_is_readable(self, challenge: Challenge) -> bool:
        return False


class DropsAChain(Fault, Planbok):
    """Derives wallets on all chains but the last, and says verified."""

    breaks = ("planbok.result.exactly-the-chains", "planbok.webhook.wallet-created-sent")

    def derives(self, challenge: Challenge, chain: Chain) -> bool:
        return len(challenge.chains) == 1 or chain is not challenge.chains[-1]


class AddsAChain(Fault, Planbok):
    """Shows a wallet on one more chain than was asked for."""

    breaks = ("planbok.result.exactly-the-chains",)

    def wallets_of(self, challenge: Challenge) -> list[Wallet]:
        other = next(chain for chain in CHAINS.values() if chain not in challenge.chains)
        return [*challenge.wallets, self.wallet_on(challenge.customer, other, {})]


class ShowsAllWalletsAsResult(Fault, Planbok):
    """Shows all wallets of the customer in the result of each challenge."""

    breaks = ("planbok.result.exactly-the-chains",)

    def wallets_of(self, challenge: Challenge) -> list[Wallet]:
        return challenge.customer.wallets


class ShowsTheResultBeforehand(Fault, Planbok):
    """Derives the wallets when a challenge is issued, and shows them."""

    breaks = ("planbok.result.none-while-pending", "planbok.result.none-when-failed")

    def result_is_readable(self, challenge: Challenge) -> bool:
        pending = challenge.task is Task.CREATE_WALLETS and challenge.status is Status.PENDING
        return pending or super().result_is_readable(challenge)

    def wallets_of(self, challenge: Challenge) -> list[Wallet]:
        if challenge.status is not Status.PENDING:
            return super().wallets_of(challenge)
        kept = list(challenge.customer.wallets)
        found = [self.wallet_on(challenge.customer, chain, {}) for chain in challenge.chains]
        challenge.customer.wallets = kept
        return found


class ShowsTheResultOfFailures(Fault, Planbok):
    """Shows wallets in a challenge that was cancelled."""

    breaks = ("planbok.result.none-when-failed",)

    def result_is_readable(self, challenge: Challenge) -> bool:
        return challenge.status is Status.FAILED or super().result_is_readable(challenge)

    def wallets_of(self, challenge: Challenge) -> list[Wallet]:
        if challenge.status is not Status.FAILED:
            return super().wallets_of(challenge)
        kept = list(challenge.customer.wallets)
        found = [self.wallet_on(challenge.customer, chain, {}) for chain in challenge.chains]
        challenge.customer.wallets = kept
        return found


class KeepsResults(Fault, Planbok):
    """Shows the result of a challenge for ever."""

    breaks = ("planbok.result.gone-after-15-minutes",)

    def pruning_delay(self) -> timedelta:
        return timedelta(days=365)


class PrunesResultsLate(Fault, Planbok):
    """Shows the result of a challenge for an hour more than it may."""

    breaks = ("planbok.result.gone-after-15-minutes",)

    def pruning_delay(self) -> timedelta:
        return timedelta(hours=1)


class ForgetsChallenges(Variation, Planbok):
    """Answers 404 for a challenge that was completed, once its result is gone or would be."""

    permits = "Provisioning Customer Wallets says that the result goes, and not whether the challenge does."

    def is_pruned(self, challenge: Challenge) -> bool:
        if challenge.status is not Status.VERIFIED or self.result_is_readable(challenge):
            return False
        shown = timedelta() if challenge.task is Task.CREATE_WALLETS else self.challenge_lifetime()
        return self.now() >= (challenge.ended_at or self.now()) + shown


class PrunesTwoMinutesLate(Variation, Planbok):
    """Shows the result for almost two minutes more."""

    permits = "Provisioning Customer Wallets does not say how long after its time a challenge is pruned."

    def pruning_delay(self) -> timedelta:
        return timedelta(seconds=119)


class PrunesFromTheIssue(Variation, Planbok):
    """Counts the 15 minutes of a result from the issue of its challenge."""

    permits = "Provisioning Customer Wallets does not say when the 15 minutes begin."

    def result_is_readable(self, challenge: Challenge) -> bool:
        return super().result_is_readable(challenge) and self.now() < challenge.expires_at


class ShowsABareArray(Variation, Planbok):
    """Shows the wallets of a result as an array."""

    permits = "Provisioning Customer Wallets does not show the form of a result."

    def result(self, challenge: Challenge) -> Any:
        return super().result(challenge)["wallets"]


class ForgetsCancelledChallenges(Variation, Planbok):
    """Answers 404 for a challenge that was cancelled."""

    permits = "Provisioning Customer Wallets does not say when a challenge is pruned."

    def is_pruned(self, challenge: Challenge) -> bool:
        return challenge.status is Status.FAILED


class TellsWhyInTheResult(Variation, Planbok):
    """Shows why a challenge failed in its ``result``, and how many wallets there are as long as it is pending."""

    permits = "Provisioning Customer Wallets stores the wallets there on success, and is silent on anything else."

    def challenge_json(self, challenge: Challenge) -> dict[str, Any]:
        told = {Status.FAILED: {"error": "PIN_CANCELLED"}, Status.PENDING: {"wallets": [], "total": 0}}
        return {"result": told.get(challenge.status), **super().challenge_json(challenge)}


class ShowsAnEmptyResult(Variation, Planbok):
    """Shows ``result`` as null while there is none."""

    permits = "No document says whether the member is there without a result."

    def challenge_json(self, challenge: Challenge) -> dict[str, Any]:
        return {"result": None, **super().challenge_json(challenge)}


class GivesAnotherCustomersWallet(Fault, Planbok):
    """Gives a customer the wallet on a chain that another one was given before."""

    breaks = ("planbok.address.never-shared",)

    def wallet_on(self, customer: Customer, chain: Chain, names: Mapping[str, str]) -> Wallet:
        wallet = super().wallet_on(customer, chain, names)
        taken = next(each for other in self.customers.values() for each in other.wallets if each.chain is chain)
        wallet.address, wallet.public_key = taken.address, taken.public_key
        return wallet


class ShowsResultsAgainTheNextDay(Fault, Planbok):
    """Tells the age of a result by the time of day, so that it is shown again a day later."""

    breaks = ("planbok.result.gone-after-15-minutes",)

    def result_is_readable(self, challenge: Challenge) -> bool:
        if challenge.task is not Task.CREATE_WALLETS or challenge.ended_at is None:
            return False
        age = timedelta(seconds=(self.now() - challenge.ended_at).seconds)
        return challenge.status is Status.VERIFIED and age < self.challenge_lifetime()


class ReadsResultsOnceById(Fault, Planbok):
    """Forgets the result of a challenge once the challenge was read by its id."""

    breaks = ("planbok.result.readable-after-completion", "planbok.response.reading-changes-nothing")

    @cached_property
    def read(self) -> set[str]:
        """The ids of the challenges whose results were read."""
        return set()

    def get_challenge(self, call: Call) -> Response:
        response = super().get_challenge(call)
        challenge = self.challenge_for(call)
        if self.result_is_readable(challenge):
            self.read.add(challenge.id)
        return response

    def result_is_readable(self, challenge: Challenge) -> bool:
        return challenge.id not in self.read and super().result_is_readable(challenge)


class ShowsWalletsThatAreThere(Fault, Planbok):
    """Shows the wallets that a customer has on the chains of a challenge as its result, whatever became of it."""

    breaks = ("planbok.result.none-while-pending", "planbok.result.none-when-failed")

    def result_is_readable(self, challenge: Challenge) -> bool:
        is_over = challenge.status is Status.VERIFIED
        return super().result_is_readable(challenge) if is_over else bool(self.wallets_of(challenge))

    def wallets_of(self, challenge: Challenge) -> list[Wallet]:
        there = [wallet for wallet in challenge.customer.wallets if wallet.chain in challenge.chains]
        return challenge.wallets if challenge.status is Status.VERIFIED else there


class CompletesAtOnceWhatIsThere(Fault, Planbok):
    """Completes a challenge without the PIN where the customer has all its wallets."""

    breaks = ("planbok.page.asks-pin-every-time", "planbok.page.wrong-pin-refused")

    def issue(
        self,
        call: Call,
        customer: Customer,
        task: Task,
        return_url: str | None,
        chains: tuple[Chain, ...] = (),
        names: tuple[Mapping[str, str], ...] = (),
    ) -> Response:
        response = super().issue(call, customer, task, return_url, chains, names)
        if chains and set(chains) <= {wallet.chain for wallet in customer.wallets}:
            self.complete(customer.challenges[-1])
        return response


class KeepsFiveChallenges(Fault, Planbok):
    """Drops the oldest challenge of a customer, and its result, when there are more than five."""

    breaks = ("planbok.result.readable-after-completion",)

    def challenges_under(self, customer: Customer) -> Iterable[Challenge]:
        return customer.challenges[-5:]


class CountsFromTheLastReading(Fault, Planbok):
    """Shows a result until 15 minutes after it was read last, so that it is there for whoever asks often enough."""

    breaks = ("planbok.result.gone-after-15-minutes",)

    def get_challenge(self, call: Call) -> Response:
        challenge = self.challenge_for(call)
        if self.result_is_readable(challenge):
            challenge.ended_at = self.now()
        return super().get_challenge(call)


class ShowsFormerResultsWithALaterOne(Fault, Planbok):
    """Shows the result of a challenge again as long as that of a later one of the customer is shown."""

    breaks = ("planbok.result.gone-after-15-minutes",)

    def result_is_readable(self, challenge: Challenge) -> bool:
        own = challenge.customer.challenges
        later = own[own.index(challenge) + 1 :] if challenge.status is Status.VERIFIED and challenge.wallets else []
        return any(map(super().result_is_readable, [challenge, *later]))


class KeepsTheLastResultAlone(Fault, Planbok):
    """Shows the wallets of a challenge until the customer completes another one."""

    breaks = ("planbok.result.readable-after-completion",)

    def wallets_of(self, challenge: Challenge) -> list[Wallet]:
        with_wallets = [each for each in challenge.customer.challenges if each.wallets]
        return challenge.wallets if challenge in with_wallets[-1:] else []


class VerifiesTheTwinAsWell(Fault, Planbok):
    """Verifies the customer's other open challenge for the same chains with the one that the PIN was entered for."""

    breaks = ("planbok.page.asks-pin-every-time",)

    def complete(self, challenge: Challenge) -> None:
        super().complete(challenge)
        for other in challenge.customer.challenges:
            if other.status is Status.PENDING and challenge.chains and other.chains == challenge.chains:
                other.wallets = challenge.wallets
                self.end(other, Status.VERIFIED, Step.DONE)


class ForgetsChallengesAskedForByOthers(Fault, Planbok):
    """Answers a challenge no more, once it was asked for under another customer or by another organization."""

    breaks = ("planbok.result.readable-after-completion",)

    @cached_property
    def unknown(self) -> set[str]:
        return set()

    def challenge_for(self, call: Call) -> Challenge:
        wanted = call.parameters["challengeId"]
        if wanted in self.unknown:
            raise Refused(Reason.UNKNOWN_CHALLENGE, f"This customer has no challenge {wanted!r}.")
        try:
            return super().challenge_for(call)
        except Refused:
            self.unknown.add(wanted)
            raise
