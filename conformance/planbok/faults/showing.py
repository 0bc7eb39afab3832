"""What can be wrong with one fact that is shown in several places, or at several times."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from conformance.exchange import Request, Response
from conformance.planbok.gateway import Step
from conformance.planbok.sandbox import PURPOSES, Call, Challenge, Customer, Planbok, Status, Task, Wallet
from conformance.sandbox.faults import Fault
from conformance.sandbox.messages import json_response
from conformance.sandbox.service import Operation

_PAIR = re.compile(rb"\\u[Dd][89ABab][0-9A-Fa-f]{2}\\u[Dd][C-Fc-f][0-9A-Fa-f]{2}")


class ListsRefIdsInLowerCase(Fault, Planbok):
    """Shows a ``refId`` in lower case in the list of customers."""

    breaks = ("planbok.customer.names-kept",)

    def list_customers(self, call: Call) -> Response:
        response = super().list_customers(call)
        body = response.members()
        for shown in body["data"]:
            shown["refId"] = shown["refId"].lower()
        return json_response(response.status, body)


class ShowsTheTimeOfTheLastChange(Fault, Planbok):
    """Shows as ``createdAt`` of a customer when it was changed last."""

    breaks = ("planbok.response.times-stay",)

    def customer_json(self, customer: Customer) -> dict[str, Any]:
        return {**super().customer_json(customer), "createdAt": self.time(customer.updated_at)}


class CountsTheExpiryFromEachReading(Fault, Planbok):
    """Shows as ``expiresAt`` of a challenge what is 15 minutes after each reading."""

    breaks = ("planbok.response.times-stay",)

    def challenge_json(self, challenge: Challenge) -> dict[str, Any]:
        return {**super().challenge_json(challenge), "expiresAt": self.time(self.now() + self.challenge_lifetime())}


class DatesWalletsAsTheyAreRead(Fault, Planbok):
    """Shows as ``createdAt`` of a wallet the time of the reading."""

    breaks = ("planbok.response.times-stay",)

    def wallet_json(self, customer: Customer, wallet: Wallet) -> dict[str, Any]:
        return {**super().wallet_json(customer, wallet), "createdAt": self.time(self.now())}


class WritesLocalTimeAsUtc(Fault, Planbok):
    """Writes all times an hour ahead, with the sign of UTC."""

    breaks = ("planbok.response.times-right",)

    def time(self, instant: datetime) -> str:
        return super().time(instant + timedelta(hours=1))


class DatesEventsAnHourAhead(Fault, Planbok):
    """Writes the ``timestamp`` of events an hour ahead."""

    breaks = ("planbok.response.times-right",)

    def event_body(self, event: str, event_id: str, data: Mapping[str, Any]) -> dict[str, Any]:
        ahead = self.time(self.now() + timedelta(hours=1))
        return {**super().event_body(event, event_id, data), "timestamp": ahead}


class ShowsAnHourOfLife(Fault, Planbok):
    """Shows as ``expiresAt`` of a challenge an hour after its issue, though it expires after 15 minutes."""

    breaks = ("planbok.response.times-right",)

    def challenge_json(self, challenge: Challenge) -> dict[str, Any]:
        return {**super().challenge_json(challenge), "expiresAt": self.time(challenge.issued_at + timedelta(hours=1))}


class TurnsTheNamesOfWalletsAround(Fault, Planbok):
    """Gives the names of wallets to their chains in reverse order."""

    breaks = ("planbok.result.wallet-names-kept",)

    def complete(self, challenge: Challenge) -> None:
        challenge.names = challenge.names[::-1]
        super().complete(challenge)


class ListsExpiredChallengesAsPending(Fault, Planbok):
    """Filters challenges by a status that they are no longer shown with, once they have expired."""

    breaks = ("planbok.challenge.filtered-by-status",)

    def list_challenges(self, call: Call) -> Response:
        customer = self.customer_for(call)
        wanted = dict(parse_qsl(call.request.query)).get("status")
        chosen = [each for each in self.challenges_listed(customer) if wanted in (None, each.status.value)]
        return self.page_of(call, [self.challenge_json(each) for each in chosen], "Challenges")


class IgnoresTheStatusOfAFilter(Fault, Planbok):
    """Lists all challenges of a customer whatever status is asked for."""

    breaks = ("planbok.challenge.filtered-by-status",)

    def list_challenges(self, call: Call) -> Response:
        found = [self.challenge_json(each) for each in self.challenges_listed(self.customer_for(call))]
        return self.page_of(call, found, "Challenges")


class NamesTheNewestCustomerInWarnings(Fault, Planbok):
    """Names the newest customer in the events of a lock-out and of a recovery, whoever it was."""

    breaks = ("planbok.webhook.security-events-sent",)

    def announce(self, customer: Customer, event: str) -> None:
        about = customer if event in {"customer.created", "customer.pin_setup"} else [*self.customers.values()][-1]
        super().announce(about, event)


class NamesOneChainOnThePage(Fault, Planbok):
    """Shows on the page the first of the chains that the PIN authorizes."""

    breaks = ("planbok.page.chains-shown",)

    def show(self, challenge: Challenge, step: Step, visit: str, **options: Any) -> Response:
        return super().show(replace(challenge, chains=challenge.chains[:1]), step, visit, **options)


class NamesTheChainsOfTheLatest(Fault, Planbok):
    """Shows on each page of a customer the chains of the challenge that was issued last."""

    breaks = ("planbok.page.chains-shown",)

    def show(self, challenge: Challenge, step: Step, visit: str, **options: Any) -> Response:
        latest = [each for each in challenge.customer.challenges if each.task is challenge.task][-1]
        return super().show(replace(challenge, chains=latest.chains), step, visit, **options)


class CallsLaterWalletsAChangeOfThePin(Fault, Planbok):
    """Says of a challenge for wallets, when another one was completed, that it changes the PIN."""

    breaks = ("planbok.page.purpose-shown",)

    def purpose(self, challenge: Challenge) -> str:
        is_later = challenge.task is Task.CREATE_WALLETS and challenge.customer.wallets
        return PURPOSES[Task.UPDATE_PIN] if is_later else super().purpose(challenge)


class ReturnsWithTheIdOfTheLatest(Fault, Planbok):
    """Sends the customer back with the id of the challenge that was issued last."""

    breaks = ("planbok.page.return-query",)

    def return_parameters(self, challenge: Challenge) -> dict[str, str]:
        return {**super().return_parameters(challenge), "challengeId": challenge.customer.challenges[-1].id}


class ReturnsVerifiedAlways(Fault, Planbok):
    """Sends the customer back with the status of success, though the challenge was cancelled."""

    breaks = ("planbok.page.return-tells-no-success",)

    def return_parameters(self, challenge: Challenge) -> dict[str, str]:
        return {**super().return_parameters(challenge), "status": Status.VERIFIED.value}


class TellsTheAnswers(Fault, Planbok):
    """Shows the answers in the challenges by which recovery was set up."""

    breaks = ("planbok.page.answers-kept-secret",)

    @cached_property
    def told(self) -> dict[str, list[str]]:
        """What was answered last, by the customer's id."""
        return {}

    def set_recovery(self, customer: Customer, fields: Mapping[str, str]) -> None:
        super().set_recovery(customer, fields)
        self.told[customer.id] = [fields["answer_1"], fields["answer_2"]]

    def challenge_json(self, challenge: Challenge) -> dict[str, Any]:
        is_of_recovery = challenge.task in {Task.INITIALIZE, Task.RECOVERY}
        answers = self.told.get(challenge.customer.id) if is_of_recovery else None
        return {**super().challenge_json(challenge), **({"metadata": {"answers": answers}} if answers else {})}


class ShowsTheFormerPin(Fault, Planbok):
    """Shows in the list of customers the PIN that one had before, as a hint."""

    breaks = ("planbok.page.pin-kept-secret",)

    @cached_property
    def pins(self) -> dict[str, list[str]]:
        """The PINs that each customer had, by the customer's id."""
        return {}

    def set_pin(self, customer: Customer, pin: str) -> None:
        super().set_pin(customer, pin)
        self.pins.setdefault(customer.id, []).append(pin)

    def customer_json(self, customer: Customer) -> dict[str, Any]:
        former = self.pins.get(customer.id, [])[:-1]
        return {**super().customer_json(customer), **({"hint": former[-1]} if former else {})}


class ListsTimesWithoutZone(Fault, Planbok):
    """Lists ``expiresAt`` of challenges without its zone."""

    breaks = ("planbok.response.times-stay",)

    def list_challenges(self, call: Call) -> Response:
        response = super().list_challenges(call)
        body = response.members()
        for shown in body["data"]:
            shown["expiresAt"] = shown["expiresAt"].rstrip("Z")
        return json_response(response.status, body)


class DatesNewWalletsByTheRequest(Fault, Planbok):
    """Writes as the ``timestamp`` of ``wallet.created`` when the wallet was asked for."""

    breaks = ("planbok.response.times-right",)

    def event_body(self, event: str, event_id: str, data: Mapping[str, Any]) -> dict[str, Any]:
        body = super().event_body(event, event_id, data)
        if event != "wallet.created":
            return body
        asked = next(each for each in self.challenges.values() if each.id == data["challengeId"])
        return {**body, "timestamp": self.time(asked.issued_at)}


class LosesEscapedPairs(Fault, Planbok):
    """Reads a character that JSON writes as a pair of escapes as one that is not there."""

    breaks = ("planbok.customer.names-kept",)

    async def perform(self, operation: Operation, request: Request, parameters: Mapping[str, str]) -> Response:
        body = _PAIR.sub(rb"\\ufffd", request.body)
        return await super().perform(operation, replace(request, body=body), parameters)
