"""What is wrong only under circumstances: late in the day, among others, after a look, in another spelling."""

from collections.abc import Sequence
from datetime import timedelta
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from conformance.exchange import Request, Response
from conformance.planbok.sandbox import Call, Challenge, Customer, Planbok, Reason, Refused, Secret, Task
from conformance.sandbox.faults import Fault


class ExpiresWithinItsDay(Fault, Planbok):
    """Compares the time of day alone, so that a challenge issued before midnight expires a day later."""

    breaks = ("planbok.challenge.expires-after-15-minutes",)

    def has_expired(self, challenge: Challenge) -> bool:
        now, end = self.now(), challenge.expires_at
        crosses = end.date() != (end - self.challenge_lifetime()).date()
        return now >= end + timedelta(days=1) if crosses else super().has_expired(challenge)


class KnowsNoLeapDay(Fault, Planbok):
    """Counts wallets' time on from the twenty-eighth of February to the first of March, so that it ends at once."""

    breaks = ("planbok.result.readable-after-completion",)

    def has_expired(self, challenge: Challenge) -> bool:
        now = self.now()
        is_leap_day = (now.month, now.day) == (2, 29)
        return (is_leap_day and bool(challenge.chains)) or super().has_expired(challenge)


class VisitsProlongChallenges(Fault, Planbok):
    """Counts the 15 minutes of a challenge from the last visit of its page."""

    breaks = ("planbok.challenge.expires-after-15-minutes",)

    def visited(self, challenge: Challenge, request: Request) -> Response:
        if not self.has_expired(challenge):
            self.__dict__.setdefault("visited_at", {})[challenge.id] = self.now()
        return super().visited(challenge, request)

    def has_expired(self, challenge: Challenge) -> bool:
        began = self.__dict__.get("visited_at", {}).get(challenge.id, challenge.issued_at)
        over: bool = self.now() >= began + self.challenge_lifetime()
        return over


class AskingForRecoverySetsIt(Fault, Planbok):
    """Shows a customer with recovery as soon as its challenge was asked for."""

    breaks = ("planbok.customer.has-recovery", "planbok.gate.no-wallet-without-recovery")

    def has_recovery(self, customer: Customer) -> bool:
        asked = any(each.task is Task.RECOVERY for each in customer.challenges)
        return asked or super().has_recovery(customer)


class ResultsAreReadOnce(Fault, Planbok):
    """Shows the result of a challenge once."""

    breaks = ("planbok.result.readable-after-completion",)

    def challenge_json(self, challenge: Challenge) -> dict[str, Any]:
        shown = super().challenge_json(challenge)
        read: set[str] = self.__dict__.setdefault("read", set())
        if "result" in shown:
            if challenge.id in read:
                del shown["result"]
            read.add(challenge.id)
        return shown


class CountsEverybodysFailures(Fault, Planbok):
    """Counts the wrong PINs of all customers together."""

    breaks = ("planbok.customer.pin-replaced",)

    def guess(self, challenge: Challenge, secret: Secret, attempt: str, name: str) -> None:
        failures: list[int] = self.__dict__.setdefault("failures", [0])
        secret.failures = max(secret.failures, failures[0])
        try:
            super().guess(challenge, secret, attempt, name)
        finally:
            failures[0] = max(failures[0], secret.failures) if secret.failures else failures[0]


class ListsElevenCustomers(Fault, Planbok):
    """Lets go of the oldest customer in the list when there are more than eleven."""

    breaks = ("planbok.customer.listed",)

    def customers_listed(self, tenant: Any) -> list[Customer]:
        return super().customers_listed(tenant)[-11:]


class ReadsBodiesWithoutBlanks(Fault, Planbok):
    """Finds the end of a body at its first blank after a line end."""

    breaks = ("planbok.customer.created", "planbok.challenge.answered")

    def create_customer(self, call: Call) -> Response:
        _refuse_blanks(call)
        return super().create_customer(call)

    def create_wallets(self, call: Call) -> Response:
        _refuse_blanks(call)
        return super().create_wallets(call)


def _refuse_blanks(call: Call) -> None:
    if call.request.body.startswith(b"\n"):
        raise Refused(Reason.BODY, "The body is empty.")


class KeepsEscapesInUrls(Fault, Planbok):
    """Takes a URL in a body as it is written, and refuses it for its backslashes."""

    breaks = ("planbok.challenge.answered",)

    def required_return_url(self, call: Call) -> str:
        if rb"\u002F" in call.request.body:
            raise Refused(Reason.BODY, "'redirectUrl' is no URL.")
        return super().required_return_url(call)


class ServesTheLatestOrganization(Fault, Planbok):
    """Keeps which organization asks in one place, where another's request may change it before it is read."""

    breaks = ("planbok.customer.readable",)

    def customer_for(self, call: Call) -> Customer:
        latest: list[Any] = self.__dict__.setdefault("latest", [call.tenant])
        asked, latest[0] = latest[0], call.tenant
        customer = super().customer_for(call)
        if customer.tenant is not asked:
            raise Refused(Reason.UNKNOWN_CUSTOMER, f"There is no customer {customer.id!r}.")
        return customer


class RefusalsEndChallenges(Fault, Planbok):
    """Fails the pending challenges of a customer whose request for another one is refused."""

    breaks = ("planbok.response.refusal-changes-nothing", "planbok.challenge.completable-in-time")

    def create_wallets(self, call: Call) -> Response:
        try:
            return super().create_wallets(call)
        except Refused:
            for challenge in self.customer_for(call).challenges:
                if not challenge.ended:
                    self.cancel(challenge)
            raise


class NewCustomersTakeTheName(Fault, Planbok):
    """Renames the latest customer when another one is created."""

    breaks = ("planbok.response.others-untouched", "planbok.customer.names-kept")

    def create_customer(self, call: Call) -> Response:
        before = self.customers_of(call.tenant)
        answer = super().create_customer(call)
        if before:
            before[-1].name = self.customers_of(call.tenant)[-1].name
        return answer


class ReadingEndsOlderChallenges(Fault, Planbok):
    """Fails all challenges of a customer but the one that is read."""

    breaks = ("planbok.response.reading-changes-nothing",)

    def get_challenge(self, call: Call) -> Response:
        read = self.challenge_for(call)
        for challenge in self.customer_for(call).challenges:
            if challenge is not read and not challenge.ended:
                self.cancel(challenge)
        return super().get_challenge(call)


class CreatesNobodyOnALeapDay(Fault, Planbok):
    """Breaks where the day a year later is computed for a new customer."""

    breaks = ("planbok.customer.created",)

    def create_customer(self, call: Call) -> Response:
        now = self.now()
        if (now.month, now.day) == (2, 29):
            return self.refusal(Refused(Reason.BODY, f"There is no {now.day} February {now.year + 1}."))
        return super().create_customer(call)


class ServesTheListThatIsKept(Fault, Planbok):
    """Gives a list of customers again within a second, whoever asks."""

    breaks = ("planbok.customer.unseen-by-others",)

    @cached_property
    def kept(self) -> dict[object, Response]:
        """The lists by their queries, the moment, and how many customers there were."""
        return {}

    def list_customers(self, call: Call) -> Response:
        place = call.request.query, self.now(), len(self.customers)
        return self.kept.setdefault(place, super().list_customers(call))


class KeepsPagesOfAnyLimit(Fault, Planbok):
    """Gives a page that was read before, whatever the ``limit`` was, until there is another entry in the list."""

    breaks = ("planbok.list.pages-complete", "planbok.list.wallets-stay")

    @cached_property
    def pages(self) -> dict[object, Response]:
        """The pages by their lists, entries and numbers."""
        return {}

    def page_of(self, call: Call, items: Sequence[Any], message: str) -> Response:
        query = frozenset(pair for pair in parse_qsl(call.request.query) if pair[0] != "limit")
        return self.pages.setdefault((message, repr(items), query), super().page_of(call, items, message))
