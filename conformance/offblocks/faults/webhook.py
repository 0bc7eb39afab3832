"""What can be wrong, or otherwise than the sandbox has it, with webhooks."""

import json
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from http import HTTPStatus
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from conformance.exchange import Response
from conformance.offblocks.sandbox import Call, Customer, OffBlocks, Status
from conformance.offblocks.sandbox.state import Reason, Refused, Webhook
from conformance.sandbox.deliveries import State
from conformance.sandbox.faults import Fault, Variation
from conformance.sandbox.messages import to_json


class AnswersRegistrationWith202(Fault, OffBlocks):
    """Answers the registration of a webhook with 202 instead of 200."""

    breaks = ("offblocks.webhook.registered", "offblocks.response.status-documented")

    async def put_webhook(self, call: Call) -> Response:
        return replace(await super().put_webhook(call), status=202)


class TakesNoIdsOfWebhooks(Fault, OffBlocks):
    """Refuses to change a webhook that is there."""

    breaks = ("offblocks.webhook.updated",)

    async def put_webhook(self, call: Call) -> Response:
        if "id" in call.request.members():
            raise Refused(Reason.WEBHOOK, "'id' is not taken.")
        return await super().put_webhook(call)


class SendsCreationsOnly(Fault, OffBlocks):
    """Sends an event for a new customer and for no change of it."""

    breaks = ("offblocks.webhook.sent-on-change",)

    def change_status(self, customer: Customer, status: str) -> None:
        customer.status = status
        customer.updated_at = self.now()


class AnnouncesNewCustomersAsScreening(Fault, OffBlocks):
    """Sends an event for a new customer in which it is at the next state already."""

    breaks = ("offblocks.webhook.sent-on-creation",)

    def event_body(self, customer: Customer) -> dict[str, Any]:
        event = super().event_body(customer)
        return {**event, "status": "screening"} if event["status"] == "initiating" else event


class SendsEventsWithoutId(Fault, OffBlocks):
    """Leaves the ``eventId`` out of events."""

    breaks = ("offblocks.webhook.event-matches-schema",)

    def event_body(self, customer: Customer) -> dict[str, Any]:
        event = super().event_body(customer)
        del event["eventId"]
        return event


class SendsEventsOnce(Fault, OffBlocks):
    """Takes any answer for a receipt."""

    breaks = ("offblocks.webhook.retried",)

    def is_received(self, status: int) -> bool:
        return True


class RetriesAfterAPause(Variation, OffBlocks):
    """Tries an event twice before the first pause."""

    permits = "API Reference, Webhooks, has an event tried a few times at once, and does not say how many."

    def tries_at_once(self) -> int:
        return 2


class TakesIdsOfWebhooks(Variation, OffBlocks):
    """Creates a webhook under an id that the client gives, which is that client's alone."""

    permits = "API Reference, Webhooks, has PUT create or update by `id`, and does not say who makes ids."

    async def put_webhook(self, call: Call) -> Response:
        document, own = self.read_document(call.request), call.tenant.webhooks
        wanted = self.read_member(document, "id").lower() if "id" in document else None
        if wanted is None or wanted in own:
            return await super().put_webhook(call)
        own[wanted] = Webhook(wanted, "", [], created_at=self.now(), updated_at=self.now())
        try:
            return await super().put_webhook(call)
        except Refused:
            del own[wanted]
            raise


class SendsEventsTwice(Variation, OffBlocks):
    """Sends every event twice."""

    permits = "API Reference, Webhooks, says that an event may come more than once."
    provokes = ("offblocks.client.survives-duplicates",)

    def webhook_addresses(self, customer: Customer) -> list[str]:
        return super().webhook_addresses(customer) * 2


class TakesGoneForAReceipt(Fault, OffBlocks):
    """Sends an event never again that was answered 404 or 410."""

    breaks = ("offblocks.webhook.retried",)

    def is_received(self, status: int) -> bool:
        return super().is_received(status) or status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}


class TellsOfNoRejection(Fault, OffBlocks):
    """Sends no event for a customer who was rejected."""

    breaks = ("offblocks.webhook.sent-on-change",)

    def announce(self, customer: Customer) -> None:
        if customer.status != Status.REJECTED:
            super().announce(customer)


class WritesEventsInLatin1(Fault, OffBlocks):
    """Replaces in events what does not fit into ISO 8859-1."""

    breaks = ("offblocks.webhook.event-matches-schema",)

    def event_body(self, customer: Customer) -> dict[str, Any]:
        event = super().event_body(customer)
        return {**event, "externalId": event["externalId"].encode("latin-1", "replace").decode("latin-1")}


class ForgetsWhereAWebhookMoved(Fault, OffBlocks):
    """Answers the update of a webhook as asked, and goes on with the address before."""

    breaks = ("offblocks.webhook.updated",)

    async def put_webhook(self, call: Call) -> Response:
        before = {name: hook.callback_url for name, hook in call.tenant.webhooks.items()}
        response = await super().put_webhook(call)
        for name, address in before.items():
            call.tenant.webhooks[name].callback_url = address
        return response


class SendsEveryTypeOfEvent(Fault, OffBlocks):
    """Sends events to all webhooks, whatever types they were registered for."""

    breaks = ("offblocks.webhook.only-its-types",)

    def webhook_addresses(self, customer: Customer) -> list[str]:
        hooks = customer.tenant.webhooks.values()
        return [hook.callback_url for hook in hooks] or super().webhook_addresses(customer)


class DropsTheOtherWebhooks(Fault, OffBlocks):
    """Keeps only the webhook that was updated."""

    breaks = ("offblocks.webhook.sent-on-creation",)

    async def put_webhook(self, call: Call) -> Response:
        before = set(call.tenant.webhooks)
        response = await super().put_webhook(call)
        updated = json.loads(response.body)["id"]
        if updated in before:
            call.tenant.webhooks = {updated: call.tenant.webhooks[updated]}
        return response


class DatesEventsBeforeTheChange(Fault, OffBlocks):
    """Shows in an event when the customer had changed before."""

    breaks = ("offblocks.webhook.event-matches-schema",)

    def change_status(self, customer: Customer, status: str) -> None:
        self.__dict__["before"] = customer.updated_at
        super().change_status(customer, status)

    def event_body(self, customer: Customer) -> dict[str, Any]:
        before = self.__dict__.pop("before", customer.updated_at)
        return {**super().event_body(customer), "updatedAt": self.format_time(before)}


class LooksAtTheFirstTypeOnly(Fault, OffBlocks):
    """Sends events to the webhooks whose first type is theirs."""

    breaks = ("offblocks.webhook.sent-on-creation",)

    def webhook_addresses(self, customer: Customer) -> list[str]:
        hooks = customer.tenant.webhooks.values()
        first = [hook.callback_url for hook in hooks if hook.types[:1] == ["customer.updated"]]
        return first if hooks else super().webhook_addresses(customer)


class WritesAddressesInSmallLetters(Fault, OffBlocks):
    """Sends events to addresses in small letters."""

    breaks = ("offblocks.webhook.sent-on-creation",)

    def webhook_addresses(self, customer: Customer) -> list[str]:
        return [address.lower() for address in super().webhook_addresses(customer)]


class KeepsTheTypesOfAWebhook(Fault, OffBlocks):
    """Answers the update of a webhook as asked, and goes on with the types before."""

    breaks = ("offblocks.webhook.sent-on-creation",)

    async def put_webhook(self, call: Call) -> Response:
        before = {name: hook.types for name, hook in call.tenant.webhooks.items()}
        response = await super().put_webhook(call)
        for name, types in before.items():
            call.tenant.webhooks[name].types = types
        return response


class TellsOfWhoIsRefused(Fault, OffBlocks):
    """Makes up a customer for a pair that it has, sends the event, and then refuses the creation."""

    breaks = ("offblocks.customer.no-second-for-a-pair",)

    def answer_to_duplicate(self, customer: Customer) -> Response:
        again = self.new_customer_id(customer.tenant, customer.account, customer.external_id)
        self.announce(replace(customer, id=again))
        return super().answer_to_duplicate(customer)


class GivesUpAtOnce(Fault, OffBlocks):
    """Tries an event a few times at once, and never later."""

    breaks = ("offblocks.webhook.retried",)

    def gives_up_after(self) -> timedelta:
        return timedelta()


class RetriesEveryMinute(Fault, OffBlocks):
    """Tries an event again after a minute, however often it was tried."""

    breaks = ("offblocks.webhook.backs-off",)

    def pause_before_retry(self, failures: int) -> timedelta:
        return timedelta(minutes=1)


class RetriesForAWeek(Fault, OffBlocks):
    """Tries an event again for seven days."""

    breaks = ("offblocks.webhook.dropped-after-a-day",)

    def gives_up_after(self) -> timedelta:
        return timedelta(days=7)


class RetriesWithinTheHour(Variation, OffBlocks):
    """Doubles the pause before the next try from a second on, with full jitter, up to an hour."""

    permits = "API Reference, Webhooks, has pauses grow with jitter, and says neither from where nor how far."

    def pause_before_retry(self, failures: int) -> timedelta:
        longest = min(timedelta(seconds=2 ** min(failures, 12)), timedelta(hours=1))
        return longest * self.jitter.below(1_000) / 1_000


class AddsTypesToTheFormerOnes(Fault, OffBlocks):
    """Adds the types with which a webhook is updated to those that it had."""

    breaks = ("offblocks.webhook.only-its-types",)

    async def put_webhook(self, call: Call) -> Response:
        hook = call.tenant.webhooks.get(str(self.read_document(call.request).get("id")))
        former = list(hook.types) if hook else []
        answer = await super().put_webhook(call)
        if hook:
            hook.types = list(dict.fromkeys([*former, *hook.types]))
        return answer


class MovesWebhooksItRefuses(Fault, OffBlocks):
    """Moves a webhook before it looks at the types, for which it refuses the update."""

    breaks = ("offblocks.webhook.sent-on-creation",)

    async def put_webhook(self, call: Call) -> Response:
        members = self.read_document(call.request)
        hook = call.tenant.webhooks.get(str(members.get("id")))
        if hook and isinstance(members.get("callbackUrl"), str):
            hook.callback_url = members["callbackUrl"]
        return await super().put_webhook(call)


class NumbersEventsByTheSecond(Fault, OffBlocks):
    """Makes the id of an event of its customer and the second, so that two changes in one second share it."""

    breaks = ("offblocks.webhook.event-ids-apart",)

    def event_body(self, customer: Customer) -> dict[str, Any]:
        name = f"{customer.id} {int(self.now().timestamp())}"
        return {**super().event_body(customer), "eventId": str(uuid5(NAMESPACE_URL, name))}


class _Persistence:
    """How persistently one event is sent: as others are, unless it says otherwise.

    Args:
        api: The sandbox that sends it.
        customer: Whose event it is.
        address: Where it goes.
    """

    def __init__(self, api: OffBlocks, customer: Customer, address: str) -> None:
        self.api, self.customer, self.address = api, customer, address
        self.of_state = customer.status

    def tries_at_once(self) -> int:
        return self.api.tries_at_once()

    def pause_before_retry(self, failures: int) -> timedelta:
        return self.api.pause_before_retry(failures)

    def gives_up_after(self) -> timedelta:
        return self.api.gives_up_after()

    def is_received(self, status: int) -> bool:
        return self.api.is_received(status)

    def follows_redirects(self) -> bool:
        return self.api.follows_redirects()


class _UntilTheNext(_Persistence):
    def gives_up_after(self) -> timedelta:
        return super().gives_up_after() if self.customer.status == self.of_state else timedelta(seconds=-1)


class DropsEventsOfFormerStates(Fault, OffBlocks):
    """Sends an event that was not received never again once its customer has another state."""

    breaks = ("offblocks.webhook.retried",)

    def announce(self, customer: Customer) -> None:
        event = to_json(self.event_body(customer))
        for address in self.webhook_addresses(customer):
            self.outbox.post(address, event, _UntilTheNext(self, customer, address))


class _NotingFailures(_Persistence):
    def pause_before_retry(self, failures: int) -> timedelta:
        self.api.__dict__.setdefault("given_up", set()).add(self.address)
        return super().pause_before_retry(failures)


class SwitchesFailingWebhooksOff(Fault, OffBlocks):
    """Sends no further event to an address that did not receive one at once."""

    breaks = ("offblocks.webhook.sent-on-creation",)

    def announce(self, customer: Customer) -> None:
        event = to_json(self.event_body(customer))
        for address in self.webhook_addresses(customer):
            if address not in self.__dict__.get("given_up", ()):
                self.outbox.post(address, event, _NotingFailures(self, customer, address))


class ForgetsWebhooksWithTheSigningKey(Fault, OffBlocks):
    """Sends a client no event any more when it has replaced its signing key."""

    breaks = ("offblocks.webhook.sent-on-change", "offblocks.webhook.sent-on-creation")

    @cached_property
    def _forgotten(self) -> set[str]:
        return set()

    async def put_signing_key(self, call: Call) -> Response:
        response = await super().put_signing_key(call)
        self._forgotten.add(call.tenant.name)
        return response

    def webhook_addresses(self, customer: Customer) -> list[str]:
        return [] if customer.tenant.name in self._forgotten else super().webhook_addresses(customer)


class TellsOfVerificationsItRefuses(Fault, OffBlocks):
    """Sends an event of an active customer before it looks whether the verification is pending."""

    breaks = ("offblocks.webhook.event-matches-schema",)

    def require(self, call: Call, customer: Customer, *, allowed: bool) -> None:
        if not allowed and call.operation == "verifyCustomer":
            self.announce(replace(customer, status=Status.ACTIVE))
        super().require(call, customer, allowed=allowed)


class SendsTheLaterStateAgain(Fault, OffBlocks):
    """Shows in an event that is sent again the customer as it is by then."""

    breaks = ("offblocks.webhook.retried",)

    def gives_up_after(self) -> timedelta:
        for pending in self.outbox.log:
            event = json.loads(pending.body)
            customer = self.customers.get(str(event.get("id")))
            if pending.state is State.WAITING and customer is not None:
                pending.body = to_json({**event, **self.customer_body(customer)})
        return super().gives_up_after()


class _StoppingOthers(_Persistence):
    def pause_before_retry(self, failures: int) -> timedelta:
        self.api.__dict__["has_failed"] = True
        return super().pause_before_retry(failures)


class StopsAtTheFirstAddressThatFailed(Fault, OffBlocks):
    """Sends events to the first address alone once an address did not receive one at once."""

    breaks = ("offblocks.webhook.sent-on-creation",)

    def announce(self, customer: Customer) -> None:
        event, addresses = to_json(self.event_body(customer)), self.webhook_addresses(customer)
        for address in addresses[:1] if self.__dict__.get("has_failed") else addresses:
            self.outbox.post(address, event, _StoppingOthers(self, customer, address))
