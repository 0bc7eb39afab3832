"""What can be wrong, or otherwise than the sandbox has it, with challenges: their issue, their life, their listing."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from conformance.exchange import Response
from conformance.planbok.chains import Chain
from conformance.planbok.sandbox import Call, Challenge, Customer, Planbok, Reason, Refused, Status, Task
from conformance.sandbox.faults import Fault, Variation
from conformance.sandbox.messages import json_response


class SendsTheCustomerStraightBack(Fault, Planbok):
    """Gives the caller's own page as the page of a challenge."""

    breaks = ("planbok.challenge.answered",)

    def page_url(self, challenge: Challenge) -> str:
        return challenge.return_url or challenge.url


class RepeatsLinks(Fault, Planbok):
    """Gives the challenges of a customer that ask for the same the page of the first of them."""

    breaks = ("planbok.challenge.unique",)

    def page_url(self, challenge: Challenge) -> str:
        asked = (challenge.task, challenge.chains)
        return next(each.url for each in challenge.customer.challenges if (each.task, each.chains) == asked)


class RepeatsIds(Fault, Planbok):
    """Gives the challenges of a customer that ask for the same the id of the first of them."""

    breaks = ("planbok.challenge.ids-differ",)

    def challenge_identifier(self, challenge: Challenge) -> dict[str, str]:
        asked = (challenge.task, challenge.chains)
        first = next(each for each in challenge.customer.challenges if (each.task, each.chains) == asked)
        return super().challenge_identifier(first)


class NamesIdsOtherwise(Fault, Planbok):
    """Calls the id of a challenge ``uuid``, a name that no source has."""

    breaks = ("planbok.challenge.identifier",)

    def challenge_identifier(self, challenge: Challenge) -> dict[str, str]:
        return {"uuid": challenge.id}


class ReadsBackAnotherPage(Fault, Planbok):
    """Shows a page in a challenge that is read which is neither the hosted one nor the caller's."""

    breaks = ("planbok.challenge.redirect-url-read",)

    def get_challenge(self, call: Call) -> Response:
        return _with_page(super().get_challenge(call), "https://www.planbok.io/")


class VerifiesAtOnce(Fault, Planbok):
    """Shows a challenge as verified for a second from its issue."""

    breaks = ("planbok.challenge.starts-pending",)

    def status_shown(self, challenge: Challenge) -> str:
        is_new = self.now() - challenge.issued_at < timedelta(seconds=1)
        return Status.VERIFIED.value if is_new else super().status_shown(challenge)


class SaysDone(Fault, Planbok):
    """Calls a challenge that succeeded ``done``, a word that no source has."""

    breaks = ("planbok.challenge.success-word",)

    def status_shown(self, challenge: Challenge) -> str:
        status = super().status_shown(challenge)
        return "done" if status == Status.VERIFIED else status


class TakesOneChainOnly(Fault, Planbok):
    """Refuses requests for more than one chain."""

    breaks = ("planbok.challenge.several-chains",)

    def read_chains(self, document: Mapping[str, Any]) -> tuple[Chain, ...]:
        chains = super().read_chains(document)
        if len(chains) > 1:
            raise Refused(Reason.BODY, "One chain at a time.")
        return chains


class RefusesEoa(Fault, Planbok):
    """Refuses the one type of account that there is."""

    breaks = ("planbok.challenge.account-type-eoa", "planbok.challenge.several-chains")

    def check_account_type(self, document: Mapping[str, Any]) -> None:
        if document.get("accountType") == "eoa":
            raise Refused(Reason.BODY, "'accountType' must be 'EOA'.")


class RequiresTheAccountType(Fault, Planbok):
    """Refuses requests that leave the type of account out."""

    breaks = ("planbok.challenge.account-type-omitted",)

    def account_type_without_mention(self) -> str | None:
        return None


class AcceptsAnyAccountType(Fault, Planbok):
    """Takes whatever type of account is asked for."""

    breaks = ("planbok.challenge.other-account-type-refused",)
    category = "F102"

    def check_account_type(self, document: Mapping[str, Any]) -> None:
        """Nothing is checked."""


class AcceptsSmartContractAccounts(Fault, Planbok):
    """Takes ``sca``, a type of account that is announced, as well as the one that is supported."""

    breaks = ("planbok.challenge.other-account-type-refused",)
    category = "F102"

    def check_account_type(self, document: Mapping[str, Any]) -> None:
        if document.get("accountType") != "sca":
            super().check_account_type(document)


class AcceptsNoChain(Fault, Planbok):
    """Issues challenges for no chain at all."""

    breaks = ("planbok.challenge.empty-blockchains-refused",)
    category = "F102"

    def accepts_no_chain(self) -> bool:
        return True


class AcceptsUnknownChains(Fault, Planbok):
    """Issues challenges for chains that do not exist."""

    breaks = ("planbok.challenge.unknown-blockchain-refused",)
    category = "F102"

    def accepts_unknown_chains(self) -> bool:
        return True


class ListsChallengesOfAll(Fault, Planbok):
    """Shows every customer's challenges in the list of one."""

    breaks = ("planbok.challenge.listed",)

    def challenges_listed(self, customer: Customer) -> Iterable[Challenge]:
        return self.challenges.values()


class AnswersChallengesUnderAnyCustomer(Fault, Planbok):
    """Answers a challenge under whatever customer it is asked for."""

    breaks = ("planbok.challenge.under-its-customer-only",)

    def challenges_under(self, customer: Customer) -> Iterable[Challenge]:
        return self.challenges.values()


class ShowsChallengesToStrangers(Fault, Planbok):
    """Answers a challenge to whatever organization asks for it."""

    breaks = ("planbok.challenge.under-its-customer-only",)

    def customer_of_challenge(self, call: Call) -> Customer:
        customer = self.customers.get(call.parameters["id"])
        return customer if customer is not None else super().customer_of_challenge(call)


class ExpiresChallengesAfterTenMinutes(Fault, Planbok):
    """Lets challenges live for 10 minutes."""

    breaks = ("planbok.challenge.completable-in-time",)

    def challenge_lifetime(self) -> timedelta:
        return timedelta(minutes=10)


class NeverExpiresChallenges(Fault, Planbok):
    """Lets challenges be completed whenever."""

    breaks = ("planbok.challenge.expires-after-15-minutes",)

    def has_expired(self, challenge: Challenge) -> bool:
        return False


class ExpiresChallengesAnHourLate(Fault, Planbok):
    """Lets challenges be completed for an hour and a quarter."""

    breaks = ("planbok.challenge.expires-after-15-minutes",)

    def has_expired(self, challenge: Challenge) -> bool:
        return self.now() >= challenge.expires_at + timedelta(hours=1)


class RenewsChallengesWhenOpened(Fault, Planbok):
    """Counts the 15 minutes from whenever the challenge is read."""

    breaks = ("planbok.challenge.expires-after-15-minutes",)

    def has_expired(self, challenge: Challenge) -> bool:
        challenge.expires_at = self.now() + self.challenge_lifetime()
        return False


class ReadsBackTheCallersPage(Variation, Planbok):
    """Shows the caller's own page in a challenge that is read."""

    permits = "Provisioning Customer Wallets calls the page of return `redirectUrl` as well."

    def get_challenge(self, call: Call) -> Response:
        own = self.challenge_for(call).return_url
        response = super().get_challenge(call)
        return _with_page(response, own) if own else response


class HasOneChallengeAtATime(Variation, Planbok):
    """Refuses a challenge of a customer who has one that waits for its page."""

    permits = "No document says that a customer may have two challenges at once."

    def issued_before(self, customer: Customer, task: Task) -> None:
        if any(self.status_shown(each) == Status.PENDING for each in self.challenges_under(customer)):
            raise Refused(Reason.BODY, "Complete or cancel the challenge that waits for its page.")


class NamesIdsPlainly(Variation, Planbok):
    """Calls the id of a challenge ``id``."""

    permits = "One example of the beta has id, where others have challengeId."

    def challenge_identifier(self, challenge: Challenge) -> dict[str, str]:
        return {"id": challenge.id}


class NamesIdsTwice(Variation, Planbok):
    """Shows the id of a challenge under both names."""

    permits = "Introduction names challengeId, one example of the beta id."

    def challenge_identifier(self, challenge: Challenge) -> dict[str, str]:
        return {"challengeId": challenge.id, "id": challenge.id}


class NamesTheLanguageInLinks(Variation, Planbok):
    """Ends the links of pages with the customer's language, in a query."""

    permits = "No document says how the URL of a page is made up."

    def page_url(self, challenge: Challenge) -> str:
        return f"{super().page_url(challenge)}?lang=en"


class SaysCompleted(Variation, Planbok):
    """Calls a challenge that succeeded ``completed``."""

    permits = "Introduction speaks of the completed challenge status."

    def status_shown(self, challenge: Challenge) -> str:
        status = super().status_shown(challenge)
        return "completed" if status == Status.VERIFIED else status


class SaysExpired(Variation, Planbok):
    """Calls a challenge that expired ``expired``."""

    permits = "No source lists the status of a challenge that expired."

    def status_shown(self, challenge: Challenge) -> str:
        if challenge.status is Status.PENDING and self.has_expired(challenge):
            return "expired"
        return super().status_shown(challenge)


class ForgetsExpiredChallenges(Variation, Planbok):
    """Answers 404 for a challenge that expired."""

    permits = "Provisioning Customer Wallets does not say what is answered for a challenge that expired."

    def is_pruned(self, challenge: Challenge) -> bool:
        return challenge.status is Status.PENDING and self.has_expired(challenge)


class AnswersGoneForExpiredChallenges(ForgetsExpiredChallenges):
    """Answers 410 for a challenge that expired."""

    permits = "Provisioning Customer Wallets does not say what is answered for a challenge that expired."

    def refusal_status(self, reason: Reason) -> int:
        return 410 if reason is Reason.UNKNOWN_CHALLENGE else super().refusal_status(reason)


class SupersedesChallenges(Variation, Planbok):
    """Ends an older pending challenge of the same task when a new one is issued."""

    permits = "No document speaks of a second pending challenge."

    def issued_before(self, customer: Customer, task: Task) -> None:
        for challenge in customer.challenges:
            if challenge.task is task and challenge.ended is None:
                self.cancel(challenge)


class AnswersWithTheOpenChallenge(Variation, Planbok):
    """Answers a request for what a pending challenge is for already with that challenge."""

    permits = "No document speaks of a second pending challenge."

    def issue(
        self,
        call: Call,
        customer: Customer,
        task: Task,
        return_url: str | None,
        chains: tuple[Chain, ...] = (),
        names: tuple[Mapping[str, str], ...] = (),
    ) -> Response:
        for challenge in customer.challenges:
            is_open = challenge.ended is None and not self.has_expired(challenge)
            if is_open and (challenge.task, challenge.chains) == (task, chains):
                return self.success(self.issue_status(), "Challenge", self.challenge_json(challenge))
        return super().issue(call, customer, task, return_url, chains, names)


class ShowsThePageOnce(Variation, Planbok):
    """Shows ``redirectUrl`` as null once a challenge is read."""

    permits = "No document shows that member but in the answer to a request for a challenge."

    def get_challenge(self, call: Call) -> Response:
        members = super().get_challenge(call).members()
        return json_response(200, {**members, "data": {**members["data"], "redirectUrl": None}})


class TakesRepeatedChains(Variation, Planbok):
    """Takes a chain that stands twice for one."""

    permits = "No document speaks of a repeated chain."

    def accepts_repeated_chains(self) -> bool:
        return True


class RequiresTheReturnUrl(Variation, Planbok):
    """Refuses requests for wallets without ``redirectUrl``."""

    permits = "The beta and the demo client send redirectUrl, which the document does not list."

    def return_url_is_required(self) -> bool:
        return True


class RequiresTheIdempotencyKey(Variation, Planbok):
    """Refuses requests for wallets without ``idempotencyKey``."""

    permits = "The beta makes idempotencyKey mandatory where wallets are created."

    def idempotency_key_is_required(self, operation: str) -> bool:
        return operation == "createWallets"


class AnswersChallengesWith200(Variation, Planbok):
    """Answers the issue of a challenge with 200."""

    permits = "No document shows the status of a challenge just issued."

    def issue_status(self) -> int:
        return 200


class ShowsTheEndLate(Variation, Planbok):
    """Shows a challenge as pending for five seconds after its end, and tells of it by webhook after these."""

    permits = "No document says how soon the status of a challenge follows its page."

    def status_shown(self, challenge: Challenge) -> str:
        return Status.PENDING.value if self.is_fresh(challenge) else super().status_shown(challenge)

    def result_is_readable(self, challenge: Challenge) -> bool:
        return not self.is_fresh(challenge) and super().result_is_readable(challenge)

    def tries_at_once(self) -> int:
        return 0

    def pause_before_retry(self, failures: int) -> timedelta:
        return super().pause_before_retry(failures) if failures else timedelta(seconds=5)

    def is_fresh(self, challenge: Challenge) -> bool:
        return challenge.ended_at is not None and self.now() - challenge.ended_at < timedelta(seconds=5)


class SaysProcessing(ShowsTheEndLate):
    """Calls a challenge ``processing`` for five seconds after its end, and tells of it by webhook after these."""

    permits = "No document lists the statuses that a challenge has while its wallets are derived."

    def status_shown(self, challenge: Challenge) -> str:
        return "processing" if self.is_fresh(challenge) else super().status_shown(challenge)


class FindsChallengesByTheEndOfTheirIds(Fault, Planbok):
    """Finds a challenge by the last eight digits of its id."""

    breaks = ("planbok.challenge.unknown-refused",)

    def is_called(self, challenge: Challenge, identifier: str) -> bool:
        return challenge.id[-8:] == identifier[-8:]


class TellsIdempotencyKeysApartByTheirStart(Fault, Planbok):
    """Remembers eight characters of an ``idempotencyKey``."""

    breaks = ("planbok.customer.created",)

    def key_remembered(self, key: str) -> str:
        return super().key_remembered(key)[:8]


def _with_page(response: Response, url: str) -> Response:
    """The answer to a read of a challenge, with another ``redirectUrl``."""
    members = response.members()
    return json_response(response.status, {**members, "data": {**members["data"], "redirectUrl": url}})


class LetsOtherTasksLast(Fault, Planbok):
    """Ends the time of challenges for wallets alone."""

    breaks = ("planbok.challenge.expires-after-15-minutes",)

    def has_expired(self, challenge: Challenge) -> bool:
        return challenge.task is Task.CREATE_WALLETS and super().has_expired(challenge)
