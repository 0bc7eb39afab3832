"""What really exists for generated requests to OffBlocks: wallets, customers, challenges, signatures."""

import base64
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from cryptography.hazmat.primitives.asymmetric import ec

from conformance.exchange import Exchange, Mode
from conformance.generation.draft import ABSENT, Draft
from conformance.generation.feeding import Cases, PoolValues
from conformance.offblocks.generated_checks import CREDENTIAL, REMOVED_KEY
from conformance.offblocks.suite.tenant import Onboarding, Tenant, signed
from conformance.offblocks.wallet import Wallet
from conformance.scenario import needs
from conformance.standards.message_signatures import key_from_seed, public_pem
from conformance.targets import Subject
from conformance.values import near, telling

_OF_KEYS = {"putSigningKey", "deleteSigningKey"}
_DONE = {"verifyCustomer", "rejectCustomer"}
_KEY = "header Idempotency-Key"
_CUSTOMER = "path customerId"


class DataPool:
    """What exists for each operation, and how its requests are sent.

    Args:
        subject: What the test has of the implementation.
    """

    computed: ClassVar = ("Signature", "Signature-Input", "Content-Digest")
    credential: ClassVar = CREDENTIAL

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._tenants = {identity: Tenant(subject, identity) for identity in subject.credentials}
        self._ids = subject.ids.child("generated")
        self._shared: dict[tuple[str, str], tuple[Onboarding, int]] = {}
        self._new_key: ec.EllipticCurvePrivateKey | None = None
        self._signs_keys = self._removed = False
        self.identities = tuple(self._tenants)
        self.safe_only = not subject.disposable
        self.cases = Cases(subject.journal)
        for tenant in self._tenants.values():
            tenant.authorization()

    # ------------------------------------------------------------------------------------------------- what there is

    def values_for(self, operation: str, identity: str) -> PoolValues:  # noqa: PLR0911  (one an operation)
        """What exists for the next request of an identity, made if need be.

        Raises:
            NeedError: If the credentials must not be replaced.
            StepFailedError: If what the request needs cannot be made.
        """
        tenant = self._tenants[identity]
        key: dict[str, Any] = {_KEY: tenant.new_key()}
        match operation:
            case "createToken":
                own = tenant.credentials
                secret = {"body /apiKey": own.api_key, "body /apiSecret": own.api_secret}
                return PoolValues({**secret, **key}, if_present=(_KEY,), may_stay=tuple(secret))
            case "putSigningKey" | "deleteSigningKey":
                return self._signing_key(operation, tenant, key)
            case "createCustomer":
                values = {"body /chainId": self._new_wallet().account_id, **key}
                if not self._ids.below(4):
                    values["body /externalId"] = self._telling_text()
                return PoolValues(values, may_stay=("body /chainId",))
            case "listCustomers":
                return PoolValues({})
            case "signChallenge":
                return self._challenge(tenant, key)
            case "putWebhook":
                if self._subject.hooks is None:
                    needs("an address for webhooks; set CONFORMANCE_OFFBLOCKS_WEBHOOK_URL")
                values = {
                    "body /callbackUrl": self._subject.hooks.url,
                    "body /id": ABSENT,
                    "body /types": ["customer.updated"],
                    **key,
                }
                there = ("body /id", "body /types")
                return PoolValues(values, if_present=there, may_stay=there)
            case _:
                customer, parent = self._customer(operation, identity)
                values = {_CUSTOMER: customer.id, **(key if operation in _DONE else {})}
                misses = [miss.value for miss in near.misses(customer.id, near.UUID)]
                return PoolValues(values, may_stay=(_CUSTOMER,), parent=parent, like={_CUSTOMER: misses})

    def _telling_text(self) -> str:
        text = telling.TEXTS[self._ids.below(len(telling.TEXTS))]
        return text.numbered(10**9 + self._ids.below(9 * 10**9))

    def _new_wallet(self) -> Wallet:
        return Wallet.derived(self._ids.child(str(self._ids.uuid())), self._subject.settings["chain"])

    def _signing_key(self, operation: str, tenant: Tenant, key: dict[str, Any]) -> PoolValues:
        """A key to register; one that is registered, to be removed."""
        if not self._subject.disposable:
            needs("credentials that may be replaced, as only the reference sandbox gives them")
        parent = None
        if operation == "deleteSigningKey" or self._new_key is None:
            with self.cases.preparation() as parent:
                self._register(tenant)
        self._new_key = key_from_seed(self._ids.draw(64))
        if_present = () if self._signs_keys else (_KEY,)
        if operation == "deleteSigningKey":
            return PoolValues(key, if_present, parent=parent)
        return PoolValues({"body /publicKey": _encoded(self._new_key), **key}, if_present, ("body /publicKey",), parent)

    def _register(self, tenant: Tenant) -> None:
        """Register another key and sign with it; the sources differ on whether that request is signed itself.

        Raises:
            NeedError: If it is, and there is no key any more to sign it with.
        """
        if self._signs_keys and self._removed:
            needs("a signing key that a token alone registers, since the last one was removed")
        self._new_key = key_from_seed(self._ids.draw(64))
        put = partial(tenant.send, "PUT", "/v1/auth/signing", body={"publicKey": _encoded(self._new_key)})
        exchange = put(signed=self._signs_keys, key=tenant.new_key() if self._signs_keys else None)
        if not exchange.response.succeeded and not self._signs_keys:
            self._signs_keys = True
            exchange = put(signed=True, key=tenant.new_key())
        self._use(tenant, exchange)

    def _use(self, tenant: Tenant, exchange: Exchange) -> None:
        """Sign with the new key from now on, if it was registered."""
        key_id = exchange.response.members().get("keyId")
        if exchange.response.succeeded and self._new_key is not None and isinstance(key_id, str):
            tenant.use_key(replace(tenant.credentials, signing_key=self._new_key, signing_key_id=key_id))

    def _challenge(self, tenant: Tenant, key: dict[str, Any]) -> PoolValues:
        """A customer of its own, whose challenge its wallet has signed."""
        wallet = self._new_wallet()
        with self.cases.preparation() as number:
            customer = tenant.onboard(wallet)
        values = {
            _CUSTOMER: customer.id,
            "body /ownerId": wallet.account_id,
            "body /challenge": customer.challenge.text,
            "body /signature": signed(wallet, customer.challenge),
            **key,
        }
        may_stay = ("body /signature", _CUSTOMER, "body /challenge", "body /ownerId")
        return PoolValues(values, may_stay=may_stay, parent=number)

    def _customer(self, operation: str, identity: str) -> tuple[Onboarding, int]:
        """A customer with the number of its case: one of two for what is only read, another after each that is done."""
        tenant, done = self._tenants[identity], operation in _DONE
        name = (identity, operation if done else str(self._ids.below(2)))
        if name not in self._shared:
            with self.cases.preparation() as number:
                make = tenant.verifying if done else tenant.onboard
                self._shared[name] = make(self._new_wallet()), number
        return self._shared[name]

    # ------------------------------------------------------------------------------------------------ how it is sent

    def send(self, operation: str, identity: str, draft: Draft, *, authorized: bool | None = True) -> Exchange:
        """Send a request with the identity's token, with none (None), or with one that nobody issued (False)."""
        tenant = self._tenants[identity]
        headers = {name: value for name, value in draft.headers.items() if name != "Idempotency-Key"}
        token = None if authorized is None else f"Bearer {tenant.ids.alphanumeric(24)}"
        if authorized:
            token = None if operation == "createToken" else tenant.authorization()
        return tenant.send(
            draft.method,
            draft.path,
            content=draft.content,
            key=draft.headers.get("Idempotency-Key"),
            headers=headers,
            authorization=token,
            signed=operation != "createToken" and (operation not in _OF_KEYS or self._signs_keys),
            guesses=operation == "createToken",
        )

    def follow_up(self, exchange: Exchange, case: int) -> None:
        """Read a customer that was created; use a key that was registered; send a request with one that was removed."""
        tenant = self._tenants[exchange.identity]
        identifier = exchange.response.members().get("id")
        match exchange.operation:
            case "createCustomer" if isinstance(identifier, str):
                with self.cases.case(Mode.POSITIVE, parent=case):
                    tenant.read(identifier)
            case "verifyCustomer" | "rejectCustomer" as done:
                del self._shared[exchange.identity, done]
            case "putSigningKey":
                self._use(tenant, exchange)
            case "deleteSigningKey":
                self._removed = True
                with self.cases.case(Mode.NEGATIVE, (REMOVED_KEY,), case):
                    tenant.customers()


def _encoded(key: ec.EllipticCurvePrivateKey) -> str:
    return base64.b64encode(public_pem(key).encode()).decode()
