"""The calls that may follow each other in any order, over several customers of two clients."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from conformance.exchange import Exchange
from conformance.generation.sequences import CallSequence, step
from conformance.offblocks.messages import Challenge, issued_challenge
from conformance.offblocks.suite.alterations import alterations
from conformance.offblocks.suite.tenant import Tenant, signed
from conformance.offblocks.wallet import Wallet
from conformance.standards.wallet_signatures import Encoding
from conformance.targets import Subject
from conformance.values import near, telling

MOST_CUSTOMERS = 3
CLIENTS = ("first", "first", "first", "second")
CUSTOMERS = (1, 1, 1, 2, 3)
"""By the order of their creation."""
KEYS = ("its key", "a new key")
OTHERS_KEYS = ("the key", "a key like that")
OUTCOMES = ("verify", "reject")
ACTS = ("reads", "fetches the challenge of", "signs for", "verifies", "rejects")
WRONGS = (
    "by another wallet",
    "over a text like it",
    "as bytes",
    "as no base64",
    "over another customer's challenge",
)


@dataclass
class _Customer:
    """A customer of a sequence.

    Args:
        tenant: Who created it.
        id: Its id.
        wallet: Its wallet.
        body: What it was created with.
        key: The idempotency key of its creation.
        challenges: Its challenges, the newest last.
    """

    tenant: Tenant
    id: str
    wallet: Wallet
    body: dict[str, str]
    key: str
    challenges: list[Challenge] = field(default_factory=list)


@dataclass(frozen=True)
class _Accepted:
    """A signature that was accepted: who sent it, to which path, and the exchange."""

    tenant: Tenant
    path: str
    exchange: Exchange


def _any_customer(sequence: "Sequence") -> bool:
    return bool(sequence.customers)


class Sequence(CallSequence):
    """One sequence of calls to OffBlocks.

    Args:
        subject: What the sequence has of the implementation, its journal empty.
    """

    pauses: ClassVar = (1, 61, 1800, 1800, 3500, 3602, 3602, 7200)
    not_listed: ClassVar = frozenset({"createToken"})

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject)
        self.tenants = [Tenant(subject, name) for name in ("first", "second") if name in subject.credentials]
        self.customers: list[_Customer] = []
        self.accepted: _Accepted | None = None

    @step(
        "the {client} client creates a customer",
        when=lambda sequence: len(sequence.customers) < MOST_CUSTOMERS,
        client=CLIENTS,
    )
    def create(self, client: str) -> None:
        """Create a customer with a wallet of its own."""
        tenant = self._tenant(client)
        self._create(tenant, tenant.new_key())

    @step("customer {customer} is created again with {key}", when=_any_customer, customer=CUSTOMERS, key=KEYS)
    def create_again(self, customer: int, key: str) -> None:
        """Send a creation once more."""
        one = self._customer(customer)
        self._learn(one, one.tenant.create(body=one.body, key=one.key if key == "its key" else one.tenant.new_key()))

    @step(
        "another customer is created with {key} of customer {customer}",
        when=lambda sequence: 0 < len(sequence.customers) < MOST_CUSTOMERS,
        customer=CUSTOMERS,
        key=OTHERS_KEYS,
    )
    def reuse_key(self, customer: int, key: str) -> None:
        """Send another creation with the key of one that was sent, or with one that is like it."""
        one = self._customer(customer)
        misses = near.misses(one.key, near.UUID)
        miss = misses[one.tenant.ids.below(len(misses))]
        self._create(one.tenant, one.key if key == "the key" else miss.value)

    @step("customer {customer} is read", when=_any_customer, often=2, customer=CUSTOMERS)
    def read(self, customer: int) -> None:
        """Read a customer."""
        one = self._customer(customer)
        one.tenant.read(one.id)

    @step("the {client} client lists its customers", when=_any_customer, client=CLIENTS)
    def list_all(self, client: str) -> None:
        """List the customers."""
        self._tenant(client).customers()

    @step("the challenge of customer {customer} is fetched", when=_any_customer, often=3, customer=CUSTOMERS)
    def fetch(self, customer: int) -> None:
        """Fetch a challenge."""
        one = self._customer(customer)
        one.tenant.let_renew(one.id)
        self._learn(one, one.tenant.fetch(one.id))

    @step(
        "the {challenge} challenge of customer {customer} is signed",
        when=_any_customer,
        often=4,
        customer=CUSTOMERS,
        challenge=("newest", "newest", "newest", "older"),
    )
    def sign(self, customer: int, challenge: str) -> None:
        """Have the owner sign a challenge that was issued, and send the signature."""
        one = self._customer(customer)
        chosen = one.challenges[-2:-1] if challenge == "older" else one.challenges[-1:]
        for each in chosen:
            self._sign(one, one.tenant, each)

    @step("customer {customer} is signed for {wrong}", when=_any_customer, often=2, customer=CUSTOMERS, wrong=WRONGS)
    def sign_wrongly(self, customer: int, wrong: str) -> None:
        """Send a signature that is not as the documents say."""
        one = self._customer(customer)
        others = [each for each in self.customers if each is not one]
        source = others[0] if wrong == WRONGS[-1] and others else one
        for challenge in source.challenges[-1:]:
            wallet = self._new_wallet() if wrong == "by another wallet" else one.wallet
            encoding = Encoding.BASE64_OF_BYTES if wrong == "as bytes" else Encoding.BASE64_OF_HEX_TEXT
            signature = signed(wallet, challenge, encoding) + ("!" if wrong == "as no base64" else "")
            if wrong == "over a text like it" and challenge.sign_in is not None:
                texts = alterations(challenge)
                signature = signed(wallet, texts[one.tenant.ids.below(len(texts))].challenge)
            foreign = ("returns-challenge-unchanged",) if source is not one else ()
            self._sign(one, one.tenant, challenge, signature=signature, broken=foreign)

    @step(
        "the last signature that was accepted is sent again with {key}",
        when=lambda sequence: sequence.accepted is not None,
        key=KEYS,
    )
    def repeat(self, key: str) -> None:
        """Send a sign request that succeeded once more."""
        if self.accepted is not None:
            tenant, request = self.accepted.tenant, self.accepted.exchange.request
            sent_with = request.header("Idempotency-Key") if key == "its key" else tenant.new_key()
            tenant.send("POST", self.accepted.path, content=request.body, key=sent_with)

    @step(
        "customer {customer} is simulated to {outcome}",
        when=_any_customer,
        often=2,
        customer=CUSTOMERS,
        outcome=OUTCOMES,
    )
    def simulate(self, customer: int, outcome: str) -> None:
        """Simulate the ``verify`` or ``reject`` of a customer."""
        one = self._customer(customer)
        one.tenant.simulate(outcome, one.id)

    @step("another client {act} customer {customer}", when=_any_customer, customer=CUSTOMERS, act=ACTS)
    def trespass(self, customer: int, act: str) -> None:
        """Do as another client what the customer's own client may do."""
        one = self._customer(customer)
        for stranger in [tenant for tenant in self.tenants if tenant is not one.tenant]:
            match act:
                case "reads":
                    stranger.read(one.id)
                case "fetches the challenge of":
                    stranger.fetch(one.id)
                case "signs for":
                    for challenge in one.challenges[-1:]:
                        self._sign(one, stranger, challenge)
                case _:
                    stranger.simulate("verify" if act == "verifies" else "reject", one.id)

    # ------------------------------------------------------------------------------------------------------- its parts

    def _create(self, tenant: Tenant, key: str) -> None:
        wallet = self._new_wallet()
        text = telling.TEXTS[tenant.ids.below(len(telling.TEXTS))].numbered(10**9 + tenant.ids.below(9 * 10**9))
        body = {"chainId": wallet.account_id, "externalId": text}
        exchange = tenant.create(body=body, key=key)
        identifier = exchange.response.members().get("id")
        known = {customer.id for customer in self.customers}
        if exchange.response.succeeded and isinstance(identifier, str) and identifier not in known:
            customer = _Customer(tenant, identifier, wallet, body, key)
            self.customers.append(customer)
            self._learn(customer, exchange)

    def _new_wallet(self) -> Wallet:
        return Wallet(self.subject.ids.draw(32), self.subject.settings["chain"])

    def _learn(self, customer: _Customer, exchange: Exchange) -> None:
        challenge = issued_challenge(exchange.response)
        if challenge is not None and challenge.message is not None and challenge not in customer.challenges:
            customer.challenges.append(challenge)

    def _customer(self, number: int) -> _Customer:
        return self.customers[(number - 1) % len(self.customers)]

    def _tenant(self, client: str) -> Tenant:
        return self.tenants[-1] if client == "second" else self.tenants[0]

    def _sign(self, customer: _Customer, tenant: Tenant, challenge: Challenge, **options: Any) -> None:
        exchange = tenant.sign(customer.id, customer.wallet, challenge, **options)
        if exchange.response.succeeded:
            self.accepted = _Accepted(tenant, self.subject.journal.relative(exchange.request.url), exchange)
