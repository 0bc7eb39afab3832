"""What is wrong at an edge alone: the last second of an hour, or a text that is taken for something else than a text."""

from datetime import timedelta
from uuid import UUID

from conformance.offblocks.sandbox import Challenge, Customer, OffBlocks, Reason, Refused
from conformance.offblocks.sandbox.base import is_uuid
from conformance.sandbox.faults import Fault

_A_SECOND = timedelta(seconds=1)
_SOON = timedelta(minutes=5)
_NOTHING = {"null", "none", "undefined", "nil"}


# ------------------------------------------------------------------------------------------------------- an hour's end


class ExpiresChallengesASecondEarly(Fault, OffBlocks):
    """Lets a challenge expire in the last second of its hour."""

    breaks = ("offblocks.challenge.accepted-within-the-hour",)

    def challenge_lifetime(self) -> timedelta:
        return super().challenge_lifetime() - _A_SECOND


class ForgetsKeysASecondEarly(Fault, OffBlocks):
    """Forgets an idempotency key in the last second of its hour."""

    breaks = ("offblocks.idempotency.repeat-answered-alike",)

    def idempotency_lifetime(self) -> timedelta:
        return super().idempotency_lifetime() - _A_SECOND


class ExpiresChallengesASecondLate(Fault, OffBlocks):
    """Takes a challenge for one second more than its hour."""

    breaks = ("offblocks.challenge.expires-after-one-hour", "offblocks.challenge.hour-runs-from-issue")

    def challenge_lifetime(self) -> timedelta:
        return super().challenge_lifetime() + _A_SECOND


class RenewsChallengesBeforeTheirEnd(Fault, OffBlocks):
    """Gives who fetches a challenge in its last five minutes another one, which takes its place."""

    breaks = ("offblocks.challenge.accepted-within-the-hour",)

    def current_challenge(self, customer: Customer) -> Challenge:
        ends = customer.challenges[-1].issued_at + self.challenge_lifetime()
        if self.awaits_signature(customer) and self.now() > ends - _SOON:
            self.issue_challenge(customer)
        return super().current_challenge(customer)


# ------------------------------------------------------------------------------------------ texts taken for another thing


class FindsCustomersByTheCallersIdToo(Fault, OffBlocks):
    """Reads a customer by the caller's own id before it looks for one by its own."""

    breaks = ("offblocks.customer.readable",)

    def customer_called(self, customer_id: str) -> Customer | None:
        called = (each for each in self.customers.values() if each.external_id == customer_id)
        return next(called, None) or super().customer_called(customer_id)


class TakesAWordForNothing(Fault, OffBlocks):
    """Refuses an externalId that is the word for nothing in some language, as if it were missing."""

    breaks = ("offblocks.customer.created-with-201",)

    def external_id_kept(self, external_id: str) -> str:
        if external_id.lower() in _NOTHING:
            raise Refused(Reason.BODY, "The body lacks 'externalId', a string.")
        return external_id


class WritesUuidsInSmallLetters(Fault, OffBlocks):
    """Keeps an externalId that is a UUID in small letters, as it writes its own."""

    breaks = ("offblocks.customer.echoes-external-id",)

    def external_id_kept(self, external_id: str) -> str:
        return str(UUID(external_id)) if is_uuid(external_id) else external_id
