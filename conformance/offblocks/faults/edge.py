"""What is wrong at an edge alone: in an hour's last second, long after it, or with a text that is taken for no text."""

import re
from collections.abc import Hashable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from conformance.exchange import Response
from conformance.offblocks.sandbox import Challenge, Customer, OffBlocks, Reason, Refused, Status, Tenant
from conformance.offblocks.sandbox.base import is_uuid
from conformance.sandbox.faults import Fault
from conformance.standards.account_ids import AccountId

_A_SECOND = timedelta(seconds=1)
_AN_HOUR = timedelta(hours=1)
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

    breaks = (
        "offblocks.challenge.expires-after-one-hour",
        "offblocks.challenge.hour-runs-from-issue",
        "offblocks.challenge.renewed-one-has-its-own-hour",
    )

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


# ---------------------------------------------------------------------------------------- texts taken for another thing


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


# ------------------------------------------------------------------------------------------------------------ later on


class CreatesRejectedCustomersAnewLater(Fault, OffBlocks):
    """Forgets a rejected customer's pair after an hour, so that it can be created again."""

    breaks = ("offblocks.flow.rejected-not-onboarded-again", "offblocks.customer.no-second-for-a-pair")

    def find_duplicate(self, tenant: Tenant, account: AccountId, external_id: str) -> Customer | None:
        found = super().find_duplicate(tenant, account, external_id)
        is_old = found is not None and self.now() - found.updated_at > _AN_HOUR
        return None if found is not None and found.status == Status.REJECTED and is_old else found


class LetsRejectedCustomersSignLater(Fault, OffBlocks):
    """Has a customer sign again who was rejected more than an hour ago."""

    breaks = ("offblocks.flow.rejected-is-final",)

    def awaits_signature(self, customer: Customer) -> bool:
        is_old = self.now() - customer.updated_at > _AN_HOUR
        return super().awaits_signature(customer) or (customer.status == Status.REJECTED and is_old)


class VerifiesRejectedCustomersLater(Fault, OffBlocks):
    """Lets a customer be verified who was rejected more than a day ago."""

    breaks = ("offblocks.flow.rejected-is-final",)

    def may_verify(self, customer: Customer) -> bool:
        is_old = self.now() - customer.updated_at > timedelta(days=1)
        return super().may_verify(customer) or (customer.status == Status.REJECTED and is_old)


class TakesASecondSignatureOfActiveCustomers(Fault, OffBlocks):
    """Refuses a second signature only until the customer is active."""

    breaks = ("offblocks.signing.second-is-409",)

    def may_sign(self, customer: Customer) -> bool:
        return super().may_sign(customer) or customer.status == Status.ACTIVE


class HasWhoFetchesLateSignAgain(Fault, OffBlocks):
    """Brings a customer back to initiating whose challenge is fetched when its hour is over, though it was signed."""

    breaks = ("offblocks.signing.moves-the-status", "offblocks.flow.rejected-is-final")

    def answer_after_signing(self, customer: Customer) -> Response:
        if self.challenge_has_expired(customer.challenges[-1]):
            self.issue_challenge(customer)
            self.change_status(customer, Status.INITIATING)
        return super().answer_after_signing(customer)


class HasWhoSignsLateScreenedAgain(Fault, OffBlocks):
    """Brings a customer back to screening who signs once more when the hour is over."""

    breaks = ("offblocks.signing.moves-the-status", "offblocks.flow.rejected-is-final")

    def may_sign(self, customer: Customer) -> bool:
        return super().may_sign(customer) or self.challenge_has_expired(customer.challenges[-1])

    def challenge_is_in_time(self, challenge: Challenge) -> bool:
        signed = any(
            each.challenges[-1] is challenge and not self.awaits_signature(each) for each in self.customers.values()
        )
        return signed or super().challenge_is_in_time(challenge)


class TakesTheChallengeBeforeTheLast(Fault, OffBlocks):
    """Refuses the challenge that was replaced last, and none that was so before it."""

    breaks = ("offblocks.signing.superseded-challenge-refused",)

    def challenge_is_current(self, customer: Customer, sent: str) -> bool:
        return any(sent == each.encoded for each in (*customer.challenges[:-2], customer.challenges[-1]))

    def message_signed(self, customer: Customer, sent: str) -> bytes:
        return next(each.message for each in customer.challenges if each.encoded == sent)


class LeavesTheSchemeOut(Fault, OffBlocks):
    """Answers 401 without a word of how to authenticate."""

    breaks = ("offblocks.authentication.refusal-names-a-scheme",)

    def refusal(self, refusal: Refused) -> Response:
        answer = super().refusal(refusal)
        return replace(answer, headers=tuple(line for line in answer.headers if line[0] != "WWW-Authenticate"))


class NamesTheSchemeOfTokensAlone(Fault, OffBlocks):
    """Answers 401 to wrong credentials without a word of how to authenticate, and with one to a wrong token."""

    breaks = ("offblocks.authentication.refusal-names-a-scheme",)

    def refusal(self, refusal: Refused) -> Response:
        answer = super().refusal(refusal)
        if refusal.reason is not Reason.CREDENTIALS:
            return answer
        return replace(answer, headers=tuple(line for line in answer.headers if line[0] != "WWW-Authenticate"))


class DatesNewChallengesAsTheCustomer(Fault, OffBlocks):
    """Says of each challenge that it was issued when its customer was created."""

    breaks = ("offblocks.challenge.issued-when-made",)

    def issue_challenge(self, customer: Customer) -> None:
        now = self.now()
        message = self.challenge_text(customer.account, customer.created_at).encode()
        customer.challenges.append(Challenge(message, self.encode_challenge(message), now))


# ----------------------------------------------------------------------------------------------- texts that are alike


class FindsPairsByPatterns(Fault, OffBlocks):
    """Looks for an externalId with LIKE, to which an underscore and a per cent sign stand for any characters."""

    breaks = ("offblocks.customer.created-with-201",)

    def find_duplicate(self, tenant: Tenant, account: AccountId, external_id: str) -> Customer | None:
        pattern = "".join({"_": ".", "%": ".*"}.get(each, re.escape(each)) for each in external_id)
        for customer in self.customers.values():
            pair = self.pair(customer.tenant, customer.account, customer.external_id)
            is_alike = re.fullmatch(pattern, customer.external_id, re.DOTALL)
            if is_alike and pair == self.pair(tenant, account, customer.external_id):
                return customer
        return None


class CountsChainsIn32Bits(Fault, OffBlocks):
    """Tells accounts apart by 32 bits of the number of their chain."""

    breaks = ("offblocks.customer.created-with-201",)

    def pair(self, tenant: Tenant, account: AccountId, external_id: str) -> Hashable:
        chain = int(account.chain.reference) % 2**32
        return tenant.name, chain, account.address.lower(), external_id


class KeepsExternalIdsInAPlainObject(Fault, OffBlocks):
    """Looks an externalId up among the members of an object, where some names stand from the beginning."""

    breaks = ("offblocks.customer.created-with-201",)

    def find_duplicate(self, tenant: Tenant, account: AccountId, external_id: str) -> Customer | None:
        if external_id in {"constructor", "toString", "valueOf", "__proto__"}:
            raise Refused(Reason.DUPLICATE_CUSTOMER, "There is a customer with this externalId already.")
        return super().find_duplicate(tenant, account, external_id)


class PassesOverTheVersionOfIds(Fault, OffBlocks):
    """Finds a customer under its id with another version in it."""

    breaks = ("offblocks.challenge.unknown-customer-is-404", "offblocks.customer.unknown-is-404")

    def customer_called(self, customer_id: str) -> Customer | None:
        def without_version(identifier: str) -> str:
            return identifier[:14] + identifier[15:]

        wanted = without_version(customer_id.lower())
        return next((found for name, found in self.customers.items() if without_version(name) == wanted), None)
