"""An API client as scenarios use it: rightly unless told otherwise, and every answer is an exchange."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from conformance.exchange import Exchange
from conformance.findings import shorten
from conformance.offblocks.client import ApiError, Client, Credentials
from conformance.offblocks.deviations import DeviantSigner, Deviation, rules
from conformance.offblocks.messages import Challenge, asking_domains, issued_challenge
from conformance.offblocks.observer import HOUR
from conformance.offblocks.signer import SignatureForm
from conformance.offblocks.wallet import Wallet
from conformance.parts.tenant import ApiTenant, Done
from conformance.recording.journal import BREAKS, MAY_BREAK
from conformance.recording.patience import GUESSES
from conformance.scenario import BETWEEN_LOOKS, PATIENCE, StepFailedError, needs, step_failed
from conformance.standards.wallet_signatures import Encoding, encode
from conformance.targets import Subject

CLOCKS_APART = timedelta(minutes=2)
"""How long after its end a token may still be taken: servers allow for clocks that differ."""
_MARGIN = timedelta(minutes=1)
"""How near to the end of an hour a test goes where the server has a clock of its own."""
_A_SECOND = timedelta(seconds=1)
_OWN = "the tenant's own"
_KEY_AFTER_NO_ANSWER = rules("same-key-on-retry")
"""A new key is wrong only if the server has just failed to answer the same request with another one."""
_ENDS = frozenset({"active", "rejected", "inactive"})
"""The states from which no verification leads back."""
PENDING = "a customer whose verification is pending; here customers become active by themselves, without a simulation"


_RENEWAL = "a new challenge after a failed signature"
_LOOKS_FOR_A_NEW_ONE = 5
"""How often the challenge is looked for that follows a failed signature, which no document promises at once."""


@dataclass(frozen=True)
class Onboarding:
    """A customer who was just created.

    Args:
        id: The customer's id.
        challenge: The challenge that came with it.
        wallet: The customer's wallet.
        external_id: The caller's own id.
        exchange: The creation.
    """

    id: str
    challenge: Challenge
    wallet: Wallet
    external_id: str
    exchange: Exchange


class Tenant(ApiTenant):
    """One of the API clients that a test may act as.

    Args:
        subject: What the test has of the implementation.
        identity: ``first`` or ``second``.

    Raises:
        NeedError: If the run has no credentials for the identity.
    """

    def __init__(self, subject: Subject, identity: str) -> None:
        super().__init__(
            subject,
            identity,
            settings="CONFORMANCE_OFFBLOCKS_SECOND_API_KEY, _API_SECRET, _SIGNING_KEY and _SIGNING_KEY_ID",
        )
        self._client = Client(
            subject.base_url,
            Credentials.from_settings(subject.credentials[identity]),
            transport=subject.transport(identity),
            clock=subject.clock,
            ids=self.ids,
            form=SignatureForm.from_settings(subject.settings),
            spelling=subject.circumstances.spelling,
        )
        self._failed: dict[str, Challenge] = {}
        self._refused: set[str] = set()
        self._renews = True
        self._shown_again = False
        self._client.signer.deterministic = subject.disposable

    @property
    def credentials(self) -> Credentials:
        """What it authenticates with."""
        return self._client.credentials

    @property
    def margin(self) -> timedelta:
        """How near to the end of an hour a test goes: a moment if there is one clock, else a minute.

        Half a second, where that clock stands on a whole one: times that are kept in whole seconds are exact there.
        """
        if not self._subject.disposable:
            return _MARGIN
        return 2 * _A_SECOND if self._subject.clock.now().microsecond else _A_SECOND / 2

    @property
    def overdue(self) -> timedelta:
        """How long after the end of an hour a test goes: a second at least, as a server may count whole ones."""
        return max(self.margin, _A_SECOND)

    @property
    def moves_clock(self) -> bool:
        """Whether time can pass without being waited for."""
        return self._subject.disposable

    def path(self, below: str) -> str:
        """The path of a URL as it is sent, mount included."""
        return httpx.URL(self._client.base_url + below).path

    def renew_credentials(self) -> None:
        """Have the next request ask for a new token."""
        self._client.forget_token()

    def must_cover(self, *components: str) -> None:
        """Go on only if the setting has signatures cover one of these components.

        Raises:
            NeedError: If it covers none of them.
        """
        if not set(components) & set(self._client.signer.components):
            needs(f"signatures that cover {' or '.join(components)}; add it to CONFORMANCE_OFFBLOCKS_COMPONENTS")

    def new_wallet(self) -> Wallet:
        """A new wallet without a customer."""
        return self.new_wallet_on(self._subject.settings["chain"])

    def new_wallet_on(self, chain: str) -> Wallet:
        """A new wallet without a customer, on the chain with that CAIP-2 id."""
        return Wallet(self.ids.draw(32), chain)

    def new_external_id(self) -> str:
        """A new id of the caller's own for a customer."""
        return self.new_own_id()

    def new_uuids(self) -> list[str]:
        """A new UUID of each version that is in use (RFC 9562); the documents print 1, 4 and 5, and name none."""
        return [f"{key[:14]}{version}{key[15:]}" for version in "13457" for key in [self.new_key()]]

    # ------------------------------------------------------------------------------------------------- any request

    def send(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        content: bytes | None = None,
        key: str | None = None,
        authorization: str | None = _OWN,
        deviation: Deviation | None = None,
        breaks: frozenset[str] = frozenset(),
        may_break: frozenset[str] = frozenset(),
        headers: Mapping[str, str] | None = None,
        signed: bool = True,
        guesses: bool = False,
    ) -> Exchange:
        """Send a request.

        Args:
            method: The method.
            path: The path below the base URL.
            body: What to send as JSON.
            content: Bytes to send instead of `body`.
            key: The idempotency key; None for none.
            authorization: The Authorization header; None for none.
            deviation: What to do wrong; the rules that it breaks are said.
            breaks: Further client rules that the request breaks on purpose.
            may_break: Client rules that it breaks if what the server gave is not right.
            headers: Further headers.
            signed: Whether to digest and sign at all.
            guesses: Whether it tries a wrong secret, to which 429 is an answer.

        Raises:
            StepFailedError: If no answer or no token came, or what the server gave for the path fits into no URL.
        """
        auth: httpx.Auth | None = self._client.signer if signed else None
        if deviation is not None:
            auth = DeviantSigner(self._client.signer, deviation)
            breaks |= deviation.breaks
        if authorization == _OWN:
            authorization = self.authorization()
        return self.exchange(
            method,
            path,
            lambda: self._client.send(
                method,
                path,
                body=body,
                content=content,
                idempotency_key=key,
                headers=headers,
                authorization=authorization,
                auth=auth,
                extensions={BREAKS: breaks, MAY_BREAK: may_break | _KEY_AFTER_NO_ANSWER, GUESSES: guesses},
            ),
        )

    def authorization(self) -> str:
        """The Authorization header with a token that is good.

        Raises:
            StepFailedError: If none was given, or one that has expired already.
        """
        try:
            token = self._client.token()
        except ApiError as error:
            raise StepFailedError(f"No token was given: {error}") from error
        now = self._subject.clock.now()
        if token.expires_at <= now:
            step_failed(f"A token was to be given that is good, but its expiresAt, {token.expires_at}, is before {now}")
        return f"Bearer {token.text}"

    def use_key(self, credentials: Credentials) -> None:
        """Sign with the key of other credentials from now on.

        Raises:
            StepFailedError: If its id cannot stand in a signature.
        """
        key_id = credentials.signing_key_id
        if not (key_id.isascii() and key_id.isprintable()):
            step_failed(f"The id of a registered key was to be printable ASCII, but is {shorten(ascii(key_id))}")
        self._client.signer.key = credentials.signing_key
        self._client.signer.key_id = credentials.signing_key_id

    def together(self, *calls: Callable[[], Done]) -> list[Done]:
        """Make several calls at once, with one token; gives what they give in the order of the calls."""
        self.authorization()
        return super().together(*calls)

    # ---------------------------------------------------------------------------------------------------- operations

    def ask_token(self, *, api_key: str | None = None, api_secret: str | None = None) -> Exchange:
        """Ask for a token, with other credentials if they are given."""
        own = self.credentials
        body = {"apiKey": api_key or own.api_key, "apiSecret": api_secret or own.api_secret}
        guesses = body != {"apiKey": own.api_key, "apiSecret": own.api_secret}
        return self.send("POST", "/v1/auth/token", body=body, authorization=None, signed=False, guesses=guesses)

    def create(self, wallet: Wallet | None = None, external_id: str | None = None, **options: Any) -> Exchange:
        """Create a customer; `options` as for `send`, with a new idempotency key unless one is given."""
        body = {
            **({"chainId": wallet.account_id} if wallet else {}),
            "externalId": self.new_external_id() if external_id is None else external_id,
        }
        options.setdefault("body", body)
        options.setdefault("key", self.new_key())
        return self.send("POST", "/v1/customers", **options)

    def customers(self, **options: Any) -> Exchange:
        """List the customers."""
        return self.send("GET", "/v1/customers", **options)

    def read(self, customer: str, **options: Any) -> Exchange:
        """Read a customer."""
        return self.send("GET", f"/v1/customers/{customer}", **options)

    def fetch(self, customer: str, **options: Any) -> Exchange:
        """Fetch a customer's challenge."""
        return self.send("GET", f"/v1/customers/{customer}/challenge", **options)

    def sign(
        self,
        customer: str,
        wallet: Wallet,
        challenge: Challenge,
        *,
        signature: str | None = None,
        owner: str | None = None,
        broken: tuple[str, ...] = (),
        **options: Any,
    ) -> Exchange:
        """Have a wallet sign a challenge and send the signature.

        Args:
            customer: The customer.
            wallet: The wallet that signs.
            challenge: The challenge to send.
            signature: The signature's text, if not the wallet's right one.
            owner: The ``ownerId``, if not the wallet's account.
            broken: The last parts of the ids of the client rules that this breaks on purpose.
            options: As for `send`.

        The suite's wallets hold nothing, so that they sign whatever the server asks them to. What is wrong with a
        challenge is told where it is issued; it blocks nothing.

        """
        options.setdefault("key", self.new_key())
        options.setdefault(
            "body",
            {
                "ownerId": owner or wallet.account_id,
                "challenge": challenge.text,
                "signature": signature or signed(wallet, challenge),
            },
        )
        options["breaks"] = options.get("breaks", frozenset()) | rules(*broken)
        perhaps: frozenset[str] = frozenset()
        domains = asking_domains(self._client.base_url, self._subject.settings.get("expected_domain"))
        if not challenge.is_sign_in_of(wallet.address, domains):
            perhaps |= rules("signs-only-its-own-sign-in", "owner-signs-the-message")
        if challenge.issued_at is not None and self.clock.now() - challenge.issued_at > HOUR:
            perhaps |= rules("signs-within-the-hour")  # by what a new challenge says, if that is wrong
        if self._shown_again:
            perhaps |= rules("refetches-after-failure")
        options["may_break"] = options.get("may_break", frozenset()) | perhaps
        exchange = self.send("POST", f"/v1/customers/{customer}/challenge/sign", **options)
        if exchange.breaks & rules("owner-signs-the-message") and not exchange.response.succeeded:
            self._failed[customer] = challenge
        elif exchange.breaks and not exchange.response.succeeded:
            self._refused.add(customer)
        return exchange

    def simulate(self, outcome: str, customer: str, **options: Any) -> Exchange:
        """Simulate the ``verify`` or ``reject`` of a customer."""
        options.setdefault("key", self.new_key())
        return self.send("PATCH", f"/v1/simulator/customers/{customer}/{outcome}", **options)

    def put_webhook(self, url: str, **options: Any) -> Exchange:
        """Have the changes of customers sent to `url`."""
        options.setdefault("key", self.new_key())
        options.setdefault("body", {"callbackUrl": url, "types": ["customer.updated"]})
        return self.send("PUT", "/v1/webhooks", **options)

    # ---------------------------------------------------------------------------------------------------- observation

    def status_once(self, customer: str, *statuses: str) -> str:
        """The customer's status as soon as it is one of `statuses`, or past them all; else what it is after `PATIENCE`.

        Raises:
            StepFailedError: If it cannot be read.
        """
        what = f"a customer to be {' or '.join(statuses)}"
        ends = _ENDS if _ENDS.isdisjoint(statuses) else frozenset()
        return self.eventually(what, lambda: self.status(customer), (ends | set(statuses)).__contains__)

    def status_shortly(self, customer: str) -> str:
        """The customer's status a little later, when what was asked for could have happened.

        Raises:
            StepFailedError: If it cannot be read.
        """
        self._subject.clock.advance(BETWEEN_LOOKS)
        return self.status(customer)

    # --------------------------------------------------------------------------------------- steps that others build on

    def onboard(self, wallet: Wallet, external_id: str | None = None) -> Onboarding:
        """Create a customer whose id and challenge the next steps need.

        Raises:
            StepFailedError: If the answer has none.
        """
        external_id = self.new_external_id() if external_id is None else external_id
        exchange = self.create(wallet, external_id)
        identifier = exchange.response.members().get("id")
        challenge = issued_challenge(exchange.response)
        if not isinstance(identifier, str) or challenge is None:
            step_failed("A customer was to be created with an id and a challenge", exchange)
        return Onboarding(identifier, challenge, wallet, external_id, exchange)

    def fetched(self, customer: str) -> Challenge:
        """The customer's present challenge; after a failed signature the new one, as soon as it is there.

        Raises:
            StepFailedError: If the answer has none.
        """
        failed, challenge = self._failed.pop(customer, None), self._fetched(customer)
        for looks in range(_LOOKS_FOR_A_NEW_ONE):
            if challenge != failed or not self._renews:
                if failed is not None and challenge != failed:
                    self._subject.waits.note(_RENEWAL, looks * BETWEEN_LOOKS)
                return challenge
            self._shown_again = True
            self.clock.advance(BETWEEN_LOOKS)
            challenge = self._fetched(customer)
        self._renews = challenge != failed
        return challenge

    def let_renew(self, customer: str) -> None:
        """Let a moment pass in which a new challenge may appear, if signing was refused to the customer just now."""
        if self._failed.pop(customer, None) is not None or customer in self._refused:
            self._refused.discard(customer)
            longest = self._subject.waits.longest(_RENEWAL)
            most = _LOOKS_FOR_A_NEW_ONE * BETWEEN_LOOKS if longest is None else longest
            self.clock.advance(most + BETWEEN_LOOKS)

    def _fetched(self, customer: str) -> Challenge:
        exchange = self.fetch(customer)
        return issued_challenge(exchange.response) or step_failed("A challenge was to be fetched", exchange)

    def status(self, customer: str) -> str:
        """The customer's present status.

        Raises:
            StepFailedError: If the answer has none.
        """
        exchange = self.read(customer)
        status = exchange.response.members().get("status")
        return status if isinstance(status, str) else step_failed("A customer's status was to be read", exchange)

    def like(self, first: Onboarding) -> list[Onboarding]:
        """Create customers who have all but one thing in common with the first, as far as the API lets two have that.

        One has its wallet and one its external id.
        """
        found: list[Onboarding] = []
        pairs = (first.wallet, self.new_external_id()), (self.new_wallet(), first.external_id)
        for wallet, external_id in pairs:
            exchange = self.create(wallet, external_id)
            identifier, challenge = exchange.response.members().get("id"), issued_challenge(exchange.response)
            if isinstance(identifier, str) and challenge is not None and identifier != first.id:
                found.append(Onboarding(identifier, challenge, wallet, external_id, exchange))
        return found

    def signed_up(self, wallet: Wallet) -> Onboarding:
        """Create a customer who has signed.

        Raises:
            StepFailedError: If the signature was refused.
        """
        customer = self.onboard(wallet)
        exchange = self.sign(customer.id, wallet, customer.challenge)
        if not exchange.response.succeeded:
            step_failed("A right signature was to be accepted", exchange)
        return customer

    def verifying(self, wallet: Wallet) -> Onboarding:
        """Create a customer who has signed and passed screening.

        Raises:
            NeedError: If customers are verified without a simulation.
            StepFailedError: If the customer does not get there.
        """
        customer, status = self._screened(wallet)
        return customer if status == "verifying" else needs(PENDING)

    def _screened(self, wallet: Wallet) -> tuple[Onboarding, str]:
        customer = self.signed_up(wallet)
        status = self.status_once(customer.id, "verifying")
        if status not in {"verifying", "active"}:
            step_failed(
                f"A customer who signed was to be verifying within {PATIENCE}, but is {status}",
                relies_on=["offblocks.signing.moves-the-status", "offblocks.flow.passes-screening"],
            )
        return customer, status

    def simulated(self, outcome: str, wallet: Wallet) -> Onboarding:
        """Create a customer whose ``verify`` or ``reject`` was simulated, so that it is ``active`` or ``rejected``.

        Raises:
            NeedError: If customers are verified without a simulation, before they can be rejected.
            StepFailedError: If the customer does not get there.
        """
        customer, status = self._screened(wallet)
        wanted = {"verify": "active", "reject": "rejected"}[outcome]
        if status != wanted:
            exchange = self.simulate(outcome, customer.id)
            if not exchange.response.succeeded:
                self.require_pending(customer.id)
                step_failed(f"The outcome {outcome} was to be simulated", exchange)
        status = self.status_once(customer.id, wanted)
        if status != wanted:
            step_failed(
                f"A customer was to be {wanted} within {PATIENCE}, but is {status}",
                relies_on=["offblocks.flow.verified-becomes-active", "offblocks.flow.rejected-is-final"],
            )
        return customer

    def require_pending(self, customer: str) -> None:
        """Go on unless a customer is active without a simulation, as another one then becomes too.

        Args:
            customer: Who was to wait for one.

        Raises:
            NeedError: If customers are verified without a simulation.
        """
        if self.status(customer) == "active":
            another = self.signed_up(self.new_wallet()).id
            if self.status_once(another, "active") == "active":
                needs(PENDING)


def altered(challenge: Challenge) -> Challenge:
    """The challenge with the last character of its nonce changed.

    Raises:
        StepFailedError: If it has no nonce.
    """
    nonce = challenge.value("Nonce")
    if not nonce:
        step_failed(
            "The challenge was to be altered in its nonce, but it has none", relies_on=["offblocks.challenge.nonce"]
        )
    line = f"Nonce: {nonce}"
    other = line[:-1] + ("a" if line[-1] != "a" else "b")
    text = "\n".join(challenge.lines).replace(line, other)
    return Challenge(base64.b64encode(text.encode()).decode())


def signed(wallet: Wallet, challenge: Challenge, encoding: Encoding = Encoding.BASE64_OF_HEX_TEXT) -> str:
    """The wallet's signature of a challenge as it travels."""
    return encode(wallet.sign(challenge.to_be_signed), encoding)
