"""What can be wrong, or otherwise than the sandbox has it, with webhooks."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from http import HTTPStatus
from typing import Any

from conformance.exchange import Headers, Request, Response
from conformance.planbok import webhooks
from conformance.planbok.faults.list import with_another_key
from conformance.planbok.sandbox import (
    Call,
    Challenge,
    Customer,
    Planbok,
    Reason,
    Refused,
    Secret,
    Status,
    Task,
    Tenant,
    WrongEntry,
)
from conformance.sandbox.deliveries import State
from conformance.sandbox.faults import Fault, Variation
from conformance.sandbox.messages import to_json
from conformance.standards.hd_keys import Curve

_OF_THE_SET_UP = {"customer.created", "customer.pin_setup"}


class AnnouncesNoWallets(Fault, Planbok):
    """Sends no ``wallet.created``."""

    breaks = ("planbok.webhook.wallet-created-sent",)

    def wallet_events(self, challenge: Challenge) -> list[dict[str, Any]]:
        return []


class AnnouncesTheFirstWalletOnly(Fault, Planbok):
    """Sends ``wallet.created`` for the first chain of a challenge alone."""

    breaks = (
        "planbok.webhook.wallet-created-sent",
        "planbok.webhook.one-for-each-wallet",
        "planbok.webhook.agrees-with-list",
    )

    def wallet_events(self, challenge: Challenge) -> list[dict[str, Any]]:
        return super().wallet_events(challenge)[:1]


class AnnouncesWalletsBeforehand(Fault, Planbok):
    """Sends ``wallet.created`` when wallets are asked for."""

    breaks = ("planbok.webhook.not-before-completion", "planbok.webhook.none-for-a-failed-challenge")

    def create_wallets(self, call: Call) -> Response:
        response = super().create_wallets(call)
        self.announce(self.customer_for(call), "wallet.created")
        return response


class AnnouncesCancelledWallets(Fault, Planbok):
    """Sends ``wallet.created`` for a challenge that was cancelled."""

    breaks = ("planbok.webhook.none-for-a-failed-challenge",)

    def cancel(self, challenge: Challenge) -> None:
        super().cancel(challenge)
        if challenge.task is Task.CREATE_WALLETS:
            self.announce(challenge.customer, "wallet.created")


class AnnouncesWalletsTooSoon(Fault, Planbok):
    """Sends ``wallet.created`` half a minute before the wallet can be read."""

    breaks = ("planbok.webhook.wallet-readable-then",)

    def list_lag(self) -> timedelta:
        return timedelta(seconds=30)

    def get_wallet(self, call: Call) -> Response:
        wallets = [wallet for customer in self.customers.values() for wallet in customer.wallets]
        if any(wallet.id == call.parameters["id"] and not self.is_listed(wallet) for wallet in wallets):
            raise Refused(Reason.UNKNOWN_WALLET, "The wallet is not there yet.")
        return super().get_wallet(call)


class AnnouncesWalletsBeforeTheEnd(Fault, Planbok):
    """Sends ``wallet.created`` three seconds before the challenge is seen to have ended."""

    breaks = ("planbok.webhook.not-before-completion",)

    def status_shown(self, challenge: Challenge) -> str:
        return Status.PENDING.value if self.is_fresh(challenge) else super().status_shown(challenge)

    def result_is_readable(self, challenge: Challenge) -> bool:
        return not self.is_fresh(challenge) and super().result_is_readable(challenge)

    def is_fresh(self, challenge: Challenge) -> bool:
        return challenge.ended_at is not None and self.now() - challenge.ended_at < timedelta(seconds=3)


class AnnouncesWalletsThatNeverAre(Fault, Planbok):
    """Names wallets in ``wallet.created`` by ids that no wallet ever has."""

    breaks = ("planbok.webhook.wallet-readable-then",)

    def wallet_events(self, challenge: Challenge) -> list[dict[str, Any]]:
        return [{**event, "id": self.new_object_id()} for event in super().wallet_events(challenge)]


class AnnouncesOtherAddresses(Fault, Planbok):
    """Tells of addresses that are not those of the wallets."""

    breaks = ("planbok.webhook.agrees-with-list",)

    def wallet_events(self, challenge: Challenge) -> list[dict[str, Any]]:
        wallets = [with_another_key(self, challenge.customer, wallet) for wallet in challenge.wallets]
        return super().wallet_events(replace(challenge, wallets=wallets))


class AnnouncesWalletsTwice(Fault, Planbok):
    """Sends two events for each wallet, with ids of their own."""

    breaks = ("planbok.webhook.one-for-each-wallet",)

    def wallet_events(self, challenge: Challenge) -> list[dict[str, Any]]:
        return super().wallet_events(challenge) * 2


class TellsNothingOfTheSetUp(Fault, Planbok):
    """Sends no event for a new customer or a new PIN."""

    breaks = ("planbok.webhook.customer-events-sent",)

    def announce(self, customer: Customer, event: str) -> None:
        if event not in _OF_THE_SET_UP:
            super().announce(customer, event)


class TellsNothingOfSecurity(Fault, Planbok):
    """Sends no event for a lock-out or a recovery."""

    breaks = ("planbok.webhook.security-events-sent",)

    def announce(self, customer: Customer, event: str) -> None:
        if event in _OF_THE_SET_UP:
            super().announce(customer, event)


class DatesRecoveriesBeforeTheyBegan(Fault, Planbok):
    """Dates ``customer.recovery_completed`` a minute before it happened."""

    breaks = ("planbok.webhook.recovery-in-turn",)

    def event_body(self, event: str, event_id: str, data: Mapping[str, Any]) -> dict[str, Any]:
        body = super().event_body(event, event_id, data)
        if event != "customer.recovery_completed":
            return body
        return {**body, "timestamp": (self.now() - timedelta(minutes=1)).isoformat()}


class SendsEventsWithoutTime(Fault, Planbok):
    """Leaves the ``timestamp`` out of events."""

    breaks = ("planbok.webhook.event-matches-schema",)

    def event_body(self, event: str, event_id: str, data: Mapping[str, Any]) -> dict[str, Any]:
        body = super().event_body(event, event_id, data)
        del body["timestamp"]
        return body


class SendsUnsignedEvents(Fault, Planbok):
    """Sends events without signature and timestamp."""

    breaks = ("planbok.webhook.signed", "planbok.webhook.signed-bytes")

    def event_headers(self, tenant: Tenant, event: str, event_id: str, body: bytes) -> Headers:
        return super().event_headers(tenant, event, event_id, body)[2:]


class SignsWithTheApiKey(Fault, Planbok):
    """Signs events with the API key instead of the secret."""

    breaks = ("planbok.webhook.signed", "planbok.webhook.signed-bytes")
    provokes = ("planbok.client.checks-webhook-signature",)

    def webhook_secret(self, tenant: Tenant) -> str:
        return tenant.api_key


class SignsTheBeginningOfTheBody(Fault, Planbok):
    """Leaves what an event says out of its signature."""

    breaks = ("planbok.webhook.signed", "planbok.webhook.signed-bytes")

    def signed_body(self, body: bytes) -> bytes:
        return body.partition(b'"data"')[0]


class SignsRetriesAsBefore(Fault, Planbok):
    """Signs an event once, whenever it is sent."""

    breaks = ("planbok.webhook.timestamp-is-fresh",)

    def event_headers(self, tenant: Tenant, event: str, event_id: str, body: bytes) -> Headers:
        happened = datetime.fromisoformat(json.loads(body)["timestamp"])
        signature = webhooks.sign(self.signed_body(body), self.webhook_secret(tenant), happened)
        return (*signature.items(), *super().event_headers(tenant, event, event_id, body)[2:])


class SignsByASlowClock(Fault, Planbok):
    """Signs events with a time that is six minutes old."""

    breaks = ("planbok.webhook.timestamp-is-fresh",)
    provokes = ("planbok.client.checks-webhook-age",)

    def signed_at(self) -> datetime:
        return super().signed_at() - timedelta(minutes=6)


class GivesAllEventsOneId(Fault, Planbok):
    """Sends all events with the same id."""

    breaks = ("planbok.webhook.event-id",)

    def new_event_id(self) -> str:
        return "00000000-0000-4000-8000-000000000000"


class LeavesTheEventIdOut(Fault, Planbok):
    """Leaves the id out of events, from the body and from the header."""

    breaks = ("planbok.webhook.event-id",)

    def event_body(self, event: str, event_id: str, data: Mapping[str, Any]) -> dict[str, Any]:
        body = super().event_body(event, event_id, data)
        del body["idempotencyKey"]
        return body

    def event_headers(self, tenant: Tenant, event: str, event_id: str, body: bytes) -> Headers:
        return super().event_headers(tenant, event, event_id, body)[:-1]


class InventsEventNames(Fault, Planbok):
    """Sends an event beside each about a customer that no source names."""

    breaks = ("planbok.webhook.event-names",)

    def announce(self, customer: Customer, event: str) -> None:
        super().announce(customer, event)
        super().announce(customer, "customer.changed")


class TriesNothingAgain(Fault, Planbok):
    """Takes any answer for a receipt."""

    breaks = ("planbok.webhook.retried-alike",)

    def is_received(self, status: int) -> bool:
        return True


class TakesRedirectsForReceipts(Fault, Planbok):
    """Takes a redirect for a receipt."""

    breaks = ("planbok.webhook.retried-alike",)

    def is_received(self, status: int) -> bool:
        return status < HTTPStatus.BAD_REQUEST


class RetriesUnderNewIds(Fault, Planbok):
    """Sends an event again with another id, which is in the header alone."""

    breaks = ("planbok.webhook.retried-alike",)

    def event_body(self, event: str, event_id: str, data: Mapping[str, Any]) -> dict[str, Any]:
        body = super().event_body(event, event_id, data)
        del body["idempotencyKey"]
        return body

    def event_headers(self, tenant: Tenant, event: str, event_id: str, body: bytes) -> Headers:
        return super().event_headers(tenant, event, self.new_event_id(), body)


class SendsOneEventForAChallenge(Variation, Planbok):
    """Sends one ``wallet.created`` with all wallets of a challenge."""

    permits = "Provisioning Customer Wallets, Option C, does not say whether each wallet has an event."

    def wallet_events(self, challenge: Challenge) -> list[dict[str, Any]]:
        wallets = super().wallet_events(challenge)
        event = {"customerId": challenge.customer.id, "challengeId": challenge.id, "wallets": wallets}
        return [event] if wallets else []


class NamesCustomersByTheirRefId(Variation, Planbok):
    """Names a customer in its events by the caller's own id alone."""

    permits = "Webhooks does not show what an event about a customer holds."

    def announce(self, customer: Customer, event: str) -> None:
        self.send(customer.tenant, event, {"refId": customer.ref_id})


class NamesWalletsAlone(Variation, Planbok):
    """Says no more of a new wallet than its id, and whose it is."""

    permits = "The body of wallet.created in Provisioning Customer Wallets is lost."

    def wallet_events(self, challenge: Challenge) -> list[dict[str, Any]]:
        return [{"walletId": wallet.id, "customerId": challenge.customer.id} for wallet in challenge.wallets]


class SendsEventsWithoutIdempotencyKey(Variation, Planbok):
    """Gives the id of an event in the header alone."""

    permits = "The sample body of the beta's receiver has no idempotencyKey."

    def event_body(self, event: str, event_id: str, data: Mapping[str, Any]) -> dict[str, Any]:
        body = super().event_body(event, event_id, data)
        del body["idempotencyKey"]
        return body


class SendsEventsInReverse(Variation, Planbok):
    """Sends the events of a challenge in the reverse order of its chains."""

    permits = "Webhooks is silent on the order of events."
    provokes = ("planbok.client.survives-reordering",)

    def wallet_events(self, challenge: Challenge) -> list[dict[str, Any]]:
        return super().wallet_events(challenge)[::-1]


class SendsEachEventTwice(Variation, Planbok):
    """Sends every event twice."""

    permits = "Webhooks gives each event a key to know it by when it comes more than once."
    provokes = ("planbok.client.survives-duplicates",)

    def webhook_addresses(self, tenant: Tenant) -> list[str]:
        return super().webhook_addresses(tenant) * 2


class SendsEventsBeforeTheReturn(Variation, Planbok):
    """Sends the events of a completed challenge before the customer is sent back."""

    permits = "Provisioning Customer Wallets, Option C, does not say which of the two comes first."

    async def answer_at(self, mount: str, request: Request, path: str) -> Response:
        response = await super().answer_at(mount, request, path)
        await self.outbox.flush()
        return response


class SendsEventsAfterAPause(Variation, Planbok):
    """Sends events some seconds after what they tell of."""

    permits = "Provisioning Customer Wallets, Option C, does not say how long it is directly after the completion."

    def tries_at_once(self) -> int:
        return 0

    def pause_before_retry(self, failures: int) -> timedelta:
        return super().pause_before_retry(failures) if failures else timedelta(seconds=6)


class RetriesAfterALongPause(Variation, Planbok):
    """Sends an event again after a quarter of an hour."""

    permits = "Webhooks is silent on when an event is sent again."

    def pause_before_retry(self, failures: int) -> timedelta:
        return timedelta(minutes=15)


class SendsChallengeCompletedAsWell(Variation, Planbok):
    """Sends ``challenge.completed`` for every challenge that was completed."""

    permits = "The demo client takes this event, which Webhooks does not list."

    def complete(self, challenge: Challenge) -> None:
        super().complete(challenge)
        data = {"challengeId": challenge.id, "customerId": challenge.customer.id}
        self.send(challenge.customer.tenant, "challenge.completed", data)


class SignsTheBodyWrittenAgain(Variation, Planbok):
    """Sends events with blanks, and signs them as JavaScript writes them again."""

    permits = "The demo client verifies the body that it has parsed and written again."
    provokes = ("planbok.client.checks-webhook-signature",)

    def write_event(self, event: Mapping[str, Any]) -> bytes:
        return json.dumps(event).encode()

    def signed_body(self, body: bytes) -> bytes:
        return to_json(json.loads(body))


class AnnouncesAnHourLate(Fault, Planbok):
    """Sends events an hour after what they tell of."""

    breaks = (
        "planbok.webhook.wallet-created-sent",
        "planbok.webhook.customer-events-sent",
        "planbok.webhook.security-events-sent",
    )

    def tries_at_once(self) -> int:
        return 0

    def pause_before_retry(self, failures: int) -> timedelta:
        return super().pause_before_retry(failures) if failures else timedelta(hours=1)


class SendsEventsToAnotherOrganization(Fault, Planbok):
    """Sends the events of all organizations to the webhook of one."""

    breaks = ("planbok.webhook.own-events-only",)

    def webhook_addresses(self, tenant: Tenant) -> list[str]:
        return [self.outbox.address] if self.outbox.address else []


class FollowsRedirects(Fault, Planbok):
    """Goes wherever a receiver sends it, and takes the answer there for a receipt."""

    breaks = ("planbok.webhook.retried-alike",)
    category = "F202"

    def follows_redirects(self) -> bool:
        return True


class NamesWalletCreatedOtherwise(Fault, Planbok):
    """Tells of new wallets by a name that no source has."""

    breaks = ("planbok.webhook.wallet-created-sent", "planbok.webhook.event-names")

    def event_body(self, event: str, event_id: str, data: Mapping[str, Any]) -> dict[str, Any]:
        return super().event_body(event.replace("wallet.created", "wallet.provisioned"), event_id, data)


class TellsOfALockOutOnce(Fault, Planbok):
    """Sends ``customer.locked_out`` at a customer's first lock-out alone."""

    breaks = ("planbok.webhook.security-events-sent",)

    @cached_property
    def told(self) -> set[str]:
        """The customers whose lock-out was told."""
        return set()

    def announce(self, customer: Customer, event: str) -> None:
        if event != "customer.locked_out" or customer.id not in self.told:
            super().announce(customer, event)
        if event == "customer.locked_out":
            self.told.add(customer.id)


class SignsEventsEscaped(Fault, Planbok):
    """Signs an event with escapes for all letters but those of ASCII, and sends it without."""

    breaks = ("planbok.webhook.signed", "planbok.webhook.signed-bytes")

    def signed_body(self, body: bytes) -> bytes:
        return json.dumps(json.loads(body), separators=(",", ":")).encode()


class NamesTheLatestCustomer(Fault, Planbok):
    """Names the customer who was created last in events about anybody's wallets."""

    breaks = ("planbok.webhook.agrees-with-list", "planbok.webhook.not-before-completion")

    def wallet_events(self, challenge: Challenge) -> list[dict[str, Any]]:
        latest = self.customers_of(challenge.customer.tenant)[-1].id
        return [{**event, "customer": latest, "customerId": latest} for event in super().wallet_events(challenge)]


class DropsEventsWhileOneWaits(Fault, Planbok):
    """Sends no event while another one waits to be sent again."""

    breaks = ("planbok.webhook.customer-events-sent",)

    def send(self, tenant: Tenant, event: str, data: Mapping[str, Any]) -> None:
        if all(each.state is not State.WAITING for each in self.outbox.log):
            super().send(tenant, event, data)


class AnnouncesThePinWhenAskedFor(Fault, Planbok):
    """Sends ``customer.pin_setup`` when the page for it is asked for."""

    breaks = ("planbok.webhook.none-before-it-happened",)

    def initialize_customer(self, call: Call) -> Response:
        response = super().initialize_customer(call)
        self.announce(self.customer_for(call), "customer.pin_setup")
        return response


class AnnouncesEachWrongPin(Fault, Planbok):
    """Sends ``customer.locked_out`` at each wrong PIN."""

    breaks = ("planbok.webhook.none-before-it-happened",)

    def guess(self, challenge: Challenge, secret: Secret, attempt: str, name: str) -> None:
        try:
            super().guess(challenge, secret, attempt, name)
        except WrongEntry:
            self.announce(challenge.customer, "customer.locked_out")
            raise


class AnnouncesNoEdwardsKeys(Fault, Planbok):
    """Sends no ``wallet.created`` for wallets whose keys are of Ed25519."""

    breaks = ("planbok.webhook.wallet-created-sent", "planbok.webhook.agrees-with-list")

    def wallet_events(self, challenge: Challenge) -> list[dict[str, Any]]:
        edwards = {wallet.id for wallet in challenge.wallets if wallet.chain.curve is Curve.ED25519}
        return [event for event in super().wallet_events(challenge) if event["id"] not in edwards]


class NumbersEachTry(Fault, Planbok):
    """Gives each try to deliver an event another ``X-Webhook-Id``."""

    breaks = ("planbok.webhook.retried-alike",)

    def event_headers(self, tenant: Tenant, event: str, event_id: str, body: bytes) -> Headers:
        return super().event_headers(tenant, event, self.new_event_id(), body)


class AnnouncesCancelledResetsAsDone(Fault, Planbok):
    """Sends ``customer.recovery_completed`` of a reset that was cancelled."""

    breaks = ("planbok.webhook.none-before-it-happened",)

    def cancel(self, challenge: Challenge) -> None:
        super().cancel(challenge)
        if challenge.task is Task.RESET_PIN:
            self.announce(challenge.customer, "customer.recovery_completed")


class AnnouncesResetsCancelledHalfway(Fault, Planbok):
    """Sends ``customer.recovery_completed`` of a reset that was cancelled after the answers."""

    breaks = ("planbok.webhook.none-before-it-happened",)

    def cancel(self, challenge: Challenge) -> None:
        super().cancel(challenge)
        if challenge.task is Task.RESET_PIN and challenge.visits:
            self.announce(challenge.customer, "customer.recovery_completed")
