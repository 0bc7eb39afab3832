"""What can be wrong, or otherwise than the sandbox has it, with what stands before the first wallet."""

from collections.abc import Mapping
from datetime import timedelta

from conformance.exchange import Response
from conformance.planbok.gateway import Step
from conformance.planbok.sandbox import Call, Challenge, Customer, Planbok, Reason, Refused, Secret, Status, Task
from conformance.sandbox.faults import Fault, Variation
from conformance.sandbox.messages import read_object


class ProvisionsWithoutPin(Fault, Planbok):
    """Creates wallets for a customer who has set nothing up, whatever PIN is entered."""

    breaks = ("planbok.gate.no-wallet-without-pin", "planbok.gate.refused-at-request")

    def missing_set_up(self, customer: Customer) -> list[str]:
        return super().missing_set_up(customer) if customer.pin.hash else []

    def is_right(self, secret: Secret, attempt: str) -> bool:
        return not secret.hash or super().is_right(secret, attempt)


class ProvisionsWithoutRecovery(Fault, Planbok):
    """Creates wallets for a customer who has a PIN and no recovery."""

    breaks = ("planbok.gate.no-wallet-without-recovery", "planbok.gate.refused-at-request")

    def missing_set_up(self, customer: Customer) -> list[str]:
        return [] if customer.pin.hash else ["PIN"]


class ProvisionsThoughItRefuses(Fault, Planbok):
    """Refuses wallets to a customer who is not set up, and derives them."""

    breaks = ("planbok.gate.no-wallet-without-pin", "planbok.gate.no-wallet-without-recovery")
    category = "F104"

    def create_wallets(self, call: Call) -> Response:
        try:
            return super().create_wallets(call)
        except Refused as refusal:
            if refusal.reason is Reason.INCOMPLETE_SET_UP:
                for chain in self.read_chains(read_object(call.request.body)):
                    self.wallet_on(self.customer_for(call), chain, {})
            raise


class DerivesThoughThePageRefuses(Fault, Planbok):
    """Has the page refuse a customer who is not set up, and completes the challenge behind it."""

    breaks = (
        "planbok.gate.no-wallet-without-pin",
        "planbok.gate.no-wallet-without-recovery",
        "planbok.gate.refused-at-request",
    )

    def refuses_incomplete_set_up_at_request(self) -> bool:
        return False

    def blocks(self, challenge: Challenge) -> bool:
        blocked = super().blocks(challenge)
        if blocked:
            self.complete(challenge)
        return blocked


class TakesAnEndedRecoveryForRecovery(Fault, Planbok):
    """Creates wallets for a customer whose challenge for recovery ended, though it was cancelled."""

    breaks = ("planbok.gate.no-wallet-without-recovery",)

    def missing_set_up(self, customer: Customer) -> list[str]:
        ended = any(each.task is Task.RECOVERY and each.ended for each in customer.challenges)
        return [name for name in super().missing_set_up(customer) if not (ended and name == "recovery")]


class RefusesAtThePage(Variation, Planbok):
    """Issues challenges for wallets to any customer, and has the page refuse those who are not set up."""

    permits = "Provisioning Customer Wallets has creation fail or be blocked, and does not say where."

    def refuses_incomplete_set_up_at_request(self) -> bool:
        return False


class FailsAfterThePin(Variation, Planbok):
    """Asks a customer without recovery for the PIN all the same, and has the challenge fail then."""

    permits = "Provisioning Customer Wallets has creation fail or be blocked, and does not say where."

    def refuses_incomplete_set_up_at_request(self) -> bool:
        return False

    def blocks(self, challenge: Challenge) -> bool:
        return super().blocks(challenge) and not challenge.customer.pin.hash

    def complete(self, challenge: Challenge) -> None:
        if super().blocks(challenge):
            self.end(challenge, Status.FAILED, Step.REFUSED)
        else:
            super().complete(challenge)


class AnswersIncompleteSetUpWith403(Variation, Planbok):
    """Refuses wallets to a customer who is not set up with 403."""

    permits = "Provisioning Customer Wallets does not say which status blocks a creation."

    def refusal_status(self, reason: Reason) -> int:
        return 403 if reason is Reason.INCOMPLETE_SET_UP else super().refusal_status(reason)


class AnswersIncompleteSetUpWith409(Variation, Planbok):
    """Refuses wallets to a customer who is not set up with 409."""

    permits = "Provisioning Customer Wallets does not say which status blocks a creation."

    def refusal_status(self, reason: Reason) -> int:
        return 409 if reason is Reason.INCOMPLETE_SET_UP else super().refusal_status(reason)


class AnswersIncompleteSetUpWith404(Variation, Planbok):
    """Refuses wallets to a customer who is not set up with 404."""

    permits = "Provisioning Customer Wallets does not say which status blocks a creation."

    def refusal_status(self, reason: Reason) -> int:
        return 404 if reason is Reason.INCOMPLETE_SET_UP else super().refusal_status(reason)


class TakesACancelledSetUpForRecovery(Fault, Planbok):
    """Ends the first visit as if recovery were set up when it is cancelled at that step."""

    breaks = ("planbok.customer.has-recovery", "planbok.gate.no-wallet-without-recovery")

    def cancel(self, challenge: Challenge) -> None:
        customer = challenge.customer
        if challenge.task is Task.INITIALIZE and customer.pin.hash and not customer.answers.hash:
            customer.answers = Secret(customer.pin.hash)
        super().cancel(challenge)


class ForgetsPinsAfterThirtyDays(Fault, Planbok):
    """Keeps PINs in a store that forgets what is thirty days old."""

    breaks = ("planbok.challenge.completable-in-time",)

    def is_right(self, secret: Secret, attempt: str) -> bool:
        owner = next((each for each in self.customers.values() if each.pin is secret), None)
        is_kept = owner is None or self.now() - owner.updated_at < timedelta(days=30)
        return is_kept and super().is_right(secret, attempt)


class CountsRecoveryThatWasBegun(Fault, Planbok):
    """Says that a customer has recovery once the PIN was entered for it, and makes wallets then."""

    breaks = ("planbok.customer.has-recovery", "planbok.gate.no-wallet-without-recovery")

    def has_recovery(self, customer: Customer) -> bool:
        begun = any(each.task is Task.RECOVERY and each.visits for each in customer.challenges)
        return begun or super().has_recovery(customer)

    def missing_set_up(self, customer: Customer) -> list[str]:
        missing = super().missing_set_up(customer)
        return [name for name in missing if name != "recovery"] if self.has_recovery(customer) else missing


class BeginsAnewWithRecovery(Fault, Planbok):
    """Lists none of the wallets that a customer had before recovery was set up anew."""

    breaks = ("planbok.list.wallets-stay",)

    def set_recovery(self, customer: Customer, fields: Mapping[str, str]) -> None:
        had_some = bool(customer.answers.hash)
        super().set_recovery(customer, fields)
        customer.wallets = [] if had_some else customer.wallets
