"""An organization as scenarios use it: rightly unless told otherwise, and every answer is an exchange."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from conformance.exchange import Exchange
from conformance.parts.client import ApiError
from conformance.parts.tenant import ApiTenant
from conformance.planbok.chains import CHAINS, Chain
from conformance.planbok.client import Client, Credentials
from conformance.planbok.messages import (
    Challenge,
    Wallet,
    challenge_of,
    customer_id,
    entries,
    is_set_up,
    payload,
    wallets_in,
)
from conformance.planbok.suite.person import Person
from conformance.recording.journal import BREAKS, MAY_BREAK
from conformance.scenario import BETWEEN_LOOKS, needs, refused, step_failed
from conformance.standards.addresses import Family
from conformance.targets import Subject

RETURN_URL = "https://app.example/wallets?step=verify"
"""The caller's own page, which nobody requests."""

_OWN = "the tenant's own"
_NEW = "a new one"
_MOST_PAGES = 20
_A_PAGE = 100
_USUAL_PAGE = 10
"""The entries of a page by default; a server may give fewer than are asked for, but hardly fewer than these."""


@dataclass(frozen=True)
class Onboarding:
    """A customer who was just created.

    Args:
        id: The customer's id.
        name: The name that was sent.
        ref_id: The caller's own id that was sent.
        person: Who sits before the hosted page.
        exchange: The creation.
    """

    id: str
    name: str
    ref_id: str
    person: Person
    exchange: Exchange


@dataclass(frozen=True)
class Issued:
    """A challenge that was just issued.

    Args:
        id: Its id.
        url: Its hosted page.
        exchange: The request that it came of.
    """

    id: str
    url: str
    exchange: Exchange


def _nothing(_: Onboarding) -> None:
    """What happens before a customer is set up, unless a test says more."""


def rules(*names: str) -> frozenset[str]:
    """The ids of the client rules with these last parts."""
    return frozenset(f"planbok.client.{name}" for name in names)


class Tenant(ApiTenant):
    """One of the organizations that a test may act as.

    Args:
        subject: What the test has of the implementation.
        identity: ``first`` or ``second``.

    Raises:
        NeedError: If the run has no credentials for the identity.
    """

    def __init__(self, subject: Subject, identity: str) -> None:
        super().__init__(subject, identity, settings="CONFORMANCE_PLANBOK_SECOND_API_KEY")
        self.credentials = Credentials.from_settings(subject.credentials[identity])
        self.chains: tuple[Chain, ...] = tuple(CHAINS[name] for name in subject.settings["blockchains"].split())
        self._transport = subject.transport(identity)
        self._issued: dict[str, tuple[str, str]] = {}
        self._client = Client(
            subject.base_url,
            self.credentials,
            transport=self._transport,
            clock=subject.clock,
            ids=self.ids,
            spelling=subject.circumstances.spelling,
        )

    @property
    def moves_clock(self) -> bool:
        """Whether time can pass without being waited for."""
        return self._subject.disposable

    @property
    def read_only_key(self) -> str:
        """A key of its organization that may only read.

        Raises:
            NeedError: If the run has none.
        """
        return self.credentials.read_only_key or needs("a read-only key; set CONFORMANCE_PLANBOK_READ_ONLY_KEY")

    @property
    def webhook_secret(self) -> str:
        """What its webhooks are signed with.

        Raises:
            NeedError: If the run has none.
        """
        return self.credentials.webhook_secret or needs("the secret; set CONFORMANCE_PLANBOK_WEBHOOK_SECRET")

    @property
    def two_chains(self) -> tuple[str, str]:
        """The names of two chains, of different families if the settings have such."""
        first = self.chains[0]
        other = next((chain for chain in self.chains if chain.family is not first.family), self.chains[1])
        return first.name, other.name

    def chains_of(self, family: Family, at_least: int = 1) -> list[str]:
        """The names of the chains of a family.

        Raises:
            NeedError: If the settings have fewer than are needed.
        """
        found = [chain.name for chain in self.chains if chain.family is family]
        if len(found) < at_least:
            needs(f"{at_least} chains of {family.value}; add them to CONFORMANCE_PLANBOK_BLOCKCHAINS")
        return found

    # ------------------------------------------------------------------------------------------------- any request

    def send(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        content: bytes | None = None,
        key: str | None = _OWN,
        headers: Mapping[str, str] | None = None,
        broken: Sequence[str] = (),
        may_break: Sequence[str] = (),
    ) -> Exchange:
        """Send a request.

        Args:
            method: The method.
            path: The path below the base URL.
            body: What to send as JSON.
            content: Bytes to send instead of `body`.
            key: The API key; None for none.
            headers: Further headers.
            broken: The last parts of the ids of the client rules that this breaks on purpose.
            may_break: Those of the rules that this may break, as it depends on what the API did before.

        Raises:
            StepFailedError: If no answer came.
        """
        return self.exchange(
            method,
            path,
            lambda: self._client.send(
                method,
                path,
                body=body,
                content=content,
                key=self.credentials.api_key if key == _OWN else key,
                headers=headers,
                extensions={BREAKS: rules(*broken), MAY_BREAK: rules(*may_break)},
            ),
        )

    # ---------------------------------------------------------------------------------------------------- operations

    def create(
        self, name: str | None = None, ref_id: str | None = None, *, idempotency_key: str | None = _NEW, **options: Any
    ) -> Exchange:
        """Create a customer; `options` as for `send`."""
        body = {
            "name": name or self._new_name(),
            "refId": ref_id or self.new_own_id(),
            **self._idempotency(idempotency_key),
        }
        options.setdefault("body", body)
        return self.send("POST", "/v2/customers", **options)

    def customers(self, query: str = "", **options: Any) -> Exchange:
        """List the customers."""
        return self.send("GET", f"/v2/customers{query}", **options)

    def read(self, customer: str, **options: Any) -> Exchange:
        """Read a customer."""
        return self.send("GET", f"/v2/customers/{customer}", **options)

    def ask(self, task: str, customer: str, **options: Any) -> Exchange:
        """Ask for the challenge of a task: ``initialize``, ``recovery``, ``update-pin`` or ``reset-pin``."""
        options.setdefault("body", {"redirectUrl": RETURN_URL})
        return self.send("POST", f"/v2/customers/{customer}/{task}", **options)

    def ask_wallets(
        self,
        customer: str,
        chains: Sequence[str] | None = None,
        *,
        redirect_url: str | None = RETURN_URL,
        account_type: str | None = "eoa",
        idempotency_key: str | None = _NEW,
        **options: Any,
    ) -> Exchange:
        """Ask for the challenge of new wallets, on two chains unless they are named; `options` as for `send`."""
        body = {
            "blockchains": list(self.two_chains if chains is None else chains),
            **({} if account_type is None else {"accountType": account_type}),
            **({} if redirect_url is None else {"redirectUrl": redirect_url}),
            **self._idempotency(idempotency_key),
        }
        options.setdefault("body", body)
        return self.send("POST", f"/v2/customers/{customer}/wallet/create", **options)

    def challenge(self, customer: str, challenge: str, **options: Any) -> Exchange:
        """Read a challenge, again too if it has ended: when it does is up to the API."""
        path = f"/v2/customers/{customer}/challenges/{challenge}"
        return self.send("GET", path, may_break=["stops-polling"], **options)

    def challenges(self, customer: str, query: str = "", **options: Any) -> Exchange:
        """List the challenges of a customer."""
        return self.send("GET", f"/v2/customers/{customer}/challenges{query}", **options)

    def wallets(self, *customers: str, query: str = "", comma: str = ",", **options: Any) -> Exchange:
        """List the wallets of customers; `query` goes behind the filter, whose ids are joined by a `comma`."""
        joined = comma.join(quote(customer) for customer in customers)
        return self.send("GET", f"/v2/wallets?customerIds={joined}{query}", **options)

    def wallet(self, wallet: str, **options: Any) -> Exchange:
        """Read a wallet."""
        return self.send("GET", f"/v2/wallets/{wallet}", **options)

    # ---------------------------------------------------------------------------------------------------- observation

    def shortly(self) -> None:
        """Let a little time pass, in which what was asked for could happen."""
        self._subject.clock.advance(BETWEEN_LOOKS)

    def is_set_up(self, customer: Onboarding) -> bool | None:
        """Whether the API shows a customer with PIN and recovery, None if it does not say."""
        return is_set_up(payload(self.read(customer.id).response))

    def seen(self, customer: str, challenge: str, **options: Any) -> Challenge:
        """A challenge as it is read now.

        Raises:
            StepFailedError: If it is not answered.
        """
        exchange = self.challenge(customer, challenge, **options)
        return challenge_of(exchange.response) or step_failed("A challenge was to be read", exchange)

    def ended(self, customer: str, challenge: str) -> Challenge:
        """A challenge as soon as it is no longer under way, or as it is after `PATIENCE`.

        Raises:
            StepFailedError: If it is not answered.
        """
        return self.eventually(
            "a challenge to end", lambda: self.seen(customer, challenge), lambda found: not found.is_under_way
        )

    def owned(self, *customers: str) -> list[Wallet]:
        """All wallets of customers, through all pages of the list.

        Raises:
            StepFailedError: If they are not listed.
        """
        found: list[Wallet] = []
        for number in range(1, _MOST_PAGES + 1):
            query = f"&page={number}&limit={_A_PAGE}"
            exchange = self.wallets(*customers, query=query)
            if not exchange.response.succeeded:
                step_failed("The wallets were to be listed", exchange)
            page = wallets_in(entries(exchange.response))
            new = [wallet for wallet in page if wallet not in found]
            found += new
            if len(page) < _USUAL_PAGE or not new:
                break
        return found

    # --------------------------------------------------------------------------------------- steps that others build on

    def onboard(self, like: Onboarding | None = None) -> Onboarding:
        """Create a customer whose id the next steps need.

        Args:
            like: Another one, with whom the customer is to have in common all that people give; less if the API refuses
                that, or gives that one again.

        Raises:
            StepFailedError: If the answer has none.
        """
        name, ref_id = (like.name, like.ref_id) if like else (self._new_name(), self.new_own_id())
        exchange = self.create(name, ref_id)
        if like is not None and (not exchange.response.succeeded or customer_id(exchange.response) == like.id):
            ref_id = self.new_own_id()
            exchange = self.create(name, ref_id)
        identifier = customer_id(exchange.response) or step_failed("A customer was to be created", exchange)
        person = Person(self._subject, self._transport, self.ids.child(ref_id), self.has_ended)
        if like is not None:
            person.pin, person.answers = like.person.pin, like.person.answers
        return Onboarding(identifier, name, ref_id, person, exchange)

    def issued(self, exchange: Exchange) -> Issued:
        """The challenge in an answer, whose id and page the next steps need.

        Raises:
            NeedError: If it is refused while another one of the customer is pending.
            StepFailedError: If the answer lacks one of them.
        """
        challenge = challenge_of(exchange.response)
        if challenge is None or challenge.id is None or challenge.redirect_url is None:
            self.require_alone(exchange)
            step_failed("A challenge was to be issued, with an id and a redirectUrl", exchange)
        self._issued[challenge.redirect_url] = (exchange.parameters.get("id", ""), challenge.id)
        return Issued(challenge.id, challenge.redirect_url, exchange)

    def require_alone(self, exchange: Exchange) -> None:
        """Go on unless a challenge is refused that no document promises, beside one that is pending."""
        is_refused = HTTPStatus.BAD_REQUEST <= exchange.response.status < HTTPStatus.INTERNAL_SERVER_ERROR
        customer = exchange.parameters.get("id", "")
        asked = [each for each in self._subject.journal.exchanges if each.parameters.get("id") == customer]
        before = [each.id for each in map(challenge_of, (one.response for one in asked)) if each and each.id]
        if is_refused and not all(self._reads_as_ended(customer, each) for each in dict.fromkeys(before)):
            needs("a challenge beside one that is pending, which this API refuses")

    def _reads_as_ended(self, customer: str, challenge: str) -> bool:
        """Whether a challenge has ended, asked beside the journal, so that no replay has to wait."""
        client = Client(
            self._subject.base_url, self.credentials, transport=self._subject.sender, clock=self._subject.clock
        )
        try:
            return client.challenge(customer, challenge).ended
        except ApiError:
            return False

    def has_ended(self, url: str) -> bool:
        """Whether the challenge of a page has ended."""
        return url not in self._issued or self._reads_as_ended(*self._issued[url])

    def with_pin(self) -> Onboarding:
        """Create a customer who has set a PIN, and put recovery off or gone away when asked for it.

        Raises:
            NeedError: If nobody stands in for the person.
            StepFailedError: If the customer does not get there.
        """
        customer = self.onboard()
        issued = self.issued(self.ask("initialize", customer.id))
        customer.person.put_off(customer.person.set_pin(issued.url))
        return customer

    def ready(self, before: Callable[[Onboarding], object] = _nothing, like: Onboarding | None = None) -> Onboarding:
        """Create a customer who has a PIN and recovery, as the API shows.

        Args:
            before: What to do with the customer before PIN and recovery are set.
            like: Another one, as for `onboard`.

        Raises:
            NeedError: If nobody stands in for the person, and no customer is set who is ready.
            StepFailedError: If the customer does not get there.
        """
        known = self._set_up_before() if before is _nothing and like is None else None
        if known:
            return known
        customer = self.onboard(like)
        before(customer)
        issued = self.issued(self.ask("initialize", customer.id))
        if customer.person.set_up_without_recovery(issued.url):
            self.ended(customer.id, issued.id)
            is_set_up = self.is_set_up(customer)
        else:
            is_set_up = self.eventually("PIN and recovery to show", lambda: self.is_set_up(customer), bool)
        if not is_set_up:
            asked = self.ask("recovery", customer.id)
            if refused(asked) and not self._may_have_pin(customer):
                step_failed(
                    "A customer was to set a PIN at the page, and hasPin stays false",
                    relies_on=["planbok.customer.has-pin"],
                )
            recovery = self.issued(asked)
            customer.person.set_recovery(recovery.url)
            if not self.eventually("later recovery to show", lambda: self.is_set_up(customer), bool):
                step_failed(
                    "A customer was to have a PIN and recovery, and hasPin or hasRecovery stays false",
                    relies_on=["planbok.customer.has-pin", "planbok.customer.has-recovery"],
                )
        return customer

    def _may_have_pin(self, customer: Onboarding) -> bool:
        """Whether a customer has a PIN, for all that the API shows."""
        shown = payload(self.read(customer.id).response)
        return not isinstance(shown, Mapping) or shown.get("hasPin") is not False

    def _set_up_before(self) -> Onboarding | None:
        """The customer that the user has set, for a run in which nobody stands in for the person; None if none is.

        Raises:
            NeedError: If that customer is not there, or is not set up.
        """
        identifier = self._subject.settings.get("customer")
        if identifier is None or self._subject.conditions.pin_agent != "none" or self.identity != "first":
            return None
        exchange = self.read(identifier)
        members = payload(exchange.response)
        if not is_set_up(members):
            needs(
                f"a customer with PIN and recovery; {identifier} in CONFORMANCE_PLANBOK_CUSTOMER was answered "
                f"{exchange.response.status}, and is none by that"
            )
        name, ref_id = (str(members.get(each, "")) for each in ("name", "refId"))
        return Onboarding(identifier, name, ref_id, Person(self._subject, self._transport, self.ids), exchange)

    def requested(self, customer: Onboarding, chains: Sequence[str] | None = None) -> Issued:
        """Ask for wallets of a customer who is ready; for one alone where it matters not, and several are refused.

        Raises:
            StepFailedError: If no challenge is issued.
        """
        asked = self.ask_wallets(customer.id, chains)
        if chains is None and HTTPStatus.BAD_REQUEST <= asked.response.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            asked = self.ask_wallets(customer.id, self.two_chains[:1])
        return self.issued(asked)

    def provisioned(self, customer: Onboarding, chains: Sequence[str] | None = None) -> Challenge:
        """Ask for wallets, have the customer authorize them, and read the challenge as it ended.

        Raises:
            NeedError: If nobody stands in for the person.
            StepFailedError: If the challenge does not succeed.
        """
        issued = self.requested(customer, chains)
        customer.person.authorize(issued.url)
        challenge = self.ended(customer.id, issued.id)
        if not challenge.succeeded:
            step_failed(
                f"The right PIN was to complete a challenge, which reads {challenge.status!r}",
                relies_on=["planbok.challenge.completable-in-time", "planbok.page.completed-once"],
            )
        return challenge

    def _new_name(self) -> str:
        return f"Customer {self.ids.alphanumeric(6)}"

    def _idempotency(self, key: str | None) -> dict[str, str]:
        return {} if key is None else {"idempotencyKey": self.new_key() if key == _NEW else key}
