"""What can be wrong where two concerns meet, when something comes again, and with what is another's."""

import html
import json
import re
from collections.abc import Hashable
from dataclasses import replace
from datetime import timedelta
from functools import cached_property

from conformance.exchange import Request, Response
from conformance.offblocks.sandbox import Call, Challenge, Customer, OffBlocks, Reason, Record, Refused, Status, Tenant
from conformance.sandbox.faults import Fault
from conformance.sandbox.messages import to_json
from conformance.standards import message_signatures


class TakesTextBehindTheChallenge(Fault, OffBlocks):
    """Compares a challenge that comes back with its beginning alone."""

    breaks = ("offblocks.signing.altered-challenge-refused",)

    def challenge_is_current(self, customer: Customer, sent: str) -> bool:
        return sent.startswith(customer.challenges[-1].encoded)


class RenewsAfterTwoFailuresAlone(Fault, OffBlocks):
    """Issues no new challenge after the third failed signature."""

    breaks = ("offblocks.challenge.renewed-after-failed-signature", "offblocks.challenge.renewed-one-signs")

    def issue_challenge(self, customer: Customer) -> None:
        if len(customer.challenges) <= 2 or self.challenge_has_expired(customer.challenges[-1]):  # noqa: PLR2004
            super().issue_challenge(customer)


class RenewsAfterTheHourOnce(Fault, OffBlocks):
    """Issues no new challenge once one expires that took the place of another."""

    breaks = ("offblocks.challenge.renewed-after-the-hour", "offblocks.challenge.renewed-one-has-its-own-hour")

    def current_challenge(self, customer: Customer) -> Challenge:
        return customer.challenges[-1] if len(customer.challenges) > 1 else super().current_challenge(customer)


class ForgetsTheDaysOfAChallenge(Fault, OffBlocks):
    """Takes the hours and minutes of a challenge's age alone, so that it holds again after a day."""

    breaks = ("offblocks.challenge.expires-after-one-hour", "offblocks.challenge.renewed-after-the-hour")

    def challenge_has_expired(self, challenge: Challenge) -> bool:
        age = self.now() - challenge.issued_at
        return age % timedelta(days=1) > self.challenge_lifetime()


class ForgetsTheDaysOfAKey(Fault, OffBlocks):
    """Takes the hours and minutes of an idempotency key's age alone, so that it is remembered again after a day."""

    breaks = ("offblocks.idempotency.key-free-after-an-hour",)

    def find_record(self, scope: Hashable) -> Record | None:
        record = self.records.get(scope)
        is_old = record is None or (self.now() - record.used_at) % timedelta(days=1) >= self.idempotency_lifetime()
        return None if is_old else record


class ProlongsKeysByRepetition(Fault, OffBlocks):
    """Remembers an idempotency key for an hour from its last use."""

    breaks = ("offblocks.idempotency.key-free-after-an-hour",)

    def find_record(self, scope: Hashable) -> Record | None:
        record = super().find_record(scope)
        if record is not None:
            record.used_at = self.now()
        return record


class AnswersRepetitionsBeforeTheDigest(Fault, OffBlocks):
    """Looks at no digest where a request comes again."""

    breaks = ("offblocks.digest.missing-refused", "offblocks.digest.mismatch-refused")

    def check_digest(self, call: Call) -> None:
        key = call.request.header("idempotency-key") or ""
        if self.find_record(self.idempotency_scope(call, key)) is None:
            super().check_digest(call)


class RemembersKeysOfUnsignedRequests(Fault, OffBlocks):
    """Uses an idempotency key up though the request is refused for its signature."""

    breaks = ("offblocks.signature.refusal-has-no-effect", "offblocks.idempotency.repeat-answered-alike")

    @cached_property
    def used_up(self) -> set[str]:
        """The keys of such requests."""
        return set()

    def check_request_signature(self, call: Call) -> None:
        try:
            super().check_request_signature(call)
        except Refused:
            self.used_up.add(call.request.header("idempotency-key") or "")
            raise

    def check_idempotency_key(self, call: Call) -> str | None:
        key = super().check_idempotency_key(call)
        if key in self.used_up:
            raise Refused(Reason.KEY_REUSED, "This Idempotency-Key came before.")
        return key


class SharesTheKeysOfLaterSteps(Fault, OffBlocks):
    """Remembers the idempotency keys of signing and simulating for all clients together."""

    breaks = ("offblocks.isolation.keys-apart",)

    def idempotency_scope(self, call: Call, key: str) -> Hashable:
        return super().idempotency_scope(call, key) if call.operation == "createCustomer" else key.lower()


class KeepsUsedSigningKeys(Fault, OffBlocks):
    """Keeps a signing key that has signed a request, also when it is removed."""

    breaks = ("offblocks.authentication.removed-key-refused",)

    @cached_property
    def used(self) -> dict[tuple[str, str], message_signatures.PublicKey]:
        """The keys that have signed, by client and id."""
        return {}

    def signing_key_for(self, tenant: Tenant, key_id: str) -> message_signatures.PublicKey | None:
        found = super().signing_key_for(tenant, key_id)
        if found is not None:
            self.used[tenant.name, key_id] = found
        return self.used.get((tenant.name, key_id))


class RespacesCommas(Fault, OffBlocks):
    """Puts one blank behind each comma of a field before it builds the signature base."""

    breaks = ("offblocks.signature.base-by-the-standard", "offblocks.signature.right-one-accepted")

    def verify_request_signature(self, tenant: Tenant, request: Request) -> tuple[str, ...]:
        lines = ((name, name.lower().startswith("signature"), value) for name, value in request.headers)
        headers = tuple((name, value if own else re.sub(r"\s*,\s*", ", ", value)) for name, own, value in lines)
        return super().verify_request_signature(tenant, replace(request, headers=headers))


class SendsEventsBeforeTheChange(Fault, OffBlocks):
    """Sends the event of a change with the state before it."""

    breaks = ("offblocks.webhook.sent-on-change",)

    def change_status(self, customer: Customer, status: str) -> None:
        self.announce(customer)
        customer.status = status
        customer.updated_at = self.now()


class RenewsTheChallengeOfADuplicate(Fault, OffBlocks):
    """Gives the first customer a new challenge when a second one of its pair is refused."""

    breaks = (
        "offblocks.response.refusal-changes-nothing",
        "offblocks.challenge.stays-until-signed",
        "offblocks.signing.hex-text-accepted",
    )

    def answer_to_duplicate(self, customer: Customer) -> Response:
        if self.awaits_signature(customer):
            self.issue_challenge(customer)
        return super().answer_to_duplicate(customer)


class RenewsTheChallengesOfOneWallet(Fault, OffBlocks):
    """Gives all customers of a wallet new challenges when a signature fails for one of them."""

    breaks = ("offblocks.challenge.stays-until-signed", "offblocks.signing.hex-text-accepted")

    async def sign_challenge(self, call: Call) -> Response:
        try:
            return await super().sign_challenge(call)
        except Refused as refusal:
            if refusal.reason is Reason.WALLET_SIGNATURE:
                own = self.find_customer(call)
                for other in self.customers.values():
                    if other is not own and other.account == own.account and self.awaits_signature(other):
                        self.issue_challenge(other)
            raise


class UpdatesWebhooksOfOthers(Fault, OffBlocks):
    """Updates a webhook by its id, whoever asks."""

    breaks = ("offblocks.isolation.no-action",)

    async def put_webhook(self, call: Call) -> Response:
        wanted = str(self.read_document(call.request).get("id", "")).lower()
        owner = next((tenant for tenant in self.tenants.values() if wanted in tenant.webhooks), call.tenant)
        return await super().put_webhook(replace(call, tenant=owner))


class RemovesTheKeysOfAll(Fault, OffBlocks):
    """Removes the signing keys of all clients when one of them removes its own."""

    breaks = ("offblocks.isolation.others-untouched", "offblocks.signature.right-one-accepted")

    async def delete_signing_key(self, call: Call) -> Response:
        for tenant in self.tenants.values():
            tenant.signing_keys = {}
        return await super().delete_signing_key(call)


class EscapesListedExternalIds(Fault, OffBlocks):
    """Writes the external ids of a list as a page of HTML does."""

    breaks = ("offblocks.customer.listed",)

    async def list_customers(self, call: Call) -> Response:
        response = await super().list_customers(call)
        listed = [{**each, "externalId": html.escape(each["externalId"])} for each in json.loads(response.body)]
        return replace(response, body=to_json(listed))


class GivesAddressesToWhoComesLast(Fault, OffBlocks):
    """Drops the webhook of another client when one with the same address is registered."""

    breaks = ("offblocks.webhook.sent-on-creation",)

    async def put_webhook(self, call: Call) -> Response:
        response = await super().put_webhook(call)
        address = json.loads(response.body).get("callbackUrl")
        for tenant in self.tenants.values():
            if tenant is not call.tenant:
                hooks = tenant.webhooks.items()
                tenant.webhooks = {name: hook for name, hook in hooks if hook.callback_url != address}
        return response


class SignsForAWholeWallet(Fault, OffBlocks):
    """Takes the signature of one customer for all who have the same wallet."""

    breaks = ("offblocks.flow.unsigned-stays-initiating",)

    def change_status(self, customer: Customer, status: str) -> None:
        super().change_status(customer, status)
        for other in self.customers.values():
            alike = other.tenant is customer.tenant and str(other.account).lower() == str(customer.account).lower()
            if alike and status == Status.SCREENING and self.awaits_signature(other):
                super().change_status(other, status)


class RejectsAWholeExternalId(Fault, OffBlocks):
    """Rejects all who have the external id of the one who is rejected."""

    breaks = ("offblocks.flow.unsigned-stays-initiating",)

    def change_status(self, customer: Customer, status: str) -> None:
        super().change_status(customer, status)
        for other in self.customers.values():
            alike = other.tenant is customer.tenant and other.external_id == customer.external_id
            if alike and status == Status.REJECTED and other.status != status:
                super().change_status(other, status)


class VerifiesWhoSignedLast(Fault, OffBlocks):
    """Verifies the customer who signed last, whoever is named in the path."""

    breaks = ("offblocks.flow.verified-becomes-active",)

    async def sign_challenge(self, call: Call) -> Response:
        response = await super().sign_challenge(call)
        self.__dict__.setdefault("signed", {})[call.tenant.name] = self.find_customer(call)
        return response

    async def verify_customer(self, call: Call) -> Response:
        self.find_customer(call)
        latest = self.__dict__.get("signed", {}).get(call.tenant.name)
        if latest is not None and self.may_verify(latest):
            call = replace(call, parameters={"customerId": latest.id})
        return await super().verify_customer(call)


class TakesWalletsForVerified(Fault, OffBlocks):
    """Has a customer begin as active whose wallet is an active customer's."""

    breaks = ("offblocks.customer.starts-initiating",)

    async def create_customer(self, call: Call) -> Response:
        response = await super().create_customer(call)
        latest = next(reversed(self.customers.values()), None)
        wallets = {
            str(each.account).lower()
            for each in self.customers.values()
            if each.status == Status.ACTIVE and each.tenant is call.tenant
        }
        if latest is None or json.loads(response.body).get("id") != latest.id:
            return response
        if str(latest.account).lower() not in wallets:
            return response
        latest.status = Status.ACTIVE
        return replace(response, body=to_json(self.creation_body(latest)))


class ReopensWhoIsSentAgain(Fault, OffBlocks):
    """Has a customer who is to be verified sign again when its pair is sent again, and refused."""

    breaks = ("offblocks.signing.moves-the-status",)

    def answer_to_duplicate(self, customer: Customer) -> Response:
        if customer.status == Status.VERIFYING:
            self.change_status(customer, Status.INITIATING)
        return super().answer_to_duplicate(customer)


class ForgetsWhoHasNotSigned(Fault, OffBlocks):
    """Removes a customer who has not signed for a week."""

    breaks = ("offblocks.challenge.fetched-with-200",)

    def customer_called(self, customer_id: str) -> Customer | None:
        found = super().customer_called(customer_id)
        is_left = found is not None and self.awaits_signature(found)
        return None if is_left and found and self.now() - found.created_at > timedelta(days=7) else found


class AnswersRepetitionsAfterTheTokensEnd(Fault, OffBlocks):
    """Answers a repetition also when its token has expired."""

    breaks = ("offblocks.authentication.expired-token-refused",)

    def authenticate(self, request: Request) -> Tenant:
        try:
            return super().authenticate(request)
        except Refused:
            token, key = self.bearer_token(request), request.header("idempotency-key")
            if key is None or not self.token_is_ours(token):
                raise
            tenant = self.tenant_of(self.claims_of(token))
            record = self.find_record(self.idempotency_scope(Call("", request, tenant, {}), key))
            if record is None or not self.same_payload(record.payload, self.payload(Call("", request, tenant, {}))):
                raise
            return tenant


class TakesUpThePayloadItRefuses(Fault, OffBlocks):
    """Remembers of an idempotency key the payload that came with it last, though that was refused."""

    breaks = ("offblocks.idempotency.repeat-answered-alike",)

    async def once(self, call: Call, key: str) -> Response:
        record = self.find_record(self.idempotency_scope(call, key))
        try:
            return await super().once(call, key)
        except Refused as refusal:
            if record is not None and refusal.reason is Reason.KEY_REUSED:
                record.payload = self.payload(call)
            raise


class DatesTheChallengeItRefusesAnew(Fault, OffBlocks):
    """Refuses an expired challenge once, and counts its hour from there."""

    breaks = ("offblocks.challenge.expires-after-one-hour", "offblocks.challenge.renewed-after-the-hour")

    def check_challenge(self, customer: Customer, sent: str) -> None:
        try:
            super().check_challenge(customer, sent)
        except Refused as refusal:
            if refusal.reason is Reason.EXPIRED_CHALLENGE:
                customer.challenges[-1] = replace(customer.challenges[-1], issued_at=self.now())
            raise


class GivesKeysToWhoUsesThemLast(Fault, OffBlocks):
    """Forgets a client's idempotency key once another client uses the same."""

    breaks = ("offblocks.idempotency.repeat-answered-alike",)

    async def once(self, call: Call, key: str) -> Response:
        own = self.idempotency_scope(call, key)
        for tenant in self.tenants.values():
            scope = self.idempotency_scope(replace(call, tenant=tenant), key)
            if scope != own:
                self.records.pop(scope, None)
        return await super().once(call, key)


class SignsInTheFirstDayAlone(Fault, OffBlocks):
    """Gives who has not signed new challenges for good, and takes none of them after a day."""

    breaks = ("offblocks.challenge.renewed-one-has-its-own-hour",)

    def check_challenge(self, customer: Customer, sent: str) -> None:
        super().check_challenge(customer, sent)
        if self.now() - customer.created_at > timedelta(days=1):
            raise Refused(Reason.EXPIRED_CHALLENGE, "The customer was created too long ago.")
