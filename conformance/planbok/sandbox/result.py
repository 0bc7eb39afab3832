"""The result of a challenge: what comes of it, and how long it can be read."""

from datetime import timedelta
from typing import Any

from conformance.planbok.chains import Chain
from conformance.planbok.gateway import Step
from conformance.planbok.sandbox.base import Decisions
from conformance.planbok.sandbox.state import Challenge, Status, Task, Wallet


class ResultDecisions(Decisions):
    """What comes of a challenge, and how long that is shown."""

    def complete(self, challenge: Challenge) -> None:
        """End a challenge well: derive what it asked for, then tell of it (Provisioning Customer Wallets)."""
        names = challenge.names or ({},) * len(challenge.chains)
        if challenge.task is Task.CREATE_WALLETS:
            challenge.wallets = [
                self.wallet_on(challenge.customer, chain, name)
                for chain, name in zip(challenge.chains, names, strict=True)
                if self.derives(challenge, chain)
            ]
        self.end(challenge, Status.VERIFIED, Step.DONE)
        for event in self.wallet_events(challenge):
            self.send(challenge.customer.tenant, "wallet.created", event)

    def derives(self, challenge: Challenge, chain: Chain) -> bool:
        """Whether a wallet comes of a chain that was asked for: on each of them (Provisioning Customer Wallets)."""
        return True

    def end(self, challenge: Challenge, status: Status, step: Step) -> None:
        """End a challenge, once and for all."""
        challenge.status, challenge.ended, challenge.ended_at = status, step, self.now()

    def result(self, challenge: Challenge) -> Any:
        """What came of a challenge: the wallets. Silent on the form: an object with ``wallets``."""
        return {"wallets": [self.wallet_json(challenge.customer, wallet) for wallet in self.wallets_of(challenge)]}

    def wallets_of(self, challenge: Challenge) -> list[Wallet]:
        """The wallets in the result of a challenge: those that it created (Provisioning Customer Wallets)."""
        return challenge.wallets

    def result_is_readable(self, challenge: Challenge) -> bool:
        """Whether a result is shown: 15 minutes from when it was verified (Provisioning Customer Wallets)."""
        if challenge.task is not Task.CREATE_WALLETS or challenge.status is not Status.VERIFIED:
            return False
        return self.now() < (challenge.ended_at or self.now()) + self.challenge_lifetime() + self.pruning_delay()

    def pruning_delay(self) -> timedelta:
        """How long after its time a result is still readable. Silent: not at all."""
        return timedelta()

    def is_pruned(self, challenge: Challenge) -> bool:
        """Whether a challenge is not answered any more. Silent: never, only its result goes."""
        return False
