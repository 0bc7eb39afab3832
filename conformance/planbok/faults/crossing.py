"""What can be wrong where two concerns meet, when something is begun before, and with what is another's."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from conformance.clock import pause
from conformance.exchange import Request, Response
from conformance.planbok.chains import CHAINS
from conformance.planbok.gateway import Step
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
from conformance.sandbox.faults import Fault
from conformance.sandbox.messages import read_object


class JoinsAnswersWithoutSeam(Fault, Planbok):
    """Compares both answers as one text, so that a letter may move from one to the other."""

    breaks = ("planbok.customer.pin-guarded",)

    def hash(self, text: str) -> str:
        return super().hash(text.replace("\n", ""))

    def is_right(self, secret: Secret, attempt: str) -> bool:
        return super().is_right(secret, attempt.replace("\n", ""))


class TakesTypesThatBeginWithEoa(Fault, Planbok):
    """Takes any ``accountType`` that begins with ``eoa``, in whatever letter case."""

    breaks = ("planbok.challenge.other-account-type-refused",)

    def check_account_type(self, document: Mapping[str, Any]) -> None:
        if not str(document.get("accountType", "")).lower().startswith("eoa"):
            super().check_account_type(document)


class ProlongsChallengesByWrongPins(Fault, Planbok):
    """Gives a challenge another 15 minutes with each wrong PIN."""

    breaks = ("planbok.challenge.expires-after-15-minutes",)

    def guess(self, challenge: Challenge, secret: Secret, attempt: str, name: str) -> None:
        try:
            super().guess(challenge, secret, attempt, name)
        except WrongEntry:
            challenge.expires_at = self.now() + self.challenge_lifetime()
            raise


class ForgetsTheDaysOfExpiry(Fault, Planbok):
    """Takes the hours and minutes of a challenge's age alone, so that it holds again after a day."""

    breaks = ("planbok.challenge.expires-after-15-minutes",)

    def has_expired(self, challenge: Challenge) -> bool:
        return (self.now() - challenge.issued_at) % timedelta(days=1) >= self.challenge_lifetime()


class ForgetsRecoveryThatIsBegunAnew(Fault, Planbok):
    """Forgets the answers as soon as others are to be set."""

    breaks = ("planbok.customer.has-recovery",)

    def set_up_recovery(self, call: Call) -> Response:
        response = super().set_up_recovery(call)
        self.customer_for(call).answers = Secret()
        return response


class LetsReadOnlyKeysRepeat(Fault, Planbok):
    """Lets a read-only key repeat a POST that another key sent."""

    breaks = ("planbok.key.read-only-refused",)

    def check_permission(self, call: Call) -> None:
        key = read_object(call.request.body).get("idempotencyKey")
        if not isinstance(key, str) or (call.tenant.name, self.key_remembered(key)) not in self.answered:
            super().check_permission(call)


class SharesIdempotencyKeysOfOrganizations(Fault, Planbok):
    """Answers a request as it answered the same one of another organization."""

    breaks = ("planbok.customer.created",)

    def once(self, call: Call) -> Response:
        key = read_object(call.request.body).get("idempotencyKey")
        answered: list[tuple[Any, Any]] = list(self.answered.items())
        own = call.operation, tuple(sorted(call.parameters.items())), call.request.body
        for (_, known), (payload, response) in answered:
            if isinstance(key, str) and known == self.key_remembered(key) and payload == own:
                again: Response = response
                return again
        return super().once(call)


class GivesChallengesOfOthersAgain(Fault, Planbok):
    """Tells a repetition by its key, operation and body, whichever customer it is about."""

    breaks = ("planbok.challenge.ids-differ", "planbok.challenge.unique")

    def once(self, call: Call) -> Response:
        key = read_object(call.request.body).get("idempotencyKey")
        kept: Any = self.answered.get((call.tenant.name, self.key_remembered(key))) if isinstance(key, str) else None
        if kept and (kept[0][0], kept[0][2]) == (call.operation, call.request.body):
            response: Response = kept[1]
            return response
        return super().once(call)


class AnnouncesFirstWalletsOnly(Fault, Planbok):
    """Sends no event for the wallets of a customer's later challenges."""

    breaks = ("planbok.webhook.wallet-created-sent",)

    def wallet_events(self, challenge: Challenge) -> list[dict[str, Any]]:
        first = challenge.customer.wallets[: len(challenge.wallets)]
        return super().wallet_events(challenge) if first == challenge.wallets else []


class FiltersNothingForStrangers(Fault, Planbok):
    """Lists all wallets if the filter names several ids and none of them is known."""

    breaks = ("planbok.list.unknown-customer-is-empty",)

    def filtered(self, tenant: Tenant, filter_text: str | None) -> list[Customer]:
        found = super().filtered(tenant, filter_text)
        return super().filtered(tenant, None) if not found and "," in (filter_text or "") else found


class EndsTheChallengesOfNamesakes(Fault, Planbok):
    """Ends the pending challenges of customers of the same name when one of them gets a new one."""

    breaks = ("planbok.challenge.completable-in-time",)

    def issued_before(self, customer: Customer, task: Task) -> None:
        namesakes = [each for each in self.customers_of(customer.tenant) if each.name == customer.name]
        for challenge in (each for other in namesakes if other is not customer for each in other.challenges):
            if challenge.status is Status.PENDING and not challenge.ended:
                self.end(challenge, Status.FAILED, Step.EXPIRED)


class LocksOutEverybody(Fault, Planbok):
    """Locks the PINs of all customers when one of them is locked out."""

    breaks = ("planbok.challenge.completable-in-time",)

    def lock(self, challenge: Challenge, secret: Secret) -> None:
        super().lock(challenge, secret)
        for other in self.customers_of(challenge.customer.tenant):
            other.pin.locked_until = secret.locked_until


class LeavesChallengesOfRefusals(Fault, Planbok):
    """Leaves the challenge of a request for wallets that is refused for want of PIN or recovery."""

    breaks = ("planbok.response.refusal-changes-nothing",)

    def create_wallets(self, call: Call) -> Response:
        try:
            return super().create_wallets(call)
        except Refused as refusal:
            if refusal.reason is Reason.INCOMPLETE_SET_UP:
                document = read_object(call.request.body)
                chains, url = self.read_chains(document), self.return_url(document)
                self.issue(call, self.customer_for(call), Task.CREATE_WALLETS, url, chains)
            raise


class LeavesChallengesOfWrongRequests(Fault, Planbok):
    """Leaves a challenge of a request for wallets that is refused for its content."""

    breaks = ("planbok.response.refusal-changes-nothing",)

    def create_wallets(self, call: Call) -> Response:
        customer = self.customer_for(call)
        try:
            return super().create_wallets(call)
        except Refused as refusal:
            if refusal.reason is Reason.BODY and not self.missing_set_up(customer):
                self.issue(call, customer, Task.CREATE_WALLETS, None, tuple(CHAINS.values())[:1])
            raise


class RenewsChallengesByTheNext(Fault, Planbok):
    """Gives a customer's pending challenges another 15 minutes when a further one is issued."""

    breaks = ("planbok.challenge.expires-after-15-minutes",)

    def issued_before(self, customer: Customer, task: Task) -> None:
        for challenge in customer.challenges:
            if not self.has_expired(challenge):
                challenge.expires_at = self.now() + self.challenge_lifetime()


class RenewsChallengesByRepetitions(Fault, Planbok):
    """Gives a challenge another 15 minutes when its request is repeated."""

    breaks = ("planbok.challenge.expires-after-15-minutes",)

    def once(self, call: Call) -> Response:
        response = super().once(call)
        shown = response.members().get("data")
        for challenge in self.challenges.values():
            if isinstance(shown, Mapping) and shown.get("challengeId") == challenge.id:
                challenge.expires_at = self.now() + self.challenge_lifetime()
        return response


class RemembersKeysOfNobody(Fault, Planbok):
    """Takes an ``idempotencyKey`` for used that came in a request without a right API key."""

    breaks = ("planbok.customer.created",)

    @cached_property
    def of_nobody(self) -> set[str]:
        """The keys that such requests had."""
        return set()

    def authenticate(self, request: Request) -> Tenant:
        try:
            return super().authenticate(request)
        except Refused:
            self.of_nobody.add(_idempotency_key(request))
            raise

    def once(self, call: Call) -> Response:
        if _idempotency_key(call.request) in self.of_nobody - {""}:
            raise Refused(Reason.KEY_REUSED, "This idempotencyKey was used before.")
        return super().once(call)


def _idempotency_key(request: Request) -> str:
    return str(request.members().get("idempotencyKey", ""))


class CompletionsEndTheChallengesOfOthers(Fault, Planbok):
    """Ends all pending challenges when one is completed, whoever's they are."""

    breaks = ("planbok.challenge.completable-in-time", "planbok.response.others-untouched")

    def complete(self, challenge: Challenge) -> None:
        super().complete(challenge)
        for other in self.challenges.values():
            if other.customer is not challenge.customer and not other.ended:
                self.end(other, Status.FAILED, Step.EXPIRED)


class SetsThePinOfTheFirst(Fault, Planbok):
    """Sets the PIN of the oldest customer who has none besides that of the one at the page."""

    breaks = ("planbok.response.others-untouched",)

    def set_pin(self, customer: Customer, pin: str) -> None:
        super().set_pin(customer, pin)
        others = [each for each in self.customers_of(customer.tenant) if not each.pin.hash]
        for other in others[:1]:
            super().set_pin(other, pin)


class ListsEverybodysPendingChallenges(Fault, Planbok):
    """Lists the challenges of all customers of an organization where a status is asked for."""

    breaks = ("planbok.challenge.listed",)

    names_status = False

    def list_challenges(self, call: Call) -> Response:
        self.names_status = "status" in dict(parse_qsl(call.request.query))
        return super().list_challenges(call)

    def challenges_listed(self, customer: Customer) -> Iterable[Challenge]:
        every = [each for each in self.challenges.values() if each.customer.tenant is customer.tenant]
        return every if self.names_status else super().challenges_listed(customer)


class AnnouncesCustomersThatItRefuses(Fault, Planbok):
    """Sends ``customer.created`` before it looks whether the customer has a name."""

    breaks = ("planbok.webhook.customer-events-sent",)

    def create_customer(self, call: Call) -> Response:
        document = read_object(call.request.body)
        if "name" not in document:
            about = {"customerId": self.new_object_id(), "refId": document.get("refId")}
            self.send(call.tenant, "customer.created", about)
        return super().create_customer(call)


class TakesNamesakesForOne(Fault, Planbok):
    """Gives the customer whom there is where another one of the same name is created."""

    breaks = ("planbok.customer.created",)

    def create_customer(self, call: Call) -> Response:
        document = read_object(call.request.body)
        for customer in self.customers_of(call.tenant):
            if customer.name == document.get("name"):
                return self.success(self.creation_status(), "Customer created", self.customer_json(customer))
        return super().create_customer(call)


class RefusesRecoveryThatIsLacking(Fault, Planbok):
    """Sets up recovery anew, and refuses it to a customer who has none."""

    breaks = ("planbok.challenge.answered",)

    def set_up_recovery(self, call: Call) -> Response:
        if not self.customer_for(call).answers.hash:
            raise Refused(Reason.INCOMPLETE_SET_UP, "There is no recovery that could be replaced.")
        return super().set_up_recovery(call)


class AnnouncesResubmissions(Fault, Planbok):
    """Sends ``wallet.created`` again when the form of a completed challenge is sent again."""

    breaks = ("planbok.page.completed-once",)

    def entered(self, challenge: Challenge, request: Request) -> Response:
        if challenge.ended is Step.DONE:
            for event in self.wallet_events(challenge):
                self.send(challenge.customer.tenant, "wallet.created", event)
        return super().entered(challenge, request)


class DerivesWhatWasCancelled(Fault, Planbok):
    """Derives the wallets of challenges that were cancelled together with those of the next one."""

    breaks = ("planbok.page.cancelled-makes-no-wallet",)

    def complete(self, challenge: Challenge) -> None:
        super().complete(challenge)
        for other in challenge.customer.challenges:
            if challenge.task is Task.CREATE_WALLETS and other.ended is Step.CANCELLED:
                for chain in other.chains:
                    self.wallet_on(challenge.customer, chain, {})


class DerivesWhatAwaitsThePin(Fault, Planbok):
    """Derives the wallets of all challenges that await the PIN when it is entered for one."""

    breaks = ("planbok.page.asks-pin-every-time",)

    def complete(self, challenge: Challenge) -> None:
        super().complete(challenge)
        for other in challenge.customer.challenges:
            if challenge.task is Task.CREATE_WALLETS and not other.ended:
                for chain in other.chains:
                    self.wallet_on(challenge.customer, chain, {})


class ReadOnlyKeysSeeEverybody(Fault, Planbok):
    """Shows a read-only key what every organization has."""

    breaks = ("planbok.customer.unseen-by-others", "planbok.list.unseen-by-others")

    sees_everybody = False

    def authenticate(self, request: Request) -> Tenant:
        tenant = super().authenticate(request)
        self.sees_everybody = request.header("PLANBOK-X-API-KEY") == tenant.read_only_key
        return tenant

    def may_see(self, tenant: Tenant, customer: Customer) -> bool:
        return self.sees_everybody or super().may_see(tenant, customer)


class FailsForNamesBeyondLatin1(Fault, Planbok):
    """Breaks at a challenge for a customer whose name cannot be written in a header."""

    breaks = ("planbok.challenge.answered", "planbok.response.no-server-error")

    def initialize_customer(self, call: Call) -> Response:
        self.customer_for(call).name.encode("latin-1")
        return super().initialize_customer(call)


class CompletesTwiceAtOnce(Fault, Planbok):
    """Looks whether a challenge is open before it waits for what it needs, and completes it with each PIN that came."""

    breaks = ("planbok.page.completed-once",)

    async def answer_at(self, mount: str, request: Request, path: str) -> Response:
        challenge = self.challenges.get(path.rpartition("/")[2])
        if request.method != "POST" or challenge is None or challenge.ended:
            return await super().answer_at(mount, request, path)
        await pause(0.05)
        if challenge.ended is Step.DONE and challenge.task is Task.CREATE_WALLETS:
            challenge.ended, challenge.status = None, Status.PENDING
        return await super().answer_at(mount, request, path)


class ShowsTheRefIdOfNamesakes(Fault, Planbok):
    """Finds the ``refId`` of a customer by the name."""

    breaks = ("planbok.customer.names-kept",)

    def customer_json(self, customer: Customer) -> dict[str, Any]:
        first = next(each for each in self.customers_of(customer.tenant) if each.name == customer.name)
        return {**super().customer_json(customer), "refId": first.ref_id}


class CutsReturnUrlsAt255(Fault, Planbok):
    """Keeps 255 characters of the caller's own page."""

    breaks = ("planbok.page.keeps-query",)

    def return_url(self, document: Mapping[str, Any]) -> str | None:
        return (super().return_url(document) or "")[:255] or None


class LocksOutNamesakes(Fault, Planbok):
    """Keeps a lock-out by the ``refId``, and so locks out whoever has the same."""

    breaks = ("planbok.challenge.completable-in-time",)

    def is_locked(self, secret: Secret) -> bool:
        owner = next((each for each in self.customers.values() if each.pin is secret), None)
        namesakes = [each.pin for each in self.customers.values() if owner and each.ref_id == owner.ref_id]
        return any(map(super().is_locked, namesakes or [secret]))


class CancelsAllChallenges(Fault, Planbok):
    """Ends all pending challenges of a customer who cancels one of them."""

    breaks = ("planbok.challenge.completable-in-time",)

    def cancel(self, challenge: Challenge) -> None:
        for each in challenge.customer.challenges:
            if each.status is Status.PENDING:
                super().cancel(each)
